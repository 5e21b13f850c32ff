//! The agent's ledger: snapshots are believed only as far as they make sense.

use std::time::Duration;

use ipam_core::pool::{
    Claim, ClaimId, CoolingAddress, Family, Ledger, LedgerSettings, ListedCidr, PendingClaim,
    PromisedAddress, Snapshot, SnapshotCidr, UsedAddress,
};
use ipam_core::time::Tick;

/// 10.0.0.16 used by a/x and waiting for claim 1 since 1 s, .17 used by the router, .18 cooling since
/// 2 s, .19 cooling since 3 s, .20 promised; 10.0.0.32/28 withdrawn and .32 used by b/x.
fn snapshot() -> Snapshot {
    let mut ledger = Ledger::new(LedgerSettings::default());
    ledger.sync(["10.0.0.16/28", "10.0.0.32/28"].map(listed));
    let mut take = |address: &str, owner: &str, claim, second: u64| {
        let (address, owner) = (address.parse().unwrap(), owner.parse().unwrap());
        let now = Tick::from_millis(second * 1000);
        ledger.allocate_exact(address, owner, claim, now).unwrap();
    };
    take("10.0.0.16", "a/x", Claim::Expected, 1);
    for address in ["10.0.0.18", "10.0.0.19", "10.0.0.32"] {
        take(address, "b/x", Claim::NotNeeded, 1);
    }
    take("10.0.0.17", "router", Claim::NotNeeded, 1);
    for (address, millis) in [("10.0.0.18", 2000), ("10.0.0.19", 3000)] {
        let now = Tick::from_millis(millis);
        ledger.release(address.parse().unwrap(), None, now).unwrap();
    }
    ledger.promise("10.0.0.20".parse().unwrap()).unwrap();
    ledger.sync([listed("10.0.0.16/28")]);
    ledger.snapshot()
}

fn listed(cidr: &str) -> ListedCidr {
    ListedCidr { cidr: cidr.parse().unwrap(), eni: "eni-1".parse().unwrap() }
}

/// Changes the snapshot above and restores it.
#[track_caller]
fn check(change: impl Fn(&mut Snapshot), expected: &str) {
    let mut snapshot = snapshot();
    change(&mut snapshot);
    let restored = Ledger::restore(snapshot.clone(), LedgerSettings::default());
    match restored {
        Ok(ledger) => {
            assert_eq!(ledger.snapshot(), snapshot);
            assert_eq!(ledger.tally(Family::Ipv4).to_string(), expected);
        }
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

fn cooling(address: &str, second: u64) -> CoolingAddress {
    CoolingAddress { address: address.parse().unwrap(), since: Tick::from_millis(second * 1000) }
}

fn promised(address: &str) -> PromisedAddress {
    PromisedAddress { address: address.parse().unwrap(), cooling_since: None }
}

fn used(address: &str, owner: &str, claim: Option<(u64, u64)>) -> UsedAddress {
    let claim = claim.map(|(id, second)| PendingClaim {
        id: ClaimId::from_u64(id),
        since: Tick::from_millis(second * 1000),
    });
    UsedAddress { address: address.parse().unwrap(), owner: owner.parse().unwrap(), claim }
}

#[test]
fn a_snapshot_comes_back_as_it_was() {
    check(|_| (), "16 attached, 11 free, 2 used, 2 cooling, 1 promised, 1 withdrawn");
}

#[test]
fn cidrs_that_cannot_be_are_refused() {
    let add = |cidr: &'static str, withdrawn| {
        move |snapshot: &mut Snapshot| {
            let listed = listed(cidr);
            snapshot.cidrs.push(SnapshotCidr { listed, withdrawn });
        }
    };
    check(add("10.0.0.16/32", false), "10.0.0.16/32 on eni-1 overlaps 10.0.0.16/28 on eni-1");
    check(add("10.0.0.16/28", true), "10.0.0.16/28 on eni-1 overlaps 10.0.0.16/28 on eni-1");
    check(
        add("10.0.0.49/28", false),
        "10.0.0.49/28 on eni-1 has host bits set: expected 10.0.0.48/28",
    );
    check(add("10.0.0.48/28", true), "10.0.0.48/28 is withdrawn and nobody uses it");
    check(
        |snapshot| {
            snapshot.cidrs.extend((1..=64).map(|number| SnapshotCidr {
                listed: listed(&format!("10.{number}.0.0/16")),
                withdrawn: false,
            }));
        },
        "10.64.0.0/16 on eni-1 is one too many: expected at most 262144 addresses",
    );
}

#[test]
fn addresses_that_cannot_be_are_refused() {
    check(
        |snapshot| snapshot.used.push(used("10.0.0.48", "c/x", None)),
        "10.0.0.48 is in none of the CIDRs",
    );
    check(
        |snapshot| snapshot.used.push(used("10.0.0.16", "c/x", None)),
        "10.0.0.16 is named twice",
    );
    check(|snapshot| snapshot.cooling.push(cooling("10.0.0.17", 3)), "10.0.0.17 is named twice");
    check(|snapshot| snapshot.promised.push(promised("10.0.0.18")), "10.0.0.18 is named twice");
    check(|snapshot| snapshot.promised.push(promised("10.0.0.20")), "10.0.0.20 is named twice");
    check(
        |snapshot| snapshot.cooling.push(cooling("10.0.0.33", 3)),
        "10.0.0.33 is not used, and its CIDR is withdrawn",
    );
    check(
        |snapshot| snapshot.promised.push(promised("10.0.0.33")),
        "10.0.0.33 is not used, and its CIDR is withdrawn",
    );
    check(
        |snapshot| snapshot.used.push(used("10.0.0.33", "router", None)),
        "router holds both 10.0.0.17 and 10.0.0.33",
    );
}

#[test]
fn times_that_cannot_be_are_refused() {
    check(
        |snapshot| snapshot.cooling.push(cooling("10.0.0.21", 4)),
        "10.0.0.21: 4000 ms is later than the snapshot, 3000 ms",
    );
    check(
        |snapshot| snapshot.cooling.push(cooling("10.0.0.21", 2)),
        "10.0.0.21 cools down since before the one that is named in front of it",
    );
    check(
        |snapshot| snapshot.promised[0].cooling_since = Some(Tick::from_millis(3001)),
        "10.0.0.20: 3001 ms is later than the snapshot, 3000 ms",
    );
    check(
        |snapshot| snapshot.used[0] = used("10.0.0.16", "a/x", Some((1, 4))),
        "10.0.0.16: 4000 ms is later than the snapshot, 3000 ms",
    );
}

#[test]
fn claims_that_cannot_be_are_refused() {
    check(
        |snapshot| snapshot.used[0] = used("10.0.0.16", "a/x", Some((2, 1))),
        "10.0.0.16: claim 2 does not fit to the other claims",
    );
    let second = |id, seconds| {
        move |snapshot: &mut Snapshot| {
            snapshot.next_claim = ClaimId::from_u64(9);
            snapshot.used[1] = used("10.0.0.17", "router", Some((id, seconds)));
        }
    };
    check(second(1, 2), "10.0.0.17: claim 1 does not fit to the other claims");
    check(second(5, 0), "10.0.0.17: claim 5 does not fit to the other claims");
    check(second(5, 1), "16 attached, 11 free, 2 used, 2 cooling, 1 promised, 1 withdrawn");
}

#[test]
fn other_settings_count_from_the_restart_on() {
    let settings = LedgerSettings::new(Duration::ZERO, LedgerSettings::MAX);
    let ledger = Ledger::restore(snapshot(), settings.unwrap()).unwrap();
    assert_eq!(
        ledger.tally(Family::Ipv4).to_string(),
        "16 attached, 13 free, 2 used, 0 cooling, 1 promised, 1 withdrawn"
    );
    assert_eq!(ledger.next_deadline(), Some(Tick::from_millis(3_601_000)));
}

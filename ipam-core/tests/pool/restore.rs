//! The agent's ledger: snapshots are believed only as far as they make sense.

use std::time::Duration;

use crate::script;
use ipam_core::pool::{
    By, Claim, CoolingAddress, Family, GrantId, Ledger, LedgerSettings, ListedCidr,
    PromisedAddress, Snapshot, SnapshotCidr, UsedAddress, VanishedAddress,
};
use ipam_core::time::Tick;

/// 10.0.0.16 used by a/x and waiting for claim 1 since 1 s, .17 used by the router, .18 cooling since
/// 2 s, .19 cooling since 3 s, .20 promised; 10.0.0.32/28 withdrawn and .32 used by b/x.
fn snapshot() -> Snapshot {
    let mut ledger = Ledger::new(LedgerSettings::default());
    ledger.sync(["10.0.0.16/28", "10.0.0.32/28"].map(listed), Tick::default());
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
        ledger.release(address.parse().unwrap(), By::Anyone, now).unwrap();
    }
    ledger.promise("10.0.0.20".parse().unwrap()).unwrap();
    ledger.sync([listed("10.0.0.16/28")], Tick::default());
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
    let restored = Ledger::restore(snapshot.clone(), LedgerSettings::default(), snapshot.at);
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

fn vanished(address: &str, second: u64, cooling: u64) -> VanishedAddress {
    VanishedAddress {
        address: address.parse().unwrap(),
        eni: "eni-1".parse().unwrap(),
        since: Tick::from_millis(second * 1000),
        promised: true,
        cooling_since: Some(Tick::from_millis(cooling * 1000)),
    }
}

/// With the second since which it waits for its claim, if it does.
fn used(address: &str, owner: &str, id: u64, unclaimed: Option<u64>) -> UsedAddress {
    UsedAddress {
        address: address.parse().unwrap(),
        id: GrantId::from_u64(id),
        owner: owner.parse().unwrap(),
        unclaimed_since: unclaimed.map(|second| Tick::from_millis(second * 1000)),
    }
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
    check(
        add("10.0.0.48/28", true),
        "16 attached, 11 free, 2 used, 2 cooling, 1 promised, 1 withdrawn",
    );
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
        |snapshot| snapshot.used.push(used("10.0.0.48", "c/x", 3, None)),
        "10.0.0.48 is in none of the CIDRs",
    );
    check(
        |snapshot| snapshot.used.push(used("10.0.0.16", "c/x", 3, None)),
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
        |snapshot| snapshot.used.push(used("10.0.0.33", "router", 3, None)),
        "router holds both 10.0.0.33 and 10.0.0.17",
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
        |snapshot| snapshot.used[0] = used("10.0.0.16", "a/x", 1, Some(4)),
        "10.0.0.16: 4000 ms is later than the snapshot, 3000 ms",
    );
}

#[test]
fn grants_that_cannot_be_are_refused() {
    check(
        |snapshot| snapshot.used[0] = used("10.0.0.16", "a/x", 6, None),
        "10.0.0.16: grant 6 does not fit to the other grants",
    );
    let second = |id, since| {
        move |snapshot: &mut Snapshot| {
            snapshot.next_grant = GrantId::from_u64((1 << 53) - 1);
            snapshot.used[1] = used("10.0.0.17", "router", id, since);
        }
    };
    check(second(1, Some(2)), "10.0.0.17: grant 1 does not fit to the other grants");
    check(second(1, None), "10.0.0.17: grant 1 does not fit to the other grants");
    check(second(5, Some(0)), "10.0.0.17: grant 5 does not fit to the other grants");
    check(
        |snapshot| snapshot.next_grant = GrantId::from_u64(1 << 53),
        "the next grant is 9007199254740992: expected a number below 9007199254740992",
    );
    check(second(5, Some(1)), "16 attached, 11 free, 2 used, 2 cooling, 1 promised, 1 withdrawn");
}

#[test]
fn vanished_addresses_that_cannot_be_are_refused() {
    let add = |addresses: &'static [&'static str], second: u64, cooling: u64| {
        move |snapshot: &mut Snapshot| {
            snapshot.vanished =
                addresses.iter().map(|one| vanished(one, second, cooling)).collect();
        }
    };
    let unchanged = "16 attached, 11 free, 2 used, 2 cooling, 1 promised, 1 withdrawn";
    check(add(&["10.0.0.33", "10.0.0.99"], 3, 3), unchanged);
    check(add(&["10.0.0.99", "10.0.0.99"], 3, 3), "10.0.0.99 is named twice");
    check(add(&["10.0.0.16"], 3, 3), "10.0.0.16 is there and cannot have vanished");
    check(add(&["10.0.0.32"], 3, 3), "10.0.0.32 is there and cannot have vanished");
    let later = "10.0.0.99: 4000 ms is later than the snapshot, 3000 ms";
    check(add(&["10.0.0.99"], 4, 3), later);
    check(add(&["10.0.0.99"], 3, 4), later);
}

#[test]
fn other_settings_count_from_the_restart_on() {
    let settings = LedgerSettings::new(Duration::ZERO, LedgerSettings::MAX, Duration::ZERO);
    let (snapshot, now) = (snapshot(), Tick::from_millis(3000));
    let ledger = Ledger::restore(snapshot, settings.unwrap(), now).unwrap();
    assert_eq!(
        ledger.tally(Family::Ipv4).to_string(),
        "16 attached, 13 free, 2 used, 0 cooling, 1 promised, 1 withdrawn"
    );
    assert_eq!(ledger.next_deadline(), Some(Tick::from_millis(3_601_000)));
}

#[test]
fn after_a_reboot_ages_stay_and_nothing_waits_for_the_former_clock() {
    script::check(
        "sync 10.0.0.0/30@eni-1
         at 8640000s allocate ipv4 a/x claim
         allocate ipv4 b/x
         allocate ipv4 c/x
         release 10.0.0.1
         at 8640010s promise 10.0.0.1
         release 10.0.0.2
         at 8640020s expire
         tally ipv4
         at 15s restart
         deadline
         withdraw-promise 10.0.0.1
         at 34999ms expire
         tally ipv4
         at 35s expire
         tally ipv4
         at 600s expire",
        "added 10.0.0.0/30
         10.0.0.0 on eni-1, claim 1
         10.0.0.1 on eni-1
         10.0.0.2 on eni-1
         released by b/x
         promised
         released by c/x
         nothing
         4 attached, 1 free, 1 used, 1 cooling, 1 promised, 0 withdrawn
         restarted
         35000 ms
         promise withdrawn
         nothing
         4 attached, 1 free, 1 used, 2 cooling, 0 promised, 0 withdrawn
         nothing
         4 attached, 2 free, 1 used, 1 cooling, 0 promised, 0 withdrawn
         10.0.0.0 of a/x, claim 1",
    );
}

#[test]
fn time_that_passes_on_the_same_clock_while_the_process_is_down_counts() {
    script::check(
        "sync 10.0.0.1/32@eni-1
         at 1s allocate ipv4 a/x
         release 10.0.0.1
         at 31s restart
         tally ipv4",
        "added 10.0.0.1/32
         10.0.0.1 on eni-1
         released by a/x
         restarted
         1 attached, 1 free, 0 used, 0 cooling, 0 promised, 0 withdrawn",
    );
}

#[test]
fn one_moment_at_the_end_of_time_neither_spins_nor_lasts() {
    script::check(
        "sync 10.0.0.1/32@eni-1 10.0.0.2/32@eni-1
         at 18446744073709551615ms allocate ipv4 a/x
         allocate ipv4 b/x claim
         release 10.0.0.1
         deadline
         at 5s deadline
         restart
         deadline
         at 35s expire
         tally ipv4",
        "added 10.0.0.1/32 10.0.0.2/32
         10.0.0.1 on eni-1
         10.0.0.2 on eni-1, claim 2
         released by a/x
         none
         none
         restarted
         35000 ms
         nothing
         2 attached, 1 free, 1 used, 0 cooling, 0 promised, 0 withdrawn",
    );
}

//! The agent's ledger under any sequence of operations, beside a model that does the same by search.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::calls::{Call, Host, Step, listed, step};
use crate::model::{Is, Model, Outcome};
use ipam_core::audit::{LedgerCounts, NodeTruth, Truth, audit};
use ipam_core::pool::{
    By, Claim, Family, Grant, GrantId, Ledger, LedgerSettings, ListedCidr, Owner, Refusal, Tally,
};
use ipam_core::time::Tick;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

/// How often each kind of outcome was met: a property that meets nothing proves nothing.
type Met = BTreeMap<&'static str, u32>;

/// The ledger and the model, led through the same calls.
struct Pair {
    ledger: Ledger,
    model: Model,
    now: Tick,
    met: Met,
}

impl Pair {
    fn new(settings: LedgerSettings) -> Self {
        Self {
            ledger: Ledger::new(settings),
            model: Model::new(settings),
            now: Tick::default(),
            met: Met::new(),
        }
    }

    fn meet(&mut self, outcome: &'static str) {
        *self.met.entry(outcome).or_default() += 1;
    }

    /// Compares an answer of both, refusals by their label.
    fn same<T: PartialEq + std::fmt::Debug>(
        &mut self,
        real: Result<T, Refusal>,
        model: Outcome<T>,
    ) {
        let real = real.map_err(|refusal| refusal.label());
        assert_eq!(real, model);
        self.meet(model.err().unwrap_or("done"));
    }

    fn step(&mut self, (passed, call): &Step) {
        let millis = self.now.as_millis().saturating_add_signed(*passed);
        self.now = Tick::from_millis(millis);
        self.call(call);
        assert_eq!(self.ledger.snapshot(), self.model.snapshot());
        assert_eq!(self.ledger.next_deadline(), self.model.next_deadline());
        for family in Family::ALL {
            self.conserved(family);
        }
    }

    fn call(&mut self, call: &Call) {
        let now = self.now;
        match call {
            Call::Allocate(family, owner, claim) => {
                self.model.pass(now);
                let granted = self.ledger.allocate(*family, owner.clone(), *claim, now);
                self.check_grant(&granted, true);
                let expected = self.model.allocate(*family, owner, *claim);
                self.same(granted, expected);
            }
            Call::AllocateExact(host, owner, claim) => self.exact(host.address(), owner, *claim),
            Call::ExactUsed(place) => {
                let held = self.used(*place).and_then(|(one, _)| self.ledger.holding(one));
                if let Some((address, owner)) = held.map(|held| (held.address, held.owner.clone()))
                {
                    self.exact(address, &owner, Claim::NotNeeded);
                }
            }
            Call::Release(host, owner) => {
                self.release(host.address(), owner.as_ref().map_or(By::Anyone, By::Owner));
            }
            Call::ReleaseUsed(place, off) => {
                if let Some((address, id)) = self.used(*place) {
                    self.release(address, By::Grant(GrantId::from_u64(id.as_u64() - off)));
                }
            }
            Call::ClaimUsed(place, off) => {
                if let Some((address, id)) = self.used(*place) {
                    let id = GrantId::from_u64(id.as_u64() + off);
                    let claimed = self.ledger.claim(address, id);
                    let expected = self.model.claim(address, id);
                    self.same(claimed, expected);
                }
            }
            Call::Expire => self.expire(),
            Call::Sync(listed) => self.sync(listed),
            Call::Restart => self.restart(),
            promise => self.promise(promise),
        }
    }

    fn exact(&mut self, address: IpAddr, owner: &Owner, claim: Claim) {
        self.model.pass(self.now);
        let granted = self.ledger.allocate_exact(address, owner.clone(), claim, self.now);
        self.check_grant(&granted, false);
        let expected = self.model.allocate_exact(address, owner, claim);
        self.same(granted, expected);
    }

    /// What must hold of every grant, whatever the model thinks of it.
    fn check_grant(&mut self, granted: &Result<Grant, Refusal>, any: bool) {
        let Ok(grant) = granted else { return };
        if let Some(expired) = &grant.expired {
            assert!(any && expired.address == grant.address, "{grant:?}");
            self.meet("instead of an overdue one");
            return;
        }
        let former = self.model.taken.get(&grant.address);
        if matches!(former, Some(Is::Used(standing, ..)) if !any && *standing == grant.id) {
            self.meet("answered again");
            return;
        }
        assert!(!matches!(former, Some(Is::Used(..) | Is::Promised(_))), "{grant:?}");
        assert!(self.model.is_listed(grant.address), "{grant:?}");
        assert_eq!(grant.cut_short, matches!(former, Some(Is::Cooling(..))));
        if grant.cut_short && any {
            let family = Family::of(grant.address);
            assert!(!self.model.has_free(family), "cut short without need: {grant:?}");
            self.meet("cut short");
        }
    }

    fn release(&mut self, address: IpAddr, by: By<'_>) {
        self.model.pass(self.now);
        let released = self.ledger.release(address, by, self.now);
        let expected = self.model.release(address, by);
        self.same(released, expected);
    }

    fn expire(&mut self) {
        self.model.pass(self.now);
        let expired = self.ledger.expire(self.now);
        assert_eq!(expired, self.model.expire());
        for _ in expired {
            self.meet("expired");
        }
    }

    fn promise(&mut self, call: &Call) {
        let now = self.now;
        let (real, model) = match call {
            Call::Promise(host) => {
                let address = host.address();
                (self.ledger.promise(address), self.model.promise(&[address]))
            }
            Call::PromiseCidr(cidr) => {
                let within = self.model.within(*cidr);
                let model = within.and_then(|addresses| self.model.promise(&addresses));
                (self.ledger.promise_cidr(*cidr), model)
            }
            Call::WithdrawPromise(host) => {
                self.model.pass(now);
                let address = host.address();
                let ended = self.model.end_vanished(address.into());
                let model = if ended { Ok(()) } else { self.model.withdraw_promise(&[address]) };
                (self.ledger.withdraw_promise(address, now), model)
            }
            Call::WithdrawPromiseCidr(cidr) => {
                self.model.pass(now);
                let model = if self.model.end_vanished(*cidr) {
                    Ok(())
                } else {
                    let within = self.model.within(*cidr);
                    within.and_then(|addresses| self.model.withdraw_promise(&addresses))
                };
                (self.ledger.withdraw_promise_cidr(*cidr, now), model)
            }
            other => panic!("not about a promise: {other:?}"),
        };
        self.same(real, model);
    }

    fn sync(&mut self, listed: &BTreeSet<ListedCidr>) {
        let mut report = self.ledger.sync(listed.iter().cloned(), self.now);
        self.model.pass(self.now);
        let (expected, refused) = self.model.sync(listed);
        assert_eq!(report.refused.len(), refused);
        report.refused.clear();
        assert_eq!(report, expected);
        if !report.withdrawn.is_empty() {
            self.meet("kept although gone");
        }
    }

    fn restart(&mut self) {
        let (snapshot, settings) = (self.ledger.snapshot(), self.ledger.settings());
        let same = Ledger::restore(snapshot.clone(), settings, snapshot.at).unwrap();
        assert_eq!(same, self.ledger);
        if self.now < snapshot.at {
            self.meet("turned back");
        }
        self.ledger = Ledger::restore(snapshot, settings, self.now).unwrap();
        self.model.restart(self.now);
    }

    /// The used address at a place in the row of them.
    fn used(&self, place: usize) -> Option<(IpAddr, GrantId)> {
        let count = self.ledger.holdings().count();
        let held = self.ledger.holdings().nth(place.checked_rem(count)?)?;
        Some((held.address, held.id))
    }

    /// attached = free + used + cooling + promised, and the CIDRs add up to the same.
    fn conserved(&self, family: Family) {
        let tally = self.ledger.tally(family);
        let Tally { attached, free, used, cooling, promised, withdrawn } = tally;
        assert_eq!(attached, free + used + cooling + promised);
        audit_finds_nothing(tally.into());
        assert_eq!(attached, self.model.attached(family));
        let of_family =
            self.ledger.cidrs().filter(|usage| Family::of(usage.listed.cidr.addr()) == family);
        let mut sum = Tally { attached, ..Tally::default() };
        for usage in of_family {
            sum.free += usage.free;
            sum.cooling += usage.cooling;
            sum.promised += usage.promised;
            *(if usage.withdrawn { &mut sum.withdrawn } else { &mut sum.used }) += usage.used;
        }
        assert_eq!(sum, Tally { withdrawn, ..tally });
    }
}

fn audit_finds_nothing(ledger: LedgerCounts) {
    let (name, vpc) = ("node-1".parse().unwrap(), "vpc-1".parse().unwrap());
    let node = NodeTruth {
        name: &name,
        vpc: &vpc,
        limits: None,
        enis: &[],
        in_use: &[],
        short: 0,
        explained: false,
        ledgers: &[ledger],
    };
    let truth =
        Truth { now: Tick::default(), nodes: &[node], loose: &[], grace: Duration::default() };
    assert_eq!(audit(&truth), []);
}

/// The address that was given back first had left the listing in between. A clock that begins anew
/// gives both the same moment: they keep their order, in the ledger and in the model.
#[test]
fn moments_that_become_the_same_keep_their_order() {
    let both = [0, 1].map(|host| Host(Family::Ipv4, host));
    let single =
        |host: &Host| ListedCidr { cidr: host.address().into(), eni: "eni-1".parse().unwrap() };
    let listed = |hosts: &[Host]| Call::Sync(hosts.iter().map(single).collect());
    let owner: Owner = "a/x".parse().unwrap();
    let take = |host| Call::AllocateExact(host, owner.clone(), Claim::NotNeeded);
    let steps = [
        (0, listed(&both)),
        (0, take(both[0])),
        (0, take(both[1])),
        (50, Call::Release(both[0], None)),
        (10, listed(&both[1..])),
        (10, Call::Release(both[1], None)),
        (10, listed(&both)),
        (-70, Call::Restart),
    ];
    let mut pair = Pair::new(LedgerSettings::default());
    for step in &steps {
        pair.step(step);
    }
    let cooling = pair.ledger.snapshot().cooling;
    let (addresses, since): (Vec<_>, BTreeSet<_>) =
        cooling.iter().map(|cooling| (cooling.address, cooling.since)).unzip();
    assert_eq!(addresses, both.map(Host::address));
    assert_eq!(since, BTreeSet::from([Tick::default()]));
}

#[test]
fn the_ledger_does_what_the_model_does() {
    let config =
        ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() };
    let cool_down = select(vec![Duration::ZERO, LedgerSettings::COOL_DOWN_DEFAULT]);
    let first = btree_set(listed(), 1..9);
    let met = RefCell::new(Met::new());
    let outcome = TestRunner::new(config).run(
        &(cool_down, first, vec(step(), 150..250)),
        |(cool_down, first, steps)| {
            let settings = LedgerSettings::new(
                cool_down,
                LedgerSettings::CLAIM_WITHIN_DEFAULT,
                Duration::from_secs(20),
            );
            let mut pair = Pair::new(settings.unwrap());
            pair.step(&(0, Call::Sync(first)));
            for step in &steps {
                pair.step(step);
            }
            for (kind, times) in pair.met {
                *met.borrow_mut().entry(kind).or_default() += times;
            }
            Ok(())
        },
    );
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let met = met.into_inner();
    for kind in [
        "another_grant",
        "answered again",
        "cut short",
        "done",
        "exhausted",
        "expired",
        "held_by_another",
        "holds_another",
        "host_bits",
        "in_pieces",
        "in_use",
        "instead of an overdue one",
        "kept although gone",
        "no_claim_expected",
        "not_promised",
        "not_used",
        "promised",
        "turned back",
        "unknown",
        "unknown_cidr",
        "withdrawn",
    ] {
        assert!(met.get(kind).is_some_and(|times| *times >= 10), "{kind} was hardly met: {met:?}");
    }
}

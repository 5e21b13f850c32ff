//! The agent's ledger under any sequence of operations, beside a model that does the same by search.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::model::{Is, Model, Outcome};
use ipam_core::audit::{LedgerCounts, NodeTruth, Truth, audit};
use ipam_core::pool::{
    Claim, ClaimId, Family, Grant, Ledger, LedgerSettings, ListedCidr, Owner, Refusal, Tally,
};
use ipam_core::time::Tick;
use ipnet::IpNet;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

/// How many addresses of each family are played with: so few that they meet each other.
const HOSTS: u8 = 40;

/// One of them.
#[derive(Debug, Clone, Copy)]
struct Host(Family, u8);

impl Host {
    fn address(self) -> IpAddr {
        match self.0 {
            Family::Ipv4 => [10, 0, 0, self.1].into(),
            Family::Ipv6 => [0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(self.1)].into(),
        }
    }

    /// The CIDR of `1 << bits` addresses around it, or, if `ragged`, the address with that length.
    fn cidr(self, bits: u8, ragged: bool) -> IpNet {
        let length = match self.0 {
            Family::Ipv4 if bits == TOO_LARGE => 15,
            Family::Ipv6 if bits == TOO_LARGE => 63,
            Family::Ipv4 => 32 - bits,
            Family::Ipv6 => 128 - bits,
        };
        let cidr = IpNet::new(self.address(), length).unwrap();
        if ragged { cidr } else { cidr.trunc() }
    }
}

/// In place of host bits: a CIDR that no ledger accepts.
const TOO_LARGE: u8 = 99;

/// A call to the ledger.
#[derive(Debug, Clone)]
enum Call {
    Allocate(Family, Owner, Claim),
    AllocateExact(Host, Owner, Claim),
    /// On behalf of an owner, or by force.
    Release(Host, Option<Owner>),
    /// The used address at this place in the row, on behalf of the one who holds it.
    ReleaseUsed(usize),
    /// The used address at this place in the row, with this distance to its claim.
    ClaimUsed(usize, u64),
    Expire,
    Promise(Host),
    PromiseCidr(IpNet),
    WithdrawPromise(Host),
    WithdrawPromiseCidr(IpNet),
    Sync(BTreeSet<ListedCidr>),
    Restart,
}

/// A call, and how many milliseconds after the one before.
type Step = (i64, Call);

fn step() -> impl Strategy<Value = Step> {
    let passed = prop_oneof![
        8 => Just(0),
        4 => 1..4000_i64,
        1 => select(vec![29_999, 30_000, 599_999, 600_000]),
        1 => -40_000..0_i64,
    ];
    (passed, call())
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        40 => (family(), owner(), claim()).prop_map(|(f, o, c)| Call::Allocate(f, o, c)),
        8 => (host(), owner(), claim()).prop_map(|(h, o, c)| Call::AllocateExact(h, o, c)),
        8 => (host(), proptest::option::of(owner())).prop_map(|(h, o)| Call::Release(h, o)),
        20 => any::<usize>().prop_map(Call::ReleaseUsed),
        10 => (any::<usize>(), 0..2_u64).prop_map(|(used, off)| Call::ClaimUsed(used, off)),
        4 => Just(Call::Expire),
        6 => host().prop_map(Call::Promise),
        3 => cidr().prop_map(Call::PromiseCidr),
        4 => host().prop_map(Call::WithdrawPromise),
        3 => cidr().prop_map(Call::WithdrawPromiseCidr),
        2 => btree_set(listed(), 0..9).prop_map(Call::Sync),
        4 => Just(Call::Restart),
    ]
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![2 => Just(Family::Ipv4), 1 => Just(Family::Ipv6)]
}

fn host() -> impl Strategy<Value = Host> {
    (family(), 0..HOSTS).prop_map(|(family, host)| Host(family, host))
}

fn owner() -> impl Strategy<Value = Owner> {
    let names = ["a/x", "a/x", "a/y", "a/y", "b/x", "b/x", "b/y", "router", "health", "ingress"];
    select(names.to_vec()).prop_map(|name| name.parse().unwrap())
}

fn claim() -> impl Strategy<Value = Claim> {
    select(vec![Claim::Expected, Claim::NotNeeded])
}

/// Mostly what EC2 gives: prefixes of 16 and single addresses.
fn cidr() -> impl Strategy<Value = IpNet> {
    let bits = prop_oneof![16 => Just(4), 8 => Just(0), 4 => 1..7_u8, 1 => Just(TOO_LARGE)];
    let ragged = prop::bool::weighted(0.05);
    (host(), bits, ragged).prop_map(|(host, bits, ragged)| host.cidr(bits, ragged))
}

fn listed() -> impl Strategy<Value = ListedCidr> {
    let enis = select(vec!["eni-1", "eni-1", "eni-2"]);
    (cidr(), enis).prop_map(|(cidr, eni)| ListedCidr { cidr, eni: eni.parse().unwrap() })
}

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
            Call::AllocateExact(host, owner, claim) => {
                let (address, held) = (host.address(), owner.clone());
                self.model.pass(now);
                let granted = self.ledger.allocate_exact(address, held, *claim, now);
                self.check_grant(&granted, false);
                let expected = self.model.allocate_exact(address, owner, *claim);
                self.same(granted, expected);
            }
            Call::Release(host, owner) => self.release(host.address(), owner.as_ref()),
            Call::ReleaseUsed(place) => {
                if let Some((address, owner, _)) = self.used(*place) {
                    self.release(address, Some(&owner));
                }
            }
            Call::ClaimUsed(place, off) => {
                if let Some((address, _, id)) = self.used(*place) {
                    let id = ClaimId::from_u64(id.map_or(0, ClaimId::as_u64) + off);
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

    /// What must hold of every grant, whatever the model thinks of it.
    fn check_grant(&mut self, granted: &Result<Grant, Refusal>, any: bool) {
        let Ok(grant) = granted else { return };
        let former = self.model.taken.get(&grant.address);
        assert!(!matches!(former, Some(Is::Used(..) | Is::Promised(_))), "{grant:?}");
        assert!(self.model.is_listed(grant.address), "{grant:?}");
        assert_eq!(grant.cut_short, matches!(former, Some(Is::Cooling(..))));
        if grant.cut_short && any {
            let family = Family::of(grant.address);
            assert!(!self.model.has_free(family), "cut short without need: {grant:?}");
            self.meet("cut short");
        }
    }

    fn release(&mut self, address: IpAddr, owner: Option<&Owner>) {
        self.model.pass(self.now);
        let released = self.ledger.release(address, owner, self.now);
        let expected = self.model.release(address, owner);
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
                let model = self.model.withdraw_promise(&[address]);
                (self.ledger.withdraw_promise(address, now), model)
            }
            Call::WithdrawPromiseCidr(cidr) => {
                self.model.pass(now);
                let within = self.model.within(*cidr);
                let model = within.and_then(|addresses| self.model.withdraw_promise(&addresses));
                (self.ledger.withdraw_promise_cidr(*cidr, now), model)
            }
            other => panic!("not about a promise: {other:?}"),
        };
        self.same(real, model);
    }

    fn sync(&mut self, listed: &BTreeSet<ListedCidr>) {
        let mut report = self.ledger.sync(listed.iter().cloned());
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
        let restored = Ledger::restore(snapshot, settings).unwrap();
        assert_eq!(restored, self.ledger);
        self.ledger = restored;
    }

    /// The used address at a place in the row of them.
    fn used(&self, place: usize) -> Option<(IpAddr, Owner, Option<ClaimId>)> {
        let count = self.ledger.holdings().count();
        let held = self.ledger.holdings().nth(place.checked_rem(count)?)?;
        Some((held.address, held.owner.clone(), held.claim))
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
    let name = "node-1".parse().unwrap();
    let node = NodeTruth {
        name: &name,
        limits: None,
        enis: &[],
        in_use: &[],
        short: 0,
        explained: false,
        ledger: Some(ledger),
    };
    let truth =
        Truth { now: Tick::default(), nodes: &[node], loose: &[], grace: Duration::default() };
    assert_eq!(audit(&truth), []);
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
            let settings = LedgerSettings::new(cool_down, LedgerSettings::CLAIM_WITHIN_DEFAULT);
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
        "cut short",
        "done",
        "exhausted",
        "expired",
        "held_by_another",
        "holds_another",
        "in_use",
        "kept although gone",
        "no_claim_expected",
        "not_promised",
        "not_used",
        "promised",
        "unknown",
        "unknown_cidr",
        "withdrawn",
        "wrong_claim",
    ] {
        assert!(met.get(kind).is_some_and(|times| *times >= 10), "{kind} was hardly met: {met:?}");
    }
}

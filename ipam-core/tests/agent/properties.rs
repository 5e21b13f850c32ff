//! An agent under any sequence of events, beside an oracle that knows nothing of how it works.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipam_core::agent::{
    Agent, AgentSettings, Attachment, Call, CallId, Found, Published, Record, RecordId, Replay,
    Sandbox, Start,
};
use ipam_core::pool::{Claim, Family, Owner};
use ipam_core::time::Tick;
use ipam_core::view::Contract;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use crate::model::{Asked, Oracle};
use crate::operator::{Flaw, Node, addresses, cidrs};
use crate::rig::{apply, as_of};

/// What happens. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Happening {
    Pass(u64),
    Add(u8, Option<u64>),
    Del(u8),
    Check(u8),
    Gc(u8),
    Status,
    Allocate(u8, bool),
    Exact(u8, u8),
    Claim(u8),
    Release(u8),
    Abandon(u8),
    Durable(u8),
    NotDurable,
    Crash { behind: u8, reboot: bool, lost: bool },
    Hear(Flaw),
    Mark(u8),
    Abort(u8),
    Take(u8),
    Attach(u8, bool),
    Metadata,
    Found(u8),
    Land,
    Report(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    let flaws = [Flaw::None, Flaw::Inconsistent, Flaw::OfAnother, Flaw::Partial, Flaw::NoPool];
    let often = prop_oneof![
        (0_u8..4, select(vec![None, Some(0), Some(2_000)])).prop_map(|(c, wait)| H::Add(c, wait)),
        (0_u8..4).prop_map(H::Del),
        any::<u8>().prop_map(H::Durable),
        Just(H::Durable(u8::MAX)),
        Just(H::Hear(Flaw::None)),
        select(vec![0, 5, 900, 1_100, 6_000, 31_000, 130_000, 700_000]).prop_map(H::Pass),
        any::<u8>().prop_map(H::Mark),
        any::<u8>().prop_map(H::Take),
        Just(H::Report(true)),
    ];
    let seldom = prop_oneof![
        (0_u8..4).prop_map(H::Check),
        any::<u8>().prop_map(H::Gc),
        Just(H::Status),
        (any::<u8>(), any::<bool>()).prop_map(|(owner, claim)| H::Allocate(owner, claim)),
        (any::<u8>(), any::<u8>()).prop_map(|(address, owner)| H::Exact(address, owner)),
        any::<u8>().prop_map(H::Claim),
        any::<u8>().prop_map(H::Release),
        any::<u8>().prop_map(H::Abandon),
        Just(H::NotDurable),
        (any::<u8>(), 0_u8..8).prop_map(|(behind, how)| H::Crash {
            behind,
            reboot: how == 0,
            lost: how == 1,
        }),
        select(flaws.to_vec()).prop_map(H::Hear),
        any::<u8>().prop_map(H::Abort),
        (any::<u8>(), any::<bool>()).prop_map(|(cidr, second)| H::Attach(cidr, second)),
        Just(H::Metadata),
        any::<u8>().prop_map(H::Found),
        Just(H::Land),
        Just(H::Report(false)),
    ];
    prop_oneof![3 => often, 2 => seldom]
}

/// An agent, what is around it, and who watches.
struct World {
    settings: AgentSettings,
    agent: Agent,
    now: Tick,
    boots: u32,
    calls: u64,
    replay: Option<Replay>,
    /// What is on its way to the disk, with whether all used addresses were known then.
    unwritten: Vec<(RecordId, Record, bool)>,
    /// Whether the disk says that all used addresses are known.
    trusted: bool,
    node: Node,
    oracle: Oracle,
    /// What the last list of used addresses had besides those that are.
    extras: BTreeSet<IpAddr>,
    /// Whether grants may be there that nobody was told of, since nobody is left to be told.
    crashed: bool,
}

impl World {
    fn new(contract: Contract) -> Self {
        let settings = AgentSettings { contract, pre_allocate: 1, ..AgentSettings::default() };
        let start = Start { state: None, trusted: true, instance: Some(id()), boot: boot(0) };
        let agent = Agent::new(settings.clone(), start, Tick::default()).unwrap();
        Self {
            settings,
            agent,
            now: Tick::default(),
            boots: 0,
            calls: 0,
            replay: None,
            unwritten: Vec::new(),
            trusted: true,
            node: Node::new(contract),
            oracle: Oracle::default(),
            extras: BTreeSet::new(),
            crashed: false,
        }
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Pass(millis) => self.pass(Duration::from_millis(millis)),
            Happening::Durable(count) => self.durable(usize::from(count)),
            Happening::NotDurable => {
                self.unwritten.clear();
                self.agent.on_not_durable(self.now, "no space left".to_string());
            }
            Happening::Crash { behind, reboot, lost } => self.crash(behind, reboot, lost),
            Happening::Hear(flaw) => {
                if flaw == Flaw::Partial {
                    self.node.lose_sight();
                }
                self.agent.on_word(self.now, self.node.word(flaw));
            }
            Happening::Mark(at) => self.node.mark(self.address(at)),
            Happening::Abort(at) => self.node.abort(self.address(at)),
            Happening::Take(at) => self.take(at),
            Happening::Attach(at, second) => {
                let cidr = self.cidr(at);
                self.node.attached.entry(cidr).or_insert(if second { 2 } else { 1 });
            }
            Happening::Metadata => self.agent.on_metadata(self.now, self.node.shown()),
            Happening::Found(extra) => self.found(extra),
            Happening::Land => self.node.land(),
            Happening::Report(written) => self.report(written),
            _ => self.call(happening),
        }
        self.settle();
    }

    fn cidr(&self, at: u8) -> ipnet::IpNet {
        let cidrs = cidrs(self.settings.contract);
        cidrs[usize::from(at) % cidrs.len()]
    }

    fn address(&self, at: u8) -> Ipv4Addr {
        let all: Vec<Ipv4Addr> =
            cidrs(self.settings.contract).into_iter().flat_map(addresses).collect();
        all[usize::from(at) % all.len()]
    }

    fn call(&mut self, happening: &Happening) {
        let (asked, call) = match *happening {
            Happening::Add(c, wait) => (Asked::Add(attachment(c)), add(c, wait)),
            Happening::Del(c) => {
                self.oracle.end_sandbox(&attachment(c));
                (Asked::Done, Call::Del { attachment: attachment(c) })
            }
            Happening::Check(c) => {
                let addresses = self.oracle.told.get(&attachment(c)).cloned().unwrap_or_default();
                (Asked::Done, Call::Check { attachment: attachment(c), addresses })
            }
            Happening::Gc(valid) => (Asked::Done, self.gc(valid)),
            Happening::Allocate(at, claims) => {
                let claim = if claims { Claim::Expected } else { Claim::NotNeeded };
                let (families, owner) = (vec![Family::Ipv4], owner(at));
                (Asked::Caller(owner.clone(), None), Call::Allocate { families, owner, claim })
            }
            Happening::Exact(at, by) => {
                let (address, owner) = (self.address(at).into(), owner(by));
                let asked = Asked::Caller(owner.clone(), Some(address));
                (asked, Call::AllocateExact { address, owner })
            }
            Happening::Claim(at) if !self.oracle.unclaimed.is_empty() => {
                let at = usize::from(at) % self.oracle.unclaimed.len();
                let (lease, owner) = self.oracle.unclaimed.remove(at);
                let call = Call::Claim { address: lease.address, id: lease.id };
                (Asked::Claim(lease, owner), call)
            }
            Happening::Release(at) if !self.oracle.has_open_callers() => {
                let address = self.address(at).into();
                self.oracle.end_callers_of(address);
                (Asked::Other, Call::Release { address })
            }
            Happening::Abandon(at) => return self.abandon(at),
            _ => (Asked::Other, Call::Status),
        };
        self.ask(asked, call);
    }

    fn ask(&mut self, asked: Asked, call: Call) {
        self.calls += 1;
        self.oracle.ask(CallId(self.calls), asked);
        self.agent.on_call(self.now, CallId(self.calls), call);
    }

    fn gc(&mut self, valid: u8) -> Call {
        let stays = (0..4).filter(|c| valid >> c & 1 == 1);
        let ends = (0..4).filter(|c| valid >> c & 1 == 0).map(attachment);
        ends.for_each(|attachment| self.oracle.end_sandbox(&attachment));
        let sandbox = |c| {
            let Attachment { container, interface, .. } = attachment(c);
            Sandbox { container, interface }
        };
        Call::Gc { network: "net".to_string(), valid: stays.map(sandbox).collect() }
    }

    fn abandon(&mut self, at: u8) {
        let open = self.oracle.open_calls();
        if !open.is_empty() {
            let call = open[usize::from(at) % open.len()];
            self.oracle.abandon(call);
            self.agent.on_abandoned(self.now, call);
        }
    }

    fn durable(&mut self, count: usize) {
        let count = count.min(self.unwritten.len());
        let Some((last, ..)) = self.unwritten[..count].last() else { return };
        let last = *last;
        self.write(count);
        self.agent.on_durable(self.now, last);
    }

    fn poll_records(&mut self) {
        let agent = &mut self.agent;
        let records = std::iter::from_fn(|| agent.poll_record().map(|it| (it, agent.is_trusted())));
        self.unwritten.extend(records.map(|((id, record), trusted)| (id, record, trusted)));
    }

    fn write(&mut self, count: usize) {
        for (_, record, trusted) in self.unwritten.drain(..count) {
            self.trusted = trusted;
            apply(&mut self.replay, &record, &self.settings);
        }
    }

    /// More may be on disk than the agent was told of.
    fn crash(&mut self, behind: u8, reboot: bool, lost: bool) {
        self.write(usize::from(behind % 4).min(self.unwritten.len()));
        self.unwritten.clear();
        let lost = lost || self.replay.is_none() && !self.oracle.live.is_empty();
        if lost {
            (self.replay, self.trusted) = (None, false);
        }
        if reboot {
            self.boots += 1;
            self.now = Tick::from_millis(u64::from(behind));
        }
        self.oracle.crash(reboot, lost);
        self.crashed = true;
        if behind.is_multiple_of(2) {
            self.node.land();
        }
        self.node.under_way = None;
        let start = Start {
            state: self.replay.clone().map(Replay::finish),
            trusted: self.trusted,
            instance: Some(id()),
            boot: boot(self.boots),
        };
        self.agent = Agent::new(self.settings.clone(), start, self.now).unwrap();
        self.oracle.meet(if lost { "lost" } else { "crashed" });
    }

    fn take(&mut self, at: u8) {
        let cidr = self.cidr(at);
        if self.node.take(cidr) {
            self.oracle.meet("taken away");
            let used = self.oracle.live.keys().find(|address| cidr.contains(*address));
            assert_eq!(used, None, "taken away with {cidr}");
        }
    }

    fn found(&mut self, extra: u8) {
        self.extras.clear();
        if extra.is_multiple_of(4) {
            self.extras.insert(self.address(extra / 4).into());
        }
        let all: BTreeSet<IpAddr> =
            self.oracle.live.keys().copied().chain(self.extras.iter().copied()).collect();
        let found = all.into_iter().map(|address| Found { address, pod: None }).collect();
        self.agent.on_found(self.now, found);
    }

    fn report(&mut self, written: bool) {
        if written {
            self.node.land();
        }
        let Some((id, ..)) = self.node.under_way.take() else { return };
        let published = if written {
            self.oracle.meet("written");
            Published::Written
        } else {
            Published::Failed { problem: "timed out".to_string() }
        };
        self.agent.on_published(self.now, id, &published);
    }

    /// Lets time pass, and the agent do what it wants to do meanwhile.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..1_000 {
            let due = self.agent.deadline().filter(|due| *due <= end);
            let Some(due) = due else {
                self.now = end;
                self.agent.on_time(end);
                return self.settle();
            };
            self.now = self.now.max(due);
            self.agent.on_time(self.now);
            self.settle();
        }
        panic!("it never rests");
    }

    /// Takes out what comes out, and looks at it.
    fn settle(&mut self) {
        loop {
            let unwritten = self.unwritten.len();
            self.poll_records();
            while self.agent.poll_event().is_some() {}
            let answer = self.agent.poll_answer();
            if let Some((call, answer)) = &answer {
                self.check_answer(answer);
                self.oracle.answer(*call, answer);
            }
            let publication = self.agent.poll_publication(self.now);
            self.note_unlisted();
            if let Some((id, publication)) = publication.clone() {
                assert!(self.node.under_way.is_none(), "two publications at once");
                self.oracle.publish(&publication);
                self.node.under_way = Some((id, publication, false));
            }
            self.poll_records();
            let is_all = answer.is_none() && publication.is_none();
            if is_all && self.unwritten.len() == unwritten {
                break;
            }
        }
        self.check();
    }

    fn note_unlisted(&mut self) {
        if !self.crashed {
            return;
        }
        let cidrs = self.agent.status(self.now).cidrs;
        let is_listed = |it: &IpAddr| cidrs.iter().any(|usage| usage.listed.cidr.contains(it));
        let live = self.oracle.live.keys().copied();
        self.oracle.unlisted = live.filter(|address| !is_listed(address)).collect();
    }

    /// Nothing is answered that the operator may be about to take away.
    fn check_answer(&mut self, answer: &ipam_core::agent::Answer) {
        let ipam_core::agent::Answer::Granted(leases) = answer else { return };
        for lease in leases {
            let is_new = !self.oracle.live.contains_key(&lease.address);
            let is_in_danger = is_new && self.node.may_take(lease.address);
            assert!(!is_in_danger, "{} may be taken away", lease.address);
        }
    }

    fn check(&mut self) {
        let due = self.agent.deadline();
        assert!(due.is_none_or(|due| due > self.now), "due at {due:?} and it is {:?}", self.now);
        let status = self.agent.status(self.now);
        let problems = &status.problems;
        let disk_is_behind = !self.unwritten.is_empty() || problems.not_durable.is_some();
        if !disk_is_behind {
            let replayed = self.replay.clone().unwrap().finish();
            let (settings, now) = (&self.settings, self.now);
            let state = as_of(self.agent.state(), settings, now);
            assert_eq!(as_of(replayed, settings, now), state);
        }
        if self.settings.contract == Contract::PerIp {
            let is_in_the_way = disk_is_behind
                || self.node.under_way.is_some()
                || problems.not_published.is_some()
                || status.word.is_none()
                || !self.agent.is_trusted();
            if is_in_the_way {
                self.oracle.excuse();
            }
            self.oracle.check_published(self.now, &self.node.used, self.settings.latest);
        }
        self.check_leaks(&status);
    }

    /// What is held is somebody's.
    fn check_leaks(&mut self, status: &ipam_core::agent::Status) {
        if self.crashed || !self.oracle.open_calls().is_empty() {
            return;
        }
        for held in &status.holdings {
            let is_known = self.oracle.live.contains_key(&held.address)
                || self.extras.contains(&held.address)
                || self.oracle.maybe_claimed.contains(&held.address)
                || held.claim == Claim::Expected;
            assert!(is_known, "{} is held by nobody: {held:?}", held.address);
        }
    }

    /// Everybody goes, and nothing is left.
    fn end(&mut self) {
        self.durable(usize::MAX);
        self.settle();
        self.happen(&Happening::Found(1));
        self.happen(&Happening::Hear(Flaw::None));
        for _ in 0..4 {
            self.durable(usize::MAX);
            self.settle();
            self.report(true);
            self.pass(Duration::from_mins(1));
        }
        assert_eq!(self.oracle.open_calls(), [], "calls without an answer");
        (0..4).for_each(|c| self.happen(&Happening::Del(c)));
        for held in self.agent.status(self.now).holdings {
            self.oracle.end_callers_of(held.address);
            self.ask(Asked::Other, Call::Release { address: held.address });
            self.settle();
        }
        self.durable(usize::MAX);
        self.settle();
        self.happen(&Happening::Found(1));
        let status = self.agent.status(self.now);
        assert_eq!(status.holdings, [], "left behind");
        assert_eq!((status.attachments, status.waiting), (0, 0));
        self.durable(usize::MAX);
        self.settle();
    }
}

fn id() -> ipam_core::ids::InstanceId {
    "i-1".parse().unwrap()
}

fn boot(number: u32) -> String {
    format!("boot {number}")
}

fn attachment(c: u8) -> Attachment {
    Attachment {
        network: "net".to_string(),
        container: format!("c{}", c % 4),
        interface: "eth0".to_string(),
    }
}

/// Two of the sandboxes are of one pod.
fn add(c: u8, wait: Option<u64>) -> Call {
    Call::Add {
        attachment: attachment(c),
        pod: format!("a/p{}", c / 2).parse().unwrap(),
        uid: None,
        wait: wait.map(Duration::from_millis),
    }
}

fn owner(at: u8) -> Owner {
    let owners = ["b/p", "router", "health", "a/p0"];
    owners[usize::from(at) % owners.len()].parse().unwrap()
}

/// How many runs there are, unless the environment says so.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().map_or(150, |cases| cases.parse().unwrap())
}

/// Goes on with more runs while something of `expected` was not met: the runs are random, and what is rare may be missing in the first.
fn check_all(contract: Contract, expected: &[&'static str]) {
    const ROUNDS: usize = 40;
    let met: RefCell<BTreeMap<&'static str, u32>> = RefCell::default();
    let missing =
        || -> Vec<_> { expected.iter().filter(|what| !met.borrow().contains_key(*what)).collect() };
    for round in 0..ROUNDS {
        if round > 0 && missing().is_empty() {
            return;
        }
        if let Err(failed) = check_round(contract, &met) {
            panic!("{failed}");
        }
    }
    assert!(missing().is_empty(), "never met: {:?} of {:?}", missing(), met.borrow());
}

fn check_round(
    contract: Contract,
    met: &RefCell<BTreeMap<&'static str, u32>>,
) -> Result<(), impl Display> {
    let config =
        ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config).run(&vec(happening(), 0..80), |happenings| {
        let mut world = World::new(contract);
        world.settle();
        world.happen(&Happening::Metadata);
        for happening in &happenings {
            world.happen(happening);
        }
        world.end();
        for (what, times) in world.oracle.met {
            *met.borrow_mut().entry(what).or_default() += times;
        }
        Ok(())
    })
}

#[test]
fn nothing_is_lost_nor_doubled_whatever_happens() {
    check_all(
        Contract::PerIp,
        &[
            "granted",
            "repeated",
            "caller granted",
            "claimed",
            "ready",
            "taken away",
            "written",
            "crashed",
            "lost",
            "no_address",
            "not_durable",
            "not_ready",
            "deleted",
            "promised",
        ],
    );
}

#[test]
fn nothing_is_lost_nor_doubled_by_the_cidr_contract() {
    check_all(
        Contract::Cidr,
        &[
            "granted",
            "repeated",
            "caller granted",
            "claimed",
            "taken away",
            "written",
            "crashed",
            "lost",
            "no_address",
            "not_durable",
            "not_ready",
            "deleted",
            "promised",
        ],
    );
}

#[test]
fn a_grant_that_was_handed_on_is_taken_back_when_it_cannot_be_written() {
    let mut world = World::new(Contract::PerIp);
    world.settle();
    let first = [Happening::Metadata, Happening::Durable(u8::MAX)];
    let grant = [Happening::Add(0, None), Happening::Add(0, None)];
    let end = [Happening::Abandon(0), Happening::NotDurable];
    for happening in first.iter().chain(&grant).chain(&end) {
        world.happen(happening);
    }
    assert_eq!(world.agent.status(world.now).holdings, []);
}

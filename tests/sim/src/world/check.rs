//! The promises, checked after each step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipam_core::audit::{InUse, Violation};
use ipam_core::call::{Call, Reply, Request};
use ipam_core::failure::{Failure, Refusal};
use ipam_core::ids::{InvalidId, NodeName};
use ipam_core::pool::LedgerSettings;
use ipam_core::time::Tick;
use ipnet::IpNet;
use truth::{Node, Whole};

use super::World;
use crate::api::{Change, Object};
use crate::counters::Counter;

/// Calls that may be throttled within a minute.
const THROTTLED_MAX: usize = 150;

/// For so long after its beginning a term may not know what the one before it did last.
const BEGINS: Duration = Duration::from_mins(2);

/// What has to be remembered for that.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Whether anything has changed that a promise is about.
    pub(super) is_dirty: bool,
    /// Addresses that somebody else took: what Berth cannot know at once it need not keep.
    pub(super) taken: BTreeSet<Ipv4Addr>,
    /// When the last pod with each address ended.
    pub(super) released: BTreeMap<(usize, IpAddr), Tick>,
    /// Addresses of which the agent says that it could not wait.
    pub(super) cut_short: BTreeSet<(usize, IpAddr)>,
    /// When EC2 changed something for Berth last.
    pub(super) changed_at: Tick,
    /// The addresses that were published of each object last, with its uid.
    pub(super) listed: BTreeMap<NodeName, (u64, BTreeSet<Ipv4Addr>)>,
    /// What an agent had given up when another operator began to lead.
    pub(super) given_up: BTreeSet<IpNet>,
    /// When the last calls were throttled, no longer ago than a minute.
    pub(super) throttled: VecDeque<Tick>,
    /// When EC2 refused last since something was full, and what it said.
    pub(super) full: Option<(Tick, String)>,
}

impl World {
    /// Checks what may have changed.
    pub(super) fn check(&mut self) {
        if !std::mem::take(&mut self.watch.is_dirty) || self.broken.is_some() {
            return;
        }
        match self.violations() {
            Ok(violations) => {
                if let Some(violation) = violations.first() {
                    self.broken(label(violation), violation.to_string());
                }
            }
            Err(problem) => self.broken("id", problem.to_string()),
        }
    }

    /// What is broken of what can be broken at any moment.
    fn violations(&self) -> Result<Vec<Violation>, InvalidId> {
        let mut nodes = Vec::new();
        for node in self.nodes.values() {
            let Ok(instance) = node.identity.instance.as_str().parse() else { continue };
            let world = self.ec2.world();
            let Some(mut truth) = Node::of(node.name().as_str(), &instance, world)? else {
                continue;
            };
            let in_use = self.pods.in_use(node.index).filter(|(at, _)| !self.is_taken(*at));
            let in_use = in_use.map(|(address, pod)| InUse { address, owner: format!("p{pod}") });
            truth.in_use = in_use.collect();
            if let Some(process) = &node.process {
                let status = process.agent.status(node.clock(self.now));
                truth.ledgers =
                    status.families.into_iter().map(|(_, tally)| tally.into()).collect();
            }
            nodes.push(truth);
        }
        // Interfaces may be loose for as long as things go wrong: what is left is looked at in the end.
        let whole = Whole { now: self.now, nodes, loose: Vec::new(), grace: Duration::MAX };
        Ok(whole.violations())
    }

    fn is_taken(&self, address: IpAddr) -> bool {
        matches!(address, IpAddr::V4(address) if self.watch.taken.contains(&address))
    }

    /// An address has to rest between two pods, unless nothing else was free.
    pub(super) fn check_cool_down(&mut self, node: usize, address: IpAddr) {
        let was_cut_short = self.watch.cut_short.remove(&(node, address));
        let Some(released) = self.watch.released.remove(&(node, address)) else { return };
        let rests = LedgerSettings::COOL_DOWN_DEFAULT;
        if !was_cut_short && self.now < released + rests {
            let rested = self.now.since(released);
            self.broken("cool-down", format!("n{node}: {address} had {rested:?} of {rests:?}"));
        }
    }

    /// A call leaves.
    pub(super) fn note_sent(&mut self, index: usize, call: &Call) {
        let Request::Mutate(mutation) = &call.request else { return };
        self.say(|| format!("op{index}: {}: {}", mutation.node, mutation.action));
        let holder = self.api.lease.holder;
        if holder.is_some_and(|holder| holder != index) {
            let action = mutation.action.to_string();
            self.broken("fence", format!("op{index} sends {action:?}, and op{holder:?} leads"));
        }
    }

    /// A call was carried out, or not.
    pub(super) fn note_answer(
        &mut self,
        index: usize,
        call: &Call,
        answer: &Result<Reply, Failure>,
    ) {
        let Request::Mutate(mutation) = &call.request else {
            if matches!(answer, Err(Failure::Throttled)) {
                self.note_throttled();
            }
            return;
        };
        self.watch.is_dirty = true;
        match answer {
            Ok(reply) => {
                self.watch.changed_at = self.now;
                self.counters.add(Counter::Changes, 1);
                match reply {
                    Reply::Created(eni) => {
                        self.counters.add(Counter::Creations, 1);
                        let prefixes = eni.ipv4.prefixes.len();
                        self.counters.add(Counter::Prefixes, u64::try_from(prefixes).unwrap_or(0));
                    }
                    Reply::Assigned(assigned) => {
                        let prefixes = assigned.prefixes.len();
                        self.counters.add(Counter::Prefixes, u64::try_from(prefixes).unwrap_or(0));
                    }
                    _ => {}
                }
            }
            Err(Failure::Throttled) => self.note_throttled(),
            Err(Failure::NotSent { .. }) => {}
            Err(Failure::NoAnswer { .. }) => self.counters.add(Counter::Unanswered, 1),
            Err(Failure::Refused { refusal, .. }) => {
                self.counters.add(Counter::RefusedByCloud, 1);
                let is_full = [Refusal::EniFull, Refusal::InstanceFull, Refusal::EniHoldsTooMuch];
                if is_full.contains(refusal) {
                    let what = format!("{}: {}", mutation.node, mutation.action);
                    self.watch.full = Some((self.now, what));
                }
            }
        }
        let outcome = match answer {
            Ok(reply) => short(reply),
            Err(failure) => failure.to_string(),
        };
        self.say(|| format!("ec2: op{index}: {}: {} -> {outcome}", mutation.node, mutation.action));
    }

    /// What a pod uses and EC2 has stays published, unless who leads has only just begun and reads what is older.
    fn check_listed(&mut self, object: &Object) {
        let listed = object.listed();
        let before = self.watch.listed.insert(object.name.clone(), (object.uid, listed.clone()));
        let before = before.filter(|(uid, _)| *uid == object.uid).map(|(_, listed)| listed);
        let node = self.nodes.values().find(|node| *node.name() == object.name);
        let (Some(before), Some(node)) = (before, node) else { return };
        let terms = self.operators.iter().filter_map(|operator| operator.term.as_deref());
        let has_begun = terms.map(|term| term.began).all(|at| at + BEGINS < self.now);
        let Ok(instance) = node.identity.instance.as_str().parse() else { return };
        let attached: BTreeSet<Ipv4Addr> = self
            .ec2
            .world()
            .truth()
            .interfaces_of(&instance)
            .flat_map(|it| truth::for_pods(it))
            .collect();
        let used = self.in_use(node.index);
        let lost = used.iter().find(|address| {
            before.contains(address) && !listed.contains(address) && attached.contains(address)
        });
        if let Some(address) = lost.filter(|_| has_begun) {
            self.broken("unpublished", format!("{}: {address} is used", object.name));
        }
    }

    /// A few are how it is found out how much EC2 takes; many are somebody who does not listen.
    fn note_throttled(&mut self) {
        self.counters.add(Counter::Throttled, 1);
        let (now, throttled) = (self.now, &mut self.watch.throttled);
        throttled.push_back(now);
        while throttled.front().is_some_and(|at| *at + Duration::from_mins(1) < now) {
            throttled.pop_front();
        }
        let count = throttled.len();
        if count > THROTTLED_MAX {
            self.broken("throttled", format!("{count} calls within a minute"));
        }
    }

    /// The API server took a write.
    pub(super) fn note_change(&mut self, change: &Change) {
        match change {
            Change::Gone(name) => {
                self.watch.listed.remove(name);
                self.say(|| format!("api: {name} is gone"));
            }
            Change::Seen(object) => self.check_listed(object),
        }
    }
}

fn short(reply: &Reply) -> String {
    match reply {
        Reply::Created(eni) => format!("{}", eni.id),
        Reply::Assigned(assigned) => format!("{:?} {:?}", assigned.addresses, assigned.prefixes),
        Reply::Attached(id) => id.to_string(),
        _ => "done".to_owned(),
    }
}

/// Which promise it is, in a word.
const fn label(violation: &Violation) -> &'static str {
    match violation {
        Violation::UsedButNotAttached { .. } => "unattached",
        Violation::OnTwoEnis { .. } => "on two interfaces",
        Violation::UsedTwice { .. } => "used twice",
        Violation::TooManyEnis { .. } | Violation::TooManyAddresses { .. } => "limits",
        Violation::PrefixNotSupported { .. } => "prefix",
        Violation::Leaked { .. } => "leaked",
        Violation::SilentlyShort { .. } => "silent",
        Violation::NotConserved { .. } => "ledger",
    }
}

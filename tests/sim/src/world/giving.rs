//! What is given back: that nobody uses it, who asked for it, and that growth and release of a node do not alternate.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ec2_sim::model::Interface;
use ipam_core::action::Action;
use ipam_core::agent::Release;
use ipam_core::call::{Mutation, Reply};
use ipam_core::failure::Failure;
use ipam_core::ids::NodeName;
use ipam_core::prefix::addresses_of;
use ipam_core::time::Tick;
use ipnet::Ipv4Net;

use super::World;
use crate::api::Object;
use crate::counters::Counter;

/// How often a node may turn from growth to release or back without a change in what its pods need. What was decided before that
/// change may still be on its way; and a pod that has its address already and does not show it yet counts twice, so that a node may get
/// more than it keeps.
const TURNS_MAX: u32 = 2;

/// An interface may be made so long after the call that asks for it has left.
const CALL_MAX: Duration = Duration::from_mins(2);

/// For so long what was given back counts towards the cap.
const HOUR: Duration = Duration::from_hours(1);

/// Which term of which operator.
type Term = (usize, u64);

/// Which process of which operator.
type Process = (usize, u64);

/// What is remembered of what is given back.
#[derive(Debug, Default)]
pub(super) struct Giving {
    /// Who asked for an address first, or did not show it any more.
    asked: BTreeMap<(NodeName, Ipv4Addr), Term>,
    /// What was done last for a node since what its pods need has changed, and how often that was the opposite of what was done before.
    turns: BTreeMap<NodeName, (Way, u32)>,
    /// Which process took what off interfaces within the last hour, if there is a cap: when it sent that, and how many addresses.
    spent: Vec<(Tick, Process, usize)>,
}

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Growth,
    Release,
}

const fn way(action: &Action) -> Option<Way> {
    match action {
        Action::AssignAddresses { .. } | Action::AssignPrefixes { .. } | Action::CreateEni(_) => {
            Some(Way::Growth)
        }
        Action::UnassignAddresses { .. }
        | Action::UnassignPrefixes { .. }
        | Action::DetachEni { .. } => Some(Way::Release),
        _ => None,
    }
}

/// Whether an interface has a single address or a prefix.
fn has(interface: &Interface, net: Ipv4Net) -> bool {
    match net.prefix_len() {
        32 => interface.secondary_ips.contains(&net.addr()),
        _ => interface.ipv4_prefixes.contains(&net),
    }
}

impl World {
    /// What the pods of a node need is different, or what it has is for no doing of Berth's.
    pub(super) fn demand_changed(&mut self, node: usize) {
        if let Some(node) = self.nodes.get(&node) {
            self.watch.giving.turns.remove(node.name());
        }
    }

    /// A change leaves: for the same need, a node does not get what is taken off it again.
    pub(super) fn check_turn(&mut self, mutation: &Mutation) {
        let (Some(way), Some(node)) = (way(&mutation.action), &mutation.node) else { return };
        // What was decided when it was needed is asked again until EC2 answers, needed or not.
        if self.was_asked(mutation) {
            return;
        }
        let turns = self.watch.giving.turns.entry(node.clone()).or_insert((way, 0));
        if turns.0 != way {
            *turns = (way, turns.1 + 1);
        }
        let count = turns.1;
        if count > TURNS_MAX {
            self.broken("alternates", format!("{mutation} is turn {count}"));
        }
    }

    /// A process gives no more back within an hour than it may. EC2 has carried out what it sent at `when`, or nobody knows.
    pub(super) fn check_cap(&mut self, process: Process, when: Tick, mutation: &Mutation) {
        let Some(cap) = self.scenario.region.per_hour else { return };
        let count: usize = mutation.action.gives_back().map(|net| addresses_of(net).count()).sum();
        let spent = &mut self.watch.giving.spent;
        spent.push((when, process, count));
        spent.retain(|(at, ..)| *at + HOUR > when);
        let sum: usize = spent.iter().filter(|(_, of, _)| *of == process).map(|it| it.2).sum();
        if usize::try_from(cap).is_ok_and(|cap| sum > cap) {
            self.broken("cap", format!("{mutation}: {sum} addresses within an hour"));
        }
    }

    /// A call arrives that takes something off an interface: no pod may use it.
    pub(super) fn check_release(&mut self, mutation: &Mutation) {
        let eni = mutation.action.eni().and_then(|eni| eni.as_str().parse().ok());
        let Some(interface) = eni.and_then(|eni| self.ec2.world().truth().interface(&eni)) else {
            return;
        };
        let node = self.nodes.values().find(|node| Some(node.name()) == mutation.node.as_ref());
        let Some(node) = node.filter(|node| node.identity.instance == mutation.instance) else {
            return;
        };
        let goes = |address: IpAddr| {
            let IpAddr::V4(address) = address else { return false };
            mutation.action.gives_back().any(|net| net.contains(&address) && has(interface, net))
        };
        let used = self.pods.in_use(node.index).find(|(address, _)| goes(*address));
        if let Some((address, pod)) = used {
            self.broken("released in use", format!("{mutation}: p{pod} uses {address}"));
        }
    }

    /// A call arrives that deletes what no node claims: nothing that was made a moment ago.
    pub(super) fn check_clean_up(&mut self, mutation: &Mutation) {
        let Action::DeleteEni { eni } = &mutation.action else { return };
        let Ok(id) = eni.as_str().parse() else { return };
        let interface = self.ec2.world().truth().interface(&id);
        let Some(interface) = interface.filter(|_| mutation.node.is_none()) else { return };
        let age = self.now.since(truth::tick(interface.created_at));
        // Clocks on walls differ.
        let least = self.settings.clean_up.grace.saturating_sub(self.scenario.region.fast);
        if age + CALL_MAX < least {
            self.broken("young", format!("{mutation}, which is {age:?} old"));
        }
    }

    /// What came of a call that takes something off an interface; `is_heard`: whether who sent it still waits for that.
    pub(super) fn note_release(
        &mut self,
        (index, term): Term,
        mutation: &Mutation,
        answer: &Result<Reply, Failure>,
        is_heard: bool,
    ) {
        let gone: Vec<Ipv4Net> = mutation.action.gives_back().collect();
        let addresses: Vec<Ipv4Addr> = gone.iter().flat_map(|net| addresses_of(*net)).collect();
        let Some(node) = mutation.node.as_ref().filter(|_| !gone.is_empty()) else { return };
        if !is_heard || matches!(answer, Err(Failure::NoAnswer { .. })) {
            self.counters.add(Counter::Doubtful, 1);
        }
        if answer.is_err() {
            return;
        }
        let prefixes = gone.iter().filter(|net| net.prefix_len() < 32).count();
        self.counters.add(Counter::PrefixesReturned, u64::try_from(prefixes).unwrap_or(0));
        for address in addresses {
            let asked = self.watch.giving.asked.remove(&(node.clone(), address));
            self.counters.add(Counter::Released, 1);
            if asked.is_some_and(|asked| asked != (index, term)) {
                self.counters.add(Counter::Resumed, 1);
            }
        }
    }

    /// An object is different: notes what became of the entries of `release-ips`.
    pub(super) fn note_entries(&mut self, before: &BTreeMap<Ipv4Addr, Release>, object: &Object) {
        let term = self.leader().map(|(index, term)| (index, term.number));
        for (address, now) in &object.releases {
            let was = before.get(address);
            if was == Some(now) {
                continue;
            }
            match now {
                Release::Marked => self.counters.add(Counter::Marked, 1),
                Release::Ready => self.counters.add(Counter::Promised, 1),
                Release::Refused => self.counters.add(Counter::KeptByAgents, 1),
                Release::Released => self.counters.add(Counter::ToldReleased, 1),
            }
            if let Some(term) = term.filter(|_| *now == Release::Marked) {
                self.watch.giving.asked.insert((object.name.clone(), *address), term);
            }
        }
        let ended = before.iter().filter(|(address, _)| !object.releases.contains_key(address));
        let called_off = ended.filter(|(_, was)| **was != Release::Released);
        let called_off = u64::try_from(called_off.count()).unwrap_or(0);
        self.counters.add(Counter::CalledOff, called_off);
    }

    /// An agent of the CIDR contract is not shown an address any more.
    pub(super) fn note_withdrawn(&mut self, object: &Object, gone: &[Ipv4Addr]) {
        let Some(term) = self.leader().map(|(index, term)| (index, term.number)) else { return };
        let asked = gone.iter().map(|address| ((object.name.clone(), *address), term));
        self.watch.giving.asked.extend(asked);
    }
}

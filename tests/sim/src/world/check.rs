//! The promises, checked after each step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::agent::Release;
use ipam_core::audit::{InUse, Violation};
use ipam_core::call::{Call, Mutation, Reply, Request};
use ipam_core::failure::{Failure, Refusal};
use ipam_core::ids::{EniId, InvalidId, NodeName};
use ipam_core::pool::LedgerSettings;
use ipam_core::time::Tick;
use ipnet::{IpNet, Ipv4Net};
use truth::{Node, Whole};

use super::giving::Giving;
use super::{Wake, World};
use crate::api::{Change, Object};
use crate::counters::Counter;

/// Calls that may be throttled within a minute.
const THROTTLED_MAX: usize = 150;

/// For so long after its beginning a term may not know what the one before it did last.
const BEGINS: Duration = Duration::from_mins(2);

/// What an object said.
#[derive(Debug, Default)]
pub(super) struct Published {
    uid: u64,
    /// The addresses in `status.eni`.
    listed: BTreeSet<Ipv4Addr>,
    /// `status.ipam.release-ips`.
    releases: BTreeMap<Ipv4Addr, Release>,
    /// Since when an agent of the CIDR contract names each CIDR.
    named: BTreeMap<IpNet, Tick>,
}

/// What was withdrawn from an agent that gave it up may be written so long after the agent has named it again: then nothing comes of it.
const CROSSES: Duration = Duration::from_secs(15);

/// What has to be remembered for that.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Whether anything has changed that a promise is about.
    pub(super) is_dirty: bool,
    /// Addresses that somebody else took from a node and that it has not got back: what Berth cannot know at once it need not keep.
    pub(super) taken: BTreeSet<(usize, Ipv4Addr)>,
    /// All that somebody took from a node at any time.
    pub(super) once_taken: BTreeSet<(usize, Ipv4Addr)>,
    /// When the last pod with each address ended.
    pub(super) released: BTreeMap<(usize, IpAddr), Tick>,
    /// Addresses of which the agent says that it could not wait.
    pub(super) cut_short: BTreeSet<(usize, IpAddr)>,
    /// When EC2 changed something for Berth last.
    pub(super) changed_at: Tick,
    /// Interfaces of which it was said that their groups are put right later, since somebody had undone that.
    pub(super) contested: BTreeSet<EniId>,
    /// What each object said last.
    pub(super) published: BTreeMap<NodeName, Published>,
    /// What is given back.
    pub(super) giving: Giving,
    /// By which token each interface was asked for that was wanted at a moment.
    pub(super) made: BTreeMap<(String, Tick), String>,
    /// What agents had given up when another operator began to lead.
    pub(super) given_up: BTreeMap<usize, BTreeSet<Ipv4Net>>,
    /// Nodes whose agent has written nothing since it was started: nobody knows what it does with what it was shown meanwhile.
    pub(super) silent: BTreeSet<usize>,
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
        self.forget_taken();
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
            let is_taken = |at: IpAddr| self.is_taken(node.index, at);
            let in_use = self.pods.in_use(node.index).filter(|(at, _)| !is_taken(*at));
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

    fn is_taken(&self, node: usize, address: IpAddr) -> bool {
        matches!(address, IpAddr::V4(address) if self.watch.taken.contains(&(node, address)))
    }

    /// What a node has got back is Berth's to keep again.
    fn forget_taken(&mut self) {
        if self.watch.taken.is_empty() {
            return;
        }
        let mut taken = std::mem::take(&mut self.watch.taken);
        taken.retain(|(node, address)| !self.attached(*node).contains(address));
        self.watch.taken = taken;
    }

    /// The addresses for pods that the interfaces of a node have.
    fn attached(&self, node: usize) -> BTreeSet<Ipv4Addr> {
        let instance = self.nodes.get(&node).map(|node| node.identity.instance.as_str());
        let instance = instance.and_then(|instance| instance.parse().ok());
        let truth = self.ec2.world().truth();
        let enis = instance.iter().flat_map(|instance| truth.interfaces_of(instance));
        enis.flat_map(|eni| truth::for_pods(eni)).collect()
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
        self.say(|| format!("op{index}: {mutation}"));
        self.check_turn(mutation);
        self.check_made_once(index, mutation);
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
                if !self.was_put_off(&mutation.action) {
                    self.watch.changed_at = self.now;
                }
                self.counters.add(Counter::Changes, 1);
                self.count_change(mutation);
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
                    let what = mutation.to_string();
                    self.watch.full = Some((self.now, what));
                }
            }
        }
        let outcome = match answer {
            Ok(reply) => short(reply),
            Err(failure) => failure.to_string(),
        };
        self.say(|| format!("ec2: op{index}: {mutation} -> {outcome}"));
    }

    fn count_change(&mut self, mutation: &Mutation) {
        let counter = match (&mutation.action, &mutation.node) {
            (Action::CreateEni(_), Some(name)) => return self.grown(name),
            (Action::DetachEni { .. }, _) => Counter::Detached,
            (Action::DeleteEni { .. }, Some(_)) => Counter::Deleted,
            (Action::DeleteEni { .. }, None) => Counter::CleanedUp,
            (Action::SetSecurityGroups { .. }, _) => Counter::Repaired,
            _ => return,
        };
        self.counters.add(counter, 1);
    }

    /// Whether a creation was sent before, with the same token.
    pub(super) fn was_asked(&self, mutation: &Mutation) -> bool {
        let is_creation = matches!(mutation.action, Action::CreateEni(_));
        is_creation && self.watch.made.values().any(|token| *token == mutation.token)
    }

    /// A creation that is sent again until it is answered makes one interface: EC2 knows it by its token.
    fn check_made_once(&mut self, index: usize, mutation: &Mutation) {
        if !matches!(mutation.action, Action::CreateEni(_)) {
            return;
        }
        let what = format!("op{index}, term {}: {mutation}", self.operators[index].terms);
        let (sent, token) = (mutation.first_sent, mutation.token.clone());
        let before = self.watch.made.insert((what.clone(), sent), token);
        if before.is_some_and(|token| token != mutation.token) {
            self.broken("made twice", what);
        }
    }

    /// An interface was made for a node: some nodes go then, before it is attached or after.
    fn grown(&mut self, name: &NodeName) {
        let found = self.nodes.values().find(|node| node.name() == name);
        let going = found.map(|node| node.index).filter(|index| self.going.remove(index));
        if let Some(index) = going {
            let pause = self.some(1, 700);
            self.queue.put(self.now + pause, Wake::Goes(index));
        }
    }

    /// What a pod uses and EC2 has stays published, unless who leads has only just begun and reads what is older.
    fn check_listed(&mut self, object: &Object) {
        let listed = object.listed();
        let before = self.watch.published.remove(&object.name);
        let known = before.as_ref().map(|it| &it.named);
        let since = |net: &IpNet| known.and_then(|named| named.get(net)).copied();
        let named = object.allocated.iter().map(|net| (*net, since(net).unwrap_or(self.now)));
        let published = Published {
            uid: object.uid,
            listed: listed.clone(),
            releases: object.releases.clone(),
            named: named.collect(),
        };
        self.watch.published.insert(object.name.clone(), published);
        let before = before.filter(|it| it.uid == object.uid).unwrap_or_default();
        self.note_entries(&before.releases, object);
        let gone: Vec<Ipv4Addr> = before.listed.difference(&listed).copied().collect();
        if gone.is_empty() {
            return;
        }
        self.note_withdrawn(object, &gone);
        let node = self.nodes.values().find(|node| *node.name() == object.name);
        let Some(node) = node else { return };
        let terms = self.operators.iter().filter_map(|operator| operator.term.as_deref());
        let has_begun = terms.map(|term| term.began).all(|at| at + BEGINS < self.now);
        let attached = self.attached(node.index);
        let used = self.in_use(node.index);
        let is_lost = |it: &&Ipv4Addr| {
            !self.watch.once_taken.contains(&(node.index, **it))
                && used.contains(it)
                && attached.contains(it)
                && !self.is_named_anew(object, **it)
        };
        let lost = gone.iter().find(is_lost).copied();
        if let Some(address) = lost.filter(|_| has_begun) {
            self.broken("unpublished", format!("{}: {address} is used", object.name));
        }
    }

    /// Whether the agent names an address again that it had given up, since a moment ago.
    fn is_named_anew(&self, object: &Object, address: Ipv4Addr) -> bool {
        let named = self.watch.published.get(&object.name).map(|it| &it.named);
        named
            .into_iter()
            .flatten()
            .any(|(net, since)| net.contains(&IpAddr::V4(address)) && self.now < *since + CROSSES)
    }

    /// Whether a change is one that was said to come so late.
    fn was_put_off(&mut self, action: &Action) -> bool {
        let Action::SetSecurityGroups { eni, .. } = action else { return false };
        self.watch.contested.remove(eni)
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
                self.watch.published.remove(name);
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

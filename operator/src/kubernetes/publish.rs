//! The publisher: when to write what into which `CiliumNode`, without doing it.
//!
//! **How to drive it.** Tell it what is observed ([`Publisher::on_observed`]), which nodes may have to be published
//! ([`Publisher::on_wanted`]) and what came of each write ([`Publisher::on_written`]). Then ask
//! [`Publisher::poll_write`] until it answers `None`, carry each write out with [`carry_out`], and ask
//! [`Publisher::poll_event`]. Ask again when something happened or [`Publisher::deadline`] has come.
//!
//! **What it promises.** Only what differs is written: an object that somebody else left as it should be gets no write. One
//! write at a time is on its way for a node. At no moment does `spec.ipam.pool` name an address that `status.eni` does
//! not have: what leaves, leaves the pool first; what comes, comes into the status first. What is to be
//! written is rendered when it is, and never kept: of each node only digests and sets of addresses are.
//!
//! **A pool that a node of the CIDR contract does not need** is withdrawn before anything else when this publisher put it there
//! (the node was taken for one of the per-IP contract), or when it names an address that `status.eni` is not to have. Any
//! other one stays: Cilium's operator of 1.20 leaves such pools everywhere, agents do not mind them, and taking over a
//! cluster is no reason to write to each of its nodes.
//!
//! **What keeps a node** from more addresses is told its agent in `status.ipam.operator-status.error`: along with `status.eni`, or
//! by itself, seldom.
//!
//! **What leaves a node** is agreed upon with its agent in `status.ipam.release-ips`: entries are written one by one, since the agent's
//! answers stand beside them, and before everything else, since pods may wait for what is called off.
//!
//! **Who else writes.** After a member was seen to be as it should be, another content that this publisher did not write is
//! somebody else's deed: it is reported, and the node is on hold until [`Publisher::resume`]. Not so:
//! a state older than what is known already; another object under the same name; content that lacks only
//! members which older schemas or agents drop; anything seen after a write of ours was not answered; and, twice for each content, the
//! content that ours took the place of (somebody put a saved object back): that is written again.

mod entry;
mod render;
mod telling;
mod write;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use ipam_core::ids::NodeName;
use ipam_core::reconcile::RivalDeed;
use ipam_core::time::Tick;

use entry::{Attention, Entry, Sent};
use render::{pool_member, pool_within};
use telling::Lack;

use super::observed::{Member, ObservedObject};

pub use render::{Wanted, WantedPool, render};
pub use telling::WantedError;
pub use write::{FIELD_MANAGER, Part, Write, WriteResult, carry_out};

/// The pause after a failed write. Doubled with each in a row.
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// How the publisher behaves.
#[derive(Debug, Clone, Copy)]
pub struct PublishSettings {
    /// Writes that may be on their way at once, at least 1.
    pub in_flight: usize,
}

impl Default for PublishSettings {
    fn default() -> Self {
        Self { in_flight: 32 }
    }
}

/// Something worth a line or a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum PublishEvent {
    /// A part of a node was written.
    Published {
        /// The node.
        node: NodeName,
        /// What of it.
        part: Part,
    },
    /// Somebody else wrote what the operator owns. The node is on hold now.
    Rival {
        /// The node.
        node: NodeName,
        /// What was written.
        deed: RivalDeed,
        /// The version of the object in which it was seen.
        version: Option<u64>,
    },
    /// The API server finds a write invalid, or takes it in vain. It is tried again, ever more slowly.
    Refused {
        /// The node.
        node: NodeName,
        /// What of it was written.
        part: Part,
        /// What the API server says.
        problem: String,
    },
    /// A write failed. It is tried again, ever more slowly.
    Failed {
        /// The node.
        node: NodeName,
        /// What of it was written.
        part: Part,
        /// Why.
        problem: String,
    },
}

/// Decides what to write. See the module.
#[derive(Debug)]
pub struct Publisher {
    settings: PublishSettings,
    nodes: HashMap<NodeName, Entry>,
    /// Nodes to look at, in order.
    queue: VecDeque<NodeName>,
    /// Nodes to look at again later: after a failure, or when the time has come to tell their agents something.
    waiting: BTreeSet<(Tick, NodeName)>,
    events: VecDeque<PublishEvent>,
    in_flight: usize,
    /// Writes that were handed out so far.
    written: u64,
    held: bool,
}

impl Publisher {
    /// A publisher that knows nothing yet.
    #[must_use]
    pub fn new(settings: PublishSettings) -> Self {
        Self {
            settings,
            nodes: HashMap::new(),
            queue: VecDeque::new(),
            waiting: BTreeSet::new(),
            events: VecDeque::new(),
            in_flight: 0,
            written: 0,
            held: false,
        }
    }

    /// An object was seen. Nothing is written to one that is `ignored`.
    pub fn on_observed(&mut self, name: &NodeName, object: &ObservedObject, ignored: bool) {
        let entry = self.nodes.entry(name.clone()).or_default();
        if std::mem::replace(&mut entry.restraint.ignored, ignored) && !ignored {
            entry.need_attention();
        }
        let rivals = entry.on_observed(object.clone());
        self.after(name, rivals);
    }

    /// What is to be published of a node may be different.
    pub fn on_wanted(&mut self, name: &NodeName) {
        self.nodes.entry(name.clone()).or_default().need_attention();
        self.enqueue(name);
    }

    /// A write was answered, or not. To be said exactly once for each.
    pub fn on_written(&mut self, now: Tick, write: &Write, result: WriteResult) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let (name, part) = (write.node(), write.part());
        let node = name.clone();
        // The node may have been forgotten, and have come again.
        let Some(entry) = self.nodes.get_mut(name).filter(|entry| entry.waits_for(write)) else {
            return;
        };
        let answered = entry.on_written(&result);
        match result {
            WriteResult::Written(_) => {
                self.events.push_back(PublishEvent::Published { node, part });
                if answered.is_futile {
                    self.on_futile(now, name, part);
                } else {
                    entry.failures = 0;
                }
            }
            // The watch will say so, or that there is another.
            WriteResult::Gone => entry.attention = Attention::None,
            WriteResult::Refused { problem } => {
                self.pause(now, name);
                self.events.push_back(PublishEvent::Refused { node, part, problem });
            }
            WriteResult::Failed { problem } => {
                self.pause(now, name);
                self.events.push_back(PublishEvent::Failed { node, part, problem });
            }
        }
        self.after(name, answered.rivals);
    }

    /// A write was done and nothing is different: an older schema drops what it adds, or something puts back what it takes
    /// away. Once is nothing to speak of, but the next one may be the same.
    fn on_futile(&mut self, now: Tick, name: &NodeName, part: Part) {
        let node = name.clone();
        if self.nodes.get(name).is_some_and(|entry| 0 < entry.failures) {
            let problem = "it is taken, and nothing is different afterwards".to_owned();
            self.events.push_back(PublishEvent::Refused { node, part, problem });
        }
        self.pause(now, name);
    }

    /// A node is gone.
    pub fn forget(&mut self, name: &NodeName) {
        let Some(entry) = self.nodes.remove(name) else { return };
        for at in [entry.not_before, entry.telling.due()].into_iter().flatten() {
            self.waiting.remove(&(at, name.clone()));
        }
    }

    /// Writes nothing to a node any more, or to none.
    pub fn hold(&mut self, name: Option<&NodeName>) {
        match name.map(|name| self.nodes.get_mut(name)) {
            Some(Some(entry)) => entry.restraint.held = true,
            Some(None) => {}
            None => self.held = true,
        }
    }

    /// Goes on with a node, or with all that are on hold.
    pub fn resume(&mut self, name: Option<&NodeName>) {
        let names: Vec<NodeName> = if let Some(name) = name {
            vec![name.clone()]
        } else {
            self.held = false;
            self.nodes
                .iter()
                .filter(|(_, it)| it.restraint.held || it.attention != Attention::None)
                .map(|(name, _)| name.clone())
                .collect()
        };
        for name in &names {
            if let Some(entry) = self.nodes.get_mut(name) {
                entry.restraint.held = false;
                entry.need_attention();
                self.enqueue(name);
            }
        }
    }

    /// The next thing to report.
    pub fn poll_event(&mut self) -> Option<PublishEvent> {
        self.events.pop_front()
    }

    /// When to ask for writes again if nothing else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        self.waiting.first().map(|(at, _)| *at)
    }

    /// Writes on their way.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The next write to carry out, now. `render` says what a node should hold; `None` when that is not known.
    pub fn poll_write(
        &mut self,
        now: Tick,
        mut render: impl FnMut(&NodeName) -> Option<Wanted>,
    ) -> Option<Write> {
        self.wake(now);
        while !self.held && self.in_flight < self.settings.in_flight {
            let name = self.queue.pop_front()?;
            let Some(entry) = self.nodes.get_mut(&name) else { continue };
            entry.attention = Attention::Needed;
            if !entry.is_due() {
                continue;
            }
            let number = self.written + 1;
            let write =
                render(&name).and_then(|wanted| entry.next(now, name.clone(), &wanted, number));
            if write.is_some() {
                self.written = number;
                self.in_flight += 1;
                return write;
            }
            entry.attention = Attention::None;
            self.waiting.extend(entry.telling.due().map(|at| (at, name)));
        }
        None
    }

    fn after(&mut self, name: &NodeName, rivals: Vec<(RivalDeed, Option<u64>)>) {
        let events = rivals.into_iter().map(|(deed, version)| PublishEvent::Rival {
            node: name.clone(),
            deed,
            version,
        });
        self.events.extend(events);
        self.enqueue(name);
    }

    fn enqueue(&mut self, name: &NodeName) {
        let Some(entry) = self.nodes.get_mut(name) else { return };
        if entry.is_due() && entry.attention == Attention::Needed {
            entry.attention = Attention::Queued;
            self.queue.push_back(name.clone());
        }
    }

    fn pause(&mut self, now: Tick, name: &NodeName) {
        let Some(entry) = self.nodes.get_mut(name) else { return };
        let pause = PAUSE_MIN.saturating_mul(1 << entry.failures.min(16)).min(PAUSE_MAX);
        entry.failures = entry.failures.saturating_add(1);
        let at = now + pause;
        entry.not_before = Some(at);
        self.waiting.insert((at, name.clone()));
    }

    fn wake(&mut self, now: Tick) {
        while let Some((at, name)) = self.waiting.first().filter(|(at, _)| *at <= now).cloned() {
            self.waiting.pop_first();
            if let Some(entry) = self.nodes.get_mut(&name) {
                entry.not_before.take_if(|until| *until <= at);
                entry.need_attention();
            }
            self.enqueue(&name);
        }
    }
}

impl Entry {
    /// Whether something may be written now.
    fn is_due(&self) -> bool {
        self.attention != Attention::None
            && !self.restraint.held
            && !self.restraint.ignored
            && self.sent.is_none()
            && self.not_before.is_none()
            && self.observed.is_some()
    }

    /// Whether `write` is the one on its way.
    fn waits_for(&self, write: &Write) -> bool {
        self.sent.as_ref().is_some_and(|sent| sent.number == write.number())
    }

    /// The next write that brings the object to `wanted`, if one is needed.
    fn next(&mut self, now: Tick, name: NodeName, wanted: &Wanted, number: u64) -> Option<Write> {
        let observed = self.observed.as_ref()?;
        let eni = wanted.eni_member();
        let listed = wanted.listed();
        self.seeds &= wanted.pre_allocate != 0;
        let seed = if self.seeds && observed.pre_allocate_unset { wanted.pre_allocate } else { 0 };
        let lack = self.telling.lack(now, &wanted.error, &observed.told);
        let new_status = !self.eni.is_in_step(eni, observed.eni);
        let pool = match &wanted.pool {
            WantedPool::Exactly(pool) => Some(pool),
            WantedPool::LeftOver => None,
        };
        self.placed_pool |= pool.is_some_and(|pool| !pool.is_empty());
        let leaves = !observed.pooled.is_within(&listed);
        let is_left_over = pool.is_none() && observed.pool != Member::Empty;
        let pool_now = if leaves || is_left_over && self.placed_pool {
            // Only what was published already may stay, until the new status is.
            Some(pool.map(|pool| pool_within(pool, &observed.listed)).unwrap_or_default())
        } else if new_status {
            None
        } else {
            pool.filter(|pool| !self.pool.is_in_step(pool_member(pool), observed.pool)).cloned()
        };
        let (write, member) =
            if let Some(write) = Write::releases(&name, &wanted.releases, observed) {
                (write, Member::Empty)
            } else if let Some(pool) = pool_now {
                let member = pool_member(&pool);
                (Write::pool(name, &pool, observed, seed), member)
            } else if new_status {
                if lack.is_some() && Write::tells_along(observed) {
                    self.telling.on_sent(now);
                }
                (Write::eni_status(name, &wanted.eni_status, observed, lack.as_ref()), eni)
            } else {
                self.eni.confirm(Some(eni), observed.eni);
                self.pool.confirm(pool.map(pool_member), observed.pool);
                (self.next_of_rest(now, name, seed, lack.as_ref())?, Member::Empty)
            };
        let seeds = seed != 0 && matches!(write.part(), Part::Pool | Part::PreAllocate);
        let replaces = write.replaces();
        self.sent = Some(Sent { number, part: write.part(), wanted: member, replaces, seeds });
        Some(write.numbered(number))
    }

    /// The next write where interfaces and addresses are as they should be.
    fn next_of_rest(
        &mut self,
        now: Tick,
        name: NodeName,
        seed: u32,
        lack: Option<&Lack>,
    ) -> Option<Write> {
        let observed = self.observed.as_ref()?;
        if seed != 0 {
            return Some(Write::pre_allocate(name, seed, observed));
        }
        let lack = lack.filter(|_| self.telling.is_due(now))?;
        self.telling.on_sent(now);
        Some(Write::error(name, lack))
    }
}

#[cfg(test)]
mod tests;

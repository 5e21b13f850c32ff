//! What is due when, and queues in which each thing waits at most once.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

use super::gate::GateKey;
use super::record::Slot;
use super::vpc::Part;
use crate::ids::VpcId;
use crate::time::Tick;

/// What something is due for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A node is to be looked at again.
    Node(Slot),
    /// What was refused may be asked for again.
    Gate(GateKey),
    /// A reading of a VPC.
    Part(VpcId, Part),
    /// The end of the wait for what a first view can do without.
    Optional(VpcId),
    /// The readings of single nodes go on after a failure.
    Nodes,
    /// Instance types are asked for again.
    Types,
    /// One more interface may be made in this hour.
    Cap,
    /// The grace period of a rival of all nodes.
    Rivals,
    /// One more address may be given back in this hour.
    Releases,
    /// Interfaces that no node claims are looked for.
    CleanUp(VpcId),
}

/// What is due when; each timer once.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    due: BTreeSet<(Tick, Timer)>,
    at: BTreeMap<Timer, Tick>,
}

impl Agenda {
    /// Sets a timer anew; `None` stops it.
    pub(super) fn set(&mut self, timer: Timer, at: Option<Tick>) {
        if self.at.get(&timer) == at.as_ref() {
            return;
        }
        if let Some(before) = self.at.remove(&timer) {
            self.due.remove(&(before, timer.clone()));
        }
        if let Some(at) = at {
            self.due.insert((at, timer.clone()));
            self.at.insert(timer, at);
        }
    }

    /// Sets a timer unless it comes earlier anyway.
    pub(super) fn set_by(&mut self, timer: Timer, at: Tick) {
        let earliest = self.at.get(&timer).map_or(at, |before| at.min(*before));
        self.set(timer, Some(earliest));
    }

    pub(super) fn first(&self) -> Option<Tick> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(super) fn pop_due(&mut self, now: Tick) -> Option<Timer> {
        let (at, timer) = self.due.pop_first()?;
        if at > now {
            self.due.insert((at, timer));
            return None;
        }
        self.at.remove(&timer);
        Some(timer)
    }
}

/// First in, first out, and nothing twice.
#[derive(Debug)]
pub(super) struct Once<T> {
    order: VecDeque<T>,
    waiting: BTreeSet<T>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { order: VecDeque::new(), waiting: BTreeSet::new() }
    }
}

impl<T: Ord + Clone> Once<T> {
    pub(super) fn push(&mut self, item: T) {
        if self.waiting.insert(item.clone()) {
            self.order.push_back(item);
        }
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let item = self.order.pop_front()?;
        self.waiting.remove(&item);
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(seconds: u64) -> Tick {
        Tick::from_millis(seconds * 1000)
    }

    #[test]
    fn a_timer_is_there_once_and_comes_in_time() {
        let mut agenda = Agenda::default();
        agenda.set(Timer::Cap, Some(tick(5)));
        agenda.set_by(Timer::Cap, tick(9));
        agenda.set(Timer::Types, Some(tick(3)));
        assert_eq!(agenda.first(), Some(tick(3)));
        assert_eq!(agenda.pop_due(tick(2)), None);
        assert_eq!(agenda.pop_due(tick(7)), Some(Timer::Types));
        assert_eq!(agenda.pop_due(tick(7)), Some(Timer::Cap));
        assert_eq!(agenda.pop_due(tick(99)), None);
        agenda.set(Timer::Cap, Some(tick(5)));
        agenda.set(Timer::Cap, None);
        assert_eq!(agenda.first(), None);
    }
}

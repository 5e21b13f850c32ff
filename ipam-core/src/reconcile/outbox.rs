//! What waits to be asked for by whoever drives the machine, and the figures that are kept current.

use alloc::collections::VecDeque;

use super::Event;
use super::agenda::Once;
use crate::ids::NodeName;

/// What waits to be asked for.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) events: VecDeque<Event>,
    pub(super) publications: Once<NodeName>,
    pub(super) summaries: Once<NodeName>,
    pub(super) counts: Counts,
}

/// Figures of the cluster that would take a look at every node.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) nodes: usize,
    pub(super) in_deficit: usize,
    pub(super) at_capacity: usize,
}

impl Outbox {
    pub(super) fn say(&mut self, event: Event) {
        self.events.push_back(event);
    }
}

//! First come, first served: addresses that cool down, and addresses that wait for their claim.

use alloc::vec::Vec;

/// A line that a slot can stand in. A slot stands in one at most.
#[derive(Debug, Clone, Copy)]
pub(super) enum Line {
    /// Cooling addresses, the oldest first.
    Cooling,
    /// Allocations without their claim, the oldest first.
    Unclaimed,
}

/// Both lines over the slots of a family: two rings of links, so that joining at the end and leaving
/// from anywhere take the same few steps, and nothing can be left behind in a line.
#[derive(Debug, Clone)]
pub(super) struct Queues {
    /// One a slot, then one a line, which stands before the first and behind the last of it.
    links: Vec<Link>,
    /// How many slots there are.
    slots: usize,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    before: usize,
    behind: usize,
}

impl Queues {
    /// Empty lines over `slots` slots.
    pub(super) fn new(slots: usize) -> Self {
        let alone = |index| Link { before: index, behind: index };
        Self { links: (0..slots + 2).map(alone).collect(), slots }
    }

    const fn end_of(&self, line: Line) -> usize {
        self.slots + line as usize
    }

    /// Puts a slot that stands in no line at the end of one.
    pub(super) fn join(&mut self, line: Line, slot: usize) {
        let end = self.end_of(line);
        let last = self.links[end].before;
        self.links[slot] = Link { before: last, behind: end };
        self.links[last].behind = slot;
        self.links[end].before = slot;
    }

    /// Takes a slot out of the line it stands in.
    pub(super) fn leave(&mut self, slot: usize) {
        let Link { before, behind } = self.links[slot];
        self.links[before].behind = behind;
        self.links[behind].before = before;
    }

    /// Whose turn it is.
    pub(super) fn first(&self, line: Line) -> Option<usize> {
        self.after(self.end_of(line))
    }

    /// The slots of a line in order.
    pub(super) fn iter(&self, line: Line) -> impl Iterator<Item = usize> {
        core::iter::successors(self.first(line), |slot| self.after(*slot))
    }

    fn after(&self, slot: usize) -> Option<usize> {
        Some(self.links[slot].behind).filter(|next| *next < self.slots)
    }
}

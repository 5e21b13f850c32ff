//! A CIDR in the ledger.

use ipnet::IpNet;

use super::cidr::{ADDRESSES_PER_CIDR_MAX, ListedCidr, Span};
use super::free_set::FreeSet;
use super::slot::{Counts, Kind};

/// A CIDR to be entered into a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) span: Span,
    pub(super) listed: ListedCidr,
    /// It is gone from the listing and kept because somebody uses an address of it.
    pub(super) withdrawn: bool,
}

/// A CIDR in the ledger, and what became of its addresses.
#[derive(Debug, Clone)]
pub(super) struct Range {
    pub(super) entry: Entry,
    /// Index of the slot of its first address; the others follow.
    pub(super) first_slot: usize,
    /// The offsets of the free ones.
    pub(super) free: FreeSet,
    pub(super) counts: Counts,
}

/// The rank of an untouched /32. A larger CIDR ranks below while it is untouched, above once it is used.
const RANK_OF_SINGLE: u32 = ADDRESSES_PER_CIDR_MAX.ilog2() + 1;

impl Range {
    /// All addresses are free, or not there if the CIDR is withdrawn.
    pub(super) fn new(entry: Entry, first_slot: usize) -> Self {
        let length = entry.span.length;
        let (mut free, mut counts) = (FreeSet::new(length), Counts::default());
        for offset in 0..length {
            if entry.withdrawn {
                counts.add(Kind::Absent);
            } else {
                counts.add(Kind::Free);
                free.insert(offset);
            }
        }
        Self { entry, first_slot, free, counts }
    }

    pub(super) const fn cidr(&self) -> IpNet {
        self.entry.listed.cidr
    }

    /// Whether the CIDR was withdrawn and nobody uses it any more: as good as not there.
    pub(super) const fn is_gone(&self) -> bool {
        self.entry.withdrawn && !self.is_used()
    }

    pub(super) const fn is_used(&self) -> bool {
        self.counts.of(Kind::Used) > 0
    }

    /// Counts an address as `to` that was counted as `from`.
    pub(super) fn shift(&mut self, offset: usize, from: Kind, to: Kind) {
        self.counts.shift(from, to);
        if from == Kind::Free {
            self.free.remove(offset);
        }
        if to == Kind::Free {
            self.free.insert(offset);
        }
    }

    /// How early it is chosen; 0 when nothing of it is free. The more of it is used the earlier, so
    /// that the others drain and can be given back whole. Of those that are not used at all, the
    /// smaller the earlier: a single address keeps nothing else from draining.
    pub(super) const fn rank(&self) -> u32 {
        match (self.counts.of(Kind::Free), self.counts.of(Kind::Used)) {
            (0, _) => 0,
            (_, 0) => RANK_OF_SINGLE - self.entry.span.length.ilog2(),
            (_, used) => RANK_OF_SINGLE + used,
        }
    }
}

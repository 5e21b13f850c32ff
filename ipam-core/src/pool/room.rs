//! How many addresses there are to be, and which CIDRs are one too many.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use ipnet::IpNet;

use super::cidr::{ADDRESSES_MAX, InvalidCidr, key_of};
use super::holdings::Holdings;
use super::range::{Entry, Range};
use super::slot::Kind;

/// The addresses of one family, counted as a listing will leave them.
#[derive(Default)]
pub(super) struct Room {
    /// How many there are so far.
    taken: usize,
    /// What is used of CIDRs that are not listed.
    leftovers: Vec<Leftover>,
}

/// A CIDR that is kept for its used addresses: whole, or only those once it is cut up.
struct Leftover {
    cidr: IpNet,
    /// The numbers of its used addresses, in ascending order.
    used: Vec<u128>,
    /// How many addresses it counts for apart from the used ones.
    others: usize,
}

impl Room {
    /// Drops the entries with which there would be more than [`ADDRESSES_MAX`] addresses, and answers
    /// why. `known` ones are counted first: they stay.
    pub(super) fn admit(
        mut self,
        entries: &mut Vec<Entry>,
        known: &BTreeSet<IpNet>,
    ) -> Vec<InvalidCidr> {
        let is_known = |entry: &Entry| known.contains(&entry.listed.cidr);
        let staying = entries.iter().filter(|entry| is_known(entry));
        self.taken += staying.map(|entry| entry.span.length).sum::<usize>();
        let mut refused = Vec::new();
        entries.retain(|entry| {
            let fits = is_known(entry) || self.take(entry);
            if !fits {
                refused.push(InvalidCidr::TooMany { listed: entry.listed.clone() });
            }
            fits
        });
        refused
    }

    /// Counts an entry if it fits, and no longer what it takes the place of.
    fn take(&mut self, entry: &Entry) -> bool {
        let cut = |left: &&mut Leftover| left.cuts(entry);
        let freed = self.leftovers.iter_mut().filter(cut).map(|left| left.freed_by(entry));
        let total = self.taken - freed.sum::<usize>() + entry.span.length;
        if total > ADDRESSES_MAX {
            return false;
        }
        self.leftovers.iter_mut().filter(cut).for_each(|left| left.others = 0);
        self.taken = total;
        true
    }
}

impl Leftover {
    fn cuts(&self, entry: &Entry) -> bool {
        let cidr = entry.listed.cidr;
        self.cidr.contains(&cidr) || cidr.contains(&self.cidr)
    }

    /// How many of its addresses go when the entry comes: those that are covered count as the entry's.
    fn freed_by(&self, entry: &Entry) -> usize {
        let first = self.used.partition_point(|key| *key < entry.span.first);
        let covered = |key: &&u128| entry.span.offset_of(**key).is_some();
        self.others + self.used[first..].iter().take_while(covered).count()
    }
}

impl Holdings {
    /// The CIDRs that stay come before new ones.
    pub(super) fn drop_what_is_too_many(&self, listed: &mut Vec<Entry>) -> Vec<InvalidCidr> {
        let after: BTreeSet<IpNet> = listed.iter().map(|entry| entry.listed.cidr).collect();
        let stays = |range: &&Range| range.is_used() && !after.contains(&range.cidr());
        let mut leftovers: Vec<Leftover> = self.ranges().filter(stays).map(Leftover::of).collect();
        for (place, _) in self.states().filter(|(_, state)| state.kind() == Kind::Used) {
            let cidr = self.range(place).cidr();
            if let Ok(index) = leftovers.binary_search_by_key(&cidr, |left| left.cidr) {
                leftovers[index].used.push(key_of(self.address(place)));
                leftovers[index].others -= 1;
            }
        }
        let taken = leftovers.iter().map(|left| left.used.len() + left.others).sum();
        Room { taken, leftovers }.admit(listed, &self.cidrs(|_| true))
    }
}

impl Leftover {
    fn of(range: &Range) -> Self {
        Self { cidr: range.cidr(), used: Vec::new(), others: range.entry.span.length }
    }
}

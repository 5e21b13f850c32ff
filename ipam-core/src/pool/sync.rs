//! From a listing of CIDRs to the ranges of a ledger.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::mem;

use ipnet::IpNet;

use super::cidr::{ADDRESSES_MAX, InvalidCidr, ListedCidr, Span, key_of};
use super::holdings::Holdings;
use super::range::{Entry, Range};
use super::report::SyncReport;
use super::slot::Kind;

/// Checks CIDRs by themselves and against each other: what can be used of each family, in ascending
/// order, and what cannot. `listed` is in ascending order too.
pub(super) fn sort_out(
    listed: impl IntoIterator<Item = (ListedCidr, bool)>,
) -> ([Vec<Entry>; 2], Vec<InvalidCidr>) {
    let (mut entries, mut refused) = ([Vec::new(), Vec::new()], Vec::new());
    for (listed, withdrawn) in listed {
        match Span::of(&listed) {
            Ok(span) => {
                let entry = Entry { span, listed, withdrawn };
                refused.extend(append(&mut entries[span.family as usize], entry).err());
            }
            Err(invalid) => refused.push(invalid),
        }
    }
    (entries, refused)
}

/// Appends an entry that does not begin before the last one, unless the two have an address in common.
fn append(entries: &mut Vec<Entry>, entry: Entry) -> Result<(), InvalidCidr> {
    match entries.last() {
        Some(last) if last.span.offset_of(entry.span.first).is_some() => {
            Err(InvalidCidr::Overlap { listed: entry.listed, other: last.listed.clone() })
        }
        _ => {
            entries.push(entry);
            Ok(())
        }
    }
}

/// Drops the entries with which there would be more than [`ADDRESSES_MAX`] addresses, and answers
/// why. `taken` addresses are there already, those of the entries that `known` names among them.
pub(super) fn within_limit(
    entries: &mut Vec<Entry>,
    mut taken: usize,
    known: impl Fn(&Entry) -> bool,
) -> Vec<InvalidCidr> {
    let mut refused = Vec::new();
    entries.retain(|entry| {
        let total = taken + if known(entry) { 0 } else { entry.span.length };
        let fits = total <= ADDRESSES_MAX;
        if fits {
            taken = total;
        } else {
            let listed = entry.listed.clone();
            refused.push(InvalidCidr::TooMany { listed });
        }
        fits
    });
    refused
}

impl Holdings {
    /// Makes `listed` the CIDRs of this family. What is used stays.
    pub(super) fn sync(&mut self, mut listed: Vec<Entry>, report: &mut SyncReport) {
        let too_many = self.drop_what_is_too_many(&mut listed);
        report.refused.extend(too_many);
        report.moved.extend(self.follow_moves(&listed));
        let before = self.cidrs(|range| !range.entry.withdrawn);
        let after: BTreeSet<IpNet> = listed.iter().map(|entry| entry.listed.cidr).collect();
        if before != after {
            let known = self.cidrs(|_| true);
            self.rebuild(listed);
            report.added.extend(after.difference(&before));
            let left = self.cidrs(|_| true);
            report.removed.extend(known.difference(&left));
        }
        let withdrawn = self.cidrs(|range| range.entry.withdrawn);
        report.withdrawn.extend(withdrawn);
    }

    fn cidrs(&self, chosen: impl Fn(&Range) -> bool) -> BTreeSet<IpNet> {
        self.ranges().filter(|range| chosen(range)).map(Range::cidr).collect()
    }

    /// The CIDRs that stay come before new ones.
    fn drop_what_is_too_many(&self, listed: &mut Vec<Entry>) -> Vec<InvalidCidr> {
        let after: BTreeSet<IpNet> = listed.iter().map(|entry| entry.listed.cidr).collect();
        let stays = |range: &&Range| after.contains(&range.cidr()) || range.is_used();
        let staying = self.ranges().filter(stays);
        let taken = staying.map(|range| range.entry.span.length).sum();
        let known = self.cidrs(|_| true);
        within_limit(listed, taken, |entry| known.contains(&entry.listed.cidr))
    }

    /// Notes the interface that each known CIDR is on now; answers which are on another than before.
    fn follow_moves(&mut self, entries: &[Entry]) -> Vec<IpNet> {
        let mut moved = Vec::new();
        for listed in self.listed_mut() {
            let found = entries.binary_search_by_key(&listed.cidr, |entry| entry.listed.cidr);
            if let Ok(index) = found
                && entries[index].listed.eni != listed.eni
            {
                listed.eni = entries[index].listed.eni.clone();
                moved.push(listed.cidr);
            }
        }
        moved
    }

    /// Lays the ranges out anew. Used addresses are all kept, cooling and promised ones as far as
    /// they are listed; the others are forgotten.
    fn rebuild(&mut self, listed: Vec<Entry>) {
        let mut entries = self.withdraw(&listed);
        entries.extend(listed);
        entries.sort_by_key(|entry| entry.span.first);
        let former = mem::replace(self, Self::new(self.family(), entries));
        let in_line = former.unclaimed().chain(former.cooling());
        let others = former.states().filter(|(_, state)| {
            state.line().is_none() && matches!(state.kind(), Kind::Used | Kind::Promised)
        });
        for (place, state) in in_line.chain(others) {
            // What cannot be entered is not used and went with its CIDR.
            let _ = self.enter(former.address(place), state.clone());
        }
    }

    /// What is used and not listed, as entries that end with their use. A CIDR is kept whole under its
    /// name, unless part of it is listed otherwise: then each used address is kept by itself.
    fn withdraw(&self, listed: &[Entry]) -> Vec<Entry> {
        let mut kept: Vec<Entry> = Vec::new();
        for (place, state) in self.states() {
            let address = self.address(place);
            if state.kind() != Kind::Used || covering(listed, key_of(address)).is_some() {
                continue;
            }
            let former = &self.range(place).entry;
            let in_pieces = overlaps(listed, former.span);
            let cidr = if in_pieces { address.into() } else { former.listed.cidr };
            if kept.last().is_none_or(|last| last.listed.cidr != cidr) {
                let eni = former.listed.eni.clone();
                kept.push(Entry {
                    span: Span::from(cidr),
                    listed: ListedCidr { cidr, eni },
                    withdrawn: true,
                });
            }
        }
        kept
    }
}

/// The entry that has an address.
fn covering(entries: &[Entry], key: u128) -> Option<&Entry> {
    let behind = entries.partition_point(|entry| entry.span.first <= key);
    let last = entries[..behind].last();
    last.filter(|entry| entry.span.offset_of(key).is_some())
}

/// Whether an entry and `span` have an address in common.
fn overlaps(entries: &[Entry], span: Span) -> bool {
    let behind = entries.partition_point(|entry| entry.span.first <= span.first);
    let begins_inside = |entry: &Entry| span.offset_of(entry.span.first).is_some();
    entries.get(behind).is_some_and(begins_inside) || covering(entries, span.first).is_some()
}

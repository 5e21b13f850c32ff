//! From a listing of CIDRs to the ranges of a ledger.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::mem;
use core::net::IpAddr;
use core::time::Duration;

use ipnet::IpNet;

use super::cidr::{InvalidCidr, ListedCidr, Span, key_of};
use super::holdings::Holdings;
use super::range::{Entry, Range};
use super::report::SyncReport;
use super::settings::LedgerSettings;
use super::slot::{Kind, State};
use crate::time::Tick;

/// Checks CIDRs by themselves and against each other: what can be used of each family, in ascending
/// order, and what cannot. `listed` is in ascending order too.
pub(super) fn sort_out(
    listed: impl IntoIterator<Item = (ListedCidr, bool)>,
) -> ([Vec<Entry>; 2], Vec<InvalidCidr>) {
    let (mut entries, mut refused) = ([Vec::new(), Vec::new()], Vec::new());
    // In each family the last entry that can have another one inside.
    let mut outer = [0, 0];
    for (listed, withdrawn) in listed {
        match Span::of(&listed) {
            Ok(span) => {
                let (entry, family) = (Entry { span, listed, withdrawn }, span.family as usize);
                let added = append(&mut entries[family], &mut outer[family], entry);
                refused.extend(added.err());
            }
            Err(invalid) => refused.push(invalid),
        }
    }
    (entries, refused)
}

/// Appends an entry that does not begin before the last one, unless the two overlap. A used address
/// behind the first ones of a large CIDR is an entry by itself, and the only one inside another.
fn append(entries: &mut Vec<Entry>, outer: &mut usize, entry: Entry) -> Result<(), InvalidCidr> {
    let cidr = entry.listed.cidr;
    let is_single = cidr.prefix_len() == cidr.max_prefix_len();
    let can_be_in = |around: &Entry| {
        entry.withdrawn && is_single && around.span.offset_of(entry.span.first).is_none()
    };
    let around = |other: &&Entry| other.listed.cidr.contains(&cidr);
    let (last, outermost) = (entries.last(), entries.get(*outer).filter(around));
    let in_the_way = [last.filter(around), outermost].into_iter().flatten();
    if let Some(other) = in_the_way.into_iter().find(|other| !can_be_in(other)) {
        let other = other.listed.clone();
        return Err(InvalidCidr::Overlap { listed: entry.listed, other });
    }
    if outermost.is_none() {
        *outer = entries.len();
    }
    entries.push(entry);
    Ok(())
}

impl Holdings {
    /// Makes `listed` the CIDRs of this family. What is used stays.
    pub(super) fn sync(
        &mut self,
        mut listed: Vec<Entry>,
        now: Tick,
        settings: &LedgerSettings,
        report: &mut SyncReport,
    ) {
        self.forget_vanished(now, settings.remember());
        let too_many = self.drop_what_is_too_many(&mut listed);
        report.refused.extend(too_many);
        let moved = self.moved(&listed);
        let before = self.cidrs(|range| !range.entry.withdrawn);
        let after: BTreeSet<IpNet> = listed.iter().map(|entry| entry.listed.cidr).collect();
        let drained = self.all_ranges().any(Range::is_gone);
        if before != after || !moved.is_empty() || drained {
            let known = self.cidrs(|_| true);
            self.rebuild(listed, now, settings.cool_down());
            report.added.extend(after.difference(&before));
            let left = self.cidrs(|_| true);
            report.removed.extend(known.difference(&left));
        }
        report.moved.extend(moved);
        let withdrawn = self.cidrs(|range| range.entry.withdrawn);
        report.withdrawn.extend(withdrawn);
    }

    pub(super) fn cidrs(&self, chosen: impl Fn(&Range) -> bool) -> BTreeSet<IpNet> {
        self.all_ranges().filter(|range| chosen(range)).map(Range::cidr).collect()
    }

    /// The CIDRs that are there and listed on another interface than before.
    fn moved(&self, listed: &[Entry]) -> Vec<IpNet> {
        let moved = self.ranges().filter(|range| {
            let cidr = range.cidr();
            let found = listed.binary_search_by_key(&cidr, |entry| entry.listed.cidr);
            found.is_ok_and(|index| listed[index].listed.eni != range.entry.listed.eni)
        });
        moved.map(Range::cidr).collect()
    }

    /// Lays the ranges out anew. Used addresses are all kept, cooling and promised ones as far as
    /// they are listed; the others are remembered as vanished.
    fn rebuild(&mut self, listed: Vec<Entry>, now: Tick, cool_down: Duration) {
        let mut entries = self.withdraw(&listed);
        entries.extend(listed);
        self.lay_out(entries, now, cool_down);
    }

    /// Makes `entries` the ranges. All that is used is among them.
    pub(super) fn lay_out(&mut self, mut entries: Vec<Entry>, now: Tick, cool_down: Duration) {
        entries.sort_by_key(|entry| entry.span.first);
        let former = mem::replace(self, Self::new(self.family(), entries));
        let used = former
            .states()
            .filter(|(_, state)| state.kind() == Kind::Used && state.line().is_none());
        for (place, state) in former.unclaimed().chain(used) {
            self.keep(former.address(place), state.clone());
        }
        self.take_over(&former, now, cool_down);
    }

    /// Puts a used address where it is now.
    fn keep(&mut self, address: IpAddr, state: State) {
        if let Some(place) = self.find(address) {
            self.put(place, state);
        }
    }

    /// What is used and not listed, as entries that end with their use. What lies behind the first
    /// addresses of a listed CIDR is on the interface of that one. A CIDR is kept whole under its
    /// name, unless part of it is listed otherwise: then each used address is kept by itself.
    fn withdraw(&self, listed: &[Entry]) -> Vec<Entry> {
        let mut kept: Vec<Entry> = Vec::new();
        for (place, state) in self.states() {
            let address = self.address(place);
            if state.kind() != Kind::Used || covering(listed, key_of(address)).is_some() {
                continue;
            }
            let former = &self.range(place).entry;
            let in_pieces = overlaps(listed, former.listed.cidr);
            let cidr = if in_pieces { address.into() } else { former.listed.cidr };
            if kept.last().is_none_or(|last| last.listed.cidr != cidr) {
                let on = around(listed, cidr).map_or(&former.listed, |entry| &entry.listed);
                let eni = on.eni.clone();
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

/// Whether an entry and `cidr` have an address in common.
fn overlaps(entries: &[Entry], cidr: IpNet) -> bool {
    let behind = entries.partition_point(|entry| entry.listed.cidr <= cidr);
    let begins_inside = |entry: &Entry| cidr.contains(&entry.listed.cidr);
    around(entries, cidr).is_some() || entries.get(behind).is_some_and(begins_inside)
}

/// The entry that `cidr` is part of.
fn around(entries: &[Entry], cidr: IpNet) -> Option<&Entry> {
    let behind = entries.partition_point(|entry| entry.listed.cidr <= cidr);
    entries[..behind].last().filter(|entry| entry.listed.cidr.contains(&cidr))
}

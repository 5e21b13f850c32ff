//! Every address of one family.

use alloc::vec::Vec;
use core::mem;
use core::net::IpAddr;
use core::time::Duration;

use ipnet::IpNet;

use super::cidr::{Family, Span, key_of};
use super::fullest::Fullest;
use super::owner::{GrantId, Owner, ROLES};
use super::queue::{Line, Queues};
use super::range::{Entry, Range};
use super::refusal::Refusal;
use super::report::Tally;
use super::slot::{Counts, Kind, State, Use, turn_back};
use super::vanished::Vanished;
use crate::time::Tick;

/// The addresses of one family: what each one is, and in what order they are chosen.
///
/// [`Holdings::put`] is the only door through which an address changes its state; it keeps the sets
/// of free addresses, the ranks, the lines, the counts and the roles in step.
#[derive(Debug, Clone)]
pub(super) struct Holdings {
    family: Family,
    /// In ascending order; no two have an address in common.
    ranges: Vec<Range>,
    /// The number of the first address of each range, close together for the binary search.
    firsts: Vec<u128>,
    slots: Vec<Slot>,
    queues: Queues,
    fullest: Fullest,
    /// Over all ranges.
    counts: Counts,
    /// Over the withdrawn ones.
    withdrawn: Counts,
    /// Addresses of ranges that are not withdrawn.
    attached: u32,
    /// The slot that each role holds.
    roles: [Option<usize>; ROLES],
    /// None of them is there and listed.
    pub(super) vanished: Vanished,
}

#[derive(Debug, Clone)]
struct Slot {
    state: State,
    /// The range it is part of.
    range: usize,
}

/// Where an address is. Good until the ranges change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    range: usize,
    offset: usize,
}

impl Holdings {
    /// Entries in ascending order, no two with an address in common; nothing is used of them.
    pub(super) fn new(family: Family, entries: Vec<Entry>) -> Self {
        let mut holdings = Self {
            family,
            ranges: Vec::with_capacity(entries.len()),
            firsts: entries.iter().map(|entry| entry.span.first).collect(),
            slots: Vec::new(),
            queues: Queues::new(entries.iter().map(|entry| entry.span.length).sum()),
            fullest: Fullest::new(entries.len()),
            counts: Counts::default(),
            withdrawn: Counts::default(),
            attached: 0,
            roles: [None; ROLES],
            vanished: Vanished::new(),
        };
        for entry in entries {
            holdings.push(entry);
        }
        holdings
    }

    fn push(&mut self, entry: Entry) {
        let range = Range::new(entry, self.slots.len());
        let state = if range.entry.withdrawn { State::Absent } else { State::Free };
        let slot = Slot { state, range: self.ranges.len() };
        self.slots.resize(self.slots.len() + range.entry.span.length, slot);
        self.counts.merge(range.counts);
        if range.entry.withdrawn {
            self.withdrawn.merge(range.counts);
        }
        self.attached += range.counts.of(Kind::Free);
        self.fullest.set(self.ranges.len(), range.rank());
        self.ranges.push(range);
    }

    /// Changes what an address is, and answers what it was.
    pub(super) fn put(&mut self, place: Place, state: State) -> State {
        let slot = self.slot_of(place);
        let kind = state.kind();
        self.leave(slot);
        let former = mem::replace(&mut self.slots[slot].state, state);
        self.join(slot);
        self.count(place, former.kind(), kind);
        former
    }

    /// Makes all that has happened so much earlier. Who stands in line stays in it.
    pub(super) fn turn_back(&mut self, by: Duration) {
        self.slots.iter_mut().for_each(|slot| slot.state.turn_back(by));
        for one in self.vanished.values_mut() {
            let moments = [Some(&mut one.since), one.cooling_since.as_mut()];
            moments.into_iter().flatten().for_each(|moment| turn_back(moment, by));
        }
    }

    fn leave(&mut self, slot: usize) {
        let state = &self.slots[slot].state;
        if state.line().is_some() {
            self.queues.leave(slot);
        }
        if let Some(role) = state.role() {
            self.roles[role] = None;
        }
    }

    fn join(&mut self, slot: usize) {
        let state = &self.slots[slot].state;
        if let Some(line) = state.line() {
            self.queues.join(line, slot);
        }
        if let Some(role) = state.role() {
            self.roles[role] = Some(slot);
        }
    }

    fn count(&mut self, place: Place, from: Kind, to: Kind) {
        let range = &mut self.ranges[place.range];
        range.shift(place.offset, from, to);
        self.counts.shift(from, to);
        if range.entry.withdrawn {
            self.withdrawn.shift(from, to);
        }
        self.fullest.set(place.range, range.rank());
    }

    /// Lets a used address wait for a claim no longer.
    pub(super) fn settle_claim(&mut self, place: Place) {
        let slot = self.slot_of(place);
        if let State::Used(Use { unclaimed_since, .. }) = &mut self.slots[slot].state
            && unclaimed_since.take().is_some()
        {
            self.queues.leave(slot);
        }
    }

    /// The next address to hand out: the first free one of the fullest range.
    pub(super) fn next_free(&self) -> Option<Place> {
        let range = self.fullest.best()?;
        let offset = self.ranges[range].free.first()?;
        Some(Place { range, offset })
    }

    /// Since when the oldest cooling address is one, and where.
    pub(super) fn oldest_cooling(&self) -> Option<(Tick, Place)> {
        let slot = self.queues.first(Line::Cooling)?;
        match self.slots[slot].state {
            State::Cooling { since } => Some((since, self.place_of(slot))),
            _ => None,
        }
    }

    /// The grant that has waited longest for its claim, since when, and where.
    pub(super) fn oldest_claim(&self) -> Option<(GrantId, Tick, Place)> {
        let slot = self.queues.first(Line::Unclaimed)?;
        match &self.slots[slot].state {
            State::Used(held) => Some((held.id, held.unclaimed_since?, self.place_of(slot))),
            _ => None,
        }
    }

    /// The address that a role holds, if the owner is one and it does.
    pub(super) fn held_by_role(&self, owner: &Owner) -> Option<IpAddr> {
        let slot = self.roles[owner.role()?]?;
        Some(self.address(self.place_of(slot)))
    }

    /// Refuses an owner that can hold one address of the family and does.
    pub(super) fn check_role(&self, owner: &Owner) -> Result<(), Refusal> {
        match self.held_by_role(owner) {
            Some(address) => Err(Refusal::HoldsAnother { owner: owner.clone(), address }),
            None => Ok(()),
        }
    }

    /// Refuses an address that cannot be handed out.
    pub(super) fn check_open(&self, place: Place) -> Result<(), Refusal> {
        match self.state(place).kind() {
            Kind::Promised => Err(Refusal::Promised { address: self.address(place) }),
            _ => self.check_unused(place),
        }
    }

    /// Refuses an address that is used, or not there.
    pub(super) fn check_unused(&self, place: Place) -> Result<(), Refusal> {
        let address = self.address(place);
        match self.state(place) {
            State::Used(held) => Err(Refusal::InUse { address, owner: held.owner.clone() }),
            State::Absent => Err(Refusal::Withdrawn { address, cidr: self.range(place).cidr() }),
            _ => Ok(()),
        }
    }

    /// Finds an address.
    pub(super) fn find(&self, address: IpAddr) -> Option<Place> {
        let key = key_of(address);
        let range = self.range_before(key)?;
        let offset = self.ranges[range].entry.span.offset_of(key)?;
        Some(Place { range, offset })
    }

    /// Finds an address, or says why it is not here.
    pub(super) fn locate(&self, address: IpAddr) -> Result<Place, Refusal> {
        let found = self.find(address);
        found.filter(|place| !self.range(*place).is_gone()).ok_or_else(|| self.not_found(address))
    }

    fn not_found(&self, address: IpAddr) -> Refusal {
        let behind = self.range_before(key_of(address)).map_or(0, |range| range + 1);
        let mut before = self.ranges[..behind].iter().rev().filter(|range| !range.is_gone());
        match before.find(|range| range.cidr().contains(&address)) {
            Some(range) => Refusal::Beyond { address, cidr: range.cidr() },
            None => Refusal::Unknown { address },
        }
    }

    /// The places of a CIDR that is one of the ranges, or part of one.
    pub(super) fn locate_cidr(
        &self,
        cidr: IpNet,
    ) -> Result<impl Iterator<Item = Place> + Clone + use<>, Refusal> {
        if cidr.addr() != cidr.network() {
            return Err(Refusal::CidrHostBits { cidr });
        }
        let first = self.locate(cidr.network()).map_err(|refusal| match refusal {
            Refusal::Unknown { .. } => self.cidr_not_found(cidr),
            beyond => beyond,
        })?;
        if !self.range(first).cidr().contains(&cidr) {
            return Err(self.cidr_not_found(cidr));
        }
        let offsets = first.offset..first.offset + Span::from(cidr).length;
        Ok(offsets.map(move |offset| Place { offset, ..first }))
    }

    fn cidr_not_found(&self, cidr: IpNet) -> Refusal {
        if self.ranges().any(|range| cidr.contains(&range.cidr())) {
            Refusal::InPieces { cidr }
        } else {
            Refusal::UnknownCidr { cidr }
        }
    }

    /// The last range that does not begin behind `key`, by halves. The standard library's search
    /// takes a branch a step for numbers of this size, and half of them are guessed wrong.
    fn range_before(&self, key: u128) -> Option<usize> {
        let (mut first, mut length) = (0, self.firsts.len());
        while length > 1 {
            let half = length / 2;
            first += half * usize::from(self.firsts[first + half] <= key);
            length -= half;
        }
        (*self.firsts.get(first)? <= key).then_some(first)
    }

    pub(super) fn address(&self, place: Place) -> IpAddr {
        // Nothing is lost: an offset is below 4,096.
        let key = self.firsts[place.range] + place.offset as u128;
        self.family.address(key)
    }

    pub(super) fn state(&self, place: Place) -> &State {
        &self.slots[self.slot_of(place)].state
    }

    pub(super) fn range(&self, place: Place) -> &Range {
        &self.ranges[place.range]
    }

    fn slot_of(&self, place: Place) -> usize {
        self.ranges[place.range].first_slot + place.offset
    }

    fn place_of(&self, slot: usize) -> Place {
        let range = self.slots[slot].range;
        Place { range, offset: slot - self.ranges[range].first_slot }
    }

    /// How many addresses there are, in whatever state.
    pub(super) const fn size(&self) -> usize {
        self.slots.len()
    }

    pub(super) const fn family(&self) -> Family {
        self.family
    }

    /// The ranges in ascending order, those included that are as good as not there.
    pub(super) fn all_ranges(&self) -> impl Iterator<Item = &Range> {
        self.ranges.iter()
    }

    /// The ranges that are there, in ascending order.
    pub(super) fn ranges(&self) -> impl Iterator<Item = &Range> {
        self.all_ranges().filter(|range| !range.is_gone())
    }

    /// All addresses and what they are, in ascending order.
    pub(super) fn states(&self) -> impl Iterator<Item = (Place, &State)> {
        (0..self.slots.len()).map(|slot| self.standing(slot))
    }

    /// The cooling addresses, the oldest first.
    pub(super) fn cooling(&self) -> impl Iterator<Item = (Place, &State)> {
        self.queues.iter(Line::Cooling).map(|slot| self.standing(slot))
    }

    /// The addresses that wait for their claim, the oldest first.
    pub(super) fn unclaimed(&self) -> impl Iterator<Item = (Place, &State)> {
        self.queues.iter(Line::Unclaimed).map(|slot| self.standing(slot))
    }

    fn standing(&self, slot: usize) -> (Place, &State) {
        (self.place_of(slot), &self.slots[slot].state)
    }

    pub(super) const fn tally(&self) -> Tally {
        Tally {
            attached: self.attached,
            free: self.counts.of(Kind::Free),
            used: self.counts.of(Kind::Used) - self.withdrawn.of(Kind::Used),
            cooling: self.counts.of(Kind::Cooling),
            promised: self.counts.of(Kind::Promised),
            withdrawn: self.withdrawn.of(Kind::Used),
        }
    }
}

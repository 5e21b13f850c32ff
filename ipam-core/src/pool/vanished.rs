//! Addresses that are gone from the listing: what they were is remembered for a while, since a listing
//! can be out of date or incomplete.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem;
use core::net::IpAddr;
use core::time::Duration;

use ipnet::IpNet;

use super::cidr::{ADDRESSES_MAX, key_of};
use super::holdings::{Holdings, Place};
use super::slot::{Kind, State};
use crate::ids::EniId;
use crate::time::Tick;

/// An address that was cooling down or promised away when it went from the listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VanishedAddress {
    /// The address.
    pub address: IpAddr,
    /// The interface it was on: a promise is about an address on one interface.
    pub eni: EniId,
    /// When it was missing first.
    pub since: Tick,
    /// Whether it was promised away.
    pub promised: bool,
    /// When it was given back, if it had not finished cooling down.
    pub cooling_since: Option<Tick>,
}

/// By number. At most [`ADDRESSES_MAX`]; what vanishes while there are so many is forgotten.
pub(super) type Vanished = BTreeMap<u128, VanishedAddress>;

impl Holdings {
    /// Remembers what an address is that is not there.
    pub(super) fn remember(&mut self, one: VanishedAddress) {
        if self.vanished.len() < ADDRESSES_MAX {
            self.vanished.insert(key_of(one.address), one);
        }
    }

    /// Remembers that an address began to rest now, when its CIDR was gone already.
    pub(super) fn remember_released(&mut self, place: Place, since: Tick) {
        let (address, eni) = (self.address(place), self.range(place).entry.listed.eni.clone());
        let cooling_since = Some(since);
        self.remember(VanishedAddress { address, eni, since, promised: false, cooling_since });
    }

    /// Forgets what has been missing for so long.
    pub(super) fn forget_vanished(&mut self, now: Tick, remember: Duration) {
        self.vanished.retain(|_, one| now.since(one.since) < remember);
    }

    /// Ends what is promised of a CIDR that is gone; answers whether anything was.
    pub(super) fn end_vanished_promises(&mut self, cidr: IpNet) -> bool {
        let (first, last) = (key_of(cidr.network()), key_of(cidr.broadcast()));
        let mut any = false;
        for (_, one) in self.vanished.range_mut(first..=last) {
            any |= mem::take(&mut one.promised);
        }
        any
    }

    /// Puts cooling and promised addresses of `former` into the ranges that are there now, and those
    /// that had vanished. A promise ends when its address is on another interface: the operator has
    /// given it up and got it again (cilium/cilium#39981).
    pub(super) fn take_over(&mut self, former: &Self, now: Tick, cool_down: Duration) {
        let mut cooling: Vec<(Tick, Place)> = Vec::new();
        let mut away = former.vanished.clone();
        for (place, state) in former.cooling() {
            match (self.open(former.address(place)), state) {
                (Some(there), State::Cooling { since }) => cooling.push((*since, there)),
                _ => former.note_away(place, now, &mut away),
            }
        }
        let promised = former.states().filter(|(_, state)| state.kind() == Kind::Promised);
        promised.for_each(|(place, _)| former.note_away(place, now, &mut away));
        for one in away.into_values() {
            let Some(place) = self.open(one.address) else {
                self.remember(one);
                continue;
            };
            let resting = one.cooling_since.filter(|since| now.since(*since) < cool_down);
            if one.promised && one.eni == self.range(place).entry.listed.eni {
                let cooling_since = one.cooling_since;
                self.put(place, State::Promised { cooling_since });
            } else if let Some(since) = resting {
                cooling.push((since, place));
            }
        }
        cooling.sort_by_key(|(since, _)| *since);
        for (since, place) in cooling {
            self.put(place, State::Cooling { since });
        }
    }

    /// Notes a cooling or promised address as one that vanished now.
    fn note_away(&self, place: Place, now: Tick, away: &mut Vanished) {
        let (promised, cooling_since) = match self.state(place) {
            State::Promised { cooling_since } => (true, *cooling_since),
            State::Cooling { since } => (false, Some(*since)),
            _ => return,
        };
        let (address, eni) = (self.address(place), self.range(place).entry.listed.eni.clone());
        let one = VanishedAddress { address, eni, since: now, promised, cooling_since };
        away.insert(key_of(address), one);
    }

    /// Where an address is, if it is there and free.
    fn open(&self, address: IpAddr) -> Option<Place> {
        self.find(address).filter(|place| self.state(*place).kind() == Kind::Free)
    }

    pub(super) fn vanished(&self) -> impl Iterator<Item = &VanishedAddress> {
        self.vanished.values()
    }
}

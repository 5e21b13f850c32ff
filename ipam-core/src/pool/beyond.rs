//! Used addresses that lie in a large CIDR behind those that are handed out.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use ipnet::IpNet;

use super::cidr::{ADDRESSES_MAX, ListedCidr, Span, key_of};
use super::holdings::{Holdings, Place};
use super::range::{Entry, Range};
use super::refusal::Refusal;
use super::slot::{Kind, State};
use crate::time::Tick;

impl Holdings {
    /// Refuses an address behind the first ones of `cidr` that cannot be held by itself.
    pub(super) fn check_beyond(&self, address: IpAddr, cidr: IpNet) -> Result<(), Refusal> {
        let around = self.ranges().find(|range| range.cidr() == cidr);
        let around = around.ok_or(Refusal::Unknown { address })?;
        // A CIDR that is promised away is promised with all its addresses.
        let given_up = around.counts.of(Kind::Promised) as usize == around.entry.span.length;
        let vanished = self.vanished.get(&key_of(address));
        if around.entry.withdrawn {
            Err(Refusal::Withdrawn { address, cidr })
        } else if given_up || vanished.is_some_and(|one| one.promised) {
            Err(Refusal::Promised { address })
        } else if self.size() >= ADDRESSES_MAX {
            Err(Refusal::Beyond { address, cidr })
        } else {
            Ok(())
        }
    }

    /// Makes a place for an address behind the first ones of `cidr`, by itself: like what is left of a
    /// withdrawn CIDR, it is there only while it is used.
    pub(super) fn add_beyond(
        &mut self,
        address: IpAddr,
        cidr: IpNet,
        now: Tick,
        cool_down: Duration,
    ) -> Result<Place, Refusal> {
        let around = self.ranges().find(|range| range.cidr() == cidr);
        let eni = around.ok_or(Refusal::Unknown { address })?.entry.listed.eni.clone();
        self.vanished.remove(&key_of(address));
        let cidr = IpNet::from(address);
        let others = self.all_ranges().filter(|range| range.cidr() != cidr);
        let mut entries: Vec<Entry> = others.map(|range| range.entry.clone()).collect();
        let listed = ListedCidr { cidr, eni };
        entries.push(Entry { span: Span::from(cidr), listed, withdrawn: true });
        self.lay_out(entries, now, cool_down);
        self.find(address).ok_or(Refusal::Unknown { address })
    }

    /// Refuses a CIDR of which an address behind the first ones is used.
    pub(super) fn check_behind(&self, cidr: IpNet) -> Result<(), Refusal> {
        let mut behind = self.used_singles_in(cidr);
        behind.try_for_each(|range| self.check_unused_address(range.cidr().addr()))
    }

    fn used_singles_in(&self, cidr: IpNet) -> impl Iterator<Item = &Range> {
        let inside = move |range: &&Range| cidr.contains(&range.cidr()) && range.cidr() != cidr;
        self.ranges().skip_while(move |range| !inside(range)).take_while(inside)
    }

    fn check_unused_address(&self, address: IpAddr) -> Result<(), Refusal> {
        match self.find(address).map(|place| self.state(place)) {
            Some(State::Used(held)) => Err(Refusal::InUse { address, owner: held.owner.clone() }),
            _ => Ok(()),
        }
    }
}

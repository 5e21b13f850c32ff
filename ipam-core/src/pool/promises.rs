//! Addresses that are promised away: the node's half of giving an address up.

use core::net::IpAddr;

use ipnet::IpNet;

use super::Ledger;
use super::cidr::Family;
use super::holdings::{Holdings, Place};
use super::refusal::Refusal;
use super::slot::{Kind, State};
use crate::time::Tick;

impl Ledger {
    /// Promises an address away. To promise it again changes nothing.
    ///
    /// # Errors
    /// [`Refusal::InUse`] names the owner; [`Refusal::Withdrawn`] and the refusals of an address
    /// that is not this node's.
    pub fn promise(&mut self, address: IpAddr) -> Result<(), Refusal> {
        let address = address.to_canonical();
        let holdings = self.family_of(address);
        let place = holdings.locate(address)?;
        holdings.check_unused(place)?;
        holdings.promise(place);
        Ok(())
    }

    /// Promises away all addresses of a CIDR, which is one of the node's or part of one, or none.
    ///
    /// # Errors
    /// As [`Ledger::promise`] for the first address in the way, those behind the first ones of a large
    /// CIDR included; [`Refusal::UnknownCidr`], [`Refusal::InPieces`], [`Refusal::CidrHostBits`].
    pub fn promise_cidr(&mut self, cidr: IpNet) -> Result<(), Refusal> {
        let holdings = self.family_of(cidr.addr());
        let places = holdings.locate_cidr(cidr)?;
        places.clone().try_for_each(|place| holdings.check_unused(place))?;
        holdings.check_behind(cidr)?;
        places.for_each(|place| holdings.promise(place));
        Ok(())
    }

    /// Takes a promise back: the address can be handed out again. If it had not finished cooling
    /// down when it was promised, and would not have by now, it cools down anew. Of an address that
    /// has vanished the promise is no longer remembered.
    ///
    /// # Errors
    /// [`Refusal::NotPromised`], and the refusals of an address that is not this node's.
    pub fn withdraw_promise(&mut self, address: IpAddr, now: Tick) -> Result<(), Refusal> {
        self.advance(now);
        let address = address.to_canonical();
        let family = Family::of(address);
        let holdings = &mut self.families[family as usize];
        if holdings.end_vanished_promises(address.into()) {
            return Ok(());
        }
        let place = holdings.locate(address)?;
        holdings.check_promised(place)?;
        self.end_promise(family, place);
        Ok(())
    }

    /// Takes back the promise of all addresses of a CIDR, or of none. Of a CIDR of which promised
    /// addresses have vanished, those promises are no longer remembered.
    ///
    /// # Errors
    /// As [`Ledger::withdraw_promise`] for the first address in the way, and [`Refusal::UnknownCidr`],
    /// [`Refusal::InPieces`], [`Refusal::CidrHostBits`].
    pub fn withdraw_promise_cidr(&mut self, cidr: IpNet, now: Tick) -> Result<(), Refusal> {
        self.advance(now);
        let family = Family::of(cidr.addr());
        let holdings = &mut self.families[family as usize];
        if holdings.end_vanished_promises(cidr) {
            return Ok(());
        }
        let places = holdings.locate_cidr(cidr)?;
        places.clone().try_for_each(|place| holdings.check_promised(place))?;
        places.for_each(|place| self.end_promise(family, place));
        Ok(())
    }

    /// The addresses that are there and promised away, in ascending order, IPv4 before IPv6.
    pub fn promises(&self) -> impl Iterator<Item = IpAddr> {
        self.families.iter().flat_map(Holdings::promises)
    }

    fn end_promise(&mut self, family: Family, place: Place) {
        let holdings = &mut self.families[family as usize];
        let state = match holdings.state(place) {
            State::Promised { cooling_since: Some(since) }
                if self.clock.since(*since) < self.settings.cool_down() =>
            {
                State::Cooling { since: self.clock }
            }
            _ => State::Free,
        };
        holdings.put(place, state);
    }
}

impl Holdings {
    fn promises(&self) -> impl Iterator<Item = IpAddr> {
        let promised = self.states().filter(|(_, state)| state.kind() == Kind::Promised);
        promised.map(|(place, _)| self.address(place))
    }

    /// Promises away an address that is not used.
    fn promise(&mut self, place: Place) {
        let cooling_since = match self.state(place) {
            State::Promised { cooling_since } => *cooling_since,
            State::Cooling { since } => Some(*since),
            _ => None,
        };
        self.put(place, State::Promised { cooling_since });
    }

    fn check_promised(&self, place: Place) -> Result<(), Refusal> {
        if self.state(place).kind() == Kind::Promised {
            return Ok(());
        }
        Err(Refusal::NotPromised { address: self.address(place) })
    }
}

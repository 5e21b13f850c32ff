//! A ledger as plain values.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::Ledger;
use super::cidr::ListedCidr;
use super::holdings::Holdings;
use super::owner::{GrantId, Owner};
use super::slot::{State, Use};
use super::vanished::VanishedAddress;
use crate::time::Tick;

/// All that a ledger knows, apart from its settings. What it does next depends on nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The latest moment that it was told of.
    pub at: Tick,
    /// The id that the next allocation gets.
    pub next_grant: GrantId,
    /// How often an address was handed out before it had finished cooling down.
    pub cooling_cut_short: u64,
    /// The CIDRs in ascending order, IPv4 before IPv6.
    pub cidrs: Vec<SnapshotCidr>,
    /// The used addresses in ascending order.
    pub used: Vec<UsedAddress>,
    /// The cooling addresses, of each family the oldest first.
    pub cooling: Vec<CoolingAddress>,
    /// The promised addresses in ascending order.
    pub promised: Vec<PromisedAddress>,
    /// The addresses that are gone from the listing and remembered, in ascending order.
    pub vanished: Vec<VanishedAddress>,
}

/// A CIDR of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotCidr {
    /// The CIDR and the interface it is on.
    pub listed: ListedCidr,
    /// Whether it was withdrawn and is kept because somebody uses an address of it, or did until the
    /// next listing reports it as removed.
    pub withdrawn: bool,
}

/// An address in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedAddress {
    /// The address.
    pub address: IpAddr,
    /// By which grant.
    pub id: GrantId,
    /// Who holds it.
    pub owner: Owner,
    /// When it was handed out, if its claim is expected and has not come yet.
    pub unclaimed_since: Option<Tick>,
}

/// An address that cools down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoolingAddress {
    /// The address.
    pub address: IpAddr,
    /// When it was given back.
    pub since: Tick,
}

/// An address that is promised away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromisedAddress {
    /// The address.
    pub address: IpAddr,
    /// When it was given back, if it had not finished cooling down when it was promised.
    pub cooling_since: Option<Tick>,
}

impl Ledger {
    /// All that the ledger knows, as plain values in a fixed order.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            at: self.clock,
            next_grant: self.next_grant,
            cooling_cut_short: self.cooling_cut_short,
            cidrs: self.families.iter().flat_map(Holdings::listed).collect(),
            used: self.families.iter().flat_map(Holdings::used).collect(),
            cooling: self.families.iter().flat_map(Holdings::resting).collect(),
            #[cfg(feature = "planted")]
            promised: if crate::planted::is(crate::planted::Bug::PromiseNotPersisted) {
                Vec::new()
            } else {
                self.families.iter().flat_map(Holdings::promised).collect()
            },
            #[cfg(not(feature = "planted"))]
            promised: self.families.iter().flat_map(Holdings::promised).collect(),
            vanished: self.families.iter().flat_map(Holdings::vanished).cloned().collect(),
        }
    }
}

impl Holdings {
    fn listed(&self) -> impl Iterator<Item = SnapshotCidr> {
        self.all_ranges().map(|range| SnapshotCidr {
            listed: range.entry.listed.clone(),
            withdrawn: range.entry.withdrawn,
        })
    }

    fn used(&self) -> impl Iterator<Item = UsedAddress> {
        self.states().filter_map(|(place, state)| match state {
            State::Used(Use { id, owner, unclaimed_since }) => Some(UsedAddress {
                address: self.address(place),
                id: *id,
                owner: owner.clone(),
                unclaimed_since: *unclaimed_since,
            }),
            _ => None,
        })
    }

    fn resting(&self) -> impl Iterator<Item = CoolingAddress> {
        self.cooling().filter_map(|(place, state)| match state {
            State::Cooling { since } => {
                Some(CoolingAddress { address: self.address(place), since: *since })
            }
            _ => None,
        })
    }

    fn promised(&self) -> impl Iterator<Item = PromisedAddress> {
        self.states().filter_map(|(place, state)| match state {
            State::Promised { cooling_since } => {
                let address = self.address(place);
                Some(PromisedAddress { address, cooling_since: *cooling_since })
            }
            _ => None,
        })
    }
}

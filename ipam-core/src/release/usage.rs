//! What an agent says, as far as it is about what leaves its node.

use alloc::collections::{BTreeMap, BTreeSet};
use core::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::step::{Said, State};
use crate::addresses::AddressSet;
use crate::agent::Release;
use crate::ids::EniId;
use crate::prefix::{ADDRESSES_PER_PREFIX, addresses_of};
use crate::view::Contract;

/// What the agent of a node says of its addresses, and what was published for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Whether all that tells of use could be read. If not, nothing is taken away.
    pub is_certain: bool,
    /// The addresses in use (per-IP contract).
    pub used: AddressSet,
    /// What stands in `status.ipam.release-ips`.
    pub releases: BTreeMap<Ipv4Addr, Release>,
    /// The IPv4 addresses that the agent asks for in all (CIDR contract).
    pub requested: u32,
    /// The CIDRs that the agent keeps (CIDR contract).
    pub allocated: BTreeSet<Ipv4Net>,
    /// What was published for the agent: the addresses in `spec.ipam.pool` (per-IP contract), or in `status.eni` (CIDR contract).
    pub listed: AddressSet,
    /// The interfaces in `status.eni`.
    pub shown: BTreeSet<EniId>,
}

/// How many addresses a unit has.
#[must_use]
pub const fn size(net: Ipv4Net) -> u32 {
    if net.prefix_len() == 32 { 1 } else { ADDRESSES_PER_PREFIX }
}

pub(super) fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}

/// [`BusyPrefixReleased`](crate::planted::Bug::BusyPrefixReleased).
#[cfg(feature = "planted")]
fn first_of(net: Ipv4Net) -> Ipv4Net {
    let is_first = crate::planted::is(crate::planted::Bug::BusyPrefixReleased);
    if is_first { net.network().into() } else { net }
}

impl Usage {
    /// Whether the agent says nothing of a unit by which it could not do without it.
    pub(super) fn spares(&self, contract: Contract, net: Ipv4Net) -> bool {
        match contract {
            #[cfg(feature = "planted")]
            Contract::PerIp => !self.used.touches(first_of(net)),
            #[cfg(not(feature = "planted"))]
            Contract::PerIp => !self.used.touches(net),
            // An agent that names nothing at all has not spoken yet.
            Contract::Cidr => !self.allocated.is_empty() && !self.keeps(net),
        }
    }

    /// Whether an address is used, kept, or published for the agent.
    pub(crate) fn names(&self, address: Ipv4Addr) -> bool {
        self.used.contains(address)
            || self.listed.contains(address)
            || self.keeps(Ipv4Net::from(address))
    }

    /// Whether the agent names a unit as its own.
    pub(super) fn keeps(&self, net: Ipv4Net) -> bool {
        self.allocated.iter().any(|kept| overlap(*kept, net))
    }

    fn entries_of(&self, net: Ipv4Net) -> Said {
        #[cfg(feature = "planted")]
        let net = first_of(net);
        let (mut ready, mut other) = (0, 0);
        let mut is_refused = false;
        for address in addresses_of(net) {
            match self.releases.get(&address) {
                Some(Release::Released) => return Said::Released,
                Some(Release::Refused) => is_refused = true,
                Some(Release::Ready) => ready += 1,
                Some(Release::Marked) => other += 1,
                None => {}
            }
        }
        match (is_refused, ready + other) {
            (false, 0) => Said::Nothing,
            (false, _) if self.used.touches(net) => Said::Refused,
            (false, _) if ready == size(net) => Said::Agreed,
            (false, _) => Said::Asked,
            (true, _) => Said::Refused,
        }
    }

    /// What the agent says of a unit in a state.
    pub(super) fn said(&self, contract: Contract, net: Ipv4Net, state: State) -> Said {
        match (contract, state) {
            (Contract::PerIp, _) => self.entries_of(net),
            (Contract::Cidr, State::Gone | State::Told | State::Returned | State::Cancelled) => {
                Said::Nothing
            }
            (Contract::Cidr, _) if self.keeps(net) => Said::Refused,
            (Contract::Cidr, _) if self.listed.touches(net) => Said::Nothing,
            (Contract::Cidr, _) => Said::Agreed,
        }
    }
}

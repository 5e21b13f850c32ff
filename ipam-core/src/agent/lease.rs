//! An address with what its user has to know of the network around it.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::ids::EniId;
use crate::pool::{Claim, GrantId};

/// What an allocation brings (`IPAMResponse` of Cilium's API).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The address.
    pub address: IpAddr,
    /// By which grant.
    pub id: GrantId,
    /// Whether it must still be claimed.
    pub claim: Claim,
    /// The CIDR of the ledger that it is part of.
    pub cidr: IpNet,
    /// The interface it is on.
    pub eni: Arc<EniFacts>,
}

/// What users of an interface's addresses have to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EniFacts {
    /// Which interface.
    pub id: EniId,
    /// Its MAC, in lower case with colons.
    pub mac: String,
    /// Its device index.
    pub number: u32,
    /// The CIDR of its subnet, where it is known.
    pub subnet: Option<Ipv4Net>,
    /// The CIDRs of its VPC, the primary one first.
    pub vpc: Vec<IpNet>,
}

impl EniFacts {
    /// The router of every subnet for IPv6 (EC2 user guide, link-local router of Nitro instances).
    pub const GATEWAY_IPV6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0xec2, 0, 0, 0, 0, 0, 1);

    /// The router of the subnet: its first address after the network's (VPC user guide, subnet CIDR blocks).
    #[must_use]
    pub fn gateway_ipv4(&self) -> Option<Ipv4Addr> {
        let subnet = self.subnet?;
        u32::from(subnet.network()).checked_add(1).map(Ipv4Addr::from)
    }
}

//! What an agent sees: what the metadata of its instance shows, and what the `CiliumNode` says.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::lease::EniFacts;
use crate::ids::{EniId, InstanceId, PodKey};

/// An interface as the metadata of the instance shows it (EC2 user guide, instance metadata categories).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownEni {
    /// What its users have to know.
    pub facts: EniFacts,
    /// The network card; those behind the first carry no pods.
    pub network_card: u32,
    /// Its primary IPv4 address: the first that is shown.
    pub primary: Option<Ipv4Addr>,
    /// The single addresses, the primary one included.
    pub addresses: BTreeSet<IpAddr>,
    /// The delegated prefixes.
    pub prefixes: BTreeSet<IpNet>,
}

/// What the node's `CiliumNode` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// `spec.instance-id`: what is said of another instance means nothing here.
    pub instance: Option<InstanceId>,
    /// `status.eni.enis` without those that carry no pods by `spec.eni` (first interface index, excluded tags).
    pub enis: Vec<WordEni>,
    /// `spec.ipam.pool`, if there is one.
    pub pool: Option<BTreeMap<Ipv4Addr, EniId>>,
    /// `status.ipam.release-ips`.
    pub releases: BTreeMap<Ipv4Addr, Release>,
    /// The addresses in `status.ipam.used`, with their owners as they stand there.
    pub used: BTreeMap<Ipv4Addr, String>,
    /// `spec.ipam.pools.requested` of the default pool: IPv4 and IPv6.
    pub requested: Option<(u32, u32)>,
    /// `spec.ipam.pools.allocated` of the default pool.
    pub allocated: BTreeSet<IpNet>,
    /// `status.ipam.operator-status.error`: what keeps the operator from giving more.
    pub blocked: Option<String>,
}

/// An interface of `status.eni.enis`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordEni {
    /// What its users have to know.
    pub facts: EniFacts,
    /// Its primary address.
    pub primary: Option<Ipv4Addr>,
    /// `addresses`.
    pub addresses: BTreeSet<IpAddr>,
    /// `prefixes` and `ipv6-prefixes`.
    pub prefixes: BTreeSet<IpNet>,
}

/// How far the release of an address is (`status.ipam.release-ips`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// The operator asks for it.
    Marked,
    /// The agent has promised it away.
    Ready,
    /// The agent keeps it.
    Refused,
    /// The operator has unassigned it.
    Released,
}

/// What the host's network says of the interfaces that carry pods. The primary one, with device index 0, needs nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostView {
    /// The interfaces whose device is there, with its routes.
    pub ready: BTreeSet<EniId>,
    /// What keeps others from carrying pods, and what else is wrong.
    pub problems: BTreeMap<EniId, String>,
}

/// An address that somebody was found to use: by the list of the node's pods, or by the host's routes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Which.
    pub address: IpAddr,
    /// The pod, where it is known.
    pub pod: Option<PodKey>,
}

//! The steps that change EC2. Each is one call, and complete: who carries it out has nothing to decide.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::call::Api;
use crate::ids::{AttachmentId, EniId, InstanceId, SecurityGroupId, SubnetId};
use crate::view::{Planned, Tags};

/// One call to EC2 for one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `AssignPrivateIpAddresses` with a count of single addresses.
    AssignAddresses {
        /// The interface, attached to the node.
        eni: EniId,
        /// Its subnet, from which they are taken.
        subnet: SubnetId,
        /// How many, at least 1.
        count: u16,
    },
    /// `AssignPrivateIpAddresses` with a count of /28 prefixes.
    AssignPrefixes {
        /// The interface, attached to the node.
        eni: EniId,
        /// Its subnet, from which they are taken.
        subnet: SubnetId,
        /// How many, at least 1.
        count: u16,
    },
    /// `UnassignPrivateIpAddresses` with single addresses.
    UnassignAddresses {
        /// The interface, attached to the node.
        eni: EniId,
        /// Which, at least one, in ascending order.
        addresses: Vec<Ipv4Addr>,
    },
    /// `UnassignPrivateIpAddresses` with /28 prefixes.
    UnassignPrefixes {
        /// The interface, attached to the node.
        eni: EniId,
        /// Which, at least one, in ascending order.
        prefixes: Vec<Ipv4Net>,
    },
    /// `AssignIpv6Addresses` with one /80 prefix.
    AssignIpv6Prefix {
        /// The interface, attached to the node.
        eni: EniId,
    },
    /// `CreateNetworkInterface`. The interface is attached by a later [`Action::AttachEni`].
    CreateEni(CreateEni),
    /// `AttachNetworkInterface` on network card 0, which is always named: without it EC2 refuses
    /// on types with several cards (Cilium PR #42512).
    AttachEni {
        /// The interface, not attached to anything.
        eni: EniId,
        /// An index on card 0 that nothing else has.
        device_index: u16,
    },
    /// `ModifyNetworkInterfaceAttribute`: let the interface end with its instance.
    SetDeleteOnTermination {
        /// The interface, attached to the node.
        eni: EniId,
        /// The attachment whose attribute it is.
        attachment: AttachmentId,
    },
    /// `DetachNetworkInterface`: an interface that holds nothing and that no pod needs. It is deleted by a later
    /// [`Action::DeleteEni`].
    DetachEni {
        /// The interface, attached to the node and not its primary one.
        eni: EniId,
        /// The attachment that ends.
        attachment: AttachmentId,
    },
    /// `ModifyNetworkInterfaceAttribute`: the security groups of an interface that Berth made.
    SetSecurityGroups {
        /// The interface, attached to the node.
        eni: EniId,
        /// All of them, at least one, sorted.
        groups: Vec<SecurityGroupId>,
    },
    /// `DeleteNetworkInterface`: an interface that was made for a node and that it has no use for.
    DeleteEni {
        /// The interface, attached to nothing.
        eni: EniId,
    },
}

impl Action {
    /// The action of EC2 that carries it out.
    #[must_use]
    pub const fn api(&self) -> Api {
        match self {
            Self::AssignAddresses { .. } | Self::AssignPrefixes { .. } => {
                Api::AssignPrivateIpAddresses
            }
            Self::UnassignAddresses { .. } | Self::UnassignPrefixes { .. } => {
                Api::UnassignPrivateIpAddresses
            }
            Self::AssignIpv6Prefix { .. } => Api::AssignIpv6Addresses,
            Self::CreateEni(_) => Api::CreateNetworkInterface,
            Self::AttachEni { .. } => Api::AttachNetworkInterface,
            Self::SetDeleteOnTermination { .. } | Self::SetSecurityGroups { .. } => {
                Api::ModifyNetworkInterfaceAttribute
            }
            Self::DetachEni { .. } => Api::DetachNetworkInterface,
            Self::DeleteEni { .. } => Api::DeleteNetworkInterface,
        }
    }

    /// The interface it is about; `None` for one that is still to be made.
    #[must_use]
    pub const fn eni(&self) -> Option<&EniId> {
        match self {
            Self::AssignAddresses { eni, .. }
            | Self::AssignPrefixes { eni, .. }
            | Self::UnassignAddresses { eni, .. }
            | Self::UnassignPrefixes { eni, .. }
            | Self::AssignIpv6Prefix { eni }
            | Self::AttachEni { eni, .. }
            | Self::SetDeleteOnTermination { eni, .. }
            | Self::DetachEni { eni, .. }
            | Self::SetSecurityGroups { eni, .. }
            | Self::DeleteEni { eni } => Some(eni),
            Self::CreateEni(_) => None,
        }
    }

    /// The subnet whose IPv4 addresses the action takes, and how many.
    #[must_use]
    pub fn asks_of_subnet(&self) -> Option<(&SubnetId, Planned)> {
        match self {
            Self::AssignAddresses { subnet, count, .. } => {
                Some((subnet, Ipv4Ask::Addresses(*count).planned()))
            }
            Self::AssignPrefixes { subnet, count, .. } => {
                Some((subnet, Ipv4Ask::Prefixes(*count).planned()))
            }
            Self::CreateEni(create) => {
                let mut planned = create.ipv4.planned();
                planned.addresses += 1;
                Some((&create.subnet, planned))
            }
            Self::UnassignAddresses { .. }
            | Self::UnassignPrefixes { .. }
            | Self::AssignIpv6Prefix { .. }
            | Self::AttachEni { .. }
            | Self::SetDeleteOnTermination { .. }
            | Self::DetachEni { .. }
            | Self::SetSecurityGroups { .. }
            | Self::DeleteEni { .. } => None,
        }
    }

    /// What the action takes off its interface, single addresses as /32.
    pub fn gives_back(&self) -> impl Iterator<Item = Ipv4Net> + '_ {
        let (addresses, prefixes): (&[Ipv4Addr], &[Ipv4Net]) = match self {
            Self::UnassignAddresses { addresses, .. } => (addresses, &[]),
            Self::UnassignPrefixes { prefixes, .. } => (&[], prefixes),
            _ => (&[], &[]),
        };
        addresses.iter().copied().map(Ipv4Net::from).chain(prefixes.iter().copied())
    }
}

/// One line for people who read logs and plans.
impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AssignAddresses { eni, subnet, count } => {
                write!(out, "assign {count} addresses of {subnet} to {eni}")
            }
            Self::AssignPrefixes { eni, subnet, count } => {
                write!(out, "assign {count} prefixes of {subnet} to {eni}")
            }
            Self::UnassignAddresses { eni, addresses } => {
                write!(out, "take {} off {eni}", Listed(addresses))
            }
            Self::UnassignPrefixes { eni, prefixes } => {
                write!(out, "take {} off {eni}", Listed(prefixes))
            }
            Self::AssignIpv6Prefix { eni } => write!(out, "assign an IPv6 prefix to {eni}"),
            Self::CreateEni(create) => write!(out, "{create}"),
            Self::AttachEni { eni, device_index } => {
                write!(out, "attach {eni} at index {device_index}")
            }
            Self::SetDeleteOnTermination { eni, .. } => {
                write!(out, "let {eni} end with its instance")
            }
            Self::DetachEni { eni, .. } => write!(out, "detach {eni}, which holds nothing"),
            Self::SetSecurityGroups { eni, groups } => {
                write!(out, "put {eni} behind {}", Listed(groups))
            }
            Self::DeleteEni { eni } => write!(out, "delete {eni}, which is attached to nothing"),
        }
    }
}

/// All of a list, with commas, for people.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a, T>(pub &'a [T]);

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, item) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(out, "{comma}{item}")?;
        }
        Ok(())
    }
}

/// The description of every interface made for an instance. Cilium's operator writes the same, so
/// that either can tell whose an interface is after the other made it.
#[must_use]
pub fn eni_description(instance: &InstanceId) -> String {
    format!("Cilium-CNI ({instance})")
}

/// Everything a new interface is made with, so that no second call is needed to fill it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateEni {
    /// Where it is made.
    pub subnet: SubnetId,
    /// Its security groups, at least one, sorted.
    pub security_groups: Vec<SecurityGroupId>,
    /// What it holds beside its primary address.
    pub ipv4: Ipv4Ask,
    /// Whether it gets a /80 prefix.
    pub ipv6_prefix: bool,
    /// The index it will be attached at, reserved from now on.
    pub device_index: u16,
    /// `Cilium-CNI (<instance>)`: names the instance it is meant for.
    pub description: String,
    /// Its tags. The time of creation is added by whoever knows the time.
    pub tags: Tags,
}

impl fmt::Display for CreateEni {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subnet, index) = (&self.subnet, self.device_index);
        write!(out, "create an interface in {subnet} for index {index} with ")?;
        match self.ipv4 {
            Ipv4Ask::Addresses(count) => write!(out, "{count} addresses")?,
            Ipv4Ask::Prefixes(count) => write!(out, "{count} prefixes")?,
        }
        if self.ipv6_prefix { out.write_str(" and an IPv6 prefix") } else { Ok(()) }
    }
}

/// What a new interface holds of IPv4 beside its primary address. EC2 takes one form or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ipv4Ask {
    /// That many single secondary addresses; 0 is legal.
    Addresses(u16),
    /// That many /28 prefixes.
    Prefixes(u16),
}

/// What one /28 prefix adds.
pub const ADDRESSES_PER_PREFIX: u32 = 16;

impl Ipv4Ask {
    /// How many addresses it adds for pods, the primary address not counted.
    #[must_use]
    pub fn addresses(self) -> u32 {
        match self {
            Self::Addresses(count) => u32::from(count),
            Self::Prefixes(count) => u32::from(count) * ADDRESSES_PER_PREFIX,
        }
    }

    /// What it takes from its subnet, the primary address not counted.
    fn planned(self) -> Planned {
        let prefixes = match self {
            Self::Addresses(_) => 0,
            Self::Prefixes(count) => u32::from(count),
        };
        Planned { addresses: self.addresses(), prefixes }
    }
}

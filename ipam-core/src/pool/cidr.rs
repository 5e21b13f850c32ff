//! Families of addresses, and CIDRs as runs of addresses that can be handed out.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::ids::EniId;

/// Of a larger CIDR only this many addresses are handed out, the first ones: more than any node has
/// pods (no more than 110, says Kubernetes, "Considerations for large clusters"), and few enough that each
/// one of an IPv6 /80 can be kept account of.
pub const ADDRESSES_PER_CIDR_MAX: usize = 4096;

/// Addresses of one family in one ledger: 64 interfaces, more than any instance has, with an IPv6
/// prefix each. The most IPv4 there can be, 64 slots with a /28 each on all of them, is a quarter.
pub const ADDRESSES_MAX: usize = 64 * ADDRESSES_PER_CIDR_MAX;

/// A family of addresses. The ledger treats the two alike and apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Version 4.
    Ipv4,
    /// Version 6.
    Ipv6,
}

impl Family {
    /// Both families.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// The shortest CIDR that is accepted: the largest subnet that EC2 makes of IPv4 (EC2 user guide,
    /// "Subnet CIDR blocks"), the size of one link of IPv6 (RFC 4291). A node is given far less.
    const fn shortest_cidr(self) -> u8 {
        match self {
            Self::Ipv4 => 16,
            Self::Ipv6 => 64,
        }
    }

    /// The address with the number `key` in this family: the reverse of [`key_of`].
    pub(super) fn address(self, key: u128) -> IpAddr {
        match self {
            Self::Ipv4 => {
                let [.., a, b, c, d] = key.to_be_bytes();
                Ipv4Addr::new(a, b, c, d).into()
            }
            Self::Ipv6 => Ipv6Addr::from_bits(key).into(),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

/// An address as a number within its family.
pub(super) fn key_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// A CIDR that was seen on an interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedCidr {
    /// The CIDR: a prefix of EC2, a single address as /32 or /128, or part of a cluster's pool.
    pub cidr: IpNet,
    /// The interface it is on.
    pub eni: EniId,
}

impl fmt::Display for ListedCidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} on {}", self.cidr, self.eni)
    }
}

/// Why a CIDR is not used. The others are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCidr {
    /// Its address has bits outside its prefix length, so it is unclear what was meant.
    #[error("{listed} has host bits set: expected {}", listed.cidr.trunc())]
    HostBits {
        /// The CIDR as it was given.
        listed: ListedCidr,
    },
    /// It has addresses that no pod can have, or that would be the same as others in another form.
    #[error("{listed} has {purpose} addresses: expected unicast addresses of a network")]
    NotUnicast {
        /// The CIDR as it was given.
        listed: ListedCidr,
        /// What such addresses are for.
        purpose: &'static str,
    },
    /// No node is given so much.
    #[error("{listed} is too large: expected /{shortest} or longer")]
    TooLarge {
        /// The CIDR as it was given.
        listed: ListedCidr,
        /// The shortest prefix length of its family.
        shortest: u8,
    },
    /// Another entry of the same list, which is used, has addresses of it. The larger one wins; of
    /// two that are equal, the one on the interface with the lower id.
    #[error("{listed} overlaps {other}")]
    Overlap {
        /// The CIDR as it was given.
        listed: ListedCidr,
        /// The entry that is used.
        other: ListedCidr,
    },
    /// With it there would be more than [`ADDRESSES_MAX`] addresses of its family.
    #[error("{listed} is one too many: expected at most {ADDRESSES_MAX} addresses")]
    TooMany {
        /// The CIDR as it was given.
        listed: ListedCidr,
    },
}

/// Addresses that cannot be a pod's (RFC 6890 and RFC 4291): CIDRs and what they are for.
const fn reserved() -> [(IpNet, &'static str); 10] {
    const fn ipv4(a: u8, b: u8, c: u8, d: u8, length: u8) -> IpNet {
        IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
    }
    const fn ipv6(first: u16, sixth: u16, last: u16, length: u8) -> IpNet {
        let address = Ipv6Addr::new(first, 0, 0, 0, 0, sixth, 0, last);
        IpNet::V6(Ipv6Net::new_assert(address, length))
    }
    [
        (ipv4(0, 0, 0, 0, 8), "unspecified"),
        (ipv4(127, 0, 0, 0, 8), "loopback"),
        (ipv4(169, 254, 0, 0, 16), "link-local"),
        (ipv4(224, 0, 0, 0, 4), "multicast"),
        (ipv4(255, 255, 255, 255, 32), "broadcast"),
        (ipv6(0, 0, 0, 128), "unspecified"),
        (ipv6(0, 0, 1, 128), "loopback"),
        (ipv6(0, 0xffff, 0, 96), "IPv4-mapped"),
        (ipv6(0xfe80, 0, 0, 10), "link-local"),
        (ipv6(0xff00, 0, 0, 8), "multicast"),
    ]
}

fn meet(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

impl InvalidCidr {
    /// A short fixed name, fit for a metric label.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::HostBits { .. } => "host_bits",
            Self::NotUnicast { .. } => "not_unicast",
            Self::TooLarge { .. } => "too_large",
            Self::Overlap { .. } => "overlap",
            Self::TooMany { .. } => "too_many",
        }
    }
}

/// The addresses of a CIDR that can be handed out: its first ones, network address included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) family: Family,
    /// The number of the first address.
    pub(super) first: u128,
    /// How many there are: a power of two, at most [`ADDRESSES_PER_CIDR_MAX`].
    pub(super) length: usize,
}

impl Span {
    /// Checks a CIDR by itself.
    pub(super) fn of(listed: &ListedCidr) -> Result<Self, InvalidCidr> {
        let cidr = listed.cidr;
        let shortest = Family::of(cidr.addr()).shortest_cidr();
        if cidr.addr() != cidr.network() {
            return Err(InvalidCidr::HostBits { listed: listed.clone() });
        }
        if cidr.prefix_len() < shortest {
            return Err(InvalidCidr::TooLarge { listed: listed.clone(), shortest });
        }
        if let Some((_, purpose)) = reserved().into_iter().find(|(net, _)| meet(net, &cidr)) {
            return Err(InvalidCidr::NotUnicast { listed: listed.clone(), purpose });
        }
        Ok(Self::from(cidr))
    }

    /// Which of its addresses has the number `key`, if one has.
    pub(super) fn offset_of(&self, key: u128) -> Option<usize> {
        let offset = usize::try_from(key.checked_sub(self.first)?).ok()?;
        (offset < self.length).then_some(offset)
    }
}

impl From<IpNet> for Span {
    fn from(cidr: IpNet) -> Self {
        let host_bits = u32::from(cidr.max_prefix_len() - cidr.prefix_len());
        Self {
            family: Family::of(cidr.addr()),
            first: key_of(cidr.network()),
            length: 1 << host_bits.min(ADDRESSES_PER_CIDR_MAX.ilog2()),
        }
    }
}

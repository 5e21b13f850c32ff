//! What an agent writes into its `CiliumNode`.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::net::Ipv4Addr;

use ipnet::IpNet;

use super::word::Release;
use crate::ids::EniId;
use crate::pool::Owner;

/// Tells publications apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicationId(pub u64);

/// What is to be written. One at a time: the next one comes when this one's end is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publication {
    /// The per-IP contract: `status.ipam.used` and the answers in `status.ipam.release-ips`.
    Used {
        /// All used addresses, with the owner and the interface.
        used: BTreeMap<Ipv4Addr, (Owner, EniId)>,
        /// What becomes of entries of `release-ips`: an answer, or `None` where the entry goes.
        releases: BTreeMap<Ipv4Addr, Option<Release>>,
    },
    /// The CIDR contract: `spec.ipam.pools`.
    Pools {
        /// `requested` of the default pool: IPv4 and IPv6.
        requested: (u32, u32),
        /// `allocated` of the default pool.
        allocated: BTreeSet<IpNet>,
    },
}

/// What became of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// It is written.
    Written,
    /// It is not, or nobody knows.
    Failed {
        /// Why.
        problem: String,
    },
}

//! Why the ledger does not do what it was asked.

use core::net::IpAddr;

use ipnet::IpNet;

use super::cidr::{ADDRESSES_PER_CIDR_MAX, Family};
use super::owner::{GrantId, Owner};
use super::report::Tally;

/// Why the ledger does not do what it was asked. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is free, and nothing is cooling down that could be taken early.
    #[error("no {family} address is free: {tally}")]
    Exhausted {
        /// The family that was asked for.
        family: Family,
        /// Where all the addresses are.
        tally: Tally,
    },
    /// No CIDR of the node has the address.
    #[error("{address} is not an address of this node")]
    Unknown {
        /// The address.
        address: IpAddr,
    },
    /// The address lies in a large CIDR of the node, behind those that are handed out.
    #[error("{address} is not among the first {ADDRESSES_PER_CIDR_MAX} addresses of {cidr}")]
    Beyond {
        /// The address.
        address: IpAddr,
        /// The CIDR it lies in.
        cidr: IpNet,
    },
    /// A CIDR that was promised lies in none of the node.
    #[error("{cidr} is not a CIDR of this node, nor part of one")]
    UnknownCidr {
        /// The CIDR.
        cidr: IpNet,
    },
    /// A CIDR whose address has bits outside its prefix length, so that it is unclear what was meant.
    #[error("{cidr} has host bits set: expected {}", cidr.trunc())]
    CidrHostBits {
        /// The CIDR.
        cidr: IpNet,
    },
    /// A CIDR that the node has only in smaller pieces, which have to be named one by one.
    #[error("{cidr} is not listed as a whole: name its pieces one by one")]
    InPieces {
        /// The CIDR.
        cidr: IpNet,
    },
    /// The address lies in a CIDR that the node has no more, apart from what is used of it.
    #[error("{address} is no longer this node's: {cidr} was withdrawn")]
    Withdrawn {
        /// The address.
        address: IpAddr,
        /// The CIDR it lies in.
        cidr: IpNet,
    },
    /// Somebody holds the address.
    #[error("{address} is used by {owner}")]
    InUse {
        /// The address.
        address: IpAddr,
        /// Who holds it.
        owner: Owner,
    },
    /// The address is promised away.
    #[error("{address} is promised away")]
    Promised {
        /// The address.
        address: IpAddr,
    },
    /// The address is not promised away.
    #[error("{address} is not promised away")]
    NotPromised {
        /// The address.
        address: IpAddr,
    },
    /// Nobody holds the address.
    #[error("{address} is not used by anybody")]
    NotUsed {
        /// The address.
        address: IpAddr,
    },
    /// Another one holds the address, so that a late or repeated request to release it is refused.
    #[error("{address} is used by {holder}, not by {owner}")]
    HeldByAnother {
        /// The address.
        address: IpAddr,
        /// Who holds it.
        holder: Owner,
        /// On whose behalf it was to be released.
        owner: Owner,
    },
    /// The owner holds its one address of the family already.
    #[error("{owner} holds {address} already")]
    HoldsAnother {
        /// The owner.
        owner: Owner,
        /// What it holds.
        address: IpAddr,
    },
    /// The address does not wait for a claim.
    #[error("{address} does not wait for a claim")]
    NoClaimExpected {
        /// The address.
        address: IpAddr,
    },
    /// The address is used by another grant than the one that was named, so that a late or repeated
    /// request changes nothing.
    #[error("{address} is used by grant {standing}, not by grant {given}")]
    AnotherGrant {
        /// The address.
        address: IpAddr,
        /// The grant by which it is used.
        standing: GrantId,
        /// The grant that was named.
        given: GrantId,
    },
}

impl Refusal {
    /// A short fixed name, fit for a metric label.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Exhausted { .. } => "exhausted",
            Self::Unknown { .. } => "unknown",
            Self::Beyond { .. } => "beyond",
            Self::UnknownCidr { .. } => "unknown_cidr",
            Self::CidrHostBits { .. } => "host_bits",
            Self::InPieces { .. } => "in_pieces",
            Self::Withdrawn { .. } => "withdrawn",
            Self::InUse { .. } => "in_use",
            Self::Promised { .. } => "promised",
            Self::NotPromised { .. } => "not_promised",
            Self::NotUsed { .. } => "not_used",
            Self::HeldByAnother { .. } => "held_by_another",
            Self::HoldsAnother { .. } => "holds_another",
            Self::NoClaimExpected { .. } => "no_claim_expected",
            Self::AnotherGrant { .. } => "another_grant",
        }
    }
}

//! Who holds an address, and how a holder confirms it.

use core::fmt;
use core::str::FromStr;

use crate::ids::{InvalidId, PodKey};

/// Who holds an address. Written `namespace/pod`, `router`, `health` or `ingress`, as Cilium's
/// agents write it into `status.ipam.used`, or `unknown`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A pod. It may hold several addresses of a family: a new sandbox asks before the address of
    /// the old one is given back.
    Pod(PodKey),
    /// The node's own address among the pods. At most one a family, like the next two.
    Router,
    /// The node's health endpoint.
    Health,
    /// The node's ingress proxy.
    Ingress,
    /// Somebody who is not known by name, such as the user of an address that the host has a route
    /// for. May hold several.
    Unknown,
}

impl Owner {
    /// Its number among those who hold at most one address of a family.
    pub(super) const fn role(&self) -> Option<usize> {
        match self {
            Self::Pod(_) | Self::Unknown => None,
            Self::Router => Some(0),
            Self::Health => Some(1),
            Self::Ingress => Some(2),
        }
    }
}

/// How many owners have a role.
pub(super) const ROLES: usize = 3;

impl FromStr for Owner {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text {
            "router" => Ok(Self::Router),
            "health" => Ok(Self::Health),
            "ingress" => Ok(Self::Ingress),
            "unknown" => Ok(Self::Unknown),
            _ if text.contains('/') => text.parse().map(Self::Pod),
            _ => Err(InvalidId {
                kind: "an owner",
                text: text.into(),
                expected: "`namespace/pod`, `router`, `health`, `ingress` or `unknown`",
            }),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod(pod) => fmt::Display::fmt(pod, formatter),
            Self::Router => formatter.write_str("router"),
            Self::Health => formatter.write_str("health"),
            Self::Ingress => formatter.write_str("ingress"),
            Self::Unknown => formatter.write_str("unknown"),
        }
    }
}

/// Whether an allocation must be confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is given back unless it is claimed in time: whoever asked may be gone by then.
    Expected,
    /// It stands.
    NotNeeded,
}

/// Names one allocation. Never used twice by a ledger, nor by one that was restored from it, so that
/// a request that comes late or twice cannot be taken for one about a later allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId(u64);

impl GrantId {
    /// The first one of a new ledger.
    pub(super) const FIRST: Self = Self(1);

    /// A ledger is restored only if its next id is below this: the numbers that every reader of JSON
    /// keeps exactly (RFC 8259, section 6), and far enough from the end never to come round again.
    pub(super) const END: Self = Self(1 << 53);

    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The id with this number.
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// The number, for the wire.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// Who asks for an address to be released: what is known of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By<'a> {
    /// The holder of this very grant. Safe: it never cuts off a later one.
    Grant(GrantId),
    /// An owner, whichever grant it holds. It cannot tell the sandboxes of one pod apart: a repeated
    /// request for the last one takes the address from the next one. Only for owners that have no
    /// sandboxes, and for the `/v1/ipam` calls of Cilium's agents, which name no grant.
    Owner(&'a Owner),
    /// Somebody who knows that the address is no longer used, whoever held it.
    Anyone,
}

//! Which contract a node speaks, and whether it is to be left alone.

use ipam_core::view::Contract;

use crate::ipam::{Pools, RequestedPool};
use crate::{CiliumNode, DEFAULT_POOL};

/// Annotation by which a node asks operators to leave it alone, with the value `true` in any case.
/// The object then gets no write at all.
pub const IGNORE_ANNOTATION: &str = "ipam.cilium.io/ignore";

/// The contract of a node's agent, judged by what the agent wrote last.
///
/// It is the CIDR contract when `spec.ipam.pools.requested` has an entry for the pool `default`,
/// even one that needs nothing, and `status.ipam.used` is empty. Everything else is the per-IP
/// contract: a new node until its agent's first request, and a node whose agent was rolled back,
/// which fills `used` again and leaves its old request behind. Recorded from both operators.
#[must_use]
pub fn contract(node: &CiliumNode) -> Contract {
    let status = node.status.as_ref().and_then(|status| status.ipam.as_ref());
    let used = status.and_then(|ipam| ipam.used.as_ref());
    let in_use = used.is_some_and(|used| !used.is_empty());
    let pools = node.spec.ipam.as_ref().and_then(|ipam| ipam.pools.as_ref());
    if !in_use && pools.and_then(Pools::default_request).is_some() {
        Contract::Cidr
    } else {
        Contract::PerIp
    }
}

/// Whether the node asks operators to leave it alone.
#[must_use]
pub fn is_ignored(node: &CiliumNode) -> bool {
    let annotations = node.metadata.annotations.as_ref();
    let value = annotations.and_then(|annotations| annotations.get(IGNORE_ANNOTATION));
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

impl Pools {
    /// The demand for the pool of ENI mode, with its index in `requested`.
    pub(crate) fn default_request(&self) -> Option<(usize, &RequestedPool)> {
        let mut requested = self.requested.iter().flatten().enumerate();
        requested.find(|(_, request)| request.pool.as_deref() == Some(DEFAULT_POOL))
    }
}

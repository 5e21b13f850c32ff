//! What is to be published of a node.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use cilium_node::convert::{eni_status, pool};
use cilium_node::{Allocations, EniStatus};
use ipam_core::addresses::AddressSet;
use ipam_core::agent::Release;
use ipam_core::capacity::instance_minimum;
use ipam_core::managed::left_alone;
use ipam_core::policy::Policy;
use ipam_core::reconcile::{GivingBack, Obstacle};
use ipam_core::view::{Contract, EniView, NetworkView, NodeView};
use ipnet::Ipv4Net;

use super::telling::WantedError;
use crate::kubernetes::digest::Digest;
use crate::kubernetes::observed::Member;

/// What the object of a node should hold of what the operator owns.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// `status.eni`.
    pub eni_status: EniStatus,
    /// `spec.ipam.pool`.
    pub pool: WantedPool,
    /// `spec.ipam.pre-allocate` where it is absent or 0; 0 leaves it so.
    pub pre_allocate: u32,
    /// `status.ipam.operator-status.error`.
    pub error: WantedError,
    /// What should be different in `status.ipam.release-ips`; `None`: there should be no entry.
    pub releases: BTreeMap<Ipv4Addr, Option<Release>>,
}

/// What `spec.ipam.pool` should hold.
#[derive(Debug, Clone, PartialEq)]
pub enum WantedPool {
    /// These addresses and no others: the node's agent takes its addresses from there.
    Exactly(Allocations),
    /// Nothing of ours: the node's agent does not read it. A pool that somebody left there stays, as long as
    /// `status.eni` has all of its addresses (agents check that).
    LeftOver,
}

/// What is to be published of a node: all attached interfaces but those that are about to be detached, for an agent of the per-IP
/// contract the addresses of the managed ones, what keeps it from more, and what becomes of addresses that leave it.
#[must_use]
pub fn render(
    node: &NodeView,
    network: &NetworkView,
    policy: &Policy,
    obstacle: Obstacle<'_>,
    giving_back: GivingBack,
) -> Wanted {
    let settings = &node.settings;
    let use_primary = settings.use_primary_address;
    let GivingBack { entries, withheld, hidden } = giving_back;
    let given = without(&node.enis, &withheld);
    let managed = given.iter().filter(|eni| left_alone(eni, settings, policy).is_none());
    let pool = match node.demand.contract() {
        Contract::PerIp => WantedPool::Exactly(pool(managed, use_primary).unwrap_or_default()),
        Contract::Cidr => WantedPool::LeftOver,
    };
    // Agents of the per-IP contract take nothing from there. But of an object that was just made nobody knows which its agent speaks.
    let shown = given.iter().filter(|eni| !hidden.contains(&eni.id));
    Wanted {
        eni_status: eni_status(shown, network, use_primary),
        pool,
        pre_allocate: instance_minimum(node.limits, settings.first_interface_index),
        error: obstacle.into(),
        releases: entries,
    }
}

/// Interfaces without what their agent is not to have for now.
fn without<'a>(enis: &'a [EniView], withheld: &[Ipv4Net]) -> Cow<'a, [EniView]> {
    if withheld.is_empty() {
        return Cow::Borrowed(enis);
    }
    let is_given = |net: Ipv4Net| !withheld.iter().any(|it| it.contains(&net) || net.contains(it));
    let mut given = enis.to_vec();
    for eni in &mut given {
        eni.ipv4.addresses.retain(|address| is_given(Ipv4Net::from(*address)));
        eni.ipv4.prefixes.retain(|prefix| is_given(*prefix));
    }
    Cow::Owned(given)
}

impl Wanted {
    /// `status.eni` in short.
    pub(super) fn eni_member(&self) -> Member {
        let status = &self.eni_status;
        if status.enis.as_ref().is_none_or(BTreeMap::is_empty) && status.unknown.is_empty() {
            return Member::Empty;
        }
        Digest::of(status).map_or(Member::Empty, Member::Filled)
    }

    /// The addresses in `status.eni`.
    pub(super) fn listed(&self) -> AddressSet {
        let enis = self.eni_status.enis.iter().flat_map(BTreeMap::values);
        let addresses = enis.flat_map(|eni| eni.addresses.iter().flatten());
        addresses.filter_map(|text| text.parse::<Ipv4Addr>().ok()).collect()
    }
}

/// A pool in short.
pub(super) fn pool_member(pool: &Allocations) -> Member {
    if pool.is_empty() {
        return Member::Empty;
    }
    Digest::of(pool).map_or(Member::Empty, Member::Filled)
}

/// The part of a pool whose addresses are in `listed`.
pub(super) fn pool_within(pool: &Allocations, listed: &AddressSet) -> Allocations {
    let known = |address: &str| address.parse().is_ok_and(|address| listed.contains(address));
    let kept = pool.iter().filter(|(address, _)| known(address));
    kept.map(|(address, allocation)| (address.clone(), allocation.clone())).collect()
}

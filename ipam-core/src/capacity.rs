//! What an instance can hold, and what of it is taken.
//!
//! Two kinds of figures. Slots are physical: an interface has as many as its type allows addresses,
//! the primary address takes one, and so does each single address and each prefix. The others are the
//! capacity figures that Cilium's operator reports and caps by, and that existing dashboards read.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use ipnet::Ipv4Net;
use limits::Limits;

use crate::action::{ADDRESSES_PER_PREFIX, Action};
use crate::managed::left_alone;
use crate::policy::{Policy, Watermarks};
use crate::view::{AttachmentState, EniView, NodeSettings, NodeView};

/// Whether prefixes may be used on the node: enabled for all, not disabled for it, and its type takes them.
#[must_use]
pub fn prefix_capable(node: &NodeView, policy: &Policy) -> bool {
    policy.prefix_delegation()
        && !node.settings.disable_prefix_delegation
        && node.limits.is_some_and(Limits::supports_prefixes)
}

/// Whether Cilium's operator would count the whole node as prefix-delegated: it is capable, and no
/// attached interface has single addresses without a prefix beside them.
///
/// Only the reported figures go by this. The planner decides per interface, so that one interface with
/// single addresses does not turn the whole node away from prefixes for good (cilium/cilium#46644).
#[must_use]
pub fn prefix_delegated(node: &NodeView, policy: &Policy) -> bool {
    let single_only =
        |eni: &EniView| !eni.ipv4.addresses.is_empty() && eni.ipv4.prefixes.is_empty();
    prefix_capable(node, policy) && !on_card_0(node).any(|(eni, _)| single_only(eni))
}

/// How many addresses for pods the instance may have in all, the cap where `max-allocate` says nothing.
/// `None` when `first_index` is not known. Primary addresses never count, as in Cilium's operator.
///
/// `Some(0)` means that no interface may be managed: all of them are below `first_index`. (Cilium's
/// operator reads its 0 as "no maximum" there.)
#[must_use]
pub fn instance_maximum(limits: Limits, first_index: Option<u16>, prefixes: bool) -> Option<u32> {
    let per_slot = if prefixes { ADDRESSES_PER_PREFIX } else { 1 };
    first_index.map(|first| single_addresses(limits, first).saturating_mul(per_slot))
}

/// The value that seeds `pre-allocate` where it is 0: the default, or less on an instance that cannot
/// hold that many. Not multiplied for prefixes, as in Cilium's operator.
#[must_use]
pub fn instance_minimum(limits: Option<Limits>, first_index: Option<u16>) -> u32 {
    let default = Watermarks::PRE_ALLOCATE_DEFAULT.unsigned_abs();
    let most = limits.zip(first_index).map(|(limits, first)| single_addresses(limits, first));
    most.map_or(default, |most| most.min(default))
}

/// Secondary addresses on all interfaces from `first_index` on.
fn single_addresses(limits: Limits, first_index: u16) -> u32 {
    let enis = u32::from(limits.enis.saturating_sub(first_index));
    enis.saturating_mul(u32::from(limits.ipv4_per_eni).saturating_sub(1))
}

/// IPv4 slots that are free on an interface. Each takes a single address or a whole prefix.
#[must_use]
pub fn free_slots(eni: &EniView, limits: Limits) -> u32 {
    let taken = 1 + count(&eni.ipv4.addresses) + count(&eni.ipv4.prefixes);
    #[cfg(feature = "planted")]
    let taken = taken - u32::from(crate::planted::is(crate::planted::Bug::LimitsOffByOne));
    u32::from(limits.ipv4_per_eni).saturating_sub(taken)
}

/// IPv6 slots that are free on an interface.
#[must_use]
pub fn free_ipv6_slots(eni: &EniView, limits: Limits) -> u32 {
    let taken = count(&eni.ipv6.addresses) + count(&eni.ipv6.prefixes);
    u32::from(limits.ipv6_per_eni).saturating_sub(taken)
}

/// Interfaces that network card 0 can still take.
#[must_use]
pub fn empty_slots(node: &NodeView, limits: Limits) -> u32 {
    u32::from(limits.enis)
        .saturating_sub(u32::try_from(on_card_0(node).count()).unwrap_or(u32::MAX))
}

/// The interfaces that take a slot and an index of network card 0, managed or not.
pub(crate) fn on_card_0(node: &NodeView) -> impl Iterator<Item = (&EniView, u16)> {
    node.enis.iter().filter_map(|eni| {
        let attachment =
            eni.attachment.as_ref().filter(|attachment| attachment.network_card == 0)?;
        Some((eni, attachment.device_index))
    })
}

/// The interfaces whose addresses are the node's to use: managed, attached or about to be.
pub(crate) fn managed<'a>(
    node: &'a NodeView,
    policy: &'a Policy,
) -> impl Iterator<Item = &'a EniView> {
    let serves =
        |eni: &&EniView| eni.state().is_some_and(|state| state != AttachmentState::Detaching);
    node.enis
        .iter()
        .filter(serves)
        .filter(move |eni| left_alone(eni, &node.settings, policy).is_none())
}

/// Addresses for pods on one interface.
#[must_use]
pub fn addresses_on(eni: &EniView, settings: &NodeSettings) -> u32 {
    count(&eni.ipv4.addresses)
        + count(&eni.ipv4.prefixes) * ADDRESSES_PER_PREFIX
        + u32::from(settings.use_primary_address)
}

/// Distinct addresses for pods on all managed interfaces. A single address or a prefix that two
/// interfaces show, as a stale reading may, counts once. What is on its way off them does not count.
#[must_use]
pub fn available(node: &NodeView, policy: &Policy) -> u32 {
    let mut addresses: Vec<Ipv4Addr> = Vec::new();
    let mut prefixes: Vec<Ipv4Net> = Vec::new();
    for eni in managed(node, policy) {
        addresses.extend(&eni.ipv4.addresses);
        prefixes.extend(&eni.ipv4.prefixes);
        if node.settings.use_primary_address {
            addresses.push(eni.ipv4.primary);
        }
    }
    let leaving: BTreeSet<Ipv4Net> = node.in_flight.iter().flat_map(Action::gives_back).collect();
    if !leaving.is_empty() {
        addresses.retain(|address| !leaving.contains(&Ipv4Net::from(*address)));
        prefixes.retain(|prefix| !leaving.contains(prefix));
    }
    sort_distinct(&mut addresses);
    sort_distinct(&mut prefixes);
    count(&addresses) + count(&prefixes) * ADDRESSES_PER_PREFIX
}

fn sort_distinct<T: Ord>(items: &mut Vec<T>) {
    items.sort_unstable();
    items.dedup();
}

/// The figures of one node that Cilium's dashboards show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Addresses for pods the node could hold (`cilium_operator_ipam_available_ips`).
    pub capacity: u32,
    /// Interfaces that card 0 can still take.
    pub empty_slots: u32,
    /// Managed interfaces that can take more, and empty slots.
    pub remaining_interfaces: u32,
    /// [`instance_maximum`] in the mode of the node.
    pub maximum: Option<u32>,
}

/// The figures of a node, `None` while its limits are not known.
#[must_use]
pub fn figures(node: &NodeView, policy: &Policy) -> Option<Figures> {
    let limits = node.limits?;
    let delegated = prefix_delegated(node, policy);
    let most = |eni: Option<&EniView>| most_on(eni, limits, &node.settings, delegated);
    let mut capacity = u32::from(limits.enis).saturating_mul(most(None));
    let mut remaining_interfaces = empty_slots(node, limits);
    for (eni, _) in on_card_0(node) {
        if left_alone(eni, &node.settings, policy).is_some() {
            capacity = capacity.saturating_sub(most(Some(eni)));
        } else if addresses_on(eni, &node.settings) < most(Some(eni)) {
            remaining_interfaces += 1;
        }
        if !delegated {
            capacity += count(&eni.ipv4.prefixes) * (ADDRESSES_PER_PREFIX - 1);
        }
    }
    let empty_slots = empty_slots(node, limits);
    let maximum = instance_maximum(limits, node.settings.first_interface_index, delegated);
    Some(Figures { capacity, empty_slots, remaining_interfaces, maximum })
}

/// How many addresses for pods an interface can have in the mode of its node; `None`: one that is
/// still to be made.
fn most_on(eni: Option<&EniView>, limits: Limits, settings: &NodeSettings, delegated: bool) -> u32 {
    let primary = u32::from(settings.use_primary_address);
    let slots = u32::from(limits.ipv4_per_eni).saturating_sub(1) + primary;
    if delegated {
        return slots.saturating_mul(ADDRESSES_PER_PREFIX);
    }
    let prefixes = eni.map_or(0, |eni| count(&eni.ipv4.prefixes));
    slots + prefixes * (ADDRESSES_PER_PREFIX - 1)
}

/// No interface holds more addresses than fit.
pub(crate) fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

//! In which subnet a new interface is made: the rules of Cilium's operator, but the same answer each
//! time, with what is already planned taken off, and never past a typo in silence.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cmp::Reverse;

use limits::Limits;

use crate::ids::SubnetId;
use crate::managed::has_all;
use crate::policy::{Policy, Unmatched};
use crate::reason::Reason;
use crate::view::{NetworkView, NodeIdentity, RouteTableView, SubnetView, View};

/// Why a subnet may be used. The order is that of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// It is one of `subnet-ids`.
    ById,
    /// It has all of `subnet-tags`.
    ByTags,
    /// It is the subnet of the node, with room for a full interface.
    NodeSubnet,
    /// It shares a route table with the subnet of the node.
    SharedRouteTable,
    /// It is in the VPC and zone of the node.
    SameZone,
}

/// A subnet that a new interface of the node may be made in.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its id.
    pub id: &'a SubnetId,
    /// What is known of it.
    pub subnet: &'a SubnetView,
    /// Why it may be used.
    pub rule: Rule,
}

/// The subnets that new interfaces of the node may be made in, each once, under its best rule. All are
/// in the VPC and zone of the node. Where the node names subnets, by id or by tags, only those.
///
/// # Errors
/// Why there is none.
pub fn candidates<'a>(
    view: View<'a>,
    limits: Limits,
    policy: &Policy,
) -> Result<Vec<Candidate<'a>>, Reason> {
    let reachable = reachable(view.network, &view.node.identity);
    let selector = &view.node.settings.subnets;
    let fall_through = policy.unmatched() == Unmatched::FallThrough;
    if !selector.ids.is_empty() {
        let named = select(&reachable, Rule::ById, |id, _| selector.ids.contains(id));
        if !named.is_empty() {
            return Ok(named);
        }
        if !fall_through {
            return Err(Reason::NoSubnetWithId { ids: selector.ids.clone() });
        }
    }
    if !selector.tags.is_empty() {
        let tagged = select(&reachable, Rule::ByTags, |_, it| has_all(&it.tags, &selector.tags));
        if !tagged.is_empty() {
            return Ok(tagged);
        }
        if !fall_through {
            return Err(Reason::NoSubnetWithTags { tags: selector.tags.clone() });
        }
    }
    let unnamed = unnamed(&reachable, view, limits);
    if unnamed.is_empty() { Err(Reason::NoSubnet) } else { Ok(unnamed) }
}

/// What a subnet can give to the interface that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Whether it can give all that the interface is to hold. ENI slots do not come back, so an
    /// interface that is half empty for the sake of a better rule costs more than it gains.
    pub all: bool,
    /// How much it has, in prefixes or single addresses.
    pub left: u32,
}

/// The candidate to use next: one that can give all, then the best rule, then the most that is left,
/// then the lowest id. `offer` says what a subnet can give, `None` for one that will not do.
pub fn best<'c, 'a>(
    candidates: &'c [Candidate<'a>],
    mut offer: impl FnMut(&Candidate<'a>) -> Option<Offer>,
) -> Option<&'c Candidate<'a>> {
    let offers = candidates.iter().filter_map(|it| Some((it, offer(it)?)));
    let rank = |(it, offer): &(&Candidate<'a>, Offer)| {
        (Reverse(offer.all), it.rule, Reverse(offer.left), it.id)
    };
    offers.min_by(|a, b| rank(a).cmp(&rank(b))).map(|(it, _)| it)
}

type Known<'a> = (&'a SubnetId, &'a SubnetView);

/// An interface can be attached within its zone only. What the operator-wide filters keep out is as if it
/// were not there.
fn reachable<'a>(network: &'a NetworkView, identity: &NodeIdentity) -> Vec<Known<'a>> {
    let fits = |subnet: &SubnetView| {
        subnet.usable && subnet.vpc == identity.vpc && subnet.zone == identity.zone
    };
    network.subnets.iter().filter(|(_, subnet)| fits(subnet)).collect()
}

fn select<'a>(
    reachable: &[Known<'a>],
    rule: Rule,
    fits: impl Fn(&SubnetId, &SubnetView) -> bool,
) -> Vec<Candidate<'a>> {
    let fitting = reachable.iter().filter(|(id, subnet)| fits(id, subnet));
    fitting.map(|&(id, subnet)| Candidate { id, subnet, rule }).collect()
}

/// The candidates of a node that names no subnets.
fn unnamed<'a>(reachable: &[Known<'a>], view: View<'_>, limits: Limits) -> Vec<Candidate<'a>> {
    let own = view.node.identity.subnet.as_ref();
    let siblings = own.map_or_else(BTreeSet::new, |own| siblings(view, own));
    let full_eni = u32::from(limits.ipv4_per_eni);
    let has_room =
        |it: &SubnetView| it.free_addresses.saturating_sub(it.planned.addresses) >= full_eni;
    let rule_for = |id: &SubnetId, subnet: &SubnetView| {
        if own == Some(id) {
            if has_room(subnet) { Rule::NodeSubnet } else { Rule::SameZone }
        } else if siblings.contains(id) {
            Rule::SharedRouteTable
        } else {
            Rule::SameZone
        }
    };
    let rules = reachable.iter().map(|&(id, subnet)| (id, subnet, rule_for(id, subnet)));
    rules.map(|(id, subnet, rule)| Candidate { id, subnet, rule }).collect()
}

/// The subnets that share a route table with `own`.
fn siblings<'a>(view: View<'a>, own: &SubnetId) -> BTreeSet<&'a SubnetId> {
    let in_vpc = |table: &&RouteTableView| table.vpc == view.node.identity.vpc;
    let tables = view.network.route_tables.values().filter(in_vpc);
    tables.filter(|table| table.subnets.contains(own)).flat_map(|table| &table.subnets).collect()
}

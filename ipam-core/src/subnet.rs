//! In which subnet a new interface is made: the rules of Cilium's operator, but the same answer each
//! time, with what is already planned taken off, and never past a typo in silence.

use alloc::vec::Vec;

use limits::Limits;

use crate::ids::SubnetId;
use crate::managed::has_all;
use crate::policy::{Policy, Unmatched};
use crate::reason::Reason;
use crate::view::{NetworkView, NodeIdentity, SubnetView, View};

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

/// The candidate to use next: the best rule, then the most addresses left, then the lowest id.
/// `left` says how many addresses of a subnet are left, `None` for one that will not do.
pub fn best<'c, 'a>(
    candidates: &'c [Candidate<'a>],
    mut left: impl FnMut(&Candidate<'a>) -> Option<u32>,
) -> Option<&'c Candidate<'a>> {
    let with_left = candidates.iter().filter_map(|it| Some((it, left(it)?)));
    with_left
        .min_by(|(a, left_a), (b, left_b)| {
            a.rule.cmp(&b.rule).then(left_b.cmp(left_a)).then(a.id.cmp(b.id))
        })
        .map(|(it, _)| it)
}

type Known<'a> = (&'a SubnetId, &'a SubnetView);

/// An interface can be attached within its zone only.
fn reachable<'a>(network: &'a NetworkView, identity: &NodeIdentity) -> Vec<Known<'a>> {
    let fits = |subnet: &SubnetView| subnet.vpc == identity.vpc && subnet.zone == identity.zone;
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
    let full_eni = u32::from(limits.ipv4_per_eni);
    let rule_for = |id: &SubnetId, subnet: &SubnetView| match own {
        Some(own) if own == id && subnet.free_addresses >= full_eni => Rule::NodeSubnet,
        Some(own) if own != id && share_route_table(view, own, id) => Rule::SharedRouteTable,
        _ => Rule::SameZone,
    };
    reachable
        .iter()
        .map(|&(id, subnet)| Candidate { id, subnet, rule: rule_for(id, subnet) })
        .collect()
}

fn share_route_table(view: View<'_>, a: &SubnetId, b: &SubnetId) -> bool {
    view.network.route_tables.values().any(|table| {
        table.vpc == view.node.identity.vpc
            && table.subnets.contains(a)
            && table.subnets.contains(b)
    })
}

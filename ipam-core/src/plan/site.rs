//! Where and behind which security groups new interfaces of a node are made.

use alloc::vec::Vec;

use limits::Limits;

use super::grow::Form;
use super::stock::Left;
use crate::ids::{SecurityGroupId, SubnetId};
use crate::managed::is_excluded;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::security_group;
use crate::subnet::{Candidate, Offer, Rule, best, candidates};
use crate::view::View;

pub(super) struct Site<'a> {
    candidates: Vec<Candidate<'a>>,
    pub(super) security_groups: Vec<SecurityGroupId>,
    /// Whether route tables tell the subnet of the node apart from others.
    has_own_table: bool,
}

impl<'a> Site<'a> {
    pub(super) fn find(view: View<'a>, limits: Limits, policy: &Policy) -> Result<Self, Reason> {
        let exclude = &view.node.settings.exclude_interface_tags;
        if is_excluded(policy.eni_tags(), exclude) {
            return Err(Reason::NewInterfacesExcluded { tags: exclude.clone() });
        }
        let candidates = candidates(view, limits, policy)?;
        let has_own_table = view.node.identity.subnet.as_ref().is_some_and(|own| {
            view.network.route_tables.values().any(|table| table.subnets.contains(own))
        });
        let security_groups = security_group::choose(view, policy)?;
        Ok(Self { candidates, security_groups, has_own_table })
    }

    /// The subnet for an interface that is to hold up to `units` of a form: of those that have it, or
    /// at least one unit of it where `least` says so.
    ///
    /// For want of free blocks alone a node does not move to a subnet behind another route table.
    pub(super) fn best(
        &self,
        form: Form,
        units: u32,
        least: u32,
        left: impl Fn(&Candidate<'a>) -> Option<Left>,
    ) -> Option<&'a SubnetId> {
        let is_sibling = |it: &Candidate<'a>| it.rule != Rule::SameZone || !self.has_own_table;
        let offer = |it: &Candidate<'a>| {
            let has = left(it)?.for_new(form)?;
            let will_do = has >= least && (form == Form::Addresses || is_sibling(it));
            will_do.then_some(Offer { all: has >= units, left: has })
        };
        best(&self.candidates, offer).map(|it| it.id)
    }

    pub(super) fn subnets(&self) -> impl Iterator<Item = &'a SubnetId> {
        self.candidates.iter().map(|it| it.id)
    }
}

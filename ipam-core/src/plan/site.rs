//! Where and behind which security groups new interfaces of a node are made.

use alloc::vec::Vec;

use limits::Limits;

use super::stock::Left;
use crate::ids::{SecurityGroupId, SubnetId};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::security_group;
use crate::subnet::{Candidate, best, candidates};
use crate::view::View;

pub(super) struct Site<'a> {
    candidates: Vec<Candidate<'a>>,
    pub(super) security_groups: Vec<SecurityGroupId>,
}

impl<'a> Site<'a> {
    pub(super) fn find(view: View<'a>, limits: Limits, policy: &Policy) -> Result<Self, Reason> {
        Ok(Self {
            candidates: candidates(view, limits, policy)?,
            security_groups: security_group::choose(view, policy)?,
        })
    }

    /// The best subnet of which `left` says that something is left.
    pub(super) fn best(
        &self,
        mut left: impl FnMut(&'a SubnetId) -> Option<Left>,
    ) -> Option<&'a SubnetId> {
        best(&self.candidates, |it| left(it.id).map(|left| left.addresses())).map(|it| it.id)
    }

    pub(super) fn subnets(&self) -> impl Iterator<Item = &'a SubnetId> {
        self.candidates.iter().map(|it| it.id)
    }
}

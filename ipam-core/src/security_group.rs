//! Which security groups a new interface gets.

use alloc::vec::Vec;

use crate::capacity::on_card_0;
use crate::ids::SecurityGroupId;
use crate::managed::has_all;
use crate::policy::{Policy, Unmatched};
use crate::reason::Reason;
use crate::view::{Tags, View};

/// The groups of a new interface: those the node names, else all in its VPC with all of its tags, else
/// those of its primary interface.
///
/// # Errors
/// Why there are none. Tags that match nothing do not fall back to the primary interface unless the
/// policy says so: pods would run behind other rules than the node's owner thinks.
pub fn choose(view: View<'_>, policy: &Policy) -> Result<Vec<SecurityGroupId>, Reason> {
    let selector = &view.node.settings.security_groups;
    if !selector.ids.is_empty() {
        return Ok(sorted(selector.ids.clone()));
    }
    if !selector.tags.is_empty() {
        let tagged = with_tags(view, &selector.tags);
        if !tagged.is_empty() {
            return Ok(tagged);
        }
        if policy.unmatched() == Unmatched::Block {
            return Err(Reason::NoSecurityGroupWithTags { tags: selector.tags.clone() });
        }
    }
    let groups = of_primary(view);
    if groups.is_empty() { Err(Reason::NoSecurityGroup) } else { Ok(groups) }
}

fn with_tags(view: View<'_>, tags: &Tags) -> Vec<SecurityGroupId> {
    let groups = view.network.security_groups.iter();
    groups
        .filter(|(_, group)| group.vpc == view.node.identity.vpc && has_all(&group.tags, tags))
        .map(|(id, _)| id.clone())
        .collect()
}

fn of_primary(view: View<'_>) -> Vec<SecurityGroupId> {
    let primary = on_card_0(view.node).find(|(_, index)| *index == 0);
    sorted(primary.map_or_else(Vec::new, |(eni, _)| eni.security_groups.clone()))
}

/// Each once, in ascending order, so that the same wish is always the same request.
pub(crate) fn sorted(mut groups: Vec<SecurityGroupId>) -> Vec<SecurityGroupId> {
    groups.sort_unstable();
    groups.dedup();
    groups
}

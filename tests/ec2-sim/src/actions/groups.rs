//! The security groups of an interface.

use crate::error::ApiError;
use crate::id::{GroupId, VpcId};
use crate::machine::region::Region;

/// Checks the groups that an interface of `vpc` is to have; each is named once in what comes back.
///
/// # Errors
///
/// `InvalidGroup.NotFound` for groups that are not there or not of that VPC, `SecurityGroupsPerInterfaceLimitExceeded` for too many.
pub(super) fn check(
    region: &Region,
    vpc: &VpcId,
    groups: &[GroupId],
) -> Result<Vec<GroupId>, ApiError> {
    let mut checked: Vec<GroupId> = Vec::with_capacity(groups.len());
    for id in groups {
        let group = region.world.group(id).ok_or_else(|| ApiError::group_not_found(id))?;
        if group.vpc != *vpc {
            return Err(ApiError::group_not_in_vpc(id, vpc));
        }
        if !checked.contains(id) {
            checked.push(id.clone());
        }
    }
    let limit = region.settings.quotas.groups_per_interface;
    if limit < checked.len() {
        return Err(ApiError::group_limit(limit));
    }
    Ok(checked)
}

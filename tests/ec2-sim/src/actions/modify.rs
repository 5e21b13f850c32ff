//! `ModifyNetworkInterfaceAttribute`: one attribute per call.

use super::groups;
use crate::error::ApiError;
use crate::id::{AttachmentId, GroupId};
use crate::machine::region::Region;
use crate::model::Interface;
use crate::reply::Reply;
use crate::request::ModifyNetworkInterfaceAttribute;

pub(super) fn perform(
    region: &mut Region,
    request: &ModifyNetworkInterfaceAttribute,
) -> Result<Reply, ApiError> {
    let change = change(request)?;
    let mut interface = (*region.own_interface(&request.interface)?).clone();
    match change {
        Change::DeleteOnTermination(attachment, value) => {
            set_delete_on_termination(&mut interface, attachment, value)?;
        }
        Change::Description(text) => text.clone_into(&mut interface.description),
        Change::Groups(named) => {
            interface.groups = groups::check(region, &interface.vpc, named)?;
        }
        Change::SourceDestCheck(value) => interface.source_dest_check = value,
    }
    region.put_interface(interface);
    Ok(Reply::ModifyNetworkInterfaceAttribute)
}

/// The attribute that is changed.
enum Change<'a> {
    DeleteOnTermination(&'a AttachmentId, bool),
    Description(&'a str),
    Groups(&'a [GroupId]),
    SourceDestCheck(bool),
}

/// The one attribute that a request names.
fn change(request: &ModifyNetworkInterfaceAttribute) -> Result<Change<'_>, ApiError> {
    let ModifyNetworkInterfaceAttribute {
        interface: _,
        delete_on_termination,
        description,
        groups,
        source_dest_check,
    } = request;
    let said = [
        delete_on_termination.is_some(),
        description.is_some(),
        groups.is_some(),
        source_dest_check.is_some(),
    ];
    match said.iter().filter(|said| **said).count() {
        0 => {
            return Err(ApiError::nothing_wanted(
                "attachment, description, groups, sourceDestCheck",
            ));
        }
        1 => {}
        several => return Err(ApiError::one_attribute(several)),
    }
    if let Some((attachment, value)) = delete_on_termination {
        let attachment = attachment.as_ref().ok_or_else(ApiError::attachment_id_required)?;
        let missing = || ApiError::missing_parameter("attachment.deleteOnTermination");
        return Ok(Change::DeleteOnTermination(attachment, value.ok_or_else(missing)?));
    }
    if let Some(groups) = groups {
        if groups.is_empty() {
            return Err(ApiError::no_groups());
        }
        return Ok(Change::Groups(groups));
    }
    if let Some(value) = source_dest_check {
        return Ok(Change::SourceDestCheck(*value));
    }
    Ok(Change::Description(description.as_deref().unwrap_or_default()))
}

fn set_delete_on_termination(
    interface: &mut Interface,
    attachment: &AttachmentId,
    value: bool,
) -> Result<(), ApiError> {
    let refusal = ApiError::attachment_of_other(attachment, &interface.id);
    let present = interface.attachment.as_mut().filter(|present| present.id == *attachment);
    present.ok_or(refusal)?.delete_on_termination = value;
    Ok(())
}

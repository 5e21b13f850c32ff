//! `DetachNetworkInterface`.

use crate::error::ApiError;
use crate::machine::region::Region;
use crate::model::AttachmentStatus;
use crate::reply::Reply;
use crate::request::DetachNetworkInterface;

pub(super) fn perform(
    region: &mut Region,
    request: &DetachNetworkInterface,
) -> Result<Reply, ApiError> {
    let missing = || ApiError::attachment_not_found(&request.attachment);
    let id = region.world.attached(&request.attachment).cloned().ok_or_else(missing)?;
    let interface = region.interface(&id).map_err(|_| missing())?;
    region.subnet(&interface.subnet)?;
    let attachment = interface.attachment.as_ref().ok_or_else(missing)?;
    if attachment.instance.is_none() || interface.requester.is_some() {
        return Err(ApiError::service_managed(&id));
    }
    if (attachment.network_card, attachment.device_index) == (0, 0) {
        return Err(ApiError::detach_primary());
    }
    let refusal = |status| Err(ApiError::attachment_state(&request.attachment, status));
    match attachment.status {
        _ if request.force => {}
        AttachmentStatus::Attached => {}
        AttachmentStatus::Attaching => return refusal("attaching"),
        AttachmentStatus::Detaching => return refusal("detaching"),
        AttachmentStatus::Detached => return refusal("detached"),
    }
    region.begin_detachment(&interface, request.force);
    Ok(Reply::DetachNetworkInterface)
}

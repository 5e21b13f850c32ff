//! `DeleteNetworkInterface`.

use crate::error::ApiError;
use crate::machine::region::Region;
use crate::model::InterfaceStatus;
use crate::reply::Reply;
use crate::request::DeleteNetworkInterface;

pub(super) fn perform(
    region: &mut Region,
    request: &DeleteNetworkInterface,
) -> Result<Reply, ApiError> {
    let interface = region.own_interface(&request.interface)?;
    if !matches!(interface.status, InterfaceStatus::Available | InterfaceStatus::Pending) {
        return Err(ApiError::delete_in_use(&request.interface));
    }
    region.remove_interface(&request.interface);
    Ok(Reply::DeleteNetworkInterface)
}

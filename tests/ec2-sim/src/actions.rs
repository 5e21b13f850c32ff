//! The actions that change something. Each decides first and changes then, so that what is refused has changed nothing.

mod assign;
mod assign6;
mod associate;
mod attach;
mod create;
mod delete;
mod detach;
mod groups;
mod modify;
mod pick;
mod pick6;
mod reservation;
mod tags;
#[cfg(test)]
mod tests;
mod unassign;
mod usage;
mod wanted;

pub(crate) use self::attach::{check_holdings, find_place};
pub(crate) use self::pick::{Primary, Taken, check as check_fit, check_address, take};
pub(crate) use self::pick6::pick as pick6;
pub(crate) use self::tags::check as check_tags;
pub(crate) use self::wanted::Ask;
use crate::error::ApiError;
use crate::machine::region::Region;
use crate::reply::Reply;
use crate::request::Operation;

/// Carries out an action of those that change something; none for the others.
pub(crate) fn perform(
    region: &mut Region,
    account: &str,
    operation: &Operation,
) -> Option<Result<Reply, ApiError>> {
    Some(match operation {
        Operation::AssignIpv6Addresses(request) => assign6::perform(region, request),
        Operation::AssignPrivateIpAddresses(request) => assign::perform(region, request),
        Operation::AssociateAddress(request) => associate::perform(region, request),
        Operation::AttachNetworkInterface(request) => attach::perform(region, account, request),
        Operation::CreateNetworkInterface(request) => create::perform(region, account, request),
        Operation::CreateSubnetCidrReservation(request) => reservation::perform(region, request),
        Operation::CreateTags(request) => tags::perform(region, request),
        Operation::DeleteNetworkInterface(request) => delete::perform(region, request),
        Operation::DetachNetworkInterface(request) => detach::perform(region, request),
        Operation::ModifyNetworkInterfaceAttribute(request) => modify::perform(region, request),
        Operation::UnassignIpv6Addresses(request) => unassign::perform6(region, request),
        Operation::UnassignPrivateIpAddresses(request) => unassign::perform(region, request),
        _ => return None,
    })
}

//! `UnassignPrivateIpAddresses` and `UnassignIpv6Addresses`.

use crate::error::ApiError;
use crate::machine::region::Region;
use crate::model::Interface;
use crate::reply::Reply;
use crate::request::{UnassignIpv6Addresses, UnassignPrivateIpAddresses};

pub(super) fn perform(
    region: &mut Region,
    request: &UnassignPrivateIpAddresses,
) -> Result<Reply, ApiError> {
    let UnassignPrivateIpAddresses { interface, addresses, prefixes } = request;
    if addresses.is_empty() && prefixes.is_empty() {
        return Err(ApiError::nothing_wanted("privateIpAddress, ipv4Prefix"));
    }
    let mut interface = (*region.own_interface(interface)?).clone();
    if addresses.contains(&interface.primary_ip) {
        return Err(ApiError::unassign_primary(interface.primary_ip));
    }
    let missing = || ApiError::not_assigned(&request.interface);
    take_from(&mut interface.secondary_ips, addresses).ok_or_else(missing)?;
    take_from(&mut interface.ipv4_prefixes, prefixes).ok_or_else(missing)?;
    for address in addresses {
        region.disassociate(&mut interface, *address);
    }
    region.put_interface(interface);
    Ok(Reply::UnassignPrivateIpAddresses)
}

pub(super) fn perform6(
    region: &mut Region,
    request: &UnassignIpv6Addresses,
) -> Result<Reply, ApiError> {
    let UnassignIpv6Addresses { interface, addresses, prefixes } = request;
    if addresses.is_empty() && prefixes.is_empty() {
        return Err(ApiError::nothing_wanted("ipv6Addresses, ipv6Prefix"));
    }
    let interface = region.own_interface(interface)?;
    let mut next = Interface::clone(&interface);
    let missing = || ApiError::not_assigned(&request.interface);
    take_from(&mut next.ipv6_addresses, addresses).ok_or_else(missing)?;
    take_from(&mut next.ipv6_prefixes, prefixes).ok_or_else(missing)?;
    region.put_interface(next);
    Ok(Reply::UnassignIpv6Addresses {
        interface: interface.id.clone(),
        addresses: addresses.clone(),
        prefixes: prefixes.clone(),
    })
}

/// Takes `items` from `all`; none when one of them is not there.
fn take_from<Item: PartialEq>(all: &mut Vec<Item>, items: &[Item]) -> Option<()> {
    if !items.iter().all(|item| all.contains(item)) {
        return None;
    }
    all.retain(|item| !items.contains(item));
    Some(())
}

//! `AssignIpv6Addresses`.

use super::wanted::{Ask, IPV6};
use super::{pick6, usage};
use crate::assumption::Assumption;
use crate::error::ApiError;
use crate::machine::region::Region;
use crate::model::Interface;
use crate::reply::Reply;
use crate::request::AssignIpv6Addresses;

pub(super) fn perform(
    region: &mut Region,
    request: &AssignIpv6Addresses,
) -> Result<Reply, ApiError> {
    let mut ask = IPV6.ask(&request.wanted, usize::MAX)?;
    if ask == Ask::Nothing {
        return Err(IPV6.nothing());
    }
    let interface = region.own_interface(&request.interface)?;
    let subnet = region.subnet(&interface.subnet)?;
    let again = region.settings.assumptions.is(Assumption::OwnAddressAgain);
    if let Ask::Addresses(addresses) = &mut ask
        && again
    {
        addresses.retain(|address| !interface.ipv6_addresses.contains(address));
    }
    let kind = usage::attached_type(region, &interface);
    if let Some(kind) = kind.filter(|kind| ask.is_prefixes() && !kind.takes_prefixes()) {
        return Err(usage::prefixes_refused(region, kind));
    }
    let limit =
        kind.map_or_else(|| usage::ceiling(region), |kind| kind.ipv6_per_interface as usize);
    if limit < interface.ipv6_slots().saturating_add(ask.slots()) {
        return Err(ApiError::ipv6_address_limit());
    }
    usage::check_addresses(region, &subnet.vpc, ask.slots())?;
    let (addresses, prefixes) =
        pick6::pick(&region.world, &mut region.dice.addresses, &subnet, &ask)?;
    let mut next = Interface::clone(&interface);
    next.ipv6_addresses.extend(&addresses);
    next.ipv6_prefixes.extend(&prefixes);
    region.put_interface(next);
    Ok(Reply::AssignIpv6Addresses { interface: interface.id.clone(), addresses, prefixes })
}

//! `AssignPrivateIpAddresses`: there is no client token, so the same call again assigns again.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::wanted::{Ask, IPV4};
use super::{pick, usage};
use crate::assumption::Assumption;
use crate::error::ApiError;
use crate::id::InterfaceId;
use crate::machine::region::Region;
use crate::model::{Interface, Subnet};
use crate::reply::Reply;
use crate::request::AssignPrivateIpAddresses;
use crate::world::Holder;

pub(super) fn perform(
    region: &mut Region,
    request: &AssignPrivateIpAddresses,
) -> Result<Reply, ApiError> {
    let ask = IPV4.ask(&request.wanted, usize::MAX)?;
    if ask == Ask::Nothing {
        return Err(IPV4.nothing());
    }
    let interface = region.own_interface(&request.interface)?;
    let subnet = region.subnet(&interface.subnet)?;
    pick::check(&subnet, &ask)?;
    let (ask, moved) = settle_owners(region, &interface, &subnet, ask, request.allow_reassignment)?;
    let moving: usize = moved.values().map(Vec::len).sum();
    check_room(region, &interface, &ask)?;
    usage::check_addresses(region, &subnet.vpc, ask.slots() - moving)?;
    let mut next = Interface::clone(&interface);
    for (holder, addresses) in &moved {
        region.move_addresses(holder, addresses, &mut next);
    }
    let taken = region.take(&subnet.id, pick::Primary::Present, &ask)?;
    next.secondary_ips.extend(&taken.addresses);
    next.ipv4_prefixes.extend(&taken.prefixes);
    region.put_interface(next);
    region.retarget_elastic_ips(&interface.id);
    Ok(Reply::AssignPrivateIpAddresses {
        interface: interface.id.clone(),
        addresses: taken.addresses,
        prefixes: taken.prefixes,
    })
}

/// Addresses that are to move, by who has them now.
type Moved = BTreeMap<InterfaceId, Vec<Ipv4Addr>>;

/// Leaves out what the interface has already, and finds from whom the rest must be taken.
fn settle_owners(
    region: &Region,
    interface: &Interface,
    subnet: &Subnet,
    ask: Ask<Ipv4Addr, Ipv4Net>,
    allow_reassignment: bool,
) -> Result<(Ask<Ipv4Addr, Ipv4Net>, Moved), ApiError> {
    let Ask::Addresses(mut addresses) = ask else {
        pick::check_free(&region.world, subnet, &ask)?;
        return Ok((ask, Moved::new()));
    };
    let own = |address: &Ipv4Addr| interface.secondary_ips.contains(address);
    if !region.settings.assumptions.is(Assumption::OwnAddressAgain)
        && let Some(address) = addresses.iter().find(|address| own(address))
    {
        return Err(ApiError::secondary_in_use(&address.to_string()));
    }
    addresses.retain(|address| !own(address));
    let ask = Ask::Addresses(addresses.clone());
    if !allow_reassignment {
        pick::check_free(&region.world, subnet, &ask)?;
        return Ok((ask, Moved::new()));
    }
    let mut moved = Moved::new();
    for address in addresses {
        match region.world.holder(&subnet.vpc, address) {
            None => {}
            Some(Holder::Prefix(_)) => return Err(ApiError::already_assigned(&address)),
            Some(Holder::Single(id)) => {
                let holder = region.world.interface(id);
                let movable = holder.filter(|holder| holder.primary_ip != address);
                let holder = movable.ok_or_else(|| ApiError::move_of_primary(address))?;
                if holder.requester.is_some() {
                    return Err(ApiError::already_assigned(&address));
                }
                moved.entry(id.clone()).or_default().push(address);
            }
        }
    }
    Ok((ask, moved))
}

/// Checks that the interface can hold that much more.
fn check_room(
    region: &Region,
    interface: &Interface,
    ask: &Ask<Ipv4Addr, Ipv4Net>,
) -> Result<(), ApiError> {
    let kind = usage::attached_type(region, interface);
    if let Some(kind) = kind.filter(|kind| ask.is_prefixes() && !kind.takes_prefixes()) {
        return Err(usage::prefixes_refused(region, kind));
    }
    let limit =
        kind.map_or_else(|| usage::ceiling(region), |kind| kind.ipv4_per_interface as usize);
    if limit < interface.ipv4_slots().saturating_add(ask.slots()) {
        return Err(ApiError::address_limit());
    }
    Ok(())
}

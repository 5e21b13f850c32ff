//! `CreateNetworkInterface`.

use std::sync::Arc;

use super::wanted::{IPV4, IPV6};
use super::{groups, pick, pick6, tags, usage};
use crate::describe;
use crate::error::ApiError;
use crate::machine::region::Region;
use crate::model::{Interface, InterfaceKind, InterfaceStatus};
use crate::reply::Reply;
use crate::request::CreateNetworkInterface;

pub(super) fn perform(
    region: &mut Region,
    account: &str,
    request: &CreateNetworkInterface,
) -> Result<Reply, ApiError> {
    if let Some(reply) = region.tokens.find(account, request)? {
        return Ok(reply);
    }
    let interface = plan(region, request)?;
    let view = describe::view(region.world.truth(), Arc::new(interface.clone()));
    let client_token = request.client_token.clone();
    let reply = Reply::CreateNetworkInterface { interface: view, client_token };
    region.tokens.remember(region.now, account, request, &reply);
    let id = interface.id.clone();
    region.put_interface(interface);
    region.begin_creation(&id);
    Ok(reply)
}

/// The interface that is asked for, its addresses taken from the subnet.
fn plan(region: &mut Region, request: &CreateNetworkInterface) -> Result<Interface, ApiError> {
    let tags = tags::specified(&request.tag_specifications, "network-interface")?;
    let kind = kind(request.kind.as_deref())?;
    let ceiling = usage::ceiling(region);
    let ipv4 = IPV4.ask(&request.ipv4, ceiling.saturating_sub(1))?;
    let ipv6 = IPV6.ask(&request.ipv6, ceiling)?;
    let subnet = region.subnet(&request.subnet)?;
    let groups = if request.groups.is_empty() {
        region.default_groups(&subnet.vpc)
    } else {
        groups::check(region, &subnet.vpc, &request.groups)?
    };
    let limit = region.settings.quotas.interfaces;
    if limit <= region.world.interface_count() {
        return Err(ApiError::interface_limit(limit));
    }
    pick::check(&subnet, &ipv4)?;
    if let Some(address) = request.primary_ip {
        pick::check_primary(&region.world, &subnet, address, &ipv4)?;
    }
    pick::check_free(&region.world, &subnet, &ipv4)?;
    let units = usage::of_primary(region) + ipv4.slots() + ipv6.slots();
    usage::check_addresses(region, &subnet.vpc, units)?;
    let (ipv6_addresses, ipv6_prefixes) =
        pick6::pick(&region.world, &mut region.dice.addresses, &subnet, &ipv6)?;
    let primary = request.primary_ip.map_or(pick::Primary::Any, pick::Primary::Named);
    let taken = region.take(&subnet.id, primary, &ipv4)?;
    let primary_ip = taken.primary.ok_or_else(ApiError::internal_error)?;
    Ok(Interface {
        description: request.description.clone(),
        kind,
        status: InterfaceStatus::Pending,
        groups,
        secondary_ips: taken.addresses,
        ipv4_prefixes: taken.prefixes,
        ipv6_addresses,
        ipv6_prefixes,
        tags,
        ..region.blank_interface(&subnet, primary_ip)
    })
}

/// The kinds that a caller can ask for (EC2 API reference, `CreateNetworkInterface`).
fn kind(name: Option<&str>) -> Result<InterfaceKind, ApiError> {
    match name {
        None | Some("interface") => Ok(InterfaceKind::Interface),
        Some("trunk") => Ok(InterfaceKind::Trunk),
        Some(name @ ("branch" | "efa" | "efa-only")) => Ok(InterfaceKind::Other(name.to_owned())),
        Some(name) => Err(ApiError::invalid_value("interfaceType", name)),
    }
}

//! `AssociateAddress`.

use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::error::ApiError;
use crate::id::AddressAssociationId;
use crate::machine::region::Region;
use crate::model::{Association, ElasticIp, ElasticIpTarget, InstanceState, Interface};
use crate::reply::Reply;
use crate::request::AssociateAddress;

pub(super) fn perform(region: &mut Region, request: &AssociateAddress) -> Result<Reply, ApiError> {
    let elastic_ip = elastic_ip(region, request)?;
    let interface = target(region, request)?;
    let private_ip = request.private_ip.unwrap_or(interface.primary_ip);
    let is_single =
        |address| address == interface.primary_ip || interface.secondary_ips.contains(&address);
    if !is_single(private_ip) {
        return Err(ApiError::private_ip_missing(private_ip, &interface.id));
    }
    let allowed = request.allow_reassociation != Some(false);
    if let Some(present) = &elastic_ip.association {
        if present.interface == interface.id && present.private_ip == private_ip {
            return Ok(Reply::AssociateAddress(present.id.clone()));
        }
        if !allowed {
            return Err(ApiError::already_associated(&elastic_ip.allocation, &present.id));
        }
    }
    if interface.associations.contains_key(&private_ip) && !allowed {
        return Err(ApiError::private_ip_associated(private_ip, &interface.id));
    }
    Ok(Reply::AssociateAddress(associate(region, &elastic_ip, &interface, private_ip)))
}

/// The Elastic IP address that is named in one of two ways.
fn elastic_ip(region: &Region, request: &AssociateAddress) -> Result<Arc<ElasticIp>, ApiError> {
    let world = &region.world;
    match (&request.allocation, request.public_ip) {
        (None, None) => Err(ApiError::nothing_wanted("allocationId, publicIp")),
        (Some(_), Some(_)) => Err(ApiError::combination("allocationId", "publicIp")),
        (Some(id), None) => {
            world.elastic_ip(id).cloned().ok_or_else(|| ApiError::allocation_not_found(id))
        }
        (None, Some(address)) => {
            let found = world.allocation_of(address).and_then(|id| world.elastic_ip(id));
            found.cloned().ok_or_else(|| ApiError::public_ip_not_found(address))
        }
    }
}

/// The interface that is named by itself or by its instance.
fn target(region: &Region, request: &AssociateAddress) -> Result<Arc<Interface>, ApiError> {
    let instance = match (&request.interface, &request.instance) {
        (None, None) => return Err(ApiError::nothing_wanted("networkInterfaceId, instanceId")),
        (Some(_), Some(_)) => {
            return Err(ApiError::combination("networkInterfaceId", "instanceId"));
        }
        (Some(id), None) => return region.own_interface(id),
        (None, Some(id)) => region.instance(id)?,
    };
    if !matches!(instance.state, InstanceState::Running | InstanceState::Stopped) {
        return Err(ApiError::incorrect_instance_state(&instance.id));
    }
    let mut interfaces = region.world.interfaces_of(&instance.id);
    match (interfaces.next(), interfaces.next()) {
        (Some(only), None) => region.own_interface(&only.id),
        _ => Err(ApiError::several_interfaces(&instance.id)),
    }
}

/// Lets the address stand for a private one; whatever either stood for before is over.
fn associate(
    region: &mut Region,
    elastic_ip: &ElasticIp,
    interface: &Interface,
    private_ip: Ipv4Addr,
) -> AddressAssociationId {
    if let Some(before) = &elastic_ip.association
        && let Some(holder) = region.world.interface(&before.interface)
    {
        let mut holder = Interface::clone(holder);
        region.disassociate(&mut holder, before.private_ip);
        region.put_interface(holder);
    }
    let id = AddressAssociationId::from_number(region.number());
    let current = region.world.interface(&interface.id);
    let mut next = current.map_or_else(|| interface.clone(), |current| (**current).clone());
    region.disassociate(&mut next, private_ip);
    let association = Association {
        id: id.clone(),
        allocation: elastic_ip.allocation.clone(),
        public_ip: elastic_ip.public_ip,
    };
    next.associations.insert(private_ip, association);
    let target = ElasticIpTarget {
        id: id.clone(),
        interface: next.id.clone(),
        instance: next.instance().cloned(),
        private_ip,
    };
    region.put_elastic_ip(ElasticIp { association: Some(target), ..elastic_ip.clone() });
    region.put_interface(next);
    id
}

//! Interfaces and instances.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::Ipv6Net;

use super::network::{check, unfit, unknown};
use super::new::{Holding, NewAttachment, NewInstance, NewInterface};
use super::{BuildError, Builder, identified};
use crate::actions::{
    Ask, Primary, Taken, check_address, check_fit, check_holdings, find_place, pick6,
};
use crate::error::ApiError;
use crate::id::{AttachmentId, InstanceId, InterfaceId};
use crate::instance_types;
use crate::lifecycle::Change;
use crate::model::{
    Attachment, AttachmentStatus, Instance, InstanceState, Interface, InterfaceStatus, Subnet,
};
use crate::world::{Resource, Write};

impl Builder<'_> {
    /// An interface, attached at once if it is to be attached. Quotas are not asked; what an
    /// instance's type can hold is.
    ///
    /// # Errors
    ///
    /// [`BuildError`] for references to what is not there, and for addresses that cannot be had.
    pub fn interface(&mut self, new: NewInterface) -> Result<InterfaceId, BuildError> {
        check("interface", &new.tags)?;
        let subnet = self.ec2.region.world.subnet(&new.subnet).cloned();
        let subnet = subnet.ok_or_else(|| unknown("subnet", &new.subnet))?;
        let id = identified(
            new.id.clone(),
            "interface",
            InterfaceId::from_number,
            self,
            |world, id| world.interface_entry(id).is_some(),
        )?;
        let groups = self.groups(&new, &subnet)?;
        let attachment =
            new.attachment.as_ref().map(|attachment| self.attachment(attachment, &subnet));
        let attachment = attachment.transpose()?;
        let refused = |error| BuildError::Refused { what: format!("interface {id}"), error };
        let (ipv6_addresses, ipv6_prefixes) = self.take6(&subnet, &new.ipv6).map_err(refused)?;
        let taken = self.take4(&subnet, &new).map_err(refused)?;
        let primary_ip = taken.primary.ok_or_else(|| refused(ApiError::internal_error()))?;
        let blank = self.ec2.region.blank_interface(&subnet, primary_ip);
        let attached = attachment.is_some();
        let interface = Interface {
            id: id.clone(),
            description: new.description,
            kind: new.kind,
            status: if attached { InterfaceStatus::InUse } else { InterfaceStatus::Available },
            groups,
            secondary_ips: taken.addresses,
            ipv4_prefixes: taken.prefixes,
            ipv6_addresses,
            ipv6_prefixes,
            attachment,
            source_dest_check: new.source_dest_check,
            requester: new.requester,
            tags: new.tags,
            ..blank
        };
        if let Err(error) = self.check_holdings(&interface) {
            if let Some(space) = self.ec2.region.world.space_mut(&subnet.id) {
                holdings_of(interface).give_back(space);
            }
            return Err(refused(error));
        }
        self.write_interface(interface);
        if attached {
            let now = self.ec2.now();
            self.ec2.region.world.set_link(&id, Some(now));
        }
        Ok(id)
    }

    /// An instance with its primary interface.
    ///
    /// # Errors
    ///
    /// As [`Builder::interface`]; also for an unknown type, and for states other than pending, running and stopped.
    pub fn instance(&mut self, new: NewInstance) -> Result<InstanceId, BuildError> {
        check("instance", &new.tags)?;
        if instance_types::find(&new.instance_type).is_none() {
            return Err(unknown("instance type", &new.instance_type));
        }
        let state = new.state;
        let lasting = [InstanceState::Pending, InstanceState::Running, InstanceState::Stopped];
        if !lasting.contains(&state) {
            let expected = "pending, running or stopped".to_owned();
            return Err(unfit("instance state", &format!("{state:?}"), expected));
        }
        let subnet = self.ec2.region.world.subnet(&new.primary.subnet).cloned();
        let subnet = subnet.ok_or_else(|| unknown("subnet", &new.primary.subnet))?;
        let id = identified(new.id, "instance", InstanceId::from_number, self, |world, id| {
            world.truth().instance(id).is_some()
        })?;
        let mut instance = Instance {
            id: id.clone(),
            instance_type: new.instance_type,
            state,
            subnet: subnet.id.clone(),
            vpc: subnet.vpc.clone(),
            zone: subnet.zone.clone(),
            private_ip: Ipv4Addr::UNSPECIFIED,
            launched_at: self.ec2.now(),
            tags: new.tags,
        };
        let seen = self.seen();
        self.ec2.region.world.put_instance(instance.clone(), &seen);
        let built = self.interface(primary(new.primary, &id));
        let Some(interface) = built.as_ref().ok().and_then(|built| self.find_interface(built).ok())
        else {
            self.ec2.region.world.forget_instance(&id);
            return built.map(|_| id);
        };
        instance.private_ip = interface.primary_ip;
        self.ec2.region.world.put_instance(instance, &seen);
        if state == InstanceState::Pending {
            self.ec2.region.begin_move(&id, InstanceState::Pending, InstanceState::Running);
        }
        Ok(id)
    }

    fn groups(
        &self,
        new: &NewInterface,
        subnet: &Subnet,
    ) -> Result<Vec<crate::id::GroupId>, BuildError> {
        for id in &new.groups {
            let group = self.ec2.region.world.group(id);
            if group.ok_or_else(|| unknown("security group", id))?.vpc != subnet.vpc {
                let expected = format!("a group of {}", subnet.vpc);
                return Err(unfit("interface group", id.as_str(), expected));
            }
        }
        if new.groups.is_empty() {
            return Ok(self.ec2.region.default_groups(&subnet.vpc));
        }
        Ok(new.groups.clone())
    }

    fn attachment(
        &mut self,
        new: &NewAttachment,
        subnet: &Subnet,
    ) -> Result<Attachment, BuildError> {
        if let Some(id) = &new.instance {
            let instance = self.ec2.region.world.instance(id);
            let instance = instance.ok_or_else(|| unknown("instance", id))?;
            if matches!(instance.state, InstanceState::ShuttingDown | InstanceState::Terminated) {
                let found = format!("{:?}", instance.state);
                let expected = "not at its end";
                return Err(BuildError::State { id: id.to_string(), found, expected });
            }
            if (&instance.vpc, &instance.zone) != (&subnet.vpc, &subnet.zone) {
                let expected = format!("an instance in {} of {}", subnet.zone, subnet.vpc);
                return Err(unfit("attachment instance", id.as_str(), expected));
            }
            let place = (Some(i64::from(new.network_card)), new.device_index);
            let kind = instance_types::find(&instance.instance_type);
            let kind = kind.ok_or_else(|| unknown("instance type", &instance.instance_type))?;
            let refused = |error| BuildError::Refused { what: format!("instance {id}"), error };
            find_place(&self.ec2.region, id, place, kind).map_err(refused)?;
        }
        let owner = new.instance_owner.clone();
        Ok(Attachment {
            id: AttachmentId::from_number(self.ec2.region.number()),
            instance: new.instance.clone(),
            instance_owner: owner.unwrap_or_else(|| self.ec2.settings().account.clone()),
            device_index: new.device_index,
            network_card: new.network_card,
            status: AttachmentStatus::Attached,
            delete_on_termination: new.delete_on_termination,
            attached_at: self.ec2.now(),
        })
    }

    /// An instance holds no more than its type allows, whoever attached what it has.
    fn check_holdings(&self, interface: &Interface) -> Result<(), ApiError> {
        let region = &self.ec2.region;
        let instance = interface.instance().and_then(|id| region.world.instance(id));
        let kind = instance.and_then(|instance| instance_types::find(&instance.instance_type));
        kind.map_or(Ok(()), |kind| check_holdings(region, interface, kind))
    }

    /// Takes the IPv4 addresses and prefixes of a new interface: everything or nothing.
    fn take4(&mut self, subnet: &Subnet, new: &NewInterface) -> Result<Taken, ApiError> {
        let primary = new.primary_ip.map_or(Primary::Any, Primary::Named);
        if let Primary::Named(address) = primary {
            check_address(subnet, address)?;
        }
        let mut taken = Taken::default();
        // What is named comes first, so that nothing picked lies in its way.
        let named = if let Primary::Named(_) = primary { primary } else { Primary::Present };
        let picked = if named == primary { Primary::Present } else { primary };
        let steps = asks(&new.ipv4).into_iter().map(|ask| (Primary::Present, ask));
        let steps =
            [(named, Ask::Nothing)].into_iter().chain(steps).chain([(picked, Ask::Nothing)]);
        for (primary, ask) in steps {
            let step = check_fit(subnet, &ask)
                .and_then(|()| self.ec2.region.take(&subnet.id, primary, &ask));
            match step {
                Ok(step) => taken.extend(step),
                Err(error) => {
                    if let Some(space) = self.ec2.region.world.space_mut(&subnet.id) {
                        taken.give_back(space);
                    }
                    return Err(error);
                }
            }
        }
        Ok(taken)
    }

    /// Picks the IPv6 addresses and prefixes of a new interface.
    fn take6(
        &mut self,
        subnet: &Subnet,
        holding: &Holding<Ipv6Addr, Ipv6Net>,
    ) -> Result<(Vec<Ipv6Addr>, Vec<Ipv6Net>), ApiError> {
        let region = &mut self.ec2.region;
        let (mut addresses, mut prefixes) = (Vec::new(), Vec::new());
        for ask in asks(holding) {
            let (more, more_prefixes) =
                pick6(&region.world, &mut region.dice.addresses, subnet, &ask)?;
            addresses.extend(more);
            prefixes.extend(more_prefixes);
        }
        // Nothing is taken until the interface is written, so what one step gives is free for the next.
        let taken = |address: &&Ipv6Addr| prefixes.iter().any(|prefix| prefix.contains(*address));
        if let Some(address) = repeated(&addresses).or_else(|| addresses.iter().find(taken)) {
            return Err(ApiError::duplicate(&address.to_string()));
        }
        if let Some(prefix) = repeated(&prefixes) {
            return Err(ApiError::duplicate(&prefix.to_string()));
        }
        Ok((addresses, prefixes))
    }

    pub(super) fn find_interface(&self, id: &InterfaceId) -> Result<Interface, BuildError> {
        let found = self.ec2.region.world.interface(id);
        Ok(Interface::clone(found.ok_or_else(|| unknown("interface", id))?))
    }

    /// Writes an interface so that all see it at once.
    pub(super) fn write_interface(&mut self, interface: Interface) {
        let now = self.ec2.now();
        let id = interface.id.clone();
        if let Some(at) = self.ec2.region.world.put_interface(interface, &Write::at_once(now)) {
            let settled = Change::Settle(Resource::Interface(id));
            self.ec2.region.queue.push(at.max(now), settled);
        }
    }
}

/// The first item that is there a second time.
fn repeated<Item: Ord>(items: &[Item]) -> Option<&Item> {
    let mut seen = BTreeSet::new();
    items.iter().find(|item| !seen.insert(*item))
}

/// What an interface that is not written after all has taken.
fn holdings_of(interface: Interface) -> Taken {
    Taken {
        primary: Some(interface.primary_ip),
        addresses: interface.secondary_ips,
        prefixes: interface.ipv4_prefixes,
    }
}

/// The primary interface of an instance.
fn primary(mut new: NewInterface, instance: &InstanceId) -> NewInterface {
    let attachment = new.attachment.get_or_insert(NewAttachment {
        instance: None,
        instance_owner: None,
        device_index: 0,
        network_card: 0,
        delete_on_termination: true,
    });
    attachment.instance = Some(instance.clone());
    new
}

/// What a holding asks for, one after the other, what is named first.
fn asks<Address: Clone, Prefix: Clone>(
    holding: &Holding<Address, Prefix>,
) -> Vec<Ask<Address, Prefix>> {
    let steps = [
        (holding.addresses.len(), Ask::Addresses(holding.addresses.clone())),
        (holding.prefixes.len(), Ask::Prefixes(holding.prefixes.clone())),
        (holding.prefix_count, Ask::PrefixCount(holding.prefix_count)),
        (holding.address_count, Ask::AddressCount(holding.address_count)),
    ];
    steps.into_iter().filter(|(count, _)| *count != 0).map(|(_, ask)| ask).collect()
}

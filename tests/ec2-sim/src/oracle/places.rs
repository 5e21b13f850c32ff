//! Attachments: where interfaces are, and whether they may be there.

use std::collections::BTreeMap;

use super::{Promise, Report};
use crate::id::InstanceId;
use crate::instance_types;
use crate::model::{
    Attachment, AttachmentStatus, Instance, InstanceState, Interface, InterfaceStatus,
};
use crate::world::World;

/// Attached interfaces by instance.
type Attached<'a> = BTreeMap<&'a InstanceId, Vec<(&'a Interface, &'a Attachment)>>;

pub(super) fn check(world: &World, report: &mut Report) {
    let mut attached = Attached::new();
    for interface in world.truth().interfaces() {
        check_status(interface, report);
        check_groups(world, interface, report);
        check_associations(world, interface, report);
        let entry = world.interface_entry(&interface.id);
        let linked = entry.is_some_and(|entry| entry.link_at.is_some());
        report.expect(Promise::Attachments, !linked || interface.attachment.is_some(), || {
            format!("{} has a link and no attachment", interface.id)
        });
        if let Some(attachment) = &interface.attachment
            && let Some(instance) = &attachment.instance
        {
            attached.entry(instance).or_default().push((interface, attachment));
        }
    }
    for (id, places) in &attached {
        match world.truth().instance(id) {
            Some(instance) => check_instance(instance, places, report),
            None => report.expect(Promise::Attachments, false, || format!("no {id} to attach to")),
        }
    }
    for instance in world.truth().instances() {
        let ended = instance.state == InstanceState::Terminated;
        let places = attached.get(&instance.id).map_or(&[][..], Vec::as_slice);
        check_primary(instance, places, report);
        report.expect(Promise::Places, !ended || places.is_empty(), || {
            format!("{} is terminated and has interfaces", instance.id)
        });
    }
    for elastic_ip in world.truth().elastic_ips() {
        let Some(target) = &elastic_ip.association else { continue };
        let interface = world.truth().interface(&target.interface);
        let back = interface.and_then(|found| found.associations.get(&target.private_ip));
        let named = back.is_some_and(|back| back.id == target.id)
            && interface.and_then(|found| found.instance()) == target.instance.as_ref();
        report.expect(Promise::ElasticIps, named, || {
            format!("{} leads nowhere", elastic_ip.allocation)
        });
    }
}

fn check_primary(instance: &Instance, places: &[(&Interface, &Attachment)], report: &mut Report) {
    let ended = instance.state == InstanceState::Terminated;
    let mut primaries =
        places.iter().filter(|(_, at)| (at.network_card, at.device_index) == (0, 0));
    let sound = match (primaries.next(), primaries.next()) {
        (None, _) => ended,
        (Some((one, _)), None) => {
            !ended && (&one.subnet, one.primary_ip) == (&instance.subnet, instance.private_ip)
        }
        (Some(_), Some(_)) => false,
    };
    report.expect(Promise::Places, sound, || {
        format!("{} ({:?}) without its one primary interface", instance.id, instance.state)
    });
}

fn check_status(interface: &Interface, report: &mut Report) {
    let status = interface.attachment.as_ref().map(|attachment| attachment.status);
    let agree = match interface.status {
        InterfaceStatus::Pending | InterfaceStatus::Available => status.is_none(),
        InterfaceStatus::Attaching => status == Some(AttachmentStatus::Attaching),
        InterfaceStatus::InUse => status == Some(AttachmentStatus::Attached),
        InterfaceStatus::Detaching => status == Some(AttachmentStatus::Detaching),
    };
    report.expect(Promise::Attachments, agree, || {
        format!("{} is {:?} and its attachment {status:?}", interface.id, interface.status)
    });
}

fn check_groups(world: &World, interface: &Interface, report: &mut Report) {
    report.expect(Promise::Groups, !interface.groups.is_empty(), || {
        format!("{}: none", interface.id)
    });
    for id in &interface.groups {
        let group = world.truth().security_group(id);
        let own = group.is_some_and(|group| group.vpc == interface.vpc);
        report.expect(Promise::Groups, own, || format!("{id} of {}", interface.id));
    }
}

fn check_associations(world: &World, interface: &Interface, report: &mut Report) {
    for (address, association) in &interface.associations {
        let has = *address == interface.primary_ip || interface.secondary_ips.contains(address);
        let elastic_ip = world.truth().elastic_ip(&association.allocation);
        let target = elastic_ip.and_then(|elastic_ip| elastic_ip.association.as_ref());
        let back = target.is_some_and(|target| {
            target.interface == interface.id && target.private_ip == *address
        }) && elastic_ip
            .is_some_and(|elastic_ip| elastic_ip.public_ip == association.public_ip);
        report.expect(Promise::ElasticIps, has && back, || {
            format!("{} for {address} of {}", association.public_ip, interface.id)
        });
    }
}

fn check_instance(instance: &Instance, places: &[(&Interface, &Attachment)], report: &mut Report) {
    let id = &instance.id;
    let Some(kind) = instance_types::all().iter().find(|kind| kind.name == instance.instance_type)
    else {
        return report.expect(Promise::Slots, false, || format!("{id} of no known type"));
    };
    for (interface, at) in places {
        let near = (&interface.vpc, &interface.zone) == (&instance.vpc, &instance.zone);
        report.expect(Promise::Attachments, near, || format!("{} is far from {id}", interface.id));
        let ipv4 = 1 + interface.secondary_ips.len() + interface.ipv4_prefixes.len();
        let ipv6 = interface.ipv6_addresses.len() + interface.ipv6_prefixes.len();
        let fits =
            ipv4 <= kind.ipv4_per_interface as usize && ipv6 <= kind.ipv6_per_interface as usize;
        report.expect(Promise::Slots, fits, || {
            format!("{} holds {ipv4} and {ipv6} on {}", interface.id, kind.name)
        });
        let alone = places.iter().filter(|(_, other)| {
            (other.network_card, other.device_index) == (at.network_card, at.device_index)
        });
        report.expect(Promise::Places, alone.count() == 1, || {
            format!("index {} of card {} of {id} twice", at.device_index, at.network_card)
        });
        let card = kind.network_cards.iter().find(|(card, _)| *card == at.network_card);
        let on_card = places.iter().filter(|(_, other)| other.network_card == at.network_card);
        let fits = card.is_some_and(|(_, room)| on_card.count() <= *room as usize);
        report.expect(Promise::Places, fits, || {
            format!("card {} of {id} is overfull", at.network_card)
        });
    }
    let fits = places.len() <= kind.maximum_network_interfaces as usize;
    report.expect(Promise::Places, fits, || format!("{id} has {} interfaces", places.len()));
}

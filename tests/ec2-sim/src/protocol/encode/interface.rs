//! Network interfaces, as `DescribeNetworkInterfaces` and as `DescribeInstances` tell of them.

use std::net::Ipv4Addr;

use crate::model::{Association, Attachment, Interface, private_domain};
use crate::protocol::encode::{Scene, tags};
use crate::protocol::plain::{Mac, Octets};
use crate::protocol::xml::Xml;
use crate::reply::InterfaceView;

/// Which of the two it is: they differ in what they tell of attachments and associations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    NetworkInterface,
    InstanceNetworkInterface,
}

/// The service model's `NetworkInterface`.
pub(super) fn interface(xml: &mut Xml, scene: Scene<'_>, view: &InterfaceView) {
    let interface = &view.interface;
    let shape = Shape::NetworkInterface;
    if let Some(association) = interface.associations.get(&interface.primary_ip) {
        associated(xml, scene, shape, association);
    }
    if let Some(attachment) = &interface.attachment {
        xml.element("attachment", |xml| attached(xml, scene, shape, attachment));
    }
    xml.text("availabilityZone", &interface.zone);
    groups(xml, interface, &view.group_names);
    common(xml, scene, shape, interface);
    if let Some(requester) = &interface.requester {
        xml.text("requesterId", requester);
    }
    xml.plain("requesterManaged", interface.requester.is_some());
    tags(xml, &interface.tags);
}

/// The service model's `InstanceNetworkInterface`.
pub(super) fn of_instance(xml: &mut Xml, scene: Scene<'_>, view: &InterfaceView) {
    let interface = &view.interface;
    let shape = Shape::InstanceNetworkInterface;
    if let Some(association) = interface.associations.get(&interface.primary_ip) {
        associated(xml, scene, shape, association);
    }
    if let Some(attachment) = &interface.attachment {
        xml.element("attachment", |xml| attached(xml, scene, shape, attachment));
    }
    groups(xml, interface, &view.group_names);
    common(xml, scene, shape, interface);
}

/// What both shapes have.
fn common(xml: &mut Xml, scene: Scene<'_>, shape: Shape, interface: &Interface) {
    xml.text("description", &interface.description);
    xml.text("interfaceType", interface.kind.name());
    xml.list("ipv6AddressesSet", &interface.ipv6_addresses, |xml, address| {
        xml.plain("ipv6Address", address);
        xml.plain("isPrimaryIpv6", false);
    });
    xml.plain("macAddress", Mac(interface.mac));
    xml.plain("networkInterfaceId", &interface.id);
    xml.text("ownerId", scene.account);
    scene.private_dns_name(xml, interface.primary_ip);
    xml.plain("privateIpAddress", interface.primary_ip);
    xml.element("privateIpAddressesSet", |xml| {
        let addresses = std::iter::once(&interface.primary_ip).chain(&interface.secondary_ips);
        for address in addresses {
            let association = interface.associations.get(address);
            private_address(xml, scene, *address == interface.primary_ip, *address, |xml| {
                if let Some(association) = association {
                    associated(xml, scene, shape, association);
                }
            });
        }
    });
    xml.list_some("ipv4PrefixSet", &interface.ipv4_prefixes, |xml, prefix| {
        xml.plain("ipv4Prefix", prefix);
    });
    xml.list_some("ipv6PrefixSet", &interface.ipv6_prefixes, |xml, prefix| {
        xml.plain("ipv6Prefix", prefix);
    });
    xml.plain("sourceDestCheck", interface.source_dest_check);
    xml.plain("status", interface.status.name());
    xml.plain("subnetId", &interface.subnet);
    xml.plain("vpcId", &interface.vpc);
    xml.element("operator", |xml| xml.plain("managed", false));
}

/// One of the private addresses. A page holds tens of thousands of these, and hardly anything else: so its elements are written in as
/// few pieces as there can be.
#[inline]
fn private_address(
    xml: &mut Xml,
    scene: Scene<'_>,
    primary: bool,
    address: Ipv4Addr,
    association: impl FnOnce(&mut Xml),
) {
    xml.raw("<item>");
    association(xml);
    xml.raw(if primary {
        "<primary>true</primary><privateDnsName>ip-"
    } else {
        "<primary>false</primary><privateDnsName>ip-"
    });
    xml.raw(Octets::of(address, b'-'));
    for part in private_domain(scene.region) {
        xml.raw(part);
    }
    xml.raw("</privateDnsName><privateIpAddress>");
    xml.raw(address);
    xml.raw("</privateIpAddress></item>");
}

fn groups(xml: &mut Xml, interface: &Interface, names: &[String]) {
    xml.list("groupSet", interface.groups.iter().enumerate(), |xml, (position, group)| {
        xml.plain("groupId", group);
        xml.text("groupName", names.get(position).map_or("", String::as_str));
    });
}

fn attached(xml: &mut Xml, scene: Scene<'_>, shape: Shape, attachment: &Attachment) {
    scene.timestamp(xml, "attachTime", attachment.attached_at);
    xml.plain("attachmentId", &attachment.id);
    xml.plain("deleteOnTermination", attachment.delete_on_termination);
    xml.plain("deviceIndex", attachment.device_index);
    xml.plain("networkCardIndex", attachment.network_card);
    if shape == Shape::NetworkInterface {
        if let Some(instance) = &attachment.instance {
            xml.plain("instanceId", instance);
        }
        xml.text("instanceOwnerId", &attachment.instance_owner);
    }
    xml.plain("status", attachment.status.name());
}

fn associated(xml: &mut Xml, scene: Scene<'_>, shape: Shape, association: &Association) {
    xml.element("association", |xml| {
        if shape == Shape::NetworkInterface {
            xml.plain("allocationId", &association.allocation);
            xml.plain("associationId", &association.id);
        }
        xml.text("ipOwnerId", scene.account);
        scene.public_dns_name(xml, association.public_ip);
        xml.plain("publicIp", association.public_ip);
    });
}

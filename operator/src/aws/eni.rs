//! Network interfaces, as EC2 describes them.

use std::time::Duration;

use aws_sdk_ec2::types::{AttachmentStatus, NetworkInterface, NetworkInterfaceAttachment};
use ipam_core::call::ListedEni;
use ipam_core::view::{Attachment, AttachmentState, EniKind, EniView, Ipv4Held, Ipv6Held};
use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::text::{Unreadable, all, number, optional, required, tags};

/// The tag that says when Berth made an interface: RFC 3339, UTC, whole seconds.
pub const CREATED_AT_TAG: &str = "berth/created-at";

/// An interface, whose it is, and how old it is at `now`.
pub(super) fn listed(
    interface: &NetworkInterface,
    now: Timestamp,
) -> Result<ListedEni, Unreadable> {
    let attachment = interface.attachment().map(attachment).transpose()?.flatten();
    let instance = match (&attachment, interface.attachment()) {
        (Some(_), Some(attachment)) => optional("attachment.instanceId", attachment.instance_id())?,
        _ => None,
    };
    let eni = view(interface, attachment)?;
    let made = eni.tags.get(CREATED_AT_TAG).and_then(|made| made.parse::<Timestamp>().ok());
    let age = made.map(|made| now.duration_since(made).try_into().unwrap_or(Duration::ZERO));
    Ok(ListedEni { eni, instance, age })
}

fn view(
    interface: &NetworkInterface,
    attachment: Option<Attachment>,
) -> Result<EniView, Unreadable> {
    let kind = interface.interface_type().map_or("interface", |kind| kind.as_str());
    let groups = interface.groups().iter().map(|group| group.group_id());
    let association = interface.association();
    Ok(EniView {
        id: required("networkInterfaceId", interface.network_interface_id())?,
        kind: if kind == "interface" { EniKind::Ordinary } else { EniKind::Special },
        mac: optional("macAddress", interface.mac_address().filter(|mac| !mac.is_empty()))?,
        description: interface.description().unwrap_or_default().to_owned(),
        attachment,
        subnet: required("subnetId", interface.subnet_id())?,
        vpc: required("vpcId", interface.vpc_id())?,
        ipv4: ipv4(interface)?,
        ipv6: ipv6(interface)?,
        security_groups: all("groupId", groups)?,
        tags: tags(interface.tag_set()),
        public_ip: optional("publicIp", association.and_then(|one| one.public_ip()))?,
    })
}

fn ipv4(interface: &NetworkInterface) -> Result<Ipv4Held, Unreadable> {
    let prefixes = interface.ipv4_prefixes().iter().map(|prefix| prefix.ipv4_prefix());
    let prefixes: Vec<Ipv4Net> = all("ipv4Prefix", prefixes)?;
    let listed = interface.private_ip_addresses();
    let marked = listed.iter().find(|address| address.primary() == Some(true));
    let primary =
        interface.private_ip_address().or(marked.and_then(|one| one.private_ip_address()));
    let primary = required("privateIpAddress", primary)?;
    let mut addresses =
        all("privateIpAddress", listed.iter().map(|address| address.private_ip_address()))?;
    addresses.retain(|address| {
        *address != primary && !prefixes.iter().any(|prefix| prefix.contains(address))
    });
    Ok(Ipv4Held { primary, addresses, prefixes })
}

fn ipv6(interface: &NetworkInterface) -> Result<Ipv6Held, Unreadable> {
    let addresses = interface.ipv6_addresses().iter().map(|address| address.ipv6_address());
    let prefixes = interface.ipv6_prefixes().iter().map(|prefix| prefix.ipv6_prefix());
    Ok(Ipv6Held {
        addresses: all("ipv6Address", addresses)?,
        prefixes: all("ipv6Prefix", prefixes)?,
    })
}

/// How it is attached; `None` when it is no longer. A state that is not known here is one on the way to another. What a
/// service of AWS holds (a load balancer, a NAT gateway) is attached to no instance, and its attachment's id has another form.
fn attachment(attachment: &NetworkInterfaceAttachment) -> Result<Option<Attachment>, Unreadable> {
    let status = attachment.status().map(AttachmentStatus::as_str);
    let state = match status.ok_or(Unreadable::Missing("attachment.status"))? {
        "attached" => AttachmentState::Attached,
        "detaching" => AttachmentState::Detaching,
        "detached" => return Ok(None),
        // `attaching`, and what is not known here: it takes its place and keeps its addresses, and nothing is asked of it.
        // Leaving it out would take addresses that pods may use out of what is published.
        _ => AttachmentState::Attaching,
    };
    let id = attachment.attachment_id();
    let id = match attachment.instance_id() {
        Some(_) => Some(required("attachmentId", id)?),
        None => id.and_then(|id| id.parse().ok()),
    };
    let card = attachment.network_card_index().unwrap_or_default();
    Ok(Some(Attachment {
        id,
        device_index: number("attachment.deviceIndex", attachment.device_index())?,
        network_card: number("attachment.networkCardIndex", Some(card))?,
        state,
        delete_on_termination: attachment.delete_on_termination(),
    }))
}

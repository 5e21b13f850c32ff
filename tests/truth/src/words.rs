//! Interfaces and moments in the words of the core.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use ec2_sim::Moment;
use ec2_sim::model::{self, AttachmentStatus, Interface, InterfaceKind};
use ec2_sim::world::World;
use ipam_core::ids::InvalidId;
use ipam_core::policy::MANAGED_TAG;
use ipam_core::time::Tick;
use ipam_core::view::{Attachment, AttachmentState, EniKind, EniView, Ipv4Held, Ipv6Held};

/// An interface. Its hardware address and its public address are left out: no promise is about them.
///
/// # Errors
/// An id of it is none to the core.
pub fn view(interface: &Interface) -> Result<EniView, InvalidId> {
    let ordinary = interface.kind == InterfaceKind::Interface;
    let groups = interface.groups.iter().map(|group| group.as_str().parse());
    Ok(EniView {
        id: interface.id.as_str().parse()?,
        kind: if ordinary { EniKind::Ordinary } else { EniKind::Special },
        mac: None,
        description: interface.description.clone(),
        attachment: interface.attachment.as_ref().map(attachment).transpose()?,
        subnet: interface.subnet.as_str().parse()?,
        vpc: interface.vpc.as_str().parse()?,
        ipv4: Ipv4Held {
            primary: interface.primary_ip,
            addresses: interface.secondary_ips.clone(),
            prefixes: interface.ipv4_prefixes.clone(),
        },
        ipv6: Ipv6Held {
            addresses: interface.ipv6_addresses.clone(),
            prefixes: interface.ipv6_prefixes.clone(),
        },
        security_groups: groups.collect::<Result<_, _>>()?,
        tags: interface.tags.clone(),
        public_ip: None,
    })
}

fn attachment(at: &model::Attachment) -> Result<Attachment, InvalidId> {
    // An index or a card beyond all bounds stays beyond all bounds.
    let index = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    Ok(Attachment {
        id: Some(at.id.as_str().parse()?),
        device_index: index(at.device_index),
        network_card: index(at.network_card),
        state: match at.status {
            AttachmentStatus::Attaching => AttachmentState::Attaching,
            AttachmentStatus::Attached => AttachmentState::Attached,
            AttachmentStatus::Detaching | AttachmentStatus::Detached => AttachmentState::Detaching,
        },
        delete_on_termination: Some(at.delete_on_termination),
    })
}

/// The IPv4 addresses that an interface has for pods: all but its primary one.
#[must_use]
pub fn for_pods(interface: &Interface) -> BTreeSet<Ipv4Addr> {
    let prefixes = interface.ipv4_prefixes.iter();
    let expanded = prefixes.flat_map(|prefix| {
        (u32::from(prefix.network())..=u32::from(prefix.broadcast())).map(Ipv4Addr::from)
    });
    interface.secondary_ips.iter().copied().chain(expanded).collect()
}

/// Whether an interface carries Berth's tag.
#[must_use]
pub fn is_berths(interface: &Interface) -> bool {
    interface.tags.contains_key(MANAGED_TAG)
}

/// Every interface that carries Berth's tag, by id.
pub fn made_by_berth(world: &World) -> impl Iterator<Item = &Arc<Interface>> {
    world.truth().interfaces().filter(|interface| is_berths(interface))
}

/// A moment of EC2's, cut to milliseconds.
#[must_use]
pub const fn tick(moment: Moment) -> Tick {
    Tick::from_millis(moment.as_micros() / 1_000)
}

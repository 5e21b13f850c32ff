//! What the kernel says.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipam_core::pool::Family;
use ipnet::IpNet;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::address::AddressAttribute;
use rtnetlink::packet_route::link::{
    InfoKind, InfoPortKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteType,
};
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute, RuleMessage};

use super::number_of;
use crate::host_net::words::{Link, Route, Rule, Selector};

/// A device with a MAC, and its index. Not one that is made on top of another and has its MAC from that: what is meant is the other.
pub(super) fn link(message: RouteNetlinkMessage) -> Option<(u32, Link)> {
    let RouteNetlinkMessage::NewLink(message) = message else { return None };
    let infos = || message.attributes.iter().flat_map(infos_of);
    let is_upper = infos().any(|info| {
        matches!(
            info,
            LinkInfo::Kind(
                InfoKind::Vlan
                    | InfoKind::IpVlan
                    | InfoKind::IpVtap
                    | InfoKind::MacVlan
                    | InfoKind::MacVtap
            )
        )
    });
    let is_lower = |info: &LinkInfo| {
        matches!(info, LinkInfo::PortKind(InfoPortKind::Bond | InfoPortKind::Team))
    };
    let name = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })?;
    let mtu = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Mtu(mtu) => Some(*mtu),
        _ => None,
    })?;
    let link = Link {
        name,
        mac: mac(&message)?,
        mtu,
        up: message.header.flags.contains(LinkFlags::Up),
        enslaved: infos().any(is_lower),
        reverse_path: None,
    };
    (!is_upper).then_some((message.header.index, link))
}

fn infos_of(attribute: &LinkAttribute) -> &[LinkInfo] {
    match attribute {
        LinkAttribute::LinkInfo(infos) => infos,
        _ => &[],
    }
}

/// The MAC of a device, if it has one of six bytes.
pub(super) fn mac(message: &LinkMessage) -> Option<String> {
    let bytes = message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Address(bytes) if bytes.len() == 6 => Some(bytes),
        _ => None,
    })?;
    let mut text = String::with_capacity(17);
    for (place, byte) in bytes.iter().enumerate() {
        let colon = if place == 0 { "" } else { ":" };
        // A string takes everything.
        let _ = write!(text, "{colon}{byte:02x}");
    }
    Some(text)
}

/// An address with the length of its subnet's prefix, and the device it is on.
pub(super) fn address(message: RouteNetlinkMessage) -> Option<(u32, IpNet)> {
    let RouteNetlinkMessage::NewAddress(message) = message else { return None };
    let find = |wanted: fn(&AddressAttribute) -> Option<IpAddr>| {
        message.attributes.iter().find_map(wanted)
    };
    // Where there are two, the other one is that of a peer.
    let local = find(|attribute| match attribute {
        AddressAttribute::Local(local) => Some(*local),
        _ => None,
    });
    let address = local.or_else(|| {
        find(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })?;
    Some((message.header.index, IpNet::new(address, message.header.prefix_len).ok()?))
}

/// A rule with this protocol number, and the message it came in.
pub(super) fn rule(
    message: RouteNetlinkMessage,
    family: Family,
    protocol: u8,
) -> Option<(Rule, RuleMessage)> {
    let RouteNetlinkMessage::NewRule(message) = message else { return None };
    if message.header.family != number_of(family) || rule_protocol(&message) != Some(protocol) {
        return None;
    }
    let mut priority = 0;
    let mut table = u32::from(message.header.table);
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Priority(value) => priority = *value,
            RuleAttribute::Table(value) => table = *value,
            _ => {}
        }
    }
    let text = || format!("{:?} {:?}", message.header, message.attributes);
    let selector =
        selector(&message, family).unwrap_or_else(|| Selector::Other { family, text: text() });
    Some((Rule { priority, selector, table }, message))
}

/// Whose a rule is.
pub(super) fn rule_protocol(message: &RuleMessage) -> Option<u8> {
    message.attributes.iter().find_map(|attribute| match attribute {
        RuleAttribute::Protocol(protocol) => Some(u8::from(*protocol)),
        _ => None,
    })
}

/// For which packets a rule is; none if it is anything but what is made here.
fn selector(message: &RuleMessage, family: Family) -> Option<Selector> {
    let header = &message.header;
    if header.action != RuleAction::ToTable || !header.flags.is_empty() || header.tos != 0 {
        return None;
    }
    let (mut from, mut to, mut marked, mut bits) = (None, None, None, None);
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Source(source) => from = Some(IpNet::new(*source, header.src_len).ok()?),
            RuleAttribute::Destination(to_where) => {
                to = Some(IpNet::new(*to_where, header.dst_len).ok()?);
            }
            RuleAttribute::FwMark(value) => marked = Some(*value),
            RuleAttribute::FwMask(value) => bits = Some(*value),
            // The kernel shows the last two with every rule; this is what they are when nobody has set them.
            RuleAttribute::Priority(_)
            | RuleAttribute::Table(_)
            | RuleAttribute::Protocol(_)
            | RuleAttribute::SuppressPrefixLen(u32::MAX)
            | RuleAttribute::SuppressIfGroup(u32::MAX) => {}
            _ => return None,
        }
    }
    match (from, to, marked, bits) {
        (Some(from), None, None, None) => Some(Selector::From(from)),
        (None, Some(to), None, None) => Some(Selector::To(to)),
        (None, None, Some(mark), Some(bits)) if mark == bits => {
            Some(Selector::Mark { family, mark })
        }
        _ => None,
    }
}

/// A route of a family. One without a device, such as one to nowhere, has device 0; one over several has the first.
pub(super) fn route(message: RouteNetlinkMessage, family: Family) -> Option<Route> {
    let RouteNetlinkMessage::NewRoute(message) = message else { return None };
    let header = &message.header;
    let is_learned = header.flags.contains(RouteFlags::Cloned);
    if header.address_family != number_of(family) || is_learned {
        return None;
    }
    let all = match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let mut route = Route {
        table: u32::from(header.table),
        destination: IpNet::new(all, header.destination_prefix_length).ok()?,
        gateway: None,
        device: 0,
        protocol: header.protocol.into(),
        metric: 0,
    };
    for attribute in &message.attributes {
        route_attribute(&mut route, attribute, header.destination_prefix_length);
    }
    if header.kind != RouteType::Unicast {
        // The kernel gives routes to nowhere the loopback device under IPv6.
        route.device = 0;
    }
    Some(route)
}

fn route_attribute(route: &mut Route, attribute: &RouteAttribute, length: u8) {
    match attribute {
        RouteAttribute::Table(table) => route.table = *table,
        RouteAttribute::Oif(device) => route.device = *device,
        RouteAttribute::Priority(metric) => route.metric = *metric,
        RouteAttribute::Gateway(gateway) => route.gateway = plain(gateway),
        RouteAttribute::Destination(to) => {
            let to = plain(to).and_then(|to| IpNet::new(to, length).ok());
            route.destination = to.unwrap_or(route.destination);
        }
        RouteAttribute::MultiPath(hops) => {
            route.device = hops.first().map_or(0, |hop| hop.interface_index);
        }
        _ => {}
    }
}

fn plain(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}

/// In which table a route is.
pub(super) fn route_table(message: &RouteMessage) -> u32 {
    let said = message.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Table(table) => Some(*table),
        _ => None,
    });
    said.unwrap_or_else(|| u32::from(message.header.table))
}

//! What is said to the kernel.

use std::net::IpAddr;

use ipam_core::pool::Family;
use ipnet::IpNet;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use rtnetlink::packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use rtnetlink::packet_route::route::{
    RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use rtnetlink::packet_route::rule::{RuleAction, RuleAttribute, RuleMessage};

use super::number_of;
use crate::host_net::words::{Route, Rule, Selector};

/// Asks for all devices, without their counters.
pub(super) fn links() -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    RouteNetlinkMessage::GetLink(message)
}

/// Asks for the addresses of a device.
pub(super) fn addresses(device: u32) -> RouteNetlinkMessage {
    let mut message = AddressMessage::default();
    message.header.index = device;
    RouteNetlinkMessage::GetAddress(message)
}

/// Asks for the rules of a family.
pub(super) fn rules(family: Family) -> RouteNetlinkMessage {
    let mut message = RuleMessage::default();
    message.header.family = number_of(family);
    RouteNetlinkMessage::GetRule(message)
}

/// Asks for the routes of a family with a protocol number, in all tables.
pub(super) fn routes_of(family: Family, protocol: u8) -> RouteNetlinkMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = number_of(family);
    message.header.protocol = RouteProtocol::from(protocol);
    RouteNetlinkMessage::GetRoute(message)
}

/// Asks for the routes of a family in a table.
pub(super) fn routes_in(family: Family, table: u32) -> RouteNetlinkMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = number_of(family);
    message.attributes.push(RouteAttribute::Table(table));
    RouteNetlinkMessage::GetRoute(message)
}

/// A rule; none for one that is not made here.
pub(super) fn rule(rule: &Rule, protocol: u8) -> Option<RuleMessage> {
    let mut message = RuleMessage::default();
    match &rule.selector {
        Selector::From(cidr) => {
            message.header.family = number_of(Family::of(cidr.addr()));
            message.header.src_len = cidr.prefix_len();
            message.attributes.push(RuleAttribute::Source(cidr.network()));
        }
        Selector::To(cidr) => {
            message.header.family = number_of(Family::of(cidr.addr()));
            message.header.dst_len = cidr.prefix_len();
            message.attributes.push(RuleAttribute::Destination(cidr.network()));
        }
        Selector::Mark { family, mark } => {
            message.header.family = number_of(*family);
            message.attributes.push(RuleAttribute::FwMark(*mark));
            message.attributes.push(RuleAttribute::FwMask(*mark));
        }
        Selector::Other { .. } => return None,
    }
    message.header.action = RuleAction::ToTable;
    message.header.table = short(rule.table);
    message.attributes.push(RuleAttribute::Table(rule.table));
    message.attributes.push(RuleAttribute::Priority(rule.priority));
    message.attributes.push(RuleAttribute::Protocol(RouteProtocol::from(protocol)));
    Some(message)
}

/// A unicast route.
pub(super) fn route(route: &Route) -> RouteMessage {
    let mut message = RouteMessage::default();
    let to = route.destination;
    message.header.address_family = number_of(Family::of(to.addr()));
    message.header.destination_prefix_length = to.prefix_len();
    message.header.table = short(route.table);
    message.header.protocol = RouteProtocol::from(route.protocol);
    // IPv6 knows no scopes of routes.
    let is_direct = route.gateway.is_none() && to.addr().is_ipv4();
    message.header.scope = if is_direct { RouteScope::Link } else { RouteScope::Universe };
    message.header.kind = RouteType::Unicast;
    if to.prefix_len() > 0 {
        message.attributes.push(RouteAttribute::Destination(to.network().into()));
    }
    if let Some(gateway) = route.gateway {
        message.attributes.push(RouteAttribute::Gateway(gateway.into()));
    }
    message.attributes.push(RouteAttribute::Table(route.table));
    message.attributes.push(RouteAttribute::Oif(route.device));
    if route.metric > 0 {
        message.attributes.push(RouteAttribute::Priority(route.metric));
    }
    message
}

/// An address, without the route to its subnet that the kernel would make.
pub(super) fn address(device: u32, address: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    let own = address.addr();
    message.header.family = number_of(Family::of(own));
    message.header.prefix_len = address.prefix_len();
    message.header.index = device;
    message.attributes.push(AddressAttribute::Address(own));
    message.attributes.push(AddressAttribute::Local(own));
    if let (IpAddr::V4(_), IpAddr::V4(broadcast)) = (own, address.broadcast()) {
        message.attributes.push(AddressAttribute::Broadcast(broadcast));
    }
    message.attributes.push(AddressAttribute::Flags(AddressFlags::Noprefixroute));
    message
}

/// The number of a table in a header, where it fits; the attribute counts.
fn short(table: u32) -> u8 {
    u8::try_from(table).unwrap_or(RouteHeader::RT_TABLE_UNSPEC)
}

//! What is said to the kernel is what the kernel would say of it, and which of its notices matter.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use ipam_core::pool::Family;
use rtnetlink::packet_core::{Emitable, NetlinkMessage, NetlinkPayload, Parseable};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{
    InfoKind, InfoPortKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use rtnetlink::packet_route::route::{RouteMessage, RouteType};
use rtnetlink::packet_route::rule::{RuleAttribute, RuleFlags, RuleMessage};

use super::interest::Interest;
use super::{KernelError, decode, encode};
use crate::host_net::words::{Link, Numbers, Route, Rule, Selector, Wanted, WantedEni};

const PROTOCOL: u8 = 66;

fn over_the_wire<T: Emitable + Parseable<[u8]>>(message: &T) -> T {
    let mut bytes = vec![0; message.buffer_len()];
    message.emit(&mut bytes);
    T::parse(&bytes).unwrap()
}

fn read_rule(message: RuleMessage, family: Family) -> Option<Rule> {
    let read = decode::rule(RouteNetlinkMessage::NewRule(message), family, PROTOCOL);
    read.map(|(rule, _)| rule)
}

fn rules() -> Vec<(Family, Rule)> {
    let rule = |family, priority, selector, table| (family, Rule { priority, selector, table });
    let mark = |family| Selector::Mark { family, mark: 0x100 };
    vec![
        rule(Family::Ipv4, 20, Selector::To("10.0.1.16/28".parse().unwrap()), 254),
        rule(Family::Ipv4, 111, Selector::From("10.0.1.7/32".parse().unwrap()), 11),
        rule(Family::Ipv6, 111, Selector::From("2001:db8::/80".parse().unwrap()), 1000),
        rule(Family::Ipv6, 20, Selector::To("2001:db8::7/128".parse().unwrap()), 254),
        rule(Family::Ipv4, 110, mark(Family::Ipv4), 254),
        rule(Family::Ipv6, 110, mark(Family::Ipv6), 254),
    ]
}

#[test]
fn rules_are_read_as_they_are_written() {
    for (family, rule) in rules() {
        let mut message = encode::rule(&rule, PROTOCOL).unwrap();
        // What the kernel adds.
        message.attributes.push(RuleAttribute::SuppressPrefixLen(u32::MAX));
        let message = over_the_wire(&message);
        assert_eq!(read_rule(message.clone(), family), Some(rule.clone()));
        let other = if family == Family::Ipv4 { Family::Ipv6 } else { Family::Ipv4 };
        assert_eq!(read_rule(message, other), None, "{rule}: of the other family");
        let foreign = encode::rule(&rule, PROTOCOL + 1).unwrap();
        assert_eq!(read_rule(over_the_wire(&foreign), family), None, "{rule}: of somebody else");
    }
}

type Change = fn(&mut RuleMessage);

#[test]
fn a_rule_that_says_anything_more_is_another() {
    let more: [(&str, Change); 5] = [
        ("device", |rule| rule.attributes.push(RuleAttribute::Iifname("eth0".to_owned()))),
        ("suppress", |rule| rule.attributes.push(RuleAttribute::SuppressPrefixLen(0))),
        ("not", |rule| rule.header.flags = RuleFlags::Invert),
        ("tos", |rule| rule.header.tos = 4),
        ("mask", |rule| rule.attributes.push(RuleAttribute::FwMask(1))),
    ];
    for (family, rule) in rules() {
        for (name, change) in more {
            let mut message = encode::rule(&rule, PROTOCOL).unwrap();
            change(&mut message);
            let read = read_rule(message, family).unwrap();
            let Selector::Other { text, .. } = &read.selector else {
                panic!("{rule} with {name} was read as {read}")
            };
            assert!(!text.is_empty() && encode::rule(&read, PROTOCOL).is_none());
        }
    }
}

#[test]
fn routes_are_read_as_they_are_written() {
    let route = |table, to: &str, gateway: Option<&str>, metric| Route {
        table,
        destination: to.parse().unwrap(),
        gateway: gateway.map(|gateway| gateway.parse().unwrap()),
        device: 7,
        protocol: PROTOCOL,
        metric,
    };
    for (family, route) in [
        (Family::Ipv4, route(11, "10.0.1.1/32", None, 0)),
        (Family::Ipv4, route(1011, "0.0.0.0/0", Some("10.0.1.1"), 0)),
        (Family::Ipv6, route(11, "::/0", Some("fe80:ec2::1"), 1024)),
    ] {
        let message = over_the_wire(&encode::route(&route));
        let read = |message: &RouteMessage| {
            decode::route(RouteNetlinkMessage::NewRoute(message.clone()), family)
        };
        assert_eq!(read(&message), Some(route.clone()));
        assert_eq!(decode::route_table(&message), route.table);
        let mut nowhere = message;
        nowhere.header.kind = RouteType::Unreachable;
        assert_eq!(read(&nowhere), Some(Route { device: 0, ..route }));
    }
}

fn device(name: &str, last: u8, more: Option<LinkInfo>) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = u32::from(last);
    message.header.flags = LinkFlags::Up;
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::Address(vec![2, 0, 0, 0, 0xAB, last]),
        LinkAttribute::Mtu(9001),
    ];
    message.attributes.extend(more.map(|info| LinkAttribute::LinkInfo(vec![info])));
    message
}

#[test]
fn devices_are_those_of_interfaces_and_not_what_is_on_top_of_them() {
    let read = |more| decode::link(RouteNetlinkMessage::NewLink(device("eth1", 5, more)));
    let plain = Link {
        name: "eth1".to_owned(),
        mac: "02:00:00:00:ab:05".to_owned(),
        mtu: 9001,
        up: true,
        enslaved: false,
        reverse_path: None,
    };
    assert_eq!(read(None), Some((5, plain.clone())));
    let lower = Some((5, Link { enslaved: true, ..plain.clone() }));
    assert_eq!(read(Some(LinkInfo::PortKind(InfoPortKind::Bond))), lower);
    assert_eq!(read(Some(LinkInfo::PortKind(InfoPortKind::Bridge))), Some((5, plain)));
    assert_eq!(read(Some(LinkInfo::Kind(InfoKind::Vlan))), None);
}

#[test]
fn only_changes_by_others_to_what_is_berths_matter() {
    let eni = WantedEni {
        mac: "02:00:00:00:ab:05".to_owned(),
        number: 1,
        primary: None,
        subnet: None,
        vpc: BTreeSet::new(),
    };
    let enis = BTreeMap::from([("eni-1".parse().unwrap(), eni)]);
    let wanted = Wanted { enis, ..Wanted::default() };
    let interest = Interest::of(&Numbers::default(), &wanted, [5].iter());
    let matters = |message: RouteNetlinkMessage, port| {
        let mut notice = NetlinkMessage::from(message);
        notice.header.port_number = port;
        interest.matters(&notice, 77)
    };
    let rule = |protocol| {
        let message = encode::rule(&rules()[0].1, protocol).unwrap();
        RouteNetlinkMessage::DelRule(message)
    };
    assert!(matters(rule(PROTOCOL), 78));
    assert!(!matters(rule(PROTOCOL), 77), "it came from here");
    assert!(!matters(rule(2), 78), "somebody else's");
    assert!(matters(RouteNetlinkMessage::NewLink(device("any", 5, None)), 0));
    assert!(!matters(RouteNetlinkMessage::NewLink(device("veth1", 6, None)), 0), "a pod's");
    let route = |table, protocol| {
        let to = "10.0.1.7/32".parse().unwrap();
        let route = Route { table, destination: to, gateway: None, device: 9, protocol, metric: 0 };
        RouteNetlinkMessage::DelRoute(encode::route(&route))
    };
    assert!(matters(route(11, 3), 0));
    assert!(matters(route(40, PROTOCOL), 0));
    assert!(!matters(route(254, 3), 0), "a pod's");
    let address = |device| {
        RouteNetlinkMessage::DelAddress(encode::address(device, "10.0.1.5/24".parse().unwrap()))
    };
    assert!(matters(address(5), 0) && !matters(address(6), 0));
    let lost = NetlinkMessage::new(
        rtnetlink::packet_core::NetlinkHeader::default(),
        NetlinkPayload::Overrun(Vec::new()),
    );
    assert!(interest.matters(&lost, 77));
}

#[test]
fn a_refusal_for_want_of_rights_says_which() {
    let said = |code| KernelError::Refused(io::Error::from_raw_os_error(code)).to_string();
    assert_eq!(
        said(1),
        "Operation not permitted (os error 1): the agent needs the capability NET_ADMIN, unless --host-networking=off"
    );
    assert_eq!(said(17), "File exists (os error 17)");
}

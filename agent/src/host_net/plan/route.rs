//! Routes: what the table of an interface has, and what somebody else put there.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipam_core::ids::EniId;
use ipam_core::pool::Family;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Carriers;
use crate::host_net::words::{Kernel, Numbers, Problem, Route, Wanted, WantedEni};

/// The router of every subnet, for IPv6 (reference: agent section 4.1).
const ROUTER6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0x0ec2, 0, 0, 0, 0, 0, 1);

/// The kernel's default for IPv6, where 0 cannot be.
const METRIC6: u32 = 1024;

/// The first of the kernel's own tables (`RT_TABLE_DEFAULT`): no table of an interface comes so far.
const KERNELS: u32 = 253;

/// Routes to make, and to remove.
pub(super) struct Changes {
    pub(super) missing: Vec<Route>,
    pub(super) over: Vec<Route>,
}

/// The routes of an interface, each after those that it needs.
///
/// The subnet's router is its first address but one. IPv4 needs a route to it, since the subnet has none in this table; IPv6
/// does not, since the kernel looks for a link-local router on the route's device and nowhere else. IPv6 has a route only
/// where it is used: on a host that switched it off the kernel would refuse it.
pub(super) fn wanted(
    wanted: &Wanted,
    id: &EniId,
    eni: &WantedEni,
    device: u32,
    numbers: &Numbers,
) -> Result<Vec<Route>, Problem> {
    let subnet = eni.subnet.ok_or(Problem::NoSubnet)?;
    let gateway = Ipv4Addr::from_bits(subnet.network().to_bits().saturating_add(1));
    let route = |destination, gateway, metric| Route {
        table: numbers.table(eni.number),
        destination,
        gateway,
        device,
        protocol: numbers.protocol,
        metric,
    };
    let mut routes = vec![
        route(IpNet::from(IpAddr::V4(gateway)), None, 0),
        route(IpNet::V4(Ipv4Net::default()), Some(IpAddr::V4(gateway)), 0),
    ];
    let is6 = |cidr: &IpNet| Family::of(cidr.addr()) == Family::Ipv6;
    if wanted.used.iter().any(|(cidr, on)| on == id && is6(cidr)) {
        routes.push(route(IpNet::V6(Ipv6Net::default()), Some(IpAddr::V6(ROUTER6)), METRIC6));
    }
    Ok(routes)
}

/// A route of somebody else that would be asked instead of one of these, or that the kernel would not let stand beside it.
/// One that leads to the same place does as well as Berth's own: so another agent's routes, left behind, are no trouble.
pub(super) fn in_the_way(kernel: &Kernel, routes: &[Route], numbers: &Numbers) -> Option<Problem> {
    let foreign = |found: &&Route| found.protocol != numbers.protocol;
    let found = kernel.routes.iter().filter(foreign).find(|found| {
        routes.iter().any(|route| {
            same_target(found, route) && found.metric <= route.metric && !same_way(found, route)
        })
    })?;
    Some(Problem::ForeignRoute {
        table: found.table,
        destination: found.destination,
        protocol: found.protocol,
    })
}

/// Compares the routes of all interfaces with what is there. `held` are tables from which nothing is removed.
pub(super) fn changes(
    kernel: &Kernel,
    carriers: &Carriers<'_>,
    held: &BTreeSet<u32>,
    numbers: &Numbers,
) -> Changes {
    let wanted: Vec<&Route> = carriers.values().flat_map(|carrier| &carrier.routes).collect();
    let led: BTreeSet<u32> = wanted.iter().map(|route| route.table).collect();
    let there = |route: &Route| {
        let serves = |found: &Route| same_target(found, route) && same_way(found, route);
        let foreign =
            |found: &Route| found.protocol != numbers.protocol && found.metric <= route.metric;
        kernel.routes.contains(route)
            || kernel.routes.iter().any(|found| serves(found) && foreign(found))
    };
    let missing: Vec<Route> =
        wanted.iter().filter(|route| !there(route)).copied().cloned().collect();
    let over = |found: &&Route| {
        // What a missing one takes the place of goes by itself.
        let replaced = |route: &Route| same_target(found, route) && found.metric == route.metric;
        found.protocol == numbers.protocol
            && found.table < KERNELS
            && !wanted.contains(found)
            && !missing.iter().any(replaced)
            && (led.contains(&found.table) || !held.contains(&found.table))
    };
    let over = kernel.routes.iter().filter(over).cloned().collect();
    Changes { missing, over }
}

fn same_target(one: &Route, other: &Route) -> bool {
    one.table == other.table && one.destination == other.destination
}

fn same_way(one: &Route, other: &Route) -> bool {
    one.device == other.device && one.gateway == other.gateway
}

//! Addresses: who holds which, and what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::{Promise, Report};
use crate::id::{InterfaceId, SubnetId, VpcId};
use crate::model::{Interface, ReservationKind, Subnet};
use crate::world::World;

pub(super) fn check(world: &World, report: &mut Report) {
    let mut held: BTreeMap<(&VpcId, Ipv4Addr), &InterfaceId> = BTreeMap::new();
    let mut macs = BTreeSet::new();
    let mut taken: BTreeMap<&SubnetId, BTreeSet<Ipv4Addr>> = BTreeMap::new();
    for interface in world.truth().interfaces() {
        report.expect(Promise::HeldOnce, macs.insert(interface.mac), || {
            format!("{} has the hardware address of another", interface.id)
        });
        for address in expanded(interface) {
            let other = held.insert((&interface.vpc, address), &interface.id);
            report.expect(Promise::HeldOnce, other.is_none(), || {
                format!(
                    "{address} on {} and {}",
                    interface.id,
                    other.map_or("", InterfaceId::as_str)
                )
            });
            taken.entry(&interface.subnet).or_default().insert(address);
        }
        match world.truth().subnet(&interface.subnet) {
            Some(subnet) => check_places(interface, &subnet, report),
            None => {
                report.expect(Promise::InSubnet, false, || format!("{} has none", interface.id));
            }
        }
    }
    check_ipv6(world, report);
    for subnet in world.truth().subnets() {
        let empty = BTreeSet::new();
        check_subnet(world, &subnet, taken.get(&subnet.id).unwrap_or(&empty), report);
    }
}

/// Every IPv4 address of an interface, those of prefixes one by one.
fn expanded(interface: &Interface) -> impl Iterator<Item = Ipv4Addr> {
    let blocks = interface.ipv4_prefixes.iter();
    let blocks = blocks.flat_map(|prefix| {
        (u32::from(prefix.network())..=u32::from(prefix.broadcast())).map(Ipv4Addr::from)
    });
    let singles = [interface.primary_ip].into_iter().chain(interface.secondary_ips.iter().copied());
    singles.chain(blocks)
}

fn check_places(interface: &Interface, subnet: &Subnet, report: &mut Report) {
    let there = (&interface.vpc, &interface.zone) == (&subnet.vpc, &subnet.zone);
    report.expect(Promise::InSubnet, there, || {
        format!("{} is in {} of {}", interface.id, interface.zone, interface.vpc)
    });
    let first = u32::from(subnet.ipv4_cidr.network());
    let last = u32::from(subnet.ipv4_cidr.broadcast());
    for address in expanded(interface) {
        let own = (first + 4..last).contains(&u32::from(address));
        report.expect(Promise::InSubnet, own, || format!("{address} of {}", interface.id));
    }
    for prefix in &interface.ipv4_prefixes {
        let aligned = prefix.prefix_len() == 28 && u32::from(prefix.addr()) % 16 == 0;
        report.expect(Promise::InSubnet, aligned, || format!("{prefix} of {}", interface.id));
    }
    let ipv6 = interface.ipv6_addresses.iter().copied();
    for address in ipv6.chain(interface.ipv6_prefixes.iter().map(ipnet::Ipv6Net::addr)) {
        let own = subnet.ipv6_cidr.is_some_and(|cidr| cidr.contains(&address));
        report.expect(Promise::InSubnet, own, || format!("{address} of {}", interface.id));
    }
    for prefix in &interface.ipv6_prefixes {
        let aligned = prefix.prefix_len() == 80 && u128::from(prefix.addr()) % (1 << 48) == 0;
        report.expect(Promise::InSubnet, aligned, || format!("{prefix} of {}", interface.id));
    }
}

fn check_ipv6(world: &World, report: &mut Report) {
    let mut ranges = Vec::new();
    for interface in world.truth().interfaces() {
        let singles =
            interface.ipv6_addresses.iter().map(|one| (u128::from(*one), u128::from(*one)));
        let prefixes = interface.ipv6_prefixes.iter();
        let prefixes = prefixes.map(|net| (u128::from(net.network()), u128::from(net.broadcast())));
        ranges.extend(singles.chain(prefixes).map(|range| (&interface.vpc, range, &interface.id)));
    }
    ranges.sort_unstable();
    for (before, after) in ranges.iter().zip(ranges.iter().skip(1)) {
        let apart = before.0 != after.0 || before.1.1 < after.1.0;
        report.expect(Promise::HeldOnce, apart, || {
            let address = std::net::Ipv6Addr::from(after.1.0);
            format!("{address} on {} and {}", before.2, after.2)
        });
    }
}

fn check_subnet(world: &World, subnet: &Subnet, taken: &BTreeSet<Ipv4Addr>, report: &mut Report) {
    let Some(entry) = world.subnet_entry(&subnet.id) else { return };
    let said: BTreeSet<_> = entry.space.iter_taken().collect();
    report.expect(Promise::Conserved, said == *taken, || {
        let wrong: Vec<_> =
            said.symmetric_difference(taken).take(4).map(ToString::to_string).collect();
        format!("{} says otherwise of {}", subnet.id, wrong.join(", "))
    });
    let usable = (1_usize << (32 - subnet.ipv4_cidr.prefix_len())) - 5;
    let free = usable.saturating_sub(taken.len());
    let first = u32::from(subnet.ipv4_cidr.network()) + 4;
    let last = u32::from(subnet.ipv4_cidr.broadcast());
    let reserved: Vec<_> = world
        .truth()
        .reservations()
        .filter(|reservation| reservation.subnet == subnet.id)
        .map(|reservation| reservation.cidr)
        .collect();
    let in_reservation = |address: &Ipv4Addr| reserved.iter().any(|cidr| cidr.contains(address));
    let unused = (first..last).map(Ipv4Addr::from).filter(|address| !taken.contains(address));
    let barred = if reserved.is_empty() { 0 } else { unused.filter(in_reservation).count() };
    let available = subnet.available_ipv4 as usize;
    // Whether reservations count is an assumption; both ways are right.
    let singles = free.saturating_sub(barred);
    report.expect(Promise::Conserved, available == free || available == singles, || {
        format!("{} has {available} available, not {free} less {barred}", subnet.id)
    });
    let blocks = count_blocks(world, subnet, taken);
    let said = (entry.space.free_singles() as usize, entry.space.free_blocks() as usize);
    report.expect(Promise::Conserved, said == (singles, blocks), || {
        format!("{} picks from {said:?}, not {singles} and {blocks}", subnet.id)
    });
}

/// Blocks of which nothing is taken and no part is EC2's own, outside of all reservations or inside of one for prefixes.
fn count_blocks(world: &World, subnet: &Subnet, taken: &BTreeSet<Ipv4Addr>) -> usize {
    let reservations = || {
        let all = world.truth().reservations();
        all.filter(|reservation| reservation.subnet == subnet.id)
    };
    let first = u32::from(subnet.ipv4_cidr.network()) + 16;
    let last = u32::from(subnet.ipv4_cidr.broadcast()).saturating_sub(16);
    let open = |start: &u32| {
        let (start, end) = (Ipv4Addr::from(*start), Ipv4Addr::from(*start + 15));
        let meets = |cidr: &ipnet::Ipv4Net| cidr.network() <= end && start <= cidr.broadcast();
        let inside = |cidr: &ipnet::Ipv4Net| cidr.network() <= start && end <= cidr.broadcast();
        let outside = reservations().all(|reservation| !meets(&reservation.cidr));
        let for_prefixes = reservations().any(|reservation| {
            reservation.kind == ReservationKind::Prefix && inside(&reservation.cidr)
        });
        taken.range(start..=end).next().is_none() && (outside || for_prefixes)
    };
    (first..=last).step_by(16).filter(open).count()
}

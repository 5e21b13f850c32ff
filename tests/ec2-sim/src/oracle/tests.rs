//! Planted bugs: what the audit must find, or it would be no use.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::Promise;
use crate::model::{
    ElasticIp, Instance, InstanceState, Interface, InterfaceStatus, ReservationKind,
};
use crate::script::{Script, standard};
use crate::space::Space;
use crate::staleness::Visibility;
use crate::time::Moment;
use crate::world::Write;

/// Writes `i1`'s primary interface as `plant` leaves it, around all rules, and says what the audit finds.
#[track_caller]
fn check(plant: impl FnOnce(&mut Interface), expected: &[Promise]) {
    let mut script = standard();
    let world = &mut script.ec2.region.world;
    let first = world.truth().interfaces().find(|interface| interface.primary_ip.octets()[3] == 4);
    let mut planted = Interface::clone(first.map(Arc::as_ref).expect("i1's"));
    plant(&mut planted);
    world.put_interface(planted, &Write::at_once(Moment::START));
    assert_eq!(found(&script), expected);
}

fn found(script: &Script) -> Vec<Promise> {
    let mut found: Vec<_> = script.ec2.audit().into_iter().map(|finding| finding.promise).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn a_sound_world_has_no_findings() {
    check(|_| {}, &[]);
}

#[test]
fn addresses_out_of_order_are_found() {
    check(|interface| interface.secondary_ips.push([10, 0, 0, 99].into()), &[Promise::Conserved]);
    check(
        |interface| interface.secondary_ips.push([10, 0, 0, 5].into()),
        &[Promise::HeldOnce, Promise::Indexes],
    );
    check(
        |interface| interface.secondary_ips.push([10, 0, 0, 1].into()),
        &[Promise::InSubnet, Promise::Conserved],
    );
    let block = |text: &str| text.parse().expect("a prefix");
    check(|interface| interface.ipv4_prefixes.push(block("10.0.0.64/28")), &[Promise::Conserved]);
    check(
        |interface| interface.ipv4_prefixes.push(block("10.0.0.8/29")),
        &[Promise::HeldOnce, Promise::InSubnet, Promise::Conserved],
    );
    let ipv6 = |text: &str| text.parse().expect("an address");
    check(|interface| interface.ipv6_addresses.push(ipv6("2001:db8:0:2::1")), &[Promise::InSubnet]);
    check(
        |interface| {
            interface.ipv6_addresses.push(ipv6("2001:db8:0:1:1::1"));
            interface.ipv6_prefixes.push("2001:db8:0:1:1::/80".parse().expect("a prefix"));
        },
        &[Promise::HeldOnce],
    );
}

#[test]
fn places_out_of_order_are_found() {
    check(|interface| interface.attachment = None, &[Promise::Places, Promise::Attachments]);
    check(|interface| interface.status = InterfaceStatus::Available, &[Promise::Attachments]);
    check(|interface| interface.groups.clear(), &[Promise::Groups]);
    check(|interface| interface.zone.push('x'), &[Promise::InSubnet, Promise::Attachments]);
    check(
        |interface| interface.attachment.as_mut().expect("one").device_index = 1,
        &[Promise::Places],
    );
    check(
        |interface| interface.attachment.as_mut().expect("one").network_card = 1,
        &[Promise::Places],
    );
    check(
        |interface| {
            interface.ipv6_prefixes.extend((1..12).map(|block| {
                format!("2001:db8:0:1:{block:x}::/80").parse::<ipnet::Ipv6Net>().expect("a prefix")
            }));
        },
        &[Promise::Slots],
    );
}

/// Lets the world be as `plant` leaves it, and says what the audit finds.
#[track_caller]
fn check_world(plant: impl FnOnce(&mut Script), expected: &[Promise]) {
    let mut script = standard();
    plant(&mut script);
    assert_eq!(found(&script), expected);
}

#[test]
fn a_hardware_address_is_one_interfaces() {
    check(|interface| interface.mac = [6; 6], &[]);
    check_world(
        |script| {
            let world = &mut script.ec2.region.world;
            let all: Vec<_> = world.truth().interfaces().cloned().collect();
            let twin = Interface { mac: all[0].mac, ..Interface::clone(&all[1]) };
            world.put_interface(twin, &Write::at_once(Moment::START));
        },
        &[Promise::HeldOnce],
    );
}

#[test]
fn instances_and_links_out_of_order_are_found() {
    fn change(script: &mut Script, change: impl FnOnce(&mut Instance)) {
        let world = &mut script.ec2.region.world;
        let mut instance = Instance::clone(world.truth().instances().next().expect("one"));
        change(&mut instance);
        world.put_instance(instance, &Visibility::at_once(Moment::START));
    }
    check_world(
        |script| change(script, |instance| instance.private_ip = [10, 0, 0, 77].into()),
        &[Promise::Places],
    );
    check_world(
        |script| change(script, |instance| instance.state = InstanceState::Terminated),
        &[Promise::Places],
    );
    check_world(
        |script| {
            script.attempt("create a");
            let world = &mut script.ec2.region.world;
            let free = |interface: &&Arc<Interface>| interface.attachment.is_none();
            let id = world.truth().interfaces().find(free).expect("e").id.clone();
            world.set_link(&id, Some(Moment::START));
        },
        &[Promise::Attachments],
    );
}

#[test]
fn a_terminated_instance_has_nothing() {
    check_world(
        |script| {
            script.attempt("create a");
            script.attempt("attach e i1 1");
            let world = script.ec2.world().truth();
            let attached = |interface: &&Arc<Interface>| {
                interface.attachment.as_ref().is_some_and(|at| at.device_index == 1)
            };
            let before = Interface::clone(world.interfaces().find(attached).expect("e"));
            script.attempt("terminate i1");
            script.ec2.region.world.put_interface(before, &Write::at_once(Moment::START));
        },
        &[Promise::Places],
    );
}

#[test]
fn subnets_out_of_order_are_found() {
    fn space(script: &mut Script) -> &mut Space {
        let subnet = script.subnet("a");
        script.ec2.region.world.space_mut(&subnet).expect("it is there")
    }
    check_world(
        |script| {
            space(script).take([10, 0, 0, 77].into()).expect("it is free");
        },
        &[Promise::Conserved],
    );
    check_world(
        |script| {
            space(script).give_back([10, 0, 0, 4].into());
        },
        &[Promise::Conserved],
    );
    check_world(
        |script| {
            let cidr = "10.0.0.64/28".parse().expect("a CIDR");
            space(script).reserve(cidr, ReservationKind::Prefix).expect("it is free");
        },
        &[Promise::Conserved],
    );
}

#[test]
fn public_addresses_out_of_order_are_found() {
    fn change(script: &mut Script, change: impl FnOnce(&mut ElasticIp)) {
        script.attempt("associate p1 interface=i1-primary");
        let world = &mut script.ec2.region.world;
        let mut all = world.truth().elastic_ips();
        let found = all.find(|elastic_ip| elastic_ip.association.is_some()).expect("p1");
        let mut elastic_ip = ElasticIp::clone(found);
        drop(all);
        change(&mut elastic_ip);
        world.put_elastic_ip(elastic_ip, &Visibility::at_once(Moment::START));
    }
    check_world(|script| change(script, |_| {}), &[]);
    check_world(
        |script| change(script, |elastic_ip| elastic_ip.association = None),
        &[Promise::ElasticIps],
    );
    check_world(
        |script| change(script, |elastic_ip| elastic_ip.public_ip = [198, 51, 100, 9].into()),
        &[Promise::ElasticIps, Promise::Indexes],
    );
}

#[test]
fn what_cannot_be_counted_is_a_finding_and_no_panic() {
    check_world(
        |script| {
            let subnet = script.subnet("tiny");
            script.ec2.build().leave_addresses(&subnet, 0).expect("addresses");
            let world = &mut script.ec2.region.world;
            let last = world.truth().interfaces().find(|interface| interface.subnet == subnet);
            let mut planted = Interface::clone(last.expect("one"));
            planted.secondary_ips.extend([0, 1, 2].map(|last| Ipv4Addr::new(10, 0, 2, last)));
            world.put_interface(planted, &Write::at_once(Moment::START));
        },
        &[Promise::InSubnet, Promise::Conserved],
    );
}

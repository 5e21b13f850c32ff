//! The program `fabric` with a real `ec2-sim`: what EC2 says is made true in network namespaces, and nothing else.

#[cfg(test)]
mod packets;
#[cfg(test)]
mod region;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use packets::{Ear, caller_of_the_internet, devices, received, say};
use real::await_true;
use region::{Inside, Region, SOON};
use serde_json::json;

const A: &str = "i-0000000a";
const B: &str = "i-0000000b";
const C: &str = "i-0000000c";
/// The primary addresses of these.
const OF_A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
const OF_B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 11);
const OF_C: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 12);
/// An interface of the subnet 10.0.1.0/24 that is attached to nothing, and its primary address.
const SECOND: &str = "eni-0000000e";
const OF_SECOND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 20);
/// An address of the same subnet that nobody has.
const FREE: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 50);

#[test]
fn instances_reach_each_other_and_nobody_else() {
    let region = Region::start("zero");
    let ears = [A, B, C].map(|instance| Ear::of(region.host(instance)));
    for (from, host) in [(OF_A, A), (OF_B, B), (OF_C, C)] {
        for (to, ear) in [OF_A, OF_B, OF_C].into_iter().zip(&ears) {
            say(region.host(host), None, to, "hello");
            assert_eq!(ear.next(), ("hello".to_owned(), from));
        }
        // Nobody says that nobody is there.
        say(region.host(host), None, FREE, "is anybody there?");
    }
    assert_eq!(region.drops(), 0);
}

#[test]
fn a_device_appears_when_ec2_shows_it() {
    let region = Region::start("typical");
    region.attach(SECOND, A, 1);
    let mac = region.interface(SECOND)["mac"].as_str().unwrap().to_owned();
    let shown = || devices(region.host(A)).into_iter().find(|device| device.name == "eth1");
    let mut waited = false;
    await_true(SOON, "the device has not appeared", || {
        // What EC2 says is read later: it must not have been silent then.
        let device = shown();
        let links = region.sim("GET", &format!("/_sim/links/{A}"), "").to_string();
        let ec2_shows_it = links.contains(SECOND);
        assert!(ec2_shows_it || device.is_none(), "{device:?} is there before it is shown");
        waited |= !ec2_shows_it;
        device.is_some()
    });
    assert!(waited, "EC2 took no time");
    let device = shown().unwrap();
    assert_eq!((device.mac, device.up), (mac, false));
    assert_eq!(device.addresses, BTreeSet::new());
    let first = devices(region.host(A)).into_iter().find(|device| device.name == "eth0").unwrap();
    assert!(first.up && first.addresses.contains("10.0.0.10/24"), "{first:?}");
}

#[test]
fn an_address_is_delivered_over_its_interface_alone() {
    let region = Region::start("zero");
    region.attach(SECOND, B, 1);
    region.set_up_second(B);
    let (from, to) = (region.host(A), region.host(B));
    to.ip(&format!("address add {FREE}/32 dev lo"));
    let ear = Ear::of(to);
    region.assign(SECOND, FREE);
    ear.await_heard(|| say(from, None, FREE, "assigned"));
    let before = received(to);
    let count = 100;
    for number in 0..count {
        say(from, None, FREE, &number.to_string());
        assert_eq!(ear.next().0, number.to_string());
    }
    let after = received(to);
    assert!(after["eth1"] - before["eth1"] >= count, "{before:?} {after:?}");
    assert!(after["eth0"] - before["eth0"] < count, "{before:?} {after:?}");
    region.unassign(SECOND, FREE);
    await_lost(&region, &ear);
    assert_eq!(region.drops(), 0);
}

/// Waits until what A says to [`FREE`] is not heard, and looks whether that remains so. What is said to B's second interface afterwards is
/// heard, by which it is known that nothing is on its way any more.
#[track_caller]
fn await_lost(region: &Region, ear: &Ear) {
    let from = region.host(A);
    let is_lost = || {
        say(from, None, FREE, "lost?");
        say(from, None, OF_SECOND, "marker");
        let heard = ear.next().0;
        if heard == "lost?" {
            assert_eq!(ear.next().0, "marker");
        }
        heard == "marker"
    };
    await_true(SOON, "it is still delivered", is_lost);
    assert!((0..20).all(|_| is_lost()), "it is delivered again");
}

#[test]
fn a_foreign_source_is_dropped_and_counted() {
    let region = Region::start("zero");
    let (from, ear) = (region.host(A), Ear::of(region.host(B)));
    from.ip("address add 10.0.0.77/32 dev lo");
    // Its neighbour is known from here on: an ARP request with a foreign source is not answered, and not counted either.
    say(from, None, OF_B, "hello");
    assert_eq!(ear.next(), ("hello".to_owned(), OF_A));
    let foreign = || say(from, Some(Ipv4Addr::new(10, 0, 0, 77)), OF_B, "foreign");
    foreign();
    say(from, None, OF_B, "marker");
    assert_eq!(ear.next(), ("marker".to_owned(), OF_A));
    assert_eq!(region.drops(), 1);
    // What belongs to another interface of the same instance is foreign, too.
    region.attach(SECOND, A, 1);
    region.set_up_second(A);
    say(from, Some(OF_SECOND), OF_B, "of another");
    say(from, None, OF_B, "marker");
    assert_eq!(ear.next(), ("marker".to_owned(), OF_A));
    assert_eq!(region.drops(), 2);
    region.call(
        "ModifyNetworkInterfaceAttribute",
        "NetworkInterfaceId=eni-0000000a&SourceDestCheck.Value=false",
    );
    ear.await_heard(foreign);
}

#[test]
fn a_device_goes_with_its_attachment() {
    let region = Region::start("zero");
    region.attach(SECOND, B, 1);
    region.set_up_second(B);
    region.detach(SECOND);
    let has = |instance, name: &str| {
        devices(region.host(instance)).iter().any(|device| device.name == name)
    };
    await_true(SOON, "the device is still there", || !has(B, "eth1"));
    assert_eq!(region.routes_to(OF_SECOND), "");
    assert!(has(B, "eth0"));
    // Elsewhere it appears again.
    region.attach(SECOND, C, 1);
    region.set_up_second(C);
    region.sim("POST", &format!("/_sim/instances/{C}/terminate"), "");
    await_true(SOON, "the devices are still there", || !has(C, "eth0") && !has(C, "eth1"));
    assert_eq!(region.routes_to(OF_C), "");
}

#[test]
fn metadata_is_for_the_caller() {
    let region = Region::start("zero");
    region.assign("eni-0000000b", Ipv4Addr::new(10, 0, 0, 44));
    region.host(B).ip("address add 10.0.0.44/32 dev lo");
    for (instance, source) in
        [(A, None), (B, None), (C, None), (B, Some("10.0.0.44".parse().unwrap()))]
    {
        let key = "/latest/meta-data/instance-id";
        let asked = || packets::metadata(region.host(instance), source, key);
        await_true(SOON, "no metadata", || asked().starts_with("200 "));
        assert_eq!(asked(), format!("200 {instance}"));
    }
    let refused = packets::metadata(region.router(), None, "/latest/meta-data/instance-id");
    assert_eq!(refused, "404 No running instance has the address 169.254.169.254.\n");
}

#[test]
fn the_internet_sees_who_masquerades() {
    let region = Region::start("zero");
    let host = region.host(A);
    assert_eq!(caller_of_the_internet(host, None), OF_A.to_string());
    let pod = Ipv4Addr::new(10, 244, 0, 5);
    host.ip(&format!("address add {pod}/32 dev lo"));
    host.nft(&format!(
        "table ip outward {{ chain out {{ type nat hook postrouting priority srcnat; ip saddr {pod} masquerade; }}; }}"
    ));
    assert_eq!(caller_of_the_internet(host, Some(pod)), OF_A.to_string());
    assert_eq!(region.drops(), 0);
}

#[test]
fn what_somebody_takes_away_comes_back() {
    let region = Region::start("zero");
    let (from, ear) = (region.host(A), Ear::of(region.host(B)));
    let hello = || say(from, None, OF_B, "hello");
    for damage in [
        "route delete 10.0.0.11",
        "neighbour delete 10.0.0.11 dev f-0000000b",
        "link set dev f-0000000b down",
        "address delete 10.0.0.1/32 dev lo",
        "link delete dev f-0000000b",
    ] {
        region.router().ip(damage);
        ear.await_heard(hello);
    }
    region.host(B).ip("address flush dev eth0");
    ear.await_heard(hello);
    // A route by which somebody would have what is another's.
    region.router().ip(&format!("route add {FREE} dev f-0000000b"));
    await_true(SOON, "the route is still there", || region.routes_to(FREE).is_empty());
    assert_eq!(region.fabric_says(), "", "it had nothing to complain of");
}

#[test]
fn a_killed_fabric_finds_what_it_left() {
    let mut region = Region::start("zero");
    region.attach(SECOND, B, 1);
    region.set_up_second(B);
    region.assign(SECOND, FREE);
    await_true(SOON, "it is not delivered", || !region.routes_to(FREE).is_empty());
    region.host(B).ip(&format!("address add {FREE}/32 dev lo"));
    let ear = Ear::of(region.host(B));
    region.kill_fabric();
    say(region.host(A), None, FREE, "all goes on");
    assert_eq!(ear.next(), ("all goes on".to_owned(), OF_A));
    region.unassign(SECOND, FREE);
    region.start_fabric();
    await_lost(&region, &ear);
    region.kill_fabric();
    region.detach(SECOND);
    region.start_fabric();
    await_true(SOON, "it is still there", || region.routes_to(OF_SECOND).is_empty());
}

#[test]
fn namespaces_come_and_change() {
    let mut region = Region::start("zero");
    let id = region.launch(&json!({
        "id": "i-0000000d", "instance_type": "m5.large", "subnet": "subnet-0000000a",
        "primary": {"id": "eni-0000000d", "primary_ip": "10.0.0.13"},
    }));
    // One without a machine keeps nobody from anything.
    let of_d = Ipv4Addr::new(10, 0, 0, 13);
    region.attach(SECOND, B, 1);
    region.set_up_second(B);
    assert_eq!(region.routes_to(of_d), "");
    for _ in 0..2 {
        region.give_machine(&id);
        let ear = Ear::of(region.host(&id));
        ear.await_heard(|| say(region.host(A), None, of_d, "hello"));
    }
    region.take_machine(&id);
    await_true(SOON, "it is still delivered", || region.routes_to(of_d).is_empty());
}

#[test]
fn everything_ends_with_the_region() {
    let region = Region::start("zero");
    let processes = region.processes();
    drop(region);
    let gone = |id: &u32| !std::path::Path::new(&format!("/proc/{id}")).exists();
    await_true(Duration::from_secs(10), "a program is left", || processes.iter().all(gone));
}

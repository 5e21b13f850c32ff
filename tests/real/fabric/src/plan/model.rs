//! A kernel that obeys steps as Linux does, and the words in which tests speak of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::Path;

use ipnet::Ipv4Net;

use crate::kernel::words::line;
use crate::vpc::{Cable, Device, End, Host, Present, Route, Step, Vpc};

/// Interfaces as lines such as `f-a i-1 eth0 10.0.0.10/24 10.0.0.11/32`: the router's end, the instance and its end, the primary
/// address with the subnet's length if the host boots by it, and what else it has; `open` says that it has no source check.
pub(super) fn vpc(text: &str) -> Vpc {
    let routers = BTreeSet::from([Ipv4Addr::new(10, 0, 0, 1)]);
    Vpc { routers, cables: text.lines().map(cable).collect() }
}

fn cable(line: &str) -> (String, Cable) {
    let mut words = line.split_whitespace();
    let [device, instance, name, primary] = [(); 4].map(|()| words.next().unwrap().to_owned());
    let host = primary.parse().ok().map(|address: Ipv4Net| {
        let gateway = Ipv4Addr::from(u32::from(address.network()) + 1);
        Host { address, gateway }
    });
    let (open, others): (Vec<_>, Vec<_>) = words.partition(|word| *word == "open");
    let cable = Cable {
        instance,
        name,
        mac: format!("mac-of-{device}"),
        primary: primary.split('/').next().unwrap().parse().unwrap(),
        others: others.iter().map(|word| word.parse().unwrap()).collect(),
        source_check: open.is_empty(),
        host,
    };
    (device, cable)
}

/// A kernel in which the instances of `vpc` are, and nothing else.
pub(super) fn fresh(instances: &[&str]) -> Present {
    let hosts = instances.iter().map(|instance| ((*instance).to_owned(), BTreeMap::new()));
    Present { hosts: hosts.collect(), ..Present::default() }
}

/// A step as a line.
pub(super) fn text(step: &Step) -> String {
    match step {
        Step::Guard { device, source_check } => format!("guard {device} {source_check}"),
        Step::Boot { instance, name, host } => {
            format!("boot {instance} {name} {} via {}", host.address, host.gateway)
        }
        step => line(step, Path::new("")).trim_end().to_owned(),
    }
}

/// Does what the kernel does.
///
/// # Panics
///
/// When it would say no.
pub(super) fn obey(present: &mut Present, step: &Step) {
    let said = text(step);
    match step {
        Step::Unplug { device } => unplug(present, device),
        Step::Withdraw(route) => assert!(present.routes.remove(route), "no such route: {said}"),
        Step::Router(address) => assert!(present.routers.insert(*address), "known: {said}"),
        Step::Plug { device, instance, name, mac } => {
            let new = present.ends.insert(device.clone(), End { up: false, source_check: None });
            assert_eq!(new, None, "there is one: {said}");
            let host = present.hosts.entry(instance.clone()).or_default();
            assert!(host.values().all(|it| it.name != *name), "name is taken: {said}");
            host.insert(mac.clone(), Device { name: name.clone(), ..Device::default() });
        }
        Step::Guard { device, source_check } => {
            present.ends.get_mut(device).unwrap().source_check = Some(*source_check);
        }
        Step::Up { device } => {
            let end = present.ends.get_mut(device).unwrap();
            assert!(end.source_check.is_some(), "it is up before it is guarded: {said}");
            end.up = true;
        }
        Step::Introduce { device, address, mac } => {
            assert!(present.ends[device].up, "the device is down: {said}");
            present.neighbours.insert((device.clone(), *address, mac.clone()));
        }
        Step::Deliver(route) => {
            assert!(present.ends[&route.device].up, "the device is down: {said}");
            // There is one route to a destination.
            present.routes.retain(|other| other.to != route.to);
            present.routes.insert(route.clone());
        }
        Step::Boot { instance, name, host } => boot(present, instance, name, *host),
    }
}

fn boot(present: &mut Present, instance: &str, name: &str, host: Host) {
    let devices = present.hosts.get_mut(instance).unwrap();
    let device = devices.values_mut().find(|device| device.name == name).unwrap();
    device.up = true;
    device.addresses.insert(host.address);
    device.gateways.insert(host.gateway);
}

/// What goes with a device.
pub(super) fn unplug(present: &mut Present, device: &str) {
    assert!(present.ends.remove(device).is_some(), "there is no {device}");
    present.routes.retain(|route| route.device != device);
    present.neighbours.retain(|(of, _, _)| of != device);
    for devices in present.hosts.values_mut() {
        devices.remove(&format!("mac-of-{device}"));
    }
}

/// What somebody else does: see the arms.
pub(super) fn disturb(present: &mut Present, what: &str) {
    let words: Vec<&str> = what.split_whitespace().collect();
    match words[..] {
        ["unplug", device] => unplug(present, device),
        ["down", device] => {
            present.ends.get_mut(device).unwrap().up = false;
            present.routes.retain(|route| route.device != device);
            present.neighbours.retain(|(of, _, _)| of != device);
        }
        ["let-all-through", device] => {
            present.ends.get_mut(device).unwrap().source_check = Some(false);
        }
        ["forget-routes-to", to] => present.routes.retain(|route| route.to.to_string() != to),
        ["forget-neighbours"] => present.neighbours.clear(),
        ["route", to, device] => {
            let (to, device) = (to.parse().unwrap(), device.to_owned());
            present.routes.insert(Route { to, via: None, device });
        }
        ["stranger", device] => {
            present.ends.insert(device.to_owned(), End { up: true, source_check: Some(true) });
        }
        ["other-namespace", instance] => {
            present.hosts.insert(instance.to_owned(), BTreeMap::new());
        }
        ["closed-namespace", instance] => drop(present.hosts.remove(instance)),
        ["flush", instance] => {
            for device in present.hosts.get_mut(instance).unwrap().values_mut() {
                device.addresses.clear();
                device.gateways.clear();
            }
        }
        ["rename", instance, from, to] => {
            let devices = present.hosts.get_mut(instance).unwrap();
            let device = devices.values_mut().find(|device| device.name == from);
            to.clone_into(&mut device.unwrap().name);
        }
        _ => panic!("nobody can {what}"),
    }
}

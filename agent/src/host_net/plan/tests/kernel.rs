//! A model of the kernel that refuses what the real one would, and whatever is not Berth's to change.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::host_net::words::{Kernel, Numbers, Route, Step};

/// Carries out a step.
pub(in crate::host_net) fn apply(kernel: &mut Kernel, step: &Step, numbers: &Numbers) {
    match step {
        Step::SetMtu { device, mtu } => kernel.links.get_mut(device).unwrap().mtu = *mtu,
        Step::SetUp { device } => kernel.links.get_mut(device).unwrap().up = true,
        Step::SetReversePath { device, value } => {
            kernel.links.get_mut(device).unwrap().reverse_path = Some(*value);
        }
        Step::AddAddress { device, address } => {
            assert!(kernel.links.contains_key(device), "{step}: no such device");
            assert!(kernel.addresses.insert((*device, *address)), "{step}: is there");
        }
        Step::AddRoute(route) => add(kernel, route, numbers),
        Step::DeleteRoute(route) => {
            assert_eq!(route.protocol, numbers.protocol, "{step}: not Berth's");
            assert!(kernel.routes.remove(route), "{step}: is not there");
        }
        Step::AddRule(rule) => assert!(kernel.rules.insert(rule.clone()), "{step}: is there"),
        Step::DeleteRule(rule) => assert!(kernel.rules.remove(rule), "{step}: is not there"),
        Step::SetMasquerade(masquerade) => kernel.masquerade.clone_from(masquerade),
    }
}

fn add(kernel: &mut Kernel, route: &Route, numbers: &Numbers) {
    let link = kernel.links.get(&route.device).expect("no such device");
    assert!(link.up, "{route}: the device is down");
    if let Some(gateway @ IpAddr::V4(_)) = route.gateway {
        let direct = |other: &Route| {
            (other.table, other.device) == (route.table, route.device)
                && other.gateway.is_none()
                && other.destination == IpNet::from(gateway)
        };
        assert!(kernel.routes.iter().any(direct), "{route}: nothing leads to the gateway");
    }
    let key = |of: &Route| (of.table, of.destination, of.metric);
    let there = kernel.routes.iter().find(|other| key(other) == key(route)).cloned();
    if let Some(there) = there {
        assert_eq!(there.protocol, numbers.protocol, "{route}: replaces one that is not Berth's");
        assert_ne!(&there, route, "{route}: is there");
        kernel.routes.remove(&there);
    }
    kernel.routes.insert(route.clone());
}

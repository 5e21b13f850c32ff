//! Which steps lead from what the kernel has to what EC2 says.

use std::collections::BTreeSet;
use std::iter;

use ipnet::Ipv4Net;

use crate::vpc::{Cable, Device, End, Host, Present, Route, Step, Vpc};

#[cfg(test)]
mod model;
#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;

/// The steps that make `present` what is `wanted`; none when it is. What must no longer be delivered comes first, and is gone before
/// anything new is delivered; what is right already is not touched.
#[must_use]
pub fn plan(wanted: &Vpc, present: &Present) -> Vec<Step> {
    let kept: BTreeSet<&str> = wanted
        .cables
        .iter()
        .filter(|(device, cable)| is_plugged(present, device, cable))
        .map(|(device, _)| device.as_str())
        .collect();
    let mut steps = removals(wanted, present, &kept);
    let routers = wanted.routers.difference(&present.routers);
    steps.extend(routers.map(|address| Step::Router(*address)));
    let cables = || wanted.cables.iter().map(|(device, cable)| (device.as_str(), cable));
    steps.extend(cables().filter(|(device, _)| !kept.contains(device)).map(plug));
    let end = |device: &str| {
        let end = present.ends.get(device).filter(|_| kept.contains(device));
        end.copied().unwrap_or_default()
    };
    steps.extend(cables().filter_map(|(device, cable)| guard(device, cable, end(device))));
    let down = cables().filter(|(device, _)| !end(device).up);
    steps.extend(down.map(|(device, _)| Step::Up { device: device.to_owned() }));
    for (device, cable) in cables() {
        // What a device has goes with it, and when it goes down.
        let kept = kept.contains(device) && end(device).up;
        steps.extend(deliveries(device, cable, kept.then_some(present)));
    }
    steps.extend(cables().filter_map(|(_, cable)| boot(cable, present)));
    steps
}

/// Whether both ends are there. An instance that could not be looked at is taken to have its own.
fn is_plugged(present: &Present, device: &str, cable: &Cable) -> bool {
    let devices = present.hosts.get(&cable.instance);
    present.ends.contains_key(device)
        && devices.is_none_or(|devices| devices.contains_key(&cable.mac))
}

/// Devices that no interface is behind, or behind which another instance's is; and routes that are not wanted over those that stay.
fn removals(wanted: &Vpc, present: &Present, kept: &BTreeSet<&str>) -> Vec<Step> {
    let gone = present.ends.keys().filter(|device| !kept.contains(device.as_str()));
    let unplugged = gone.map(|device| Step::Unplug { device: device.clone() });
    let stale = present.routes.iter().filter(|route| {
        let cable = wanted.cables.get(&route.device);
        kept.contains(route.device.as_str())
            && !cable.is_some_and(|cable| routes(&route.device, cable).any(|it| it == **route))
    });
    unplugged.chain(stale.map(|route| Step::Withdraw(route.clone()))).collect()
}

fn plug((device, cable): (&str, &Cable)) -> Step {
    Step::Plug {
        device: device.to_owned(),
        instance: cable.instance.clone(),
        name: cable.name.clone(),
        mac: cable.mac.clone(),
    }
}

fn guard(device: &str, cable: &Cable, end: End) -> Option<Step> {
    let source_check = cable.source_check;
    let step = Step::Guard { device: device.to_owned(), source_check };
    (end.source_check != Some(source_check)).then_some(step)
}

/// All routes of an interface. What is delivered to its other addresses has the primary one's MAC, too.
fn routes(device: &str, cable: &Cable) -> impl Iterator<Item = Route> {
    let route = |to, via| Route { to, via, device: device.to_owned() };
    let others = cable.others.iter().map(move |to| route(*to, Some(cable.primary)));
    iter::once(route(Ipv4Net::from(cable.primary), None)).chain(others)
}

/// What makes an interface reachable; `present` is what there is, if that stays.
fn deliveries(device: &str, cable: &Cable, present: Option<&Present>) -> Vec<Step> {
    let neighbour = (device.to_owned(), cable.primary, cable.mac.clone());
    let is_known = present.is_some_and(|present| present.neighbours.contains(&neighbour));
    let (device_name, address, mac) = neighbour;
    let introduce = Step::Introduce { device: device_name, address, mac };
    let missing = routes(device, cable)
        .filter(|route| !present.is_some_and(|present| present.routes.contains(route)));
    (!is_known).then_some(introduce).into_iter().chain(missing.map(Step::Deliver)).collect()
}

/// What a host does with its primary interface when that is not as DHCP says.
fn boot(cable: &Cable, present: &Present) -> Option<Step> {
    let host = cable.host?;
    let devices = present.hosts.get(&cable.instance)?;
    let device = devices.get(&cable.mac);
    let name = device.map_or(&cable.name, |device| &device.name).clone();
    let step = Step::Boot { instance: cable.instance.clone(), name, host };
    (!device.is_some_and(|device| is_set_up(device, host))).then_some(step)
}

fn is_set_up(device: &Device, host: Host) -> bool {
    device.up && device.addresses.contains(&host.address) && device.gateways.contains(&host.gateway)
}

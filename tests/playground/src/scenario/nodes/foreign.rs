//! `foreign`: interfaces of somebody else on the instances of a group.

use super::super::values::instance_type;
use super::super::{Checked, format, number, wrong};
use crate::plan::{Foreign, Network};

/// The interfaces, each at an index of its own, in the zone of the instances, and with no more addresses than they take.
pub(super) fn check(
    field: &str,
    said: &format::NodeGroup,
    network: &Network,
    instance_types: &[String],
    subnets: &[String],
) -> Checked<Vec<Foreign>> {
    let mut checked: Vec<Foreign> = Vec::with_capacity(said.foreign.len());
    for (position, one) in said.foreign.iter().enumerate() {
        let of = |member| format!("{field}[{position}].{member}");
        let index = one.device_index;
        if index == 0 || checked.iter().any(|other| other.device_index == index) {
            let message =
                format!("`{index}`: expected 1 or more, and no index that another interface has");
            return Err(wrong(of("device_index"), message));
        }
        let slots = slots(instance_types);
        let subnet = one.subnet.as_ref();
        let subnet = subnet.map(|it| network.check_subnet(&of("subnet"), it)).transpose()?;
        if let Some(name) = &subnet {
            same_zone(&of("subnet"), name, network, subnets)?;
        }
        checked.push(Foreign {
            device_index: index,
            subnet,
            addresses: number(&of("addresses"), one.addresses, 0, slots)?,
            tags: one.tags.clone(),
        });
    }
    Ok(checked)
}

/// How many addresses an interface takes beside its own, on the smallest of the types.
fn slots(instance_types: &[String]) -> u32 {
    let limits = instance_types.iter().filter_map(|name| instance_type(name).ok());
    let slots = limits.map(|limits| u32::from(limits.ipv4_per_eni).saturating_sub(1));
    slots.min().unwrap_or_default()
}

fn same_zone(field: &str, name: &str, network: &Network, subnets: &[String]) -> Checked<()> {
    let zone = |name: &str| {
        let found = network.subnets.iter().find(|subnet| subnet.name == name);
        found.map(|subnet| subnet.zone.as_str()).unwrap_or_default()
    };
    let Some(other) = subnets.iter().find(|other| zone(other) != zone(name)) else { return Ok(()) };
    let message = format!(
        "`{name}`: expected a subnet in the zone of the instances, and {other} is in {}",
        zone(other)
    );
    Err(wrong(field, message))
}

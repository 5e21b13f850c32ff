//! What EC2 says, as far as packets are concerned: `/_sim/world` and `/_sim/links/INSTANCE` of `ec2-sim`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::vpc::{Cable, EC2, END, Host, IMDS, INTERNET, Vpc};

#[cfg(test)]
mod tests;

/// `/_sim/world`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct World {
    vpcs: Vec<IgnoredAny>,
    subnets: Vec<Subnet>,
    instances: Vec<Instance>,
    interfaces: Vec<Interface>,
}

#[derive(Debug, Clone, Deserialize)]
struct Subnet {
    id: String,
    cidr: Ipv4Net,
}

#[derive(Debug, Clone, Deserialize)]
struct Instance {
    id: String,
    state: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Interface {
    id: String,
    subnet: String,
    mac: String,
    primary_ip: Ipv4Addr,
    secondary_ips: Vec<Ipv4Addr>,
    ipv4_prefixes: Vec<Ipv4Net>,
    source_dest_check: bool,
    attachment: Option<Attachment>,
}

#[derive(Debug, Clone, Deserialize)]
struct Attachment {
    instance: Option<String>,
}

/// An entry of `/_sim/links/INSTANCE`: a device that the instance's kernel shows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Link {
    interface: String,
    network_card: u32,
    device_index: u32,
}

/// The devices of each instance, by its id.
pub type Links = BTreeMap<String, Vec<Link>>;

/// Why what EC2 says cannot be made true.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// Addresses of several VPCs may be the same.
    #[error("there are {0} VPCs: expected one, since all routes are in one table")]
    SeveralVpcs(usize),
    /// A device's name has room for the last ten digits of an interface's id.
    #[error("{0} and another interface would both be behind the device {1}")]
    SameDevice(String, String),
    /// An interface names a subnet that is not there.
    #[error("{interface} is in {subnet}, which is not in the world")]
    NoSubnet {
        /// The interface.
        interface: String,
        /// The subnet.
        subnet: String,
    },
}

impl World {
    /// The instances that have a kernel, and so devices.
    pub fn running(&self) -> impl Iterator<Item = &str> {
        let running = self.instances.iter().filter(|instance| instance.state == "running");
        running.map(|instance| instance.id.as_str())
    }

    /// Whether some attached interface of a running instance is not among its `links`: it may be from any moment on, while nothing else
    /// about it changes.
    #[must_use]
    pub fn awaits(&self, links: &Links) -> bool {
        self.interfaces.iter().any(|interface| {
            let attachment = interface.attachment.as_ref();
            let instance = attachment.and_then(|attachment| attachment.instance.as_ref());
            let links = instance.and_then(|instance| links.get(instance));
            links.is_some_and(|links| links.iter().all(|link| link.interface != interface.id))
        })
    }

    /// What is to be there: the devices in `links` of those instances that are `there`, which have a namespace.
    ///
    /// # Errors
    ///
    /// When that cannot be.
    pub fn wanted(&self, links: &Links, there: &BTreeSet<String>) -> Result<Vpc, Impossible> {
        if self.vpcs.len() > 1 {
            return Err(Impossible::SeveralVpcs(self.vpcs.len()));
        }
        let subnets: BTreeMap<&str, Ipv4Net> =
            self.subnets.iter().map(|subnet| (subnet.id.as_str(), subnet.cidr)).collect();
        let own = [IMDS, EC2, INTERNET];
        let routers = subnets.values().copied().map(router).chain(own).collect();
        let mut vpc = Vpc { routers, cables: BTreeMap::new() };
        for (instance, links) in links.iter().filter(|(instance, _)| there.contains(*instance)) {
            for link in links {
                let Some(interface) = self.attached(&link.interface, instance) else { continue };
                let Some(subnet) = subnets.get(interface.subnet.as_str()) else {
                    let (interface, subnet) = (interface.id.clone(), interface.subnet.clone());
                    return Err(Impossible::NoSubnet { interface, subnet });
                };
                let device = end(&interface.id);
                let cable = cable(instance, link, interface, *subnet);
                if vpc.cables.insert(device.clone(), cable).is_some() {
                    return Err(Impossible::SameDevice(interface.id.clone(), device));
                }
            }
        }
        Ok(vpc)
    }

    /// The interface, if it is attached to that instance: the world was read a moment before the links, and may differ.
    fn attached(&self, interface: &str, instance: &str) -> Option<&Interface> {
        let found = self.interfaces.iter().find(|it| it.id == interface)?;
        let holder = found.attachment.as_ref()?.instance.as_deref();
        (holder == Some(instance)).then_some(found)
    }
}

/// The router of a subnet has its second address.
fn router(subnet: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(subnet.network()).saturating_add(1))
}

/// The name of the router's end: the last ten digits of the interface's id.
fn end(interface: &str) -> String {
    let digits = interface.trim_start_matches("eni-");
    let from = digits.char_indices().rev().nth(9).map_or(0, |(position, _)| position);
    format!("{END}{}", &digits[from..])
}

fn cable(instance: &str, link: &Link, interface: &Interface, subnet: Ipv4Net) -> Cable {
    let (index, primary) = (link.device_index, interface.primary_ip);
    // The device indexes of each card begin at 0.
    let name = match link.network_card {
        0 => format!("eth{index}"),
        card => format!("eth{index}c{card}"),
    };
    let is_primary = index == 0 && link.network_card == 0;
    let address = Ipv4Net::new(primary, subnet.prefix_len()).ok();
    let host = address.map(|address| Host { address, gateway: router(subnet) });
    let secondary = interface.secondary_ips.iter().copied().map(Ipv4Net::from);
    Cable {
        instance: instance.to_owned(),
        name,
        mac: interface.mac.clone(),
        primary,
        others: secondary.chain(interface.ipv4_prefixes.iter().copied()).collect(),
        source_check: interface.source_dest_check,
        host: host.filter(|_| is_primary),
    }
}

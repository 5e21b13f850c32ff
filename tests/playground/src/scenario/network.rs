//! `network`: the VPC and its subnets. What only EC2 knows of blocks is left to the trial.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use super::{Checked, format, unknown, wrong};
use crate::plan::{Left, Network, Subnet};

/// The VPC where nothing is said: a block that is seldom routed on somebody's machine.
const CIDR: Ipv4Net = Ipv4Net::new_assert(std::net::Ipv4Addr::new(10, 200, 0, 0), 16);
/// The zones where nothing is said.
const ZONES: [(&str, &str); 2] = [("a", "eu-west-1a"), ("b", "eu-west-1b")];
/// The prefix length of subnets where nothing is said and the VPC is large enough.
const SUBNET_LENGTH: u8 = 20;

/// The network, its subnets named once each.
pub(super) fn check(said: &format::Network) -> Checked<Network> {
    let cidr = said.cidr.map_or(CIDR, |said| said.0);
    let subnets = match &said.subnets {
        None => usual(cidr),
        Some(said) => {
            let subnets: Vec<Subnet> = said.iter().map(subnet).collect();
            distinct(&subnets)?;
            subnets
        }
    };
    if subnets.is_empty() {
        return Err(wrong("network.subnets", "expected at least one subnet"));
    }
    let secondary_cidrs = said.secondary_cidrs.iter().map(|said| said.0).collect();
    Ok(Network { cidr, secondary_cidrs, subnets })
}

/// A subnet in each of two zones: the first two /20 of the VPC, or its halves.
fn usual(cidr: Ipv4Net) -> Vec<Subnet> {
    let half = cidr.prefix_len().saturating_add(1).min(cidr.max_prefix_len());
    let blocks = cidr.subnets(SUBNET_LENGTH.max(half)).into_iter().flatten();
    let one = |(cidr, (name, zone)): (Ipv4Net, (&str, &str))| Subnet {
        name: name.to_owned(),
        zone: zone.to_owned(),
        cidr,
        tags: ec2_sim::model::Tags::new(),
        left: None,
    };
    blocks.zip(ZONES).map(one).collect()
}

fn subnet(said: &format::Subnet) -> Subnet {
    Subnet {
        name: said.name.0.0.clone(),
        zone: said.zone.clone(),
        cidr: said.cidr.0,
        tags: said.tags.clone(),
        left: said.left.map(left),
    }
}

pub(super) const fn left(said: format::Left) -> Left {
    match said {
        format::Left::Addresses(count) => Left::Addresses(count),
        format::Left::Blocks(count) => Left::Blocks(count),
    }
}

/// Every name and every block once: EC2 itself would name the other subnet by an id.
fn distinct(subnets: &[Subnet]) -> Checked<()> {
    let mut names = BTreeSet::new();
    for (position, subnet) in subnets.iter().enumerate() {
        let Subnet { name, cidr, .. } = subnet;
        if !names.insert(name) {
            let message = format!("`{name}`: expected a name that no other subnet has");
            return Err(wrong(format!("network.subnets[{position}].name"), message));
        }
        let earlier = &subnets[..position];
        let overlaps = |other: &&Subnet| other.cidr.contains(cidr) || cidr.contains(&other.cidr);
        if let Some(other) = earlier.iter().find(overlaps) {
            let message =
                format!("`{cidr}`: expected no overlap with {} ({})", other.name, other.cidr);
            return Err(wrong(format!("network.subnets[{position}].cidr"), message));
        }
    }
    Ok(())
}

impl Network {
    /// The name of a subnet, if it is one.
    pub(super) fn check_subnet(&self, field: &str, name: &str) -> Checked<String> {
        let known = self.subnets.iter().map(|subnet| subnet.name.as_str());
        if known.clone().any(|known| known == name) {
            return Ok(name.to_owned());
        }
        Err(unknown(field.to_owned(), name, "the name of a subnet", known))
    }
}

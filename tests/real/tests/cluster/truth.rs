//! What EC2 knows, whatever anybody else believes.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use real::cluster::{Cluster, Node};
use serde_json::Value;

/// An interface of an instance.
#[derive(Debug, Clone)]
pub(crate) struct Eni {
    pub(crate) id: String,
    instance: Option<String>,
    is_berths: bool,
    pub(crate) mac: String,
    /// The device index.
    pub(crate) number: u64,
    pub(crate) subnet: String,
    /// Secondary addresses and prefixes.
    cidrs: Vec<Ipv4Net>,
}

impl Eni {
    /// What an address for pods is part of.
    pub(crate) fn cidr(&self, address: Ipv4Addr) -> Option<Ipv4Net> {
        self.cidrs.iter().copied().find(|cidr| cidr.contains(&address))
    }

    /// Whether it has no address for pods.
    pub(crate) const fn is_empty(&self) -> bool {
        self.cidrs.is_empty()
    }

    /// Whether the operator made it and it is attached to nothing.
    pub(crate) fn is_loose(&self) -> bool {
        self.is_berths && self.instance.is_none()
    }

    pub(crate) fn is_of(&self, node: &Node) -> bool {
        self.instance.as_deref() == Some(node.instance())
    }
}

/// All interfaces and subnets.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) enis: Vec<Eni>,
    world: Value,
}

impl Truth {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let world = cluster.ec2("/_sim/world").unwrap();
        let enis = world["interfaces"].as_array().unwrap().iter().map(eni).collect();
        Self { enis, world }
    }

    /// The interface of a node that an address for pods is on.
    pub(crate) fn holder(&self, node: &Node, address: Ipv4Addr) -> Option<&Eni> {
        self.enis.iter().find(|eni| eni.is_of(node) && eni.cidr(address).is_some())
    }

    /// The addresses and prefixes for pods of a node.
    pub(crate) fn cidrs(&self, node: &Node) -> BTreeSet<Ipv4Net> {
        let of_node = self.enis.iter().filter(|eni| eni.is_of(node));
        of_node.flat_map(|eni| eni.cidrs.iter().copied()).collect()
    }

    /// The block of a subnet.
    pub(crate) fn block(&self, subnet: &str) -> Ipv4Net {
        let subnets = self.world["subnets"].as_array().unwrap();
        let found = subnets.iter().find(|it| it["id"] == subnet).unwrap();
        found["cidr"].as_str().unwrap().parse().unwrap()
    }

    /// The ids of all subnets.
    pub(crate) fn subnets(&self) -> Vec<&str> {
        let subnets = self.world["subnets"].as_array().unwrap();
        subnets.iter().map(|subnet| subnet["id"].as_str().unwrap()).collect()
    }
}

fn eni(interface: &Value) -> Eni {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let attachment = &interface["attachment"];
    let list = |name: &str| interface[name].as_array().unwrap().iter();
    let singles = list("secondary_ips").map(|it| Ipv4Net::from(address(it)));
    let prefixes = list("ipv4_prefixes").map(|it| it.as_str().unwrap().parse().unwrap());
    Eni {
        id: text(&interface["id"]),
        instance: attachment["instance"].as_str().map(str::to_owned),
        is_berths: interface["tags"]["berth/managed"] == "true",
        mac: text(&interface["mac"]),
        number: attachment["device_index"].as_u64().unwrap_or_default(),
        subnet: text(&interface["subnet"]),
        cidrs: singles.chain(prefixes).collect(),
    }
}

fn address(value: &Value) -> Ipv4Addr {
    value.as_str().unwrap().parse().unwrap()
}

//! What the kernel of a node routes by.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use real::cluster::Node;
use serde_json::Value;

use crate::bed::{Bed, run};
use crate::truth::{Eni, Truth};

/// The agent's defaults.
const PROTOCOL: &str = "66";
const FIRST_TABLE: u64 = 10;

/// The agent's rules, of both families, such as `111 from 10.0.1.5/32 table 11`.
pub(crate) fn rules(node: &Node) -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for family in ["-4", "-6"] {
        let listed = listed(node, &["ip", "-json", "-details", family, "rule", "show"]);
        let ours = listed.iter().filter(|rule| rule["protocol"] == PROTOCOL);
        rules.extend(ours.map(rule));
    }
    rules
}

/// The rules that pods with these addresses need, and no others.
pub(crate) fn needed(
    bed: &Bed,
    truth: &Truth,
    node: &Node,
    addresses: impl IntoIterator<Item = Ipv4Addr>,
) -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for address in addresses {
        let eni = truth.holder(node, address).unwrap();
        let cidr = eni.cidr(address).unwrap();
        rules.insert(format!("20 to {cidr} table main"));
        if eni.number > 0 {
            rules.insert(format!("111 from {cidr} table {}", table(eni)));
        }
        if bed.is_masquerading() {
            rules.insert("110 mark 0x100/0x100 table main".to_owned());
        }
    }
    rules
}

/// The routing table of an interface.
pub(crate) fn table(eni: &Eni) -> u64 {
    FIRST_TABLE + eni.number
}

/// The name of the device with a MAC.
pub(crate) fn device(node: &Node, mac: &str) -> Option<String> {
    let links = listed(node, &["ip", "-json", "link", "show"]);
    let link = links.iter().find(|link| link["address"] == mac)?;
    link["ifname"].as_str().map(str::to_owned)
}

/// The addresses of pods that `ptp` has wired, each with its device.
pub(crate) fn wired(node: &Node) -> BTreeMap<Ipv4Addr, String> {
    let routes = listed(node, &["ip", "-json", "-4", "route", "show", "table", "main"]);
    let to_a_pod = |route: &Value| {
        let device = route["dev"].as_str().filter(|device| device.starts_with("veth"))?;
        Some((route["dst"].as_str()?.parse().ok()?, device.to_owned()))
    };
    routes.iter().filter_map(to_a_pod).collect()
}

fn listed(node: &Node, command: &[&str]) -> Vec<Value> {
    // Where there is nothing, some releases of `ip` print nothing.
    let said = run(node, command);
    if said.trim().is_empty() { Vec::new() } else { serde_json::from_str(&said).unwrap() }
}

fn rule(rule: &Value) -> String {
    let text = |name: &str| rule[name].as_str();
    let mut words = vec![rule["priority"].to_string()];
    if let Some(source) = text("src").filter(|source| *source != "all") {
        words.push(format!("from {}", network(source, &rule["srclen"])));
    }
    if let Some(destination) = text("dst") {
        words.push(format!("to {}", network(destination, &rule["dstlen"])));
    }
    if let Some(mark) = text("fwmark") {
        words.push(format!("mark {mark}/{}", text("fwmask").unwrap_or("0xffffffff")));
    }
    words.push(format!("table {}", text("table").unwrap_or_default()));
    words.join(" ")
}

/// The length of the prefix of a single address is not said.
fn network(address: &str, length: &Value) -> String {
    let whole = if address.contains(':') { 128 } else { 32 };
    format!("{address}/{}", length.as_u64().unwrap_or(whole))
}

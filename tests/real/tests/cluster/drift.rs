//! What somebody else breaks in the kernel of a node.

use real::cluster::Node;

use crate::bed::{Bed, run, same, script, until};
use crate::crowd::{self, Pod};
use crate::host;
use crate::runtime;
use crate::truth::{Eni, Truth};

/// A rule of somebody else, which stays as it is.
const FOREIGN_RULE: &str = "pref 30 from 192.0.2.77 table 77";

/// Breaks what a pod on a secondary interface needs, in every way, and waits until it reaches the other node again.
pub(crate) fn is_repaired(bed: &Bed) {
    let truth = Truth::of(&bed.cluster);
    let (pods, _) = crowd::running(&bed.cluster);
    let (pod, eni) = on_a_secondary_interface(bed, &truth, &pods);
    let node = pod.node(bed);
    let other = pods.iter().find(|other| other.node != pod.node).unwrap();
    script(node, &format!("ip rule add {FOREIGN_RULE}"));
    let table = host::table(eni);
    let device = host::device(node, &eni.mac).unwrap();
    let cidr = eni.cidr(pod.address).unwrap();
    let before = kernel(node, table);
    for breaking in [
        format!("ip rule del pref 111 from {cidr} table {table}"),
        format!("ip rule del pref 20 to {cidr} table main"),
        format!("ip route flush table {table}"),
        format!("ip link set dev {device} down"),
        format!("ip address flush dev {device}"),
    ] {
        script(node, &breaking);
        until(&format!("not repaired: {breaking}"), || same(&kernel(node, table), &before));
        let ping = format!("ping -q -c 1 -W 20 {}", other.address);
        script(node, &runtime::inside(&pod.container, &ping));
        bed.say(&format!("repaired: {breaking}"));
    }
    script(node, &format!("ip rule del {FOREIGN_RULE}"));
}

fn on_a_secondary_interface<'a>(
    bed: &Bed,
    truth: &'a Truth,
    pods: &'a [Pod],
) -> (&'a Pod, &'a Eni) {
    let placed = |pod: &'a Pod| Some((pod, truth.holder(pod.node(bed), pod.address)?));
    let mut placed = pods.iter().filter_map(placed);
    placed.find(|(_, eni)| eni.number > 0).unwrap()
}

/// All rules, the table of an interface, and the addresses.
fn kernel(node: &Node, table: u64) -> Vec<String> {
    let table = table.to_string();
    let mut lines = Vec::new();
    for command in [
        ["ip", "rule", "show"].as_slice(),
        &["ip", "route", "show", "table", &table],
        &["ip", "-brief", "-4", "address", "show"],
    ] {
        lines.extend(run(node, command).lines().map(str::to_owned));
    }
    lines.sort();
    lines
}

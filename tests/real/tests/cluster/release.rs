//! Addresses that nodes have to spare go back to EC2, and interfaces without any, while pods that stay go on to speak.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use real::cluster::Node;

use crate::bed::{Bed, run, same, until};
use crate::crowd::{self, Pod};
use crate::everyone;
use crate::host;
use crate::talk::Talk;
use crate::truth::{Eni, Truth};

/// What each node keeps ready, which nobody has asked to be otherwise.
const READY: usize = 8;
/// On two nodes.
const COME_AGAIN: usize = 24;

/// Most of many pods end: what they leave to spare goes, down to what is kept ready, and nothing of the pods that stay. Of each
/// node so many interfaces have no address left and go, too. Then more pods come than the nodes have kept addresses for.
pub(crate) fn spares_those_who_stay(bed: &Bed, interfaces: usize) {
    let (pods, _) = crowd::running(&bed.cluster);
    let before = Truth::of(&bed.cluster);
    let staying = staying(bed, &before, &pods);
    let talk = Talk::begin(bed, &staying);
    crowd::reduce_to(bed, &staying);
    let left: usize =
        bed.cluster.nodes().iter().map(|node| leaves(bed, &before, node, &staying)).sum();
    bed.say(&format!("{left} addresses and prefixes went back, of pods that ended"));
    for node in bed.cluster.nodes() {
        assert_eq!(empty_interfaces_go(bed, &before, node), interfaces, "of {}", node.name());
    }
    everyone::checked(bed, &staying);
    let many = crowd::of(bed, COME_AGAIN);
    assert!(staying.iter().all(|pod| many.contains(pod)), "{staying:#?}\n{many:#?}");
    everyone::checked(bed, &many);
    talk.end_unbroken(bed);
    bed.check_drops();
}

/// Two pods of each node, the nodes in turn, so that what its last interface or its last prefix holds is to spare as a whole.
fn staying(bed: &Bed, truth: &Truth, pods: &[Pod]) -> Vec<Pod> {
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for node in bed.cluster.nodes() {
        let mut parts: BTreeMap<(u64, Option<Ipv4Net>), Vec<&Pod>> = BTreeMap::new();
        for pod in pods.iter().filter(|pod| pod.node == node.name()) {
            let eni = truth.holder(node, pod.address).unwrap();
            let prefix = eni.cidr(pod.address).filter(|cidr| cidr.prefix_len() < 32);
            parts.entry((eni.number, prefix)).or_default().push(pod);
        }
        let emptied = parts.pop_last();
        let staying: Vec<&Pod> = parts.into_values().flatten().collect();
        assert!(emptied.is_some() && staying.len() > 1, "too little on {}", node.name());
        first.push(staying[0].clone());
        last.push(staying[staying.len() - 1].clone());
    }
    first.into_iter().chain(last).collect()
}

/// Waits until a node has what it is to keep, and nothing knows what has left. Answers how much that is.
#[track_caller]
fn leaves(bed: &Bed, before: &Truth, node: &Node, staying: &[Pod]) -> usize {
    let here: Vec<Ipv4Addr> =
        staying.iter().filter(|pod| pod.node == node.name()).map(|pod| pod.address).collect();
    let had = before.cidrs(node);
    let has = until(&format!("{} keeps what it has to spare", node.name()), || {
        let truth = Truth::of(&bed.cluster);
        for address in &here {
            let [was, is] =
                [before, &truth].map(|truth| truth.holder(node, *address).map(|eni| &eni.id));
            assert_eq!(was, is, "what holds {address} in use");
        }
        let has = truth.cidrs(node);
        same(&has.len(), &kept(&had, &here)).map(|()| has)
    });
    let left: BTreeSet<Ipv4Net> = had.difference(&has).copied().collect();
    assert!(!left.is_empty(), "{} had nothing to spare: {had:?}", node.name());
    let used = here.iter().map(|address| Ipv4Net::from(*address)).collect();
    assert!(!known(bed, node, &used).is_empty(), "nothing names what is used: {used:?}");
    until(&format!("{} knows what has left", node.name()), || {
        same(&known(bed, node, &left), &BTreeSet::new())
    });
    left.len()
}

/// Waits until no interface but the primary one is without an address for pods, and until those that are gone are gone from EC2 and from
/// the node's devices, tables and rules. Answers how many these are.
#[track_caller]
fn empty_interfaces_go(bed: &Bed, before: &Truth, node: &Node) -> usize {
    let truth = until(&format!("{} keeps an empty interface", node.name()), || {
        let truth = Truth::of(&bed.cluster);
        let is_to_go = |eni: &&Eni| eni.is_of(node) && eni.number > 0 && eni.is_empty();
        match truth.enis.iter().find(|eni| is_to_go(eni) || eni.is_loose()) {
            None => Ok(truth),
            Some(eni) => Err(format!("{eni:?}")),
        }
    });
    let is_gone = |eni: &&Eni| eni.is_of(node) && !truth.enis.iter().any(|it| it.id == eni.id);
    let gone: Vec<&Eni> = before.enis.iter().filter(is_gone).collect();
    for eni in &gone {
        until(&format!("{} knows {} that is gone", node.name(), eni.id), || {
            same(&traces(node, eni), &Vec::new())
        });
    }
    bed.say(&format!("{} interfaces of {} are gone", gone.len(), node.name()));
    gone.len()
}

/// What the kernel of a node has of an interface.
fn traces(node: &Node, eni: &Eni) -> Vec<String> {
    let device = host::device(node, &eni.mac);
    let table = format!("table {} ", host::table(eni));
    let listed = [
        run(node, &["ip", "rule", "show"]).replace(" lookup ", " table "),
        run(node, &["ip", "route", "show", "table", "all"]),
    ];
    let lines = listed.iter().flat_map(|text| text.lines());
    let named = lines.filter(|line| format!("{line} ").contains(&table));
    device.into_iter().chain(named.map(str::to_owned)).collect()
}

/// How many addresses or prefixes a node keeps: the prefixes that pods use have enough for what is to be ready.
fn kept(had: &BTreeSet<Ipv4Net>, used: &[Ipv4Addr]) -> usize {
    let prefixes = had.iter().filter(|cidr| cidr.prefix_len() < 32);
    match prefixes.filter(|prefix| used.iter().any(|address| prefix.contains(address))).count() {
        0 => used.len() + READY,
        some => some,
    }
}

/// Where something of what has left is still named: its `CiliumNode`, and the kernel's rules, routes and addresses.
fn known(bed: &Bed, node: &Node, left: &BTreeSet<Ipv4Net>) -> BTreeSet<String> {
    let mut lines = host::rules(node);
    for command in
        [["ip", "route", "show", "table", "all"].as_slice(), &["ip", "-oneline", "-4", "address"]]
    {
        lines.extend(run(node, command).lines().map(str::to_owned));
    }
    let object = bed.cluster.json(&["get", "ciliumnode", node.name()]).unwrap();
    let named = format!("{:#}{:#}", object["spec"]["ipam"], object["status"]);
    lines.extend(named.lines().map(|line| line.replace(['"', ','], " ")));
    let is_in = |line: &str| line.split_whitespace().any(|word| names(word, left));
    lines.into_iter().filter(|line| is_in(line)).collect()
}

/// Whether a word is an address or a CIDR with something of these in it.
fn names(word: &str, left: &BTreeSet<Ipv4Net>) -> bool {
    let address = word.split('/').next().and_then(|address| address.parse::<Ipv4Addr>().ok());
    address.is_some_and(|address| left.iter().any(|net| net.contains(&address)))
}

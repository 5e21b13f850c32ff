//! Many pods at once: each has an address of its node's interfaces, everybody reaches everybody, and nothing is left of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::thread;

use real::cluster::Node;

use crate::bed::{Bed, same, script, until};
use crate::crowd::{self, Pod};
use crate::host;
use crate::ledger;
use crate::runtime;
use crate::truth::Truth;

/// On two nodes: more than any of their interfaces holds addresses.
const PODS: usize = 40;
/// Longer than a packet waits on a busy machine.
const ANSWERED_WITHIN_SECONDS: u32 = 20;

/// On instances whose interfaces hold nine single addresses each.
pub(crate) fn on_several_interfaces(bed: &Bed) {
    let (pods, truth) = come(bed);
    for node in bed.cluster.nodes() {
        let here = pods.iter().filter(|pod| pod.node == node.name());
        let carrying: BTreeSet<u64> =
            here.map(|pod| truth.holder(node, pod.address).unwrap().number).collect();
        assert!(carrying.len() > 1, "{} uses but the interfaces {carrying:?}", node.name());
        bed.say(&format!("{} has its pods on the interfaces {carrying:?}", node.name()));
    }
}

/// On instances whose interfaces hold prefixes.
pub(crate) fn on_prefixes(bed: &Bed) {
    let (pods, truth) = come(bed);
    for pod in pods {
        let eni = truth.holder(pod.node(bed), pod.address).unwrap();
        assert_eq!(eni.cidr(pod.address).unwrap().prefix_len(), 28, "{pod:?}");
    }
}

fn come(bed: &Bed) -> (Vec<Pod>, Truth) {
    let pods = crowd::of(bed, PODS);
    let truth = checked(bed, &pods);
    reach_each_other(bed, &pods);
    bed.check_drops();
    (pods, truth)
}

/// Compares what pods have with what EC2, the ledgers and the kernels know.
#[track_caller]
pub(crate) fn checked(bed: &Bed, pods: &[Pod]) -> Truth {
    let addresses: BTreeSet<_> = pods.iter().map(|pod| pod.address).collect();
    assert_eq!(addresses.len(), pods.len(), "an address twice: {pods:#?}");
    let truth = Truth::of(&bed.cluster);
    for pod in pods {
        let held = truth.holder(pod.node(bed), pod.address).is_some();
        assert!(held, "no interface of its node holds what {pod:?} has: {:#?}", truth.enis);
    }
    for node in bed.cluster.nodes() {
        let here = pods.iter().filter(|pod| pod.node == node.name()).cloned().collect::<Vec<_>>();
        ledger::agrees(node, &here);
        let needed = host::needed(bed, &truth, node, here.iter().map(|pod| pod.address));
        await_rules(node, &needed);
    }
    assert_eq!(bed.cluster.ec2("/_sim/audit").unwrap().to_string(), "[]");
    bed.say("every address is one of its node's interfaces, and in its ledger");
    truth
}

#[track_caller]
fn await_rules(node: &Node, needed: &BTreeSet<String>) {
    until(&format!("the rules of {} are wrong", node.name()), || same(&host::rules(node), needed));
}

/// Every pod pings every other and the nodes, and the nodes ping every pod, all at once.
#[track_caller]
pub(crate) fn reach_each_other(bed: &Bed, pods: &[Pod]) {
    let nodes = bed.cluster.nodes();
    let mut targets: Vec<String> = pods.iter().map(|pod| pod.address.to_string()).collect();
    targets.extend(nodes.iter().map(|node| node.address().to_string()));
    let said: Vec<String> = thread::scope(|scope| {
        let ping = |node| {
            scope.spawn({
                let script_text = pings(node, pods, &targets);
                move || script(node, &script_text)
            })
        };
        let running: Vec<_> = nodes.iter().map(ping).collect();
        running.into_iter().map(|running| running.join().unwrap()).collect()
    });
    let said = said.concat();
    let (done, missing): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| *line == "done");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert_eq!(done.len(), pods.len() + nodes.len(), "not everybody tried: {said}");
    bed.say(&format!("{} pods and {} nodes reach each other", pods.len(), nodes.len()));
}

/// What a node is to run: a loop in each of its pods and one of its own.
fn pings(node: &Node, pods: &[Pod], targets: &[String]) -> String {
    let targets = targets.join(" ");
    let tries = |ping: &str, who: &str| {
        format!(
            "for target in {targets}; do {ping} -q -c 1 -W {ANSWERED_WITHIN_SECONDS} $target >/dev/null 2>&1 || \
             echo {who} does not reach $target; done; echo done"
        )
    };
    let mut text = String::new();
    for pod in pods.iter().filter(|pod| pod.node == node.name()) {
        let inside = runtime::inside(&pod.container, &tries("ping", &pod.name));
        let _ = writeln!(text, "{inside} &");
    }
    let _ = writeln!(text, "({}) &\nwait", tries("busybox ping", node.name()));
    text
}

/// Takes all pods away: every address is free again, and no rule is left but those of others.
pub(crate) fn goes(bed: &Bed) {
    crowd::gone(bed);
    nothing_is_left(bed);
    bed.say("all addresses are back, and no rule is left");
}

/// Waits until no pod has anything.
#[track_caller]
pub(crate) fn nothing_is_left(bed: &Bed) {
    for node in bed.cluster.nodes() {
        ledger::is_empty(node);
        await_rules(node, &BTreeSet::new());
        until("devices of pods are left", || same(&host::wired(node).len(), &0));
    }
}

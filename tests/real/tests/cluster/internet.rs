//! What a host on the internet sees of pods.

use std::net::Ipv4Addr;

use crate::bed::{Bed, script};
use crate::crowd::{self, Pod};
use crate::runtime;
use crate::truth::Truth;

/// It answers with the address that it sees, in the last line.
const ASK: &str = "echo GET / HTTP/1.0 | nc -w 60 198.51.100.1 80";

/// Without masquerading: the pods' own addresses.
pub(crate) fn sees_the_pods(bed: &Bed) {
    for pod in chosen(bed) {
        assert_eq!(seen(bed, &pod), pod.address, "{pod:?}");
    }
    bed.check_drops();
    bed.say("the internet sees the pods' own addresses");
}

/// With masquerading: the primary addresses of the nodes, where the answers arrive.
pub(crate) fn sees_the_nodes(bed: &Bed) {
    for pod in chosen(bed) {
        assert_eq!(seen(bed, &pod), pod.node(bed).address(), "{pod:?}");
    }
    bed.check_drops();
    bed.say("the internet sees the nodes' primary addresses");
}

/// A pod of each interface that has one.
fn chosen(bed: &Bed) -> Vec<Pod> {
    let (pods, _) = crowd::running(&bed.cluster);
    let truth = Truth::of(&bed.cluster);
    let mut chosen: Vec<(String, Pod)> = Vec::new();
    for pod in pods {
        let eni = truth.holder(pod.node(bed), pod.address).unwrap().id.clone();
        if !chosen.iter().any(|(other, _)| *other == eni) {
            chosen.push((eni, pod));
        }
    }
    assert!(chosen.len() >= bed.cluster.nodes().len(), "{chosen:#?}");
    chosen.into_iter().map(|(_, pod)| pod).collect()
}

fn seen(bed: &Bed, pod: &Pod) -> Ipv4Addr {
    let said = script(pod.node(bed), &runtime::inside(&pod.container, ASK));
    let last = said.trim().lines().next_back().unwrap_or_default();
    last.parse().unwrap_or_else(|_| panic!("{pod:?} was told {said:?}"))
}

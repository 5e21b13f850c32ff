//! The programs `berth-agent` and `berth-cni` on a node: pods are network namespaces that the real main plugin `ptp` wires, called by
//! cnitool as by a container runtime.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Instant;

#[cfg(test)]
mod churn;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod node;
#[cfg(test)]
mod plugin;
#[cfg(test)]
mod pod;
#[cfg(test)]
mod report;

use node::on_a_node;
use plugin::Plugin;
use pod::Pod;

#[test]
fn pods_reach_each_other_and_give_their_addresses_back() {
    on_a_node(1, |node| {
        node.serve(&[]);
        let network = node.network();
        let [a, b] = ["a", "b"].map(Pod::new);
        let of_a = a.add(&network).unwrap();
        let of_b = b.add(&network).unwrap();
        assert_ne!(of_a, of_b);
        node.await_pods(&pods([(of_a, "a"), (of_b, "b")]));
        a.reaches(of_a, &b, of_b);
        b.reaches(of_b, &a, of_a);
        a.check(&network).unwrap();
        b.check(&network).unwrap();
        a.delete(&network).unwrap();
        node.await_pods(&pods([(of_b, "b")]));
        // Kubelet repeats itself.
        a.delete(&network).unwrap();
        b.delete(&network).unwrap();
        let report = node.await_pods(&pods([]));
        let counts = ["free", "attached"].map(|state| report.count(state));
        assert_eq!(counts, [16, 16], "{report:?}");
        node.stop_agent();
    });
}

#[test]
fn check_finds_what_is_not_held() {
    on_a_node(1, |node| {
        node.serve(&[]);
        let (network, plugin) = (node.network(), Plugin::of(node));
        let a = Pod::new("a");
        let of_a = a.add(&network).unwrap();
        let of_b = plugin.add("b").unwrap();
        plugin.check("b", of_b).unwrap();
        plugin.check("b", of_a).unwrap_err();
        // Somebody gives back what the pod goes on using.
        let report = node.await_pods(&pods([(of_a, "a"), (of_b, "b")]));
        plugin.delete(&report.sandboxes()[&of_a]).unwrap();
        let problem = a.check(&network).unwrap_err();
        assert!(problem.contains(&of_a.to_string()), "{problem}");
        // It is unknown by now, and its link goes all the same.
        a.delete(&network).unwrap();
    });
}

#[test]
fn a_killed_agent_loses_nothing() {
    on_a_node(1, |node| {
        node.serve(&[]);
        let (network, plugin) = (node.network(), Plugin::of(node));
        let [a, b, c] = ["a", "b", "c"].map(Pod::new);
        let [of_a, of_b, of_c] = [&a, &b, &c].map(|pod| pod.add(&network).unwrap());
        let mut had = pods([(of_a, "a"), (of_b, "b"), (of_c, "c")]);
        for number in 3..16 {
            let name = format!("filler-{number}");
            had.insert(plugin.add(&name).unwrap(), name);
        }
        let before = node.await_pods(&had).sandboxes();
        assert_eq!(before.len(), 16);
        node.kill_agent();
        // Pods do not need it, nor does the end of one.
        a.reaches(of_a, &b, of_b);
        c.delete(&network).unwrap();
        let refused = plugin.add("too-early").unwrap_err();
        assert_eq!(refused["code"], 11, "{refused}");
        node.serve(&[]);
        // The one address that is free is that of the pod that went meanwhile.
        assert_eq!(plugin.add("next").unwrap(), of_c);
        had.insert(of_c, "next".to_owned());
        let mut sandboxes = node.await_pods(&had).sandboxes();
        sandboxes.insert(of_c, before[&of_c].clone());
        assert_eq!(sandboxes, before);
        a.reaches(of_a, &b, of_b);
        a.check(&network).unwrap();
    });
}

#[test]
fn the_first_pod_needs_no_cluster() {
    on_a_node(1, |node| {
        let (network, pod) = (node.network(), Pod::new("first"));
        node.start_agent(&[]);
        let start = Instant::now();
        let address = loop {
            // Kubelet tries again, too.
            match pod.add(&network) {
                Ok(address) => break address,
                Err(problem) => assert!(start.elapsed() < node::SOON, "{problem}\n{}", node.log()),
            }
        };
        let report = node.await_pods(&pods([(address, "first")]));
        assert!(report.0["operator"].is_null(), "{report:?}");
        pod.check(&network).unwrap();
    });
}

#[test]
fn two_hundred_pods_at_once_leave_nothing_behind() {
    on_a_node(2, crowd::comes_and_goes);
}

#[test]
fn fifty_kills_lose_and_double_nothing() {
    on_a_node(4, churn::under_kills);
}

#[test]
fn a_node_of_a_cluster_by_address() {
    cluster::with_operator("per-ip");
}

#[test]
fn a_node_of_a_cluster_by_cidr() {
    cluster::with_operator("cidr");
}

fn pods<const COUNT: usize>(named: [(Ipv4Addr, &str); COUNT]) -> BTreeMap<Ipv4Addr, String> {
    named.map(|(address, name)| (address, name.to_owned())).into()
}

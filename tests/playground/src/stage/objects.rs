//! The objects of the Kubernetes API that a node is made of.

use std::net::Ipv4Addr;

use berth_agent::kubernetes::taint::KEY_DEFAULT;
use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::RUN_LABEL;

/// A node, as far as its objects tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeObject<'a> {
    pub(super) name: &'a str,
    pub(super) run: &'a str,
    pub(super) group: &'a str,
    pub(super) instance: &'a str,
    pub(super) instance_type: &'a str,
    pub(super) region: &'a str,
    pub(super) zone: &'a str,
    pub(super) address: Ipv4Addr,
    pub(super) pods: u32,
    /// Whether an agent of Berth is to take the taint off.
    pub(super) is_tainted: bool,
    /// The time, as Kubernetes writes it.
    pub(super) now: &'a str,
}

/// The Node, as a kubelet registers it.
pub(super) fn node(of: NodeObject<'_>) -> Value {
    let NodeObject { name, instance, zone, is_tainted, .. } = of;
    let taint = json!({"key": KEY_DEFAULT, "value": "true", "effect": "NoExecute"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels(of)},
        "spec": {
            "providerID": format!("aws:///{zone}/{instance}"),
            "taints": if is_tainted { vec![taint] } else { Vec::new() },
        },
        "status": status(of),
    })
}

fn labels(of: NodeObject<'_>) -> Value {
    let NodeObject { name, run, group, instance_type, region, zone, .. } = of;
    json!({
        RUN_LABEL: run,
        "berth.playground/group": group,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": instance_type,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zone,
    })
}

fn status(of: NodeObject<'_>) -> Value {
    let NodeObject { name, address, pods, now, .. } = of;
    let holds = json!({"cpu": "2", "memory": "8Gi", "pods": pods.to_string()});
    json!({
        "addresses": [
            {"type": "InternalIP", "address": address.to_string()},
            {"type": "Hostname", "address": name},
        ],
        "capacity": holds,
        "allocatable": holds,
        "conditions": [{
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "the playground is posting ready status",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }],
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": "playground://1",
            "kernelVersion": "",
            "kubeProxyVersion": "",
            "kubeletVersion": "playground",
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "",
            "systemUUID": "",
        },
    })
}

/// The `CiliumNode` of a node whose pods get addresses out of a block, as an agent in overlay mode makes it.
pub(super) fn overlay(of: NodeObject<'_>, uid: &str, block: Ipv4Net) -> Value {
    json!({
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNode",
        "metadata": {
            "name": of.name,
            "labels": labels(of),
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": of.name, "uid": uid}],
        },
        "spec": {
            "addresses": [{"type": "InternalIP", "ip": of.address.to_string()}],
            "ipam": {"podCIDRs": [block.to_string()]},
        },
    })
}

/// The sign of life of a node's kubelet.
pub(super) fn lease(name: &str, run: &str, now: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "labels": {RUN_LABEL: run}},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now},
    })
}

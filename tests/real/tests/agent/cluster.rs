//! A node of a real Kubernetes, with Berth's operator and the permissions of the manifests.

use std::fs;
use std::time::{Duration, Instant};

use real::{
    Kubectl, Kubernetes, NAMESPACE, Options, Running, Write, access, operator_between, program,
    writes_of,
};
use serde_json::{Value, json};

use crate::node::{Node, SOON, on_a_node, shipped_configuration};
use crate::plugin::Plugin;
use crate::pod::Pod;

const TAINT: &str = "node.cilium.io/agent-not-ready";
/// Fewer than the operator keeps free on a node.
const BURST: usize = 6;

/// Brings a node up that has no address yet, lets pods come and go, and counts what was written.
pub(crate) fn with_operator(contract: &'static str) {
    // What follows cannot reach any registry.
    Kubernetes::build().unwrap();
    let operator = program("berth-operator").unwrap();
    on_a_node(0, |node| {
        let folder = tempfile::tempdir().unwrap();
        let kubernetes = Kubernetes::start(Options::default()).unwrap();
        let kubectl = kubernetes.kubectl();
        let kubeconfig = folder.path().join("operator");
        fs::write(&kubeconfig, access(&kubernetes, "operator").unwrap()).unwrap();
        node.join(&access(&kubernetes, "agent").unwrap());
        let mut command = operator_between(&operator, &node.ec2_endpoint(), &kubeconfig);
        command.args(["--mode", "normal", "--log-format", "text"]);
        command.args(["--k8s-namespace", NAMESPACE]);
        let _operator = Running::start(&command, &folder.path().join("operator.log")).unwrap();
        create_node(&kubectl);
        leave_behind(&kubectl);
        node.serve(&["--contract", contract]);
        check_object(&kubectl);
        await_object(&kubectl, "node", "the taint stays", |object| {
            !object.to_string().contains(TAINT)
        });
        pods_come_and_go(node, &kubectl, contract);
        let path = r"jsonpath={.data.10-berth\.conflist}";
        let installed = ["get", "configmap", "berth-cni", "--namespace", NAMESPACE, "-o", path];
        assert_eq!(kubectl.run(installed).unwrap(), shipped_configuration());
        node.stop_agent();
        assert_eq!(node.ec2_audit(), "[]");
        check_writes(&writes_of("agent", &kubernetes.audit_log().unwrap()).unwrap());
    });
}

fn create_node(kubectl: &Kubectl) {
    let object = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-0", "labels": {"zone": "a"}},
        "spec": {"taints": [
            {"key": TAINT, "value": "true", "effect": "NoExecute"},
            {"key": "somebody-elses", "effect": "NoSchedule"},
        ]},
    });
    kubectl.run_with(["create", "-f", "-"], &object.to_string()).unwrap();
    let status = json!({"status": {"addresses": [
        {"type": "InternalIP", "address": "10.0.0.10"}, {"type": "Hostname", "address": "node-0"},
    ]}});
    let status = status.to_string();
    kubectl.run(["patch", "node", "node-0", "--subresource", "status", "-p", &status]).unwrap();
}

/// The object of an instance that had the same name before: nothing of it is the new one's.
fn leave_behind(kubectl: &Kubectl) {
    let object = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": "node-0"},
        "spec": {"instance-id": "i-0000dead", "ipam": {"pool": {"10.0.1.1": {"resource": "eni-0000dead"}}}},
    });
    let deadline = Instant::now() + SOON;
    // Before the operator has registered the resource, there is no such thing.
    while let Err(problem) = kubectl.run_with(["create", "-f", "-"], &object.to_string()) {
        assert!(Instant::now() < deadline, "{problem}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn get(kubectl: &Kubectl, resource: &str) -> Value {
    let said = kubectl.run(["get", resource, "node-0", "-o", "json"]).unwrap();
    serde_json::from_str(&said).unwrap()
}

/// The agent's part of the `CiliumNode`.
fn check_object(kubectl: &Kubectl) {
    let (object, node) = (get(kubectl, "ciliumnode"), get(kubectl, "node"));
    let [owner] = object["metadata"]["ownerReferences"].as_array().unwrap().as_slice() else {
        panic!("{object}")
    };
    assert_eq!(owner["kind"], "Node");
    assert_eq!(owner["uid"], node["metadata"]["uid"]);
    assert_eq!(object["metadata"]["labels"]["zone"], "a");
    assert_eq!(object["spec"]["instance-id"], "i-0000000a");
    let eni = &object["spec"]["eni"];
    assert_eq!(eni["instance-type"], "m5.4xlarge");
    assert_eq!(eni["vpc-id"], "vpc-0000000a");
    assert_eq!(eni["availability-zone"], "eu-west-1a");
    assert_eq!(eni["node-subnet-id"], "subnet-0000000a");
    assert_eq!(object["spec"]["addresses"][0]["ip"], "10.0.0.10");
}

#[track_caller]
fn await_object(
    kubectl: &Kubectl,
    resource: &str,
    otherwise: &str,
    holds: impl Fn(&Value) -> bool,
) -> Value {
    let deadline = Instant::now() + SOON;
    loop {
        let object = get(kubectl, resource);
        if holds(&object) {
            return object;
        }
        assert!(Instant::now() < deadline, "{otherwise}: {object:#}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn pods_come_and_go(node: &Node, kubectl: &Kubectl, contract: &str) {
    let (network, plugin) = (node.network(), Plugin::of(node));
    let [a, b] = ["a", "b"].map(Pod::new);
    let of_a = a.add(&network).unwrap();
    let of_b = b.add(&network).unwrap();
    a.reaches(of_a, &b, of_b);
    let shows = |object: &Value, pods: usize| shown(object, contract) == pods;
    let object = await_object(kubectl, "ciliumnode", "use is not shown", |it| shows(it, 2));
    if contract == "per-ip" {
        let entry = &object["status"]["ipam"]["used"][of_a.to_string()];
        assert_eq!(entry, &json!({"owner": "default/a", "resource": "eni-0000000a"}));
    }
    for number in 0..BURST {
        plugin.add(&format!("burst-{number}")).unwrap();
    }
    await_object(kubectl, "ciliumnode", "the burst is not shown", |it| shows(it, 2 + BURST));
    for number in 0..BURST {
        plugin.delete(&format!("burst-{number}")).unwrap();
    }
    for pod in [&a, &b] {
        pod.check(&network).unwrap();
        pod.delete(&network).unwrap();
    }
    await_object(kubectl, "ciliumnode", "use goes on", |it| shows(it, 0));
}

/// How many addresses are in use, as the object says it.
fn shown(object: &Value, contract: &str) -> usize {
    if contract == "per-ip" {
        return object["status"]["ipam"]["used"].as_object().map_or(0, serde_json::Map::len);
    }
    let requested = &object["spec"]["ipam"]["pools"]["requested"][0]["needed"]["ipv4-addrs"];
    // As many as are kept beyond those in use.
    requested.as_u64().and_then(|count| usize::try_from(count).ok()).map_or(0, |count| count - 8)
}

/// The taint; the object; what became of the burst, in one write at its begin and one at its end, and not one for each pod.
fn check_writes(writes: &[Write]) {
    let patches = writes.iter().filter(|write| write.to_string() == "patch nodes node-0").count();
    assert_eq!(patches, 1, "{writes:#?}");
    assert!(
        writes.iter().all(|write| write.name == "node-0" || write.verb == "create"),
        "{writes:#?}"
    );
    assert_eq!(writes.first().unwrap().to_string(), "delete ciliumnodes node-0", "{writes:#?}");
    let of_object = writes.iter().filter(|write| write.resource == "ciliumnodes").count();
    assert!(of_object <= BURST + 4, "{writes:#?}");
}

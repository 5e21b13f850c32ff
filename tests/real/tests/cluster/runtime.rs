//! containerd's view of the pods, and of what they hold.

use std::collections::BTreeSet;

use real::cluster::Node;
use serde_json::{Value, json};

use crate::bed::{Bed, run, same, script, until};
use crate::crowd;
use crate::everyone;
use crate::ledger;

/// In the namespace of the CRI.
const CTR: &str = "ctr --namespace k8s.io";
/// A sandbox that no runtime knows.
const LEAKED: &str = "leaked-on-purpose";

/// The ids of the sandboxes that run.
pub(crate) fn sandboxes(node: &Node) -> BTreeSet<String> {
    let made = script(
        node,
        &format!(r#"{CTR} containers ls --quiet 'labels."io.cri-containerd.kind"==sandbox'"#),
    );
    let tasks = script(node, &format!("{CTR} tasks ls"));
    let running: BTreeSet<&str> = tasks
        .lines()
        .filter(|line| line.ends_with("RUNNING"))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    made.lines().filter(|id| running.contains(id)).map(str::to_owned).collect()
}

/// The id of the container of a pod that the API server may not know.
pub(crate) fn container_of(node: &Node, pod: &str) -> Option<String> {
    let filter = format!(
        r#"labels."io.cri-containerd.kind"==container,labels."io.kubernetes.pod.name"=={pod}"#
    );
    let made = script(node, &format!("{CTR} containers ls --quiet '{filter}'"));
    made.lines().next().map(str::to_owned)
}

/// The command by which a node runs a script inside of a container. Neither may have a single quote in it.
pub(crate) fn inside(container: &str, text: &str) -> String {
    // Names of what runs in a container are its own; one that has ended gives its name back.
    let name = fastrand::u64(..);
    format!("{CTR} tasks exec --exec-id scenario-{name} {container} sh -c '{text}'")
}

/// Restarts containerd: the pods go on, and its view is that of the ledger.
pub(crate) fn is_restarted(bed: &Bed) {
    let (pods, _) = crowd::running(&bed.cluster);
    for node in bed.cluster.nodes() {
        let before = sandboxes(node);
        node.stop_containerd().unwrap();
        node.start_containerd().unwrap();
        until("containerd does not know what runs", || same(&sandboxes(node), &before));
    }
    everyone::checked(bed, &pods);
    let (same_pods, _) = crowd::running(&bed.cluster);
    assert_eq!(same_pods, pods, "pods did not survive a restart of containerd");
    bed.say("containerd was restarted, and knows the sandboxes of the ledger");
}

/// A GC with what the runtime lists leaves it as it is, and frees what it does not list.
pub(crate) fn collects_what_leaked(bed: &Bed) {
    let node = bed.cluster.node(0);
    let (pods, _) = crowd::running(&bed.cluster);
    let here: Vec<_> = pods.into_iter().filter(|pod| pod.node == node.name()).collect();
    ledger::agrees(node, &here);
    let before = ledger::report(node).unwrap().sandboxes();
    let added = plugin(node, "ADD", LEAKED, &shipped());
    let added: Value = serde_json::from_str(&added).unwrap();
    assert!(added["ips"][0]["address"].is_string(), "{added}");
    until("the leak is not there", || {
        let held = ledger::report(node)?.sandboxes();
        if held.values().any(|id| id == LEAKED) { Ok(()) } else { Err(format!("{held:#?}")) }
    });
    let mut configuration = shipped();
    let valid = |id: String| json!({"containerID": id, "ifname": "eth0"});
    configuration["cni.dev/valid-attachments"] = sandboxes(node).into_iter().map(valid).collect();
    plugin(node, "GC", "", &configuration);
    until("not what the runtime lists", || same(&ledger::report(node)?.sandboxes(), &before));
    everyone::reach_each_other(bed, &here);
    bed.say("GC freed what had leaked, and nothing else");
}

/// The one plugin of the configuration that the runtime reads, as CNI hands it to a plugin that does GC.
fn shipped() -> Value {
    let text = include_str!("../../../../deploy/cni/10-berth.conflist");
    let list: Value = serde_json::from_str(text).unwrap();
    let mut plugin = list["plugins"][0].clone();
    plugin["name"] = list["name"].clone();
    plugin["cniVersion"] = json!("1.1.0");
    plugin
}

/// What `berth-cni` of a node answers when it is called as a main plugin calls it.
fn plugin(node: &Node, verb: &str, id: &str, configuration: &Value) -> String {
    let call = format!(
        "printf %s '{configuration}' | CNI_COMMAND={verb} CNI_CONTAINERID={id} CNI_IFNAME=eth0 CNI_NETNS=/proc/self/ns/net \
         CNI_PATH=/opt/cni/bin CNI_ARGS='K8S_POD_NAMESPACE=default;K8S_POD_NAME={id}' /opt/cni/bin/berth-cni"
    );
    run(node, &["sh", "-c", &call])
}

//! What is read of pods and Nodes, and nothing else of them is kept.

use std::net::IpAddr;

use berth_agent::kubernetes::taint::KEY_DEFAULT;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::LABEL;
use crate::stage::NAMESPACE;

/// A pod that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SeenPod {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// The node that it is bound to.
    pub(super) node: Option<String>,
    /// Whether it is on the network of its node, and needs no address.
    pub(super) host_network: bool,
    /// Whether somebody keeps it from being placed.
    pub(super) is_gated: bool,
    /// Whether it is one of those that come and go by themselves.
    pub(super) is_workload: bool,
    /// Whether it is to run.
    pub(super) course: Course,
    /// Names and images of its containers.
    pub(super) containers: Vec<(String, String)>,
}

/// Whether a pod is to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Course {
    /// It is.
    #[default]
    Wanted,
    /// It has run to its end.
    Over,
    /// Somebody has deleted it, and its kubelet is waited for.
    Deleted,
}

impl SeenPod {
    /// Namespace and name.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// A Node that was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SeenNode {
    /// Whether pods may be placed there, as far as the Node says.
    pub(super) is_open: bool,
    /// Its own addresses.
    pub(super) addresses: Vec<IpAddr>,
}

/// A pod as it comes, which can always be decoded.
#[derive(Debug, Clone, Resource)]
#[resource(inherit = Pod)]
pub(super) struct PodObject {
    metadata: ObjectMeta,
    pub(super) pod: SeenPod,
}

/// A Node as it comes, which can always be decoded.
#[derive(Debug, Clone, Resource)]
#[resource(inherit = Node)]
pub(super) struct NodeObject {
    metadata: ObjectMeta,
    pub(super) name: String,
    pub(super) node: SeenNode,
}

/// What of a pod or a Node is read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    metadata: WireMeta,
    spec: WireSpec,
    status: WireStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireMeta {
    namespace: String,
    name: String,
    uid: String,
    labels: Option<WireLabels>,
    resource_version: Option<String>,
    deletion_timestamp: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireLabels {
    app: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireSpec {
    node_name: Option<String>,
    host_network: Option<bool>,
    scheduling_gates: Option<Vec<IgnoredAny>>,
    containers: Option<Vec<WireContainer>>,
    unschedulable: Option<bool>,
    taints: Option<Vec<WireTaint>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireContainer {
    name: String,
    image: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireTaint {
    key: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireStatus {
    phase: Option<String>,
    addresses: Option<Vec<WireAddress>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireAddress {
    #[serde(rename = "type")]
    kind: String,
    address: String,
}

impl<'de> Deserialize<'de> for PodObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = wire(deserializer)?;
        let metadata = metadata(&wire.metadata);
        Ok(Self { metadata, pod: pod(wire) })
    }
}

impl<'de> Deserialize<'de> for NodeObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = wire(deserializer)?;
        let metadata = metadata(&wire.metadata);
        Ok(Self { metadata, name: wire.metadata.name.clone(), node: node(&wire) })
    }
}

fn wire<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Wire, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(text.get()).unwrap_or_default())
}

fn metadata(wire: &WireMeta) -> ObjectMeta {
    ObjectMeta { resource_version: wire.resource_version.clone(), ..ObjectMeta::default() }
}

fn pod(Wire { metadata, spec, status }: Wire) -> SeenPod {
    let app = metadata.labels.and_then(|labels| labels.app);
    let containers = spec.containers.unwrap_or_default().into_iter();
    SeenPod {
        is_workload: metadata.namespace == NAMESPACE && app.as_deref() == Some(LABEL),
        namespace: metadata.namespace,
        name: metadata.name,
        uid: metadata.uid,
        node: spec.node_name.filter(|node| !node.is_empty()),
        host_network: spec.host_network == Some(true),
        is_gated: spec.scheduling_gates.is_some_and(|gates| !gates.is_empty()),
        course: match status.phase.as_deref() {
            _ if metadata.deletion_timestamp.is_some() => Course::Deleted,
            Some("Succeeded" | "Failed") => Course::Over,
            _ => Course::Wanted,
        },
        containers: containers.map(|WireContainer { name, image }| (name, image)).collect(),
    }
}

fn node(Wire { spec, status, .. }: &Wire) -> SeenNode {
    let is_tainted = spec.taints.iter().flatten().any(|taint| taint.key == KEY_DEFAULT);
    let addresses = status.addresses.iter().flatten().filter(|it| it.kind == "InternalIP");
    SeenNode {
        is_open: !is_tainted && spec.unschedulable != Some(true),
        addresses: addresses.filter_map(|it| it.address.parse().ok()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check_pod(object: &Value, expected: &str) {
        let text = object.to_string();
        let PodObject { pod, .. } = serde_json::from_str(&text).expect("it can always be decoded");
        let mut found = pod.key();
        if let Some(node) = &pod.node {
            found = format!("{found} on {node}");
        }
        for (is_so, word) in [
            (pod.host_network, "host-network"),
            (pod.is_gated, "gated"),
            (pod.is_workload, "workload"),
            (pod.course == Course::Deleted, "deleted"),
            (pod.course == Course::Over, "over"),
        ] {
            if is_so {
                found = format!("{found} {word}");
            }
        }
        for (name, image) in &pod.containers {
            found = format!("{found} {name}={image}");
        }
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn pods() {
        check_pod(&json!({"metadata": {"namespace": "a", "name": "b"}}), "a/b");
        let ours =
            json!({"namespace": "playground", "name": "web-1", "labels": {"app": "playground"}});
        check_pod(&json!({"metadata": ours}), "playground/web-1 workload");
        let elsewhere = json!({"namespace": "a", "name": "b", "labels": {"app": "playground"}});
        check_pod(&json!({"metadata": elsewhere}), "a/b");
        let spec = json!({"nodeName": "n", "hostNetwork": true, "containers": [{"name": "m", "image": "i"}]});
        check_pod(
            &json!({"metadata": {"namespace": "a", "name": "b"}, "spec": spec, "status": {"phase": "Failed"}}),
            "a/b on n host-network over m=i",
        );
        let going =
            json!({"namespace": "a", "name": "b", "deletionTimestamp": "2026-01-01T00:00:00Z"});
        let gated = json!({"schedulingGates": [{"name": "g"}], "nodeName": ""});
        check_pod(&json!({"metadata": going, "spec": gated}), "a/b gated deleted");
        check_pod(&json!({"spec": 7}), "/");
    }

    fn check_node(spec: &Value, expected: bool) {
        let address = json!([{"type": "Hostname", "address": "n"}, {"type": "InternalIP", "address": "10.0.0.4"}]);
        let text =
            json!({"metadata": {"name": "n"}, "spec": spec, "status": {"addresses": address}});
        let NodeObject { name, node, .. } =
            serde_json::from_str(&text.to_string()).expect("it can always be decoded");
        let addresses = vec!["10.0.0.4".parse().expect("an address")];
        assert_eq!(
            (name.as_str(), node),
            ("n", SeenNode { is_open: expected, addresses }),
            "{spec}"
        );
    }

    #[test]
    fn nodes() {
        check_node(&json!({}), true);
        check_node(&json!({"unschedulable": true}), false);
        check_node(&json!({"taints": [{"key": "other", "effect": "NoSchedule"}]}), true);
        check_node(&json!({"taints": [{"key": KEY_DEFAULT, "effect": "NoExecute"}]}), false);
    }
}

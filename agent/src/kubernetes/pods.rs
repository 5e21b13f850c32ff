//! The pods of this node, and the addresses that they have.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use ipam_core::ids::{NodeName, PodKey};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::watcher::Event;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The field selector of the pods of a node.
pub(super) fn of_node(name: &NodeName) -> String {
    format!("spec.nodeName={name}")
}

/// A pod as it comes, which can always be decoded.
#[derive(Debug, Clone, Resource)]
#[resource(inherit = Pod)]
pub(super) struct PodObject {
    metadata: ObjectMeta,
    /// Its name and its addresses; `None` when it has none of the node's.
    has: Option<(PodKey, Vec<IpAddr>)>,
}

/// What of a pod is read.
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
    resource_version: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireSpec {
    host_network: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireStatus {
    phase: Option<String>,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    #[serde(rename = "podIPs")]
    pod_ips: Option<Vec<WireIp>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireIp {
    ip: Option<String>,
}

impl<'de> Deserialize<'de> for PodObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let wire: Wire = serde_json::from_str(text.get()).unwrap_or_default();
        let has = has(&wire);
        let WireMeta { uid, resource_version, .. } = wire.metadata;
        let metadata = ObjectMeta { uid: Some(uid), resource_version, ..ObjectMeta::default() };
        Ok(Self { metadata, has })
    }
}

/// The pod with its addresses, if it has some of its own: not on the host's network, and not at its end.
fn has(pod: &Wire) -> Option<(PodKey, Vec<IpAddr>)> {
    let phase = pod.status.phase.as_deref();
    if pod.spec.host_network == Some(true) || matches!(phase, Some("Succeeded" | "Failed")) {
        return None;
    }
    let key: PodKey = format!("{}/{}", pod.metadata.namespace, pod.metadata.name).parse().ok()?;
    let listed = pod.status.pod_ips.iter().flatten().filter_map(|it| it.ip.as_ref());
    let all = listed.chain(&pod.status.pod_ip);
    let mut addresses: Vec<IpAddr> = all.filter_map(|text| text.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    (!addresses.is_empty()).then_some((key, addresses))
}

/// The pods with addresses, by uid.
#[derive(Debug, Default)]
pub(super) struct Pods {
    by_uid: HashMap<String, (PodKey, Vec<IpAddr>)>,
    /// Those listed so far, while a listing is under way.
    listed: HashMap<String, (PodKey, Vec<IpAddr>)>,
    /// Whether they have ever been listed.
    pub(super) are_known: bool,
}

impl Pods {
    /// Takes an event in. Says whether it ends a listing.
    pub(super) fn on(&mut self, event: Event<PodObject>) -> bool {
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(pod) => put(&mut self.listed, pod),
            Event::Apply(pod) => put(&mut self.by_uid, pod),
            Event::Delete(pod) => {
                self.by_uid.remove(&pod.metadata.uid.unwrap_or_default());
            }
            Event::InitDone => {
                self.by_uid = std::mem::take(&mut self.listed);
                self.are_known = true;
                return true;
            }
        }
        false
    }

    /// Each address with its pod.
    pub(super) fn addresses(&self) -> BTreeMap<IpAddr, PodKey> {
        let pods = self.by_uid.values();
        let pairs = pods.flat_map(|(key, all)| all.iter().map(move |at| (*at, key.clone())));
        pairs.collect()
    }
}

fn put(pods: &mut HashMap<String, (PodKey, Vec<IpAddr>)>, pod: PodObject) {
    let uid = pod.metadata.uid.unwrap_or_default();
    match pod.has {
        Some(has) => pods.insert(uid, has),
        None => pods.remove(&uid),
    };
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(uid: &str, spec: &Value, status: &Value) -> PodObject {
        let metadata = json!({"namespace": "default", "name": format!("pod-{uid}"), "uid": uid});
        let pod = json!({"metadata": metadata, "spec": spec, "status": status});
        serde_json::from_str(&pod.to_string()).expect("it can always be decoded")
    }

    /// The addresses of one pod.
    fn check(spec: &Value, status: &Value, expected: &[&str]) {
        let mut pods = Pods::default();
        pods.on(Event::Apply(pod("1", spec, status)));
        let found = pods.addresses();
        let found: Vec<String> = found.iter().map(|(at, pod)| format!("{at} {pod}")).collect();
        assert_eq!(found, expected, "{spec} {status}");
    }

    #[test]
    fn pods_have_addresses() {
        let both = json!({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]});
        check(&json!({}), &both, &["10.0.0.1 default/pod-1", "fd00::1 default/pod-1"]);
        let old = json!({"podIP": "10.0.0.1", "phase": "Running"});
        check(&json!({}), &old, &["10.0.0.1 default/pod-1"]);
        check(&json!({"hostNetwork": false}), &old, &["10.0.0.1 default/pod-1"]);
        check(&json!({"hostNetwork": true}), &old, &[]);
        for phase in ["Succeeded", "Failed"] {
            check(&json!({}), &json!({"podIP": "10.0.0.1", "phase": phase}), &[]);
        }
        check(&json!({}), &json!({"phase": "Pending"}), &[]);
        check(&json!({}), &json!({"podIP": "none"}), &[]);
        check(&json!(7), &json!({}), &[]);
    }

    #[test]
    fn pods_come_and_go() {
        let at = |address: &str| json!({"podIP": address});
        let mut pods = Pods::default();
        let listing = [
            Event::Init,
            Event::InitApply(pod("1", &json!({}), &at("10.0.0.1"))),
            Event::InitApply(pod("2", &json!({}), &at("10.0.0.2"))),
        ];
        assert!(!listing.into_iter().any(|event| pods.on(event)));
        assert!(!pods.are_known && pods.addresses().is_empty(), "not before all are listed");
        assert!(pods.on(Event::InitDone));
        assert_eq!(pods.addresses().len(), 2);
        let ended = json!({"podIP": "10.0.0.1", "phase": "Succeeded"});
        pods.on(Event::Apply(pod("1", &json!({}), &ended)));
        pods.on(Event::Delete(pod("2", &json!({}), &at("10.0.0.2"))));
        assert!(pods.addresses().is_empty());
    }
}

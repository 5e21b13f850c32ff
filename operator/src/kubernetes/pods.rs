//! How many pods of each node wait for an address.
//!
//! Of a waiting pod 24 bytes are kept, of a node its name once, and of every other pod nothing: the API server sends only
//! pods that are pending, scheduled and without an address.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use berth_shell::problem::chain;
use berth_shell::watching;
use futures::{Stream, StreamExt, stream};
use ipam_core::ids::NodeName;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::watcher::Event;
use kube::{Api, Client, Resource};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tokio::time::Instant;

/// What is asked for. Every API server since Kubernetes 1.14 knows these fields; `spec.hostNetwork` is younger, and
/// therefore looked at here.
const FIELDS: &str = "status.phase=Pending,status.podIP=,spec.nodeName!=";

/// What happened to waiting pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodsChange {
    /// So many pods of a node wait now.
    Waiting(NodeName, u32),
    /// Pods cannot be watched, and waiting ones are not counted a minute later. Said once until it is different; tried again all the time.
    Unavailable {
        /// Why: mostly a missing permission.
        problem: String,
    },
    /// Pods can be watched again.
    Available,
}

/// For so long waiting pods count that cannot be watched any more.
const REMEMBERED: Duration = Duration::from_mins(1);

/// Watches waiting pods. The stream never ends, and must be polled for the watch to go on.
pub fn watch(client: Client) -> impl Stream<Item = PodsChange> + Send + 'static {
    let mut waiting = Waiting::default();
    let mut away: Option<Instant> = None;
    let events = watching::watch(Api::<PodObject>::all(client), Some(FIELDS));
    events.flat_map(move |event| {
        stream::iter(match event {
            Ok(Event::Init) => waiting.on(Event::Init),
            Ok(event) => {
                let back = away.take().map(|_| PodsChange::Available);
                back.into_iter().chain(waiting.on(event)).collect()
            }
            Err(error) => match away {
                // What nobody can see may have ended long ago, and would be waited for for ever.
                Some(since) if since.elapsed() >= REMEMBERED => waiting.pass_over(),
                Some(_) => vec![],
                None => {
                    away = Some(Instant::now());
                    vec![PodsChange::Unavailable { problem: chain(&error) }]
                }
            },
        })
    })
}

/// A pod as it comes, which can always be decoded.
#[derive(Debug, Clone, Resource)]
#[resource(inherit = Pod)]
struct PodObject {
    metadata: ObjectMeta,
    /// Which pod it is.
    key: u64,
    /// The node on which it waits; `None` when it does not wait, or cannot be read.
    waits_on: Option<NodeName>,
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
    uid: String,
    resource_version: Option<String>,
    deletion_timestamp: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireSpec {
    node_name: Option<String>,
    host_network: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireStatus {
    phase: Option<String>,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
    #[serde(rename = "podIPs")]
    pod_ips: Option<Vec<IgnoredAny>>,
}

impl<'de> Deserialize<'de> for PodObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let wire: Wire = serde_json::from_str(text.get()).unwrap_or_default();
        let waits_on = waits_on(&wire);
        let resource_version = wire.metadata.resource_version;
        let metadata = ObjectMeta { resource_version, ..ObjectMeta::default() };
        Ok(Self { metadata, key: key(&wire.metadata.uid), waits_on })
    }
}

fn waits_on(pod: &Wire) -> Option<NodeName> {
    let has_address = pod.status.pod_ip.as_ref().is_some_and(|ip| !ip.is_empty())
        || pod.status.pod_ips.as_ref().is_some_and(|ips| !ips.is_empty());
    let waits = pod.status.phase.as_deref() == Some("Pending")
        && !has_address
        && pod.spec.host_network != Some(true)
        && pod.metadata.deletion_timestamp.is_none();
    pod.spec.node_name.as_ref().filter(|_| waits)?.parse().ok()
}

fn key(uid: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    uid.hash(&mut hasher);
    hasher.finish()
}

/// Who waits, and where.
#[derive(Default)]
struct Waiting {
    pods: Pods,
    /// Who was listed so far, while a listing is under way.
    listed: Option<Pods>,
    /// Whether it was said that nobody waits, since nobody could tell for long.
    is_passed_over: bool,
}

/// Pods with their nodes, and how many there are on each. The name of a node is stored once.
#[derive(Default)]
struct Pods {
    nodes: HashMap<u64, NodeName>,
    counts: HashMap<NodeName, u32>,
}

impl Pods {
    /// Adds a pod. Answers how many there are then, if it was not there.
    fn add(&mut self, key: u64, node: &NodeName) -> Option<u32> {
        let node = self.counts.get_key_value(node).map_or(node, |(known, _)| known).clone();
        if self.nodes.insert(key, node.clone()).is_some() {
            return None;
        }
        let count = self.counts.entry(node).or_default();
        *count += 1;
        Some(*count)
    }

    /// Removes a pod. Answers where it was and how many are left there.
    fn remove(&mut self, key: u64) -> Option<(NodeName, u32)> {
        let node = self.nodes.remove(&key)?;
        let count = self.counts.get_mut(&node)?;
        *count = count.saturating_sub(1);
        let left = *count;
        if left == 0 {
            self.counts.remove(&node);
        }
        Some((node, left))
    }
}

impl Waiting {
    fn on(&mut self, event: Event<PodObject>) -> Vec<PodsChange> {
        match event {
            Event::Init => {
                self.listed = Some(Pods::default());
                vec![]
            }
            Event::InitApply(pod) => {
                if let (Some(listed), Some(node)) = (&mut self.listed, pod.waits_on) {
                    listed.add(pod.key, &node);
                }
                vec![]
            }
            Event::InitDone => self.replace(),
            Event::Apply(PodObject { key, waits_on: Some(node), .. }) => {
                let before = self.recall();
                let count = self.pods.add(key, &node);
                let news = count.map(|count| PodsChange::Waiting(node, count));
                before.into_iter().chain(news).collect()
            }
            Event::Apply(pod) | Event::Delete(pod) => {
                let before = self.recall();
                let left = self.pods.remove(pod.key);
                let news = left.map(|(node, left)| PodsChange::Waiting(node, left));
                before.into_iter().chain(news).collect()
            }
        }
    }

    /// Says that nobody waits, once.
    fn pass_over(&mut self) -> Vec<PodsChange> {
        if std::mem::replace(&mut self.is_passed_over, true) {
            return vec![];
        }
        self.pods.counts.keys().map(|node| PodsChange::Waiting(node.clone(), 0)).collect()
    }

    /// Says again who waits, if it was said that nobody does.
    fn recall(&mut self) -> Vec<PodsChange> {
        if !std::mem::take(&mut self.is_passed_over) {
            return vec![];
        }
        let counts = self.pods.counts.iter();
        counts.map(|(node, count)| PodsChange::Waiting(node.clone(), *count)).collect()
    }

    /// Takes what was listed for what there is, and says what is different.
    fn replace(&mut self) -> Vec<PodsChange> {
        let mut before = std::mem::replace(&mut self.pods, self.listed.take().unwrap_or_default());
        if std::mem::take(&mut self.is_passed_over) {
            before = Pods::default();
        }
        let now = &self.pods.counts;
        let gone = before.counts.keys().filter(|node| !now.contains_key(*node));
        let gone = gone.map(|node| PodsChange::Waiting(node.clone(), 0));
        let different = now.iter().filter(|(node, count)| before.counts.get(*node) != Some(count));
        let different = different.map(|(node, count)| PodsChange::Waiting(node.clone(), *count));
        gone.chain(different).collect()
    }
}

#[cfg(test)]
mod tests;

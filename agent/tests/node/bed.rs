//! What the tests share: a cluster with a Node, the agent's tasks on it, and a machine that remembers what it is told.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_agent::imds::InstanceFacts;
use berth_agent::kubernetes::{Machine, NodeOptions, OwnNode, Tasks, start};
use ipam_core::agent::{Found, Publication, PublicationId, Published, Word};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube_sim::{Effect, KubeSim, Rule, When};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

/// The node of the tests, and its `CiliumNode`.
pub(crate) const NODE: &str = "node-1";

/// Where the simulator has the objects.
pub(crate) const OBJECTS: &str = "ciliumnodes.cilium.io";

/// What the machine was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) words: Vec<Word>,
    pub(crate) found: Vec<Vec<Found>>,
    pub(crate) published: Vec<(u64, Published)>,
}

/// A machine that remembers what it is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Told>>);

impl Memory {
    /// What `look` sees of it.
    pub(crate) fn see<T>(&self, look: impl FnOnce(&Told) -> T) -> T {
        look(&self.0.lock().expect("no panic"))
    }
}

impl Machine for Memory {
    fn on_word(&self, word: Word) {
        self.0.lock().expect("no panic").words.push(word);
    }

    fn on_found(&self, found: Vec<Found>) {
        self.0.lock().expect("no panic").found.push(found);
    }

    fn on_published(&self, id: PublicationId, published: Published) {
        self.0.lock().expect("no panic").published.push((id.0, published));
    }
}

/// Waits until something is so, within an hour of the simulated time.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_hours(1), waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Some time of the simulation.
pub(crate) async fn pass(time: Duration) {
    sleep(time).await;
}

/// A cluster that knows `CiliumNode`s, with a Node.
pub(crate) async fn cluster() -> KubeSim {
    let sim = KubeSim::default();
    sim.register(serde_json::to_value(cilium_node::crd()).expect("JSON")).expect("a definition");
    create(&sim.client("kubelet"), "nodes", &node(NODE, "10.20.0.8")).await;
    sim
}

/// A Node with one address.
pub(crate) fn node(name: &str, address: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {}, "status": {"addresses": [{"type": "InternalIP", "address": address}]},
    })
}

/// Objects without a namespace.
pub(crate) fn objects(client: &Client, plural: &str) -> Api<DynamicObject> {
    let resource = match plural {
        "nodes" => ApiResource::erase::<k8s_openapi::api::core::v1::Node>(&()),
        _ => ApiResource::erase::<cilium_node::CiliumNode>(&()),
    };
    Api::all_with(client.clone(), &resource)
}

pub(crate) async fn create(client: &Client, plural: &str, object: &Value) {
    let status = object["status"].clone();
    let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
    let object = serde_json::from_value(object.clone()).expect("an object");
    let api = objects(client, plural);
    api.create(&PostParams::default(), &object).await.expect("created");
    if !status.is_null() {
        let patch = Patch::Merge(json!({"status": status}));
        api.patch_status(&name, &PatchParams::default(), &patch).await.expect("a status");
    }
}

/// Changes the node's object, as somebody else.
pub(crate) async fn change(client: &Client, plural: &str, patch: &Value) {
    let patch = Patch::Merge(patch.clone());
    let api = objects(client, plural);
    if patch_is_of_status(&patch) {
        api.patch_status(NODE, &PatchParams::default(), &patch).await.expect("patched");
    } else {
        api.patch(NODE, &PatchParams::default(), &patch).await.expect("patched");
    }
}

fn patch_is_of_status(patch: &Patch<Value>) -> bool {
    matches!(patch, Patch::Merge(patch) if patch.get("status").is_some())
}

/// Every request of the agent for `resource` meets `effect`.
pub(crate) fn rule(resource: Option<&str>, effect: Effect, when: When) -> Rule {
    let resource = resource.map(str::to_owned);
    Rule { client: Some("agent".to_owned()), verb: None, resource, name: None, when, effect }
}

/// The facts of an instance that fits the recorded objects.
pub(crate) fn facts(instance: &str) -> InstanceFacts {
    InstanceFacts {
        instance: instance.parse().expect("an id"),
        instance_type: "m5.large".parse().expect("a type"),
        mac: "02:00:00:13:a6:c4".parse().expect("a MAC"),
        vpc: "vpc-2003dda5c0355be96".parse().expect("an id"),
        subnet: "subnet-91056e80f54b8a09f".parse().expect("an id"),
        zone: "us-east-1a".parse().expect("a zone"),
        region: None,
    }
}

/// What agents ask for by default.
pub(crate) fn defaults() -> OwnNode {
    let eni = json!({"first-interface-index": 0, "use-primary-address": false,
        "disable-prefix-delegation": false, "delete-on-termination": true});
    let ipam = json!({"pre-allocate": 8});
    OwnNode {
        eni: serde_json::from_value(eni).expect("settings"),
        ipam: serde_json::from_value(ipam).expect("settings"),
    }
}

/// An agent's tasks in a cluster.
pub(crate) struct Bed {
    pub(crate) sim: KubeSim,
    pub(crate) machine: Memory,
    pub(crate) facts: watch::Sender<Option<InstanceFacts>>,
    pub(crate) heard: watch::Receiver<bool>,
    publish: mpsc::Sender<(PublicationId, Publication)>,
    published: u64,
    tasks: Option<Tasks>,
}

impl Bed {
    /// The tasks of an agent that keeps its object.
    pub(crate) fn start(sim: &KubeSim) -> Self {
        Self::start_with(sim, Some(defaults()), PathBuf::from("/nowhere"))
    }

    pub(crate) fn start_with(sim: &KubeSim, own: Option<OwnNode>, routes: PathBuf) -> Self {
        let (facts, told) = watch::channel(Some(facts("i-357919cd05457eec6")));
        let (publish, publications) = mpsc::channel(1);
        let name = NODE.parse().expect("a name");
        let options = NodeOptions { name, own, facts: told, routes };
        let machine = Memory::default();
        let tasks = start(sim.client("agent"), options, machine.clone(), publications);
        let heard = tasks.heard();
        let tasks = Some(tasks);
        Self { sim: sim.clone(), machine, facts, heard, publish, published: 0, tasks }
    }

    /// The object of the node.
    pub(crate) fn object(&self) -> Option<Value> {
        self.sim.object(OBJECTS, "", NODE)
    }

    /// Waits until the object of the node is there, and says it.
    pub(crate) async fn created(&self) -> Value {
        until("created", || self.object().is_some()).await;
        self.object().expect("an object")
    }

    /// Publishes something, and waits until it is known what became of it.
    pub(crate) async fn publish(&mut self, publication: Publication) -> Published {
        self.published += 1;
        let id = self.published;
        self.publish.send((PublicationId(id), publication)).await.expect("a publisher");
        until("published", || self.machine.see(|told| told.published.len() as u64 == id)).await;
        let (last, published) =
            self.machine.see(|told| told.published.last().cloned()).expect("a result");
        assert_eq!(last, id);
        published
    }

    /// How often the agent wrote to `ciliumnodes`, or to their status, whatever came of it.
    pub(crate) fn writes(&self) -> u64 {
        self.sim.counters().count(|it| {
            it.client == "agent" && it.verb.is_write() && it.resource.starts_with("ciliumnodes")
        })
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(tasks) = self.tasks.take() {
            tasks.stop().await;
        }
    }
}

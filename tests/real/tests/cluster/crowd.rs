//! Pods of a Deployment, spread over the nodes.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::thread::sleep;
use std::time::Duration;

use real::cluster::{Cluster, IMAGE, Node};
use serde_json::{Value, json};

use crate::bed::{Bed, until};

const NAME: &str = "crowd";
/// Whom a `ReplicaSet` takes away last.
const STAYING: &str = "controller.kubernetes.io/pod-deletion-cost=100";
/// Many times what the controller of `ReplicaSet`s needs to hear of that, which nothing shows.
const HEARD: Duration = Duration::from_secs(3);

/// A pod that runs and is to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pod {
    pub(crate) name: String,
    pub(crate) node: String,
    pub(crate) address: Ipv4Addr,
    /// The id of its one container.
    pub(crate) container: String,
}

impl Pod {
    /// The node that it runs on.
    pub(crate) fn node<'a>(&self, bed: &'a Bed) -> &'a Node {
        let found = bed.cluster.nodes().iter().find(|node| node.name() == self.node);
        found.unwrap_or_else(|| panic!("no node for {self:?}"))
    }
}

/// Lets there be so many pods, whenever that may be.
pub(crate) fn scale(bed: &Bed, replicas: usize) {
    apply(bed, replicas, &spread());
}

/// The same, on one node. There are none when this is called.
pub(crate) fn scale_on(bed: &Bed, replicas: usize, node: &Node) {
    apply(bed, replicas, &json!({"nodeSelector": {"kubernetes.io/hostname": node.name()}}));
}

fn apply(bed: &Bed, replicas: usize, placed: &Value) {
    let manifest = deployment(replicas, placed).to_string();
    bed.cluster.kubectl_with(&["apply", "-f", "-"], &manifest).unwrap();
}

/// Lets there be so many pods, and waits until they run.
pub(crate) fn of(bed: &Bed, replicas: usize) -> Vec<Pod> {
    scale(bed, replicas);
    let pods = await_running(bed, replicas);
    bed.say(&format!("{replicas} pods run"));
    pods
}

/// Waits until there are so many pods and all of them run.
#[track_caller]
pub(crate) fn await_running(bed: &Bed, replicas: usize) -> Vec<Pod> {
    until("not all pods run", || {
        let (pods, others) = running(&bed.cluster);
        if pods.len() == replicas && others.is_empty() {
            return Ok(pods);
        }
        Err(format!("{} of {replicas} run; the others: {others:#?}", pods.len()))
    })
}

/// Takes all pods away but these, and waits until the others are gone.
#[track_caller]
pub(crate) fn reduce_to(bed: &Bed, staying: &[Pod]) {
    let names = staying.iter().map(|pod| pod.name.as_str());
    let annotate: Vec<&str> =
        ["annotate", "pods"].into_iter().chain(names).chain([STAYING]).collect();
    bed.cluster.kubectl(&annotate).unwrap();
    sleep(HEARD);
    let pods = of(bed, staying.len());
    assert!(
        staying.iter().all(|pod| pods.contains(pod)),
        "{staying:#?} were to stay, not {pods:#?}"
    );
}

/// Takes all pods away, and waits until they are gone.
#[track_caller]
pub(crate) fn gone(bed: &Bed) {
    scale(bed, 0);
    await_running(bed, 0);
}

/// The pods that run, and what is to be said of the others, by name.
pub(crate) fn running(cluster: &Cluster) -> (Vec<Pod>, BTreeMap<String, String>) {
    let listed = cluster.json(&["get", "pods", "--selector", "app=crowd"]).unwrap();
    let (mut pods, mut others) = (Vec::new(), BTreeMap::new());
    for object in listed["items"].as_array().unwrap() {
        if let Some(pod) = pod(object) {
            pods.push(pod);
        } else {
            let name = object["metadata"]["name"].as_str().unwrap();
            others.insert(name.to_owned(), state(object));
        }
    }
    (pods, others)
}

fn pod(object: &Value) -> Option<Pod> {
    let (metadata, status) = (&object["metadata"], &object["status"]);
    let is_staying = metadata["deletionTimestamp"].is_null() && status["phase"] == "Running";
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let container = text(&status["containerStatuses"][0]["containerID"])?;
    is_staying.then_some(Pod {
        name: text(&metadata["name"])?,
        node: text(&object["spec"]["nodeName"])?,
        address: status["podIP"].as_str()?.parse().ok()?,
        container: container.strip_prefix("containerd://")?.to_owned(),
    })
}

fn state(object: &Value) -> String {
    format!("{}, deleted: {}", object["status"]["phase"], object["metadata"]["deletionTimestamp"])
}

fn deployment(replicas: usize, placed: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": NAME}},
            "template": {"metadata": {"labels": {"app": NAME}}, "spec": spec(placed)},
        },
    })
}

/// As many on each node, give or take one.
fn spread() -> Value {
    json!({"topologySpreadConstraints": [{
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": NAME}},
    }]})
}

/// What a pod is made of, with further members: one container that ends as soon as it is asked to.
pub(crate) fn spec(further: &Value) -> Value {
    let idle = "trap 'exit 0' TERM; while true; do sleep 3600 & wait $!; done";
    let mut spec = json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 2,
        "containers": [{
            "name": "app", "image": IMAGE, "imagePullPolicy": "Never", "command": ["sh", "-c", idle],
        }],
    });
    for (name, value) in further.as_object().unwrap() {
        spec[name] = value.clone();
    }
    spec
}

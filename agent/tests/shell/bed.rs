//! A node: its metadata at a simulated EC2, its API server, its folders, and a plugin that asks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use berth_cni::protocol::{
    self, AddReply, AddRequest, Attachment, DelRequest, Pod, Problem, Sandbox,
};
use ec2_sim::Ec2;
use ec2_sim::face::http::Server;
use ec2_sim::face::shared::Shared;
use ec2_sim::spec::Spec;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube_sim::KubeSim;
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

pub(crate) const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Longer than anything takes, for a machine that is busy with something else.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// How long an agent may take to end in good order, on such a machine.
pub(crate) const END: Duration = Duration::from_secs(30);
pub(crate) const TAINT: &str = "node.cilium.io/agent-not-ready";

/// The node of one instance.
pub(crate) struct Bed {
    instance: String,
    node: String,
    pub(crate) kube: KubeSim,
    pub(crate) folder: TempDir,
    imds: Server,
}

impl Bed {
    /// The node `node-1` on `instance`.
    pub(crate) async fn new(instance: &str) -> Self {
        Self::with_world("node-1", instance, include_str!("world.yaml")).await
    }

    pub(crate) async fn with_world(node: &str, instance: &str, world: &str) -> Self {
        let spec = Spec::parse("world.yaml", world).unwrap();
        let mut ec2 = Ec2::new(spec.settings().unwrap());
        spec.populate(&mut ec2).unwrap();
        let imds = Server::start(ANY, Shared::new(ec2)).await.unwrap();
        let kube = KubeSim::default();
        kube.register(serde_json::to_value(cilium_node::crd()).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (instance, node) = (instance.to_owned(), node.to_owned());
        let bed = Self { instance, node, kube, folder, imds };
        bed.create_node().await;
        bed
    }

    async fn create_node(&self) {
        let node = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.node, "labels": {"team": "a"}},
            "spec": {"taints": [{"key": TAINT, "effect": "NoExecute"}, {"key": "other", "effect": "NoSchedule"}]},
            "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.10"}]},
        });
        let nodes = self.api("", "Node", "nodes");
        nodes.create(&PostParams::default(), &serde_json::from_value(node).unwrap()).await.unwrap();
    }

    fn api(&self, group: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let version = if group.is_empty() { "v1" } else { "v2" };
        let kind = GroupVersionKind::gvk(group, version, kind);
        let resource = ApiResource::from_gvk_with_plural(&kind, plural);
        Api::all_with(self.kube.client("operator"), &resource)
    }

    pub(crate) fn cilium_nodes(&self) -> Api<DynamicObject> {
        self.api("cilium.io", "CiliumNode", "ciliumnodes")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("run/agent.sock")
    }

    /// The flags of an agent of this node, but for the way to the API server.
    pub(crate) fn flags(&self) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        vec![
            format!("--node-name={}", self.node),
            format!("--imds-endpoint=http://{}/_imds/{}", self.imds.addr, self.instance),
            format!("--state-dir={}", path("state")),
            format!("--socket-path={}", self.socket().display()),
            format!("--queue-dir={}", path("queue")),
            "--serve-address=127.0.0.1:0".to_owned(),
            "--address-wait=500ms".to_owned(),
            "--host-networking=off".to_owned(),
            "--ipam-cilium-node-update-rate=2s".to_owned(),
        ]
    }

    /// The `CiliumNode`, or `null`.
    pub(crate) fn cilium_node(&self) -> Value {
        self.kube.object("ciliumnodes.cilium.io", "", &self.node).unwrap_or_default()
    }

    /// The keys of the Node's taints.
    pub(crate) fn taints(&self) -> Vec<String> {
        let node = self.kube.object("nodes", "", &self.node).unwrap_or_default();
        let taints = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
        taints.iter().map(|taint| taint["key"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The operator writes a part of the `CiliumNode`.
    pub(crate) async fn operator_writes(&self, patch: &Value) {
        let nodes = self.cilium_nodes();
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(patch));
        nodes.patch(&self.node, &parameters, &patch).await.unwrap();
        if matches!(&patch, Patch::Merge(patch) if patch.get("status").is_some()) {
            nodes.patch_status(&self.node, &parameters, &patch).await.unwrap();
        }
    }
}

/// Waits until `found` finds something. Says what was seen last when it does not.
pub(crate) async fn eventually<T>(what: &str, mut found: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match found() {
            Ok(found) => return found,
            Err(seen) => assert!(start.elapsed() < PATIENCE, "no {what}: {seen}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// The part of an object, once it is `expected`.
pub(crate) async fn becomes(bed: &Bed, pointer: &str, expected: &Value) {
    eventually(pointer, || {
        let object = bed.cilium_node();
        let found = object.pointer(pointer).cloned().unwrap_or_default();
        if found == *expected { Ok(()) } else { Err(format!("{found} in {object}")) }
    })
    .await;
}

/// The plugin of the pod `number`.
pub(crate) fn attachment(number: usize) -> Attachment {
    Attachment {
        network: "pods".to_owned(),
        container_id: format!("container-{number}"),
        interface: "eth0".to_owned(),
    }
}

/// What is answered to a plugin: the first address, or the code and the text of the refusal.
pub(crate) async fn ask(
    bed: &Bed,
    path: &'static str,
    body: impl Serialize,
) -> Result<Value, Problem> {
    let socket = bed.socket();
    let body = serde_json::to_vec(&body).unwrap();
    let answer = tokio::task::spawn_blocking(move || {
        berth_cni::client::post(&socket, path, &body, PATIENCE).map_err(|error| error.problem())
    });
    let answer = answer.await.unwrap()?;
    if answer.status == 200 {
        return Ok(serde_json::from_slice(&answer.body).unwrap());
    }
    Err(serde_json::from_slice(&answer.body).unwrap())
}

/// ADD of the pod `number`.
pub(crate) async fn add(bed: &Bed, number: usize) -> Result<IpAddr, Problem> {
    let pod = Pod { namespace: "shop".to_owned(), name: format!("cart-{number}"), uid: None };
    let request = AddRequest { attachment: attachment(number), pod, wait_ms: None };
    let reply: AddReply = serde_json::from_value(ask(bed, protocol::ADD, request).await?).unwrap();
    Ok(reply.addresses[0].address)
}

/// ADD of the pod `number`, again until the agent is there.
pub(crate) async fn add_at_last(bed: &Bed, number: usize) -> IpAddr {
    let start = Instant::now();
    loop {
        match add(bed, number).await {
            Ok(address) => return address,
            Err(problem) => assert!(start.elapsed() < PATIENCE, "{problem:?}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// DEL of the pod `number`.
pub(crate) async fn del(bed: &Bed, number: usize) {
    let request = DelRequest { attachment: attachment(number) };
    ask(bed, protocol::DEL, request).await.unwrap();
}

/// GC that leaves the pods in `valid`.
pub(crate) async fn gc(bed: &Bed, valid: &[usize]) {
    let valid = valid.iter().map(|number| Sandbox {
        container_id: attachment(*number).container_id,
        interface: "eth0".to_owned(),
    });
    let request = protocol::GcRequest { network: "pods".to_owned(), valid: valid.collect() };
    ask(bed, protocol::GC, request).await.unwrap();
}

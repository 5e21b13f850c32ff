//! The Kubernetes API: a simulated one, or that of a real cluster, and what the playground writes there.

mod real;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use berth_shell::connect::{ConnectSettings, connect};
use http::HeaderValue;
use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use kube_sim::{Effect, KubeSim, Rule, RuleId, Server, When};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::objects::{self, NodeObject};
use super::world::LOOPBACK;
use super::{NAMESPACE, Place, RUN_LABEL, StageError};

/// A `CiliumNode`, as it is: nothing of it is read here.
pub(super) type CiliumNode = kube::api::DynamicObject;

/// How the playground calls itself to the API server.
const USER_AGENT: HeaderValue = HeaderValue::from_static("playground/1");
/// How long a write may be tried while the API server does not answer.
const PERSISTENCE: Duration = Duration::from_mins(2);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(500);
/// The API server has no such object, or no such resource.
pub(super) const NOT_FOUND: u16 = 404;
/// The object is there already.
const CONFLICT: u16 = 409;

/// The Kubernetes API.
pub(super) struct Cluster {
    pub(super) client: Client,
    /// What the labels of all that the playground makes say.
    pub(super) run: String,
    /// The URL of the API server.
    pub(super) url: String,
    sim: Option<KubeSim>,
    kubeconfigs: Kubeconfigs,
}

/// Where the kubeconfigs of the clients are.
#[derive(Debug)]
struct Kubeconfigs {
    folder: PathBuf,
    /// The one that all clients have, if they have not one each.
    given: Option<PathBuf>,
}

impl Kubeconfigs {
    fn of(&self, client: &str) -> PathBuf {
        let own = || self.folder.join(format!("{client}.kubeconfig"));
        self.given.clone().unwrap_or_else(own)
    }
}

impl Cluster {
    /// Serves a simulated API over loopback, or connects to a real one and looks whether it may be used: nothing is written before that.
    pub(super) async fn build(
        place: &Place,
        folder: &Path,
        seed: u64,
    ) -> Result<(Self, Option<Server>), StageError> {
        let kubeconfigs =
            Kubeconfigs { folder: folder.to_owned(), given: place.kubeconfig.clone() };
        let simulated = match place.kubeconfig {
            Some(_) => None,
            None => Some(simulated(folder, seed).await?),
        };
        let (sim, server) = simulated.unzip();
        let kubeconfig = kubeconfigs.of("playground");
        let url = match &server {
            Some(server) => format!("http://{}", server.address()),
            None => url_in(&kubeconfig).await?,
        };
        let settings = ConnectSettings { kubeconfig: Some(kubeconfig), ..Default::default() };
        let client = connect(&settings, USER_AGENT).await?;
        let run = format!("{:x}-{:x}", std::process::id(), fastrand::u32(..));
        let cluster = Self { client, run, url, sim, kubeconfigs };
        if cluster.sim.is_none() {
            real::prepare(&cluster.client).await?;
        }
        cluster.make_namespace().await?;
        Ok((cluster, server))
    }

    pub(super) const fn is_real(&self) -> bool {
        self.sim.is_none()
    }

    /// The kubeconfig of a client.
    pub(super) fn kubeconfig(&self, client: &str) -> PathBuf {
        self.kubeconfigs.of(client)
    }

    async fn make_namespace(&self) -> Result<(), StageError> {
        let api = Api::<Namespace>::all(self.client.clone());
        let namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": {RUN_LABEL: self.run}},
        });
        create(&api, namespace).await?;
        if self.is_real() { real::make_account(&self.client).await } else { Ok(()) }
    }

    /// Registers a node, and its `CiliumNode` if somebody else than Berth gives its pods addresses.
    pub(super) async fn register(
        &self,
        object: NodeObject<'_>,
        overlay: Option<ipnet::Ipv4Net>,
    ) -> Result<(), StageError> {
        let api = Api::<Node>::all(self.client.clone());
        let wanted = objects::node(object);
        let made = create(&api, wanted.clone()).await?;
        if made.spec.and_then(|spec| spec.taints).unwrap_or_default().len() > 1 {
            // A real API server takes a new node for one that is not ready, and only a controller would take that back.
            let taints = json!({"spec": {"taints": wanted["spec"]["taints"]}});
            patch(&api, object.name, &taints).await?;
        }
        if let Some(block) = overlay {
            let uid = made.metadata.uid.unwrap_or_default();
            create(&self.cilium_nodes(), objects::overlay(object, &uid, block)).await?;
        }
        Ok(())
    }

    /// Says that a node is to get no more pods.
    pub(super) async fn cordon(&self, node: &str) -> Result<(), StageError> {
        let api = Api::<Node>::all(self.client.clone());
        patch(&api, node, &json!({"spec": {"unschedulable": true}})).await
    }

    /// Takes a node away with its `CiliumNode`, and pods that are still there.
    pub(super) async fn remove(&self, node: &str) -> Result<(), StageError> {
        let client = || self.client.clone();
        let of_node = ListParams::default().fields(&format!("spec.nodeName={node}"));
        let at_once = DeleteParams::default().grace_period(0);
        let pods = Api::<Pod>::namespaced(client(), NAMESPACE);
        let removed = || async { pods.delete_collection(&at_once, &of_node).await.map(drop) };
        persist("pods", removed).await?;
        delete(&Api::<Node>::all(client()), node).await?;
        delete(&self.cilium_nodes(), node).await
    }

    /// Whether the API server lists no pods of a node.
    pub(super) async fn is_empty(&self, node: &str) -> bool {
        let of_node = ListParams::default().fields(&format!("spec.nodeName={node}"));
        let listed = Api::<Pod>::all(self.client.clone()).list_metadata(&of_node).await;
        listed.is_ok_and(|listed| listed.items.is_empty())
    }

    pub(super) fn cilium_nodes(&self) -> Api<CiliumNode> {
        cilium_nodes(self.client.clone())
    }

    /// Says that the nodes live, for as long as this is polled.
    pub(super) async fn keep_alive(&self, names: impl Fn() -> Vec<String>) {
        real::keep_alive(&self.client, &self.run, names).await;
    }

    /// From now on nobody is answered. None where the API server is a real one.
    pub(super) fn begin_outage(&self) -> Option<RuleId> {
        let rule = Rule {
            client: None,
            verb: None,
            resource: None,
            name: None,
            when: When::Always,
            effect: Effect::Partition,
        };
        self.sim.as_ref().map(|sim| sim.add_fault(rule))
    }

    pub(super) fn end_outage(&self, rule: RuleId) {
        if let Some(sim) = &self.sim {
            sim.remove_fault(rule);
        }
    }

    /// Everybody is answered again.
    pub(super) fn end_all_outages(&self) {
        if let Some(sim) = &self.sim {
            sim.clear_faults();
        }
    }

    /// Takes away what the playground made. What is simulated goes by itself.
    pub(super) async fn clear(&self) -> Result<(), StageError> {
        if self.is_real() { real::clear(&self.client).await } else { Ok(()) }
    }
}

async fn simulated(folder: &Path, seed: u64) -> Result<(KubeSim, Server), StageError> {
    let sim = KubeSim::new(kube_sim::Settings { seed, ..kube_sim::Settings::default() });
    let crd = serde_json::to_value(cilium_node::crd())
        .map_err(|source| StageError::Object { what: "the definition of CiliumNode", source })?;
    sim.register(crd).map_err(StageError::Definition)?;
    let server = Server::start(sim.clone(), LOOPBACK).await.map_err(StageError::Listen)?;
    for client in ["operator", "agent", "playground", "kubectl"] {
        let text = server.kubeconfig(client);
        // Whoever looks sees the pods.
        let text = text.replace("namespace: default", &format!("namespace: {NAMESPACE}"));
        write_private(&folder.join(format!("{client}.kubeconfig")), text.as_bytes())?;
    }
    Ok((sim, server))
}

/// Writes a file that its owner alone can read.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), StageError> {
    let failed = |source| StageError::Folder { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes)).map_err(failed)
}

/// The URL of the API server that a kubeconfig names.
async fn url_in(path: &Path) -> Result<String, StageError> {
    let failed = |source| StageError::Kubeconfig { path: path.to_owned(), source };
    let file = Kubeconfig::read_from(path).map_err(failed)?;
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
    Ok(config.map_err(failed)?.cluster_url.to_string().trim_end_matches('/').to_owned())
}

pub(super) fn cilium_nodes(client: Client) -> Api<CiliumNode> {
    let kind = kube::api::GroupVersionKind::gvk("cilium.io", "v2", "CiliumNode");
    Api::all_with(client, &kube::api::ApiResource::from_gvk_with_plural(&kind, "ciliumnodes"))
}

/// Makes an object, or finds that it is there.
pub(super) async fn create<K>(api: &Api<K>, object: Value) -> Result<K, StageError>
where
    K: Clone + DeserializeOwned + std::fmt::Debug + serde::Serialize + Send + Sync,
{
    let what = "an object to make";
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let object: K =
        serde_json::from_value(object).map_err(|source| StageError::Object { what, source })?;
    let make = || async {
        match api.create(&PostParams::default(), &object).await {
            Err(error) if code(&error) == Some(CONFLICT) => api.get(&name).await,
            made => made,
        }
    };
    persist(&name, make).await
}

pub(super) async fn patch<K>(api: &Api<K>, name: &str, change: &Value) -> Result<(), StageError>
where
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    let (parameters, change) = (PatchParams::default(), Patch::Merge(change));
    persist(name, || async { api.patch(name, &parameters, &change).await.map(drop) }).await
}

/// Removes an object, if it is there.
pub(super) async fn delete<K>(api: &Api<K>, name: &str) -> Result<(), StageError>
where
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    let remove = || async {
        match api.delete(name, &DeleteParams::default()).await {
            Err(error) if code(&error) == Some(NOT_FOUND) => Ok(()),
            removed => removed.map(drop),
        }
    };
    persist(name, remove).await
}

/// The status code with which the API server refused something; none if it did not answer.
pub(super) const fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// Tries again while there is no answer, or none that says what is wrong with the request.
async fn persist<T, F: Future<Output = kube::Result<T>> + Send>(
    what: &str,
    attempt: impl Fn() -> F + Send,
) -> Result<T, StageError> {
    let start = Instant::now();
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) if is_final(&error) || start.elapsed() > PERSISTENCE => {
                return Err(StageError::Kubernetes { what: what.to_owned(), source: error.into() });
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

fn is_final(error: &kube::Error) -> bool {
    code(error).is_some_and(|code| (400..500).contains(&code) && code != 429)
}

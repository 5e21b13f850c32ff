//! Two nodes with an agent each, an API server, and pods.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use berth_agent::clock::Clock;
use berth_agent::settings::Settings;
use berth_agent::shell::{self, RunError};
use berth_agent::status::fetch;
use berth_shell::signals::Stop;
use ec2_sim::Ec2;
use ec2_sim::face::http::Server;
use ec2_sim::face::shared::Shared;
use ec2_sim::spec::Spec;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use kube_sim::KubeSim;
use playground::book::Book;
use playground::news::News;
use playground::nodes::{NodeAt, Nodes};
use playground::plan;
use playground::plugin::Plugin;
use playground::pods::{Pods, PodsOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Longer than anything takes, for a machine that is busy with something else.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
pub(crate) const TAINT: &str = "node.cilium.io/agent-not-ready";
/// The nodes, each with 16 addresses.
pub(crate) const BOTH: [&str; 2] = ["node-1", "node-2"];

/// An agent that runs.
struct Agent {
    stop: Stop,
    task: JoinHandle<Result<(), RunError>>,
}

/// The nodes and what their pods are told by.
pub(crate) struct Bed {
    pub(crate) kube: KubeSim,
    pub(crate) nodes: Nodes,
    pub(crate) book: Book,
    pub(crate) news: News,
    folder: TempDir,
    imds: Server,
    agents: Vec<(String, Agent)>,
}

impl Bed {
    pub(crate) async fn new() -> Self {
        let spec = Spec::parse("world.yaml", include_str!("world.yaml")).unwrap();
        let mut ec2 = Ec2::new(spec.settings().unwrap());
        spec.populate(&mut ec2).unwrap();
        let imds = Server::start(ANY, Shared::new(ec2)).await.unwrap();
        let kube = KubeSim::default();
        kube.register(serde_json::to_value(cilium_node::crd()).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (nodes, book, news) = (Nodes::default(), Book::default(), News::default());
        let mut bed = Self { kube, nodes, book, news, folder, imds, agents: Vec::new() };
        for name in BOTH {
            bed.join(name).await;
            bed.start_agent(name);
        }
        bed
    }

    async fn join(&self, name: &str) {
        let number = number(name);
        let node = json!({
            "metadata": {"name": name},
            "spec": {"taints": [{"key": TAINT, "effect": "NoExecute"}]},
            "status": {"addresses": [{"type": "InternalIP", "address": format!("10.0.0.1{number}")}]},
        });
        let api = Api::<Node>::all(self.kube.client("test"));
        let node = serde_json::from_value(node).unwrap();
        api.create(&PostParams::default(), &node).await.unwrap();
        self.nodes.put(NodeAt {
            name: name.to_owned(),
            group: "node".to_owned(),
            instance: format!("i-0000000{number}").parse().unwrap(),
            instance_type: "m5.large".to_owned(),
            zone: "eu-west-1a".to_owned(),
            socket: Some(self.socket(name)),
            queue: self.path(name, "queue"),
            pods_at_most: 110,
            is_draining: false,
        });
    }

    fn path(&self, node: &str, file: &str) -> PathBuf {
        self.folder.path().join(node).join(file)
    }

    fn socket(&self, node: &str) -> PathBuf {
        self.path(node, "agent.sock")
    }

    pub(crate) fn start_agent(&mut self, node: &str) {
        let path = |name: &str| self.path(node, name).display().to_string();
        let flags = [
            format!("--node-name={node}"),
            format!("--imds-endpoint=http://{}/_imds/i-0000000{}", self.imds.addr, number(node)),
            format!("--state-dir={}", path("state")),
            format!("--socket-path={}", path("agent.sock")),
            format!("--queue-dir={}", path("queue")),
            "--serve-address=127.0.0.1:0".to_owned(),
            "--address-cool-down=0s".to_owned(),
            "--host-networking=off".to_owned(),
        ];
        let settings = Settings::from_arguments(flags.iter().map(String::as_str)).unwrap();
        let stop = Stop::on_signals().unwrap();
        let client = self.kube.client("agent");
        let run = shell::run(settings, Clock::boot(), client, stop.clone());
        self.agents.push((node.to_owned(), Agent { stop, task: tokio::spawn(run) }));
    }

    pub(crate) async fn stop_agent(&mut self, node: &str) {
        let at = self.agents.iter().position(|(name, _)| name == node).unwrap();
        let (_, Agent { stop, task }) = self.agents.remove(at);
        stop.ask();
        timeout(PATIENCE, task).await.unwrap().unwrap().unwrap();
    }

    /// Until the agents have taken the taint off their Nodes.
    pub(crate) async fn is_ready(&self) {
        eventually("readiness", || {
            let nodes = BOTH.map(|node| self.kube.object("nodes", "", node).unwrap_or_default());
            let taints = nodes.map(|node| node["spec"]["taints"].as_array().map_or(0, Vec::len));
            is(&taints, &[0, 0])
        })
        .await;
    }

    /// Begins to serve pods.
    pub(crate) fn pods(&self, plugin: Plugin) -> Pods {
        Pods::start(PodsOptions {
            client: self.kube.client("playground"),
            nodes: self.nodes.clone(),
            book: self.book.clone(),
            news: self.news.clone(),
            plugin,
            address_wait: Duration::from_millis(500),
            seed: 7,
        })
    }

    /// Ends everything in good order.
    pub(crate) async fn end(mut self, pods: Pods) {
        timeout(PATIENCE, pods.end()).await.expect("pods end");
        for name in BOTH {
            if self.agents.iter().any(|(node, _)| node == name) {
                self.stop_agent(name).await;
            }
        }
    }

    pub(crate) fn api(&self, namespace: &str) -> Api<Pod> {
        Api::namespaced(self.kube.client("test"), namespace)
    }

    /// Somebody makes a pod in the namespace `default`.
    pub(crate) async fn make(&self, name: &str, spec: Value) {
        let mut pod = json!({
            "metadata": {"name": name},
            "spec": {"containers": [{"name": "main", "image": "some"}]},
        });
        for (member, value) in spec.as_object().unwrap() {
            pod["spec"][member] = value.clone();
        }
        let pod = serde_json::from_value(pod).unwrap();
        self.api("default").create(&PostParams::default(), &pod).await.unwrap();
    }

    pub(crate) async fn delete(&self, name: &str) {
        self.api("default").delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// A pod as the API has it, or `null`.
    pub(crate) fn pod(&self, key: &str) -> Value {
        let (namespace, name) = key.split_once('/').unwrap();
        self.kube.object("pods", namespace, name).unwrap_or_default()
    }

    /// `made started running waiting`, once it is so.
    pub(crate) async fn counts(&self, expected: [u64; 4]) {
        eventually("counts", || {
            let counts = self.book.counts();
            let found = [counts.made, counts.started, counts.running, counts.waiting];
            is(&found, &expected).map_err(|found| format!("{found}: {:?}", self.book.waiting()))
        })
        .await;
    }

    /// Why pods wait, once all do so for this.
    pub(crate) async fn all_wait_for(&self, expected: &str) {
        eventually("reason", || {
            let waiting = self.book.waiting();
            let why: BTreeSet<String> = waiting.into_iter().map(|one| one.why).collect();
            if why.len() == 1 && why.iter().all(|why| why.contains(expected)) {
                return Ok(());
            }
            Err(format!("{why:?}"))
        })
        .await;
    }

    /// The addresses that the pods of a node use, as the book has it: `pod address`.
    pub(crate) fn used(&self, node: &str) -> BTreeSet<String> {
        let used = self.book.in_use().into_iter().filter(|used| used.node == node);
        used.map(|used| format!("{} {}", used.pod, used.address)).collect()
    }

    /// The addresses that an agent says are used, in the same words.
    async fn held(&self, node: &str) -> BTreeSet<String> {
        let report = fetch(&self.socket(node)).await.unwrap();
        let of = report.addresses.iter().map(|held| format!("{} {}", held.owner, held.address));
        of.collect()
    }

    /// The book and the agents say the same.
    pub(crate) async fn agree(&self) {
        for node in BOTH {
            self.holds(node, || self.used(node)).await;
        }
    }

    /// An agent says that these are used, after a while: what it reports lags a little.
    pub(crate) async fn holds(&self, node: &str, expected: impl Fn() -> BTreeSet<String>) {
        let start = Instant::now();
        loop {
            let (expected, held) = (expected(), self.held(node).await);
            if held == expected {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{node}: {held:?}, not {expected:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

fn number(node: &str) -> &str {
    node.trim_start_matches("node-")
}

/// Pods that live for ever.
pub(crate) fn at_start(pods: u32) -> plan::Pods {
    let lifetime = Duration::from_hours(100);
    plan::Pods { per_second: 0.0, lifetime, at_start: pods, per_node: 110 }
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

/// What is found, if it is not as expected.
pub(crate) fn is<T: PartialEq + Debug>(found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{found:?}, not {expected:?}")) }
}

//! A cluster in one process: EC2, a Kubernetes API, operators and agents, on one paused clock.

pub(crate) mod agent;
mod book;
pub(crate) mod cluster;
pub(crate) mod edited;
mod operator;
mod shown;
mod truth;
mod witness;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ec2_sim::face::shared::Shared;
use ec2_sim::{Ec2, Settings, latency, staleness};
use kube_sim::KubeSim;
use serde_json::Value;

use self::agent::Agent;
use self::operator::Operator;

/// How often a condition is looked at while it is waited for.
const STEP: Duration = Duration::from_millis(100);

/// The cluster.
pub(crate) struct Rig {
    region: String,
    /// EC2.
    pub(crate) ec2: Shared,
    /// The Kubernetes API.
    pub(crate) kube: KubeSim,
    operators: BTreeMap<String, Operator>,
    agents: BTreeMap<String, Agent>,
    flags: Vec<String>,
    book: book::Book,
    witness: witness::Witness,
    /// What becomes of the bodies of EC2's answers.
    pub(crate) edit: edited::Edit,
    /// Whether they are edited now.
    pub(crate) edits: Arc<AtomicBool>,
    /// Whether nobody gives out credentials for EC2.
    pub(crate) no_credentials: Arc<AtomicBool>,
}

impl Rig {
    /// An EC2 as slow as it is seen in the wild, whose reads do not lag, with one VPC; and a Kubernetes API that knows
    /// `CiliumNode`s.
    pub(crate) fn new() -> Self {
        let rig = Self::without_crd();
        rig.register(serde_json::to_value(cilium_node::crd()).unwrap());
        rig
    }

    /// The same before anybody said what a `CiliumNode` is.
    pub(crate) fn without_crd() -> Self {
        let rig = Self::empty(cluster::REGION);
        rig.add_vpc();
        rig
    }

    /// An EC2 without a VPC, and a Kubernetes API that knows nothing.
    pub(crate) fn empty(region: &str) -> Self {
        let settings = Settings {
            seed: 7,
            region: region.to_owned(),
            latency: latency::Settings::of(latency::Profile::Typical),
            ..Settings::default()
        };
        let kube = KubeSim::default();
        Self {
            region: region.to_owned(),
            ec2: Shared::new(Ec2::new(settings)),
            witness: witness::Witness::start(kube.client("witness")),
            kube,
            operators: BTreeMap::new(),
            agents: BTreeMap::new(),
            flags: Vec::new(),
            book: book::Book::default(),
            edit: |_, body| body,
            edits: Arc::new(AtomicBool::new(true)),
            no_credentials: Arc::default(),
        }
    }

    /// Says what a `CiliumNode` is.
    pub(crate) fn register(&self, definition: Value) {
        self.kube.register(definition).unwrap();
    }

    /// From now on EC2's reads lag behind.
    pub(crate) fn stale(&self, mode: staleness::Mode) {
        self.ec2.with(|ec2, _| ec2.build().staleness(mode));
    }

    /// Lets time pass.
    pub(crate) async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Waits until `holds` says `None`, and fails with what it says when that takes longer than `time`. Returns how long it took.
    pub(crate) async fn until(
        &self,
        time: Duration,
        holds: impl Fn(&Self) -> Option<String>,
    ) -> Duration {
        let start = tokio::time::Instant::now();
        loop {
            let passed = start.elapsed();
            let Some(missing) = holds(self) else { return passed };
            assert!(passed < time, "{missing}, after {time:?}\n{}", self.describe());
            tokio::time::sleep(STEP).await;
        }
    }

    /// The `CiliumNode` of that name as it is stored; null when there is none.
    pub(crate) fn object(&self, name: &str) -> Value {
        self.kube.object("ciliumnodes.cilium.io", "", name).unwrap_or(Value::Null)
    }

    /// The agent of a node.
    pub(crate) fn agent(&self, node: &str) -> &Agent {
        self.agents.get(node).unwrap_or_else(|| panic!("no agent on {node}"))
    }

    /// Everything, for people who read why a scene failed.
    pub(crate) fn describe(&self) -> String {
        let nodes = self.agents.keys().map(|name| {
            let object = self.object(name);
            let (spec, status) = (&object["spec"]["ipam"], &object["status"]);
            format!("{name}: spec.ipam {spec}\n  status {status}\n")
        });
        let operators = self.operators.iter();
        let operators = operators.map(|(name, it)| format!("operator {name}: {}\n", it.describe()));
        nodes.chain(operators).chain([self.journal_text()]).collect()
    }
}

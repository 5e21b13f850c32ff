//! A plan, a stage for it, and looks at what is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use berth_agent::status::fetch;
use ipam_core::view::Contract;
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use playground::book::Book;
use playground::news::News;
use playground::plan::{Ec2, Expected, Network, NodeGroup, Plan, Pods, Served, Subnet, What};
use playground::stage::{Evict, Place, Stage};
use serde_json::{Value, json};
use tokio::time::sleep;

/// Longer than anything takes, for a machine that is busy with something else.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Nodes that Berth serves.
pub(crate) fn group(name: &str, count: u32) -> NodeGroup {
    NodeGroup {
        name: name.to_owned(),
        count,
        instance_types: vec!["m5.large".to_owned()],
        subnets: vec!["a".to_owned(), "b".to_owned()],
        joins_at: Duration::ZERO,
        served: Served::Berth { contract: Contract::PerIp, prefixes: false, cni_conf: None },
        foreign: Vec::new(),
    }
}

/// Two subnets and these nodes.
pub(crate) fn plan(nodes: Vec<NodeGroup>) -> Plan {
    let subnet = |name: &str, cidr: &str| Subnet {
        name: name.to_owned(),
        zone: format!("eu-west-1{name}"),
        cidr: cidr.parse().unwrap(),
        tags: [("tier".to_owned(), name.to_owned())].into(),
        left: None,
    };
    Plan {
        name: "test".to_owned(),
        description: String::new(),
        length: Duration::from_mins(1),
        seed: 7,
        network: Network {
            cidr: "10.64.0.0/16".parse().unwrap(),
            secondary_cidrs: Vec::new(),
            subnets: vec![subnet("a", "10.64.0.0/20"), subnet("b", "10.64.16.0/20")],
        },
        nodes,
        pods: Pods { per_second: 0.0, lifetime: Duration::from_secs(1), at_start: 0, per_node: 29 },
        timeline: Vec::new(),
        ec2: Ec2 {
            latency: ec2_sim::latency::Profile::Zero,
            staleness: ec2_sim::staleness::Mode::Strong,
            buckets: ec2_sim::throttle::Settings::default(),
            faults: Vec::new(),
            denied: Vec::new(),
        },
        operator: Vec::new(),
        agent: Vec::new(),
        expected: Expected::default(),
    }
}

/// Nobody has pods.
pub(crate) struct NoPods;

impl Evict for NoPods {
    async fn evict(&self, _node: &str) {}
}

/// A stage whose nodes have been launched.
pub(crate) struct Bed {
    pub(crate) stage: Stage,
    pub(crate) news: News,
}

impl Bed {
    pub(crate) async fn open(plan: &Plan) -> Self {
        let news = News::default();
        let stage = Stage::build(plan, Place::default(), news.clone()).await.unwrap();
        stage.open().await.unwrap();
        Self { stage, news }
    }

    /// Lets something happen.
    pub(crate) fn happen(&self, what: &What) {
        self.stage.happen(what, &Book::default(), &Arc::new(NoPods));
    }

    /// Ends the stage, of which nothing broke.
    pub(crate) async fn end(self) {
        let folder = self.stage.folder().to_owned();
        assert_eq!(self.stage.end().await, Vec::<String>::new(), "{:#?}", self.news.last(50));
        assert!(!folder.exists(), "the folder goes with the stage");
    }

    /// The names of the nodes.
    pub(crate) fn names(&self) -> Vec<String> {
        self.stage.nodes().all().into_iter().map(|node| node.name).collect()
    }

    /// Waits until a line says this.
    pub(crate) async fn told(&self, text: &str) {
        eventually(text, async || {
            let lines = self.news.last(100);
            if lines.iter().any(|line| line.text.contains(text)) {
                Ok(())
            } else {
                Err(format!("{lines:#?}"))
            }
        })
        .await;
    }

    /// Waits until the agent of each of these nodes serves pods.
    pub(crate) async fn serve(&self, nodes: &[&str]) {
        for node in nodes {
            eventually(&format!("{node} serves"), async || {
                let socket = self.stage.nodes().get(node).and_then(|node| node.socket);
                let socket = socket.ok_or_else(|| "no such node".to_owned())?;
                match fetch(&socket).await {
                    Ok(report) if report.ready && report.families[0].free >= 8 => Ok(()),
                    seen => Err(format!("{seen:?} {:#?}", self.news.last(20))),
                }
            })
            .await;
        }
    }

    /// A `CiliumNode`, or null.
    pub(crate) async fn cilium_node(&self, name: &str) -> Value {
        let kind = GroupVersionKind::gvk("cilium.io", "v2", "CiliumNode");
        let resource = ApiResource::from_gvk_with_plural(&kind, "ciliumnodes");
        let api = Api::<DynamicObject>::all_with(self.stage.client(), &resource);
        api.get_opt(name).await.unwrap().map_or(Value::Null, |object| json!(object))
    }

    /// A Node, or null.
    pub(crate) async fn node(&self, name: &str) -> Value {
        let api = Api::<Node>::all(self.stage.client());
        api.get_opt(name).await.unwrap().map_or(Value::Null, |object| json!(object))
    }

    /// How many calls to EC2 failed.
    pub(crate) fn failed_calls(&self) -> u64 {
        let failed = |ec2: &mut ec2_sim::Ec2, _| {
            ec2.journal().iter().filter(|entry| entry.code.is_some()).count()
        };
        u64::try_from(self.stage.ec2().with(failed)).unwrap()
    }
}

/// Waits until `found` finds something. Says what was seen last when it does not.
pub(crate) async fn eventually<T>(
    what: &str,
    mut found: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let start = Instant::now();
    loop {
        match found().await {
            Ok(found) => return found,
            Err(seen) => assert!(start.elapsed() < PATIENCE, "not seen: {what}: {seen}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}

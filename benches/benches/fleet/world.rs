//! A cluster in simulation: instances at EC2, objects in Kubernetes, an operator between them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use berth_operator::aws::{Aws, AwsSettings};
use berth_operator::board::Board;
use berth_operator::settings::Settings;
use berth_operator::shell::run;
use cilium_node::CiliumNode;
use ec2_sim::Ec2;
use ec2_sim::face::sdk::InProcess;
use ec2_sim::face::shared::Shared;
use ec2_sim::spec::Spec;
use kube::Api;
use kube::api::PostParams;
use kube_sim::KubeSim;
use serde_json::json;
use tokio::task::JoinHandle;

/// What the operator is told, beside its defaults.
pub(crate) const ARGUMENTS: [&str; 3] = ["--aws-enable-prefix-delegation=true", "--region", REGION];
pub(crate) const REGION: &str = "eu-west-1";
/// A /16 has room for a prefix each, whichever addresses EC2 picks.
const NODES_PER_SUBNET: usize = 2_000;
/// Addresses that a node keeps free.
const WATERMARK: usize = 8;

/// Runs something in simulated time.
pub(crate) fn in_simulated_time<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

/// The simulated EC2 and Kubernetes with so many instances.
pub(crate) struct World {
    pub(crate) nodes: usize,
    pub(crate) ec2: Shared,
    pub(crate) kube: KubeSim,
}

impl World {
    /// Instances with a primary interface that holds `prefixes` prefixes, and no objects yet. Buckets and latencies are those of a real EC2.
    pub(crate) fn new(nodes: usize, prefixes: usize) -> Self {
        let spec = Spec::parse("world", &world(nodes, prefixes)).expect("a world file");
        let mut ec2 = Ec2::new(spec.settings().expect("settings"));
        spec.populate(&mut ec2).expect("a world that can be built");
        let kube = KubeSim::default();
        let definition = serde_json::to_value(cilium_node::crd()).expect("a definition");
        kube.register(definition).expect("a definition that is accepted");
        Self { nodes, ec2: Shared::new(ec2), kube }
    }

    /// Starts the operator in this process.
    pub(crate) fn start_operator(&self) -> JoinHandle<()> {
        let settings = Settings::from_arguments(ARGUMENTS).expect("settings");
        let aws = AwsSettings {
            region: Some(REGION.to_owned()),
            ..AwsSettings::new(jiff::Timestamp::UNIX_EPOCH)
        };
        let credentials = berth_operator::aws::static_credentials("bench");
        let cloud =
            Aws::over(InProcess::new(self.ec2.clone()), credentials, &aws).expect("a Region");
        let (client, board) = (self.kube.client("berth-operator"), Board::new());
        tokio::spawn(async move {
            let ended =
                run(settings, cloud, client, Arc::clone(&board), std::future::pending::<()>());
            ended.await.expect("an operator that runs");
        })
    }

    /// Creates the objects of all nodes, as their agents do.
    pub(crate) async fn create_nodes(&self) {
        let api: Api<CiliumNode> = Api::all(self.kube.client("agents"));
        for number in 0..self.nodes {
            let object = object(number);
            api.create(&PostParams::default(), &object).await.expect("an object that is new");
        }
    }

    /// Those of `waiting` that have fewer addresses than they should.
    pub(crate) fn short(&self, waiting: BTreeSet<usize>) -> BTreeSet<usize> {
        let is_short = |number: &usize| {
            let object = self.kube.object("ciliumnodes.cilium.io", "", &name(*number));
            let pool = object.as_ref().and_then(|it| it["spec"]["ipam"]["pool"].as_object());
            pool.map_or(0, serde_json::Map::len) < WATERMARK
        };
        waiting.into_iter().filter(is_short).collect()
    }

    /// Calls by action since the world was made or the counters were reset.
    pub(crate) fn calls(&self) -> Vec<(String, u64)> {
        self.ec2.with(|ec2, _| {
            let counters = ec2.counters();
            counters.iter().map(|(name, counts)| ((*name).to_owned(), counts.calls)).collect()
        })
    }

    /// Calls that EC2 refused for their number.
    pub(crate) fn throttled(&self) -> u64 {
        self.ec2.with(|ec2, _| ec2.counters().total().throttled)
    }
}

fn name(number: usize) -> String {
    format!("node-{number}")
}

fn world(nodes: usize, prefixes: usize) -> String {
    let mut world = format!(
        "settings: {{region: {REGION}, account: '123456789012', seed: 7, latency: typical, staleness: typical}}
vpcs: [{{id: vpc-0000000a, cidr: 10.0.0.0/16, secondary_cidrs: [10.1.0.0/16, 10.2.0.0/16], default_group: sg-0000000a}}]
subnets:
"
    );
    for number in 0..nodes.div_ceil(NODES_PER_SUBNET) {
        let _ = writeln!(
            world,
            "  - {{id: subnet-{number:08x}, vpc: vpc-0000000a, zone: eu-west-1a, cidr: 10.{number}.0.0/16}}"
        );
    }
    world += "instances:\n";
    for number in 0..nodes {
        let subnet = number / NODES_PER_SUBNET;
        let _ = writeln!(
            world,
            "  - {{id: i-{number:08x}, instance_type: m5.xlarge, subnet: subnet-{subnet:08x}, primary: {{id: eni-{number:08x}, ipv4_prefix_count: {prefixes}}}}}"
        );
    }
    world
}

fn object(number: usize) -> CiliumNode {
    let spec = json!({
        "instance-id": format!("i-{number:08x}"),
        "eni": {
            "availability-zone": "eu-west-1a", "first-interface-index": 0, "instance-type": "m5.xlarge",
            "node-subnet-id": format!("subnet-{:08x}", number / NODES_PER_SUBNET), "vpc-id": "vpc-0000000a",
        },
        "ipam": {},
    });
    CiliumNode::new(&name(number), serde_json::from_value(spec).expect("a spec"))
}

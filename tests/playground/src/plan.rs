//! What is to be played, checked: holding a [`Plan`] is proof that its parts fit together.

use std::time::Duration;

use ec2_sim::Action;
use ec2_sim::fault::Rule;
use ec2_sim::latency::Profile;
use ec2_sim::model::Tags;
use ec2_sim::staleness::Mode;
use ec2_sim::throttle;
use ipam_core::view::Contract;
use ipnet::Ipv4Net;

/// A run of the playground, from its network to its last second.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name of the scenario.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub description: String,
    /// How long pods come and go once the nodes of the start have joined.
    pub length: Duration,
    /// What chance comes from.
    pub seed: u64,
    /// The VPC.
    pub network: Network,
    /// The nodes, in groups that are alike.
    pub nodes: Vec<NodeGroup>,
    /// The pods that come and go by themselves.
    pub pods: Pods,
    /// What else happens, in the order of its time.
    pub timeline: Vec<Happening>,
    /// How EC2 is.
    pub ec2: Ec2,
    /// Further flags of `berth-operator run`, as `--name=value`. The text `{api-server}` in them stands for the address of the API server.
    pub operator: Vec<String>,
    /// The same of `berth-agent run`, for every node.
    pub agent: Vec<String>,
    /// What must have been so at the end.
    pub expected: Expected,
}

/// A VPC and its subnets.
#[derive(Debug, Clone)]
pub struct Network {
    /// Its block.
    pub cidr: Ipv4Net,
    /// Further blocks.
    pub secondary_cidrs: Vec<Ipv4Net>,
    /// At least one.
    pub subnets: Vec<Subnet>,
}

/// A subnet: one zone's part of the VPC.
#[derive(Debug, Clone)]
pub struct Subnet {
    /// What the scenario calls it, such as `a`.
    pub name: String,
    /// The zone, such as `eu-west-1a`.
    pub zone: String,
    /// Its block.
    pub cidr: Ipv4Net,
    /// Its tags.
    pub tags: Tags,
    /// How many of its addresses others leave once the nodes of the start are there, if others are there.
    pub left: Option<Left>,
}

/// What others leave of a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// So many addresses.
    Addresses(u32),
    /// Every second address or so, and no more than this many whole blocks of 16.
    Blocks(u32),
}

/// Nodes that are alike.
#[derive(Debug, Clone)]
pub struct NodeGroup {
    /// What the names of its nodes begin with.
    pub name: String,
    /// How many there are.
    pub count: u32,
    /// Their instance types, in turn: `m5.large`.
    pub instance_types: Vec<String>,
    /// The names of the subnets that their primary interfaces are in, in turn.
    pub subnets: Vec<String>,
    /// When they are launched: zero is at the start, all else counts from when those of the start have joined.
    pub joins_at: Duration,
    /// Who gives their pods addresses.
    pub served: Served,
    /// Interfaces that somebody else made and attached, and that Berth has to leave alone.
    pub foreign: Vec<Foreign>,
}

/// Who gives the pods of a node their addresses.
#[derive(Debug, Clone)]
pub enum Served {
    /// Berth: an agent of ours runs there.
    Berth {
        /// How it speaks through its `CiliumNode`.
        contract: Contract,
        /// Whether it takes prefixes.
        prefixes: bool,
        /// The CNI configuration that its agent reads, if there is one: JSON. The names of the scenario's subnets are replaced by their ids.
        cni_conf: Option<serde_json::Value>,
    },
    /// Somebody else, out of `podCIDRs`: the operator has to leave the node alone, and no pod is placed there.
    Overlay {
        /// The block of the group: each of its nodes has the next /24 of it.
        pod_cidr: Ipv4Net,
    },
}

/// An interface of somebody else on an instance.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// Where it is attached.
    pub device_index: u32,
    /// Its subnet, by name; the one of the primary interface if it is not said.
    pub subnet: Option<String>,
    /// How many secondary addresses it has.
    pub addresses: u32,
    /// Its tags.
    pub tags: Tags,
}

/// The pods that come and go by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Pods {
    /// How many come each second, on average.
    pub per_second: f64,
    /// How long each of them lives, on average.
    pub lifetime: Duration,
    /// How many are there when the first node is ready.
    pub at_start: u32,
    /// How many a node takes, as kubelet's `maxPods`.
    pub per_node: u32,
}

/// Something that happens once.
#[derive(Debug, Clone)]
pub struct Happening {
    /// So long after the nodes of the start have joined.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum What {
    /// Pods come beside those that come by themselves, and live as long.
    Burst {
        /// How many.
        pods: u32,
        /// Within this time; all at once if it is zero.
        over: Duration,
    },
    /// Nodes are replaced, one after the other: a new one joins, the old one gets no more pods, its pods come anew elsewhere, it goes.
    Drain {
        /// Those of this group; all if it is not said.
        group: Option<String>,
        /// Between one node and the next.
        pause: Duration,
    },
    /// Every call to EC2 fails.
    Ec2Outage {
        /// For so long.
        length: Duration,
    },
    /// The API server answers nobody.
    ApiOutage {
        /// For so long.
        length: Duration,
    },
    /// The operator is killed, and started again.
    OperatorAway {
        /// After this time.
        length: Duration,
    },
    /// The agents are killed, and started again.
    AgentsAway {
        /// After this time.
        length: Duration,
        /// Those of this group; all if it is not said.
        group: Option<String>,
    },
    /// Somebody else takes addresses of a subnet.
    SubnetTaken {
        /// Its name.
        subnet: String,
        /// What is left of it.
        left: Left,
    },
    /// The token buckets of the account get another size.
    Buckets {
        /// That of all of them by this factor.
        multiplier: f64,
    },
}

/// How EC2 is.
#[derive(Debug, Clone)]
pub struct Ec2 {
    /// How long calls take.
    pub latency: Profile,
    /// How far reads lag behind.
    pub staleness: Mode,
    /// The token buckets of the account.
    pub buckets: throttle::Settings,
    /// What fails.
    pub faults: Vec<Rule>,
    /// What the operator may not do.
    pub denied: Vec<Action>,
}

/// What must have been so at the end, beside the promises.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// No more pods wait than this.
    pub waiting_at_end: Option<u32>,
    /// Of 100 pods, 99 waited no longer than this.
    pub wait_p99: Option<Duration>,
    /// Each of these was said to be why a pod or a node waits, by the label of its reason: `SubnetsExhausted`.
    pub reasons: Vec<String>,
    /// No more calls to EC2 were made than this.
    pub ec2_calls: Option<u64>,
    /// No more calls that change something were made than this: those of actions that neither describe nor get.
    pub ec2_changes: Option<u64>,
    /// At least so many addresses went back to EC2, 16 for each prefix.
    pub given_back: Option<u64>,
}

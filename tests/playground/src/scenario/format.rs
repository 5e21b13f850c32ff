//! What stands in a scenario, as it is written.

use std::collections::BTreeMap;

use ec2_sim::fault::Rule;
use ec2_sim::latency::Profile;
use ec2_sim::model::Tags;
use ec2_sim::spec::{Buckets, Said};
use ec2_sim::staleness::Mode;
use ipnet::Ipv4Net;
use serde::Deserialize;

use super::values::{Factor, Lasting, Name, Rate, Time};

/// A whole scenario. What it does not say is as the default playground has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) description: String,
    pub(super) length: Option<Said<Lasting>>,
    pub(super) seed: Option<u64>,
    pub(super) network: Network,
    pub(super) nodes: Option<Vec<NodeGroup>>,
    pub(super) pods: Pods,
    pub(super) timeline: Vec<Happening>,
    pub(super) ec2: Ec2,
    pub(super) operator: Flags,
    pub(super) agent: Flags,
    pub(super) expect: Expect,
}

/// Flags of a program, by their names without `--`.
pub(super) type Flags = BTreeMap<String, String>;

/// The VPC.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Network {
    pub(super) cidr: Option<Said<Ipv4Net>>,
    pub(super) secondary_cidrs: Vec<Said<Ipv4Net>>,
    pub(super) subnets: Option<Vec<Subnet>>,
}

/// A subnet.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subnet {
    pub(super) name: Said<Name>,
    pub(super) zone: String,
    pub(super) cidr: Said<Ipv4Net>,
    #[serde(default)]
    pub(super) tags: Tags,
    pub(super) left: Option<Left>,
}

/// What others leave of a subnet.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Left {
    Addresses(u32),
    Blocks(u32),
}

/// Nodes that are alike.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NodeGroup {
    pub(super) name: Option<Said<Name>>,
    pub(super) count: Option<u32>,
    pub(super) instance_types: Option<Vec<String>>,
    pub(super) subnets: Option<Vec<String>>,
    pub(super) joins_at: Option<Said<Time>>,
    pub(super) contract: Option<Contract>,
    pub(super) prefix_delegation: Option<bool>,
    pub(super) cni_conf: Option<serde_json::Value>,
    pub(super) overlay: Option<Said<Ipv4Net>>,
    pub(super) foreign: Vec<Foreign>,
}

/// How an agent and the operator speak, in the words of the agent's flag.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Contract {
    PerIp,
    Cidr,
}

/// An interface of somebody else.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Foreign {
    pub(super) device_index: u32,
    pub(super) subnet: Option<String>,
    #[serde(default)]
    pub(super) addresses: u32,
    #[serde(default)]
    pub(super) tags: Tags,
}

/// The pods that come and go by themselves.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Pods {
    pub(super) per_second: Option<Said<Rate>>,
    pub(super) lifetime: Option<Said<Lasting>>,
    pub(super) at_start: Option<u32>,
    pub(super) per_node: Option<u32>,
}

/// Something that happens: exactly one of the members behind `at`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Happening {
    pub(super) at: Said<Time>,
    pub(super) burst: Option<Burst>,
    pub(super) drain: Option<Drain>,
    pub(super) ec2_outage: Option<Away>,
    pub(super) api_outage: Option<Away>,
    pub(super) operator_away: Option<Away>,
    pub(super) agents_away: Option<AgentsAway>,
    pub(super) subnet_taken: Option<SubnetTaken>,
    pub(super) buckets: Option<OtherBuckets>,
}

/// Pods that come beside the others.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Burst {
    pub(super) pods: u32,
    pub(super) over: Option<Said<Time>>,
}

/// Nodes that are replaced.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Drain {
    pub(super) group: Option<String>,
    pub(super) pause: Option<Said<Time>>,
}

/// Something that is away for a time.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Away {
    pub(super) length: Said<Lasting>,
}

/// Agents that are away for a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentsAway {
    pub(super) length: Said<Lasting>,
    pub(super) group: Option<String>,
}

/// A subnet of which somebody else takes addresses.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubnetTaken {
    pub(super) subnet: String,
    pub(super) left: Left,
}

/// Another size of all token buckets.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherBuckets {
    pub(super) multiplier: Said<Factor>,
}

/// How EC2 is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ec2 {
    pub(super) latency: Option<Profile>,
    pub(super) staleness: Option<Mode>,
    pub(super) buckets: Buckets,
    pub(super) faults: Vec<Rule>,
    pub(super) denied: Vec<String>,
}

/// What must have been so at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expect {
    pub(super) waiting_at_end: Option<u32>,
    pub(super) wait_p99: Option<Said<Time>>,
    pub(super) reasons: Vec<String>,
    pub(super) ec2_calls: Option<u64>,
    pub(super) ec2_changes: Option<u64>,
    pub(super) given_back: Option<u64>,
}

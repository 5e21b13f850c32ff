//! Demand, pools, use and release: `spec.ipam` and `status.ipam`.
//!
//! The per-IP contract uses `pool`, `used` and `release-ips`; the CIDR contract uses
//! `pools.requested` and `pools.allocated`. Both kinds of members can be present at once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Tags, Unknown};

/// The one pool that ENI mode uses in `pools`.
pub const DEFAULT_POOL: &str = "default";

/// Address to who has it.
pub type Allocations = BTreeMap<String, Allocation>;

/// Warm-pool settings and demand (agent), usable addresses (operator).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct IpamSpec {
    /// Usable IPv6 addresses. In schema 1.32.5; never filled in ENI mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_pool: Option<Allocations>,
    /// Free addresses kept beyond the watermark. No agent sets it; users may.
    #[schemars(range(min = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_above_watermark: Option<i64>,
    /// Most addresses the node may have. 0 means as many as the instance holds.
    #[schemars(range(min = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_allocate: Option<i64>,
    /// Addresses the node has at least.
    #[schemars(range(min = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_allocate: Option<i64>,
    /// The node's pod CIDRs in cluster-pool mode.
    #[serde(rename = "podCIDRs", skip_serializing_if = "Option::is_none")]
    pub pod_cidrs: Option<Vec<String>>,
    /// Usable IPv4 addresses of the per-IP contract, with the ENI of each in `resource`. Written
    /// by the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Allocations>,
    /// The CIDR contract. Written by the agent, and by operators that write the object whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pools: Option<Pools>,
    /// Free addresses the node keeps ready. The operator fills it in when it is 0.
    #[schemars(range(min = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_allocate: Option<i64>,
    /// Tags that select the Elastic IP for the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub static_ip_tags: Option<Tags>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One usable or used address.
#[derive(Clone, Debug, Default, JsonSchema, PartialEq, Serialize)]
pub struct Allocation {
    /// Who uses it: `namespace/pod`, `router`, `health` or `ingress`. Empty in a pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Id of the ENI that has the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A member of an [`Allocation`].
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum AllocationMember {
    Owner,
    Resource,
    Unknown(String),
}

/// Written by hand because a node has thousands of them: what is derived for a struct that keeps its
/// unknown members reads each twice, and takes half the time of a whole object.
impl<'de> Deserialize<'de> for Allocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AllocationVisitor)
    }
}

struct AllocationVisitor;

impl<'de> Visitor<'de> for AllocationVisitor {
    type Value = Allocation;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object with owner and resource")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Allocation, A::Error> {
        let mut allocation = Allocation::default();
        while let Some(member) = members.next_key()? {
            match member {
                AllocationMember::Owner => allocation.owner = members.next_value()?,
                AllocationMember::Resource => allocation.resource = members.next_value()?,
                AllocationMember::Unknown(name) => {
                    allocation.unknown.insert(name, members.next_value()?);
                }
            }
        }
        Ok(allocation)
    }
}

/// What the agent wants and has, pool by pool.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Pools {
    /// The CIDRs the agent uses. In ENI mode the agent adds what `status.eni` shows and gives a
    /// CIDR back by removing it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocated: Option<Vec<AllocatedPool>>,
    /// How many addresses the agent needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<Vec<RequestedPool>>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The CIDRs of one pool.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct AllocatedPool {
    /// Whether the first address of each CIDR is usable. ENI agents write true.
    #[serde(rename = "allowFirstIP", skip_serializing_if = "Option::is_none")]
    pub allow_first_ip: Option<bool>,
    /// Whether the last address of each CIDR is usable. ENI agents write true.
    #[serde(rename = "allowLastIP", skip_serializing_if = "Option::is_none")]
    pub allow_last_ip: Option<bool>,
    /// The CIDRs, of both families: in ENI mode /32 and /28, /128 and /80.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidrs: Option<Vec<String>>,
    /// Name of the pool; ENI mode uses `default`.
    #[schemars(required, length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The demand for one pool.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct RequestedPool {
    /// How many addresses. `{}` means none are needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<Needed>,
    /// Name of the pool; ENI mode uses `default`.
    #[schemars(required, length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Addresses in use, waited for and to be kept ready, together, in each family.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Needed {
    /// IPv4 addresses; absent for 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_addrs: Option<i64>,
    /// IPv6 addresses; absent for 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_addrs: Option<i64>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Addresses in use (agent) and on their way back (both).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct IpamStatus {
    /// The Elastic IP associated for `static-ip-tags`. Written by the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_static_ip: Option<String>,
    /// IPv6 addresses in use. In schema 1.32.5; never filled in ENI mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_used: Option<Allocations>,
    /// The operator's last error in cluster-pool and multi-pool mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator_status: Option<OperatorStatus>,
    /// Pod CIDRs of a mode that ended with Cilium 1.14.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_cidrs: Option<BTreeMap<String, PodCidr>>,
    /// IPv4 addresses on their way back under the per-IP contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_ips: Option<BTreeMap<String, ReleaseState>>,
    /// IPv6 addresses on their way back. In schema 1.32.5; unused in ENI mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_ipv6s: Option<BTreeMap<String, ReleaseState>>,
    /// IPv4 addresses in use under the per-IP contract. Written by the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Allocations>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How far the release of one address has come.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseState {
    /// The operator asks to have the address back.
    MarkedForRelease,
    /// The agent agrees and will not use it.
    ReadyForRelease,
    /// The agent refuses: the address is in use or unknown to it.
    DoNotRelease,
    /// The operator unassigned it. The agent removes the entry when the address has left the pool.
    Released,
    /// A word that neither contract knows.
    #[serde(untagged)]
    Other(String),
}

impl JsonSchema for ReleaseState {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ReleaseState".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "enum": ["marked-for-release", "ready-for-release", "do-not-release", "released"],
        })
    }
}

/// What the operator has to say about a node.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct OperatorStatus {
    /// What keeps the node from getting what it needs; empty or absent when nothing does. Cilium's operators fill it in
    /// outside of ENI mode only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Use of one pod CIDR.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct PodCidr {
    /// `released`, `depleted` or `in-use`.
    #[schemars(extend("enum" = ["released", "depleted", "in-use"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

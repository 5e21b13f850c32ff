//! ENI mode: the settings in `spec.eni` and the attached interfaces in `status.eni`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Tags, Unknown};

/// Settings of one node's ENIs, from the agent's flags, its CNI configuration and instance
/// metadata, rewritten at each start of the agent: edits by hand do not last.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EniSpec {
    /// Name of the availability zone, like `us-east-1a`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// Whether a new ENI is deleted together with the instance. Absent means true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_on_termination: Option<bool>,
    /// Whether this node uses single addresses although the operator delegates prefixes. Absent
    /// means false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_prefix_delegation: Option<bool>,
    /// An ENI that carries all of these tags is not managed. An empty map excludes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_interface_tags: Option<Tags>,
    /// ENIs with a lower device index are not managed. Agents write 0 by default.
    #[schemars(range(min = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_interface_index: Option<i64>,
    /// Obsolete: `spec.instance-id` took its place. Gone from schema 1.33.9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// The instance type, like `m5.large`: decides how many ENIs and addresses fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// Obsolete: `spec.ipam.max-above-watermark` took its place. Gone from schema 1.33.9.
    #[schemars(range(min = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_above_watermark: Option<i64>,
    /// Obsolete: `spec.ipam.min-allocate` took its place. Gone from schema 1.33.9.
    #[schemars(range(min = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_allocate: Option<i64>,
    /// Subnet of the primary ENI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_subnet_id: Option<String>,
    /// Obsolete: `spec.ipam.pre-allocate` took its place. Gone from schema 1.33.9.
    #[schemars(range(min = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_allocate: Option<i64>,
    /// A security group with all of these tags goes to new ENIs, unless `security-groups` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_group_tags: Option<Tags>,
    /// Ids of the security groups of new ENIs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<Vec<String>>,
    /// Ids of the subnets for new ENIs. Takes precedence over `subnet-tags`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet_ids: Option<Vec<String>>,
    /// A subnet with all of these tags is used for new ENIs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet_tags: Option<Tags>,
    /// Whether the primary address of an ENI is given to pods too. Absent means false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_primary_address: Option<bool>,
    /// The VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The ENIs attached to a node. Written by the operator alone; `{}` while there are none.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct EniStatus {
    /// ENI id to ENI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enis: Option<BTreeMap<String, Eni>>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One attached ENI.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Eni {
    /// Every IPv4 address that pods may use: the secondary addresses, all 16 addresses of each
    /// delegated /28, and the primary address when it is given to pods too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<String>>,
    /// Name of the availability zone. Recorded operators never write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// Description in EC2; `Cilium-CNI (<instance id>)` on ENIs that an operator created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The id, like `eni-61cf25a90e5114a99`: the same as the key in `enis`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Primary private IPv4 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Delegated IPv6 prefixes, each a /80. From schema 1.33.9 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_prefixes: Option<Vec<String>>,
    /// MAC address, by which the agent finds the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Device index; absent for 0, the primary ENI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// Delegated IPv4 prefixes, each a /28.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefixes: Option<Vec<String>>,
    /// Public IPv4 address associated with the ENI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
    /// Ids of the security groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<Vec<String>>,
    /// The subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<EniSubnet>,
    /// Tags of the ENI in EC2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
    /// The VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc: Option<EniVpc>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The subnet of an ENI.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct EniSubnet {
    /// IPv4 CIDR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
    /// The id, like `subnet-91056e80f54b8a09f`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The VPC of an ENI. Agents take their native routing CIDR from here.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EniVpc {
    /// Secondary IPv4 CIDRs, without the primary one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidrs: Option<Vec<String>>,
    /// The id, like `vpc-2003dda5c0355be96`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Primary IPv4 CIDR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_cidr: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

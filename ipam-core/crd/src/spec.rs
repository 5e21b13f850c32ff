//! The members of `spec`, and what the resource is called.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Unknown;
use crate::clouds::{AlibabaCloudSpec, AzureSpec};
use crate::eni::EniSpec;
use crate::ipam::IpamSpec;
use crate::status::CiliumNodeStatus;

/// What a node is and wants. The agent writes everything here but `ipam.pool`, and rewrites it
/// whole at each start.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[kube(
    group = "cilium.io",
    version = "v2",
    kind = "CiliumNode",
    root = "Definition",
    plural = "ciliumnodes",
    singular = "ciliumnode",
    shortname = "cn",
    shortname = "ciliumn",
    category = "cilium",
    status = "CiliumNodeStatus",
    doc = "A node's addresses and network interfaces: what its agent wants, and what the operator attached.",
    printcolumn = r#"{"name": "CiliumInternalIP", "type": "string", "description": "The agent's own address on the node", "jsonPath": ".spec.addresses[?(@.type==\"CiliumInternalIP\")].ip"}"#,
    printcolumn = r#"{"name": "InternalIP", "type": "string", "description": "The node's address", "jsonPath": ".spec.addresses[?(@.type==\"InternalIP\")].ip"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "description": "Time since the object was created", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "kebab-case")]
pub struct CiliumNodeSpec {
    /// The node's addresses. Written by the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<NodeAddress>>,
    /// Settings of agents on Alibaba Cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alibaba_cloud: Option<AlibabaCloudSpec>,
    /// Settings of agents on Azure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azure: Option<AzureSpec>,
    /// Identifies the node's current boot. Written by the agent.
    #[serde(rename = "bootid", skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// The encryption key in use. Written by the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Settings of ENI mode. Written by the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eni: Option<EniSpec>,
    /// Addresses of the health endpoint. Written by the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<FamilyAddresses>,
    /// Addresses of the ingress endpoint. Written by the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<FamilyAddresses>,
    /// The EC2 instance, like `i-357919cd05457eec6`, as instance metadata tells it. Written by the
    /// agent. The only member beside `eni` and `ipam` that an operator reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Demand and warm-pool settings (agent), usable addresses (operator).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipam: Option<IpamSpec>,
    /// The node's identity. Obsolete: gone from schema 1.33.9.
    #[serde(rename = "nodeidentity", skip_serializing_if = "Option::is_none")]
    pub node_identity: Option<i64>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One address of a node.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct NodeAddress {
    /// The address, of either family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// `InternalIP`, `ExternalIP`, `Hostname` or `CiliumInternalIP`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub address_type: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// The encryption key of a node.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Encryption {
    /// Index of the key in use; absent without encryption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<i64>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// One endpoint's address in each family that is enabled.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct FamilyAddresses {
    /// IPv4 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<String>,
    /// IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

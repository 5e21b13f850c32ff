//! The parts that belong to other clouds. Berth writes back what it finds there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Tags, Unknown};

/// Settings of agents on Azure. On EC2 it is `{}`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AzureSpec {
    /// Name of the interface that pods use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_name: Option<String>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Settings of agents on Alibaba Cloud. On EC2 it is `{}`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AlibabaCloudSpec {
    /// Zone of the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// CIDR of the VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr_block: Option<String>,
    /// Type of the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// Tags that select the security groups of new interfaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_group_tags: Option<Tags>,
    /// Security groups of new interfaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<Vec<String>>,
    /// The VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc_id: Option<String>,
    /// Tags that select the switches of new interfaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vswitch_tags: Option<Tags>,
    /// Switches of new interfaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vswitches: Option<Vec<String>>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Interfaces of a node on Azure. On EC2 it is `{}`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct AzureStatus {
    /// The interfaces, as they stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<Vec<Unknown>>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Interfaces of a node on Alibaba Cloud. On EC2 it is `{}`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct AlibabaCloudStatus {
    /// Interface id to interface, as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enis: Option<BTreeMap<String, Unknown>>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

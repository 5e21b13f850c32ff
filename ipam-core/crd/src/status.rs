//! The members of `status`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Unknown;
use crate::clouds::{AlibabaCloudStatus, AzureStatus};
use crate::eni::EniStatus;
use crate::ipam::IpamStatus;

/// What was observed of a node: its interfaces (operator) and the addresses in use (agent).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CiliumNodeStatus {
    /// Interfaces on Alibaba Cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alibaba_cloud: Option<AlibabaCloudStatus>,
    /// Interfaces on Azure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azure: Option<AzureStatus>,
    /// The attached ENIs. Written by the operator alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eni: Option<EniStatus>,
    /// Use and release of addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipam: Option<IpamStatus>,
    /// Members of newer versions.
    #[serde(flatten)]
    pub unknown: Unknown,
}

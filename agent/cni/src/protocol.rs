//! What the plugin and the agent say to each other: JSON over HTTP/1.1 on a Unix socket.
//!
//! Each call is a POST to its path with its request as body. The answer is 200 with the reply as body, or another status with
//! a [`Problem`].

mod decode;

pub use decode::{ReplyError, Request, RequestError};

use std::error::Error;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Where the agent listens if nothing else is said.
pub const SOCKET_DEFAULT: &str = "/var/run/berth/agent.sock";
/// Where DELs are queued while the agent is away, if nothing else is said.
pub const QUEUE_DEFAULT: &str = "/var/run/berth/deletions";

/// The path of [`AddRequest`], answered with [`AddReply`].
pub const ADD: &str = "/v1/cni/add";
/// The path of [`DelRequest`], answered with [`Done`].
pub const DEL: &str = "/v1/cni/del";
/// The path of [`CheckRequest`], answered with [`Done`].
pub const CHECK: &str = "/v1/cni/check";
/// The path of [`GcRequest`], answered with [`Done`].
pub const GC: &str = "/v1/cni/gc";
/// The path of a request without members, answered with [`Done`].
pub const STATUS: &str = "/v1/cni/status";

/// The codes of a [`Problem`]: those of the CNI specification, section "Error".
pub mod code {
    /// The version of the configuration is not one of the plugin's.
    pub const INCOMPATIBLE_VERSION: u32 = 1;
    /// The configuration has a member that is not known.
    pub const UNSUPPORTED_FIELD: u32 = 2;
    /// The environment lacks a variable, or has one that makes no sense.
    pub const ENVIRONMENT: u32 = 4;
    /// Something could not be read or written.
    pub const IO: u32 = 5;
    /// Something could not be decoded.
    pub const DECODE: u32 = 6;
    /// The configuration or the request makes no sense.
    pub const INVALID_CONFIG: u32 = 7;
    /// It may work later.
    pub const TRY_AGAIN: u32 = 11;
    /// STATUS: ADD cannot be served.
    pub const UNAVAILABLE: u32 = 50;
    /// STATUS: ADD cannot be served, and pods that run may be affected too.
    pub const LIMITED: u32 = 51;
}

/// Bytes in a request or a reply at most. A GC names every sandbox of a node: 110 pods take 12 kB.
pub const BODY_MAX: usize = 1 << 20;
/// Bytes in a text of a request at most; container ids have 64.
pub const TEXT_MAX: usize = 256;

/// An interface of a sandbox in a network: the key of all that is kept (CNI specification).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attachment {
    /// The name of the network configuration.
    pub network: String,
    /// `CNI_CONTAINERID`.
    pub container_id: String,
    /// `CNI_IFNAME`.
    pub interface: String,
}

/// A pod, as `CNI_ARGS` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pod {
    /// `K8S_POD_NAMESPACE`.
    pub namespace: String,
    /// `K8S_POD_NAME`.
    pub name: String,
    /// `K8S_POD_UID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

/// Asks for the addresses of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AddRequest {
    /// Which.
    pub attachment: Attachment,
    /// Of which pod.
    pub pod: Pod,
    /// How long to wait for a free address, in milliseconds; the agent has a limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// The addresses of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AddReply {
    /// One of each family at most, IPv4 first.
    pub addresses: Vec<Address>,
}

/// An address and the network around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// The router of its subnet, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// The id of the interface of the instance that it is on.
    pub eni: String,
    /// The MAC of that.
    pub mac: String,
    /// Its device index.
    pub interface_number: u32,
    /// The CIDRs of the VPC.
    pub vpc_cidrs: Vec<IpNet>,
}

/// Gives back what an interface holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DelRequest {
    /// Which.
    pub attachment: Attachment,
}

/// Asks whether an interface holds these addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CheckRequest {
    /// Which.
    pub attachment: Attachment,
    /// Those of `prevResult`.
    pub addresses: Vec<IpAddr>,
}

/// Gives back what no valid sandbox holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GcRequest {
    /// The name of the network.
    pub network: String,
    /// What stays (`cni.dev/valid-attachments`).
    pub valid: Vec<Sandbox>,
}

/// An interface of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sandbox {
    /// Its id.
    pub container_id: String,
    /// The interface.
    pub interface: String,
}

/// It is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

/// It is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Problem {
    /// One of [`code`]: 7 for a request that makes no sense, 11 for one that is worth trying again, 50 and 51 for STATUS.
    pub code: u32,
    /// What went wrong, in a few words.
    pub msg: String,
    /// What to know besides: reason, counts, the operator's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub details: String,
}

impl Problem {
    /// An error under a code: its own words first, those of its sources as details.
    #[must_use]
    pub fn of(code: u32, error: &dyn Error) -> Self {
        let sources = std::iter::successors(error.source(), |inner| (*inner).source());
        let details: Vec<String> = sources.map(ToString::to_string).collect();
        Self { code, msg: error.to_string(), details: details.join(": ") }
    }
}

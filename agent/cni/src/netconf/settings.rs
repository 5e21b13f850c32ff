//! What the section `ipam` says, checked.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// The section `ipam`.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where the agent listens.
    pub socket: PathBuf,
    /// Where DELs are queued while it is away.
    pub queue: PathBuf,
    /// How long ADD waits for a free address; `None`: as long as the agent does by itself.
    pub wait: Option<Duration>,
    /// Where the log goes; `None`: to stderr.
    pub log_file: Option<PathBuf>,
    /// What is logged.
    pub log_level: LogLevel,
    /// Which gateway the result names.
    pub gateway: Gateway,
    /// How long the prefix of an IPv4 address is.
    pub prefix: Prefix,
    /// Whether the result names the interface of the host that the address is on, as Cilium's delegated-plugin mode wants.
    pub interfaces: bool,
    /// Routes beside the default ones.
    pub routes: Vec<Route>,
}

/// How much is logged: this and what is graver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What was put off.
    Warn,
    /// Each call.
    Info,
    /// Each exchange with the agent.
    Debug,
}

/// Which gateway the result names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gateway {
    /// 169.254.1.1 and `fe80::1`, which are the host's end of the pod's link and nothing else.
    LinkLocal,
    /// IPv4: the fourth address of the subnet, which AWS reserves and nobody uses (Amazon VPC user guide, "Subnet CIDR blocks").
    /// IPv6: `fe80::1`.
    Reserved,
    /// The router of the subnet.
    Subnet,
    /// This one for its family, link-local for the other.
    Address(IpAddr),
}

/// How long the prefix of an IPv4 address is. IPv6 addresses are /128.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// /32.
    Host,
    /// The longest that also covers the gateway.
    Gateway,
}

/// A route for the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Where to.
    pub dst: IpNet,
    /// Over which gateway; `None`: that of the result.
    pub gateway: Option<IpAddr>,
}

//! Which node this is, and how it speaks through its `CiliumNode`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use berth_shell::settings::values::{self, List};
use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use ipam_core::agent::AgentSettings;
use ipam_core::ids::NodeName;
use ipam_core::view::Contract;

use super::SettingsError;
use crate::imds::Endpoint;
use crate::kubernetes::taint::KEY_DEFAULT;

/// The address of the metadata service on every instance (EC2 user guide, instance metadata).
const IMDS_DEFAULT: &str = "http://169.254.169.254";
/// The mode of Cilium's agents in which they ask an IPAM plugin.
const DELEGATED: &str = "delegated-plugin";
/// A change of use that nobody hears of in this time could be one too late.
const LATEST_MAX: Duration = Duration::from_mins(5);

/// Flags about the node, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Node")]
pub(super) struct NodeArguments {
    /// Name of the Node, and of its CiliumNode; without it `K8S_NODE_NAME`, then the host name
    #[arg(long, env = "BERTH_NODE_NAME", value_name = "NAME")]
    node_name: Option<String>,
    /// Addresses that are the node's own and never a pod's, beside the primary address of its first interface
    #[arg(long, env = "BERTH_NODE_IPS", default_value = "", value_parser = values::list::<IpAddr>, value_name = "ADDRESSES")]
    node_ips: List<IpAddr>,
    /// How the agent and the operator speak: `per-ip`, as Cilium's agents do up to 1.19, or `cidr`, as they do from 1.20 on
    #[arg(long, env = "BERTH_CONTRACT", default_value = "per-ip", value_name = "NAME")]
    contract: ContractName,
    #[command(flatten)]
    families: FamilyArguments,
    /// Create the CiliumNode where there is none, and keep its settings current. Off, somebody else does, such as a Cilium agent
    #[arg(long, env = "BERTH_AUTO_CREATE_CILIUM_NODE_RESOURCE", default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    auto_create_cilium_node_resource: bool,
    /// A change of use is written to the CiliumNode after this time at the latest; a second after the last change otherwise
    #[arg(long, env = "BERTH_IPAM_CILIUM_NODE_UPDATE_RATE", default_value = "15s", value_parser = values::duration, value_name = "TIME")]
    ipam_cilium_node_update_rate: Duration,
    /// Key of the taint that is removed from the Node when pods can have addresses
    #[arg(long, env = "BERTH_AGENT_NOT_READY_TAINT_KEY", default_value = KEY_DEFAULT, value_name = "KEY")]
    agent_not_ready_taint_key: String,
    /// Leave the taint to somebody else, such as Cilium's operator
    #[arg(long, env = "BERTH_KEEP_TAINT", default_value = "false", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    keep_taint: bool,
    /// Where the metadata of the instance is asked for
    #[arg(long, env = "BERTH_IMDS_ENDPOINT", default_value = IMDS_DEFAULT, value_name = "URL")]
    imds_endpoint: Endpoint,
    /// Taken from Cilium's `ConfigMap`: `eni`, or `delegated-plugin` where berth-cni serves a Cilium agent
    #[arg(long, env = "BERTH_IPAM", default_value = "eni", value_name = "MODE")]
    ipam: String,
}

/// Flags about the kinds of addresses, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Node")]
struct FamilyArguments {
    /// Give pods IPv4 addresses
    #[arg(long, env = "BERTH_ENABLE_IPV4", default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    enable_ipv4: bool,
    /// Give pods IPv6 addresses
    #[arg(long, env = "BERTH_ENABLE_IPV6", default_value = "false", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    enable_ipv6: bool,
}

/// Names of [`Contract`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ContractName {
    /// Single addresses, their use and their release in `spec.ipam.pool` and `status.ipam`
    PerIp,
    /// CIDRs of `status.eni`, demand and use in `spec.ipam.pools`
    Cidr,
}

/// Which node this is, and how it speaks through its `CiliumNode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// The name of the Node, and of its `CiliumNode`.
    pub name: NodeName,
    /// Addresses of the node itself that no pod may have.
    pub own: Vec<IpAddr>,
    /// How it deals with the operator.
    pub contract: Contract,
    /// Whether pods get IPv4 addresses. One family is enabled at least.
    pub ipv4: bool,
    /// Whether pods get IPv6 addresses.
    pub ipv6: bool,
    /// Whether the `CiliumNode` is created and kept current.
    pub keeps_cilium_node: bool,
    /// A change waits no longer to be published; 1 s to 5 min.
    pub publish_latest: Duration,
    /// The key of the taint to remove, if one is.
    pub taint: Option<String>,
    /// Where the instance metadata service is.
    pub imds: Endpoint,
}

impl NodeArguments {
    /// Checks the flags. `node_name`: `K8S_NODE_NAME`.
    pub(super) fn check(self, node_name: Option<String>) -> Result<NodeSettings, SettingsError> {
        self.check_ipam()?;
        self.check_families()?;
        let latest = self.ipam_cilium_node_update_rate;
        if !(AgentSettings::QUIET_DEFAULT..=LATEST_MAX).contains(&latest) {
            let given = format!("{latest:?}");
            return Err(SettingsError::invalid("ipam-cilium-node-update-rate", &given, "1s to 5m"));
        }
        Ok(NodeSettings {
            taint: self.taint()?,
            imds: self.imds_endpoint,
            name: name_of_node(self.node_name, node_name)?,
            own: self.node_ips.0.into_iter().collect(),
            contract: match self.contract {
                ContractName::PerIp => Contract::PerIp,
                ContractName::Cidr => Contract::Cidr,
            },
            ipv4: self.families.enable_ipv4,
            ipv6: self.families.enable_ipv6,
            keeps_cilium_node: self.auto_create_cilium_node_resource,
            publish_latest: latest,
        })
    }

    /// Whether berth-cni serves a Cilium agent.
    pub(super) fn serves_cilium(&self) -> bool {
        self.ipam == DELEGATED
    }

    fn check_ipam(&self) -> Result<(), SettingsError> {
        if ["eni", DELEGATED].contains(&self.ipam.as_str()) {
            return Ok(());
        }
        let expected =
            "eni or delegated-plugin: Berth gives pods addresses of network interfaces alone";
        Err(SettingsError::invalid("ipam", &self.ipam, expected))
    }

    fn check_families(&self) -> Result<(), SettingsError> {
        if self.families.enable_ipv4 || self.families.enable_ipv6 {
            return Ok(());
        }
        Err(SettingsError::Contradiction {
            left: "--enable-ipv4 false".to_owned(),
            right: "--enable-ipv6 false".to_owned(),
            because: "no pod could have an address",
        })
    }

    fn taint(&self) -> Result<Option<String>, SettingsError> {
        let key = &self.agent_not_ready_taint_key;
        if self.keep_taint {
            return Ok(None);
        }
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        if key.is_empty() || !key.bytes().all(is_part) {
            let expected = "the key of a taint, such as node.cilium.io/agent-not-ready; --keep-taint removes none";
            return Err(SettingsError::invalid("agent-not-ready-taint-key", key, expected));
        }
        Ok(Some(key.clone()))
    }
}

pub(super) fn name_of_node(
    flag: Option<String>,
    variable: Option<String>,
) -> Result<NodeName, SettingsError> {
    let said = |name: &String| !name.is_empty();
    if let Some(name) = flag.filter(said).or_else(|| variable.filter(said)) {
        let expected = "the name of a Node: lower-case letters, digits, `-` and `.`";
        return name.parse().map_err(|_| SettingsError::invalid("node-name", &name, expected));
    }
    let host = std::fs::read_to_string(PathBuf::from("/proc/sys/kernel/hostname"));
    let host = host.unwrap_or_default().trim().to_lowercase();
    host.parse().map_err(|_| SettingsError::NoNodeName { host })
}

//! What the agent does to the host's network.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::value_parser;

use super::SettingsError;
use crate::host_net::{Numbers, Options};

/// Where Linux has its settings.
const PROC_SYS: &str = "/proc/sys";

/// Flags about the host's network, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Host network")]
pub(super) struct HostArguments {
    /// Set up the devices, routes and rules of secondary interfaces, so that answers of pods leave by the interface that holds their address. Needs `CAP_NET_ADMIN`. Off, somebody else does, such as Cilium. On unless --ipam=delegated-plugin
    #[arg(long = "host-networking", env = "BERTH_HOST_NETWORKING", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    networking: Option<bool>,
    /// MTU of secondary interfaces; without it, that of the primary one
    #[arg(long = "host-mtu", env = "BERTH_HOST_MTU", value_parser = value_parser!(u32).range(576..=65_535), value_name = "BYTES")]
    mtu: Option<u32>,
    /// Masquerade what pods send to anywhere but the VPC: it leaves by the primary interface with its address. Needs the program nft
    #[arg(long = "host-masquerade", env = "BERTH_HOST_MASQUERADE", default_value = "false", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    masquerade: bool,
    /// Where the kernel's settings (sysctl) of the host's network can be written; a container has them mounted read-only at /proc/sys
    #[arg(long = "host-proc-sys", env = "BERTH_HOST_PROC_SYS", default_value = PROC_SYS, value_name = "FOLDER")]
    proc_sys: PathBuf,
    // Rule 0 is the kernel's local table, 32766 its main one.
    /// Priority of the rules that deliver to the pods of this node
    #[arg(long = "host-to-priority", env = "BERTH_HOST_TO_PRIORITY", default_value_t = Numbers::default().to_pods, value_parser = value_parser!(u32).range(1..=32_765), value_name = "PRIORITY")]
    to_priority: u32,
    /// Priority of the rule for what is masqueraded
    #[arg(long = "host-masquerade-priority", env = "BERTH_HOST_MASQUERADE_PRIORITY", default_value_t = Numbers::default().masqueraded, value_parser = value_parser!(u32).range(1..=32_765), value_name = "PRIORITY")]
    masquerade_priority: u32,
    /// Priority of the rules by which pods' traffic leaves by the interface of their address
    #[arg(long = "host-from-priority", env = "BERTH_HOST_FROM_PRIORITY", default_value_t = Numbers::default().from_pods, value_parser = value_parser!(u32).range(1..=32_765), value_name = "PRIORITY")]
    from_priority: u32,
    // 253 to 255 are the kernel's own, and no instance has more than 64 interfaces.
    /// The routing table of an interface is this and its device index
    #[arg(long = "host-first-table", env = "BERTH_HOST_FIRST_TABLE", default_value_t = Numbers::default().first_table, value_parser = value_parser!(u32).range(1..=188), value_name = "TABLE")]
    first_table: u32,
    // Those up to 4 are the kernel's and static routes' (rtnetlink(7), rtm_protocol).
    /// Protocol number of Berth's rules and routes, by which it knows them: nobody else's on the node
    #[arg(long = "host-protocol", env = "BERTH_HOST_PROTOCOL", default_value_t = Numbers::default().protocol, value_parser = value_parser!(u8).range(5..), value_name = "NUMBER")]
    protocol: u8,
    /// Mark of packets that are masqueraded, as a number or 0x and hexadecimal digits
    #[arg(long = "host-mark", env = "BERTH_HOST_MARK", default_value = "0x100", value_parser = mark, value_name = "MARK")]
    mark: u32,
}

/// What the agent does to the host's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSettings {
    /// How; none where somebody else sees to it.
    pub networking: Option<Options>,
}

impl HostArguments {
    /// Checks the flags; `delegated`: berth-cni serves a Cilium agent, which sees to the host's network.
    pub(super) fn check(self, delegated: bool) -> Result<HostSettings, SettingsError> {
        self.check_priorities()?;
        let is_on = self.networking.unwrap_or(!delegated);
        Ok(HostSettings { networking: is_on.then(|| self.options()) })
    }

    fn options(&self) -> Options {
        let numbers = Numbers {
            protocol: self.protocol,
            to_pods: self.to_priority,
            masqueraded: self.masquerade_priority,
            from_pods: self.from_priority,
            first_table: self.first_table,
            mark: self.mark,
        };
        Options {
            numbers,
            mtu: self.mtu,
            masquerade: self.masquerade,
            proc_sys: self.proc_sys.clone(),
        }
    }

    /// Delivery to pods comes first, and what is masqueraded leaves before the interface of the pod is looked for.
    fn check_priorities(&self) -> Result<(), SettingsError> {
        let given = [
            ("host-to-priority", self.to_priority),
            ("host-masquerade-priority", self.masquerade_priority),
            ("host-from-priority", self.from_priority),
        ];
        for [(left, low), (right, high)] in given.array_windows() {
            if low >= high {
                return Err(SettingsError::Contradiction {
                    left: format!("--{left} {low}"),
                    right: format!("--{right} {high}"),
                    because: "the first must be the lower number",
                });
            }
        }
        Ok(())
    }
}

/// A mark with at least one bit.
fn mark(text: &str) -> Result<u32, String> {
    let read = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    let mark = read.ok().filter(|mark| *mark != 0);
    mark.ok_or_else(|| "expected a number from 1 to 0xffffffff".to_owned())
}

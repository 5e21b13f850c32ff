//! How plugins are served, and what is kept on disk.

use std::path::PathBuf;
use std::time::Duration;

use berth_cni::protocol::{QUEUE_DEFAULT, SOCKET_DEFAULT};
use berth_shell::settings::values;
use ipam_core::pool::{InvalidLedgerSettings, LedgerSettings};

use super::SettingsError;

/// Where the ledger is. It must outlive the pod of the agent, and may be lost with the machine's boot.
const STATE_DEFAULT: &str = "/var/lib/berth";
/// Container runtimes give a plugin a few minutes at most.
const WAIT_MAX: Duration = Duration::from_mins(2);

/// Flags about pods, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Pods")]
pub(super) struct PluginArguments {
    /// Folder of the ledger: who has which address. On a disk of the node, so that it outlives the agent
    #[arg(long, env = "BERTH_STATE_DIR", default_value = STATE_DEFAULT, value_name = "FOLDER")]
    state_dir: PathBuf,
    /// Unix socket for berth-cni and `berth-agent status`
    #[arg(long, env = "BERTH_SOCKET_PATH", default_value = SOCKET_DEFAULT, value_name = "FILE")]
    socket_path: PathBuf,
    /// Unix socket for callers of Cilium's /v1/ipam; without it there is none
    #[arg(long, env = "BERTH_CILIUM_SOCKET_PATH", value_name = "FILE")]
    cilium_socket_path: Option<PathBuf>,
    /// Folder in which berth-cni leaves what it could not give back while the agent was away
    #[arg(long, env = "BERTH_QUEUE_DIR", default_value = QUEUE_DEFAULT, value_name = "FOLDER")]
    queue_dir: PathBuf,
    /// How long an address rests between two pods; at most 1h
    #[arg(long, env = "BERTH_ADDRESS_COOL_DOWN", default_value = "30s", value_parser = values::duration, value_name = "TIME")]
    address_cool_down: Duration,
    /// How long a pod waits for a free address before its ADD is refused; at most 2m
    #[arg(long, env = "BERTH_ADDRESS_WAIT", default_value = "10s", value_parser = values::duration, value_name = "TIME")]
    address_wait: Duration,
    /// After this time an address that a caller of /v1/ipam promised to claim, and did not, is taken back; 1s to 1h
    #[arg(long, env = "BERTH_CLAIM_WITHIN", default_value = "10m", value_parser = values::duration, value_name = "TIME")]
    claim_within: Duration,
}

/// How plugins are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginSettings {
    /// The folder of the ledger.
    pub state_dir: PathBuf,
    /// The socket of Berth's own calls.
    pub socket: PathBuf,
    /// The socket of Cilium's calls, if there is one.
    pub cilium_socket: Option<PathBuf>,
    /// Where DELs are queued.
    pub queue_dir: PathBuf,
    /// The times of the ledger.
    pub ledger: LedgerSettings,
    /// How long an ADD waits for a free address at most; up to 2 min.
    pub wait_max: Duration,
}

impl PluginArguments {
    /// Checks the flags.
    pub(super) fn check(self) -> Result<PluginSettings, SettingsError> {
        let cilium_socket = self.cilium_socket_path.filter(|path| !path.as_os_str().is_empty());
        let mut paths = vec![
            ("state-dir", &self.state_dir),
            ("socket-path", &self.socket_path),
            ("queue-dir", &self.queue_dir),
        ];
        paths.extend(cilium_socket.as_ref().map(|path| ("cilium-socket-path", path)));
        check_paths(&paths)?;
        if self.address_wait > WAIT_MAX {
            let given = format!("{:?}", self.address_wait);
            return Err(SettingsError::invalid("address-wait", &given, "0s to 2m"));
        }
        let remember = LedgerSettings::REMEMBER_DEFAULT;
        let ledger = LedgerSettings::new(self.address_cool_down, self.claim_within, remember);
        Ok(PluginSettings {
            state_dir: self.state_dir,
            socket: self.socket_path,
            cilium_socket,
            queue_dir: self.queue_dir,
            ledger: ledger.map_err(|error| of_ledger(&error))?,
            wait_max: self.address_wait,
        })
    }
}

fn check_paths(paths: &[(&'static str, &PathBuf)]) -> Result<(), SettingsError> {
    for (index, (setting, path)) in paths.iter().enumerate() {
        if !path.is_absolute() {
            let given = path.display().to_string();
            return Err(SettingsError::invalid(setting, &given, "a path that starts with /"));
        }
        if let Some((other, _)) = paths[..index].iter().find(|(_, earlier)| earlier == path) {
            return Err(SettingsError::Contradiction {
                left: format!("--{other} {}", path.display()),
                right: format!("--{setting} {}", path.display()),
                because: "each needs a place of its own",
            });
        }
    }
    Ok(())
}

fn of_ledger(error: &InvalidLedgerSettings) -> SettingsError {
    let given = format!("{:?}", error.value);
    if error.setting == "claim-within" {
        SettingsError::invalid("claim-within", &given, "1s to 1h")
    } else {
        SettingsError::invalid("address-cool-down", &given, "0s to 1h")
    }
}

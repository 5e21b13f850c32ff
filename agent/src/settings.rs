//! The command line, read and checked: holding [`Settings`] is proof that they make sense together.
//!
//! Every flag is an environment variable too, `BERTH_` and its name in capitals, and may be a file in `--config-dir`, as a
//! mounted `ConfigMap` has them. The command line wins over the environment, and that over the files.

mod host;
mod node;
mod plugins;
mod serving;
mod tuning;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;

use berth_shell::connect::{ConnectArguments, ConnectSettings};
use berth_shell::logs::{LogArguments, LogSettings};
use berth_shell::settings::CommandLineError;
use clap::{CommandFactory, FromArgMatches};

pub use host::HostSettings;
pub use node::NodeSettings;
pub use plugins::PluginSettings;
pub use serving::ServeSettings;
pub use tuning::TuningSettings;

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which node this is, and how it speaks through its `CiliumNode`.
    pub node: NodeSettings,
    /// What it asks of the operator.
    pub tuning: TuningSettings,
    /// How plugins are served.
    pub plugins: PluginSettings,
    /// What is done to the host's network.
    pub host: HostSettings,
    /// The way to the API server.
    pub kubernetes: ConnectSettings,
    /// What is served to people and monitoring.
    pub serve: ServeSettings,
    /// What is logged.
    pub logs: LogSettings,
}

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    /// Be the agent.
    Run(Box<Settings>),
    /// Say how the agent of this node is.
    Status(StatusSettings),
}

/// Settings of `status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSettings {
    /// Where the agent listens.
    pub socket_path: PathBuf,
    /// What is printed.
    pub output: Output,
    /// Whether every address is listed.
    pub all: bool,
}

/// How `status` prints what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The command line, the environment or the folder cannot be read, or help is asked for.
    #[error(transparent)]
    CommandLine(#[from] CommandLineError),
    /// A value that a flag does not take.
    #[error("--{setting} {value:?}: expected {expected}")]
    Invalid {
        /// The flag.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// Two settings that exclude each other.
    #[error("{left} and {right} contradict each other: {because}")]
    Contradiction {
        /// One flag and its value.
        left: String,
        /// The other.
        right: String,
        /// Why.
        because: &'static str,
    },
    /// Nothing says which node this is.
    #[error(
        "--node-name is missing, and the host name {host:?} is no name of a node: set it, or K8S_NODE_NAME from spec.nodeName of the pod"
    )]
    NoNodeName {
        /// The host name.
        host: String,
    },
}

impl SettingsError {
    fn invalid(setting: &'static str, value: &str, expected: &'static str) -> Self {
        Self::Invalid { setting, value: value.to_owned(), expected }
    }
}

/// Gives the pods of a node their addresses, whatever else is down
#[derive(Debug, clap::Parser)]
#[command(name = "berth-agent", version, after_help = AFTER_HELP)]
struct CommandLine {
    #[command(subcommand)]
    command: Subcommand,
}

const AFTER_HELP: &str = "\
Every flag is an environment variable too: BERTH_ and its name in capitals, with _ for -.
`berth-agent run` runs on every node, on the network of the host and as root;
`berth-agent status` says there what it has, who holds it, and what it waits for.";

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    /// Answer the CNI plugin, and agree with the operator on the addresses of this node
    Run(Box<RunArguments>),
    /// Say how the agent of this node is. Exit status 0 when pods can be served, 1 when there is no answer, 3 when there is one and they cannot yet
    Status(StatusArguments),
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// Folder with one file per flag, named like the flag. Files that are no flag of this command are left alone
    #[arg(long, env = "BERTH_CONFIG_DIR", value_name = "FOLDER")]
    config_dir: Option<PathBuf>,
    #[command(flatten)]
    node: node::NodeArguments,
    #[command(flatten)]
    tuning: tuning::TuningArguments,
    #[command(flatten)]
    plugins: plugins::PluginArguments,
    #[command(flatten)]
    host: host::HostArguments,
    #[command(flatten)]
    kubernetes: ConnectArguments,
    #[command(flatten)]
    serving: serving::ServingArguments,
    #[command(flatten)]
    logs: LogArguments,
}

#[derive(Debug, clap::Args)]
struct StatusArguments {
    /// Where the agent listens
    #[arg(long, env = "BERTH_SOCKET_PATH", default_value = berth_cni::protocol::SOCKET_DEFAULT, value_name = "FILE")]
    socket_path: PathBuf,
    /// What is printed
    #[arg(short, long, env = "BERTH_OUTPUT", default_value = "table", value_name = "FORMAT")]
    output: Output,
    /// List every used address with its owner
    #[arg(long)]
    all: bool,
}

impl Command {
    /// Reads the command line of this process, its environment, and the folder that they name.
    ///
    /// # Errors
    /// What is wrong with them; a request for help is an error too, as in [`clap`].
    pub fn from_process() -> Result<Self, SettingsError> {
        let matches = berth_shell::settings::read_process(CommandLine::command())?;
        let set_by_kubernetes = std::env::var("K8S_NODE_NAME").ok();
        Self::checked(&matches, set_by_kubernetes)
    }

    fn checked(
        matches: &clap::ArgMatches,
        node_name: Option<String>,
    ) -> Result<Self, SettingsError> {
        let line = CommandLine::from_arg_matches(matches).map_err(CommandLineError::from)?;
        match line.command {
            Subcommand::Run(arguments) => Ok(Self::Run(Box::new(arguments.check(node_name)?))),
            Subcommand::Status(StatusArguments { socket_path, output, all }) => {
                Ok(Self::Status(StatusSettings { socket_path, output, all }))
            }
        }
    }
}

impl Settings {
    /// The settings of `berth-agent run` with these arguments. The environment is not read.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn from_arguments<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, SettingsError> {
        let given = arguments.into_iter().map(OsString::from);
        let line = ["berth-agent", "run"].map(OsString::from).into_iter().chain(given).collect();
        let matches = berth_shell::settings::read_line(CommandLine::command(), line)?;
        match Command::checked(&matches, None)? {
            Command::Run(settings) => Ok(*settings),
            Command::Status(_) => Err(SettingsError::invalid("command", "status", "run")),
        }
    }
}

impl RunArguments {
    fn check(self, node_name: Option<String>) -> Result<Settings, SettingsError> {
        // The folder was read before the flags were.
        let Self { config_dir: _, node, tuning, plugins, host, kubernetes, serving, logs } = self;
        Ok(Settings {
            host: host.check(node.serves_cilium())?,
            node: node.check(node_name)?,
            tuning: tuning.check()?,
            plugins: plugins.check()?,
            kubernetes: kubernetes.check(),
            serve: serving.check(),
            logs: logs.check(),
        })
    }
}

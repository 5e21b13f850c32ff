//! The command line, read and checked: holding [`Settings`] is proof that they make sense together.
//!
//! How it is read, with the environment and files, is [`berth_shell::settings`].

mod allocation;
mod cilium;
mod ec2;
mod gc;
mod interfaces;
mod kubernetes;
mod serving;
mod values;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

use berth_shell::logs::{LogArguments, LogSettings};
use berth_shell::settings::{CommandLineError, read_line, read_process};
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use ipam_core::budget::InvalidBudget;
use ipam_core::policy::InvalidPolicy;
use ipam_core::reconcile::ReconcileSettings;

pub use ec2::Ec2Settings;
pub use gc::GcSettings;
pub use kubernetes::{KubernetesSettings, LeaseSettings};
pub use serving::ServeSettings;

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How the Kubernetes API is reached and used.
    pub kubernetes: KubernetesSettings,
    /// How EC2 is reached.
    pub ec2: Ec2Settings,
    /// How the machine behaves.
    pub machine: ReconcileSettings,
    /// What is served.
    pub serve: ServeSettings,
    /// What is logged.
    pub logs: LogSettings,
    /// What becomes of the flags that were given and do nothing, one line each.
    pub notices: Vec<String>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    /// Be the operator.
    Run(Box<Settings>),
    /// Try every call to EC2 and say which are allowed.
    Check(CheckSettings),
    /// Show or delete interfaces that are left behind.
    Gc(Box<GcSettings>),
}

/// Settings of `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSettings {
    /// How EC2 is reached.
    pub ec2: Ec2Settings,
    /// What is printed.
    pub output: Output,
    /// What is logged.
    pub logs: LogSettings,
}

/// How `check` and `gc` print what they found.
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
    /// The command line cannot be read, or asks for help.
    #[error("{0}")]
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
    /// A flag that has to be given.
    #[error("--{setting} is required: {because}")]
    Required {
        /// The flag.
        setting: &'static str,
        /// Why, and what to do.
        because: &'static str,
    },
    /// Two settings that exclude each other.
    #[error("{left} must be less than {right}: {because}")]
    Contradiction {
        /// One flag and its value.
        left: String,
        /// The other.
        right: String,
        /// What would happen.
        because: &'static str,
    },
    /// A setting of Cilium's operator that cannot be had, and whose absence would do harm.
    #[error("{setting} is not possible: {instead}")]
    NotPossible {
        /// The flag and its value.
        setting: String,
        /// What to do.
        instead: &'static str,
    },
    /// Settings about addresses that make no sense.
    #[error("{0}")]
    Policy(#[from] InvalidPolicy),
    /// Settings about the pace of calls that make no sense.
    #[error("{0}")]
    Budget(#[from] InvalidBudget),
}

impl SettingsError {
    fn invalid(setting: &'static str, value: &str, expected: &'static str) -> Self {
        Self::Invalid { setting, value: value.to_owned(), expected }
    }
}

/// Assigns addresses of EC2 network interfaces to the nodes of a Kubernetes cluster
#[derive(Debug, clap::Parser)]
#[command(name = "berth-operator", version, after_help = AFTER_HELP)]
struct CommandLine {
    #[command(subcommand)]
    command: Subcommand,
}

const AFTER_HELP: &str = "\
Every flag is an environment variable too: BERTH_ and its name in capitals, with _ for -.
Start with `berth-operator check`, which says what the credentials allow,
then `berth-operator run --mode=observe`, which says what would be done and changes nothing.";

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    /// Give every node the addresses it needs
    Run(Box<RunArguments>),
    /// Try every call to EC2 without effect, and say which are allowed. Exit status 1 when a required one is not
    Check(CheckArguments),
    /// Delete interfaces that Berth made for a cluster and that were left behind, or show them with --dry-run
    #[command(after_long_help = gc::AFTER_HELP)]
    Gc(Box<gc::GcArguments>),
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// Folder with one file per flag, named like the flag. Files that are no flag of this command are left alone
    #[arg(long, env = "BERTH_CONFIG_DIR", value_name = "FOLDER")]
    config_dir: Option<PathBuf>,
    #[command(flatten)]
    allocation: allocation::AllocationArguments,
    #[command(flatten)]
    interfaces: interfaces::InterfaceArguments,
    #[command(flatten)]
    ec2: ec2::Ec2Arguments,
    #[command(flatten)]
    budget: ec2::BudgetArguments,
    #[command(flatten)]
    kubernetes: kubernetes::KubernetesArguments,
    #[command(flatten)]
    lease: kubernetes::LeaseArguments,
    #[command(flatten)]
    serving: serving::ServingArguments,
    #[command(flatten)]
    logs: LogArguments,
    #[command(flatten)]
    cilium: cilium::CiliumArguments,
}

#[derive(Debug, clap::Args)]
struct CheckArguments {
    #[command(flatten)]
    ec2: ec2::Ec2Arguments,
    /// What is printed
    #[arg(short, long, env = "BERTH_OUTPUT", default_value = "table", value_name = "FORMAT")]
    output: Output,
    #[command(flatten)]
    logs: LogArguments,
}

impl Command {
    /// Reads the command line of this process, its environment, and the folder that they name.
    ///
    /// # Errors
    /// What is wrong with them; a request for help is an error too, as in [`clap`].
    pub fn from_process() -> Result<Self, SettingsError> {
        understand(&read_process(CommandLine::command())?)
    }
}

impl Settings {
    /// The settings of `berth-operator run` with these arguments. The environment is not read.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn from_arguments<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, SettingsError> {
        match command("run", arguments)? {
            Command::Run(settings) => Ok(*settings),
            Command::Check(_) => Err(SettingsError::invalid("command", "check", "run")),
            Command::Gc(_) => Err(SettingsError::invalid("command", "gc", "run")),
        }
    }
}

impl GcSettings {
    /// The settings of `berth-operator gc` with these arguments. The environment is not read.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn from_arguments<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, SettingsError> {
        match command("gc", arguments)? {
            Command::Gc(settings) => Ok(*settings),
            Command::Run(_) | Command::Check(_) => {
                Err(SettingsError::invalid("command", "another", "gc"))
            }
        }
    }
}

/// What `berth-operator NAME` with these arguments asks for. The environment is not read.
fn command<'a>(
    name: &str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<Command, SettingsError> {
    let given = arguments.into_iter().map(OsString::from);
    let line = ["berth-operator", name].map(OsString::from).into_iter().chain(given).collect();
    understand(&read_line(CommandLine::command(), line)?)
}

fn understand(matches: &ArgMatches) -> Result<Command, SettingsError> {
    let line = CommandLine::from_arg_matches(matches).map_err(CommandLineError::from)?;
    match line.command {
        Subcommand::Run(arguments) => Ok(Command::Run(Box::new(arguments.check()?))),
        Subcommand::Check(CheckArguments { ec2, output, logs }) => {
            Ok(Command::Check(CheckSettings { ec2: ec2.check(), output, logs: logs.check() }))
        }
        Subcommand::Gc(arguments) => Ok(Command::Gc(Box::new(arguments.check()?))),
    }
}

impl RunArguments {
    fn check(self) -> Result<Settings, SettingsError> {
        // The folder was read before the flags were.
        let Self {
            config_dir: _,
            allocation,
            interfaces,
            ec2,
            budget,
            kubernetes,
            lease,
            serving,
            logs,
            cilium,
        } = self;
        let mut machine = allocation.check(budget.check()?)?;
        interfaces.apply(&mut machine)?;
        Ok(Settings {
            notices: cilium.check()?,
            machine,
            kubernetes: kubernetes.check(lease)?,
            ec2: ec2.check(),
            serve: serving.check(),
            logs: logs.check(),
        })
    }
}

/// A number that differs from call to call and from process to process. Not a secret.
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

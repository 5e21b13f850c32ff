//! The command line, read and checked: holding [`Settings`] is proof that they make sense together.
//!
//! Every flag is an environment variable too, `BERTH_` and its name in capitals, and may be a file in `--config-dir`, as a
//! mounted `ConfigMap` has them. The command line wins over the environment, and that over the files.

mod allocation;
mod cilium;
mod config_dir;
mod ec2;
mod kubernetes;
mod serving;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches};
use ipam_core::budget::InvalidBudget;
use ipam_core::policy::InvalidPolicy;
use ipam_core::reconcile::ReconcileSettings;

pub use ec2::Ec2Settings;
pub use kubernetes::{KubernetesSettings, LeaseSettings};
pub use serving::{LogFormat, LogLevel, LogSettings, ServeSettings};
pub use values::ServeAddress;

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

/// How `check` prints what it found.
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
    CommandLine(#[from] clap::Error),
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
    /// A variable that is meant for Berth and means nothing.
    #[error(
        "{name} is no setting of berth-operator: a variable is BERTH_ and the name of a flag, with _ for -"
    )]
    UnknownVariable {
        /// The variable.
        name: String,
    },
    /// Settings about addresses that make no sense.
    #[error("{0}")]
    Policy(#[from] InvalidPolicy),
    /// Settings about the pace of calls that make no sense.
    #[error("{0}")]
    Budget(#[from] InvalidBudget),
    /// The folder of `--config-dir` cannot be read.
    #[error("--config-dir {}: {cause}", path.display())]
    ConfigDir {
        /// The folder, or a file in it.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
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
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// Folder with one file per flag, named like the flag. Files that are no flag of this command are left alone
    #[arg(long, env = "BERTH_CONFIG_DIR", value_name = "FOLDER")]
    config_dir: Option<PathBuf>,
    #[command(flatten)]
    allocation: allocation::AllocationArguments,
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
    logs: serving::LogArguments,
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
    logs: serving::LogArguments,
}

impl Command {
    /// Reads the command line of this process, its environment, and the folder that they name.
    ///
    /// # Errors
    /// What is wrong with them; a request for help is an error too, as in [`clap`].
    pub fn from_process() -> Result<Self, SettingsError> {
        read(CommandLine::command(), std::env::args_os().collect(), true)
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
        let given = arguments.into_iter().map(OsString::from);
        let line = ["berth-operator", "run"].map(OsString::from).into_iter().chain(given).collect();
        match read(without_environment(), line, false)? {
            Command::Run(settings) => Ok(*settings),
            Command::Check(_) => Err(SettingsError::invalid("command", "check", "run")),
        }
    }
}

fn without_environment() -> clap::Command {
    let deaf = |command: clap::Command| command.mut_args(|argument| argument.env(None));
    CommandLine::command().mut_subcommands(deaf)
}

fn read(
    command: clap::Command,
    line: Vec<OsString>,
    environment: bool,
) -> Result<Command, SettingsError> {
    let line = config_dir::with_files(&command, line, environment)?;
    let known = variables_of(&command);
    let matches = command.try_get_matches_from(line)?;
    if environment {
        refuse_unknown(
            &known,
            std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()),
        )?;
    }
    match CommandLine::from_arg_matches(&matches)?.command {
        Subcommand::Run(arguments) => Ok(Command::Run(Box::new(arguments.check()?))),
        Subcommand::Check(CheckArguments { ec2, output, logs }) => {
            Ok(Command::Check(CheckSettings { ec2: ec2.check(), output, logs: logs.check() }))
        }
    }
}

/// The variables of all commands: one environment is often that of several.
fn variables_of(command: &clap::Command) -> BTreeSet<String> {
    let arguments = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let names = arguments.filter_map(clap::Arg::get_env);
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// A misspelt variable would otherwise be a setting that is silently not made.
fn refuse_unknown(
    known: &BTreeSet<String>,
    given: impl IntoIterator<Item = String>,
) -> Result<(), SettingsError> {
    let is_unknown =
        |name: &String| name.starts_with("BERTH_") && !known.contains(name) && !is_of_service(name);
    given
        .into_iter()
        .filter(is_unknown)
        .min()
        .map_or(Ok(()), |name| Err(SettingsError::UnknownVariable { name }))
}

/// Kubernetes tells pods of each Service in variables that begin with its name, such as `BERTH_OPERATOR_SERVICE_HOST`
/// (Kubernetes, discovering Services).
fn is_of_service(name: &str) -> bool {
    name.ends_with("_PORT")
        || ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"].iter().any(|part| name.contains(part))
}

impl RunArguments {
    fn check(self) -> Result<Settings, SettingsError> {
        // The folder was read before the flags were.
        let Self {
            config_dir: _,
            allocation,
            ec2,
            budget,
            kubernetes,
            lease,
            serving,
            logs,
            cilium,
        } = self;
        Ok(Settings {
            notices: cilium.check()?,
            machine: allocation.check(budget.check()?)?,
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

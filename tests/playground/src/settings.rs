//! The command line, read and checked: holding [`Settings`] is proof that they make sense together.

mod files;
mod places;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use berth_shell::logs::LogLevel;
use clap::{Parser, ValueEnum};
use ec2_sim::latency::Profile;

use crate::plan::{Plan, What};
use crate::plugin::FindError;
use crate::report::ReportError;
use crate::scenario::{self, Lasting, NODES_MAX, Overrides, Rate, ScenarioError, Unfit};

/// Everything that can be set, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is to be played.
    pub plan: Plan,
    /// Whether pods ask the agents in this process, without the plugin's.
    pub in_process: bool,
    /// Whether everything is left running behind the summary.
    pub keep: bool,
    /// The kubeconfig of a real API server; a simulated one is started without it.
    pub kubeconfig: Option<PathBuf>,
    /// Where the report is written; in the run's own folder if it is not said.
    pub report: Option<PathBuf>,
    /// How the summary is printed.
    pub output: Output,
    /// Whether a line a second is shown in a terminal too.
    pub lines: bool,
    /// The plugin's program; it is looked for if it is not said.
    pub plugin: Option<PathBuf>,
    /// Where the parts' logs are written; in the run's own folder if it is not said.
    pub log_file: Option<PathBuf>,
    /// The least important lines of these logs.
    pub log_level: LogLevel,
    /// What becomes of what was asked for and does nothing, one line each.
    pub notices: Vec<String>,
}

/// How the summary is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The command line makes no sense, or asks for help.
    #[error("{0}")]
    CommandLine(#[from] clap::Error),
    /// The list of scenarios was asked for: it is this.
    #[error("{0}")]
    Scenarios(String),
    /// A scenario that is neither a file nor one of the playground's own.
    #[error(
        "--scenario {name}: expected a file, or one of {}{hint}; --list-scenarios says what they show",
        known.join(", ")
    )]
    NoScenario {
        /// What was given.
        name: String,
        /// All names.
        known: Vec<&'static str>,
        /// What may have been meant.
        hint: String,
    },
    /// A file that cannot be read, or one for logs that cannot be written.
    #[error("{flag} {}: {cause}", path.display())]
    Unreadable {
        /// The flag that names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A place where there can be no report.
    #[error("--report: {0}")]
    Report(#[from] ReportError),
    /// A plugin that is none.
    #[error(transparent)]
    Plugin(#[from] FindError),
    /// A scenario, or a file of buckets or faults, that cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// Two settings that exclude each other.
    #[error("{left} and {right} contradict each other: {because}")]
    Contradiction {
        /// One.
        left: &'static str,
        /// The other.
        right: String,
        /// Why.
        because: &'static str,
    },
}

impl SettingsError {
    /// Whether nothing is wrong: what was asked for is the text itself, such as help. The exit status is 0 then, and 2 otherwise.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        match self {
            Self::CommandLine(error) => !error.use_stderr(),
            Self::Scenarios(_) => true,
            _ => false,
        }
    }
}

/// Berth's operator and agents on this machine: a simulated EC2, a small Kubernetes API, and pods that come and go
///
/// A VPC, nodes and pods are played in real time with the real operator, the real agents and the real CNI plugin; only EC2, the API
/// server and the nodes themselves are simulated. A live view shows who has which addresses. At the end there is a summary and a report.
#[derive(Debug, Parser)]
#[command(name = "playground", version, after_help = AFTER_HELP)]
struct CommandLine {
    #[command(flatten)]
    played: PlayedArguments,
    #[command(flatten)]
    ec2: Ec2Arguments,
    #[command(flatten)]
    parts: PartArguments,
    #[command(flatten)]
    shown: ShownArguments,
}

const AFTER_HELP: &str = "\
Examples:
  cargo run --bin playground                                      five nodes, two pods a second, one minute
  cargo run --bin playground -- --list-scenarios                  what else can be played
  cargo run --bin playground -- --scenario burst                  one of them
  cargo run --bin playground -- --scenario my.yaml                your own; tests/playground/README.md says what it can hold
  cargo run --bin playground -- --nodes 20 --instance-types m5.large,c5.xlarge --prefix-delegation
  cargo run --bin playground -- --latency slow --faults flaky     the same with an EC2 that is slow and fails now and then
  cargo run --bin playground -- --keep                            goes on until ctrl-c, for kubectl and the aws CLI

Flags win over the scenario. It ends by itself, or with ctrl-c.
Exit status: 0 when every promise was kept and everything expected was so, 1 when not, 2 when the command line or the scenario is wrong.";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is played")]
struct PlayedArguments {
    /// A file, or the name of one of the scenarios that --list-scenarios lists
    #[arg(long, value_name = "FILE|NAME", default_value = "default")]
    scenario: String,
    /// List the scenarios that come along, and end
    #[arg(long)]
    list_scenarios: bool,
    /// How long pods come and go once the nodes of the start have joined, such as 90s or 5m
    #[arg(long = "for", value_name = "TIME", value_parser = lasting)]
    length: Option<Duration>,
    /// So many nodes, spread over the groups of the scenario and the instance types
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=i64::from(NODES_MAX)))]
    nodes: Option<u32>,
    /// Types of the nodes, in turn
    #[arg(long, value_name = "TYPE,TYPE", value_delimiter = ',', value_parser = instance_type)]
    instance_types: Option<Vec<String>>,
    /// Pods that come each second, on average
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true, value_parser = per_second)]
    pods_per_second: Option<f64>,
    /// How long each of them lives, on average
    #[arg(long, value_name = "TIME", value_parser = lasting)]
    pod_lifetime: Option<Duration>,
    /// Take /28 prefixes instead of single addresses
    #[arg(long)]
    prefix_delegation: bool,
    /// Seconds for which a node has addresses to spare before the operator asks for them, instead of its three minutes
    #[arg(long, value_name = "SECONDS")]
    release_delay: Option<u32>,
    /// What chance comes from, to see the same pods and faults again. A random one is chosen and shown otherwise
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "EC2")]
struct Ec2Arguments {
    /// How long calls to EC2 take
    #[arg(long, value_name = "HOW")]
    latency: Option<LatencyName>,
    /// How often EC2 may be called: `aws` as AWS publishes it, `unlimited`, or a file with `multiplier` and `overrides`
    #[arg(long, value_name = "aws|unlimited|FILE")]
    buckets: Option<String>,
    /// What fails: a file with a list of rules as ec2-sim takes them, `flaky` for errors, slow and lost answers now and then, or `none`
    #[arg(long, value_name = "FILE|flaky|none")]
    faults: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Parts")]
struct PartArguments {
    /// Leave everything running behind the summary until ctrl-c, and say how to reach it with kubectl and the aws CLI
    #[arg(long)]
    keep: bool,
    /// Use a real API server instead of the simulated one
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Let pods ask the agents in this process, without a process of the plugin for each: for scale
    #[arg(long)]
    in_process: bool,
    /// The plugin's program, berth-cni; it is looked for beside this one otherwise
    #[arg(long, value_name = "FILE")]
    cni_plugin: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is shown")]
struct ShownArguments {
    /// Show a line a second instead of the live view, as without a terminal
    #[arg(long)]
    lines: bool,
    /// How the summary is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Output,
    /// Where the HTML report is written, instead of a folder for temporary files
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Where the operator's and the agents' logs are written, instead of a folder for temporary files
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// The least important lines of these logs
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: LogLevel,
}

/// Names of [`Profile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LatencyName {
    /// No time at all
    Zero,
    /// As seen in the wild
    Typical,
    /// Four times as long
    Slow,
}

impl From<LatencyName> for Profile {
    fn from(name: LatencyName) -> Self {
        match name {
            LatencyName::Zero => Self::Zero,
            LatencyName::Typical => Self::Typical,
            LatencyName::Slow => Self::Slow,
        }
    }
}

impl Settings {
    /// Reads the command line of this process and the files that it names, and tries the places that it names.
    ///
    /// # Errors
    ///
    /// What is wrong with them; a request for help is an error too, as in [`clap`].
    pub fn from_process() -> Result<Self, SettingsError> {
        // Short enough to be typed again.
        let chance = fastrand::u32(..).into();
        let settings = CommandLine::try_parse_from(std::env::args_os())?.check(chance)?;
        places::check(&settings)?;
        Ok(settings)
    }

    /// The settings of `playground` with these arguments; `chance` is the seed where nothing says another. Places are not tried.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn from_arguments<'a>(
        arguments: impl IntoIterator<Item = &'a str>,
        chance: u64,
    ) -> Result<Self, SettingsError> {
        let line = ["playground"].into_iter().chain(arguments).map(OsString::from);
        CommandLine::try_parse_from(line)?.check(chance)
    }
}

impl CommandLine {
    fn check(self, chance: u64) -> Result<Settings, SettingsError> {
        let Self { played, ec2, parts, shown } = self;
        if played.list_scenarios {
            return Err(SettingsError::Scenarios(files::listing()?));
        }
        check_types(&played)?;
        let scenario = files::scenario(&played.scenario)?;
        let overrides = overrides(played, &ec2, chance)?;
        let plan = scenario.plan(&overrides)?;
        check_parts(&parts, &plan)?;
        let ShownArguments { lines, output, report, log_file, log_level } = shown;
        let PartArguments { keep, kubeconfig, in_process, cni_plugin } = parts;
        let mut notices = scenario::notices(&plan.operator);
        if scenario.expects_something() && overrides.change_what_is_played() {
            notices.push(NOT_EXPECTED.to_owned());
        }
        Ok(Settings {
            plan,
            in_process,
            keep,
            kubeconfig,
            report,
            output,
            lines,
            plugin: cni_plugin,
            log_file,
            log_level,
            notices,
        })
    }
}

fn overrides(
    played: PlayedArguments,
    ec2: &Ec2Arguments,
    chance: u64,
) -> Result<Overrides, SettingsError> {
    Ok(Overrides {
        length: played.length,
        nodes: played.nodes,
        instance_types: played.instance_types,
        pods_per_second: played.pods_per_second,
        pod_lifetime: played.pod_lifetime,
        prefix_delegation: played.prefix_delegation,
        release_delay: played.release_delay,
        latency: ec2.latency.map(Profile::from),
        buckets: ec2.buckets.as_deref().map(files::buckets).transpose()?,
        faults: ec2.faults.as_deref().map(files::faults).transpose()?,
        seed: played.seed,
        chance,
    })
}

const NOT_EXPECTED: &str = "what the scenario expects is not checked: flags change what is played";

/// What a scenario has is checked with the scenario.
fn check_types(played: &PlayedArguments) -> Result<(), SettingsError> {
    let is_unfit = |name: &&String| {
        scenario::instance_type(name).is_ok_and(|limits| !limits.supports_prefixes())
    };
    let unfit = played.instance_types.iter().flatten().find(is_unfit);
    match unfit.filter(|_| played.prefix_delegation) {
        None => Ok(()),
        Some(name) => Err(SettingsError::Contradiction {
            left: "--prefix-delegation",
            right: format!("--instance-types {name}"),
            because: "only types that are built on Nitro take prefixes, such as m5.large",
        }),
    }
}

fn check_parts(parts: &PartArguments, plan: &Plan) -> Result<(), SettingsError> {
    let has_outage = plan.timeline.iter().any(|it| matches!(it.what, What::ApiOutage { .. }));
    if parts.kubeconfig.is_some() && has_outage {
        return Err(SettingsError::Contradiction {
            left: "--kubeconfig",
            right: "api_outage in the timeline".to_owned(),
            because: "a real API server is not taken away from others",
        });
    }
    if parts.in_process && parts.cni_plugin.is_some() {
        return Err(SettingsError::Contradiction {
            left: "--in-process",
            right: "--cni-plugin".to_owned(),
            because: "no process of a plugin is started",
        });
    }
    Ok(())
}

fn lasting(text: &str) -> Result<Duration, Unfit> {
    text.parse().map(|Lasting(length)| length)
}

fn per_second(text: &str) -> Result<f64, Unfit> {
    text.parse().map(|Rate(rate)| rate)
}

fn instance_type(text: &str) -> Result<String, String> {
    scenario::instance_type(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

//! Logs, on standard error: text for people or JSON for machines.

use std::io;

use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// Flags about logs, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArguments {
    /// Lines for people, or one JSON object per line
    #[arg(long, env = "BERTH_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    log_format: LogFormat,
    /// The least important lines that are written. `debug` has one for every decision
    #[arg(long, env = "BERTH_LOG_LEVEL", default_value = "info", value_name = "LEVEL")]
    log_level: LogLevel,
    /// The same as --log-level=debug
    #[arg(long, env = "BERTH_DEBUG", default_value = "false", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    debug: bool,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// How a line looks.
    pub format: LogFormat,
    /// The least important lines that are written.
    pub level: LogLevel,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// How important a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Something failed that has to work.
    Error,
    /// Somebody may have to do something.
    Warn,
    /// What changed.
    Info,
    /// Every decision.
    Debug,
    /// Everything, that of libraries included.
    Trace,
}

impl LogArguments {
    /// Nothing of it can contradict anything.
    #[must_use]
    pub fn check(self) -> LogSettings {
        let Self { log_format: format, log_level, debug } = self;
        let level = if debug && log_level != LogLevel::Trace { LogLevel::Debug } else { log_level };
        LogSettings { format, level }
    }
}

/// Writes what is logged from now on. To be called once, by the process; nothing else here depends on it.
///
/// `target` is the program's library, such as `berth_operator`.
pub fn start(settings: LogSettings, target: &str) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(settings.level, &[target]))
        .with_writer(io::stderr)
        .with_target(settings.level == LogLevel::Trace);
    let started = match settings.format {
        LogFormat::Text => builder.with_ansi(false).finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    if started.is_err() {
        tracing::debug!("somebody else writes the logs already");
    }
}

/// What is logged at a level by these libraries of Berth's, and by those that they use.
///
/// Libraries say less than Berth: what they do shows in what Berth says. The search for a Region and credentials
/// warns of every place that has none, and what comes of it is said once. The client of Kubernetes calls each request
/// that fails an error, without saying which; whoever sent it says what that means, and once.
#[must_use]
pub fn filter(level: LogLevel, targets: &[&str]) -> EnvFilter {
    const LIBRARIES: &str = "warn,aws_config=error,kube_client=off";
    let own = |level: &str| {
        let own = ["berth_shell"].iter().chain(targets).map(|target| format!(",{target}={level}"));
        own.fold(LIBRARIES.to_owned(), |all, one| all + &one)
    };
    EnvFilter::new(match level {
        LogLevel::Error => "error,kube_client=off".to_owned(),
        LogLevel::Warn => LIBRARIES.to_owned(),
        LogLevel::Info => own("info"),
        LogLevel::Debug => own("debug"),
        LogLevel::Trace => "trace".to_owned(),
    })
}

//! What is served and what is logged.

use clap::ValueEnum;
use clap::builder::BoolishValueParser;

use super::values::ServeAddress;

/// Flags about HTTP, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "HTTP")]
pub(super) struct ServingArguments {
    /// Where /healthz, /readyz, /nodes and /metrics are served
    #[arg(
        long,
        env = "BERTH_OPERATOR_PROMETHEUS_SERVE_ADDR",
        default_value = ":9963",
        value_name = "ADDRESS"
    )]
    operator_prometheus_serve_addr: ServeAddress,
    /// Serve /metrics
    #[arg(long, env = "BERTH_ENABLE_METRICS", default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    enable_metrics: bool,
}

/// Flags about logs, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Logs")]
pub(super) struct LogArguments {
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

/// What is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeSettings {
    /// Where.
    pub address: ServeAddress,
    /// Whether metrics are among it.
    pub metrics: bool,
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

impl ServingArguments {
    /// Nothing of it can contradict anything.
    pub(super) fn check(self) -> ServeSettings {
        let Self { operator_prometheus_serve_addr: address, enable_metrics: metrics } = self;
        ServeSettings { address, metrics }
    }
}

impl LogArguments {
    /// Nothing of it can contradict anything.
    pub(super) fn check(self) -> LogSettings {
        let Self { log_format: format, log_level, debug } = self;
        let level = if debug && log_level != LogLevel::Trace { LogLevel::Debug } else { log_level };
        LogSettings { format, level }
    }
}

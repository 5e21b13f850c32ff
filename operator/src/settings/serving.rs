//! What is served.

use berth_shell::http::ServeAddress;
use clap::builder::BoolishValueParser;

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

/// What is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeSettings {
    /// Where.
    pub address: ServeAddress,
    /// Whether metrics are among it.
    pub metrics: bool,
}

impl ServeSettings {
    /// The flag that says where.
    pub const FLAG: &str = "--operator-prometheus-serve-addr";
}

impl ServingArguments {
    /// Nothing of it can contradict anything.
    pub(super) fn check(self) -> ServeSettings {
        let Self { operator_prometheus_serve_addr: address, enable_metrics: metrics } = self;
        ServeSettings { address, metrics }
    }
}

//! What is served to people and monitoring.

use berth_shell::http::ServeAddress;
use clap::builder::BoolishValueParser;

/// Flags about HTTP, as given.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "HTTP")]
pub(super) struct ServingArguments {
    /// Where /healthz, /readyz and /metrics are served. A Cilium agent on the same node has 9962 itself
    #[arg(
        long,
        env = "BERTH_SERVE_ADDRESS",
        default_value = "127.0.0.1:9972",
        value_name = "ADDRESS"
    )]
    serve_address: ServeAddress,
    /// Serve /metrics
    #[arg(long, env = "BERTH_ENABLE_METRICS", default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    enable_metrics: bool,
}

/// What is served to people and monitoring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeSettings {
    /// Where.
    pub address: ServeAddress,
    /// Whether metrics are among it.
    pub metrics: bool,
}

impl ServingArguments {
    /// Nothing of it can contradict anything.
    pub(super) fn check(self) -> ServeSettings {
        let Self { serve_address: address, enable_metrics: metrics } = self;
        ServeSettings { address, metrics }
    }
}

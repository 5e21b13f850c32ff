//! Logs, on standard error: text for people or JSON for machines.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::{LogFormat, LogLevel, LogSettings};

/// Writes what is logged from now on. To be called once, by the process; nothing else here depends on it.
pub fn start(settings: LogSettings) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter(settings.level)))
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

/// Libraries say less than Berth: what they do shows in what Berth says. The search for a Region and credentials
/// warns of every place that has none, and what comes of it is said once. The client of Kubernetes calls each request
/// that fails an error, without saying which; whoever sent it says what that means, and once.
const fn filter(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error,kube_client=off",
        LogLevel::Warn => "warn,aws_config=error,kube_client=off",
        LogLevel::Info => "warn,aws_config=error,kube_client=off,berth_operator=info",
        LogLevel::Debug => "warn,aws_config=error,kube_client=off,berth_operator=debug",
        LogLevel::Trace => "trace",
    }
}

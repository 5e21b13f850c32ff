//! The agent as a process: its command line, its logs and its signals.

use std::process::ExitCode;

use anyhow::Context;
use berth_agent::clock::Clock;
use berth_agent::settings::{Command, Settings, SettingsError, StatusSettings};
use berth_agent::{shell, status};
use berth_shell::connect::connect;
use berth_shell::logs;
use berth_shell::settings::CommandLineError;
use berth_shell::signals::Stop;
use http::HeaderValue;
use kube::Client;
use tokio::runtime::Builder;
use tracing::error;

/// Exit status for a command line that makes no sense; 1 is for everything else that fails.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let command = match Command::from_process() {
        Ok(command) => command,
        Err(error) => return say_usage(error),
    };
    let ended = match command {
        Command::Run(settings) => carry_out(run(*settings)).map(|()| ExitCode::SUCCESS),
        Command::Status(settings) => carry_out(say_status(settings)),
    };
    ended.unwrap_or_else(|error| {
        error!("{error:#}");
        ExitCode::FAILURE
    })
}

/// On one thread beside that of the ledger: answers are short and rare, and each further thread that allocates takes a megabyte or more
/// on every node of a cluster.
fn carry_out<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    // The look-up of a host name cannot be broken off, and may take longer than there is time for.
    runtime.shutdown_background();
    result
}

#[expect(
    clippy::print_stderr,
    reason = "the command line decides how logs look, and it cannot be read"
)]
fn say_usage(error: SettingsError) -> ExitCode {
    match error {
        SettingsError::CommandLine(CommandLineError::Clap(error)) => error.exit(),
        error => {
            eprintln!("error: {error}\n\nFor more information, try 'berth-agent run --help'.");
            ExitCode::from(USAGE)
        }
    }
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    logs::start(settings.logs, "berth_agent");
    let stop = Stop::on_signals()?;
    let client = reach_kubernetes(&settings).await?;
    Ok(shell::run(settings, Clock::boot(), client, stop).await?)
}

/// Nothing is asked of the API server yet: it may be away.
async fn reach_kubernetes(settings: &Settings) -> anyhow::Result<Client> {
    let agent = HeaderValue::from_static(concat!("berth-agent/", env!("CARGO_PKG_VERSION")));
    let connected =
        async { connect(&settings.kubernetes.clone().with_environment()?, agent).await };
    connected.await.context(
        "the Kubernetes API cannot be reached; --kubeconfig and --k8s-api-server say where it is",
    )
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the status is what the command is for"
)]
async fn say_status(settings: StatusSettings) -> anyhow::Result<ExitCode> {
    let outcome = status::ask(&settings).await;
    print!("{}", outcome.text);
    if let Some(complaint) = outcome.complaint {
        eprintln!("error: {complaint}");
    }
    Ok(ExitCode::from(outcome.exit_status))
}

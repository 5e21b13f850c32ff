//! The operator as a process: its command line, its logs, its port and its signals.

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use berth_operator::aws::{Aws, AwsSettings, Observer};
use berth_operator::board::Board;
use berth_operator::check::check;
use berth_operator::kubernetes::connect::{ConnectSettings, connect};
use berth_operator::settings::{
    CheckSettings, Command, Ec2Settings, Output, Settings, SettingsError,
};
use berth_operator::{http, logs, shell};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{error, info};

/// Exit status for a command line that makes no sense; 1 is for everything else that fails.
const USAGE: u8 = 2;
/// How long open HTTP connections are waited for at the end.
const HTTP_GRACE: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> ExitCode {
    let command = match Command::from_process() {
        Ok(command) => command,
        Err(error) => return say_usage(error),
    };
    let result = match command {
        Command::Run(settings) => run(*settings).await.map(|()| true),
        Command::Check(settings) => try_calls(settings).await,
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the command line decides how logs look, and it cannot be read"
)]
fn say_usage(error: SettingsError) -> ExitCode {
    match error {
        SettingsError::CommandLine(error) => error.exit(),
        error => {
            eprintln!("error: {error}\n\nFor more information, try 'berth-operator run --help'.");
            ExitCode::from(USAGE)
        }
    }
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    logs::start(settings.logs);
    let board = Board::new();
    let epoch = Timestamp::now();
    let listener = http::bind(&settings.serve.address).await?;
    info!(version = env!("CARGO_PKG_VERSION"), address = %listener.local_addr()?, "listening");
    let (stop, stopped) = watch::channel(false);
    let stopped_by = |mut stopped: watch::Receiver<bool>| async move {
        // The sender is there until the process ends.
        let _ended = stopped.wait_for(|stopped| *stopped).await;
    };
    let served = tokio::spawn(http::serve(
        listener,
        Arc::clone(&board),
        settings.serve.metrics,
        stopped_by(stopped.clone()),
    ));
    tokio::spawn(on_signal(stop.clone()));
    let result = operate(settings, epoch, board, stopped_by(stopped)).await;
    stop.send_replace(true);
    if timeout(HTTP_GRACE, served).await.is_err() {
        info!("HTTP connections are still open: they are cut off");
    }
    result
}

async fn operate(
    settings: Settings,
    epoch: Timestamp,
    board: Arc<Board>,
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let mut shutdown = pin!(shutdown);
    let connected = async {
        let aws = Aws::connect(&aws_settings(&settings.ec2, epoch, board.observer())).await?;
        let client = connect(&connect_settings(&settings)).await?;
        anyhow::Ok((aws, client))
    };
    let (aws, client) = tokio::select! {
        () = &mut shutdown => return Ok(()),
        connected = connected => connected?,
    };
    Ok(shell::run(settings, aws, client, board, shutdown).await?)
}

async fn on_signal(stop: watch::Sender<bool>) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => info!("SIGTERM: stopping"),
        _ = interrupt.recv() => info!("SIGINT: stopping"),
    }
    stop.send_replace(true);
    Ok(())
}

fn aws_settings(settings: &Ec2Settings, epoch: Timestamp, observer: Observer) -> AwsSettings {
    let Ec2Settings { region, profile, use_imds, endpoint, max_results, calls_in_flight: _ } =
        settings;
    AwsSettings {
        endpoint: endpoint.clone(),
        region: region.clone(),
        profile: profile.clone(),
        max_results: *max_results,
        use_imds: *use_imds,
        observer,
        ..AwsSettings::new(epoch)
    }
}

fn connect_settings(settings: &Settings) -> ConnectSettings {
    // Cilium's chart hands these through where there is no kube-proxy yet.
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    ConnectSettings {
        kubeconfig: settings.kubernetes.kubeconfig.clone(),
        context: None,
        api_server: settings.kubernetes.api_server.clone(),
        service_host: variable("k8sServiceHost"),
        service_port: variable("k8sServicePort").and_then(|port| port.parse().ok()),
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the command is for")]
async fn try_calls(settings: CheckSettings) -> anyhow::Result<bool> {
    logs::start(settings.logs);
    let aws =
        Aws::connect(&aws_settings(&settings.ec2, Timestamp::now(), Observer::none())).await?;
    let checked = check(&aws).await;
    match settings.output {
        Output::Table => print!("{}", checked.table()),
        Output::Json => println!("{}", serde_json::to_string_pretty(&checked)?),
    }
    Ok(checked.is_enough())
}

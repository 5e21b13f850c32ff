//! The operator as a process: its command line, its logs, its port and its signals.

use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use berth_operator::aws::{Aws, AwsSettings, Observer};
use berth_operator::board::Board;
use berth_operator::check::check;
use berth_operator::kubernetes::connect::{ConnectSettings, connect};
use berth_operator::settings::{
    CheckSettings, Command, Ec2Settings, Output, Settings, SettingsError,
};
use berth_operator::{http, logs, shell};
use jiff::Timestamp;
use kube::Client;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{error, info};

/// Exit status for a command line that makes no sense; 1 is for everything else that fails.
const USAGE: u8 = 2;
/// How long open HTTP connections are waited for at the end.
const HTTP_GRACE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let command = match Command::from_process() {
        Ok(command) => command,
        Err(error) => return say_usage(error),
    };
    match carry_out(command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Answers whether all is well.
fn carry_out(command: Command) -> anyhow::Result<bool> {
    let runtime = Runtime::new()?;
    let result = match command {
        Command::Run(settings) => runtime.block_on(run(*settings)).map(|()| true),
        Command::Check(settings) => runtime.block_on(try_calls(settings)),
    };
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
        SettingsError::CommandLine(error) => error.exit(),
        error => {
            eprintln!("error: {error}\n\nFor more information, try 'berth-operator run --help'.");
            ExitCode::from(USAGE)
        }
    }
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    logs::start(settings.logs);
    let terminate = signal(SignalKind::terminate())?;
    let interrupt = signal(SignalKind::interrupt())?;
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
    tokio::spawn(on_signal(stop.clone(), terminate, interrupt));
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
        let aws = reach_ec2(&aws_settings(&settings.ec2, epoch, board.observer())).await?;
        let client = reach_kubernetes(&connect_settings(&settings)?).await?;
        anyhow::Ok((aws, client))
    };
    let (aws, client) = tokio::select! {
        () = &mut shutdown => return Ok(()),
        connected = connected => connected?,
    };
    Ok(shell::run(settings, aws, client, board, shutdown).await?)
}

async fn on_signal(stop: watch::Sender<bool>, mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => info!("SIGTERM: stopping"),
        _ = interrupt.recv() => info!("SIGINT: stopping"),
    }
    stop.send_replace(true);
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

async fn reach_ec2(settings: &AwsSettings) -> anyhow::Result<Aws> {
    let connected = Aws::connect(settings).await;
    connected.context(
        "EC2 cannot be reached; --region, --profile and --ec2-api-endpoint say where it is",
    )
}

async fn reach_kubernetes(settings: &ConnectSettings) -> anyhow::Result<Client> {
    let connected = connect(settings).await;
    connected.context(
        "the Kubernetes API cannot be reached; --kubeconfig and --k8s-api-server say where it is",
    )
}

fn connect_settings(settings: &Settings) -> anyhow::Result<ConnectSettings> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let kubeconfig = settings.kubernetes.kubeconfig.clone();
    // Cilium's chart hands the host and the port through where there is no kube-proxy yet.
    let port = variable("k8sServicePort").map(|port| {
        port.parse()
            .with_context(|| format!("k8sServicePort {port:?}: expected the number of a port"))
    });
    Ok(ConnectSettings {
        kubeconfig: kubeconfig.or_else(|| variable("KUBECONFIG").map(PathBuf::from)),
        context: None,
        api_server: settings.kubernetes.api_server.clone(),
        service_host: variable("k8sServiceHost"),
        service_port: port.transpose()?,
    })
}

#[expect(clippy::print_stdout, reason = "the table is what the command is for")]
async fn try_calls(settings: CheckSettings) -> anyhow::Result<bool> {
    logs::start(settings.logs);
    let aws = reach_ec2(&aws_settings(&settings.ec2, Timestamp::now(), Observer::none())).await?;
    let checked = check(&aws).await;
    match settings.output {
        Output::Table => print!("{}", checked.table()),
        Output::Json => println!("{}", serde_json::to_string_pretty(&checked)?),
    }
    Ok(checked.is_enough())
}

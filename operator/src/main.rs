//! The operator as a process: its command line, its logs, its port and its signals.

use std::io::{ErrorKind, Write, stderr, stdout};
use std::num::NonZero;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context;
use berth_operator::aws::{Aws, AwsSettings, Observer};
use berth_operator::board::Board;
use berth_operator::check::check;
use berth_operator::gc;
use berth_operator::settings::{
    CheckSettings, Command, Ec2Settings, GcSettings, Output, ServeSettings, Settings, SettingsError,
};
use berth_operator::{http::router, shell};
use berth_shell::connect::{ConnectSettings, connect};
use berth_shell::http::{Bounds, bind, serve};
use berth_shell::logs;
use berth_shell::settings::CommandLineError;
use berth_shell::signals::Stop;
use http::HeaderValue;
use jiff::Timestamp;
use kube::Client;
use serde::Serialize;
use tokio::runtime::Builder;
use tokio::time::timeout;
use tracing::{error, info};

/// Exit status for a command line that makes no sense; 1 is for everything else that fails.
const USAGE: u8 = 2;
/// Decisions are made on one thread, and answers of EC2 and Kubernetes read on the others: more of them only take memory, on a machine
/// with many cores.
const MOST_THREADS: usize = 4;
/// How the operator calls itself to the API server.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("berth-operator/", env!("CARGO_PKG_VERSION")));
/// What the operator's own lines are logged under.
const LOG_TARGET: &str = "berth_operator";
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
    let threads = available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS);
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let result = match command {
        Command::Run(settings) => runtime.block_on(run(*settings)).map(|()| true),
        Command::Check(settings) => runtime.block_on(try_calls(settings)),
        Command::Gc(settings) => runtime.block_on(collect(*settings)),
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
        SettingsError::CommandLine(CommandLineError::Clap(error)) => error.exit(),
        error => {
            eprintln!("error: {error}\n\nFor more information, try '--help'.");
            ExitCode::from(USAGE)
        }
    }
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    logs::start(settings.logs, LOG_TARGET);
    let stop = Stop::on_signals()?;
    let board = Board::new();
    let epoch = Timestamp::now();
    let listener = bind(&settings.serve.address, ServeSettings::FLAG).await?;
    info!(version = env!("CARGO_PKG_VERSION"), address = %listener.local_addr()?, "listening");
    let router = router(Arc::clone(&board), settings.serve.metrics);
    let served = tokio::spawn(serve(listener, router, Bounds::default(), stop.asked()));
    let result = operate(settings, epoch, board, stop.asked()).await;
    stop.ask();
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
        let client = reach_kubernetes(settings.kubernetes.connect.clone()).await?;
        anyhow::Ok((aws, client))
    };
    let (aws, client) = tokio::select! {
        () = &mut shutdown => return Ok(()),
        connected = connected => connected?,
    };
    Ok(shell::run(settings, aws, client, board, shutdown).await?)
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

async fn reach_kubernetes(settings: ConnectSettings) -> anyhow::Result<Client> {
    let connected = connect(&settings.with_environment()?, USER_AGENT).await;
    connected.context(
        "the Kubernetes API cannot be reached; --kubeconfig and --k8s-api-server say where it is",
    )
}

async fn try_calls(settings: CheckSettings) -> anyhow::Result<bool> {
    logs::start(settings.logs, LOG_TARGET);
    let aws = reach_ec2(&aws_settings(&settings.ec2, Timestamp::now(), Observer::none())).await?;
    let checked = check(&aws).await;
    show(settings.output, &checked, || checked.table())?;
    Ok(checked.is_enough())
}

async fn collect(settings: GcSettings) -> anyhow::Result<bool> {
    logs::start(settings.logs, LOG_TARGET);
    let aws = reach_ec2(&aws_settings(&settings.ec2, Timestamp::now(), Observer::none())).await?;
    // How it goes is not part of what is found, and nobody has to read it.
    let tell = |line: &str| writeln!(stderr(), "{line}").unwrap_or_default();
    let report = gc::collect(&aws, &settings.order, tell).await?;
    show(settings.output, &report, || report.table())?;
    Ok(report.is_done())
}

/// Prints what was found. Whoever has read enough of it may go.
fn show(
    output: Output,
    found: &impl Serialize,
    table: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    let text = match output {
        Output::Table => table(),
        Output::Json => serde_json::to_string_pretty(found)? + "\n",
    };
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("what was found cannot be printed")
        }
        _ => Ok(()),
    }
}

//! The stand-alone simulator: see `--help`.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use ec2_sim::assumption::Assumptions;
use ec2_sim::face::http::Server;
use ec2_sim::face::imds::ImdsServer;
use ec2_sim::face::shared::{Line, Shared};
use ec2_sim::id::InstanceId;
use ec2_sim::spec::Spec;
use ec2_sim::{Ec2, Settings, latency, staleness};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

/// The exit status for a command line or a world file that is wrong.
const WRONG_INPUT: u8 = 2;

const EXAMPLE: &str = "\
Example:
  ec2-sim --listen 127.0.0.1:4566 --world tests/ec2-sim/examples/two-subnets.yaml &
  export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=eu-west-1
  aws --endpoint-url http://127.0.0.1:4566 ec2 describe-subnets
  curl http://127.0.0.1:4566/_sim          # what can be built, disturbed and looked at
  curl http://127.0.0.1:4566/_sim/journal?format=text

A world file is YAML or JSON; README.md beside the example shows all it can say. The metadata service of
each instance is at http://127.0.0.1:4566/_imds/INSTANCE/latest/, or with --imds-listen at a port of its own.";

/// EC2 in memory: the Query API, instance metadata and a control API on one port.
#[derive(Debug, Parser)]
#[command(name = "ec2-sim", version, after_help = EXAMPLE)]
struct Arguments {
    /// Where to listen; with port 0 the kernel picks one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What the Region is like; an empty one if not given.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Gives each instance of the world file a metadata port of its own at this address.
    #[arg(long, value_name = "ADDRESS")]
    imds_listen: Option<IpAddr>,
    /// Serves at this address to each instance its own metadata: whose an address is decides who asks, as in EC2.
    #[arg(long, value_name = "ADDRESS:PORT")]
    imds_by_address: Option<SocketAddr>,
    /// How slow everything is, instead of what the world file says.
    #[arg(long)]
    latency: Option<Latency>,
    /// How far reads lag behind, instead of what the world file says.
    #[arg(long)]
    staleness: Option<Staleness>,
    /// `unlimited`, or how many times larger the token buckets are than AWS's defaults, instead of what the world file says.
    #[arg(long, value_parser = buckets)]
    buckets: Option<Buckets>,
    /// Where all chance comes from, instead of what the world file says.
    #[arg(long)]
    seed: Option<u64>,
    /// How many simulated seconds pass in each real one.
    #[arg(long, default_value_t = 1.0, value_parser = time_scale)]
    time_scale: f64,
    /// Ends by itself after so many seconds, for scripts that may fail before they end it.
    #[arg(long = "for", value_name = "SECONDS")]
    lifetime: Option<u64>,
    /// Writes a line to standard error for each call: time, access key, action, how it ended, how long that takes.
    #[arg(long, short)]
    verbose: bool,
    /// Prints what is assumed about EC2, and ends.
    #[arg(long)]
    print_assumptions: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Latency {
    Zero,
    Typical,
    Slow,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Staleness {
    Strong,
    Typical,
    Adversarial,
}

#[derive(Debug, Clone, Copy)]
enum Buckets {
    Unlimited,
    Times(f64),
}

fn positive(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0)
}

fn buckets(text: &str) -> Result<Buckets, String> {
    if text == "unlimited" {
        return Ok(Buckets::Unlimited);
    }
    positive(text)
        .map(Buckets::Times)
        .ok_or_else(|| "expected unlimited or a number above 0".to_owned())
}

fn time_scale(text: &str) -> Result<f64, String> {
    positive(text).ok_or_else(|| "expected a number above 0".to_owned())
}

impl Arguments {
    /// Puts what the command line says over what the world file says.
    fn apply(&self, settings: &mut Settings) {
        if let Some(latency) = self.latency {
            settings.latency = latency::Settings::of(match latency {
                Latency::Zero => latency::Profile::Zero,
                Latency::Typical => latency::Profile::Typical,
                Latency::Slow => latency::Profile::Slow,
            });
        }
        if let Some(staleness) = self.staleness {
            settings.staleness = match staleness {
                Staleness::Strong => staleness::Mode::Strong,
                Staleness::Typical => staleness::Mode::Typical,
                Staleness::Adversarial => staleness::Mode::Adversarial,
            };
        }
        match self.buckets {
            Some(Buckets::Unlimited) => settings.buckets.unlimited = true,
            Some(Buckets::Times(multiplier)) => {
                settings.buckets.unlimited = false;
                settings.buckets.multiplier = multiplier;
            }
            None => {}
        }
        settings.seed = self.seed.unwrap_or(settings.seed);
    }

    /// The Region, as the world file and the command line have it.
    fn ec2(&self) -> Result<Ec2> {
        let Some(path) = &self.world else {
            let mut settings = Settings::default();
            self.apply(&mut settings);
            return Ok(Ec2::new(settings));
        };
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
        let spec = Spec::parse(&file, &text)?;
        let mut settings = spec.settings()?;
        self.apply(&mut settings);
        let mut ec2 = Ec2::new(settings);
        spec.populate(&mut ec2)?;
        Ok(ec2)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.print_assumptions {
        return finish(write_assumptions(), ExitCode::FAILURE);
    }
    match arguments.ec2() {
        Ok(ec2) => finish(serve(&arguments, ec2), ExitCode::FAILURE),
        Err(error) => finish(Err(error), ExitCode::from(WRONG_INPUT)),
    }
}

fn finish(result: Result<()>, failed: ExitCode) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    // Nothing is left to be done when not even this can be said.
    let _ = writeln!(io::stderr(), "ec2-sim: {error:#}");
    failed
}

/// The table of what is assumed, as README.md shows it.
fn write_assumptions() -> Result<()> {
    io::stdout().write_all(Assumptions::markdown().as_bytes())?;
    Ok(())
}

fn serve(arguments: &Arguments, ec2: Ec2) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(arguments, ec2))
}

async fn run(arguments: &Arguments, ec2: Ec2) -> Result<()> {
    let instances: Vec<_> = ec2.world().truth().instances().map(|it| it.id.clone()).collect();
    let mut shared = Shared::with_time_scale(ec2, arguments.time_scale);
    if arguments.verbose {
        shared = shared.observed(write_line);
    }
    let ended = ended(arguments.lifetime)?;
    let listen = arguments.listen;
    let server = Server::start(listen, shared.clone()).await;
    let server = server.with_context(|| format!("cannot listen on {listen}"))?;
    let mut lines = vec![format!(
        "ec2-sim listens on http://{addr} (aws --endpoint-url http://{addr} ec2 describe-subnets)\n",
        addr = server.addr
    )];
    let metadata = metadata(arguments, &shared, instances, &mut lines).await?;
    io::stdout().write_all(lines.concat().as_bytes())?;
    io::stdout().flush()?;
    ended.await;
    stop(metadata, server).await
}

/// Starts the metadata services that have ports of their own, and adds to `lines` where they are.
async fn metadata(
    arguments: &Arguments,
    shared: &Shared,
    instances: Vec<InstanceId>,
    lines: &mut Vec<String>,
) -> Result<Vec<ImdsServer>> {
    let mut metadata = Vec::new();
    if let Some(address) = arguments.imds_listen {
        for instance in instances {
            let any = SocketAddr::new(address, 0);
            let started = ImdsServer::start(any, shared.clone(), instance.clone()).await;
            let started = started.with_context(|| format!("cannot listen on {address}"))?;
            lines.push(format!("metadata of {instance} at http://{}\n", started.server.addr));
            metadata.push(started);
        }
    }
    if let Some(address) = arguments.imds_by_address {
        let started = ImdsServer::by_address(address, shared.clone()).await;
        let started = started.with_context(|| format!("cannot listen on {address}"))?;
        lines.push(format!("metadata by address at http://{}\n", started.server.addr));
        metadata.push(started);
    }
    Ok(metadata)
}

/// Stops all servers at the same time, so that together they take no longer than the slowest.
async fn stop(metadata: Vec<ImdsServer>, server: Server) -> Result<()> {
    let mut stopping: JoinSet<io::Result<()>> =
        metadata.into_iter().map(ImdsServer::stop).collect();
    stopping.spawn(server.stop());
    while let Some(stopped) = stopping.join_next().await {
        stopped??;
    }
    Ok(())
}

/// A line of the access log. A log that nobody takes any more is no reason to end.
fn write_line(line: &Line) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// What comes back ends when somebody wants the program to end, or after `lifetime` seconds. From the call on, no signal is missed.
fn ended(lifetime: Option<u64>) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let over = async move {
        match lifetime {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = over => {}
        }
    })
}

//! The VPC as a program, to be run in the namespace that is its router: see `--help`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use fabric::follow::{News, follow};
use fabric::kernel::Kernel;
use fabric::{drops, internet};
use http::Uri;
use tokio::signal::unix::{SignalKind, signal};

const EXAMPLE: &str = "\
In the router's namespace, as root:
  fabric prepare
  ec2-sim --listen 192.0.2.10:4566 --imds-by-address 169.254.169.254:80 --world world.yaml &
  fabric run --ec2 http://192.0.2.10:4566 --namespaces FOLDER &      # prints `ready`
  fabric drops

FOLDER/INSTANCE is the network namespace of an instance, such as a symbolic link to /proc/PID/ns/net.";

/// A VPC that carries packets: what ec2-sim says is made true in network namespaces.
#[derive(Debug, Parser)]
#[command(name = "fabric", version, after_help = EXAMPLE)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a router of this namespace, with the addresses of EC2, its metadata service, and a host on the internet.
    Prepare,
    /// Prepares, and follows EC2 until it is told to end. What there is then stays.
    Run {
        /// Where ec2-sim answers.
        #[arg(long, value_name = "URL")]
        ec2: Uri,
        /// Where the instances' network namespaces are: files or symbolic links named by their ids.
        #[arg(long, value_name = "FOLDER")]
        namespaces: PathBuf,
    },
    /// Prints how many packets were dropped since their source is not the interface's that they came from.
    Drops,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Err(error) = act(arguments.command) else { return ExitCode::SUCCESS };
    say(&format!("{error:#}"));
    ExitCode::FAILURE
}

/// Nothing is left to be done when not even this can be said.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "fabric: {text}");
}

fn act(action: Action) -> Result<()> {
    match action {
        Action::Drops => Ok(writeln!(io::stdout(), "{}", drops::count()?)?),
        Action::Prepare => Ok(runtime()?.block_on(Kernel::prepare())?),
        Action::Run { ec2, namespaces } => runtime()?.block_on(run(ec2, namespaces)),
    }
}

/// Programs that are run, files that are read and a few connections: one thread is enough.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

async fn run(ec2: Uri, namespaces: PathBuf) -> Result<()> {
    anyhow::ensure!(
        ec2.scheme_str() == Some("http") && ec2.authority().is_some(),
        "--ec2 {ec2}: expected a URL such as http://192.0.2.10:4566"
    );
    let namespaces = namespaces
        .canonicalize()
        .with_context(|| format!("--namespaces {}: expected a folder", namespaces.display()))?;
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Kernel::prepare().await?;
    let tell = |news| match news {
        // Who started it may not listen any more.
        News::Ready => drop(writeln!(io::stdout(), "ready")),
        News::Failed(text) => say(&text),
    };
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        answered = internet::answer() => answered.context("a host on the internet cannot listen"),
        () = follow(ec2, namespaces, tell) => Ok(()),
    }
}

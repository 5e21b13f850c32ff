//! The program `kube-sim`: the simulator behind a socket, for kubectl and for anything else that speaks to
//! Kubernetes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use kube_sim::{KubeSim, Server, Settings};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

/// A small Kubernetes API in memory.
///
/// Serves pods, nodes, namespaces, events, leases and whatever a definition of custom resources (CRD) registers, over HTTP without TLS. There
/// is no scheduler, kubelet or controller behind it, and nothing is kept when it ends.
#[derive(Debug, Parser)]
#[command(name = "kube-sim", after_long_help = EXAMPLES)]
struct Arguments {
    /// Where to listen; port 0 takes any free port, and the first line of output tells which
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// A file with definitions of custom resources in YAML or JSON, to be served from the start; may be given again
    #[arg(long, value_name = "FILE")]
    crd: Vec<PathBuf>,

    /// Writes a kubeconfig for kubectl here
    #[arg(long, value_name = "FILE")]
    kubeconfig_out: Option<PathBuf>,

    /// Uids and generated names come from it
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

const EXAMPLES: &str = "\
Examples:
  kube-sim --listen 127.0.0.1:8001 --crd deploy/crds/ciliumnodes.yaml --kubeconfig-out kubeconfig
  kubectl --kubeconfig kubeconfig get ciliumnodes

Faults, counters and compaction are controlled at /_sim:
  curl 127.0.0.1:8001/_sim
  curl 127.0.0.1:8001/_sim/counters
  curl 127.0.0.1:8001/_sim/faults -d '{\"verb\": \"patch\", \"when\": {\"first\": 3}, \"effect\": \"conflict\"}'
  curl -X POST 127.0.0.1:8001/_sim/compact

A client is known by its bearer token, or by the first word of its user agent. In the kubeconfig it is `kubectl`.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let sim = KubeSim::new(Settings { seed: arguments.seed, ..Settings::default() });
    for file in &arguments.crd {
        register(&sim, file)?;
    }
    let listen = arguments.listen;
    let server = Server::start(sim, listen).await;
    let server = server.with_context(|| format!("cannot listen at {listen}"))?;
    if let Some(file) = &arguments.kubeconfig_out {
        let written = std::fs::write(file, server.kubeconfig("kubectl"));
        written.with_context(|| format!("cannot write {}", file.display()))?;
    }
    let told_to_stop = told_to_stop()?;
    say(&format!("kube-sim is listening at http://{}", server.address()));
    told_to_stop.await;
    server.stop().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the address is what callers wait for")]
fn say(line: &str) {
    println!("{line}");
}

/// Serves what a file defines. A file may hold several documents.
fn register(sim: &KubeSim, file: &Path) -> Result<()> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).with_context(|| format!("{name} is no YAML"))?;
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        let kind = document["kind"].as_str().unwrap_or("nothing");
        if kind != "CustomResourceDefinition" {
            bail!("{name} holds an object of kind {kind}, a CustomResourceDefinition is expected");
        }
        if let Err(status) = sim.register(document) {
            bail!("{name} is refused: {}", status.message());
        }
    }
    Ok(())
}

/// Until ctrl-c or SIGTERM, which are listened to from now on.
fn told_to_stop() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

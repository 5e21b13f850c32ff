//! kubectl, with the same scripts against a real API server and against `kube-sim` over HTTP.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use kube_sim::{KubeSim, Server, Settings};
use libtest_mimic::{Arguments, Failed, Trial};
use real::{Kubectl, Kubernetes, Options};

mod scripts;
mod session;

use scripts::SCRIPTS;
use session::Session;

/// The resource that the scripts use, from the suite that both servers pass.
const WIDGET_CRD: &str = include_str!("../../../kube-sim/contract/src/crds/widgets.yaml");

/// The project's own resource.
const CILIUM_NODE_CRD: &str = include_str!("../../../../deploy/crds/ciliumnodes.yaml");

fn main() -> Result<ExitCode> {
    let arguments = Arguments::from_args();
    let kubernetes = Kubernetes::start(Options { controllers: true, scheduler: false })?;
    let runtime = tokio::runtime::Runtime::new()?;
    let sim = KubeSim::new(Settings::default());
    let server = runtime.block_on(Server::start(sim, ([127, 0, 0, 1], 0).into()))?;
    let folder = tempfile::tempdir()?;
    let kubeconfig = folder.path().join("kubeconfig");
    fs::write(&kubeconfig, server.kubeconfig("kubectl"))?;
    let simulated = Kubectl::with_kubeconfig(&kubeconfig)?;
    let (mut trials, mut registered) = (Vec::new(), Vec::new());
    for (name, kubectl) in [("kubernetes", kubernetes.kubectl()), ("kube-sim", simulated)] {
        if !arguments.list {
            let new = register(&kubectl).with_context(|| format!("prepare {name}"))?;
            registered.push((kubectl.clone(), new));
        }
        trials.extend(SCRIPTS.iter().map(|script| trial(name, &kubectl, script)));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    for (kubectl, names) in registered {
        for name in names {
            kubectl.run(["delete", "crd", name]).context("clean up")?;
        }
    }
    runtime.block_on(server.stop());
    Ok(conclusion.exit_code())
}

fn trial(server: &str, kubectl: &Kubectl, script: &'static (&str, session::Script)) -> Trial {
    let kubectl = kubectl.clone();
    let (name, script) = *script;
    Trial::test(format!("{server}::{name}"), move || {
        let outcome = run(&kubectl, name, script);
        outcome.map_err(|error| Failed::from(format!("{error:#}")))
    })
}

/// Runs a script in a namespace of its own, which is removed however the script ends.
fn run(kubectl: &Kubectl, name: &str, script: session::Script) -> Result<()> {
    let session = Session::start(kubectl, name)?;
    let outcome = script(&session);
    session.end()?;
    outcome
}

/// Registers the resources of the scripts, and returns the names of those that were not there.
fn register(kubectl: &Kubectl) -> Result<Vec<&'static str>> {
    let mut new = Vec::new();
    for (name, crd) in
        [("widgets.contract.berth.example", WIDGET_CRD), ("ciliumnodes.cilium.io", CILIUM_NODE_CRD)]
    {
        // Another suite that has just ended may still be removing it.
        let leaving = "jsonpath={.metadata.deletionTimestamp}";
        if kubectl.run(["get", "crd", name, "-o", leaving]).is_ok_and(|at| !at.is_empty()) {
            kubectl.run(["wait", "--for=delete", "--timeout=60s", &format!("crd/{name}")])?;
        }
        if kubectl.run(["get", "crd", name]).is_err() {
            kubectl.run_with(["create", "-f", "-"], crd)?;
            new.push(name);
        }
        let established = "--for=condition=Established";
        kubectl.run(["wait", established, "--timeout=30s", &format!("crd/{name}")])?;
    }
    Ok(new)
}

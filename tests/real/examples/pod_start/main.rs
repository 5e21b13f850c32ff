//! How long a pod takes from its binding to a node until the API server knows that it runs, and how long ADD takes as the container runtime
//! sees it: with Berth, and with `host-local` under the same `ptp`.
//!
//! ```sh
//! cargo run -p real --example pod_start -- --pods 100 --at-once 4
//! ```
//!
//! Prints a table, and the same as JSON. Pods come a few at a time and go again, one cluster after the other.

mod figures;
mod log;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;

use anyhow::Context;
use clap::Parser;
use real::cluster::{Cluster, IMAGE, Ipam, Node, Options};
use serde_json::{Value, json};

use figures::Figures;

/// Stands before `ptp`, in both clusters alike: notes what each ADD was for, and when it began and ended.
const TIMER: &str = r#"#!/bin/bash
begin=$EPOCHREALTIME
/opt/cni/bin/ptp-itself
status=$?
if [[ $CNI_COMMAND == ADD ]]; then echo "$begin $EPOCHREALTIME $status $CNI_ARGS" >>/var/lib/ptp-adds; fi
exit $status
"#;
/// What the pods that count are called, apart from their number.
const COUNTED: &str = "counted";
/// The first ones wait for what is loaded once.
const WARMING: &str = "warming";

/// How long pods take to start, with Berth and with host-local
#[derive(Debug, Parser)]
struct Arguments {
    /// How many pods are to start with each
    #[arg(long, default_value_t = 100)]
    pods: usize,
    /// How many of them at once
    #[arg(long, default_value_t = 4)]
    at_once: usize,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut all = Vec::new();
    for (name, ipam) in [("berth", Ipam::Berth), ("host-local", Ipam::HostLocal)] {
        all.push(measure(name, ipam, &arguments).with_context(|| format!("with {name}"))?);
    }
    let mut out = io::stdout();
    writeln!(out, "{}\n{}", figures::table(&all), figures::json(&all))?;
    Ok(())
}

fn measure(name: &'static str, ipam: Ipam, arguments: &Arguments) -> anyhow::Result<Figures> {
    let say = |text: &str| {
        // Who does not listen still gets the figures.
        let _ = writeln!(io::stderr(), "{name}: {text}");
    };
    let options = Options { ipam, prefix_delegation: true, ..Options::default() };
    let cluster = Cluster::up(&options, &say)?;
    for node in cluster.nodes() {
        time_adds(node)?;
    }
    come_and_go(&cluster, WARMING, 0..arguments.at_once)?;
    let mut begun = 0;
    while begun < arguments.pods {
        let batch = begun..arguments.pods.min(begun + arguments.at_once.max(1));
        begun = batch.end;
        come_and_go(&cluster, COUNTED, batch)?;
        say(&format!("{begun} of {} pods", arguments.pods));
    }
    let starts = log::starts(&fs::read_to_string(cluster.audit_log())?, COUNTED)?;
    let mut adds = Vec::new();
    for node in cluster.nodes() {
        let noted = fs::read_to_string(node.folder().join("var-lib/ptp-adds"))?;
        adds.extend(log::adds(&noted, COUNTED)?);
    }
    for (what, count) in [("starts", starts.len()), ("ADDs", adds.len())] {
        anyhow::ensure!(count == arguments.pods, "{count} {what} of {} pods", arguments.pods);
    }
    Ok(Figures { name, starts, adds })
}

fn time_adds(node: &Node) -> anyhow::Result<()> {
    let timer = node.folder().join("opt/cni/bin/timer");
    fs::write(&timer, TIMER)?;
    fs::set_permissions(&timer, fs::Permissions::from_mode(0o755))?;
    let cover = "cd /opt/cni/bin && cp ptp ptp-itself && mount --bind timer ptp";
    let output = node.run(&["sh", "-ec", cover])?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{} cannot time `ptp`: {said}", node.name());
    Ok(())
}

/// Makes pods, waits until they run, and takes them away.
fn come_and_go(
    cluster: &Cluster,
    name: &str,
    numbers: std::ops::Range<usize>,
) -> anyhow::Result<()> {
    let pods: Vec<Value> = numbers.map(|number| pod(&format!("{name}-{number}"))).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": pods});
    cluster.kubectl_with(&["create", "-f", "-"], &list.to_string())?;
    let every = ["--all", "--timeout=180s"];
    cluster.kubectl(&[&["wait", "pods", "--for=condition=Ready"], &every[..]].concat())?;
    cluster.kubectl(&[&["delete", "pods"], &every[..]].concat())?;
    Ok(())
}

fn pod(name: &str) -> Value {
    let idle = "trap 'exit 0' TERM; while true; do sleep 3600 & wait $!; done";
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {
            "automountServiceAccountToken": false, "enableServiceLinks": false,
            "terminationGracePeriodSeconds": 2,
            "containers": [{
                "name": "app", "image": IMAGE, "imagePullPolicy": "Never", "command": ["sh", "-c", idle],
            }],
        },
    })
}

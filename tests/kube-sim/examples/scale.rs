//! Measures the simulator at the size it is made for: 5,000 nodes of 100 addresses, each watched by an agent
//! of its own, while an operator patches them.
//!
//! `cargo run --release --example scale` prints the figures, and fails where an event is lost. With the argument
//! `threads` it runs on as many threads as there are processors, without it on one; a number is that of the nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http::{Method, Request};
use http_body_util::BodyExt;
use kube::client::Body;
use kube_sim::{KubeSim, service::Service};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt;

const NODES: u64 = 5_000;
const PATCHES_PER_NODE: u64 = 2;
/// How long the last events may be on their way, beside a few times what the patches took.
const PATIENCE: Duration = Duration::from_mins(1);
const WRITERS: u64 = 8;
const PATH: &str = "/apis/cilium.io/v2/ciliumnodes";
const ADDRESSES: u64 = 100;
const USED: u64 = 80;
const VPC: &str = "vpc-00000000000000001";
/// What an object weighs on a real cluster, where a third of it is `managedFields`. These are not kept here, so that
/// an annotation fills up what is missing.
const OBJECT_BYTES: usize = 25_000;

fn main() -> Result<()> {
    let (mut runtime, mut nodes) = (tokio::runtime::Builder::new_current_thread(), NODES);
    for argument in std::env::args().skip(1) {
        match argument.parse() {
            Ok(number) => nodes = number,
            Err(_) if argument == "threads" => {
                runtime = tokio::runtime::Builder::new_multi_thread();
            }
            Err(_) => anyhow::bail!("{argument} is neither `threads` nor a number of nodes"),
        }
    }
    // Spawned, because what `block_on` itself runs is on no worker thread.
    let runtime = runtime.enable_all().build()?;
    runtime.block_on(async { tokio::spawn(measure(nodes)).await? })
}

async fn measure(nodes: u64) -> Result<()> {
    let patches = nodes * PATCHES_PER_NODE / WRITERS * WRITERS;
    let sim = KubeSim::default();
    sim.register(serde_json::to_value(cilium_node::crd())?).map_err(|status| {
        anyhow::anyhow!("the definition of CiliumNodes is refused: {}", status.message())
    })?;
    let service = sim.service("scale");
    let empty = resident_mebibytes()?;

    let began = Instant::now();
    let mut bytes = 0;
    for number in 0..nodes {
        bytes += create(&service, number).await?;
    }
    say(&format!("{nodes} CiliumNodes of {} bytes: {:?}", bytes as u64 / nodes, began.elapsed()));
    let full = resident_mebibytes()?;
    say(&format!("memory: {empty} MiB empty, {full} MiB with them"));

    let events = Arc::new(AtomicU64::new(0));
    let mut watches = JoinSet::new();
    for number in 0..nodes {
        watch(&service, number, &events, &mut watches).await?;
    }
    let memory = resident_mebibytes()?;
    say(&format!("{nodes} watches of one object each are open: {memory} MiB"));

    let (began, cpu) = (Instant::now(), cpu_millis()?);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(service.clone(), writer, nodes));
    }
    while let Some(done) = writers.join_next().await {
        done??;
    }
    let passed = began.elapsed();
    let rate = u128::from(patches) * 1_000_000 / passed.as_micros().max(1);
    while events.load(Ordering::Relaxed) < nodes + patches
        && began.elapsed() < passed * 4 + PATIENCE
    {
        tokio::task::yield_now().await;
    }
    let told = events.load(Ordering::Relaxed);
    ensure!(told == nodes + patches, "{told} events came, {} were due", nodes + patches);
    let (memory, cpu) = (resident_mebibytes()?, cpu_millis()? - cpu);
    say(&format!("{patches} merge patches, each told to its watch: {rate}/s, {memory} MiB"));
    say(&format!("of CPU time they took {cpu} ms, that is {}/s", patches * 1_000 / cpu.max(1)));

    let began = Instant::now();
    let listed = send(&service, Method::GET, PATH.to_owned(), &Value::Null).await?;
    let (mebibytes, passed) = (listed.len() >> 20, began.elapsed());
    say(&format!("one list of everything: {mebibytes} MiB, collected in {passed:?}"));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are what the program is for")]
fn say(line: &str) {
    println!("{line}");
}

/// Creates a node, then its status, which a new object never has. Answers its bytes.
async fn create(service: &Service, number: u64) -> Result<usize> {
    let node = node(number);
    send(service, Method::POST, PATH.to_owned(), &node).await?;
    let status = json!({"status": node["status"]});
    let path = format!("{PATH}/node-{number}/status");
    let stored: Value =
        serde_json::from_slice(&send(service, Method::PATCH, path, &status).await?)?;
    ensure!(stored["status"] == node["status"], "the schema has cut the status of node {number}");
    Ok(stored.to_string().len())
}

/// Patches a share of the nodes, again and again.
async fn write(service: Service, writer: u64, nodes: u64) -> Result<()> {
    for round in 0..nodes * PATCHES_PER_NODE / WRITERS {
        let number = (round * WRITERS + writer) % nodes;
        let patch = json!({"spec": {"ipam": {"min-allocate": round + 1}}});
        send(&service, Method::PATCH, format!("{PATH}/node-{number}"), &patch).await?;
        // In process nothing waits for a network, and the watches would only have their turn at the end.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Watches one node, as its agent does, and counts what it is told.
async fn watch(
    service: &Service,
    number: u64,
    events: &Arc<AtomicU64>,
    watches: &mut JoinSet<()>,
) -> Result<()> {
    let query = format!("{PATH}?watch=true&fieldSelector=metadata.name%3Dnode-{number}");
    let request = Request::get(query).body(Body::empty())?;
    let mut body =
        service.clone().oneshot(request).await.map_err(anyhow::Error::from_boxed)?.into_body();
    let events = events.clone();
    watches.spawn(async move {
        while let Some(Ok(_)) = body.frame().await {
            events.fetch_add(1, Ordering::Relaxed);
        }
    });
    Ok(())
}

async fn send(
    service: &Service,
    method: Method,
    uri: String,
    body: &Value,
) -> Result<bytes::Bytes> {
    let patches = method == Method::PATCH;
    let media = if patches { "application/merge-patch+json" } else { "application/json" };
    let bytes = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
    let request = Request::builder().method(method).uri(uri).header("content-type", media);
    let request = request.body(Body::from(bytes))?;
    let response = service.clone().oneshot(request).await.map_err(anyhow::Error::from_boxed)?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(anyhow::Error::from_boxed)?;
    let bytes = body.to_bytes();
    ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&bytes));
    Ok(bytes)
}

/// A node of four interfaces with 25 addresses each, 80 of them in use by pods.
fn node(number: u64) -> Value {
    let mut node = json!({
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNode",
        "metadata": {"name": format!("node-{number}"), "labels": labels(number), "annotations": {}},
        "spec": {
            "instance-id": format!("i-{number:017x}"),
            "eni": {"availability-zone": "eu-central-1a", "instance-type": "m5.4xlarge", "vpc-id": VPC},
            "ipam": {"pre-allocate": 8, "pool": {}},
        },
        "status": {"eni": {"enis": {}}, "ipam": {"operator-status": {}, "used": {}}},
    });
    for index in 0..ADDRESSES {
        let (address, resource) = (address(number, index), interface_id(number, index / 25));
        if index < USED {
            let owner = format!("namespace-{}/service-{number:x}-7c9d8f6b5-{index:05x}", index % 7);
            let used = json!({"owner": owner, "resource": resource});
            node["status"]["ipam"]["used"][&address] = used;
        }
        node["spec"]["ipam"]["pool"][address] = json!({"resource": resource});
    }
    for index in 0..ADDRESSES / 25 {
        let id = interface_id(number, index);
        node["status"]["eni"]["enis"][id] = interface(number, index);
    }
    let padding = OBJECT_BYTES.saturating_sub(node.to_string().len());
    node["metadata"]["annotations"]["padding"] = "x".repeat(padding).into();
    node
}

fn address(number: u64, index: u64) -> String {
    format!("10.{}.{}.{index}", number / 256, number % 256)
}

fn interface_id(number: u64, index: u64) -> String {
    format!("eni-{:017x}", number * 4 + index)
}

/// An interface as the operator shows it in the status.
fn interface(number: u64, index: u64) -> Value {
    let addresses: Vec<_> =
        (index * 25..(index + 1) * 25).map(|index| address(number, index)).collect();
    json!({
        "id": interface_id(number, index),
        "ip": address(number, index * 25),
        "mac": format!("02:00:{:02x}:{:02x}:00:{index:02x}", number / 256, number % 256),
        "number": index,
        "addresses": addresses,
        "availability-zone": "eu-central-1a",
        "security-groups": ["sg-00000000000000001", "sg-00000000000000002"],
        "subnet": {"id": "subnet-00000000000000001", "cidr": "10.0.0.0/11"},
        "vpc": {"id": VPC, "primary-cidr": "10.0.0.0/8"},
        "tags": {"cluster": "scale", "node": format!("node-{number}")},
    })
}

fn labels(number: u64) -> Value {
    json!({
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": format!("node-{number}"),
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "m5.4xlarge",
        "topology.kubernetes.io/region": "eu-central-1",
        "topology.kubernetes.io/zone": "eu-central-1a",
    })
}

/// Resident memory of this process, as Linux tells it.
fn resident_mebibytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
    Ok(kibibytes.parse::<u64>()? / 1024)
}

/// CPU time of this process so far, as Linux tells it: in hundredths of a second, after the name in parentheses.
fn cpu_millis() -> Result<u64> {
    let line = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = line.rsplit_once(')').context("no name in /proc/self/stat")?;
    let mut ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let (user, system) =
        (ticks.next().context("no user time")??, ticks.next().context("no system time")??);
    Ok((user + system) * 10)
}

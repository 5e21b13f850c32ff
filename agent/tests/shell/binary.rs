//! The agent as a process, over loopback.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::bed::{ANY, Bed, END, PATIENCE, add, add_at_last, becomes, eventually};

/// Names another build of the program, such as the one that ships: what it takes is measured with these tests.
pub(crate) const PROGRAM: &str = "BERTH_AGENT";

fn command() -> Command {
    let built = || env!("CARGO_BIN_EXE_berth-agent").into();
    let mut command = Command::new(std::env::var_os(PROGRAM).unwrap_or_else(built));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A process that ends with the test.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended by itself, unless the test failed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Process {
    pub(crate) fn start(bed: &Bed, api_server: &str) -> Self {
        Self::start_with(bed, api_server, &[])
    }

    /// With `flags` beside those of the node, or in their place.
    fn start_with(bed: &Bed, api_server: &str, flags: &[String]) -> Self {
        let name = |flag: &str| flag.split('=').next().unwrap().to_owned();
        let others: Vec<String> = flags.iter().map(|flag| name(flag)).collect();
        let kept = bed.flags().into_iter().filter(|flag| !others.contains(&name(flag)));
        let log = File::create(bed.path("log")).unwrap();
        let mut command = command();
        command.arg("run").args(kept).args(flags).arg("--log-format=json").stderr(log);
        Self(command.arg(format!("--k8s-api-server={api_server}")).spawn().unwrap())
    }

    async fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < END, "it does not end");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The memory that it has in use, in KiB: all of it (proc(5), `VmRSS`), or what is beside its program file (`RssAnon`).
    pub(crate) fn memory(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let value = |line: &str| line.strip_prefix(figure)?.strip_prefix(':').map(str::to_owned);
        let line = status.lines().find_map(value).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    pub(crate) async fn terminate(mut self) {
        self.signal("-TERM");
        assert_eq!(self.ended().await.code(), Some(0));
    }
}

/// Where the process listens, by its log.
async fn address(log: &Path) -> SocketAddr {
    eventually("address", || {
        let text = std::fs::read_to_string(log).unwrap();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut said = lines.filter(|line| line["message"] == "listening");
        said.next().and_then(|line| line["address"].as_str()?.parse().ok()).ok_or(text)
    })
    .await
}

/// What `path` answers: status and body.
async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    format!("{} {body}", head.split(' ').nth(1).unwrap())
}

/// What is there lags a little behind what is.
async fn answers(address: SocketAddr, path: &str, parts: &[&str]) {
    let start = Instant::now();
    loop {
        let text = get(address, path).await;
        if parts.iter().all(|part| text.contains(part)) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{parts:?} in {text}");
        sleep(Duration::from_millis(20)).await;
    }
}

fn status(bed: &Bed, more: &[&str]) -> (Option<i32>, String) {
    let mut command = command();
    command.arg("status").arg("--socket-path").arg(bed.socket()).args(more);
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind(ANY).unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Whatever it waits for: settings, metadata that never comes, a queue that somebody holds, an API server without a word.
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_in_good_order_at_any_time() {
    let silent = std::net::TcpListener::bind(ANY).unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let bed = Bed::new("i-00000001").await;
    let missing = format!("--read-cni-conf={}", bed.path("05-cilium.conflist").display());
    let agent = Process::start_with(&bed, &silent, &[missing]);
    let http = address(&bed.path("log")).await;
    answers(http, "/readyz", &[r#"503 {"ready":false,"waits-for":"the CNI configuration"}"#]).await;
    agent.terminate().await;
    let agent = Process::start_with(&bed, &silent, &[format!("--imds-endpoint={silent}")]);
    address(&bed.path("log")).await;
    agent.terminate().await;
    std::fs::create_dir(bed.path("queue")).unwrap();
    let held = std::fs::File::create(bed.path("queue/lock")).unwrap();
    held.lock().unwrap();
    let agent = Process::start(&bed, &silent);
    eventually("socket", || bed.socket().exists().then_some(()).ok_or_else(String::new)).await;
    agent.terminate().await;
    drop(held);
    let agent = Process::start(&bed, &silent);
    add_at_last(&bed, 1).await;
    agent.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_served_while_the_api_server_and_the_operator_are_away() {
    let bed = Bed::new("i-00000001").await;
    let agent = Process::start(&bed, &nobody());
    let first = add_at_last(&bed, 1).await;
    assert_eq!(first.to_string(), "10.0.1.0");
    let http = address(&bed.path("log")).await;
    assert!(get(http, "/healthz").await.starts_with("200 ok"));
    answers(http, "/readyz", &[r#"200 {"ready":true,"waits-for":null}"#]).await;
    let metrics = [
        "cilium_ipam_capacity{family=\"ipv4\"} 16",
        "cilium_ip_addresses{family=\"ipv4\"} 1",
        "cilium_ipam_events_total{action=\"allocate\",family=\"ipv4\"} 1",
        "berth_agent_ready 1",
    ];
    answers(http, "/metrics", &metrics).await;
    let (code, text) = status(&bed, &["--all"]);
    assert_eq!(code, Some(0), "{text}");
    for part in ["IPv4 1/16 allocated", "eni-00000001", "10.0.1.0", "shop/cart-1"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let (code, text) = status(&bed, &["-o", "json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &report["families"][0]["used"]), (Some(0), &json!(1)));
    agent.terminate().await;
    assert!(!bed.socket().exists());
    let (code, text) = status(&bed, &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("agent.sock"), "{text}");
}

/// An agent that is killed loses nothing that it has answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_loses_nothing() {
    let bed = Bed::new("i-00000001").await;
    let server = kube_sim::Server::start(bed.kube.clone(), ANY).await.unwrap();
    let api_server = format!("http://{}", server.address());
    let mut agent = Process::start(&bed, &api_server);
    let mut held = vec![add_at_last(&bed, 0).await];
    for number in 1..8 {
        held.push(add(&bed, number).await.unwrap());
        agent.signal("-KILL");
        agent.ended().await;
        agent = Process::start(&bed, &api_server);
        for (number, address) in held.iter().enumerate() {
            assert_eq!(add_at_last(&bed, number).await, *address, "pod {number}");
        }
    }
    let distinct: std::collections::BTreeSet<_> = held.iter().collect();
    assert_eq!(distinct.len(), 8);
    becomes(&bed, "/status/ipam/used/10.0.1.0/owner", &json!("shop/cart-0")).await;
    agent.terminate().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_line_that_makes_no_sense_ends_with_2() {
    for arguments in [vec!["run", "--ipam=cluster-pool"], vec!["run", "--no-such-flag"], vec![]] {
        let output = command().args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let misspelt = command().arg("run").env("BERTH_CONTRAKT", "cidr").output().unwrap();
    assert_eq!(misspelt.status.code(), Some(2));
    let text = String::from_utf8(misspelt.stderr).unwrap();
    assert!(text.contains("BERTH_CONTRAKT is no setting of berth-agent"), "{text}");
    let help = command().args(["run", "--help"]).output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8(help.stdout).unwrap();
    for heading in ["Node:", "Addresses and interfaces:", "Pods:", "Kubernetes:", "HTTP:", "Logs:"]
    {
        assert!(text.contains(heading), "{heading} is missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_ends_it_with_1() {
    let bed = Bed::new("i-00000001").await;
    let taken = std::net::TcpListener::bind(ANY).unwrap();
    let flag = format!("--serve-address={}", taken.local_addr().unwrap());
    let flags = bed.flags();
    let flags = flags.iter().filter(|flag| !flag.starts_with("--serve-address"));
    let mut command = command();
    command.arg("run").args(flags).arg(flag).arg(format!("--k8s-api-server={}", nobody()));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("cannot listen on 127.0.0.1:") && text.contains("--serve-address"),
        "{text}"
    );
}

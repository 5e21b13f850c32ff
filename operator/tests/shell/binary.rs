//! The operator as a process, against simulators over HTTP.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::bed::{Bed, member};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const PATIENCE: Duration = Duration::from_mins(1);

fn operator() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berth-operator"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("AWS_ACCESS_KEY_ID", "AKIATEST").env("AWS_SECRET_ACCESS_KEY", "secret");
    command
}

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended by itself, unless the test failed.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Process {
    /// Reads the log up to the line that says where it listens, and lets the rest pass.
    fn address(&mut self) -> SocketAddr {
        let lines = BufReader::new(self.0.stderr.take().unwrap());
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap_or_default();
                if line["message"] == "listening" {
                    drop(sender.send(line["address"].as_str().unwrap_or_default().to_owned()));
                }
            }
        });
        receiver.recv_timeout(PATIENCE).expect("it listens").parse().unwrap()
    }

    async fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "it does not end");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What `path` answers, if it answers with 200.
async fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}

#[tokio::test]
async fn it_serves_works_and_stops() {
    let bed = Bed::new();
    let ec2 = ec2_sim::face::http::Server::start(ANY, bed.ec2.clone()).await.unwrap();
    let kube = kube_sim::Server::start(bed.kube.clone(), ANY).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, kube.kubeconfig("operator")).unwrap();
    let endpoint = format!("http://{}", ec2.addr);
    let mut command = operator();
    command.args([
        "run",
        "--region=eu-west-1",
        "--log-format=json",
        "--ec2-api-endpoint",
        &endpoint,
    ]);
    command
        .arg("--operator-prometheus-serve-addr=127.0.0.1:0")
        .arg("--kubeconfig")
        .arg(&kubeconfig);
    let mut process = Process(command.spawn().unwrap());
    let address = process.address();

    let start = Instant::now();
    let mut created = false;
    while bed.pool() != 8 {
        if !created && get(address, "/readyz").await.is_some_and(|text| text.contains("\"ready\"}"))
        {
            bed.create_node().await;
            created = true;
        }
        assert!(start.elapsed() < PATIENCE, "no pool: {:?}", get(address, "/nodes").await);
        sleep(Duration::from_millis(50)).await;
    }
    let row: Value = serde_json::from_str(&get(address, "/nodes/node-1").await.unwrap()).unwrap();
    assert_eq!(member(&row, "available"), 8);
    let metrics = get(address, "/metrics").await.unwrap();
    assert!(
        metrics.contains("cilium_operator_ipam_available_ips{target_node=\"node-1\"} 8"),
        "{metrics}"
    );
    assert!(
        metrics.contains("operation=\"AssignPrivateIpAddresses\",response_code=\"OK\""),
        "{metrics}"
    );

    let id = process.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(process.ended().await.code(), Some(0));
    assert_eq!(bed.holder(), None, "the Lease is given back");
    ec2.stop().await.unwrap();
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_ends_with_2() {
    for arguments in [vec!["run", "--ipam=cluster-pool"], vec!["run", "--no-such-flag"], vec![]] {
        let output = operator().args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let misspelt = operator().arg("run").env("BERTH_MOOD", "observe").output().unwrap();
    assert_eq!(misspelt.status.code(), Some(2));
    let text = String::from_utf8(misspelt.stderr).unwrap();
    assert!(text.contains("BERTH_MOOD is no setting"), "{text}");
    let help = operator().args(["run", "--help"]).output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8(help.stdout).unwrap();
    for heading in
        ["Addresses and interfaces:", "EC2:", "Kubernetes:", "Leader election:", "HTTP:", "Logs:"]
    {
        assert!(text.contains(heading), "{heading} is missing");
    }
}

#[tokio::test]
async fn an_address_in_use_ends_it_with_1() {
    let taken = std::net::TcpListener::bind(ANY).unwrap();
    let flag = format!("--operator-prometheus-serve-addr={}", taken.local_addr().unwrap());
    let output = operator().args(["run", "--region=eu-west-1", &flag]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("cannot listen on 127.0.0.1:"), "{text}");
}

/// What the environment says of the way to the API server counts, and is wrong here.
#[tokio::test]
async fn the_way_to_the_api_server_is_read_from_the_environment() {
    for (name, value, expected) in [
        ("KUBECONFIG", "not-there", "the kubeconfig not-there cannot be used"),
        ("k8sServicePort", "https", "k8sServicePort \"https\": expected the number of a port"),
    ] {
        let mut command = operator();
        command.args(["run", "--region=eu-west-1", "--operator-prometheus-serve-addr=127.0.0.1:0"]);
        let output = command.env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn without_a_region_the_flag_is_named() {
    let mut command = operator();
    command.args(["run", "--use-imds=false", "--operator-prometheus-serve-addr=127.0.0.1:0"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("no AWS Region") && text.contains("--region"), "{text}");
}

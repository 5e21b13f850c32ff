//! `berth-operator gc` as a process, against the simulated EC2 over HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Output, Stdio};

use ec2_sim::build::NewInterface;
use ec2_sim::face::http::Server;
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::bed::Bed;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berth-operator"));
    command.env_clear().stdin(Stdio::null()).arg("gc").args(arguments);
    command.env("AWS_ACCESS_KEY_ID", "AKIATEST").env("AWS_SECRET_ACCESS_KEY", "secret");
    command.env("AWS_REGION", "eu-west-1");
    command
}

/// Runs `gc` to its end.
async fn gc(arguments: &[&str]) -> Output {
    let mut command = command(arguments);
    spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// An interface that was left behind.
fn put(bed: &Bed, id: &str, requester: Option<&str>) {
    let mut new = NewInterface::new("subnet-0000000a".parse().unwrap());
    new.id = Some(id.parse().unwrap());
    new.description = "Cilium-CNI (i-0000dead)".into();
    new.requester = requester.map(str::to_owned);
    let tags = [
        ("berth/managed", "true"),
        ("berth/cluster", "test"),
        ("berth/created-at", "2025-06-01T00:00:00Z"),
    ];
    new.tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    bed.ec2.with(|ec2, _| ec2.build().interface(new)).unwrap();
}

#[tokio::test]
async fn it_shows_then_deletes_and_says_so() {
    let bed = Bed::new();
    put(&bed, "eni-00000011", None);
    let server = Server::start(ANY, bed.ec2.clone()).await.unwrap();
    let endpoint = format!("--ec2-api-endpoint=http://{}", server.addr);
    let named = ["--cluster-name=test", "--settle=15s", &endpoint];

    let shown = gc(&[&named[..], &["--dry-run"]].concat()).await;
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
    assert!(text(&shown.stdout).ends_with("\n1 left behind, 0 stay\n"), "{}", text(&shown.stdout));

    let shown = gc(&[&named[..], &["--dry-run", "--output=json"]].concat()).await;
    let report: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(report["interfaces"][0]["verdict"], "SeenOnce", "{report}");

    // What a service of AWS made, it deletes itself.
    put(&bed, "eni-00000012", Some("amazon-elb"));
    let done = gc(&named).await;
    assert_eq!(done.status.code(), Some(1), "one failed");
    let (said, told) = (text(&done.stdout), text(&done.stderr));
    assert!(said.ends_with("\n1 deleted, 1 failed, 0 left for later, 0 stay\n"), "{said}");
    assert!(told.contains("eni-00000011: deleted\n"), "{told}");
    assert!(told.contains("eni-00000012: not deleted: refused by EC2"), "{told}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_command_line_that_is_not_sure_enough_ends_with_2() {
    for arguments in
        [vec!["--dry-run"], vec!["--cluster-name=default"], vec!["--cluster-name=c", "--grace=1m"]]
    {
        let output = gc(&arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let output = gc(&["--dry-run"]).await;
    let told = text(&output.stderr);
    assert!(told.contains("--cluster-name is required"), "{told}");
    let help = gc(&["--help"]).await;
    assert!(text(&help.stdout).contains("An operator that runs meanwhile is not hurt"));
}

#[tokio::test]
async fn without_ec2_it_ends_with_1() {
    let closed = std::net::TcpListener::bind(ANY).unwrap().local_addr().unwrap();
    let endpoint = format!("--ec2-api-endpoint=http://{closed}");
    let output = gc(&["--cluster-name=test", "--dry-run", &endpoint]).await;
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("interfaces cannot be listed: not sent"), "{told}");
}

/// `gc 2>&1 | head -1`: what is deleted and how it ends does not depend on anybody reading it.
#[tokio::test]
async fn nobody_has_to_read_what_it_says() {
    let bed = Bed::new();
    put(&bed, "eni-00000011", None);
    put(&bed, "eni-00000013", None);
    let server = Server::start(ANY, bed.ec2.clone()).await.unwrap();
    let endpoint = format!("--ec2-api-endpoint=http://{}", server.addr);
    for arguments in [&["--dry-run", "--output=json"][..], &["--settle=15s"]] {
        let mut command = command(&[&["--cluster-name=test", &endpoint][..], arguments].concat());
        for closed in [Command::stdout, Command::stderr] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            closed(&mut command, writer);
        }
        let status = spawn_blocking(move || command.status().unwrap()).await.unwrap();
        assert_eq!(status.code(), Some(0), "{arguments:?}");
    }
    let is_left = |id: &str| {
        let id = id.parse().unwrap();
        bed.ec2.with(|ec2, _| ec2.world().truth().interface(&id).is_some())
    };
    assert_eq!(["eni-00000011", "eni-00000013"].map(is_left), [false, false]);
    server.stop().await.unwrap();
}

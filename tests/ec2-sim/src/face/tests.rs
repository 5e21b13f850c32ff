//! The server, asked over a socket.

mod address;
mod control;
mod hostile;

use std::net::SocketAddr;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::http::Server;
use super::imds::ImdsServer;
use super::shared::Shared;
use crate::machine::Ec2;
use crate::spec::Spec;

const ANY: &str = "127.0.0.1:0";
const SIGNED: &str =
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIA1/20260101/eu-west-1/ec2/aws4_request\r\n";

fn shared() -> Shared {
    let text = include_str!("../../examples/two-subnets.yaml");
    let spec = Spec::parse("two-subnets.yaml", text).unwrap();
    let mut ec2 = Ec2::new(spec.settings().unwrap());
    spec.populate(&mut ec2).unwrap();
    Shared::new(ec2)
}

/// Sends a request and reads to the connection's end. What comes back is the status line and the body, or nothing.
async fn exchange(addr: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is cut may end with an error as well as without.
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return answer };
    let status = head.lines().next().unwrap().trim_start_matches("HTTP/1.1 ");
    format!("{status}\n{body}")
}

/// Asks a new server of the example's world everything in `asked`, one after the other, and looks at the last answer: it must begin with
/// `status` and contain `part`.
async fn check(asked: &[(&str, &str, &str, &str)], status: &str, part: &str) {
    let server = Server::start(ANY.parse().unwrap(), shared()).await.unwrap();
    let mut answer = String::new();
    for (method, path, headers, body) in asked {
        answer = exchange(server.addr, method, path, headers, body).await;
    }
    assert!(answer.starts_with(status), "expected {status:?}:\n{answer}");
    assert!(answer.contains(part), "expected {part:?}:\n{answer}");
    server.stop().await.unwrap();
}

const LIST: &str = "Action=DescribeSubnets&Version=2016-11-15";

#[tokio::test]
async fn calls_come_as_forms_and_as_query_strings() {
    check(&[("POST", "/", SIGNED, LIST)], "200 OK", "<subnetId>subnet-0000000b</subnetId>").await;
    let path = format!("/?{LIST}&X-Amz-Credential=A%2F20260101%2Feu-west-1%2Fec2%2Faws4_request");
    check(&[("GET", &path, "", "")], "200 OK", "<subnetId>subnet-0000000a</subnetId>").await;
}

#[tokio::test]
async fn refusals_have_their_status_and_code() {
    check(&[("POST", "/", "", LIST)], "401 ", "<Code>AuthFailure</Code>").await;
    let elsewhere = SIGNED.replace("eu-west-1", "us-east-1");
    check(&[("POST", "/", &elsewhere, LIST)], "401 ", "scoped to a valid region.</Message>").await;
    check(
        &[("POST", "/", SIGNED, "Action=Run&Version=2016-11-15")],
        "400 ",
        "<Code>InvalidAction</Code>",
    )
    .await;
    check(&[("POST", "/", SIGNED, "Action=\u{7f}%ff")], "400 ", "<Code>MissingParameter</Code>")
        .await;
    let long = "a".repeat(1 << 21);
    check(&[("POST", "/", SIGNED, &long)], "413 ", "").await;
}

#[tokio::test]
async fn faults_cut_and_replace_answers() {
    let rule = "{\"action\": \"DescribeSubnets\", \"nth\": 1, \"effect\": {\"drop-before-commit\": \"cut\"}}";
    let fault = ("POST", "/_sim/faults", "", rule);
    let call = ("POST", "/", SIGNED, LIST);
    let server = Server::start(ANY.parse().unwrap(), shared()).await.unwrap();
    assert!(exchange(server.addr, fault.0, fault.1, fault.2, fault.3).await.starts_with("201 "));
    assert_eq!(exchange(server.addr, call.0, call.1, call.2, call.3).await, "");
    assert!(exchange(server.addr, call.0, call.1, call.2, call.3).await.starts_with("200 "));
    server.stop().await.unwrap();
    check(
        &[fault, call, ("GET", "/_sim/journal?format=text", "", "")],
        "200 OK",
        "0 DescribeSubnets ",
    )
    .await;
    check(&[fault, ("DELETE", "/_sim/faults/0", "", ""), call], "200 OK", "subnet-0000000a").await;
    check(&[("DELETE", "/_sim/faults/7", "", "")], "404 ", "there is no fault rule `7`").await;
}

#[tokio::test]
async fn the_world_is_built_and_shown() {
    let subnet = "{\"vpc\": \"vpc-0000000a\", \"zone\": \"eu-west-1c\", \"cidr\": \"10.0.1.0/24\", \"id\": \"subnet-0000000c\"}";
    let made = ("POST", "/_sim/subnets", "", subnet);
    check(&[made], "201 Created", "subnet-0000000c").await;
    check(&[made, ("GET", "/_sim/world", "", "")], "200 OK", "10.0.1.0/24").await;
    check(&[made, made], "400 ", "expected no overlap with subnet-0000000c").await;
    check(
        &[("POST", "/_sim/subnets", "", "{\"vpc\": \"vpc-0000000a\",\n \"cdr\": 1}")],
        "400 ",
        "\"line\": 2",
    )
    .await;
    check(&[("POST", "/_sim/instances/i-0000000a/stop", "", "")], "200 OK", "i-0000000a").await;
    check(
        &[("POST", "/_sim/instances/i-0000000f/stop", "", "")],
        "404 ",
        "`i-0000000f` is not in this world",
    )
    .await;
    check(
        &[("POST", "/_sim/instances/i-0000000a/dance", "", "")],
        "404 ",
        "start, stop and terminate",
    )
    .await;
    check(&[("GET", "/_sim/audit", "", "")], "200 OK", "[]").await;
    check(&[("GET", "/_sim", "", "")], "200 OK", "/_sim/journal?since=N").await;
    check(&[("GET", "/_sim/links/i-0000000a", "", "")], "200 OK", "eni-0000000a").await;
    check(&[("GET", "/_sim/nothing", "", "")], "404 ", "GET /_sim lists all paths").await;
}

#[tokio::test]
async fn calls_are_counted() {
    let call = ("POST", "/", SIGNED, LIST);
    let metric = "ec2_sim_calls_total{action=\"DescribeSubnets\"} 2";
    check(&[call, call, ("GET", "/_sim/metrics", "", "")], "200 OK", metric).await;
    check(&[call, ("GET", "/_sim/counters", "", "")], "200 OK", "\"request_bytes\": 41").await;
    check(&[call, ("GET", "/_sim/journal?since=1", "", "")], "200 OK", "[]").await;
}

#[tokio::test]
async fn metadata_is_served_by_path_and_by_port() {
    let ttl = "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n";
    let shared = shared();
    let server = Server::start(ANY.parse().unwrap(), shared.clone()).await.unwrap();
    let instance = "i-0000000b".parse().unwrap();
    let own = ImdsServer::start(ANY.parse().unwrap(), shared, instance).await.unwrap();
    for (addr, prefix, expected) in
        [(server.addr, "/_imds/i-0000000a", "i-0000000a"), (own.server.addr, "", "i-0000000b")]
    {
        let path = format!("{prefix}/latest/api/token");
        let answer = exchange(addr, "PUT", &path, ttl, "").await;
        let token = answer.strip_prefix("200 OK\n").unwrap();
        let path = format!("{prefix}/latest/meta-data/instance-id");
        assert!(exchange(addr, "GET", &path, "", "").await.starts_with("401 "));
        let header = format!("X-aws-ec2-metadata-token: {token}\r\n");
        assert_eq!(exchange(addr, "GET", &path, &header, "").await, format!("200 OK\n{expected}"));
    }
    own.stop().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn many_connections_are_served_at_once() {
    let server = Server::start(ANY.parse().unwrap(), shared()).await.unwrap();
    let calls = (0..200).map(|_| tokio::spawn(exchange(server.addr, "POST", "/", SIGNED, LIST)));
    let calls: Vec<_> = calls.collect();
    let mut answered = 0;
    for call in calls {
        let answer = call.await.unwrap();
        answered += usize::from(answer.starts_with("200 ") || answer.starts_with("503 "));
    }
    assert_eq!(answered, 200);
    server.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_when_the_machine_says_so() {
    let shared = shared();
    shared.with(|ec2, _| {
        let rule = crate::fault::Rule::always(crate::fault::Effect::Delay(90_000));
        ec2.build().faults().add(rule);
    });
    let head = super::shared::Head {
        authorization: Some(SIGNED.trim_start_matches("Authorization: ").trim_end()),
        ..super::shared::Head::default()
    };
    let before = tokio::time::Instant::now();
    shared.call(head, LIST).await;
    assert_eq!(before.elapsed().as_secs(), 90);
}

#[tokio::test]
async fn a_line_tells_of_each_call() {
    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let shared = shared().observed(|line| LINES.lock().unwrap().push(line.to_string()));
    let other = SIGNED.replace("AKIA1", "AK\u{e9} 1");
    for (authorization, form) in [(SIGNED, LIST), (&other, "Action=Run&Version=1"), ("", LIST)] {
        let authorization = authorization.trim_start_matches("Authorization: ").trim_end();
        let head = super::shared::Head {
            authorization: Some(authorization),
            ..super::shared::Head::default()
        };
        shared.call(head, form).await;
    }
    let lines = LINES.lock().unwrap();
    let lines: Vec<_> = lines.iter().map(|line| line.split_once(' ').unwrap()).collect();
    assert!(lines.iter().all(|(at, _)| at.starts_with("2026-01-01T00:00:0") && at.ends_with('Z')));
    let lines: Vec<_> = lines.iter().map(|(_, rest)| *rest).collect();
    assert_eq!(
        lines,
        [
            "AKIA1 DescribeSubnets ok 0.000s",
            "AK\u{e9} 1 - NoSuchVersion 0.000s",
            "- DescribeSubnets AuthFailure 0.000s"
        ]
    );
}

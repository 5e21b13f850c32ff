//! What happens on a stage, and is over again.

use std::net::TcpListener;
use std::time::Duration;

use berth_agent::status::fetch;
use berth_operator::board::Readiness;
use playground::plan::{Left, Plan, What};
use serde_json::Value;

use crate::bed::{Bed, eventually, group, plan};

/// Longer than whoever looks needs to see that something is away, on a machine that is busy with something else.
const AWAY: Duration = Duration::from_secs(5);

/// Three nodes, and an operator whose Lease runs out soon when it is killed.
fn three() -> Plan {
    let mut plan = plan(vec![group("web", 3)]);
    plan.operator = [
        "--leader-election-lease-duration=3s",
        "--leader-election-renew-deadline=2s",
        "--leader-election-retry-period=500ms",
    ]
    .map(str::to_owned)
    .into();
    plan
}

/// Waits until the operator that runs is ready.
async fn is_ready(bed: &Bed) {
    eventually("a ready operator", async || {
        let found = bed.stage.board().map(|board| board.readiness());
        if found == Some(Readiness::Ready) { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_goes_and_comes_back() {
    let bed = Bed::open(&three()).await;
    bed.serve(&["web-1", "web-2", "web-3"]).await;
    is_ready(&bed).await;
    let address = bed.stage.operator_address();
    assert!(address.is_some());
    bed.happen(&What::OperatorAway { length: AWAY });
    eventually("no operator", async || {
        if bed.stage.board().is_none() { Ok(()) } else { Err("it is there".to_owned()) }
    })
    .await;
    bed.told("the operator is started again").await;
    is_ready(&bed).await;
    assert_eq!(bed.stage.operator_address(), address, "at the same address");
    eventually("rows", async || {
        let rows = bed.stage.board().map(|board| board.rows()).unwrap_or_default();
        if rows.len() == 3 { Ok(()) } else { Err(format!("{rows:?}")) }
    })
    .await;
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_comes_back_where_somebody_else_has_its_port() {
    let bed = Bed::open(&three()).await;
    is_ready(&bed).await;
    let address = bed.stage.operator_address().unwrap();
    bed.happen(&What::OperatorAway { length: AWAY });
    let _taken = eventually("its port is taken", async || {
        TcpListener::bind(address).map_err(|error| error.to_string())
    })
    .await;
    bed.told("the operator is started again").await;
    is_ready(&bed).await;
    assert_ne!(bed.stage.operator_address(), Some(address));
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_go_and_come_back() {
    let bed = Bed::open(&three()).await;
    bed.serve(&["web-1", "web-2", "web-3"]).await;
    let socket = bed.stage.nodes().get("web-2").unwrap().socket.unwrap();
    let away = What::AgentsAway { length: AWAY, group: Some("web".to_owned()) };
    bed.happen(&away);
    eventually("nobody answers", async || {
        if fetch(&socket).await.is_err() { Ok(()) } else { Err("it answers".to_owned()) }
    })
    .await;
    bed.told("3 agents are started again").await;
    bed.serve(&["web-1", "web-2", "web-3"]).await;
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_replaces_every_node() {
    let bed = Bed::open(&plan(vec![group("web", 2)])).await;
    bed.serve(&["web-1", "web-2"]).await;
    let old = bed.stage.nodes().get("web-1").unwrap();
    bed.happen(&What::Drain { group: Some("web".to_owned()), pause: Duration::ZERO });
    bed.told("the nodes of web are replaced").await;
    assert_eq!(bed.names(), ["web-3", "web-4"]);
    bed.serve(&["web-3", "web-4"]).await;
    let zones = bed.stage.nodes().all().into_iter().map(|node| node.zone).collect::<Vec<_>>();
    assert_eq!(zones, ["eu-west-1a", "eu-west-1b"], "each in the zone of the old one");
    assert_eq!(bed.node("web-1").await, Value::Null);
    assert_eq!(bed.cilium_node("web-1").await, Value::Null);
    assert!(!bed.stage.folder().join("web-1").exists());
    let state = bed
        .stage
        .ec2()
        .with(|ec2, _| ec2.world().truth().instance(&old.instance).map(|instance| instance.state));
    let running = Some(ec2_sim::model::InstanceState::Running);
    assert_ne!(state, running, "the instance is terminated");
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_be_replaced_stays() {
    let bed = Bed::open(&plan(vec![group("web", 1)])).await;
    bed.serve(&["web-1"]).await;
    bed.happen(&What::SubnetTaken { subnet: "a".to_owned(), left: Left::Addresses(0) });
    bed.told("0 addresses are left").await;
    bed.happen(&What::Drain { group: None, pause: Duration::ZERO });
    bed.told("web-2 is not launched, and web-1 stays").await;
    bed.told("the nodes are replaced").await;
    assert_eq!(bed.names(), ["web-1"]);
    assert_eq!(bed.node("web-1").await["spec"].get("unschedulable"), None);
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outages_end() {
    let bed = Bed::open(&plan(vec![group("web", 1)])).await;
    bed.serve(&["web-1"]).await;
    let length = Duration::from_secs(2);
    bed.happen(&What::Ec2Outage { length });
    bed.happen(&What::ApiOutage { length });
    bed.told("EC2 is out").await;
    bed.told("the API server is out").await;
    bed.told("EC2 is back").await;
    bed.told("the API server is back").await;
    assert!(bed.stage.ec2().with(|ec2, _| ec2.faults().is_empty()));
    assert!(!bed.node("web-1").await.is_null(), "the API server answers again");
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_fail_as_long_as_ec2_is_out() {
    let bed = Bed::open(&plan(Vec::new())).await;
    is_ready(&bed).await;
    let before = bed.failed_calls();
    bed.happen(&What::Ec2Outage { length: AWAY });
    bed.told("EC2 is out").await;
    let endpoint = bed.stage.ec2_endpoint();
    let refused = ask(&endpoint).await;
    assert!(refused.contains("ServiceUnavailable"), "{refused}");
    assert!(bed.failed_calls() > before);
    bed.told("EC2 is back").await;
    assert!(!ask(&endpoint).await.contains("ServiceUnavailable"));
    bed.end().await;
}

/// What EC2 answers to somebody who asks for subnets.
async fn ask(endpoint: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let place = endpoint.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(place).await.unwrap();
    let request = format!(
        "GET /?Action=DescribeSubnets&Version=2016-11-15 HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=any/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn subnets_and_buckets_change_at_once() {
    let bed = Bed::open(&plan(vec![group("web", 1)])).await;
    bed.serve(&["web-1"]).await;
    bed.happen(&What::SubnetTaken { subnet: "a".to_owned(), left: Left::Addresses(5) });
    bed.told("others take addresses of subnet a: 5 addresses are left").await;
    bed.happen(&What::Buckets { multiplier: 0.25 });
    bed.told("0.25 times").await;
    let (left, multiplier) = bed.stage.ec2().with(|ec2, _| {
        let mut subnets = ec2.world().truth().subnets();
        let subnet = subnets.find(|subnet| subnet.tags["Name"] == "a").unwrap();
        (subnet.available_ipv4, ec2.buckets().settings.multiplier)
    });
    assert_eq!((left, multiplier.to_string()), (5, "0.25".to_owned()));
    bed.end().await;
}

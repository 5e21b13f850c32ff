//! A watcher over a real socket: an agent that answers what it is told to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use berth_agent::status::{FamilyReport, Report};
use ec2_sim::build::{Holding, NewInstance, NewInterface, NewSubnet, NewVpc};
use ec2_sim::face::shared::Shared;
use ec2_sim::id::InstanceId;
use ec2_sim::{Ec2, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

use crate::audit::Outages;
use crate::book::Book;
use crate::moment::{Moment, Node, NodeState};
use crate::news::News;
use crate::nodes::{NodeAt, Nodes};
use crate::watch::Watcher;

/// The number of the only instance.
const INSTANCE: u64 = 1;

fn ec2() -> Shared {
    let mut ec2 = Ec2::new(Settings::default());
    let vpc = ec2.build().vpc(NewVpc::new("10.0.0.0/16".parse().unwrap())).unwrap();
    let new = NewSubnet::new(vpc, "eu-west-1a", "10.0.1.0/24".parse().unwrap());
    let subnet = ec2.build().subnet(new).unwrap();
    let ipv4 = Holding { prefix_count: 2, ..Holding::default() };
    let new = NewInstance {
        id: Some(InstanceId::from_number(INSTANCE)),
        primary: NewInterface { ipv4, ..NewInterface::new(subnet.clone()) },
        ..NewInstance::new("m5.large", subnet)
    };
    ec2.build().instance(new).unwrap();
    Shared::new(ec2)
}

fn node(name: &str, socket: Option<PathBuf>) -> NodeAt {
    NodeAt {
        name: name.to_owned(),
        group: "all".to_owned(),
        instance: InstanceId::from_number(INSTANCE),
        instance_type: "m5.large".to_owned(),
        zone: "eu-west-1a".to_owned(),
        socket,
        queue: "queue".into(),
        pods_at_most: 20,
        is_draining: false,
    }
}

fn report(ready: bool, family: &FamilyReport) -> Report {
    let families = vec![FamilyReport { family: "IPv4".to_owned(), ..family.clone() }];
    Report { ready, families, ..Report::default() }
}

/// Answers every question with the report, until it is aborted.
fn agent(socket: &Path, report: &Report) -> JoinHandle<()> {
    let listener = UnixListener::bind(socket).unwrap();
    let body = serde_json::to_string(report).unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    let answer: Arc<str> = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut question = [0; 1024];
            let _length = stream.read(&mut question).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
}

fn only(moment: &Moment) -> Node {
    assert_eq!(moment.nodes.len(), 1);
    moment.nodes[0].clone()
}

#[tokio::test]
async fn an_agent_is_shown_as_it_answers_and_as_it_answered_last() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent.sock");
    let (nodes, news) = (Nodes::default(), News::default());
    nodes.put(node("n1", Some(socket.clone())));
    let mut watcher = Watcher::new(ec2(), nodes, Book::default(), news.clone(), Outages::default());
    assert_eq!(only(&watcher.look(None).await).state, NodeState::Joining);

    let family =
        FamilyReport { attached: 9, free: 4, used: 3, cooling: 2, ..FamilyReport::default() };
    let running = agent(&socket, &report(true, &FamilyReport { withdrawn: 1, ..family }));
    let seen = only(&watcher.look(None).await);
    assert_eq!((seen.state, seen.free, seen.used, seen.cooling), (NodeState::Ready, 4, 4, 2));
    assert_eq!((seen.enis, seen.prefixes), (1, 2));

    running.abort();
    let _ended = running.await;
    std::fs::remove_file(&socket).unwrap();
    let gone = only(&watcher.look(None).await);
    assert_eq!((gone.state, gone.free, gone.used, gone.cooling), (NodeState::Silent, 4, 4, 2));
    let told: Vec<String> = news.last(9).into_iter().map(|line| line.text).collect();
    assert_eq!(told, ["n1: ready for pods", "n1: the agent does not answer"]);
    assert_eq!(watcher.findings(), []);
}

#[tokio::test]
async fn an_agent_that_says_nothing_is_silent_and_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let (nodes, socket) = (Nodes::default(), folder.path().join("agent.sock"));
    nodes.put(node("n1", Some(socket.clone())));
    // It takes connections, and never reads or answers.
    let _listener = UnixListener::bind(&socket).unwrap();
    let mut watcher =
        Watcher::new(ec2(), nodes, Book::default(), News::default(), Outages::default());
    assert_eq!(only(&watcher.look(None).await).state, NodeState::Joining);
}

#[tokio::test]
async fn what_an_agent_says_is_audited_and_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let (nodes, news) = (Nodes::default(), News::default());
    let socket = folder.path().join("agent.sock");
    nodes.put(node("n1", Some(socket.clone())));
    let wrong = report(false, &FamilyReport { attached: 2, free: 1, ..FamilyReport::default() });
    let running = agent(&socket, &wrong);
    let mut watcher = Watcher::new(ec2(), nodes, Book::default(), news.clone(), Outages::default());
    for _ in 0..2 {
        let moment = watcher.look(None).await;
        assert_eq!((only(&moment).state, moment.findings.len()), (NodeState::Joining, 1));
    }
    let told = news.last(9);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].is_trouble && told[0].text.starts_with("a promise is broken: the ledger of n1")
    );
    assert_eq!(watcher.findings().len(), 1);
    running.abort();
}

#[tokio::test]
async fn nodes_of_others_are_shown_without_being_asked() {
    let nodes = Nodes::default();
    nodes.put(node("n1", None));
    let mut watcher =
        Watcher::new(ec2(), nodes.clone(), Book::default(), News::default(), Outages::default());
    let moment = watcher.look(None).await;
    assert_eq!(only(&moment).state, NodeState::Foreign);
    assert_eq!((moment.operator.as_str(), moment.findings.len()), ("away", 0));
    nodes.put(NodeAt { is_draining: true, ..node("n1", Some("nowhere".into())) });
    assert_eq!(only(&watcher.look(None).await).state, NodeState::Draining);
}

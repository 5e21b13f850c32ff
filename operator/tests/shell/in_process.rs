//! The operator inside this process, on a paused clock.

use std::sync::Arc;
use std::time::Duration;

use berth_operator::aws::{Aws, AwsSettings, static_credentials};
use berth_operator::board::{Board, Readiness};
use berth_operator::settings::Settings;
use berth_operator::shell::{self, RunError};
use ec2_sim::face::sdk::InProcess;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::bed::Bed;

struct Operator {
    board: Arc<Board>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Operator {
    /// Asks it to end, which it does in good order and in time.
    async fn ends_within(self, limit: Duration) {
        drop(self.stop);
        timeout(limit, self.task).await.unwrap().unwrap().unwrap();
    }
}

fn start(bed: &Bed, name: &str) -> Operator {
    start_with(bed, name, &[])
}

fn start_with(bed: &Bed, name: &str, flags: &[&str]) -> Operator {
    let flags = ["--identity", name].into_iter().chain(flags.iter().copied());
    let settings = Settings::from_arguments(flags).unwrap();
    let board = Board::new();
    let aws_settings = AwsSettings {
        region: Some("eu-west-1".to_owned()),
        observer: board.observer(),
        ..AwsSettings::new(bed.kube.now())
    };
    let aws = Aws::over(InProcess::new(bed.ec2.clone()), static_credentials(name), &aws_settings);
    let (stop, stopped) = oneshot::channel::<()>();
    let (client, shown) = (bed.kube.client(name), Arc::clone(&board));
    let stopped = async { drop(stopped.await) };
    let task = tokio::spawn(shell::run(settings, aws.unwrap(), client, shown, stopped));
    Operator { board, stop, task }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(2), "{what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// The value of a series.
fn value(board: &Board, series: &str) -> f64 {
    let text = board.exposition();
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_fresh_node_gets_its_addresses_and_then_nothing_happens() {
    let bed = Bed::new();
    bed.register();
    bed.create_node().await;
    let operator = start(&bed, "first");
    until("the node has a pool", || bed.pool() == 8).await;
    assert_eq!(operator.board.readiness(), Readiness::Ready);
    let row = operator.board.row("node-1").unwrap();
    assert_eq!((row.available, row.used, row.needed, row.enis), (8, 0, 0, 1));
    assert_eq!(
        bed.kube.counters().writes("ciliumnodes"),
        3,
        "made by the agent, then status and spec"
    );

    sleep(Duration::from_mins(1)).await;
    let (turns, calls) = (value(&operator.board, "berth_loop_turns_total"), bed.calls());
    let writes = bed.kube.counters().writes("ciliumnodes");
    sleep(Duration::from_hours(1)).await;
    let turned = value(&operator.board, "berth_loop_turns_total") - turns;
    let called = bed.calls() - calls;
    assert_eq!(bed.kube.counters().writes("ciliumnodes"), writes);
    // Subnets each five minutes, the node each fifteen, and what is shown once after each.
    assert!(called <= 40, "{called} calls in an idle hour");
    assert!(turned <= 4.0 * 40.0, "{turned} turns in an idle hour");
}

#[tokio::test(start_paused = true)]
async fn a_standby_takes_over_when_the_leader_ends() {
    let bed = Bed::new();
    bed.register();
    let first = start(&bed, "first");
    until("the first leads", || bed.holder().as_deref() == Some("first")).await;
    until("the first is ready", || first.board.readiness() == Readiness::Ready).await;
    let second = start(&bed, "second");
    sleep(Duration::from_secs(5)).await;
    assert_eq!(second.board.readiness(), Readiness::Standby);
    let idle = value(&second.board, "berth_loop_turns_total");
    sleep(Duration::from_mins(1)).await;
    assert!(value(&second.board, "berth_loop_turns_total") <= idle, "a standby does nothing");

    first.ends_within(Duration::from_secs(10)).await;
    until("the second leads", || second.board.readiness() == Readiness::Ready).await;
    bed.create_node().await;
    until("the node has a pool", || bed.pool() == 8).await;

    second.ends_within(Duration::from_secs(10)).await;
    assert_eq!(bed.holder(), None, "the Lease is given back");
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_is_waited_for_and_the_definition_is_installed() {
    let bed = Bed::new();
    let away = json!({"client": "first", "effect": "refuse"});
    let away = bed.kube.add_fault(serde_json::from_value(away).unwrap());
    let operator = start(&bed, "first");
    sleep(Duration::from_mins(2)).await;
    assert_eq!(operator.board.readiness(), Readiness::Starting);
    assert!(bed.kube.remove_fault(away));
    until("it leads", || operator.board.readiness() == Readiness::Ready).await;
    bed.create_node().await;
    until("the node has a pool", || bed.pool() == 8).await;
    operator.ends_within(Duration::from_secs(10)).await;
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_observes_installs_no_definition() {
    let bed = Bed::new();
    let operator = start_with(&bed, "first", &["--mode=observe"]);
    sleep(Duration::from_mins(2)).await;
    assert_eq!(bed.kube.counters().writes("customresourcedefinitions"), 0);
    bed.register();
    until("it leads", || operator.board.readiness() == Readiness::Ready).await;
    operator.ends_within(Duration::from_secs(10)).await;
}

/// Each assignment takes as long as that.
fn slow_assignments(bed: &Bed, milliseconds: u64) {
    let rule = json!({"action": "AssignPrivateIpAddresses", "effect": {"delay": milliseconds}});
    let rule = serde_json::from_value(rule).unwrap();
    bed.ec2.with(|ec2, _| ec2.build().faults().add(rule));
}

#[tokio::test(start_paused = true)]
async fn a_change_on_its_way_is_waited_for_and_no_other_is_sent() {
    let bed = Bed::new();
    bed.register();
    slow_assignments(&bed, 5_000);
    let operator = start(&bed, "first");
    bed.create_node().await;
    until("it is on its way", || bed.changes() == 1).await;
    drop(operator.stop);
    let start = Instant::now();
    timeout(Duration::from_secs(10), operator.task).await.unwrap().unwrap().unwrap();
    assert!(start.elapsed() > Duration::from_secs(3), "it was not waited for");
    assert_eq!(bed.changes(), 1, "nothing more was sent");
    let answered = "cilium_operator_ipam_ip_allocation_ops{subnet_id=\"subnet-0000000a\"}";
    assert!(value(&operator.board, answered) >= 8.0, "what came of it was counted");
    assert_eq!(bed.holder(), None, "the Lease is given back");
}

#[tokio::test(start_paused = true)]
async fn what_is_never_answered_is_not_waited_for_longer_than_ten_seconds() {
    let bed = Bed::new();
    bed.register();
    slow_assignments(&bed, 25_000);
    let operator = start(&bed, "first");
    bed.create_node().await;
    until("it is on its way", || bed.changes() == 1).await;
    operator.ends_within(Duration::from_secs(10)).await;
}

/// The Lease cannot be given back either. What is left of the ten seconds is for HTTP.
#[tokio::test(start_paused = true)]
async fn nor_is_it_when_the_api_server_is_away() {
    let bed = Bed::new();
    bed.register();
    slow_assignments(&bed, 25_000);
    let operator = start(&bed, "first");
    bed.create_node().await;
    until("it is on its way", || bed.changes() == 1).await;
    let away = json!({"client": "first", "effect": "partition"});
    bed.kube.add_fault(serde_json::from_value(away).unwrap());
    operator.ends_within(Duration::from_millis(9_400)).await;
}

#[tokio::test(start_paused = true)]
async fn nodes_that_cannot_be_watched_end_nothing() {
    let bed = Bed::new();
    bed.register();
    let refused = json!({"resource": "ciliumnodes", "effect": "unavailable"});
    let refused = bed.kube.add_fault(serde_json::from_value(refused).unwrap());
    let operator = start(&bed, "first");
    sleep(Duration::from_mins(5)).await;
    assert_eq!(operator.board.readiness(), Readiness::Observing);
    assert_eq!(bed.changes(), 0);
    assert!(bed.kube.remove_fault(refused));
    bed.create_node().await;
    until("the node has a pool", || bed.pool() == 8).await;
    operator.ends_within(Duration::from_secs(10)).await;
}

#[tokio::test(start_paused = true)]
async fn without_the_lease_nothing_is_changed_and_with_it_all_goes_on() {
    let bed = Bed::new();
    bed.register();
    let operator = start(&bed, "first");
    until("it leads", || operator.board.readiness() == Readiness::Ready).await;
    let away = json!({"client": "first", "effect": "partition"});
    let away = bed.kube.add_fault(serde_json::from_value(away).unwrap());
    bed.create_node().await;
    until("it leads no more", || operator.board.readiness() == Readiness::Standby).await;
    assert_eq!(operator.board.rows(), [], "what the term knew is gone with it");
    let changes = bed.changes();
    sleep(Duration::from_mins(1)).await;
    assert_eq!(bed.changes(), changes, "nothing is changed without the Lease");
    assert!(!operator.task.is_finished(), "it goes back to standby and does not end");

    assert!(bed.kube.remove_fault(away));
    until("the node has a pool", || bed.pool() == 8).await;
    operator.ends_within(Duration::from_secs(10)).await;
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_observes_changes_nothing() {
    let bed = Bed::new();
    bed.register();
    bed.create_node().await;
    let operator = start_with(&bed, "first", &["--mode=observe"]);
    until("it says what it would do", || {
        operator
            .board
            .exposition()
            .contains("berth_would_change_total{action=\"AssignPrivateIpAddresses\"}")
    })
    .await;
    sleep(Duration::from_mins(1)).await;
    assert_eq!((bed.changes(), bed.pool()), (0, 0));
    assert_eq!(bed.kube.counters().writes("ciliumnodes"), 1, "that of its agent");
    assert_eq!(bed.kube.counters().writes("events"), 0);
    operator.ends_within(Duration::from_secs(10)).await;
}

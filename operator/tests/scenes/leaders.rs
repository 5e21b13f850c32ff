//! Operators that end, start and take over from each other.

use std::time::Duration;

use crate::rig::Rig;
use crate::scene::{play, scene};

const SECOND: Duration = Duration::from_secs(1);

/// A fresh node that needs an assignment and an interface.
const FRESH: &str = r#"
    subnet a zone a 10.0.0.0/24
    node node-1 m5.large in a per-ip {"spec": {"ipam": {"pre-allocate": 15}}}
"#;

/// Ends the operator as soon as EC2 has carried out the change of that number, whether it was told so or not.
async fn kill_after(rig: &mut Rig, name: &str, mutations: usize) {
    rig.start_operator(name);
    let start = tokio::time::Instant::now();
    while rig.mutations() < mutations && start.elapsed() < 60 * SECOND {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    rig.kill_operator(name);
}

/// Two restarts, the first one after so many changes and the second one after the next.
async fn restart_after(mutations: usize) {
    let mut rig = play(Rig::new(), FRESH).await;
    kill_after(&mut rig, "x", mutations).await;
    kill_after(&mut rig, "y", mutations + 1).await;
    rig.start_operator("z");
    rig.until(120 * SECOND, |rig| {
        let found = (rig.pool("node-1"), rig.enis("node-1"), rig.held("node-1"));
        (found != (15, 2, 15)).then(|| format!("killed after {mutations}: {found:?}"))
    })
    .await;
    rig.wait(60 * SECOND).await;
    assert_eq!((rig.pool("node-1"), rig.held("node-1")), (15, 15), "after {mutations}");
    assert_eq!(rig.made_by_berth().len(), 1, "{}", rig.journal_text());
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_fresh_node_costs_four_calls() {
    let text =
        format!("{FRESH}\nstart x\nuntil 60s node-1 pool 15 enis 2\nmutations 4\nwrites-at-most 4");
    scene(&text).await;
}

#[tokio::test(start_paused = true)]
async fn restarts_in_the_middle_double_and_leak_nothing() {
    for mutations in 1..=4 {
        restart_after(mutations).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_replaced_within_20_seconds() {
    let rig = Rig::new();
    let mut rig = play(
        rig,
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        start x
        until 60s node-1 pool 8
        start y
        wait 30s
        ",
    )
    .await;
    let by_other = |rig: &Rig| rig.count_calls(|call| call.access_key == "operator-y");
    assert_eq!(by_other(&rig), 0, "who does not lead asks nothing of EC2");
    rig.kill_operator("x");
    rig.agent("node-1").use_addresses(7);
    rig.until(20 * SECOND, |rig| (rig.mutations() == 1).then(|| "nobody goes on".to_owned())).await;
    rig.until(10 * SECOND, |rig| {
        let pool = rig.pool("node-1");
        (pool != 15).then(|| format!("pool {pool}"))
    })
    .await;
    assert_eq!(rig.made_by_berth().len(), 1);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_is_stopped_gives_its_lease_back() {
    let mut rig = play(
        Rig::new(),
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        start x
        until 60s node-1 pool 8
        start y
        wait 30s
        stop x
        mark
        ",
    )
    .await;
    rig.agent("node-1").use_addresses(7);
    let passed = rig
        .until(10 * SECOND, |rig| (rig.mutations() == 0).then(|| "nobody goes on".to_owned()))
        .await;
    assert!(passed < 10 * SECOND, "{passed:?}");
    rig = play(rig, "until 10s node-1 pool 15").await;
    rig.finish().await;
}

/// A leader that hears nothing for a minute and whose calls take as long: what it began ends when another one leads.
#[tokio::test(start_paused = true)]
async fn a_paused_leader_does_no_harm() {
    let mut rig = play(
        Rig::new(),
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        start x
        until 60s node-1 pool 8
        start y
        wait 10s
        fault {"caller": "operator-x", "effect": {"delay": 25000}}
        agent node-1 uses 7
        wait 200ms
        kube-fault {"client": "operator-x", "effect": "partition"}
        wait 15s
        mark
        wait 45s
        "#,
    )
    .await;
    let late = rig.count_calls(|call| call.access_key == "operator-x");
    assert_eq!(late, 0, "who cannot renew its lease asks nothing more\n{}", rig.journal_text());
    rig = play(rig, "clear\nwait 60s\nexpect node-1 pool 15 enis 2 held 15").await;
    assert_eq!(rig.running(), ["x", "y"]);
    assert_eq!(rig.made_by_berth().len(), 1);
    rig.finish().await;
}

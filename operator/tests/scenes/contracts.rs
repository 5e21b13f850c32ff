//! What the two generations of agents see: no state of an object contradicts itself (the witness of each rig looks at all
//! of them), and nobody waits for a pass.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::rig::Rig;
use crate::rig::agent::nodes;
use crate::scene::{play, scene, scene_on};

/// Until an agent of the second generation makes its first request, nobody can tell it from one of the first.
#[tokio::test(start_paused = true)]
async fn a_node_that_turns_out_to_be_cidr_loses_its_pool() {
    let rig = play(
        Rig::new(),
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a cidr
        agent node-1 silent
        start x
        until 60s node-1 pool 8 addresses 8
        ",
    )
    .await;
    let rig = scene_on(
        rig,
        r"
        agent node-1 uses 3
        agent node-1 speaks
        until 60s node-1 pool 0 addresses 11 enis 2
        expect node-1 used 3
        mutations 5
        writes-at-most 6
        ",
    )
    .await;
    let pools = &rig.object("node-1")["spec"]["ipam"]["pools"];
    assert_eq!(pools["requested"][0]["needed"]["ipv4-addrs"], json!(11), "the agent's own");
    assert_eq!(pools["allocated"][0]["cidrs"].as_array().unwrap().len(), 11);
}

/// An agent that is rolled back fills `used` and reads the pool again.
#[tokio::test(start_paused = true)]
async fn a_node_whose_agent_is_rolled_back_has_a_pool_again() {
    scene(
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a cidr
        agent node-1 uses 3
        start x
        until 60s node-1 pool 0 addresses 11 used 3
        agent node-1 per-ip
        until 60s node-1 pool 11 used 3
        mutations 4
        writes-at-most 6
        ",
    )
    .await;
}

/// One that is created again has everything at EC2 already: it is shown at once.
#[tokio::test(start_paused = true)]
async fn a_recreated_object_is_published_at_once() {
    let mut rig = play(
        Rig::new(),
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        agent node-1 uses 7
        start x
        until 60s node-1 pool 15 enis 2
        delete node-1
        wait 30s
        mark
        ",
    )
    .await;
    let object = rig.cilium_node("node-1", "m5.large", "a");
    rig.start_agent("node-1", crate::rig::agent::Generation::PerIp, &object);
    let passed = rig
        .until(Duration::from_secs(2), |rig| {
            let pool = rig.pool("node-1");
            (pool != 15).then(|| format!("pool {pool}"))
        })
        .await;
    assert!(passed < Duration::from_secs(2), "{passed:?}");
    scene_on(rig, "wait 1m\nmutations 0\nwrites 2").await;
}

async fn annotate(rig: &Rig, node: &str, ignore: &str) {
    let api = nodes(rig.kube.client("kubectl"));
    let patch = json!({"metadata": {"annotations": {"ipam.cilium.io/ignore": ignore}}});
    let patch = Patch::Merge(&patch);
    api.patch(node, &PatchParams::default(), &patch).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_ignored_node_is_left_alone() {
    let rig = play(
        Rig::new(),
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {"metadata": {"annotations": {"ipam.cilium.io/ignore": "TRUE"}}}
        start x
        wait 5m
        mutations 0
        writes 0
        "#,
    )
    .await;
    annotate(&rig, "node-1", "false").await;
    scene_on(rig, "until 60s node-1 pool 8\nmutations 1\nwrites 2").await;
}

#[tokio::test(start_paused = true)]
async fn a_node_is_left_alone_from_when_it_says_so() {
    let rig = play(
        Rig::new(),
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        node node-2 m5.large in a per-ip
        start x
        until 60s node-1 pool 8
        until 60s node-2 pool 8
        ",
    )
    .await;
    annotate(&rig, "node-1", "true").await;
    let rig = play(
        rig,
        r"
        mark
        agent node-1 uses 7
        agent node-2 uses 7
        until 60s node-2 pool 15
        wait 20m
        mutations 4
        writes-at-most 4
        expect node-1 pool 8 used 7
        ",
    )
    .await;
    annotate(&rig, "node-1", "false").await;
    scene_on(rig, "until 60s node-1 pool 15\nmutations 8\nwrites-at-most 8").await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_shown_of_a_deleted_node() {
    let rig = scene(
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        node node-2 m5.large in a per-ip
        start x
        until 60s node-1 pool 8
        until 60s node-2 pool 8
        metric cilium_operator_ipam_used_ips{target_node="node-1"} 0
        delete node-1
        wait 5s
        mutations 2
        writes 4
        "#,
    )
    .await;
    assert!(rig.row("node-1").is_none());
    assert!(rig.row("node-2").is_some());
    let metrics = rig.exposition("x");
    assert!(!metrics.contains("node-1"), "{metrics}");
    assert!(metrics.contains("node-2"), "{metrics}");
}

/// Pods that wait for an address raise the demand; those that need none do not.
#[tokio::test(start_paused = true)]
async fn waiting_pods_raise_the_demand() {
    scene(
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        node node-2 m5.large in a per-ip
        start x
        until 60s node-1 pool 8
        until 60s node-2 pool 8
        mark
        host-pods node-2 proxy 20
        pods node-1 web 12
        until 60s node-1 pool 18 enis 2
        wait 5m
        expect node-1 pool 18
        expect node-2 pool 8 enis 1
        mutations 4
        writes-at-most 4
        ",
    )
    .await;
}

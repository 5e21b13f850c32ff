//! Somebody else does the operator's work: Berth steps back and says so.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::rig::agent::nodes;
use crate::scene::{play, scene_on};

/// How long without a rival before Berth goes on: half of what it is unless set, and more than what is waited to see that
/// it does not.
const NODES: &str = r"
    flags --rival-grace 5m
    subnet a zone a 10.0.0.0/22
    node node-1 m5.large in a per-ip
    node node-2 m5.large in a per-ip
    node node-3 m5.large in a per-ip
    node node-4 m5.large in a per-ip
    start x
    until 60s node-1 pool 8
    until 60s node-2 pool 8
    until 60s node-3 pool 8
    until 60s node-4 pool 8
    wait 1m
    mark
";

/// A second operator, from another cluster perhaps, that believes something else.
async fn rival_writes(rig: &Rig, node: &str, status: bool) {
    let api = nodes(rig.kube.client("rival"));
    let parameters =
        PatchParams { field_manager: Some("rival-operator".into()), ..Default::default() };
    if status {
        let enis: Value = rig.object(node)["status"]["eni"]["enis"].clone();
        let (id, _) = enis.as_object().unwrap().iter().next().unwrap();
        let patch = json!({"status": {"eni": {"enis": {id: {"description": "mine"}}}}});
        api.patch_status(node, &parameters, &Patch::Merge(&patch)).await.unwrap();
    } else {
        let pool = rig.object(node)["spec"]["ipam"]["pool"].clone();
        let (address, _) = pool.as_object().unwrap().iter().next().unwrap();
        let patch = json!({"spec": {"ipam": {"pool": {address: null}}}});
        api.patch(node, &parameters, &Patch::Merge(&patch)).await.unwrap();
    }
}

async fn one_node(status: bool) {
    let rig = play(Rig::new(), NODES).await;
    rival_writes(&rig, "node-1", status).await;
    let rig = play(
        rig,
        r"
        until-blocked 10s node-1 RivalOperator
        metric berth_rivals_total 1
        agent node-1 uses 7
        agent node-2 uses 7
        until 60s node-2 pool 15
        wait 4m
        mutations 4
        writes-at-most 4
        blocked node-1 RivalOperator
        ",
    )
    .await;
    let text = r"
        until 2m node-1 pool 15 enis 2
        until-free 60s node-1
        mutations 8
        writes-at-most 9
    ";
    scene_on(rig, text).await;
}

#[tokio::test(start_paused = true)]
async fn a_rival_that_writes_the_status_of_a_node() {
    one_node(true).await;
}

#[tokio::test(start_paused = true)]
async fn a_rival_that_writes_the_pool_of_a_node() {
    one_node(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_rival_on_several_nodes_stops_everything() {
    let rig = play(Rig::new(), NODES).await;
    for node in ["node-1", "node-2", "node-3"] {
        rival_writes(&rig, node, true).await;
    }
    let rig = play(
        rig,
        r"
        until-blocked 10s node-4 RivalOperator
        agent node-4 uses 7
        wait 4m
        mutations 0
        writes 0
        ",
    )
    .await;
    let text = r"
        until 2m node-4 pool 15 enis 2
        until-free 60s node-1
        mutations 4
        writes-at-most 10
    ";
    scene_on(rig, text).await;
}

/// One that takes addresses away at EC2: what Berth shows follows, and the node is left to it.
#[tokio::test(start_paused = true)]
async fn a_rival_that_changes_interfaces_of_berth() {
    let rig = play(
        Rig::new(),
        r#"
        subnet a zone a 10.0.0.0/22
        node node-1 m5.large in a per-ip {"spec": {"eni": {"first-interface-index": 1}}}
        node node-2 m5.large in a per-ip
        start x
        until 60s node-1 pool 8
        until 60s node-2 pool 8
        wait 1m
        mark
        "#,
    )
    .await;
    let made = rig.made_by_berth();
    let (id, gone) = (made[0].id.clone(), made[0].secondary_ips[0]);
    rig.ec2.with(|ec2, _| ec2.build().unassign(&id, &[gone], &[])).unwrap();
    scene_on(
        rig,
        r"
        until-blocked 20m node-1 RivalOperator
        agent node-2 uses 7
        until 60s node-2 pool 15
        mutations 4
        until 20m node-1 pool 8 held 8
        until-free 60s node-1
        mutations 5
        writes-at-most 8
        ",
    )
    .await;
}

/// Agents write whole objects, and people edit: neither is an operator.
#[tokio::test(start_paused = true)]
async fn agents_and_people_are_no_rivals() {
    let rig = play(Rig::new(), NODES).await;
    let api = nodes(rig.kube.client("kubectl"));
    let patch = json!({
        "metadata": {"labels": {"a": "b"}},
        "spec": {"ipam": {"min-allocate": 9}, "eni": {"security-groups": []}},
    });
    api.patch("node-1", &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    for _ in 0..20 {
        rig.agent("node-2").beat();
        rig.wait(std::time::Duration::from_millis(300)).await;
    }
    scene_on(
        rig,
        r"
        until 60s node-1 pool 9
        agent node-2 uses 7
        until 60s node-2 pool 15
        metric berth_rivals_total 0
        free node-1
        free node-2
        mutations 5
        writes-at-most 6
        ",
    )
    .await;
}

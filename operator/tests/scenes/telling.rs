//! What agents are told of why their nodes get nothing more, and how much that costs.

use crate::rig::Rig;
use crate::scene::{play, scene, scene_on};

/// A node in a subnet that has four addresses left.
const EXHAUSTED: &str = r"
    subnet a zone a 10.0.0.0/24
    instance node-1 m5.large in a groups a
    leave a 4
    node node-1 m5.large in a per-ip
    start x
    until 60s node-1 pool 4
    until-told 10s node-1 nothing is left in subnet-0000000a
";

#[tokio::test(start_paused = true)]
async fn an_exhausted_subnet_is_named_until_there_is_another() {
    let text = format!(
        r"
        {EXHAUSTED}
        wait 10m
        told node-1 nothing is left in subnet-0000000a
        mutations 1
        writes-at-most 3
        subnet b zone a 10.0.1.0/24
        until 6m node-1 pool 8 enis 2
        until-told 30s node-1 -
        wait 10m
        told node-1 -
        mutations 4
        writes-at-most 6
        "
    );
    scene(&text).await;
}

/// The limits of its type are not known, so nothing is done for it: the agent is told along with its interfaces, and the other
/// write is `pre-allocate`.
#[tokio::test(start_paused = true)]
async fn a_node_that_gets_nothing_at_all_is_told_with_its_first_write() {
    scene(
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 zz9.plural in a per-ip
        start x
        wait 1s
        expect node-1 enis 1
        told node-1 the limits of zz9.plural are unknown: give them as an override, or allow DescribeInstanceTypes
        wait 20m
        mutations 0
        writes 2
        ",
    )
    .await;
}

/// A full node that serves all of its pods is as it should be.
#[tokio::test(start_paused = true)]
async fn a_full_node_says_so_while_pods_wait() {
    scene(
        r"
        subnet a zone a 10.0.0.0/19
        node node-1 t3.medium in a per-ip
        agent node-1 uses 15
        start x
        until 2m node-1 pool 15 enis 3 used 15
        until-blocked 60s node-1 InstanceFull
        wait 10m
        told node-1 -
        mark
        pods node-1 web 2
        until-told 20s node-1 every slot for pods of this t3.medium is taken
        wait 10m
        run web 2
        until-told 20s node-1 -
        wait 10m
        told node-1 -
        mutations 0
        writes 2
        ",
    )
    .await;
}

/// Whoever leads next withdraws what its predecessor said.
#[tokio::test(start_paused = true)]
async fn the_next_leader_knows_what_was_told() {
    let rig = play(Rig::new(), EXHAUSTED).await;
    scene_on(
        rig,
        r"
        kill x
        mark
        start y
        wait 10m
        told node-1 nothing is left in subnet-0000000a
        mutations 0
        writes 0
        kill y
        subnet b zone a 10.0.1.0/24
        start z
        until 2m node-1 pool 8 enis 2
        until-told 30s node-1 -
        mutations 3
        writes-at-most 4
        ",
    )
    .await;
}

/// EC2 answers nobody for half an hour, and what exactly is not answered changes all the time.
#[tokio::test(start_paused = true)]
async fn an_outage_is_told_and_costs_little() {
    let rig = play(
        Rig::new(),
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        start x
        until 60s node-1 pool 8
        fault {"effect": {"error": {"code": "Unavailable"}}}
        agent node-1 uses 7
        mark
        wait 30m
        "#,
    )
    .await;
    let told = rig.told("node-1");
    assert!(told.starts_with("EC2 does not answer to "), "{told}");
    assert!(rig.writes() <= 2, "{} writes in half an hour", rig.writes());
    play(rig, "clear\nuntil 15m node-1 pool 15 used 7\nuntil-told 30s node-1 -")
        .await
        .finish()
        .await;
}

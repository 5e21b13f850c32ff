//! Brakes: what the operator is told not to do.

use crate::rig::Rig;
use crate::scene::{play, scene};

/// It looks, says what it would do, and changes nothing anywhere.
#[tokio::test(start_paused = true)]
async fn observe_writes_nothing_at_all() {
    let rig = play(
        Rig::new(),
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        node node-2 m5.large in a cidr
        flags --mode observe
        start x
        wait 20m
        blocked node-1 OnlyObserved
        mutations 0
        writes 0
        ",
    )
    .await;
    let row = rig.row("node-1").unwrap();
    assert_eq!((row.enis, row.used), (1, 0));
    let metrics = rig.exposition("x");
    let would = r#"berth_would_change_total{action="AssignPrivateIpAddresses"} "#;
    assert!(metrics.contains(would), "{metrics}");
    rig.check_promises();
}

/// In a mode without releases everything else goes on.
#[tokio::test(start_paused = true)]
async fn no_release_grows_and_gives_nothing_back() {
    scene(
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        flags --mode no-release
        agent node-1 uses 7
        start x
        until 60s node-1 pool 15 used 7
        agent node-1 uses 0
        wait 20m
        expect node-1 pool 15 held 15
        calls UnassignPrivateIpAddresses 0
        mutations 5
        writes-at-most 6
        ",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_more_interfaces_are_made_than_an_hour_allows() {
    let rig = play(
        Rig::new(),
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {"spec": {"eni": {"first-interface-index": 1}}}
        node node-2 m5.large in a per-ip {"spec": {"eni": {"first-interface-index": 1}}}
        node node-3 m5.large in a per-ip
        flags --max-eni-creations-per-hour 1
        start x
        until 60s node-3 pool 8
        wait 50m
        calls CreateNetworkInterface 1
        "#,
    )
    .await;
    let waits = ["node-1", "node-2"].into_iter().find(|node| rig.pool(node) == 0).unwrap();
    assert_eq!(rig.blocked(waits), ["CreationCapReached"]);
    let text = format!(
        r"
        until 15m {waits} pool 8 enis 2
        until-free 60s {waits}
        wait 5s
        mutations 7
        writes-at-most 8
        "
    );
    crate::scene::scene_on(rig, &text).await;
}

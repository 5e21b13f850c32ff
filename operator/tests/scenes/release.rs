//! Addresses are given back to EC2, by agreement with agents of either generation.

use crate::scene::scene;

#[tokio::test(start_paused = true)]
async fn single_addresses_are_asked_for_and_given_back() {
    let rig = scene(
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        agent node-1 uses 7
        start x
        until 60s node-1 pool 15 used 7
        mark
        agent node-1 uses 0
        wait 170s
        expect node-1 pool 15 held 15
        until 60s node-1 pool 8 held 8
        wait 20m
        expect node-1 pool 8 held 8 enis 1
        calls UnassignPrivateIpAddresses 2
        calls DetachNetworkInterface 1
        calls DeleteNetworkInterface 1
        mutations 4
        writes-at-most 9
        ",
    )
    .await;
    let left = rig.object("node-1").pointer("/status/ipam/release-ips").cloned();
    assert!(left.is_none_or(|entries| entries == serde_json::json!({})), "every entry is cleared");
}

#[tokio::test(start_paused = true)]
async fn prefixes_are_given_back_when_the_agent_names_them_no_more() {
    scene(
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a cidr
        flags --aws-enable-prefix-delegation
        agent node-1 uses 20
        start x
        until 60s node-1 addresses 32 used 20
        mark
        agent node-1 uses 3
        wait 150s
        expect node-1 addresses 32 held 32
        until 90s node-1 addresses 16 held 16
        wait 20m
        expect node-1 addresses 16 held 16
        mutations 1
        writes-at-most 4
        ",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn another_operator_goes_on_where_the_last_one_was_killed() {
    scene(
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        flags --eni-gc-interval=0
        agent node-1 uses 7
        start x
        until 60s node-1 pool 15 used 7
        agent node-1 uses 0
        wait 185s
        kill x
        start y
        until 5m node-1 pool 8 held 8
        wait 5m
        agent node-1 uses 14
        until 60s node-1 used 14
        wait 60s
        mutations 13
        writes-at-most 30
        ",
    )
    .await;
}

//! Installations as engineers published them.

use crate::scene::scene;

/// Cilium 1.13 in ENI mode: a t3.medium with three interfaces of six addresses grows to its 15 and says that it is full.
#[tokio::test(start_paused = true)]
async fn a_t3_medium_grows_to_its_ceiling_and_says_so() {
    let rig = scene(
        r#"
        subnet a zone a 10.0.0.0/19
        node node-1 t3.medium in a per-ip {"spec": {"ipam": {"pre-allocate": 8}}}
        start x
        until 60s node-1 pool 8 enis 2
        free node-1
        agent node-1 uses 10
        until 60s node-1 pool 15 enis 3 used 10 held 15
        until-blocked 60s node-1 InstanceFull
        wait 20m
        expect node-1 pool 15 enis 3 used 10
        metric cilium_operator_ipam_available_ips{target_node="node-1"} 5
        metric berth_node_capacity_ips{target_node="node-1"} 15
        metric cilium_operator_ipam_used_ips{target_node="node-1"} 10
        metric cilium_operator_ipam_needed_ips{target_node="node-1"} 0
        metric berth_blocked_nodes{reason="InstanceFull"} 1
        calls CreateNetworkInterface 2
        mutations 8
        writes 8
        "#,
    )
    .await;
    assert_eq!(rig.events(), 1, "one reason, one event");
    let row = rig.row("node-1").unwrap();
    assert_eq!((row.enis, row.used, row.free), (3, 10, 5));
    assert_eq!(row.blocked[0].short, 3, "the watermark asks for three more");
}

/// Cilium 1.12 by Terraform: pods in subnets of a secondary CIDR, none on the first interface, prefixes, and a role without
/// `DescribeRouteTables`, `DescribeTags` and `DescribeInstances`.
#[tokio::test(start_paused = true)]
async fn pods_live_in_a_secondary_cidr_and_the_role_lacks_what_is_optional() {
    let rig = scene(
        r#"
        subnet a zone a 10.0.0.0/24
        subnet b zone a 100.64.0.0/20
        subnet c zone b 100.64.16.0/20
        flags --aws-enable-prefix-delegation=true --aws-release-excess-ips=true
        allow x DescribeNetworkInterfaces,DescribeSubnets,DescribeVpcs,DescribeSecurityGroups,CreateNetworkInterface,AttachNetworkInterface,ModifyNetworkInterfaceAttribute,AssignPrivateIpAddresses,CreateTags,UnassignPrivateIpAddresses,DeleteNetworkInterface,DescribeInstanceTypes
        node node-1 m5.large in a per-ip {"spec": {"eni": {"subnet-ids": ["subnet-0000000b", "subnet-0000000c"], "first-interface-index": 1}}}
        start x
        until 60s node-1 pool 16 enis 2 prefixes 1
        agent node-1 uses 12
        until 60s node-1 pool 32 enis 2 prefixes 2 used 12
        free node-1
        wait 1m
        mutations 4
        writes 4
        "#,
    )
    .await;
    let interfaces = rig.attached("node-1");
    let places: Vec<(u32, &str, usize)> = interfaces
        .iter()
        .map(|it| {
            let index = it.attachment.as_ref().unwrap().device_index;
            (index, it.subnet.as_str(), it.ipv4_prefixes.len())
        })
        .collect();
    assert!(places.contains(&(0, "subnet-0000000a", 0)), "{places:?}");
    assert!(places.contains(&(1, "subnet-0000000b", 2)), "{places:?}");
    let refused = rig.count_calls(|call| call.code == Some("UnauthorizedOperation"));
    assert!(refused <= 4, "what is not allowed is not asked for again and again: {refused}");
    let metrics = rig.exposition("x");
    assert!(
        metrics.contains(r#"berth_permission_missing{action="DescribeRouteTables"} 1"#),
        "{metrics}"
    );
}

//! Interfaces that exist: empty ones are let go, those behind other security groups are put back, and what nobody claims is cleaned
//! up.

use std::sync::Arc;
use std::time::Duration;

use ec2_sim::model::{Interface, Tags};
use serde_json::json;

use crate::rig::Rig;
use crate::scene::{play, scene, scene_on};

/// The pods that needed a second interface go: its addresses, then it, and then its own address are back in the subnet.
#[tokio::test(start_paused = true)]
async fn an_empty_interface_is_detached_and_deleted() {
    let rig =
        play(Rig::new(), "subnet a zone a 10.0.0.0/24\nnode node-1 m5.large in a per-ip").await;
    let free = rig.free_in("a");
    let rig = scene_on(
        rig,
        r#"
        agent node-1 uses 7
        start x
        until 60s node-1 pool 15 enis 2
        mark
        agent node-1 uses 0
        until 5m node-1 pool 8 held 8
        wait 9m
        expect node-1 enis 2 attached 2
        metric berth_idle_enis 1
        until 3m node-1 enis 1
        expect node-1 attached 2
        until 60s node-1 attached 1
        until-made 60s 0
        wait 5s
        expect node-1 pool 8 held 8 enis 1
        metric berth_enis_detached_total{subnet_id="subnet-0000000a"} 1
        metric berth_enis_deleted_total{subnet_id="subnet-0000000a"} 1
        metric berth_idle_enis 0
        wait 30m
        expect node-1 pool 8 held 8 enis 1
        calls DetachNetworkInterface 1
        calls DeleteNetworkInterface 1
        calls CreateNetworkInterface 0
        mutations 4
        writes-at-most 9
        "#,
    )
    .await;
    assert_eq!(rig.free_in("a") + 8, free, "what the pool holds, and nothing else");
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_the_second_generation_loses_nothing_by_it() {
    scene(
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a cidr {"spec": {"ipam": {"pre-allocate": 1}}}
        agent node-1 uses 19
        start x
        until 60s node-1 addresses 20 enis 3 used 19
        agent node-1 uses 0
        until 10m node-1 addresses 1 held 1
        until 30m node-1 enis 2 attached 2
        until-made 60s 1
        agent node-1 uses 18
        until 60s node-1 used 18 addresses 19 enis 3
        wait 20m
        expect node-1 used 18 addresses 19 held 19 enis 3
        calls DetachNetworkInterface 1
        mutations 17
        writes-at-most 16
        "#,
    )
    .await;
}

/// Of all pods one stays, whose address is on an interface that Berth made.
#[tokio::test(start_paused = true)]
async fn an_interface_with_a_used_address_stays() {
    let rig = play(
        Rig::new(),
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        agent node-1 uses 14
        start x
        until 60s node-1 used 14 pool 22 enis 3
        mark
        ",
    )
    .await;
    let interfaces = rig.attached("node-1");
    let used = rig.agent("node-1").used();
    let is_used = |it: &&Arc<Interface>| it.secondary_ips.iter().any(|one| used.contains_key(one));
    let kept = interfaces.iter().filter(|it| index(it) != 0).find(is_used).unwrap();
    rig.agent("node-1").keep(1, &kept.secondary_ips);
    let rig = scene_on(
        rig,
        r"
        expect node-1 used 1
        wait 90m
        expect node-1 used 1 pool 9 held 9 enis 2 attached 2
        calls DetachNetworkInterface 1
        mutations 5
        writes-at-most 12
        ",
    )
    .await;
    assert!(rig.attached("node-1").iter().any(|it| it.id == kept.id), "{}", rig.describe());
}

fn index(interface: &Interface) -> u32 {
    interface.attachment.as_ref().map_or(0, |at| at.device_index)
}

#[tokio::test(start_paused = true)]
async fn an_empty_interface_stays_where_nobody_may_let_it_go() {
    for flags in ["--eni-idle-delay=0", "--aws-release-excess-ips=false", "--mode=no-release"] {
        let text = format!(
            r"
            subnet a zone a 10.0.0.0/24
            node node-1 m5.large in a per-ip
            agent node-1 uses 7
            start x
            until 60s node-1 pool 15 enis 2
            agent node-1 uses 0
            until 5m node-1 pool 8 held 8
            stop x
            flags {flags}
            start x
            wait 60m
            expect node-1 pool 8 held 8 enis 2 attached 2
            calls DetachNetworkInterface 0
            mutations 7
            writes-at-most 14
            "
        );
        scene(&text).await;
    }
}

/// What cannot be detached is left where it is, and nothing else suffers.
#[tokio::test(start_paused = true)]
async fn without_the_permission_it_stays_attached() {
    scene(
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        allow x DescribeNetworkInterfaces,DescribeSubnets,DescribeVpcs,DescribeRouteTables,DescribeSecurityGroups,GetSecurityGroupsForVpc,CreateNetworkInterface,AttachNetworkInterface,ModifyNetworkInterfaceAttribute,AssignPrivateIpAddresses,CreateTags,UnassignPrivateIpAddresses,DeleteNetworkInterface,DescribeInstanceTypes
        agent node-1 uses 7
        start x
        until 60s node-1 pool 15 enis 2
        agent node-1 uses 0
        until 20m node-1 pool 8 held 8
        wait 15m
        expect node-1 pool 8 enis 2 attached 2
        metric berth_permission_missing{action="DetachNetworkInterface"} 1
        agent node-1 uses 7
        until 60s node-1 pool 15 used 7
        calls DetachNetworkInterface 1
        mutations 10
        writes-at-most 18
        "#,
    )
    .await;
}

/// Somebody tries something out by hand. The operator sees it at its next look, and once more, and puts it back.
#[tokio::test(start_paused = true)]
async fn an_interface_is_put_back_behind_its_security_groups() {
    let rig = play(
        Rig::new(),
        r"
        subnet a zone a 10.0.0.0/24
        group b team=other
        node node-1 m5.large in a per-ip
        agent node-1 uses 7
        start x
        until 60s node-1 pool 15 enis 2
        mark
        ",
    )
    .await;
    let groups = |rig: &Rig| rig.made_by_berth()[0].groups.clone();
    let before = groups(&rig);
    let eni = rig.made_by_berth()[0].id.clone();
    rig.regroup(&eni, "sg-0000000b").await;
    assert_ne!(groups(&rig), before);
    rig.until(Duration::from_mins(40), |rig| {
        (groups(rig) != before).then(|| format!("behind {:?}", groups(rig)))
    })
    .await;
    let text = r#"
        wait 60m
        metric berth_security_groups_repaired_total{subnet_id="subnet-0000000a"} 1
        metric berth_audit_findings_total{kind="GroupsDrifted"} 1
        calls ModifyNetworkInterfaceAttribute 2
        mutations 2
        writes-at-most 2
        "#;
    let rig = scene_on(rig, text).await;
    assert_eq!(rig.events(), 1, "on the Node, for whoever did it");
}

#[tokio::test(start_paused = true)]
async fn security_groups_are_left_as_they_are_where_that_is_said() {
    let rig = play(
        Rig::new(),
        r"
        subnet a zone a 10.0.0.0/24
        group b team=other
        node node-1 m5.large in a per-ip
        flags --repair-security-groups=false
        agent node-1 uses 7
        start x
        until 60s node-1 pool 15 enis 2
        mark
        ",
    )
    .await;
    let eni = rig.made_by_berth()[0].id.clone();
    rig.regroup(&eni, "sg-0000000b").await;
    let rig = scene_on(rig, "wait 60m\nmutations 1\nwrites-at-most 1").await;
    assert_eq!(rig.made_by_berth()[0].groups, ["sg-0000000b".parse().unwrap()]);
}

/// A node is deleted with its instance, and the interface was told to outlive it.
#[tokio::test(start_paused = true)]
async fn what_an_instance_leaves_behind_is_cleaned_up() {
    let rig = scene(
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {"spec": {"eni": {"delete-on-termination": false}}}
        node node-2 m5.large in a per-ip
        agent node-1 uses 7
        agent node-2 uses 7
        start x
        until 60s node-1 pool 15 enis 2
        until 60s node-2 pool 15 enis 2
        mark
        terminate node-1
        delete node-1
        wait 9m
        expect-made 2
        until-made 20m 1
        wait 5s
        metric berth_enis_cleaned_up_total 1
        wait 30m
        metric berth_unclaimed_enis 0
        expect node-2 pool 15 held 15 enis 2
        calls DeleteNetworkInterface 1
        mutations 1
        writes 0
        "#,
    )
    .await;
    assert_eq!(rig.made_by_berth().len(), 1, "that of the other node");
}

/// Interfaces of other clusters, of somebody else, without a word of which instance they were made for, and one for a node that is
/// there.
#[tokio::test(start_paused = true)]
async fn what_is_not_certainly_left_behind_is_not_touched() {
    let rig = play(
        Rig::new(),
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        start x
        until 60s node-1 pool 8
        mark
        ",
    )
    .await;
    let tags = |more: &[(&str, &str)]| -> Tags {
        let own = [("berth/managed", "true"), ("berth/created-at", "2020-01-01T00:00:00Z")];
        let all = own.iter().chain(more);
        all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let (ours, other) = (("berth/cluster", "scenes"), ("berth/cluster", "other"));
    let gone = "Cilium-CNI (i-0000dead)";
    let no_manage = ("node.k8s.amazonaws.com/no_manage", "true");
    let stay = [
        rig.add_loose("a", gone, tags(&[other])),
        rig.add_loose("a", gone, tags(&[])),
        rig.add_loose("a", gone, tags(&[ours, no_manage])),
        rig.add_loose("a", "made by hand", tags(&[ours])),
    ];
    let goes = rig.add_loose("a", gone, tags(&[ours]));
    rig.until(Duration::from_mins(20), |rig| {
        rig.made_by_berth().iter().find(|it| it.id == goes).map(|it| it.id.to_string())
    })
    .await;
    rig.wait(Duration::from_hours(1)).await;
    let left: Vec<_> = rig.made_by_berth().iter().map(|it| it.id.clone()).collect();
    assert!(stay.iter().all(|id| left.contains(id)), "{left:?}");
    assert_eq!(rig.calls("DeleteNetworkInterface"), 1, "{}", rig.describe());
    assert_eq!(rig.object("node-1")["status"]["ipam"]["operator-status"], json!(null));
}

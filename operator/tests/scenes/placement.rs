//! Where interfaces are made, behind which groups, and which are left alone.

use serde_json::json;

use crate::rig::Rig;
use crate::rig::cluster::id;
use crate::scene::{play, scene, scene_on};

#[tokio::test(start_paused = true)]
async fn an_unknown_type_does_not_stop_the_others() {
    scene(
        r"
        subnet a zone a 10.0.0.0/24
        node node-1 zz9.plural in a per-ip
        node node-2 m5.large in a per-ip
        node node-3 m5.large in a cidr
        start x
        until 60s node-2 pool 8
        until 60s node-3 addresses 8
        until-blocked 60s node-1 LimitsUnknown
        expect node-1 pool 0 enis 1
        mutations 2
        wait 20m
        mutations 2
        writes-at-most 6
        ",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_full_subnet_is_said_and_a_new_one_is_used() {
    let rig = scene(
        r"
        subnet a zone a 10.0.0.0/24
        instance node-1 m5.large in a groups a
        leave a 4
        node node-1 m5.large in a per-ip
        start x
        until 60s node-1 pool 4
        until-blocked 60s node-1 SubnetsExhausted
        mutations 1
        wait 10m
        expect node-1 pool 4 enis 1
        mutations 1
        subnet b zone a 10.0.1.0/24
        until 6m node-1 pool 8 enis 2
        until-free 60s node-1
        mutations 4
        writes-at-most 6
        ",
    )
    .await;
    assert_eq!(rig.made_in(&id("subnet-", "b")), 1);
}

#[tokio::test(start_paused = true)]
async fn a_subnet_in_another_zone_is_no_place_for_an_interface() {
    scene(
        r#"
        subnet a zone a 10.0.0.0/24
        subnet b zone b 10.0.1.0/24
        node node-1 m5.large in a per-ip {"spec": {"eni": {"subnet-ids": ["subnet-0000000b"], "first-interface-index": 1}}}
        start x
        until-blocked 60s node-1 NoSubnetWithId
        wait 5m
        expect node-1 pool 0 enis 1
        mutations 0
        writes-at-most 2
        "#,
    )
    .await;
}

/// One door: what a node says of groups, and the groups that its new interface is behind.
async fn groups(eni: serde_json::Value, expected: &[&str]) {
    let text = format!(
        r"
        subnet a zone a 10.0.0.0/24
        group b app=web
        group c app=web
        group d app=other
        instance node-1 m5.large in a groups d
        node node-1 m5.large in a per-ip {}
        start x
        until 60s node-1 pool 8 enis 2
        mutations 3
        writes-at-most 4
        ",
        json!({"spec": {"eni": eni}})
    );
    let rig = scene(&text).await;
    let made = rig.made_by_berth();
    let mut found: Vec<String> = made[0].groups.iter().map(ToString::to_string).collect();
    found.sort();
    assert_eq!(found, expected);
}

#[tokio::test(start_paused = true)]
async fn security_groups_by_id_by_tag_and_of_the_primary() {
    let named = json!({"first-interface-index": 1, "security-groups": ["sg-0000000c"]});
    groups(named, &["sg-0000000c"]).await;
    let tagged = json!({"first-interface-index": 1, "security-group-tags": {"app": "web"}});
    groups(tagged, &["sg-0000000b", "sg-0000000c"]).await;
    groups(json!({"first-interface-index": 1}), &["sg-0000000d"]).await;
}

#[tokio::test(start_paused = true)]
async fn groups_that_nobody_has_block_a_node() {
    scene(
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {"spec": {"eni": {"first-interface-index": 1, "security-group-tags": {"app": "web"}}}}
        start x
        until-blocked 60s node-1 NoSecurityGroupWithTags
        mutations 0
        group b app=web
        until 6m node-1 pool 8 enis 2
        mutations 3
        writes-at-most 4
        "#,
    )
    .await;
}

/// Interfaces of others hold what they held, and no call names them.
#[tokio::test(start_paused = true)]
async fn interfaces_of_others_are_left_alone() {
    let rig = play(
        Rig::new(),
        r"
        subnet a zone a 10.0.0.0/24
        instance node-1 m5.xlarge in a groups a
        foreign node-1 index 1 in a node.k8s.amazonaws.com/no_manage=true
        foreign node-1 index 2 in a team=other
        instance node-2 m5.xlarge in a groups a
        foreign node-2 index 1 in a node.k8s.amazonaws.com/instance_id=i-00000002
        ",
    )
    .await;
    let foreign = foreign(&rig);
    assert_eq!(foreign.len(), 3);
    let rig = scene_on(
        rig,
        r#"
        node node-1 m5.xlarge in a per-ip {"spec": {"eni": {"exclude-interface-tags": {"team": "other"}}}}
        node node-2 m5.xlarge in a cidr
        start x
        until 60s node-1 pool 8 enis 3
        agent node-1 uses 14
        until 60s node-1 pool 22 enis 4 used 14
        agent node-2 uses 20
        until 60s node-2 enis 3 used 20
        wait 20m
        mutations 11
        writes-at-most 14
        "#,
    )
    .await;
    for (id, before) in &foreign {
        let after = rig.ec2.with(|ec2, _| ec2.world().truth().interface(id).cloned()).unwrap();
        assert_eq!(&after, before);
        let named = rig.count_calls(|call| {
            let name = call.action.map_or("", |action| action.name());
            let parameters = format!("{:?}", call.parameters);
            !name.starts_with("Describe") && parameters.contains(id.as_str())
        });
        assert_eq!(named, 0, "{id}");
    }
}

type Interface = std::sync::Arc<ec2_sim::model::Interface>;

fn foreign(rig: &Rig) -> Vec<(ec2_sim::id::InterfaceId, Interface)> {
    rig.ec2.with(|ec2, _| {
        let all = ec2.world().truth().interfaces();
        let foreign = all.filter(|interface| interface.description == "somebody else's");
        foreign.map(|interface| (interface.id.clone(), interface.clone())).collect()
    })
}

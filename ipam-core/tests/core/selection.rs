//! Choice of subnets and of security groups.

use ipam_core::security_group;
use ipam_core::subnet::{Offer, best, candidates};
use ipam_core::view::View;

use crate::world::World;

/// Three subnets of the fixtures: two zones and VPCs, one without a free address.
const SUBNETS: &str = "
    subnet subnet-1 10.0.0.0/26 free 10 vpc vpc-1 zone us-west-1 tags tag1=yes
    subnet subnet-2 10.1.0.0/26 free 20 vpc vpc-2 zone us-east-1 tags tag1=yes
    subnet subnet-3 10.0.1.0/26 free 0 vpc vpc-1 zone us-west-1 tags tag2=yes\n";

/// The choice for a new interface of an m5.large: `subnet-1 ById`, or the label of the reason.
fn chosen(text: &str) -> String {
    let world = World::new(text);
    let view = View { node: &world.node, network: &world.network };
    match candidates(view, world.node.limits.unwrap(), &world.policy) {
        Ok(found) => best(&found, |it| Some(Offer { all: true, left: it.subnet.free_addresses }))
            .map_or("none".into(), |it| format!("{} {:?}", it.id, it.rule)),
        Err(reason) => reason.label().into(),
    }
}

fn check_fixture(node: &str, expected: &str) {
    assert_eq!(chosen(&format!("{SUBNETS}node m5.large {node}")), expected, "{node}");
}

#[test]
fn by_ids_as_in_the_fixtures() {
    let here = "vpc vpc-1 zone us-west-1 subnet-ids";
    check_fixture(&format!("{here} subnet-1"), "subnet-1 ById");
    check_fixture(&format!("{here} subnet-3"), "subnet-3 ById");
    check_fixture(&format!("{here} subnet-1,subnet-3"), "subnet-1 ById");
    check_fixture(&format!("{here} subnet-9"), "NoSubnetWithId");
    check_fixture("vpc vpc-9 zone us-west-1 subnet-ids subnet-1", "NoSubnetWithId");
    check_fixture("vpc vpc-1 zone us-west-9 subnet-ids subnet-1", "NoSubnetWithId");
}

#[test]
fn by_tags_as_in_the_fixtures() {
    let here = "vpc vpc-1 zone us-west-1";
    check_fixture(&format!("{here} subnet-tags tag1=yes"), "subnet-1 ByTags");
    check_fixture(&format!("{here} subnet-tags tag2=yes"), "subnet-3 ByTags");
    check_fixture(here, "subnet-1 SameZone");
    check_fixture(&format!("{here} subnet-tags tag1=yes,tag2=yes"), "NoSubnetWithTags");
}

#[test]
fn a_typo_falls_through_only_where_the_policy_says_so() {
    let here = "policy fall-through\n node m5.large vpc vpc-1 zone us-west-1";
    let check = |node: &str, expected: &str| {
        assert_eq!(chosen(&format!("{SUBNETS}{here} {node}")), expected, "{node}");
    };
    check("subnet-ids subnet-9", "subnet-1 SameZone");
    check("subnet-ids subnet-9 subnet-tags tag2=yes", "subnet-3 ByTags");
    check("subnet-tags tag9=yes", "subnet-1 SameZone");
    check("subnet-tags tag1=no", "subnet-1 SameZone");
}

#[test]
fn ids_come_before_tags() {
    let node = "vpc vpc-1 zone us-west-1 subnet-ids subnet-3 subnet-tags tag1=yes";
    check_fixture(node, "subnet-3 ById");
}

#[test]
fn subnets_that_share_a_route_table_come_before_others() {
    let subnets = "
        subnet subnet-1 10.0.1.0/26 free 4
        subnet subnet-2 10.0.2.0/26 free 20
        subnet subnet-3 10.0.3.0/26 free 25 zone b
        subnet subnet-4 10.0.4.0/26 free 30\n";
    let check = |rest: &str, expected: &str| {
        assert_eq!(chosen(&format!("{subnets}{rest}")), expected, "{rest}");
    };
    let tables = "table rtb-1 vpc-1 subnet-1,subnet-2,subnet-3,subnet-8
        table rtb-2 vpc-1 subnet-4\n";
    let node = "node m5.large in subnet-1";
    check(&format!("{tables}{node}"), "subnet-2 SharedRouteTable");
    check(&format!("{tables}{node} vpc vpc-2"), "NoSubnet");
    check(
        &format!("table rtb-1 vpc-1 subnet-1,subnet-2,subnet-3,subnet-4\n{node}"),
        "subnet-4 SharedRouteTable",
    );
    check(&format!("table rtb-1 vpc-2 subnet-1,subnet-2\n{node}"), "subnet-4 SameZone");
    check(node, "subnet-4 SameZone");
}

#[test]
fn the_subnet_of_the_node_needs_room_for_a_full_interface() {
    let check = |free: u32, expected: &str| {
        let text = format!(
            "subnet subnet-1 10.0.1.0/26 free {free}\n subnet subnet-2 10.0.2.0/26 free 40
             node m5.large in subnet-1"
        );
        assert_eq!(chosen(&text), expected, "{free} free");
    };
    check(10, "subnet-1 NodeSubnet");
    check(9, "subnet-2 SameZone");
}

#[test]
fn the_subnet_of_the_node_is_not_its_own_sibling() {
    let text = "node m5.large in subnet-1
        subnet subnet-1 10.0.1.0/26 free 9
        subnet subnet-2 10.0.2.0/26 free 8
        table rtb-1 vpc-1 subnet-1,subnet-2";
    assert_eq!(chosen(text), "subnet-2 SharedRouteTable");
}

#[test]
fn ties_go_to_the_lowest_id() {
    let text = "node m5.large
        subnet subnet-2 10.0.2.0/26 free 9
        subnet subnet-1 10.0.1.0/26 free 9
        subnet subnet-3 10.0.3.0/26 free 8";
    assert_eq!(chosen(text), "subnet-1 SameZone");
}

fn check_groups(text: &str, expected: &str) {
    let world = World::new(&format!("subnet subnet-1 10.0.0.0/24\n{text}"));
    let view = View { node: &world.node, network: &world.network };
    let groups = match security_group::choose(view, &world.policy) {
        Ok(ids) => {
            ids.iter().map(ipam_core::ids::SecurityGroupId::as_str).collect::<Vec<_>>().join(",")
        }
        Err(reason) => reason.label().into(),
    };
    assert_eq!(groups, expected, "{text}");
}

#[test]
fn security_groups_by_id_by_tags_or_from_the_primary_interface() {
    let groups = "group sg-3 tags k3=v3,x=y
        group sg-2 tags k3=v3
        group sg-4 tags k3=v4
        group sg-5 tags k3=v3 vpc vpc-2
        eni eni-2 at 1 groups sg-7
        eni eni-1 at 0 groups sg-9,sg-8\n";
    let check = |node: &str, expected: &str| check_groups(&format!("{groups}{node}"), expected);
    check("node m5.large groups sg-9,sg-1,sg-9", "sg-1,sg-9");
    check("node m5.large group-tags k3=v3", "sg-2,sg-3");
    check("node m5.large group-tags k3=v3,x=y", "sg-3");
    check("node m5.large", "sg-8,sg-9");
    check("node m5.large group-tags k3=v9", "NoSecurityGroupWithTags");
    check("policy fall-through\n node m5.large group-tags k3=v9", "sg-8,sg-9");
    check_groups("node m5.large\n eni eni-2 at 1 groups sg-7", "NoSecurityGroup");
}

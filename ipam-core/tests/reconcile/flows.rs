//! Node flows that Cilium's operator is tested with, through the whole machine.

use ipam_core::ids::SecurityGroupId;

use crate::door::check;

const ONE_SUBNET: &str = "subnet subnet-1 10.0.0.0/24 free 201\n";

#[track_caller]
fn check_in_one_subnet(text: &str, steps: &str) -> crate::rig::Rig {
    check(&format!("{ONE_SUBNET}{text}"), steps)
}

#[test]
fn m5_large_grows_onto_a_second_interface() {
    let rig = check_in_one_subnet(
        "node node-1 m5.large pre 8 group-tags test-sg-1=yes
         group sg-2 tags test-sg-1=yes",
        "start -> 8 on 1 by assign
         used 7 -> 15 on 2 by assign create attach modify",
    );
    let made = rig.cloud.enis.values().find(|it| it.eni.id.as_str() == "eni-new0001").unwrap();
    let groups: Vec<&str> = made.eni.security_groups.iter().map(SecurityGroupId::as_str).collect();
    assert_eq!(groups, ["sg-2"]);
}

#[test]
fn prefixes_come_first_and_single_addresses_when_no_block_is_left() {
    check_in_one_subnet(
        "operator prefixes
         node node-1 m5.large pre 8",
        "start -> 16 on 1 by prefix
         used 12 -> 32 on 1 by prefix
         scatter subnet-1 15, used 25 -> 33 on 1 by prefix assign",
    );
}

#[test]
fn m5_4xlarge_honours_a_negative_pre_allocation() {
    check_in_one_subnet(
        "node node-1 m5.4xlarge pre -1 min 10",
        "start -> 10 on 1 by assign
         used 8 -> 10 on 1
         settings min 20 pre 1 -> 20 on 1 by assign",
    );
}

#[test]
fn m3_large_keeps_its_minimum() {
    check_in_one_subnet(
        "node node-1 m3.large pre 1 min 10",
        "start -> 10 on 2 by assign create attach modify
         used 9 -> 10 on 2
         used 10 -> 11 on 2 by assign
         used 8 -> 11 on 2",
    );
}

#[test]
fn m4_xlarge_takes_a_cushion_whenever_it_grows() {
    check_in_one_subnet(
        "node node-1 m4.xlarge pre 2 min 10 above 3",
        "start -> 13 on 1 by assign
         used 11 -> 13 on 1
         used 13 -> 18 on 2 by assign create attach modify",
    );
}

#[test]
fn an_interface_that_is_not_to_be_managed_is_left_alone() {
    check_in_one_subnet(
        "node node-1 m5.large pre 8 tags cilium.io/no_manage=true exclude cilium.io/no_manage=true",
        "start -> 8 on 2 by create attach modify
         used 7 -> 15 on 3 by assign create attach modify",
    );
}

#[test]
fn t2_xlarge_goes_on_to_its_third_interface() {
    check_in_one_subnet(
        "node node-1 t2.xlarge pre 8 min 20",
        "start -> 20 on 2 by assign create attach modify
         used 40 -> 42 on 3 InstanceFull by assign create attach modify",
    );
}

#[test]
fn a_new_interface_is_made_in_the_subnet_of_the_node() {
    let rig = check(
        "subnet subnet-1 10.0.0.0/24 free 201
         subnet subnet-2 10.0.2.0/23 free 500
         node node-1 t2.xlarge pre 16",
        "start -> 16 on 2 by assign create attach modify",
    );
    let made = rig.cloud.enis.values().find(|it| it.eni.id.as_str() == "eni-new0001").unwrap();
    assert_eq!(made.eni.subnet.as_str(), "subnet-1");
}

#[test]
fn a_node_that_lost_its_interfaces_keeps_what_is_known_of_it() {
    let mut rig = check_in_one_subnet(
        "node node-1 m4.large pre 8 used 2
         eni eni-2 of node-1 at 1 addresses 8",
        "start -> 10 on 2 by assign",
    );
    rig.is_stale = true;
    rig.cloud.other_deletes("eni-2");
    rig.cloud.other_deletes("eni-node1");
    let changes = rig.changes().count();
    rig.run(rig.settings.audit_interval * 2);
    assert_eq!(crate::door::labels(&rig, &"node-1".parse().unwrap()), ["InstanceNotObserved"]);
    assert_eq!(rig.changes().count(), changes, "nothing is changed for it");
}

#[test]
fn one_hundred_nodes_have_exactly_what_they_ask_for() {
    let rig = check(
        "subnet subnet-1 10.0.0.0/20
         nodes 100 m5.xlarge pre 1 min 10",
        "start, on node-0100 -> 10 on 1 by assign",
    );
    assert_eq!(rig.changes().count(), 100);
    assert!(rig.nodes.keys().all(|name| rig.available(name) == 10));
    let totals = rig.machine.totals(rig.now);
    assert_eq!((totals.nodes, totals.in_deficit, totals.at_capacity), (100, 0, 0));
}

//! Node flows that Cilium's operator is tested with, and field installations: a node's use changes,
//! plans are carried out on the model until none is left, and the outcome is compared.

use ipam_core::view::Demand;

use crate::world::World;

/// Each step changes the node and says behind `->` how many addresses and interfaces it ends with:
/// `used 7 -> 15 on 2`. The number of rounds is bounded, and the audit is clean after each action.
fn check(text: &str, steps: &str) -> World {
    let mut world = World::new(text);
    for step in steps.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (change, expected) = step.split_once(" -> ").expect("an arrow");
        change.split(", ").for_each(|change| alter(&mut world, change));
        world.settle().unwrap_or_else(|error| panic!("{step}: {error}"));
        let outcome = format!("{} on {}", world.available(), world.node.enis.len());
        assert_eq!(outcome, expected, "{step}\n{text}");
    }
    world
}

fn alter(world: &mut World, change: &str) {
    let (what, value) = change.split_once(' ').unwrap_or((change, ""));
    match what {
        "start" => {}
        "used" => world.node.demand = Demand::PerIp { used: value.parse().unwrap() },
        "waiting" => world.node.waiting_pods = value.parse().unwrap(),
        "min" => {
            let text = format!("node m5.4xlarge min {value}");
            world.node.settings.watermarks = World::new(&text).node.settings.watermarks;
        }
        "scatter" => world.occupy(&"subnet-1".parse().unwrap(), value.parse().unwrap(), true),
        "vacate" => world.vacate_blocks(&"subnet-1".parse().unwrap(), value.parse().unwrap()),
        other => panic!("no change {other:?}"),
    }
}

const ONE_SUBNET: &str = "subnet subnet-1 10.0.0.0/24 free 201\n";

fn check_in_one_subnet(text: &str, steps: &str) -> World {
    check(&format!("{ONE_SUBNET}{text}"), steps)
}

#[test]
fn m5_large_grows_onto_a_second_interface() {
    let world = check_in_one_subnet(
        "node m5.large pre 8 in subnet-1 group-tags test-sg-1=yes
         group sg-1 tags test-sg-1=yes
         group sg-2 tags test-sg-1=no
         eni eni-1 at 0 groups sg-2",
        "start -> 8 on 1
         used 7 -> 15 on 2",
    );
    let groups: Vec<&str> = world.node.enis[1]
        .security_groups
        .iter()
        .map(ipam_core::ids::SecurityGroupId::as_str)
        .collect();
    assert_eq!(groups, ["sg-1"]);
}

#[test]
fn m5_large_with_prefixes_falls_back_to_single_addresses_when_no_block_is_left() {
    check_in_one_subnet(
        "policy prefixes
         node m5.large pre 8 in subnet-1
         eni eni-1 at 0",
        "start -> 16 on 1
         used 12 -> 32 on 1
         scatter 15, used 25 -> 33 on 1",
    );
}

#[test]
fn prefixes_come_back_when_enough_blocks_are_free_again() {
    check(
        "policy prefixes return-at 4
         node m5.xlarge pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/22
         eni eni-1 at 0",
        "start -> 16 on 1
         scatter 40, used 12 -> 20 on 1
         used 15 -> 23 on 1
         vacate 3, used 16 -> 24 on 1
         vacate 4, used 17 -> 40 on 1",
    );
}

#[test]
fn m5_4xlarge_honours_a_negative_pre_allocation() {
    check_in_one_subnet(
        "node m5.4xlarge pre -1 min 10 in subnet-1
         eni eni-1 at 0",
        "start -> 10 on 1
         used 8 -> 10 on 1
         min 20 -> 20 on 1",
    );
}

#[test]
fn m3_large_keeps_its_minimum() {
    check_in_one_subnet(
        "node m3.large pre 1 min 10 in subnet-1
         eni eni-1 at 0",
        "start -> 10 on 2
         used 9 -> 10 on 2
         used 10 -> 11 on 2
         used 8 -> 11 on 2",
    );
}

#[test]
fn m4_xlarge_takes_a_cushion_whenever_it_grows() {
    check_in_one_subnet(
        "node m4.xlarge pre 2 min 10 above 3 in subnet-1
         eni eni-1 at 0",
        "start -> 13 on 1
         used 11 -> 13 on 1
         used 13 -> 18 on 2
         used 10 -> 18 on 2",
    );
}

#[test]
fn an_excluded_interface_stays_as_it_is() {
    let world = check_in_one_subnet(
        "node m5.large pre 8 in subnet-1 exclude cilium.io/no_manage=true
         eni eni-1 at 0 tags cilium.io/no_manage=true",
        "start -> 8 on 2
         used 7 -> 15 on 3",
    );
    assert!(world.node.enis[0].ipv4.addresses.is_empty());
}

#[test]
fn t2_xlarge_ends_at_its_capacity() {
    check_in_one_subnet(
        "node t2.xlarge pre 8 min 20 in subnet-1
         eni eni-1 at 0",
        "start -> 20 on 2
         used 40 -> 42 on 3",
    );
}

#[test]
fn new_interfaces_are_made_in_the_subnet_of_the_node() {
    let world = check(
        "node t2.xlarge pre 16 in subnet-1
         subnet subnet-1 10.0.0.0/24 free 201
         subnet subnet-2 10.0.2.0/23 free 500
         table rtb-1 vpc-1 subnet-1,subnet-2
         eni eni-1 at 0",
        "start -> 16 on 2",
    );
    assert_eq!(world.node.enis[1].subnet.as_str(), "subnet-1");
}

#[test]
fn generic_watermarks_end_where_they_should() {
    let node = "subnet subnet-1 10.0.0.0/24\n eni eni-1 at 0\n node m5.4xlarge in subnet-1";
    check(
        &format!("{node} pre 4 min 15 above 4"),
        "start -> 19 on 1
         used 11 -> 19 on 1
         used 19 -> 27 on 1",
    );
    check(&format!("{node} pre 1 min 3"), "start -> 3 on 1\n used 3 -> 4 on 1");
}

#[test]
fn a_node_that_is_not_running_is_left_alone() {
    check_in_one_subnet("node m4.large first 1 stopped\n eni eni-1 at 0", "start -> 0 on 1");
}

#[test]
fn a_node_whose_interfaces_are_not_seen_is_left_alone() {
    let world = check_in_one_subnet("node m4.large used 2 in subnet-1", "start -> 0 on 0");
    assert_eq!(world.plan().blocked[0].reason.label(), "InstanceNotObserved");
}

/// Field set-up 1: a t3.medium at its ceiling, ten addresses in use.
#[test]
fn t3_medium_at_its_ceiling_is_reported_as_full() {
    let world = check(
        "node t3.medium pre 8 used 10 in subnet-1
         subnet subnet-1 192.168.0.0/19
         eni eni-1 at 0 addresses 5
         eni eni-2 at 1 addresses 5
         eni eni-3 at 2 addresses 5",
        "start -> 15 on 3",
    );
    let blocked: Vec<String> = world.plan().blocked.iter().map(ToString::to_string).collect();
    assert_eq!(blocked, ["every slot for pods of this t3.medium is taken (short by 3)"]);
}

/// Field set-up 4: pods in tagged subnets of a secondary CIDR, none on eth0, prefixes.
#[test]
fn pods_live_in_the_subnets_of_a_secondary_cidr() {
    let world = check(
        "policy prefixes
         node m5.xlarge pre 8 first 1 in subnet-1 subnet-ids subnet-2,subnet-3
         subnet subnet-1 10.0.0.0/24
         subnet subnet-2 100.64.0.0/18
         subnet subnet-3 100.64.64.0/18 zone b
         eni eni-1 at 0",
        "start -> 16 on 2
         used 100 -> 112 on 2
         waiting 60, used 112 -> 176 on 2",
    );
    assert!(world.node.enis[0].ipv4.prefixes.is_empty());
    assert_eq!(world.node.enis[1].subnet.as_str(), "subnet-2");
    assert_eq!(world.node.enis[1].attachment.as_ref().unwrap().device_index, 1);
}

#[test]
fn waiting_pods_raise_the_demand_of_a_node_whose_watermark_is_met() {
    check_in_one_subnet(
        "node m5.large pre 8 in subnet-1
         eni eni-1 at 0",
        "start -> 8 on 1
         waiting 8 -> 8 on 1
         waiting 9 -> 9 on 1
         waiting 0, used 9 -> 17 on 2
         waiting 400, used 9 -> 27 on 3",
    );
}

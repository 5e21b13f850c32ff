//! Single plans: what is asked for, where, in which order, and what is held back and why.

use crate::world::{World, check_plan as check, plan_lines as lines};

#[test]
fn attached_interfaces_are_filled_by_ascending_index_before_one_is_created() {
    check(
        "node m5.large pre 20 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-9 at 0 addresses 2
         eni eni-1 at 1 addresses 3",
        "assign 7 addresses of subnet-1 to eni-9
         assign 6 addresses of subnet-1 to eni-1
         create an interface in subnet-1 for index 2 with 2 addresses",
    );
}

#[test]
fn several_interfaces_are_made_at_once_each_with_all_it_should_hold() {
    check(
        "node m5.xlarge pre 8 min 50 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0",
        "assign 14 addresses of subnet-1 to eni-1
         create an interface in subnet-1 for index 1 with 14 addresses
         create an interface in subnet-1 for index 2 with 14 addresses
         create an interface in subnet-1 for index 3 with 8 addresses",
    );
}

#[test]
fn a_new_interface_is_asked_for_all_its_prefixes() {
    check(
        "policy prefixes
         node m5.large pre 40 first 1 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0",
        "create an interface in subnet-1 for index 1 with 3 prefixes",
    );
}

#[test]
fn a_created_interface_is_attached_and_then_told_to_end_with_its_instance() {
    let mut world = World::new(
        "node m5.large pre 12 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 9",
    );
    let step = |world: &mut World, expected: &[&str]| {
        assert_eq!(lines(world), expected);
        let actions = world.plan().actions;
        world.apply_all(&actions).unwrap();
    };
    step(&mut world, &["create an interface in subnet-1 for index 1 with 3 addresses"]);
    step(&mut world, &["attach eni-new1 at index 1"]);
    step(&mut world, &["let eni-new1 end with its instance"]);
    step(&mut world, &[]);

    let created = &world.node.enis[1];
    assert_eq!(created.description, "Cilium-CNI (i-1)");
    assert_eq!(created.tags["berth/managed"], "true");
}

#[test]
fn only_interfaces_made_for_the_node_are_told_to_end_with_it() {
    let node = "subnet subnet-1 10.0.0.0/24\n eni eni-1 at 0 addresses 8 outlives\n";
    let own = "eni eni-2 at 1 own outlives\n";
    check(&format!("{node}{own}node m5.large"), "let eni-2 end with its instance");
    check(&format!("{node}{own}node m5.large outlive"), "");
    check(&format!("{node}eni eni-2 at 1 outlives\n node m5.large"), "");
    check(&format!("{node}eni eni-2 at 1 own outlives detaching\n node m5.large"), "");
}

#[test]
fn foreign_excluded_and_special_interfaces_take_slots_and_are_left_alone() {
    check(
        "node m5.xlarge pre 8 first 1 exclude team=db in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0
         eni eni-2 at 1 tags node.k8s.amazonaws.com/no_manage=true
         eni eni-3 at 2 tags team=db,env=live",
        "create an interface in subnet-1 for index 3 with 8 addresses",
    );
    check(
        "node m5.xlarge pre 8 first 1 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0
         eni eni-2 at 1 special
         eni eni-3 at 2 tags node.k8s.amazonaws.com/instance_id=i-1
         eni eni-4 at 1 card 1",
        "create an interface in subnet-1 for index 3 with 8 addresses",
    );
    check(
        "node m5.xlarge pre 8 exclude team=db in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 tags team=web",
        "assign 8 addresses of subnet-1 to eni-1",
    );
}

/// EKS tags the primary interface of its nodes as the AWS VPC CNI tags its own, whoever manages it.
#[test]
fn the_tag_of_the_vpc_cni_means_nothing_on_a_primary_interface() {
    check(
        "node m5.xlarge pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 tags node.k8s.amazonaws.com/instance_id=i-1",
        "assign 8 addresses of subnet-1 to eni-1",
    );
    check(
        "node m5.xlarge pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 tags node.k8s.amazonaws.com/no_manage=true",
        "create an interface in subnet-1 for index 1 with 8 addresses",
    );
}

#[test]
fn the_limit_of_a_type_with_many_cards_is_that_of_card_0() {
    check(
        "node p5.48xlarge pre 120 in subnet-1
         subnet subnet-1 10.0.0.0/22
         eni eni-1 at 0 addresses 49
         eni eni-2 at 1 addresses 49
         eni eni-3 at 1 card 1",
        "blocked: every slot for pods of this p5.48xlarge is taken (short by 22)",
    );
}

#[test]
fn an_interface_that_comes_or_goes_is_not_filled() {
    check(
        "node m5.large pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 9
         eni eni-2 at 1 attaching addresses 2
         node m5.large used 11",
        "create an interface in subnet-1 for index 2 with 1 addresses
         blocked: eni-2 is being attached or detached: there is more room afterwards (short by 7)",
    );
    check(
        "node m5.large pre 8 used 9 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 9
         eni eni-2 at 1 detaching addresses 9",
        "create an interface in subnet-1 for index 2 with 8 addresses",
    );
}

#[test]
fn interfaces_that_were_made_and_not_attached_come_first() {
    check(
        "node m5.large pre 12 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0
         eni eni-2 own addresses 6",
        "attach eni-2 at index 1
         assign 6 addresses of subnet-1 to eni-1",
    );
    check(
        "node m5.large pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 8
         eni eni-2 own addresses 6",
        "attach eni-2 at index 1",
    );
    check(
        "node m5.large pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 8
         eni eni-2 own",
        "",
    );
    check(
        "node m5.large pre 12 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 8
         eni eni-2 addresses 6",
        "assign 1 addresses of subnet-1 to eni-1
         create an interface in subnet-1 for index 1 with 3 addresses",
    );
    check(
        "node m5.large pre 8 max 10 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 6
         eni eni-2 own addresses 6",
        "assign 2 addresses of subnet-1 to eni-1
         blocked: eni-2 was made for this node and cannot be attached to it: Berth deletes it if Berth made it and no tag keeps it; \
         otherwise delete it or its tag",
    );
}

#[test]
fn primary_addresses_count_where_they_are_for_pods() {
    check(
        "node m5.large pre 12 primary in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0",
        "assign 9 addresses of subnet-1 to eni-1
         create an interface in subnet-1 for index 1 with 1 addresses",
    );
    check(
        "node m5.large pre 11 primary in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 9",
        "create an interface in subnet-1 for index 1 with 0 addresses",
    );
}

#[test]
fn a_maximum_below_a_whole_prefix_is_met_with_single_addresses() {
    check(
        "policy prefixes
         node m5.large pre 8 max 20 used 16 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 prefixes 1",
        "assign 4 addresses of subnet-1 to eni-1
         blocked: max-allocate 20 is reached (short by 4)",
    );
}

#[test]
fn a_sibling_subnet_with_blocks_comes_before_single_addresses() {
    let subnets = "subnet subnet-1 10.0.0.0/24 free 60 scattered
         subnet subnet-2 10.0.1.0/24
         table rtb-1 vpc-1 subnet-1,subnet-2";
    check(
        &format!("policy prefixes\n node m5.large pre 8 in subnet-1\n{subnets}\n eni eni-1 at 0"),
        "create an interface in subnet-2 for index 1 with 1 prefixes",
    );
    check(
        &format!(
            "policy prefixes\n node m5.large pre 8 in subnet-1 subnet-ids subnet-1\n{subnets}
             eni eni-1 at 0"
        ),
        "assign 8 addresses of subnet-1 to eni-1
         blocked: subnet-1 has too few free /28 blocks: single addresses are used",
    );
}

#[test]
fn a_refusal_of_prefixes_is_not_one_of_addresses() {
    let node = "policy prefixes\n node m5.large pre 8 in subnet-1\n eni eni-1 at 0\n";
    check(
        &format!("subnet subnet-1 10.0.0.0/24 refuses-prefixes\n{node}"),
        "assign 8 addresses of subnet-1 to eni-1
         blocked: subnet-1 has too few free /28 blocks: single addresses are used",
    );
    check(
        &format!("subnet subnet-1 10.0.0.0/24 refuses-addresses\n{node}"),
        "assign 1 prefixes of subnet-1 to eni-1",
    );
    check(
        "subnet subnet-1 10.0.0.0/24 refuses-addresses\n node m5.large in subnet-1\n eni eni-1 at 0",
        "blocked: nothing is left in subnet-1 (short by 8)",
    );
}

#[test]
fn without_a_map_of_blocks_the_count_of_free_addresses_bounds_the_prefixes() {
    check(
        "policy prefixes blocks-unknown
         subnet subnet-1 10.0.0.0/24 free 34
         node m5.large pre 64 in subnet-1
         eni eni-1 at 0",
        "assign 2 prefixes of subnet-1 to eni-1
         assign 1 addresses of subnet-1 to eni-1
         blocked: nothing is left in subnet-1 (short by 31)
         blocked: subnet-1 has too few free /28 blocks: single addresses are used",
    );
}

#[test]
fn an_exhausted_subnet_is_left_for_the_next_that_may_be_used() {
    check(
        "node m5.xlarge pre 30 in subnet-1 subnet-tags pods=yes
         subnet subnet-1 10.0.0.0/24 free 4
         subnet subnet-2 10.0.1.0/24 free 9 tags pods=yes
         subnet subnet-3 10.0.2.0/24 free 12 tags pods=yes
         subnet subnet-4 10.0.3.0/24
         eni eni-1 at 0",
        "assign 3 addresses of subnet-1 to eni-1
         create an interface in subnet-3 for index 1 with 11 addresses
         create an interface in subnet-2 for index 2 with 8 addresses
         blocked: nothing is left in subnet-1, subnet-2, subnet-3 (short by 8)",
    );
}

#[test]
fn what_is_planned_for_one_node_is_not_there_for_the_next_in_the_same_round() {
    let text = "node m5.large pre 8 first 1 in subnet-1
         subnet subnet-1 10.0.0.0/24 free 12
         eni eni-1 at 0";
    let mut world = World::new(text);
    let first = world.plan();
    assert_eq!(lines(&world), ["create an interface in subnet-1 for index 1 with 8 addresses"]);
    world.network.reserve(&first.actions);
    assert_eq!(
        lines(&world),
        [
            "create an interface in subnet-1 for index 1 with 1 addresses",
            "blocked: nothing is left in subnet-1 (short by 7)"
        ]
    );
}

#[test]
fn a_hundred_nodes_in_one_round_get_ten_addresses_each_and_no_more() {
    let mut world = World::new(
        "node m5.4xlarge pre 1 min 10 in subnet-1
         subnet subnet-1 10.0.0.0/22 free 1004
         eni eni-1 at 0",
    );
    for _ in 0..100 {
        assert_eq!(lines(&world), ["assign 10 addresses of subnet-1 to eni-1"]);
        let actions = world.plan().actions;
        world.network.reserve(&actions);
    }
    assert_eq!(
        lines(&world),
        [
            "assign 3 addresses of subnet-1 to eni-1",
            "blocked: nothing is left in subnet-1 (short by 7)"
        ]
    );
}

#[test]
fn a_node_may_want_single_addresses_where_prefixes_are_the_rule() {
    check(
        "policy prefixes
         node m5.large pre 8 single in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 prefixes 1",
        "",
    );
    check(
        "policy prefixes
         node m5.large pre 8 single used 16 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 prefixes 1",
        "assign 8 addresses of subnet-1 to eni-1",
    );
}

#[test]
fn a_type_on_xen_gets_single_addresses_where_prefixes_are_the_rule() {
    check(
        "policy prefixes
         node m4.large pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0",
        "assign 8 addresses of subnet-1 to eni-1",
    );
}

#[test]
fn actions_in_flight_are_counted_on() {
    let mut world = World::new(
        "policy prefixes
         node m5.large pre 400 requested 408 1 in subnet-1
         subnet subnet-1 10.0.0.0/23 ipv6
         eni eni-1 at 0
         eni eni-2 own prefixes 1",
    );
    let plan = world.plan();
    assert_eq!(plan.actions.len(), 4, "{:?}", lines(&world));
    world.network.reserve(&plan.actions);
    world.node.in_flight = plan.actions;
    let waits = "blocked: eni-2 is being attached or detached: there is more room afterwards";
    assert_eq!(lines(&world), [format!("{waits} (short by 120)")]);
}

#[test]
fn an_unknown_subnet_of_an_interface_gives_nothing_and_stops_nobody() {
    check(
        "node m5.large pre 8 subnet-ids subnet-2
         subnet subnet-2 10.0.1.0/24
         eni eni-1 at 0 in subnet-7",
        "create an interface in subnet-2 for index 1 with 8 addresses
         blocked: subnet-7 of eni-1 is not known: nothing is taken from it",
    );
}

#[test]
fn a_node_that_can_do_nothing_says_why() {
    let subnet = "subnet subnet-1 10.0.0.0/24\n";
    let full = "eni eni-1 at 0 addresses 9";
    let blocked = |node: &str, expected: &str| {
        check(&format!("{subnet}{full}\n{node}"), &format!("blocked: {expected}"));
    };
    blocked(
        "node zz9.nonexist pre 8 used 9",
        "the limits of zz9.nonexist are unknown: give them as an override, or allow DescribeInstanceTypes",
    );
    blocked(
        "node m5.large used 9 stopped",
        "i-1 is not running: interfaces cannot be attached now (short by 8)",
    );
    blocked(
        "node m5.large used 9 subnet-ids subnet-7",
        "subnet-ids [subnet-7] name no subnet in the node's VPC and zone (short by 8)",
    );
    blocked(
        "node m5.large used 9 subnet-tags a=b",
        "no subnet in the node's VPC and zone has all of {\"a\": \"b\"} (short by 8)",
    );
    blocked(
        "node m5.large used 9 zone b",
        "no subnet is known in the node's VPC and zone (short by 8)",
    );
    blocked(
        "node m5.large used 9 group-tags a=b",
        "no security group in the node's VPC has all of {\"a\": \"b\"} (short by 8)",
    );
    blocked("node m5.large used 9 max 9", "max-allocate 9 is reached (short by 8)");
    blocked(
        "node m5.large used 9 first 3",
        "every slot for pods of this m5.large is taken (short by 17)",
    );
    check(
        subnet.trim(),
        "blocked: no interface of i-1 was seen: it is new to EC2's answers, or gone",
    );
}

#[test]
fn one_ipv6_prefix_is_asked_for_where_it_fits() {
    let with_range = "subnet subnet-1 10.0.0.0/24 ipv6\n";
    let without = "subnet subnet-1 10.0.0.0/24\n subnet subnet-2 10.0.1.0/24 ipv6\n";
    let node = "node m5.large in subnet-1 requested 8 8\n";
    check(
        &format!("{with_range}{node}eni eni-1 at 0 addresses 8"),
        "assign an IPv6 prefix to eni-1",
    );
    check(&format!("{with_range}{node}eni eni-1 at 0 addresses 8 ipv6"), "");
    check(
        &format!(
            "{with_range}node m5.large in subnet-1 requested 8 0\n eni eni-1 at 0 addresses 8"
        ),
        "",
    );
    check(
        &format!("{without}{node}eni eni-1 at 0 addresses 8"),
        "create an interface in subnet-2 for index 1 with 0 addresses and an IPv6 prefix",
    );
    check(
        &format!("{without}node m5.large in subnet-1 requested 20 20\n eni eni-1 at 0 addresses 9"),
        "create an interface in subnet-2 for index 1 with 9 addresses and an IPv6 prefix
         create an interface in subnet-1 for index 2 with 2 addresses",
    );
    check(
        &format!("subnet subnet-1 10.0.0.0/24\n{node}eni eni-1 at 0 addresses 8"),
        "blocked: IPv6 is asked for, and no usable subnet with an IPv6 range has a slot for it",
    );
}

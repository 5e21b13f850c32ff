//! The last value before and the first behind each bound, and who comes first.

use ipam_core::capacity::available;
use ipam_core::ids::PodKey;
use ipam_core::policy::{Policy, PolicySettings};
use ipam_core::prefix::is_ipv6_prefix;

use crate::world::{World, check_plan as check, plan_lines};

const SUBNET: &str = "subnet subnet-1 10.0.0.0/24\n";

#[test]
fn interfaces_are_filled_by_index_in_whatever_order_they_are_listed() {
    check(
        &format!("{SUBNET}node m5.large pre 12\n eni eni-1 at 1\n eni eni-2 at 0"),
        "assign 9 addresses of subnet-1 to eni-2
         assign 3 addresses of subnet-1 to eni-1",
    );
}

#[test]
fn an_interface_that_was_made_brings_its_ipv6_prefix_along() {
    check(
        "subnet subnet-1 10.0.0.0/24 ipv6
         node m5.large requested 12 8
         eni eni-1 at 0 addresses 8
         eni eni-2 own addresses 4 ipv6",
        "attach eni-2 at index 1",
    );
}

#[test]
fn an_attachment_under_way_is_neither_repeated_nor_made_up_for() {
    let mut world = World::new(
        "subnet subnet-1 10.0.0.0/24 ipv6
         node m5.xlarge requested 12 8
         eni eni-1 at 0 addresses 8
         eni eni-2 own addresses 4 ipv6",
    );
    world.node.in_flight = world.plan().actions;
    assert_eq!(plan_lines(&world), Vec::<String>::new());
}

#[test]
fn an_empty_interface_is_attached_when_more_is_wanted() {
    check(
        &format!("{SUBNET}node m5.large used 1\n eni eni-1 at 0 addresses 8\n eni eni-2 own"),
        "attach eni-2 at index 1
         assign 1 addresses of subnet-1 to eni-1",
    );
}

#[test]
fn nothing_is_said_of_what_nobody_asks_for() {
    check(
        "node m5.large in subnet-1\n eni eni-1 at 0 in subnet-7\n node m5.large used 0 pre -1",
        "",
    );
    check(
        "policy prefixes
         subnet subnet-1 10.0.0.0/24
         subnet subnet-2 10.0.1.0/24 ipv6
         node m5.large requested 16 8 in subnet-1
         eni eni-1 at 0 prefixes 1",
        "create an interface in subnet-2 for index 1 with 0 addresses and an IPv6 prefix",
    );
}

#[test]
fn only_managed_interfaces_are_repaired_and_only_once() {
    let outlives = "eni eni-2 at 1 own outlives";
    let node = "eni eni-1 at 0 addresses 8\n node m5.large";
    check(&format!("{SUBNET}{outlives} tags team=db\n {node} exclude team=db"), "");
    let mut world = World::new(&format!("{SUBNET}{outlives}\n {node}"));
    world.node.in_flight = world.plan().actions;
    assert_eq!(world.node.in_flight.len(), 1);
    assert_eq!(plan_lines(&world), Vec::<String>::new());
}

#[test]
fn room_for_exactly_one_prefix_is_room_for_it() {
    check(
        "policy prefixes
         subnet subnet-1 10.0.0.0/24
         node m5.large pre 8 max 16
         eni eni-1 at 0",
        "assign 1 prefixes of subnet-1 to eni-1",
    );
    check(
        "policy prefixes
         subnet subnet-1 10.0.0.0/24 free 60 scattered
         node m5.large pre 8 max 16
         eni eni-1 at 0",
        "assign 8 addresses of subnet-1 to eni-1
         blocked: subnet-1 has too few free /28 blocks: single addresses are used",
    );
}

#[test]
fn planned_prefixes_are_gone_for_the_next_node() {
    let mut world = World::new(
        "policy prefixes
         subnet subnet-1 10.0.0.0/24 free 62
         node m5.large pre 32 in subnet-1
         eni eni-1 at 0",
    );
    assert_eq!(plan_lines(&world), ["assign 2 prefixes of subnet-1 to eni-1"]);
    let actions = world.plan().actions;
    world.network.reserve(&actions);
    let plan = plan_lines(&world);
    assert!(!plan[0].contains("assign 2 prefixes"), "{plan:?}");
}

#[test]
fn a_primary_address_is_taken_off_before_prefixes_are_counted() {
    check(
        "policy prefixes blocks-unknown
         subnet subnet-1 10.0.0.0/24 free 17
         subnet subnet-8 10.8.0.0/24 zone c
         eni eni-1 at 0 in subnet-8
         node m5.large pre 8 first 1 in subnet-1",
        "create an interface in subnet-1 for index 1 with 1 prefixes",
    );
    check(
        "policy prefixes blocks-unknown
         subnet subnet-1 10.0.0.0/24 free 16
         subnet subnet-8 10.8.0.0/24 zone c
         eni eni-1 at 0 in subnet-8
         node m5.large pre 8 first 1 in subnet-1",
        "create an interface in subnet-1 for index 1 with 8 addresses
         blocked: subnet-1 has too few free /28 blocks: single addresses are used",
    );
}

#[test]
fn prefixes_return_at_the_bound_and_not_before() {
    let check_at = |bound: u32, expected: &str| {
        check(
            &format!(
                "policy prefixes return-at {bound}
                 subnet subnet-1 10.0.0.0/24 free 50
                 node m5.large pre 8 used 1 in subnet-1 subnet-ids subnet-1
                 eni eni-1 at 0 addresses 1"
            ),
            expected,
        );
    };
    check_at(2, "assign 1 prefixes of subnet-1 to eni-1");
    check_at(
        3,
        "assign 8 addresses of subnet-1 to eni-1
         blocked: subnet-1 has too few free /28 blocks: single addresses are used",
    );
}

#[test]
fn what_two_interfaces_show_counts_once() {
    let mut world = World::new(&format!(
        "{SUBNET}node m5.large\n eni eni-1 at 0 addresses 2 prefixes 1\n eni eni-2 at 1"
    ));
    world.node.enis[1].ipv4 = world.node.enis[0].ipv4.clone();
    assert_eq!(available(&world.node, &world.policy), 18);
}

#[test]
fn ipv6_goes_where_a_slot_is_free() {
    let mut world = World::new(
        "subnet subnet-1 10.0.0.0/24 ipv6
         node m5.large requested 8 8
         eni eni-1 at 0 addresses 8",
    );
    let singles = |count: u16| (1..=count).map(|it| [0x2001, 0xdb8, 1, 0, 0, 0, 0, it].into());
    world.node.enis[0].ipv6.addresses = singles(9).collect();
    assert_eq!(plan_lines(&world), ["assign an IPv6 prefix to eni-1"]);
    world.node.enis[0].ipv6.addresses = singles(10).collect();
    assert_eq!(
        plan_lines(&world),
        ["create an interface in subnet-1 for index 1 with 0 addresses and an IPv6 prefix"]
    );
}

#[test]
fn lengths_are_exact() {
    assert!(!is_ipv6_prefix(&"2001:db8::/64".parse().unwrap()));
    let with_tags = |count: usize| {
        let mut settings = PolicySettings::default();
        settings.eni_tags.extend((0..count).map(|it| (it.to_string(), String::new())));
        Policy::new(settings).is_ok()
    };
    assert!(with_tags(45) && !with_tags(46));
    let with_key = |length: usize| {
        let mut settings = PolicySettings::default();
        settings.eni_tags.insert("é".repeat(length), "x".into());
        Policy::new(settings).is_ok()
    };
    assert!(with_key(128) && !with_key(129), "characters, not bytes");
    let pod = |length: usize| format!("a/{}", "b".repeat(length)).parse::<PodKey>().is_ok();
    assert!(pod(253) && !pod(254));
}

//! Nodes, networks and wishes that would do harm if they were taken at their word.

use ipam_core::capacity::figures;
use ipam_core::policy::{Policy, PolicySettings};

use crate::world::{World, check_plan as check};

#[test]
fn interfaces_that_would_be_left_alone_are_not_made() {
    let text = "node m5.large pre 12 exclude berth/managed=true in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0";
    check(
        text,
        "assign 9 addresses of subnet-1 to eni-1
         blocked: exclude-interface-tags {\"berth/managed\": \"true\"} exclude the interfaces made for the node: change them, or --eni-tags (short by 3)",
    );
    assert_eq!(World::new(text).settle(), Ok(1));

    let mut settings = PolicySettings::default();
    settings.eni_tags.insert("node.k8s.amazonaws.com/no_manage".into(), "true".into());
    assert_eq!(
        Policy::new(settings).unwrap_err().to_string(),
        "eni-tags make every new interface foreign: expected none of the foreign tag keys"
    );
}

#[test]
fn an_interface_that_does_not_fit_is_not_attached_and_keeps_its_slot() {
    check(
        "node t3.medium pre 20 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 5
         eni eni-2 own addresses 10",
        "create an interface in subnet-1 for index 1 with 5 addresses
         blocked: every slot for pods of this t3.medium is taken (short by 10)
         blocked: eni-2 was made for this node and cannot be attached to it: Berth deletes it if Berth made it and no tag keeps it; \
         otherwise delete it or its tag",
    );
    check(
        "node m4.large pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 8
         eni eni-2 own prefixes 1",
        "blocked: eni-2 was made for this node and cannot be attached to it: Berth deletes it if Berth made it and no tag keeps it; \
         otherwise delete it or its tag",
    );
    check(
        "node m5.large pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 8
         eni eni-2 own addresses 2 tags node.k8s.amazonaws.com/no_manage=true",
        "blocked: eni-2 was made for this node and cannot be attached to it: Berth deletes it if Berth made it and no tag keeps it; \
         otherwise delete it or its tag",
    );
}

#[test]
fn a_listing_without_the_primary_interface_is_not_one_of_the_instance() {
    let unseen = "blocked: no interface of i-1 was seen: it is new to EC2's answers, or gone";
    let node = "node m5.large pre 12 in subnet-1 groups sg-1\n subnet subnet-1 10.0.0.0/24\n";
    check(&format!("{node}eni eni-2 at 1 addresses 9"), unseen);
    check(&format!("{node}eni eni-2 own addresses 9"), unseen);
    check(&format!("{node}eni eni-2 at 0 card 1 addresses 9"), unseen);
}

#[test]
fn no_slot_is_spent_on_a_subnet_that_can_hardly_give_anything() {
    let node = "policy prefixes
         subnet subnet-1 10.0.0.0/24 free 31
         subnet subnet-2 10.0.2.0/23
         subnet subnet-8 10.8.0.0/24 zone c
         eni eni-1 at 0 in subnet-8
         node m5.large pre 270 first 1 in subnet-1";
    check(
        node,
        "create an interface in subnet-2 for index 1 with 9 prefixes
         create an interface in subnet-2 for index 2 with 8 prefixes",
    );
    check(
        "node m5.xlarge pre 42 first 1 in subnet-1
         subnet subnet-1 10.0.0.0/24 free 25
         subnet subnet-2 10.0.1.0/24
         eni eni-1 at 0",
        "create an interface in subnet-1 for index 1 with 14 addresses
         create an interface in subnet-2 for index 2 with 14 addresses
         create an interface in subnet-2 for index 3 with 14 addresses",
    );
}

#[test]
fn full_means_full() {
    check(
        "node m5.large primary pre 8 used 25 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 9
         eni eni-2 at 1 addresses 9
         eni eni-3 at 2 addresses 6",
        "assign 3 addresses of subnet-1 to eni-3
         blocked: every slot for pods of this m5.large is taken (short by 3)",
    );
    check(
        "node m5.large pre 8 used 40 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 prefixes 1 addresses 8
         eni eni-2 at 1 addresses 9",
        "create an interface in subnet-1 for index 2 with 9 addresses
         blocked: every slot for pods of this m5.large is taken (short by 6)",
    );
    check(
        "node m5.large pre 8 used 27 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 9
         eni eni-2 at 1 addresses 9
         eni eni-3 at 2 special",
        "blocked: every slot for pods of this m5.large is taken (short by 17)",
    );
    check(
        "node t3.medium pre 8 used 10 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 5
         eni eni-2 at 1 addresses 5
         eni eni-3 at 2 attaching",
        "blocked: eni-3 is being attached or detached: there is more room afterwards (short by 8)",
    );
}

#[test]
fn an_empty_subnet_is_not_said_to_lack_blocks() {
    check(
        "policy prefixes
         subnet subnet-1 10.0.0.0/24
         node m5.large primary pre 16 max 16 first 1 in subnet-1
         eni eni-1 at 0",
        "create an interface in subnet-1 for index 1 with 9 addresses
         create an interface in subnet-1 for index 2 with 5 addresses",
    );
}

#[test]
fn interfaces_on_other_cards_do_not_count() {
    let world = World::new(
        "node p5.48xlarge
         subnet subnet-1 10.0.0.0/22
         eni eni-1 at 0
         eni eni-2 at 1 card 1 special
         eni eni-3 at 1 card 2 special",
    );
    let figures = figures(&world.node, &world.policy).unwrap();
    assert_eq!((figures.capacity, figures.empty_slots, figures.maximum), (98, 1, Some(98)));
}

#[test]
fn the_made_interface_that_brings_most_gets_the_last_slot() {
    check(
        "node m5.large pre 16 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 8
         eni eni-2 at 1 special
         eni eni-3 own addresses 1
         eni eni-4 own addresses 8",
        "attach eni-4 at index 2",
    );
    check(
        "node m5.large primary pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 8
         eni eni-2 own",
        "",
    );
}

#[test]
fn slots_of_interfaces_on_their_way_are_counted_on() {
    check(
        "node m5.large pre 12 used 4 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 9
         eni eni-2 own addresses 3",
        "attach eni-2 at index 1
         blocked: eni-2 is being attached or detached: there is more room afterwards (short by 4)",
    );
    check(
        "node m5.large requested 8 8 in subnet-1
         subnet subnet-1 10.0.0.0/24
         subnet subnet-2 10.0.1.0/24 ipv6
         eni eni-1 at 0 addresses 8
         eni eni-2 at 1 in subnet-2 attaching",
        "",
    );
}

#[test]
fn what_waits_for_an_interface_is_not_blamed_on_subnets() {
    check(
        "node m5.xlarge pre 16 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 14
         eni eni-2 at 1 attaching addresses 2
         node m5.xlarge used 16",
        "create an interface in subnet-1 for index 2 with 4 addresses
         blocked: eni-2 is being attached or detached: there is more room afterwards (short by 12)",
    );
}

#[test]
fn a_node_that_has_what_it_needs_is_not_blocked() {
    check(
        "node m5.large pre 8 stopped in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 8",
        "",
    );
    check(
        "node m5.large pre 8 stopped in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0 addresses 2",
        "assign 6 addresses of subnet-1 to eni-1",
    );
}

#[test]
fn a_small_subnet_returns_to_prefixes_with_what_it_can_ever_have() {
    check(
        "policy prefixes
         node m5.large pre 8 used 8 in subnet-1
         subnet subnet-1 10.0.0.0/26
         eni eni-1 at 0 addresses 1",
        "assign 1 prefixes of subnet-1 to eni-1",
    );
}

#[test]
fn for_want_of_blocks_alone_no_node_moves_behind_another_route_table() {
    let node = "policy prefixes
         node m5.large pre 8 in subnet-1
         subnet subnet-1 10.0.0.0/24 free 60 scattered
         subnet subnet-2 10.0.1.0/24
         eni eni-1 at 0\n";
    check(
        &format!("{node}table rtb-1 vpc-1 subnet-1\n table rtb-2 vpc-1 subnet-2"),
        "assign 8 addresses of subnet-1 to eni-1
         blocked: subnet-1 has too few free /28 blocks: single addresses are used",
    );
    check(
        &format!("{node}table rtb-1 vpc-1 subnet-1,subnet-2"),
        "create an interface in subnet-2 for index 1 with 1 prefixes",
    );
}

#[test]
fn no_index_beyond_the_interfaces_of_the_type_is_used() {
    for first in [3, 7, 65535] {
        check(
            &format!(
                "node m5.large pre 8 max 20 first {first} in subnet-1
                 subnet subnet-1 10.0.0.0/24
                 eni eni-1 at 0"
            ),
            "blocked: every slot for pods of this m5.large is taken (short by 8)",
        );
    }
}

#[test]
fn a_primary_address_for_pods_is_worth_an_interface() {
    check(
        "node m5.large primary pre 2 first 1 in subnet-1
         subnet subnet-1 10.0.0.0/24 free 2
         eni eni-1 at 0",
        "create an interface in subnet-1 for index 1 with 0 addresses
         blocked: nothing is left in subnet-1 (short by 1)",
    );
}

#[test]
fn the_maximum_is_the_reason_where_it_leaves_no_room_for_ipv6() {
    check(
        "node m5.large primary pre 8 max 9 requested 9 9 in subnet-1
         subnet subnet-1 10.0.0.0/24
         subnet subnet-2 10.0.1.0/24 ipv6
         eni eni-1 at 0 addresses 8",
        "blocked: max-allocate 9 is reached",
    );
}

#[test]
fn an_interface_listed_twice_is_filled_once() {
    check(
        "node m5.large pre 12 in subnet-1
         subnet subnet-1 10.0.0.0/24
         eni eni-1 at 0
         eni eni-1 at 0",
        "assign 9 addresses of subnet-1 to eni-1
         create an interface in subnet-1 for index 1 with 3 addresses",
    );
}

#[test]
fn many_exhausted_subnets_are_one_reason() {
    let subnet = |it| format!("subnet subnet-{it} 10.0.{it}.0/24 free 0\n");
    let subnets = (1..=9).map(subnet).collect::<Vec<_>>().concat();
    check(
        &format!(
            "{subnets}subnet subnet-0 10.1.0.0/24 zone b\n node m5.large first 1\n eni eni-1 at 0 in subnet-0"
        ),
        "blocked: nothing is left in subnet-1, subnet-2, subnet-3 and 6 more (short by 8)",
    );
}

//! Needed, excess, capacity: the fixtures of Cilium's own tests, and worked examples.

use ipam_core::capacity::{figures, instance_maximum, instance_minimum, prefix_delegated};
use ipam_core::demand::{Ask, Supply, ask, excess, needed, used};
use ipam_core::policy::Watermarks;
use ipam_core::view::Demand;

use crate::world::World;

/// Lines of numbers: the inputs, and behind `->` the result.
fn check<const N: usize>(lines: &str, compute: impl Fn([i32; N]) -> u32) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (inputs, expected) = line.split_once("->").expect("an arrow");
        let inputs: Vec<i32> = inputs.split(',').map(|it| it.trim().parse().unwrap()).collect();
        let expected: u32 = expected.trim().parse().unwrap();
        assert_eq!(compute(inputs.try_into().unwrap()), expected, "{line}");
    }
}

fn supply(available: i32, used: i32) -> Supply {
    Supply { available: count(available), used: count(used) }
}

fn watermarks(pre: i32, min: i32, max: i32, above: i32) -> Watermarks {
    Watermarks::new(pre, count(min), count(max), count(above)).unwrap()
}

fn count(number: i32) -> u32 {
    number.try_into().unwrap()
}

/// In the fixtures as on the wire, a maximum of 0 means none.
fn maximum(number: i32) -> Option<u32> {
    Some(count(number)).filter(|it| *it > 0)
}

#[test]
fn needed_is_as_in_the_fixtures() {
    check(
        "0,0,0,16,0 -> 16
         0,0,8,16,0 -> 16
         0,0,16,8,0 -> 16
         0,0,16,0,0 -> 16
         8,0,0,16,0 -> 8
         8,4,8,0,0 -> 4
         8,4,8,8,0 -> 4
         8,4,8,8,6 -> 0
         8,4,8,0,8 -> 0
         4,4,8,0,8 -> 4",
        |[available, used, pre, min, max]| {
            needed(supply(available, used), &watermarks(pre, min, max, 0), maximum(max))
        },
    );
}

#[test]
fn excess_is_as_in_the_fixtures() {
    check(
        "0,0,0,16,0 -> 0
         15,0,8,16,8 -> 0
         17,0,8,16,0 -> 1
         20,0,8,16,4 -> 0
         21,0,8,0,4 -> 9
         20,0,8,20,8 -> 0
         16,1,8,16,8 -> 0
         20,4,8,17,8 -> 0
         20,4,8,0,0 -> 8
         20,4,8,0,8 -> 0
         20,10,-1,10,0 -> 10
         20,4,8,8,4 -> 8
         20,11,-1,8,2 -> 8",
        |[available, used, pre, min, above]| {
            excess(supply(available, used), &watermarks(pre, min, 0, above))
        },
    );
}

/// The columns: available, used, pre-allocate, min, max, max-above-watermark.
const WORKED_NEEDED: &str = "
    0,0,8,0,27,0 -> 8
    8,7,8,0,27,0 -> 7
    0,0,8,16,0,0 -> 16
    8,4,8,8,6,0 -> 0
    4,4,8,0,8,0 -> 4
    0,0,2,10,56,3 -> 10
    13,13,2,10,56,3 -> 2
    18,10,2,10,56,3 -> 0
    20,4,8,0,0,8 -> 0
    40,40,8,20,42,0 -> 2
    0,0,8,0,432,0 -> 8
    16,12,8,0,432,0 -> 4
    32,25,8,0,432,0 -> 1";

#[test]
fn needed_is_as_in_the_worked_examples() {
    check(WORKED_NEEDED, |[available, used, pre, min, max, above]| {
        needed(supply(available, used), &watermarks(pre, min, max, above), maximum(max))
    });
}

#[test]
fn excess_is_as_in_the_worked_examples() {
    let excess_of_row_8_is_5 = WORKED_NEEDED.lines().filter(|line| !line.is_empty()).map(|line| {
        let (inputs, _) = line.split_once("->").unwrap();
        let excess = if inputs.trim() == "18,10,2,10,56,3" { 5 } else { 0 };
        format!("{inputs}-> {excess}\n")
    });
    check(&excess_of_row_8_is_5.collect::<String>(), |[available, used, pre, min, max, above]| {
        excess(supply(available, used), &watermarks(pre, min, max, above))
    });
}

/// Inputs: available, used, pre-allocate, min, maximum, max-above-watermark, waiting pods.
#[test]
fn what_is_wanted_holds_the_cushion_and_the_waiting_pods_within_the_maximum() {
    let asked = |[available, used, pre, min, max, above, waiting]: [i32; 7]| -> Ask {
        let waiting = waiting.try_into().unwrap();
        ask(supply(available, used), &watermarks(pre, min, max, above), waiting, maximum(max))
    };
    check(
        "0,0,2,10,56,3,0 -> 13
         13,13,2,10,56,3,0 -> 5
         8,4,8,0,0,2,10 -> 12
         8,4,8,0,16,2,10 -> 8
         8,4,8,0,14,2,10 -> 6
         8,0,8,0,0,0,8 -> 0
         8,0,8,0,0,0,9 -> 9
         8,0,8,0,12,0,9 -> 4
         8,0,8,0,8,0,9 -> 0
         0,50,8,0,0,0,57 -> 107
         20,4,8,0,0,8,0 -> 0
         28,11,18,16,0,15,0 -> 3
         28,11,18,16,0,15,2 -> 3
         10,11,-1,8,0,2,4 -> 6",
        |inputs| asked(inputs).want,
    );
    check(
        "8,4,8,0,0,2,10 -> 6
         8,4,8,0,12,2,10 -> 4
         8,0,8,0,0,0,9 -> 1
         8,4,8,0,8,0,0 -> 0",
        |inputs| asked(inputs).must,
    );
    check(
        "8,4,8,0,10,2,10 -> 4
         15,10,8,0,15,0,0 -> 3
         8,0,8,0,8,0,9 -> 1
         8,4,8,0,0,2,10 -> 0",
        |inputs| asked(inputs).withheld,
    );
}

#[test]
fn no_watermark_overflows_the_arithmetic() {
    let most = i32::try_from(ipam_core::policy::ADDRESSES_MAX).unwrap();
    let watermarks = watermarks(-most, most, most, most);
    let supply = Supply { available: u32::MAX, used: u32::MAX };
    assert_eq!(needed(supply, &watermarks, None), 0);
    assert_eq!(excess(supply, &watermarks), 0);
    let nothing = Supply::default();
    assert_eq!(ask(nothing, &watermarks, u32::MAX, None).must, u32::MAX);
}

#[test]
fn use_of_a_cidr_agent_is_what_it_requested_less_its_pre_allocation() {
    check("8,8 -> 0\n 0,8 -> 0\n 24,8 -> 16\n 5,8 -> 0\n 20,0 -> 12", |[requested, pre]| {
        used(Demand::Cidr { ipv4: count(requested), ipv6: 0 }, &watermarks(pre, 0, 0, 0))
    });
    assert_eq!(used(Demand::PerIp { used: 3 }, &watermarks(8, 0, 0, 0)), 3);
}

/// Inputs: first-interface-index, whether prefixes are used.
#[test]
fn the_instance_maximum_and_minimum_are_as_in_the_fixtures() {
    let m5 = limits::find("m5.large").unwrap();
    check("0,0 -> 27\n 1,0 -> 18\n 3,0 -> 0\n 4,0 -> 0\n 0,1 -> 432", |[first, prefixes]| {
        instance_maximum(m5, first.try_into().ok(), prefixes == 1).unwrap()
    });
    assert_eq!(instance_maximum(m5, None, false), None, "an unknown first index caps nothing");

    let mut tiny = m5;
    (tiny.enis, tiny.ipv4_per_eni) = (2, 2);
    let minimum = |limits, first| instance_minimum(limits, first);
    assert_eq!(minimum(Some(m5), Some(0)), 8);
    assert_eq!(minimum(Some(tiny), Some(0)), 2);
    assert_eq!(minimum(Some(m5), Some(3)), 0, "no interface may be used");
    assert_eq!(minimum(Some(m5), Some(4)), 0);
    assert_eq!(minimum(Some(m5), None), 8);
    assert_eq!(minimum(None, Some(0)), 8, "the type is unknown");
}

const SUBNET: &str = "subnet subnet-1 10.0.0.0/22\n";

/// Capacity, empty slots, remaining interfaces, and the mode that Cilium's operator would report.
fn check_figures(text: &str, expected: &str) {
    let world = World::new(&format!("{SUBNET}{text}"));
    let figures = figures(&world.node, &world.policy).expect("known limits");
    let mode = if prefix_delegated(&world.node, &world.policy) { "prefixes" } else { "single" };
    let (slots, interfaces) = (figures.empty_slots, figures.remaining_interfaces);
    assert_eq!(format!("{} {slots} {interfaces} {mode}", figures.capacity), expected, "{text}");
}

#[test]
fn capacity_is_as_in_the_fixtures() {
    check_figures("node m5.large\n eni eni-1 at 0", "27 2 3 single");
    check_figures("node m5.large primary\n eni eni-1 at 0", "30 2 3 single");
    check_figures("node m5.large primary\n policy prefixes\n eni eni-1 at 0", "480 2 3 prefixes");
    check_figures("node m5.large\n policy prefixes\n eni eni-1 at 0", "432 2 3 prefixes");
    check_figures("node m5.large\n eni eni-1 at 0 prefixes 1", "42 2 3 single");
}

#[test]
fn interfaces_that_are_left_alone_count_against_the_capacity() {
    check_figures("node m5.large first 1\n eni eni-1 at 0", "18 2 2 single");
    check_figures("node m5.large first 1\n eni eni-1 at 0 prefixes 1", "18 2 2 single");
    check_figures("node m5.large exclude a=b\n eni eni-1 at 0 tags a=b,c=d", "18 2 2 single");
    check_figures("node m5.large first 1\n policy prefixes\n eni eni-1 at 0", "288 2 2 prefixes");
}

#[test]
fn a_full_instance_has_no_remaining_interfaces() {
    let full = "node t3.medium\n eni eni-1 at 0 addresses 5\n eni eni-2 at 1 addresses 5\n";
    check_figures(&format!("{full}eni eni-3 at 2 addresses 5"), "15 0 0 single");
    check_figures(&format!("{full}eni eni-3 at 2 addresses 4"), "15 0 1 single");
}

#[test]
fn prefixes_go_by_type_and_setting() {
    let mode = |node: &str| {
        let world = World::new(&format!("{SUBNET}{node}\n policy prefixes\n eni eni-1 at 0"));
        prefix_delegated(&world.node, &world.policy)
    };
    assert!(!mode("node m4.large"), "Xen");
    assert!(mode("node m5.metal"), "bare metal");
    assert!(mode("node m5.large"), "Nitro");
    assert!(!mode("node m5.large single"), "disabled for the node");
    assert!(!mode("node zz9.nonexist"), "unknown");
}

#[test]
fn one_interface_with_single_addresses_alone_turns_the_reported_mode() {
    let reported = |enis: &str| {
        let world = World::new(&format!("{SUBNET}node m5.large\n policy prefixes\n{enis}"));
        prefix_delegated(&world.node, &world.policy)
    };
    assert!(reported("eni eni-1 at 0 prefixes 1"));
    assert!(!reported("eni eni-1 at 0 prefixes 1\n eni eni-2 at 1 addresses 2"));
    assert!(!reported(
        "eni eni-1 at 0 prefixes 1\n eni eni-2 at 1 addresses 2\n eni eni-3 at 2 prefixes 1"
    ));
    assert!(reported("eni eni-1 at 0 prefixes 1\n eni eni-2 at 1"));
    assert!(reported("eni eni-1 at 0 prefixes 1 addresses 2"));
}

//! EC2 is away, hangs, or answers with less than was asked for.

use std::time::Duration;

use ipam_core::call::{Api, Request};
use ipam_core::ids::NodeName;
use ipam_core::view::Demand;

use crate::door::{check_on, labels, take_step};
use crate::rig::{Fault, Rig, always, once};
use crate::text::rig;

const WORLD: &str = "subnet subnet-1 10.0.0.0/20\n";

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

/// How many calls are made while nothing works for ten minutes, after which all works again.
fn calls_while_away(fault: Fault) -> usize {
    let mut rig = rig(&format!("{WORLD}nodes 50 m5.large pre 8"));
    rig.grace = Duration::from_mins(20);
    rig.audit_every = 20;
    rig.start();
    rig.run(Duration::from_mins(2));
    rig.faults = Box::new(move |_, _| Some(fault));
    let names: Vec<NodeName> = rig.nodes.keys().cloned().collect();
    let before = rig.sent.len();
    for name in &names {
        rig.alter(name, |it| it.demand = Demand::PerIp { used: 7 });
    }
    rig.run(Duration::from_mins(10));
    let said = names.iter().filter(|name| !labels(&rig, name).is_empty()).count();
    assert_eq!(said, names.len(), "{fault:?}: all say why\n{}", rig.describe());
    let calls = rig.sent.len() - before;
    rig.faults = Box::new(|_, _| None);
    let took = rig.run_until_near(Rig::are_satisfied);
    assert!(took <= Duration::from_mins(6), "{fault:?}: {took:?} after EC2 was back");
    rig.run(Duration::from_mins(20));
    rig.check_quiet();
    calls
}

#[test]
fn while_ec2_is_away_few_calls_are_made_and_afterwards_all_goes_on() {
    for fault in [Fault::NotSent, Fault::LostBefore, Fault::LostAfter] {
        let calls = calls_while_away(fault);
        // 50 nodes with two changes each, tried again twice a minute at the end.
        assert!(calls <= 50 * 2 * 25, "{fault:?}: {calls} calls");
    }
}

#[test]
fn a_reading_that_hangs_does_not_hold_up_the_start_when_it_is_not_needed() {
    for api in [
        Api::DescribeInstanceTypes,
        Api::DescribeRouteTables,
        Api::GetSecurityGroupsForVpc,
        Api::DescribeVpcs,
    ] {
        let mut rig = rig(&format!("{WORLD}node node-1 m5.large pre 8"));
        rig.faults = always(api, Fault::Hangs);
        check_on(&mut rig, "start, wait 20 -> 8 on 1 by assign");
    }
}

/// The CIDRs of the VPC are published with each interface. A start does not wait for them, so they may come when all else is published.
#[test]
fn what_a_start_did_not_wait_for_is_published_when_it_comes() {
    let mut rig = rig(&format!("{WORLD}node node-1 m5.large pre 8"));
    rig.faults = once(Api::DescribeVpcs, 0, Fault::Hangs);
    rig.start();
    rig.run(Duration::from_secs(20));
    assert!(rig.is_satisfied(&node()) && rig.machine.network().vpcs.is_empty());
    let before = rig.published.len();
    rig.run(Duration::from_mins(12));
    assert!(!rig.machine.network().vpcs.is_empty(), "{}", rig.describe());
    assert!(rig.published.len() > before, "{}", rig.describe());
}

#[test]
fn a_change_that_hangs_holds_up_its_node_alone() {
    let mut rig = rig(&format!("{WORLD}nodes 3 m5.large pre 8"));
    rig.faults = once(Api::AssignPrivateIpAddresses, 1, Fault::Hangs);
    rig.start();
    rig.run(Duration::from_secs(20));
    assert_eq!(rig.nodes.keys().filter(|name| rig.is_satisfied(name)).count(), 2);
    rig.run(Duration::from_mins(15));
    assert!(rig.are_satisfied(), "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn an_answer_with_less_than_was_asked_for_is_made_up_for() {
    for text in ["node node-1 m5.large pre 8", "operator prefixes\nnode node-1 m5.large pre 40"] {
        for fault in [Fault::BringsLess, Fault::BringsNothing] {
            let mut rig = rig(&format!("{WORLD}{text}"));
            rig.faults = once(Api::AssignPrivateIpAddresses, 0, fault);
            take_step(&mut rig, "start, wait 600");
            assert!(rig.is_satisfied(&node()), "{fault:?}\n{}", rig.describe());
            assert!(rig.changes().count() <= 3, "{fault:?}\n{}", rig.describe());
            rig.check_quiet();
        }
    }
}

#[test]
fn answers_that_never_bring_anything_are_not_asked_for_over_and_over() {
    let mut rig = rig(&format!("{WORLD}node node-1 m5.large pre 8"));
    rig.faults = always(Api::AssignPrivateIpAddresses, Fault::BringsNothing);
    rig.is_stale = true;
    rig.start();
    rig.run(Duration::from_hours(1));
    let changes = rig.sent.iter().filter(|(_, it)| matches!(it, Request::Mutate(_))).count();
    assert!(changes <= 75, "{changes} changes in an hour");
    assert!(!labels(&rig, &node()).is_empty(), "{}", rig.describe());
}

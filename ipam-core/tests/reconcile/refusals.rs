//! EC2 refuses an action for good: the node says why, nothing is left behind, and EC2 is not asked over and over.

use std::time::Duration;

use ipam_core::call::Api;
use ipam_core::failure::Refusal;
use ipam_core::ids::NodeName;
use ipam_core::reconcile::Event;

use crate::door::{check_on, labels, take_step};
use crate::rig::{Fault, Rig, always};
use crate::text::rig;
use crate::unanswered::REFUSALS;

/// A node that needs single addresses and a further interface, for an hour.
fn an_hour_of(api: Api, refusal: Refusal) -> Rig {
    let mut rig = rig("subnet subnet-1 10.0.0.0/24\nnode node-1 m5.large pre 8");
    rig.faults = always(api, Fault::Refused(refusal));
    rig.grace = Duration::from_mins(15);
    take_step(&mut rig, "start");
    take_step(&mut rig, "used 7");
    rig.run(Duration::from_hours(1));
    rig
}

#[test]
fn an_action_that_is_always_refused_is_said_and_not_asked_for_over_and_over() {
    const PER_HOUR_MAX: usize = 75;
    for api in [
        Api::AssignPrivateIpAddresses,
        Api::CreateNetworkInterface,
        Api::AttachNetworkInterface,
        Api::ModifyNetworkInterfaceAttribute,
    ] {
        for refusal in REFUSALS {
            let rig = an_hour_of(api, refusal);
            let says_why = !labels(&rig, &"node-1".parse().unwrap()).is_empty();
            let what = format!("{api} refused with {refusal:?}");
            assert!(says_why || rig.are_satisfied(), "{what}: silent\n{}", rig.describe());
            let changes = rig.changes().count();
            assert!(changes <= PER_HOUR_MAX, "{what}: {changes} changes\n{}", rig.describe());
            let known = rig.machine.node(&"node-1".parse().unwrap());
            assert!(known.is_some_and(|it| it.enis.len() <= 3), "{what}: {}", rig.describe());
        }
    }
}

#[test]
fn a_permission_that_is_missing_is_named_and_used_again_when_it_is_there() {
    for api in [Api::AssignPrivateIpAddresses, Api::CreateNetworkInterface] {
        let mut rig = an_hour_of(api, Refusal::Unauthorized);
        let node: NodeName = "node-1".parse().unwrap();
        assert!(
            labels(&rig, &node).contains(&"MissingPermission".into()),
            "{api}: {}",
            rig.describe()
        );
        let missing = |event: &Event| *event == Event::PermissionMissing { api };
        assert_eq!(rig.events.iter().filter(|(_, event)| missing(event)).count(), 1, "said once");
        rig.faults = Box::new(|_, _| None);
        rig.run(Duration::from_hours(1));
        assert!(rig.are_satisfied(), "{api}: {}", rig.describe());
        let back = |event: &Event| *event == Event::PermissionBack { api };
        assert_eq!(rig.events.iter().filter(|(_, event)| back(event)).count(), 1, "said once");
    }
}

#[test]
fn readings_that_are_not_needed_are_done_without() {
    for api in [
        Api::DescribeRouteTables,
        Api::GetSecurityGroupsForVpc,
        Api::DescribeInstanceTypes,
        Api::DescribeVpcs,
    ] {
        let mut rig = rig("subnet subnet-1 10.0.0.0/24\nnode node-1 m5.large pre 8");
        rig.faults = always(api, Fault::Refused(Refusal::Unauthorized));
        check_on(
            &mut rig,
            "start -> 8 on 1 by assign
             used 7 -> 15 on 2 by assign create attach modify",
        );
    }
}

#[test]
fn groups_are_read_with_their_rules_when_they_cannot_be_read_without() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/24
         group sg-2 tags a=b
         node node-1 m5.large pre 12 group-tags a=b");
    rig.faults = always(Api::GetSecurityGroupsForVpc, Fault::Refused(Refusal::Unauthorized));
    check_on(&mut rig, "start -> 12 on 2 by assign create attach modify");
    assert!(rig.count(Api::DescribeSecurityGroups) > 0);
}

#[test]
fn nothing_is_changed_while_a_reading_that_is_needed_is_refused() {
    for api in [Api::DescribeNetworkInterfaces, Api::DescribeSubnets] {
        for fault in [Fault::Refused(Refusal::Unauthorized), Fault::LostAfter, Fault::NotSent] {
            let mut rig = rig("subnet subnet-1 10.0.0.0/24\nnode node-1 m5.large pre 8");
            rig.faults = always(api, fault);
            rig.start();
            rig.run(Duration::from_mins(10));
            assert_eq!(rig.changes().count(), 0, "{api} {fault:?}");
            assert!(rig.published.is_empty(), "{api} {fault:?}: nothing is known for certain");
            assert!(rig.count(api) <= 60, "{api} {fault:?}: {} calls", rig.count(api));
            assert!(rig.count(api) >= 2, "{api} {fault:?}: given up");
            rig.faults = Box::new(|_, _| None);
            rig.run(Duration::from_mins(15));
            assert!(rig.are_satisfied(), "{api} {fault:?}\n{}", rig.describe());
        }
    }
}

//! Security groups of the interfaces that Berth made.

use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::call::Api;
use ipam_core::failure::Refusal;
use ipam_core::ids::{EniId, NodeName, SecurityGroupId};
use ipam_core::reconcile::{Event, Finding};

use crate::door::{check_on, labels, take_step};
use crate::rig::{Fault, Rig, always, once};
use crate::text::rig;

/// Two groups with tags, and a node with an interface that Berth made.
const WORLD: &str = "subnet subnet-1 10.0.0.0/22
                     group sg-2 tags for=pods
                     group sg-3 tags for=pods,and=more";

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

/// The node with what its line says further, and its second interface with what its line says.
fn world(operator: &str, node: &str, eni: &str) -> Rig {
    rig(&format!(
        "operator {operator}\n{WORLD}\nnode node-1 m5.large pre 8 {node}\neni eni-2 of node-1 at 1 addresses 8 {eni}"
    ))
}

fn groups(rig: &Rig, eni: &str) -> String {
    let eni: EniId = eni.parse().unwrap();
    let groups = &rig.cloud.enis[&eni].eni.security_groups;
    groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn findings(rig: &Rig) -> usize {
    let drifted = |event: &Event| {
        matches!(event, Event::Found { finding: Finding::GroupsDrifted { .. }, .. })
    };
    rig.events.iter().filter(|(_, event)| drifted(event)).count()
}

fn repairs(rig: &Rig) -> usize {
    rig.changes().filter(|(_, it)| matches!(it, Action::SetSecurityGroups { .. })).count()
}

/// What the groups of the second interface are after an hour in which somebody set them to `drifted`.
#[track_caller]
fn check_groups(operator: &str, node: &str, eni: &str, drifted: &str, expected: &str) {
    let mut rig = world(operator, node, eni);
    take_step(&mut rig, &format!("regroup eni-2 {drifted}, start, wait 3600"));
    let what = format!("{operator}; {node}; {eni}; {drifted}\n{}", rig.describe());
    assert_eq!(groups(&rig, "eni-2"), expected, "{what}");
    let is_repaired = drifted != expected;
    assert_eq!(findings(&rig), usize::from(is_repaired), "{what}");
    let known = rig.machine.node(&super::groups::node()).unwrap().clone();
    let known = known.enis.iter().find(|it| it.id.as_str() == "eni-2").unwrap();
    let known: Vec<&str> = known.security_groups.iter().map(SecurityGroupId::as_str).collect();
    assert_eq!(known.join(","), expected, "what is known: {what}");
    let repaired = repairs(&rig);
    rig.run(Duration::from_hours(2));
    assert_eq!(repairs(&rig), repaired, "{what}");
}

#[test]
fn what_is_repaired() {
    check_groups("", "", "own", "sg-2", "sg-1");
    check_groups("", "", "own", "sg-1,sg-2", "sg-1");
    check_groups("", "groups sg-3,sg-2", "own", "sg-1", "sg-2,sg-3");
    check_groups("", "groups sg-2,sg-3", "own", "sg-3,sg-2", "sg-3,sg-2");
    check_groups("", "group-tags for=pods", "own", "sg-1", "sg-2,sg-3");
    check_groups("", "group-tags for=pods,and=more", "own", "sg-1", "sg-3");
    check_groups("no-release", "", "own", "sg-2", "sg-1");
    check_groups("fall-through", "group-tags for=none", "own", "sg-2", "sg-1");
}

#[test]
fn what_is_not() {
    for operator in ["keeps-groups", "observe"] {
        check_stays(operator, "", "own");
    }
    for node in ["first 2", "exclude berth/managed=true", "ignored", "group-tags for=none"] {
        check_stays("", node, "own");
    }
    for eni in ["", "own special", "own tags node.k8s.amazonaws.com/no_manage=true"] {
        check_stays("", "", eni);
    }
}

#[track_caller]
fn check_stays(operator: &str, node: &str, eni: &str) {
    let mut rig = world(operator, node, eni);
    rig.is_stale = true;
    take_step(&mut rig, "start");
    take_step(&mut rig, "regroup eni-2 sg-2, regroup eni-node1 sg-1, wait 3600");
    let what = format!("{operator}; {node}; {eni}\n{}", rig.describe());
    assert_eq!((groups(&rig, "eni-2").as_str(), repairs(&rig)), ("sg-2", 0), "{what}");
}

/// The primary interface is its owner's. What Berth made follows it.
#[test]
fn the_primary_interface_is_never_changed() {
    let mut rig = world("", "groups sg-2", "own");
    take_step(&mut rig, "start, wait 1800");
    assert_eq!((groups(&rig, "eni-node1"), groups(&rig, "eni-2")), ("sg-1".into(), "sg-2".into()));
    let mut rig = world("", "", "own");
    take_step(&mut rig, "start");
    take_step(&mut rig, "regroup eni-node1 sg-3, wait 1800");
    assert_eq!((groups(&rig, "eni-node1"), groups(&rig, "eni-2")), ("sg-3".into(), "sg-3".into()));
}

/// Two readings a settling time apart have to show it; somebody who puts it right in between is not disturbed.
#[test]
fn one_reading_is_not_enough() {
    let mut rig = world("", "", "own");
    take_step(&mut rig, "start");
    let found = rig.now;
    take_step(&mut rig, "regroup eni-2 sg-2, wait 1");
    rig.run_until(|rig| {
        rig.machine.node(&node()).is_some_and(|it| {
            it.enis.iter().any(|eni| eni.security_groups.iter().any(|id| id.as_str() == "sg-2"))
        })
    });
    let seen = rig.now;
    assert!(rig.now.since(found) > Duration::from_mins(5), "the next audit");
    assert_eq!((repairs(&rig), findings(&rig)), (0, 0));
    take_step(&mut rig, "wait 14");
    assert_eq!((repairs(&rig), findings(&rig)), (0, 0));
    rig.run_until(|rig| repairs(rig) == 1);
    assert!(rig.now.since(seen) >= rig.settings.settle);

    let mut rig = world("", "", "own");
    take_step(&mut rig, "start");
    take_step(&mut rig, "regroup eni-2 sg-2, wait 785");
    take_step(&mut rig, "regroup eni-2 sg-1, wait 3600");
    assert_eq!((repairs(&rig), findings(&rig)), (0, 0), "{}", rig.describe());
}

/// Readings that lag behind show the old groups after the repair.
#[test]
fn a_late_reading_does_not_undo_it() {
    let mut rig = world("", "", "own");
    rig.cloud.lag = Duration::from_secs(14);
    take_step(&mut rig, "start");
    take_step(&mut rig, "regroup eni-2 sg-2, wait 7200");
    assert_eq!((repairs(&rig), findings(&rig)), (1, 1), "{}", rig.describe());
}

/// Groups that are chosen by tags and whose listing is older than the drift, or was not complete, or not allowed.
#[test]
fn what_is_chosen_by_tags_waits_for_a_listing_of_all() {
    let apis = [Api::GetSecurityGroupsForVpc, Api::DescribeSecurityGroups];
    let forbidden = |from: usize| -> crate::rig::Faults {
        Box::new(move |call, before| {
            let is_listing = apis.contains(&call.request.api());
            (is_listing && before >= from).then_some(Fault::Refused(Refusal::Unauthorized))
        })
    };
    for from in [0, 1] {
        let mut rig = world("", "group-tags for=pods addresses 8", "own");
        rig.faults = forbidden(from);
        take_step(&mut rig, "start");
        take_step(&mut rig, "regroup eni-2 sg-1, wait 7200");
        assert_eq!(repairs(&rig), 0, "{from}: {}", rig.describe());
        rig.faults = Box::new(|_, _| None);
        take_step(&mut rig, "wait 3600");
        assert_eq!(groups(&rig, "eni-2"), "sg-2,sg-3", "{from}: {}", rig.describe());
        rig.check_quiet();
    }
}

/// A group that does not exist is said, tried rarely, and holds nothing else up.
#[test]
fn a_group_that_does_not_exist() {
    let mut rig = rig(&format!(
        "{WORLD}
         node node-1 m5.large pre 8 groups sg-9
         eni eni-2 of node-1 at 1 addresses 8 own
         node node-2 m5.large pre 8 groups sg-2
         eni eni-3 of node-2 at 1 addresses 8 own"
    ));
    take_step(&mut rig, "start, wait 1800");
    assert_eq!(labels(&rig, &node()), ["Refused"], "{}", rig.describe());
    assert_eq!((groups(&rig, "eni-2"), groups(&rig, "eni-3")), ("sg-1".into(), "sg-2".into()));
    let tried = repairs(&rig);
    assert!((3..15).contains(&tried), "{tried}");
    let reads = rig.count(Api::DescribeNetworkInterfaces);
    take_step(&mut rig, "used 7, wait 1800");
    assert_eq!(rig.available(&node()), 15, "{}", rig.describe());
    assert!(rig.count(Api::DescribeNetworkInterfaces) < reads + 10, "{}", rig.describe());
    let group = rig.cloud.groups.values().next().unwrap().clone();
    rig.cloud.groups.insert("sg-9".parse().unwrap(), group);
    check_on(&mut rig, "wait 600 -> 15 on 2 by groups");
    assert_eq!(groups(&rig, "eni-2"), "sg-9");
}

#[test]
fn every_failure_of_a_repair() {
    let faults = [
        Fault::LostBefore,
        Fault::LostAfter,
        Fault::LostAndLate,
        Fault::NotSent,
        Fault::Hangs,
        Fault::Refused(Refusal::EniNotFound),
        Fault::Refused(Refusal::SecurityGroupNotFound),
        Fault::Refused(Refusal::Unauthorized),
        Fault::Refused(Refusal::Invalid),
        Fault::Refused(Refusal::Unknown),
    ];
    for fault in faults {
        for lasts in [false, true] {
            let mut rig = world("", "", "own");
            let api = Api::ModifyNetworkInterfaceAttribute;
            rig.faults = if lasts { always(api, fault) } else { once(api, 0, fault) };
            take_step(&mut rig, "start");
            take_step(&mut rig, "regroup eni-2 sg-2, wait 1800");
            take_step(&mut rig, "used 4, wait 60");
            assert_eq!(rig.available(&node()), 12, "{fault:?}: {}", rig.describe());
            rig.faults = Box::new(|_, _| None);
            take_step(&mut rig, "wait 1800");
            assert_eq!(groups(&rig, "eni-2"), "sg-1", "{fault:?}: {}", rig.describe());
            rig.check_quiet();
        }
    }
}

/// Somebody who works there as well, or a node that is gone.
#[test]
fn a_node_that_is_somebody_elses_is_left_alone() {
    let mut rig = world("", "", "own");
    take_step(&mut rig, "start");
    take_step(&mut rig, "regroup eni-2 sg-2, wait 770");
    for _ in 0..10 {
        take_step(&mut rig, "rival, wait 300");
    }
    assert_eq!(repairs(&rig), 0, "{}", rig.describe());
    take_step(&mut rig, "wait 1800");
    assert_eq!(repairs(&rig), 1, "{}", rig.describe());
}

/// Somebody who puts the groups back each time is answered ever more rarely.
#[test]
fn two_who_disagree_do_not_fight_for_ever() {
    let mut rig = world("", "", "own");
    take_step(&mut rig, "start");
    let day = |rig: &mut Rig| {
        let before = repairs(rig);
        for _ in 0..288 {
            take_step(rig, "regroup eni-2 sg-2, wait 300");
        }
        repairs(rig) - before
    };
    assert_eq!([day(&mut rig), day(&mut rig)], [5, 1], "{}", rig.describe());
}

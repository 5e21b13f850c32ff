//! One guard each, of those before an interface is detached, filled, deleted or put behind other groups.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipam_core::action::{Action, eni_description};
use ipam_core::agent::Release;
use ipam_core::call::Api;
use ipam_core::ids::{EniId, NodeName};
use ipam_core::policy::MANAGED_TAG;
use ipam_core::reconcile::{Event, Finding};
use ipam_core::view::AttachmentState;

use crate::door::{check_on, labels, take_step};
use crate::rig::{Fault, Rig, always, once};
use crate::text::rig;

const SUBNET: &str = "subnet subnet-1 10.0.0.0/22";
const NODE: &str = "node node-1 m5.large pre 8 addresses 8 certain";

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

fn second() -> EniId {
    "eni-2".parse().unwrap()
}

fn world(text: &str) -> Rig {
    let mut rig = rig(&format!("{SUBNET}\n{NODE}\n{text}"));
    rig.grace = Duration::from_hours(9);
    rig
}

fn hidden(rig: &Rig) -> Vec<EniId> {
    rig.machine.giving_back(&node()).hidden
}

/// A node whose second interface holds nothing, and is about to be detached.
fn departing() -> Rig {
    let mut rig = world("eni eni-2 of node-1 at 1 own");
    take_step(&mut rig, "start");
    rig.run_until(|rig| !hidden(rig).is_empty());
    rig
}

/// The same, and the call is handed out and meets a fault.
fn detached_with(fault: Fault) -> Rig {
    let mut rig = departing();
    rig.faults = once(Api::DetachNetworkInterface, 0, fault);
    rig.run_until(|rig| rig.count(Api::DetachNetworkInterface) == 1);
    rig
}

fn filled(rig: &Rig, eni: &EniId) -> usize {
    let fills =
        |action: &Action| matches!(action, Action::AssignAddresses { eni: it, .. } if it == eni);
    rig.changes().filter(|(_, action)| fills(action)).count()
}

#[test]
fn no_interface_is_detached_that_no_reading_after_it_was_hidden_shows() {
    let mut rig = departing();
    rig.faults = always(Api::DescribeNetworkInterfaces, Fault::NotSent);
    rig.run(rig.settings.release.agreed_for + Duration::from_secs(5));
    assert_eq!(rig.count(Api::DetachNetworkInterface), 0, "{}", rig.describe());
    rig.faults = Box::new(|_, _| None);
    check_on(&mut rig, "wait 120 -> 8 on 1 by detach delete");
}

/// While nobody knows whether it is detached, what the node needs comes elsewhere.
#[test]
fn what_is_being_detached_gets_nothing_more() {
    for fault in [Fault::LostAfter, Fault::LostAndLate, Fault::Hangs] {
        let mut rig = departing();
        rig.cloud.lag = Duration::from_secs(14);
        rig.faults = once(Api::DetachNetworkInterface, 0, fault);
        rig.run_until(|rig| rig.count(Api::DetachNetworkInterface) == 1);
        take_step(&mut rig, "used 7, wait 12");
        assert_eq!(filled(&rig, &second()), 0, "{fault:?}: {}", rig.describe());
    }
}

/// A call may be on its way for a minute after it was given up, whatever readings show meanwhile.
#[test]
fn what_may_yet_be_detached_gets_nothing_more() {
    for fault in [Fault::LostBefore, Fault::LostAndLate] {
        let mut rig = departing();
        rig.faults = once(Api::DetachNetworkInterface, 0, fault);
        rig.run_until(|rig| rig.count(Api::DetachNetworkInterface) == 1);
        take_step(&mut rig, "used 7, wait 60");
        assert_eq!(filled(&rig, &second()), 0, "{fault:?}: {}", rig.describe());
    }
}

/// EC2 did it: it is known to go, although its answer was lost, and is not detached again.
#[test]
fn a_detachment_whose_answer_was_lost_is_seen() {
    let mut rig = departing();
    rig.cloud.detaching_takes = Duration::from_mins(3);
    rig.faults = once(Api::DetachNetworkInterface, 0, Fault::LostAfter);
    rig.run_until(|rig| rig.count(Api::DetachNetworkInterface) == 1);
    rig.run(Duration::from_mins(2));
    let known = rig.machine.node(&node()).unwrap();
    let known = known.enis.iter().find(|eni| eni.id == second()).unwrap();
    let state = known.attachment.as_ref().map(|at| at.state);
    assert_eq!(state, Some(AttachmentState::Detaching), "{}", rig.describe());
    rig.run(Duration::from_mins(10));
    assert_eq!(rig.count(Api::DetachNetworkInterface), 1, "{}", rig.describe());
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 1, "{}", rig.describe());
    rig.check_quiet();
}

/// EC2 never heard of it: it is tried again, and the node may have it meanwhile.
#[test]
fn a_detachment_that_was_lost_is_made_again() {
    let mut rig = detached_with(Fault::LostBefore);
    rig.run(Duration::from_mins(30));
    assert_eq!(rig.count(Api::DetachNetworkInterface), 2, "{}", rig.describe());
    assert!(!rig.cloud.enis.contains_key(&second()), "{}", rig.describe());
    rig.check_quiet();
}

/// The node goes while its interface is detached, and the interface does not stay behind.
#[test]
fn what_is_detached_of_a_node_that_goes_is_deleted() {
    let mut rig = departing();
    rig.cloud.detaching_takes = Duration::from_secs(30);
    rig.run_until(|rig| rig.count(Api::DetachNetworkInterface) == 1);
    rig.run(Duration::from_secs(1));
    rig.remove_node(&node());
    rig.run(Duration::from_mins(10));
    assert!(!rig.cloud.enis.contains_key(&second()), "{}", rig.describe());
}

/// An address that the agent has not forgotten may be on any interface.
#[test]
fn an_entry_about_an_address_keeps_interfaces() {
    let mut rig = world("eni eni-2 of node-1 at 1 own");
    let address = Ipv4Addr::new(10, 0, 3, 200);
    let entries = [(address, Release::Released)].into();
    rig.nodes.get_mut(&node()).unwrap().usage.releases = entries;
    check_on(&mut rig, "start, wait 3600 -> 8 on 2");
    rig.alter(&node(), |it| it.usage.releases.clear());
    check_on(&mut rig, "wait 580 -> 8 on 2\nwait 180 -> 8 on 1 by detach delete");
}

/// Nobody but a person can do something about it, so it is said, and no longer than it is so.
#[test]
fn one_that_the_instance_does_not_let_go_of_is_named() {
    for takes in [4, 6] {
        let mut rig = world("eni eni-2 of node-1 at 1 own");
        rig.cloud.detaching_takes = Duration::from_mins(takes);
        take_step(&mut rig, "start");
        rig.run_until(|rig| rig.count(Api::DetachNetworkInterface) == 1);
        rig.run(Duration::from_secs(290));
        assert!(labels(&rig, &node()).is_empty(), "{}", rig.describe());
        rig.run(Duration::from_secs(20));
        let stuck: &[&str] = if takes == 4 { &[] } else { &["InterfaceStuck"] };
        assert_eq!(labels(&rig, &node()), stuck, "{}", rig.describe());
        rig.run(Duration::from_mins(5));
        assert!(labels(&rig, &node()).is_empty(), "{}", rig.describe());
        assert_eq!(rig.count(Api::DeleteNetworkInterface), 1);
    }
}

/// What somebody took over before it was deleted stays, and does not keep the others from going.
#[test]
fn one_that_becomes_somebody_elses_after_it_was_detached() {
    for (key, value) in [("node.k8s.amazonaws.com/no_manage", "true"), ("keep", "yes")] {
        check_taken_over(key, value);
    }
}

#[track_caller]
fn check_taken_over(key: &str, value: &str) {
    let mut rig = world("eni eni-2 of node-1 at 2 own\neni eni-3 of node-1 at 1 own");
    rig.alter(&node(), |it| {
        let excluded = &mut it.settings.as_mut().unwrap().exclude_interface_tags;
        excluded.insert("keep".into(), "yes".into());
    });
    rig.grace = Duration::from_hours(9);
    rig.faults = always(Api::DeleteNetworkInterface, Fault::NotSent);
    take_step(&mut rig, "start");
    rig.run_until(|rig| rig.count(Api::DetachNetworkInterface) == 1);
    rig.run(Duration::from_secs(30));
    let tags = &mut rig.cloud.enis.get_mut(&second()).unwrap().eni.tags;
    tags.insert(key.into(), value.into());
    rig.cloud.changed(&second());
    // The next listing of all shows it.
    rig.run(Duration::from_mins(20));
    rig.faults = Box::new(|_, _| None);
    rig.run(Duration::from_hours(2));
    let left: Vec<&str> = rig.cloud.enis.keys().map(EniId::as_str).collect();
    assert_eq!(left, ["eni-2", "eni-node1"], "{}", rig.describe());
}

/// However long EC2 takes for one, and whoever works: the next is not hidden before it is gone.
#[test]
fn one_interface_at_a_time() {
    for restarts in [false, true] {
        let mut rig = world("eni eni-2 of node-1 at 2 own\neni eni-3 of node-1 at 1 own");
        let third: EniId = "eni-3".parse().unwrap();
        rig.cloud.detaching_takes = Duration::from_hours(1);
        take_step(&mut rig, "start");
        rig.run_until(|rig| rig.count(Api::DetachNetworkInterface) == 1);
        rig.run(Duration::from_secs(5));
        if restarts {
            rig.restart();
        }
        rig.run(Duration::from_mins(40));
        assert_eq!(rig.count(Api::DetachNetworkInterface), 1, "{}", rig.describe());
        assert!(!hidden(&rig).contains(&third), "{}", rig.describe());
        rig.run(Duration::from_hours(3));
        assert_eq!(rig.interfaces(&node()), 1, "{}", rig.describe());
    }
}

/// Whoever has put the tags of Berth on it.
#[test]
fn the_first_interface_is_never_put_behind_other_groups() {
    let mut rig = rig(&format!(
        "{SUBNET}\ngroup sg-2 tags for=pods\nnode node-1 m5.large pre 8 addresses 8 groups sg-2"
    ));
    let first: EniId = "eni-node1".parse().unwrap();
    let eni = &mut rig.cloud.enis.get_mut(&first).unwrap().eni;
    eni.description = eni_description(&"i-1".parse().unwrap());
    eni.tags.insert(MANAGED_TAG.into(), "true".into());
    rig.cloud.changed(&first);
    rig.run(Duration::from_mins(1));
    rig.is_stale = true;
    take_step(&mut rig, "start, wait 3600");
    assert_eq!(rig.count(Api::ModifyNetworkInterfaceAttribute), 0, "{}", rig.describe());
}

/// What is said of it would be for nothing: nobody puts it right.
#[test]
fn of_a_node_that_is_left_alone_no_drift_is_said() {
    let mut rig = rig(&format!(
        "{SUBNET}\ngroup sg-2 tags for=pods\n{NODE}\neni eni-2 of node-1 at 1 addresses 8 own"
    ));
    rig.is_stale = true;
    take_step(&mut rig, "start, ignored");
    take_step(&mut rig, "regroup eni-2 sg-2, wait 7200");
    let says = |event: &Event| {
        matches!(event, Event::Found { finding: Finding::GroupsDrifted { .. }, .. })
    };
    assert!(!rig.events.iter().any(|(_, event)| says(event)), "{}", rig.describe());
    assert_eq!(rig.count(Api::ModifyNetworkInterfaceAttribute), 0, "{}", rig.describe());
    rig.is_stale = false;
    take_step(&mut rig, "heeded, wait 7200");
    assert!(rig.events.iter().any(|(_, event)| says(event)), "{}", rig.describe());
}

/// One that is attached to nothing, and cannot be deleted for now, is one too.
#[test]
fn nothing_departs_before_the_last_one_is_deleted() {
    let mut rig = world("eni eni-2 of node-1 at 1 own\neni eni-3 of node-1 own");
    rig.faults = always(Api::DeleteNetworkInterface, Fault::NotSent);
    take_step(&mut rig, "start, waiting 3, wait 300");
    take_step(&mut rig, "waiting 0, wait 1500");
    assert!(rig.count(Api::DeleteNetworkInterface) > 0, "{}", rig.describe());
    assert_eq!((rig.count(Api::DetachNetworkInterface), hidden(&rig).len()), (0, 0));
    rig.faults = Box::new(|_, _| None);
    take_step(&mut rig, "wait 1200");
    assert_eq!((rig.interfaces(&node()), rig.cloud.loose().count()), (1, 0));
}

/// It was attached to the node for long, by somebody else, who detaches it and wants it back.
#[test]
fn what_was_made_by_others_stays_when_they_detach_it() {
    let mut rig = world("eni eni-2 of node-1 at 1");
    rig.is_stale = true;
    take_step(&mut rig, "start");
    rig.cloud.other_detaches("eni-2");
    rig.run(Duration::from_hours(2));
    assert!(rig.cloud.enis.contains_key(&second()), "{}", rig.describe());
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 0, "{}", rig.describe());
}

//! What is wrong with one node, one interface or one page never stops the others.

use std::time::Duration;

use ipam_core::call::{Api, Read, Request};
use ipam_core::failure::Refusal;
use ipam_core::ids::NodeName;
use ipam_core::reconcile::Event;

use crate::door::{check_on, labels};
use crate::rig::{Fault, Rig, once};
use crate::text::rig;

/// Three good nodes and `bad`, which says `label` while the others are served.
#[track_caller]
fn check(bad: &str, break_it: impl FnOnce(&mut Rig), label: &str) -> Rig {
    let world = "subnet subnet-1 10.0.0.0/22\nnodes 3 m5.large pre 8\n";
    let mut rig = rig(&format!("{world}{bad}"));
    break_it(&mut rig);
    rig.start();
    rig.run(Duration::from_mins(5));
    for number in 1..=3 {
        let name: NodeName = format!("node-{number:04}").parse().unwrap();
        assert_eq!(rig.available(&name), 8, "{}", rig.describe());
    }
    assert_eq!(labels(&rig, &bad_node()), [label], "{}", rig.describe());
    assert_eq!(rig.changes().filter(|(node, _)| **node == bad_node()).count(), 0);
    rig
}

fn bad_node() -> NodeName {
    "node-9".parse().unwrap()
}

#[test]
fn a_type_that_nobody_knows() {
    let mut rig = check("node node-9 x9.large pre 8", |_| {}, "LimitsUnknown");
    rig.cloud.types.insert("x9.large".parse().unwrap(), limits::find("m5.large").unwrap());
    rig.run(Duration::from_hours(2));
    assert_eq!(rig.available(&bad_node()), 8, "a type that EC2 knows later: {}", rig.describe());
    rig.check_quiet();
}

#[test]
fn a_type_that_only_ec2_knows() {
    let world = "type x9.large 4 10 10\nsubnet subnet-1 10.0.0.0/22\n";
    let mut rig = rig(&format!("{world}node node-1 x9.large pre 8\nnode node-2 m5.large pre 8"));
    check_on(
        &mut rig,
        "start -> 8 on 1 by assign
         on node-2, used 1 -> 9 on 1 by assign",
    );
}

#[test]
fn an_instance_that_is_not_in_the_listing() {
    let mut rig = check("node node-9 m5.large pre 8 unseen", |_| {}, "InstanceNotObserved");
    rig.check_quiet();
}

#[test]
fn an_instance_that_appears_in_the_listing_later() {
    let mut rig = check("node node-9 m5.large pre 8 unseen", |_| {}, "InstanceNotObserved");
    let node =
        crate::text::node(&mut rig.cloud, bad_node(), crate::text::Words::new("m5.large pre 8"));
    drop(node);
    rig.is_stale = true;
    rig.run(Duration::from_mins(15));
    rig.is_stale = false;
    assert_eq!(rig.available(&bad_node()), 8, "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn settings_that_cannot_be_read() {
    let unreadable = |rig: &mut Rig| rig.nodes.get_mut(&bad_node()).unwrap().settings = None;
    let mut rig = check("node node-9 m5.large pre 8", unreadable, "SettingsUnreadable");
    check_on(&mut rig, "on node-9, settings pre 8 -> 8 on 1 by assign");
}

#[test]
fn a_node_that_does_not_say_which_instance_it_is() {
    let mut identity = None;
    let nameless = |rig: &mut Rig| {
        identity = rig.nodes.get_mut(&bad_node()).unwrap().identity.take();
    };
    let mut rig = check("node node-9 m5.large pre 8", nameless, "InstanceNotNamed");
    rig.alter(&bad_node(), |it| it.identity = identity);
    rig.run(Duration::from_mins(5));
    assert_eq!(rig.available(&bad_node()), 8, "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn an_interface_that_a_listing_cannot_tell_about() {
    let rig = check(
        "cloud unreadable eni-node9\nnode node-9 m5.large pre 8",
        |_| {},
        "InstanceNotObserved",
    );
    let says = |event: &Event| matches!(event, Event::Unreadable { what, .. } if what.contains("eni-node9"));
    assert!(rig.events.iter().any(|(_, event)| says(event)), "{}", rig.describe());
}

/// Its pods may be on the one that cannot be read: what was published of it before stays as it is.
#[test]
fn a_node_is_not_published_without_an_interface_that_cannot_be_read() {
    let mut rig = check(
        "cloud unreadable eni-2
         node node-9 m5.large pre 8 addresses 4
         eni eni-2 of node-9 at 1 addresses 8",
        |_| {},
        "InstanceNotObserved",
    );
    let is_published = |rig: &Rig| rig.published.iter().any(|(_, name)| *name == bad_node());
    assert!(!is_published(&rig), "{}", rig.describe());
    let readings = rig.sent.iter().filter(|(_, it)| matches!(it, Request::Read(Read::Enis { .. })));
    assert!(readings.count() <= 20, "{}", rig.describe());
    rig.cloud.unreadable.clear();
    rig.run(Duration::from_mins(6));
    assert!(is_published(&rig), "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn an_interface_that_cannot_be_read_any_more_is_not_gone() {
    let world = "subnet subnet-1 10.0.0.0/24\nnode node-1 m5.large pre 8 addresses 4\n";
    let mut rig = rig(&format!("{world}eni eni-2 of node-1 at 1 addresses 8"));
    check_on(&mut rig, "start -> 12 on 2");
    rig.cloud.unreadable.insert("eni-2".parse().unwrap());
    check_on(&mut rig, "wait 7200 -> 12 on 2");
    assert_eq!(rig.machine.node(&"node-1".parse().unwrap()).unwrap().enis.len(), 2);
}

#[test]
fn a_page_that_fails_is_not_empty() {
    for fault in [
        Fault::LostBefore,
        Fault::NotSent,
        Fault::Refused(Refusal::PageTokenExpired),
        Fault::Refused(Refusal::Unknown),
        Fault::Refused(Refusal::NotPermitted),
    ] {
        for number in 0..4 {
            let mut rig = rig(
                "cloud pages 2\nsubnet subnet-1 10.0.0.0/22\nnodes 5 m5.large pre 8 addresses 8",
            );
            rig.faults = once(Api::DescribeNetworkInterfaces, number, fault);
            rig.start();
            rig.run(Duration::from_mins(30));
            assert_eq!(rig.changes().count(), 0, "{fault:?} at {number}: nothing was missing");
            assert!(rig.machine.is_view_complete(), "{fault:?} at {number}\n{}", rig.describe());
            let known = rig.machine.node(&"node-0005".parse().unwrap()).unwrap();
            assert_eq!(known.enis.len(), 1, "{fault:?} at {number}\n{}", rig.describe());
            let lost = |event: &Event| matches!(event, Event::Found { .. });
            assert!(!rig.events.iter().any(|(_, event)| lost(event)), "{}", rig.describe());
            rig.check_quiet();
        }
    }
}

#[test]
fn nothing_is_changed_before_everything_is_known() {
    let mut rig = rig("cloud pages 2\nsubnet subnet-1 10.0.0.0/22\nnodes 9 m5.large pre 8");
    rig.start();
    rig.run_until(|rig| rig.changes().count() > 0);
    let complete = |event: &Event| matches!(event, Event::ViewComplete { nodes: 9, enis: 9, .. });
    assert!(rig.events.iter().any(|(_, event)| complete(event)), "{}", rig.describe());
    let pages = rig.sent.iter().filter(|(_, it)| matches!(it, Request::Read(Read::Enis { .. })));
    assert_eq!(pages.count(), 5);
}

#[test]
fn a_listing_that_fails_later_changes_nothing() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/22\nnodes 5 m5.large pre 8");
    rig.start();
    rig.run(Duration::from_mins(2));
    rig.faults = Box::new(|call, _| {
        let is_reading = !call.request.api().is_mutation();
        is_reading.then_some(Fault::Refused(Refusal::Unknown))
    });
    let before = rig.changes().count();
    rig.run(Duration::from_hours(1));
    assert_eq!(rig.changes().count(), before);
    assert!(rig.nodes.keys().all(|name| rig.machine.node(name).unwrap().enis.len() == 1));
    rig.check_quiet();
}

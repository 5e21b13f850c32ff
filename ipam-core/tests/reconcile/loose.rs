//! Interfaces that were made for a node and that nobody attached.

use std::time::Duration;

use ipam_core::call::Api;
use ipam_core::failure::Refusal;
use ipam_core::ids::{EniId, NodeName};
use ipam_core::policy::{CILIUM_MANAGED_TAG, MANAGED_TAG};

use crate::door::{check_on, labels, take_step};
use crate::rig::{Fault, Rig, always, once};
use crate::text::{Words, eni, rig};

const WORLD: &str = "subnet subnet-1 10.0.0.0/22\nnode node-1 m5.large pre 8 addresses 8\n";

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

fn with_loose(text: &str) -> Rig {
    let mut rig = rig(&format!("{WORLD}{text}"));
    rig.grace = Duration::from_mins(15);
    rig
}

#[track_caller]
fn check_here(text: &str, steps: &str) {
    check_on(&mut with_loose(text), steps);
}

#[test]
fn what_is_attached_to_nothing_for_long_is_deleted() {
    for cloud in ["", "cloud lag 14000\n"] {
        check_here(
            &format!("{cloud}eni eni-2 of node-1 own\neni eni-3 of node-1 own"),
            "start, wait 595 -> 8 on 1
             wait 60 -> 8 on 1 by delete delete
             wait 3600 -> 8 on 1",
        );
    }
}

/// What it holds was asked for, so it is attached, and what is wanted comes on an empty one.
#[test]
fn what_the_node_can_use_is_attached() {
    check_here(
        "eni eni-2 of node-1 own addresses 3",
        "start, wait 3600 -> 11 on 2 by attach modify",
    );
    check_here(
        "eni eni-2 of node-1 own",
        "start, wait 400 -> 8 on 1
         used 7 -> 15 on 2 by assign attach assign modify
         wait 3600 -> 15 on 2",
    );
}

/// It holds more than the type of the instance takes.
#[test]
fn what_the_node_cannot_use_is_deleted() {
    let mut rig = {
        let mut rig = rig("operator prefixes\nsubnet subnet-1 10.0.0.0/22
             node node-1 m4.large pre 8 addresses 8
             eni eni-2 of node-1 own prefixes 2");
        rig.grace = Duration::from_mins(15);
        let name = take_step(&mut rig, "start");
        assert_eq!(labels(&rig, &name), ["InterfaceUnusable"]);
        let blocks = free_blocks(&rig);
        rig.run_until(|rig| rig.count(Api::DeleteNetworkInterface) == 1);
        rig.run(Duration::from_secs(1));
        assert_eq!(free_blocks(&rig), blocks + 2, "its blocks are known to be free");
        rig
    };
    check_on(&mut rig, "wait 3600 -> 8 on 1");
}

fn free_blocks(rig: &Rig) -> u32 {
    let subnet = rig.machine.network().subnets.values().next().unwrap();
    subnet.free_blocks.as_ref().unwrap().count()
}

/// Somebody else's, or that of another node.
#[test]
fn what_was_not_made_for_the_node_stays() {
    for eni in ["eni eni-2 of node-1", "eni eni-2 of node-1 tags berth/managed=true"] {
        let mut rig = with_loose(eni);
        rig.grace = Duration::from_hours(9);
        take_step(&mut rig, "start, wait 7200");
        assert!(rig.cloud.enis.contains_key(&"eni-2".parse().unwrap()), "{eni}");
        assert_eq!(rig.count(Api::DeleteNetworkInterface), 0);
    }
}

#[test]
fn it_stays_for_a_node_that_is_left_alone() {
    let eni = "eni eni-2 of node-1 own";
    let deletes = |operator: &str, steps: &[&str]| {
        let mut rig = rig(&format!("{operator}\n{WORLD}{eni}"));
        rig.grace = Duration::from_hours(9);
        for step in steps {
            take_step(&mut rig, step);
        }
        rig.count(Api::DeleteNetworkInterface)
    };
    assert_eq!(deletes("operator observe", &["start, wait 7200"]), 0);
    assert_eq!(deletes("operator", &["start, ignored, wait 7200"]), 0);
    assert_eq!(deletes("operator", &["start, wait 60", "unreadable, wait 7200"]), 0);
    // While somebody else works, it may be theirs; after that it is looked at anew.
    let rival = ["start, wait 60", "rival, wait 500", "rival, wait 500", "rival, wait 500"];
    assert_eq!(deletes("operator", &rival), 0);
    assert_eq!(deletes("operator no-release", &["start, wait 7200"]), 1);
}

/// The owner of the node keeps it out by its tags, so it is not Berth's to delete.
#[test]
fn one_that_the_node_excludes_stays() {
    let mut rig = rig(&format!(
        "{} exclude keep=yes\neni eni-2 of node-1 own tags keep=yes\neni eni-3 of node-1 own",
        WORLD.trim_end()
    ));
    rig.grace = Duration::from_hours(9);
    take_step(&mut rig, "start, wait 7200");
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 1, "{}", rig.describe());
    assert!(rig.cloud.enis.contains_key(&"eni-2".parse().unwrap()), "{}", rig.describe());
}

/// Cilium's operator makes one and attaches it within minutes.
#[test]
fn one_that_somebody_else_attaches_in_time_is_theirs() {
    let mut rig = with_loose("eni eni-2 of node-1 own");
    let eni: EniId = "eni-2".parse().unwrap();
    let stored = rig.cloud.enis.get_mut(&eni).unwrap();
    stored.eni.tags.remove(MANAGED_TAG);
    stored.eni.tags.insert(CILIUM_MANAGED_TAG.into(), "true".into());
    rig.cloud.changed(&eni);
    rig.run(Duration::from_mins(1));
    rig.is_stale = true;
    take_step(&mut rig, "start, wait 590");
    rig.cloud.attach(&eni, &"i-1".parse().unwrap(), 1).unwrap();
    rig.run(Duration::from_hours(2));
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 0, "{}", rig.describe());
    // Once attached it is filled like any other.
    take_step(&mut rig, "used 9");
    assert_eq!((rig.available(&node()), rig.interfaces(&node())), (17, 2), "{}", rig.describe());
}

/// One reading more, after the time, has to show it.
#[test]
fn it_is_read_again_before_it_is_deleted() {
    let mut rig = with_loose("eni eni-2 of node-1 own");
    rig.grace = Duration::from_hours(2);
    take_step(&mut rig, "start, wait 590");
    rig.faults = always(Api::DescribeNetworkInterfaces, Fault::NotSent);
    take_step(&mut rig, "wait 1800");
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 0, "{}", rig.describe());
    rig.faults = Box::new(|_, _| None);
    take_step(&mut rig, "wait 120");
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 1, "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn somebody_else_deletes_it_first() {
    let mut rig = with_loose("eni eni-2 of node-1 own");
    take_step(&mut rig, "start, wait 590");
    rig.cloud.other_deletes("eni-2");
    rig.is_stale = true;
    take_step(&mut rig, "wait 1800");
    rig.is_stale = false;
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 0, "{}", rig.describe());
    rig.check_quiet();
    check_on(&mut rig, "used 7 -> 15 on 2 by assign create attach modify");
}

/// A node that comes after the listing has its loose interfaces all the same.
#[test]
fn of_a_node_that_comes_later() {
    let mut rig = rig(
        "subnet subnet-1 10.0.0.0/22\nnode node-1 m5.large pre 8\nnode node-2 m5.large pre 8\neni eni-2 of node-2 own",
    );
    let name: NodeName = "node-2".parse().unwrap();
    let later = rig.nodes.remove(&name).unwrap();
    rig.grace = Duration::from_hours(1);
    check_on_stale(&mut rig, "start, wait 600");
    rig.nodes.insert(name.clone(), later);
    rig.alter(&name, |_| {});
    check_on(&mut rig, "on node-2, wait 700 -> 8 on 1 by assign delete");
}

fn check_on_stale(rig: &mut Rig, step: &str) {
    rig.is_stale = true;
    take_step(rig, step);
    rig.is_stale = false;
}

#[test]
fn every_failure_of_the_deletion() {
    let faults = [
        Fault::LostBefore,
        Fault::LostAfter,
        Fault::LostAndLate,
        Fault::NotSent,
        Fault::Refused(Refusal::EniInUse),
        Fault::Refused(Refusal::EniNotFound),
        Fault::Refused(Refusal::Unauthorized),
        Fault::Refused(Refusal::Unknown),
    ];
    for fault in faults {
        let mut rig = with_loose("eni eni-2 of node-1 own");
        rig.grace = Duration::from_mins(30);
        rig.faults = once(Api::DeleteNetworkInterface, 0, fault);
        take_step(&mut rig, "start, wait 1500");
        rig.check_quiet();
        check_on(&mut rig, "used 7 -> 15 on 2 by assign create attach modify");
    }
}

/// One that comes while the operator works is seen at the next listing of all, or when it is listed by others.
#[test]
fn one_that_comes_later_is_found() {
    let mut rig = with_loose("");
    rig.grace = Duration::from_hours(1);
    check_on(&mut rig, "start -> 8 on 1");
    eni(&mut rig.cloud, Words::new("eni-9 of node-1 own"));
    rig.is_stale = true;
    take_step(&mut rig, "wait 1800");
    rig.is_stale = false;
    check_on(&mut rig, "wait 3600 -> 8 on 1");
}

/// Berth did not make it, or somebody marked it as theirs, before or after it was to be deleted.
#[test]
fn one_that_is_somebody_elses_by_its_tags_stays() {
    let marks = ["node.k8s.amazonaws.com/no_manage=true", "node.k8s.amazonaws.com/instance_id=i-1"];
    for mark in marks {
        check_stays(&format!("eni eni-2 of node-1 own tags {mark}"), |_| {});
    }
    check_stays("eni eni-2 of node-1 own", |rig| {
        let eni = "eni-2".parse().unwrap();
        let tags = &mut rig.cloud.enis.get_mut(&eni).unwrap().eni.tags;
        tags.remove(MANAGED_TAG);
        tags.insert(CILIUM_MANAGED_TAG.into(), "true".into());
        rig.cloud.changed(&eni);
        rig.run(Duration::from_mins(1));
    });
}

#[track_caller]
fn check_stays(eni: &str, change: impl FnOnce(&mut Rig)) {
    let mut rig = with_loose(eni);
    rig.grace = Duration::from_hours(9);
    change(&mut rig);
    take_step(&mut rig, "start, wait 7200");
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 0, "{eni}: {}", rig.describe());
}

//! What an agent of the CIDR contract gave up and does not take back (cilium/cilium#47910).

use ipam_core::ids::NodeName;

use crate::door::{check_on, take_step};
use crate::rig::Rig;
use crate::text::rig;

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

/// A node that has two prefixes and whose agent has given one up.
fn given_up(operator: &str, is_forgetful: bool) -> Rig {
    let mut rig = rig(&format!(
        "operator prefixes {operator}\nsubnet subnet-1 10.0.0.0/22\nnode node-1 m5.large pre 8 cidr 8\nagents node-1"
    ));
    rig.agents.get_mut(&node()).unwrap().is_forgetful = is_forgetful;
    rig.is_stale = true;
    take_step(&mut rig, "start");
    take_step(&mut rig, "pods 20");
    assert_eq!((rig.available(&node()), rig.agents[&node()].running()), (32, 20));
    take_step(&mut rig, "pods 2, wait 30");
    rig
}

/// It leaves, and another one comes.
#[test]
fn a_prefix_that_is_of_no_use_is_exchanged() {
    let mut rig = given_up("", true);
    take_step(&mut rig, "pods 18, wait 150");
    assert_eq!(rig.agents[&node()].running(), 16, "{}", rig.describe());
    take_step(&mut rig, "wait 120");
    assert_eq!(rig.agents[&node()].running(), 18, "{}", rig.describe());
    rig.is_stale = false;
    check_on(&mut rig, "wait 7200 -> 32 on 1");
}

#[test]
fn where_nothing_is_given_back_it_stays() {
    let mut rig = given_up("no-release", true);
    let before = rig.changes().count();
    take_step(&mut rig, "pods 18, wait 7200");
    assert_eq!(rig.changes().count(), before, "{}", rig.describe());
}

/// An agent that takes it back in time keeps it.
#[test]
fn what_is_taken_back_stays() {
    let mut rig = given_up("", false);
    let before = rig.changes().count();
    take_step(&mut rig, "pods 18, wait 7200");
    assert_eq!(rig.agents[&node()].running(), 18, "{}", rig.describe());
    assert_eq!(rig.changes().count(), before, "{}", rig.describe());
}

/// An agent that is gone names nothing new: what it never named is not exchanged for ever.
#[test]
fn what_was_never_named_is_not_exchanged() {
    let mut rig = given_up("", true);
    take_step(&mut rig, "pods 18, wait 1");
    take_step(&mut rig, "away, wait 7200");
    let before = rig.changes().count();
    take_step(&mut rig, "wait 36000");
    assert_eq!(rig.changes().count(), before, "{}", rig.describe());
}

//! What nodes have to spare, and what is said of why they still have it.

use ipam_core::call::Api;
use ipam_core::failure::Refusal;
use ipam_core::ids::NodeName;

use crate::door::take_step;
use crate::rig::{Fault, Rig, always, once};
use crate::text::rig;

const SUBNET: &str = "subnet subnet-1 10.0.0.0/22\n";
/// Steps after which a node has 15 addresses on two interfaces and uses 7, which is what it keeps.
const GROWN: [&str; 2] = ["start", "pods 7"];

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

/// `7 Delay, idle 0, leaving 0`: addresses to spare and why they are there, interfaces that hold nothing, interfaces that leave.
fn said(rig: &Rig, name: &NodeName) -> String {
    let summary = rig.machine.summary(name).expect("a node");
    let kept = summary.kept.map_or("-", |kept| kept.label());
    format!(
        "{} {kept}, idle {}, leaving {}",
        summary.to_spare, summary.idle_enis, summary.leaving_enis
    )
}

#[track_caller]
fn check_on(rig: &mut Rig, steps: &str) {
    for step in steps.lines().map(str::trim) {
        let (changes, expected) = step.split_once(" -> ").expect("an arrow");
        let name = take_step(rig, changes);
        assert_eq!(said(rig, &name), expected, "{step}\n{}", rig.describe());
    }
}

#[track_caller]
fn check(text: &str, steps: &str) {
    check_on(&mut grown(text), steps);
}

fn grown(text: &str) -> Rig {
    let mut rig = rig(&format!("{SUBNET}{text}"));
    for step in GROWN {
        take_step(&mut rig, step);
    }
    rig
}

const NODE: &str = "node node-1 m5.large pre 8\nagents node-1";

#[test]
fn what_goes_says_how_far_it_is() {
    check(
        NODE,
        "wait 1 -> 0 -, idle 0, leaving 0
         pods 0, wait 60 -> 7 Delay, idle 0, leaving 0
         away, wait 180 -> 7 AgentAsked, idle 0, leaving 0
         back, wait 5 -> 7 Leaving, idle 0, leaving 0
         wait 60 -> 0 -, idle 1, leaving 0
         wait 580 -> 0 -, idle 1, leaving 1
         wait 600 -> 0 -, idle 0, leaving 0",
    );
}

#[test]
fn who_gives_nothing_back_says_so() {
    for (operator, kept) in [
        ("operator keeps", "SwitchedOff"),
        ("operator no-release", "SwitchedOff"),
        ("operator keeps-interfaces", "-"),
    ] {
        let spare = if kept == "-" { 0 } else { 7 };
        let idle = u32::from(spare == 0);
        check(
            &format!("{operator}\n{NODE}"),
            &format!("pods 0, wait 3600 -> {spare} {kept}, idle {idle}, leaving 0"),
        );
    }
}

/// Nothing was changed by the operator, and all is there to see.
#[test]
fn who_observes_sees_what_would_go() {
    let text = "operator observe\nnode node-1 m5.large pre 8 used 1 addresses 9\neni eni-2 of node-1 at 1 addresses 8";
    let mut rig = rig(&format!("{SUBNET}{text}"));
    check_on(&mut rig, "start -> 8 OnlyObserved, idle 0, leaving 0");
}

#[test]
fn the_cap_of_an_hour_says_so() {
    check(
        &format!("operator releases 4\n{NODE}"),
        "pods 0, wait 400 -> 3 CapReached, idle 0, leaving 0
         wait 3600 -> 0 -, idle 1, leaving 0",
    );
}

#[test]
fn a_prefix_of_which_something_is_used_says_so() {
    let mut rig = rig(&format!("operator prefixes\n{SUBNET}{NODE}"));
    check_on(&mut rig, "start -> 8 InUse, idle 0, leaving 0\npods 5 -> 3 InUse, idle 0, leaving 0");
}

#[test]
fn what_is_in_doubt_or_forbidden_says_so() {
    check(
        NODE,
        "pods 0, wait 60 -> 7 Delay, idle 0, leaving 0
         rival -> 7 RivalOperator, idle 0, leaving 0
         wait 600, unreadable -> 7 Uncertain, idle 0, leaving 0",
    );
    let mut rig = grown(NODE);
    let refused = Fault::Refused(Refusal::Unauthorized);
    rig.faults = always(Api::UnassignPrivateIpAddresses, refused);
    check_on(&mut rig, "pods 0, wait 400 -> 7 MissingPermission, idle 0, leaving 0");
}

#[test]
fn an_agent_that_has_not_spoken_says_nothing() {
    let mut rig = rig(&format!("{SUBNET}node node-1 m5.large pre 8 cidr 8 addresses 9"));
    rig.nodes.get_mut(&node()).unwrap().usage.is_certain = true;
    check_on(&mut rig, "start -> 1 AgentSilent, idle 0, leaving 0");
}

/// What never reached EC2 is no address that was given back in this hour. What was lost on the way may be one.
#[test]
fn the_cap_counts_what_may_have_happened() {
    let unassign = Api::UnassignPrivateIpAddresses;
    for (fault, said) in [
        (Fault::NotSent, "0 -, idle 1, leaving 0"),
        (Fault::LostAfter, "0 -, idle 1, leaving 0"),
        (Fault::LostBefore, "6 CapReached, idle 0, leaving 0"),
    ] {
        let mut rig = grown(&format!("operator releases 7\n{NODE}"));
        rig.faults = once(unassign, 0, fault);
        check_on(&mut rig, &format!("pods 0, wait 500 -> {said}"));
    }
}

//! The lines of the log.

use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::call::{Api, CallId};
use ipam_core::failure::{Failure, Refusal};
use ipam_core::reason::{Blocked, Reason};
use ipam_core::reconcile::{Event, Finding, Rival, RivalDeed};

use super::{Said, log};
use crate::shell::written::written;

/// Compares the lines that `event` makes with `expected`.
#[track_caller]
fn check(event: &Event, expected: &str) {
    check_after(&mut Said::default(), event, expected);
}

/// The same, after what was said already.
#[track_caller]
fn check_after(said: &mut Said, event: &Event, expected: &str) {
    assert_eq!(written(|| log(event, said)), expected);
}

fn assign() -> Action {
    let (eni, subnet) = ("eni-1".parse().unwrap(), "subnet-1".parse().unwrap());
    Action::AssignAddresses { eni, subnet, count: 8 }
}

fn took() -> Duration {
    Duration::from_millis(500)
}

#[test]
fn decisions_are_at_debug_and_changes_at_info() {
    let node: ipam_core::ids::NodeName = "node-1".parse().unwrap();
    let (api, action) = (Api::AssignPrivateIpAddresses, assign());
    let change = Some((node.clone(), action.clone()));
    check(
        &Event::Sent { call: CallId(7), api, change, waited: Duration::ZERO },
        "DEBUG sent call=7 api=AssignPrivateIpAddresses node=node-1 \
         action=assign 8 addresses of subnet-1 to eni-1 waited=0ns",
    );
    let prefixes = vec!["10.0.0.16/28".parse().unwrap(), "10.0.0.64/28".parse().unwrap()];
    let back = Action::UnassignPrefixes { eni: "eni-1".parse().unwrap(), prefixes };
    check(
        &Event::Changed {
            node: node.clone(),
            action: back,
            subnet: None,
            addresses: 0,
            took: took(),
        },
        "INFO changed node=node-1 action=take 10.0.0.16/28, 10.0.0.64/28 off eni-1 came=0 went=32 took=500ms",
    );
    let api = Api::DescribeSubnets;
    check(
        &Event::Sent { call: CallId(8), api, change: None, waited: took() },
        "DEBUG sent call=8 api=DescribeSubnets waited=500ms",
    );
    check(
        &Event::Changed { node, action, subnet: None, addresses: 8, took: took() },
        "INFO changed node=node-1 action=assign 8 addresses of subnet-1 to eni-1 came=8 went=0 took=500ms",
    );
}

#[test]
fn what_blocks_a_node_is_at_info_with_its_reason() {
    let node: ipam_core::ids::NodeName = "node-1".parse().unwrap();
    let reason = Reason::InstanceFull { instance_type: "m5.large".parse().unwrap() };
    let blocked = vec![Blocked { reason, short: 6 }];
    check(
        &Event::Blocked { node: node.clone(), blocked },
        "INFO blocked: every slot for pods of this m5.large is taken node=node-1 reason=\"InstanceFull\" short=6",
    );
    check(
        &Event::Blocked { node, blocked: vec![] },
        "INFO nothing keeps the node from what it wants any more node=node-1",
    );
}

#[test]
fn the_same_reason_with_other_particulars_is_at_debug() {
    let node: ipam_core::ids::NodeName = "node-1".parse().unwrap();
    let blocked = |api| {
        let blocked = vec![Blocked { reason: Reason::NoAnswer { api }, short: 0 }];
        Event::Blocked { node: node.clone(), blocked }
    };
    let said = &mut Said::default();
    let text =
        "blocked: EC2 does not answer to DescribeSubnets node=node-1 reason=\"NoAnswer\" short=0";
    check_after(said, &blocked(Api::DescribeSubnets), &format!("INFO {text}"));
    let other =
        "blocked: EC2 does not answer to DescribeVpcs node=node-1 reason=\"NoAnswer\" short=0";
    check_after(said, &blocked(Api::DescribeVpcs), &format!("DEBUG {other}"));
    check_after(said, &blocked(Api::DescribeSubnets), &format!("DEBUG {text}"));
    let gone = Event::NodeForgotten { node: node.clone() };
    check_after(said, &gone, "INFO the node is gone node=node-1");
    check_after(said, &blocked(Api::DescribeSubnets), &format!("INFO {text}"));
}

#[test]
fn failures_are_at_warn_unless_they_are_part_of_the_day() {
    let failed = |failure| Event::Failed {
        api: Api::DescribeSubnets,
        change: None,
        subnet: None,
        failure,
        took: took(),
    };
    check(&failed(Failure::Throttled), "DEBUG failed api=DescribeSubnets failure=throttled by EC2");
    let refusal = Refusal::Unauthorized;
    let refused =
        Failure::Refused { refusal, code: "UnauthorizedOperation".into(), message: "no".into() };
    check(
        &failed(refused),
        "DEBUG failed api=DescribeSubnets failure=refused by EC2: UnauthorizedOperation: no",
    );
    check(
        &failed(Failure::NoAnswer { cause: "cut".into() }),
        "WARN failed api=DescribeSubnets failure=no answer: cut",
    );
    check(
        &Event::PermissionMissing { api: Api::DescribeRouteTables },
        "WARN not allowed: `berth-operator check` says what that costs api=DescribeRouteTables",
    );
}

#[test]
fn what_somebody_else_did_is_at_warn() {
    let eni = "eni-1".parse().unwrap();
    let finding = Finding::EniVanished { eni };
    check(
        &Event::Found { node: "node-1".parse().unwrap(), finding },
        "WARN EC2 differs from what was known node=node-1 kind=\"EniVanished\" finding=EniVanished { eni: eni-1 }",
    );
    let groups =
        || (vec!["sg-a".parse().unwrap()], vec!["sg-b".parse().unwrap(), "sg-c".parse().unwrap()]);
    let (eni, (found, wanted)) = ("eni-1".parse().unwrap(), groups());
    let finding = Finding::GroupsDrifted { eni, found, wanted };
    check(
        &Event::Found { node: "node-1".parse().unwrap(), finding },
        "WARN the interface is behind other security groups than a new one would get: it is put behind those where mode and permissions \
         allow it; --repair-security-groups=false leaves it node=node-1 eni=eni-1 found=sg-a wanted=sg-b, sg-c",
    );
    let pause = Duration::from_hours(1);
    let (eni, (found, wanted)) = ("eni-1".parse().unwrap(), groups());
    let finding = Finding::GroupsContested { eni, found, wanted, pause };
    check(
        &Event::Found { node: "node-1".parse().unwrap(), finding },
        "WARN somebody keeps putting the interface behind other security groups: it is put back later; --repair-security-groups=false \
         leaves it node=node-1 eni=eni-1 found=sg-a wanted=sg-b, sg-c pause=3600s",
    );
    let rival = Rival { who: "cilium-operator-aws".into(), did: RivalDeed::WrotePool };
    check(
        &Event::RivalFound { node: None, rival },
        "WARN somebody else does the operator's work: nothing is changed until they stop node=\"all nodes\" \
         who=\"cilium-operator-aws\" did=\"wrote spec.ipam.pool\"",
    );
}

#[test]
fn what_becomes_of_interfaces_that_no_node_claims() {
    let eni = || "eni-1".parse().unwrap();
    let instance = || "i-1".parse().unwrap();
    let age = Some(Duration::from_secs(700));
    check(
        &Event::CleanedUp { eni: eni(), instance: instance(), age, took: took() },
        "INFO deleted an interface that no node claims eni=eni-1 instance=i-1 age=Some(700s) took=500ms",
    );
    check(
        &Event::WouldCleanUp { eni: eni(), instance: instance(), age: None },
        "INFO an interface that no node claims would be deleted eni=eni-1 instance=i-1 age=None",
    );
    let failed =
        |failure| Event::CleanUpFailed { eni: eni(), instance: instance(), failure, took: took() };
    check(
        &failed(Failure::Throttled),
        "DEBUG an interface that no node claims is not deleted eni=eni-1 instance=i-1 failure=throttled by EC2",
    );
    check(
        &failed(Failure::NoAnswer { cause: "cut".into() }),
        "WARN an interface that no node claims is not deleted: the next looks decide again; `berth-operator gc --dry-run` says why \
         eni=eni-1 instance=i-1 failure=no answer: cut",
    );
    check(
        &Event::CleanUpOff,
        "WARN interfaces that no node claims are not cleaned up: without --cluster-name they cannot be told from those of other \
         clusters; --eni-gc-interval=0 says that this is meant",
    );
}

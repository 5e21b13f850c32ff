//! `berth-operator check` against the simulated EC2.

use std::collections::BTreeSet;

use berth_operator::check::{Checked, Verdict, check};
use ec2_sim::fault::{Code, Effect, Rule};
use ec2_sim::request::Action;
use ec2_sim::world::Principal;

use crate::bed::{Bed, Face, run};

/// What a published IAM policy of a Cilium installation allows (prefix delegation and release, secondary CIDR).
const POLICY: &str = "DescribeNetworkInterfaces DescribeSubnets DescribeVpcs DescribeSecurityGroups CreateNetworkInterface
    AttachNetworkInterface ModifyNetworkInterfaceAttribute AssignPrivateIpAddresses CreateTags UnassignPrivateIpAddresses
    DeleteNetworkInterface DescribeInstanceTypes";

/// Lets `AKIALIMITED` use these actions and no others.
fn limit(bed: &Bed, actions: &str) {
    let action = |name: &str| Action::find(name).expect("an action");
    let allowed: BTreeSet<_> = actions.split_whitespace().map(action).collect();
    let principal = Principal { account: "123456789012".to_owned(), allowed: Some(allowed) };
    bed.build(|mut builder| builder.principal("AKIALIMITED", principal));
}

/// The actions that are not allowed.
fn missing(checked: &Checked) -> Vec<&'static str> {
    let denied = checked.permissions.iter().filter(|one| one.verdict != Verdict::Allowed);
    denied.map(|one| one.action.name()).collect()
}

#[test]
fn everything_is_allowed_and_nothing_is_changed() {
    run(Face::InProcess, async |bed: &mut Bed| {
        let checked = check(&bed.aws).await;
        assert_eq!(missing(&checked), Vec::<&str>::new(), "{}", checked.table());
        assert!(checked.is_enough());
        let changes = bed.with(|ec2| ec2.journal().iter().filter(|entry| entry.committed).count());
        assert_eq!(changes, 0);
    });
}

#[test]
fn a_published_policy_is_enough_and_what_it_lacks_is_named() {
    run(Face::InProcess, async |bed: &mut Bed| {
        limit(bed, POLICY);
        let checked = check(&bed.as_caller("AKIALIMITED")).await;
        let lacks = [
            "DetachNetworkInterface",
            "AssignIpv6Addresses",
            "DescribeRouteTables",
            "GetSecurityGroupsForVpc",
        ];
        assert_eq!(missing(&checked), lacks, "{}", checked.table());
        assert!(checked.is_enough());
    });
}

#[test]
fn each_required_action_is_missed() {
    for name in POLICY.split_whitespace().filter(|name| {
        let optional = [
            "DescribeVpcs",
            "DescribeSecurityGroups",
            "DescribeInstanceTypes",
            "UnassignPrivateIpAddresses",
        ];
        // Creation is tried with tags and without; EC2 asks for the permission to tag there, the simulated one does not.
        !optional.contains(name) && *name != "CreateTags"
    }) {
        run(Face::InProcess, async |bed: &mut Bed| {
            let others: Vec<_> = POLICY.split_whitespace().filter(|one| *one != name).collect();
            limit(bed, &others.join(" "));
            let checked = check(&bed.as_caller("AKIALIMITED")).await;
            assert!(missing(&checked).contains(&name), "{name}: {}", checked.table());
            assert!(!checked.is_enough(), "{name}");
        });
    }
}

/// The second creation is the one with tags.
#[test]
fn tags_are_tried_where_they_are_given() {
    run(Face::InProcess, async |bed: &mut Bed| {
        let denied = Effect::Error {
            code: Code::find("UnauthorizedOperation").expect("a code"),
            message: "You are not authorized to perform: ec2:CreateTags".to_owned(),
            status: None,
        };
        let rule = Rule::nth(Action::CreateNetworkInterface, 2, denied);
        bed.build(|mut builder| builder.faults().add(rule));
        let checked = check(&bed.aws).await;
        assert_eq!(missing(&checked), ["CreateTags"], "{}", checked.table());
        assert!(!checked.is_enough());
    });
}

#[test]
fn who_is_not_known_is_allowed_nothing() {
    run(Face::InProcess, async |bed: &mut Bed| {
        limit(bed, POLICY);
        let checked = check(&bed.as_caller("AKIASTRANGER")).await;
        let unclear = |verdict: &Verdict| matches!(verdict, Verdict::Unclear(_));
        assert!(checked.permissions.iter().all(|one| unclear(&one.verdict)), "{}", checked.table());
        assert!(!checked.is_enough());
    });
}

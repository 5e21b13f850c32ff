//! What happens to a call before and after its action.

mod extremes;
mod faults;
mod reads;

use std::time::Duration;

use crate::reply::Delivery;
use crate::request::Action;
use crate::script::{check, standard};
use crate::throttle::{Bucket, Size};

#[test]
fn permissions_are_each_principals_own() {
    check(
        "principal one may=CreateNetworkInterface\nas one\ncreate a\ndelete e\nas nobody\ndelete e\nprincipal two\nas two\ndelete e",
        "e: pending 10.0.0.9
        UnauthorizedOperation: You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/one is not authorized to perform: ec2:DeleteNetworkInterface because no identity-based policy allows the ec2:DeleteNetworkInterface action
        AuthFailure: AWS was not able to validate the provided access credentials
        ok",
    );
}

#[test]
fn buckets_are_each_accounts_own_and_nobodys_take_from_none() {
    let mut script = standard();
    let size = Size { capacity: 1.0, refill_per_second: 0.5 };
    let bucket = Bucket::of(Action::CreateNetworkInterface);
    script.ec2.build().buckets().settings.overrides.insert(bucket, size);
    script.run(
        "principal one\nprincipal two\nprincipal other account=999999999999\nas nobody\ncreate a\nas one\ncreate a\nas two\ncreate a\nas other\ncreate a name=f",
        "AuthFailure: AWS was not able to validate the provided access credentials
        e: pending 10.0.0.9
        RequestLimitExceeded: Request limit exceeded.
        f: pending 10.0.0.10",
    );
}

#[test]
fn a_rate_comes_before_a_permission_unless_it_is_assumed_otherwise() {
    let steps = "principal one may=DescribeSubnets\nas one\nfault {\"effect\": \"throttle-burst\"}\ncreate a";
    check(steps, "RequestLimitExceeded: Request limit exceeded.");
    let mut script = standard();
    script.run("assume throttle-before-validation=false", "");
    script.attempt(steps.lines().next().expect("a line"));
    script.run("as one", "");
    assert_eq!(
        script.answer("create a").outcome.map_err(|error| error.code).err(),
        Some("UnauthorizedOperation")
    );
    let level = script.ec2.buckets().peek(
        script.ec2.now(),
        "123456789012",
        Bucket::of(Action::CreateNetworkInterface),
    );
    assert_eq!(level, Some(100.0));
}

#[test]
fn a_dry_run_changes_nothing() {
    check(
        "create a dry\nsubnet a\ncreate a count=0 dry",
        "DryRunOperation: Request would have succeeded, but DryRun flag is set.\n246\nDryRunOperation: Request would have succeeded, but DryRun flag is set.",
    );
}

#[test]
fn an_empty_bucket_refuses_before_anything_is_looked_at() {
    let mut script = standard();
    let size = Size { capacity: 1.0, refill_per_second: 0.5 };
    let bucket = Bucket::of(Action::CreateNetworkInterface);
    script.ec2.build().buckets().settings.overrides.insert(bucket, size);
    script.run(
        "create a\ncreate a count=0\nsubnet a\nwait 2\ncreate a count=0\ncreate a",
        "e: pending 10.0.0.9
        RequestLimitExceeded: Request limit exceeded.
        245
        InvalidParameterValue: Value (0) for parameter secondaryPrivateIpAddressCount is invalid. Value must be a positive number.
        RequestLimitExceeded: Request limit exceeded.",
    );
    let counts = script.ec2.counters().of(Action::CreateNetworkInterface);
    assert_eq!((counts.calls, counts.throttled), (4, 2));
    let throttled: Vec<_> =
        script.ec2.journal().iter().map(|entry| (entry.throttled, entry.committed)).collect();
    assert_eq!(
        throttled,
        [(false, true), (true, false), (false, false), (false, false), (true, false)]
    );
}

#[test]
fn faults_cut_in_both_commit_orders() {
    check(
        r#"fault {"action": "CreateNetworkInterface", "nth": 1, "effect": {"commit-then-drop": "internal-error"}}
        fault {"action": "CreateNetworkInterface", "nth": 2, "effect": {"drop-before-commit": "unavailable"}}
        create a
        subnet a
        create a
        subnet a
        create a"#,
        "InternalError: An internal error has occurred
        245
        Unavailable: The service is unavailable. Please try again shortly.
        245
        e: pending 10.0.0.10",
    );
    check(
        r#"fault {"action": "AssignPrivateIpAddresses", "effect": {"commit-then-drop": "cut"}}
        assign i1-primary count=1
        show i1-primary"#,
        "10.0.0.9 (Cut)\nin-use i1/0/0* 10.0.0.4 10.0.0.9",
    );
}

#[test]
fn others_act_before_and_after_a_call() {
    let fault = |act: &str| {
        format!(
            r#"fault {{"nth": 1, "action": "CreateNetworkInterface", "effect": {{"foreign": {{"act": {act}}}}}}}"#
        )
    };
    check(
        &format!("{}\ncreate a", fault(r#"{"take-addresses": {"count": 3}}"#)),
        "e: pending 10.0.0.12",
    );
    check(
        &format!("{}\ncreate a\nsubnet a", fault(r#"{"leave-addresses": {"left": 0}}"#)),
        "InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses to satisfy the request.\n0",
    );
    check(
        &format!("{}\ncreate a prefix-count=1", fault(r#"{"leave-blocks": {"left": 0}}"#)),
        "InsufficientCidrBlocks: The specified subnet does not have enough free cidr blocks to satisfy the request.",
    );
    check(
        &format!("{}\ncreate a", fault(r#"{"cut-quota": {"interfaces": 6}}"#)),
        "NetworkInterfaceLimitExceeded: The maximum number of network interfaces (6) has been reached.",
    );
    check(
        &format!("{}\ncreate a", fault(r#"{"zone-outage": {"zone": "eu-west-1a", "down": true}}"#)),
        "Unavailable: The availability zone of subnet 'a' is unavailable. Please try again shortly.",
    );
    let revoked = fault(r#"{"revoke": {"action": "CreateNetworkInterface"}}"#);
    let mut script = standard();
    script.run(&revoked, "");
    let refused = "UnauthorizedOperation: You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/tester is not authorized to perform: ec2:CreateNetworkInterface because no identity-based policy allows the ec2:CreateNetworkInterface action";
    script.run("create a", refused);
}

#[test]
fn others_act_on_what_a_call_is_about() {
    let fault = |act: &str| {
        format!(
            r#"fault {{"nth": 1, "action": "AttachNetworkInterface", "effect": {{"foreign": {{"act": {act}}}}}}}"#
        )
    };
    check(
        &format!(
            "{}\ncreate a\nattach e i1 1\nattach e i1 2",
            fault(r#"{"take-device-index": {"device_index": 1}}"#)
        ),
        "e: pending 10.0.0.9\nInvalidParameterValue: Instance 'i1' already has an interface attached at device index '1'.\ncard 0",
    );
    check(
        &format!("{}\ncreate a\nattach e i1 1", fault(r#"{"delete": {}}"#)),
        "e: pending 10.0.0.9\nInvalidNetworkInterfaceID.NotFound: The networkInterface ID 'e' does not exist",
    );
    check(
        &format!("{}\ncreate a\nattach e i1 1", fault(r#"{"terminate": {}}"#)),
        "e: pending 10.0.0.9\nIncorrectState: Instance 'i1' is not 'running'",
    );
    check(
        r#"fault {"action": "AssignPrivateIpAddresses", "effect": {"foreign": {"act": {"unassign": {}}, "timing": "after"}}}
        assign i1-primary count=2
        show i1-primary"#,
        "10.0.0.9 10.0.0.10\nin-use i1/0/0* 10.0.0.4",
    );
}

#[test]
fn a_fresh_id_may_not_be_found_yet() {
    let mut script = standard();
    script.run("staleness adversarial\ncreate a", "e: pending 10.0.0.9");
    script.run(
        "attach e i1 1",
        "InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'e' does not exist",
    );
    script.run("wait 10\nattach e i1 1", "card 0");
    let mut script = standard();
    script.run(
        "staleness adversarial\nassume fresh-id-not-found=false\ncreate a\nattach e i1 1",
        "e: pending 10.0.0.9\ncard 0",
    );
}

#[test]
fn the_wall_clock_jumps_and_moments_do_not() {
    let mut script = standard();
    let before = script.ec2.wall_clock(script.ec2.now());
    script.ec2.build().jump_clock(-60);
    assert_eq!(script.ec2.wall_clock(script.ec2.now()), before - 60_000_000);
    script.ec2.advance(crate::Moment::from_micros(10));
    script.ec2.advance(crate::Moment::START);
    assert_eq!(script.ec2.now(), crate::Moment::from_micros(10));
}

#[test]
fn answers_take_as_long_as_the_profile_and_faults_say() {
    let mut script = standard();
    script.run(r#"fault {"nth": 1, "effect": {"delay": 250}}"#, "");
    script.run("create a", "e: pending 10.0.0.9");
    script.run("latency typical\ncreate a name=f", "f: pending 10.0.0.10");
    let latencies: Vec<_> = script.ec2.journal().iter().map(|entry| entry.latency).collect();
    assert_eq!(latencies.first(), Some(&Duration::from_millis(250)));
    assert!(latencies.last().is_some_and(|latency| *latency > Duration::from_millis(50)));
}

#[test]
fn unreadable_calls_are_throttled_and_counted_too() {
    let mut script = standard();
    let size = Size { capacity: 1.0, refill_per_second: 0.5 };
    let bucket = Bucket::of(Action::DescribeVpcs);
    script.ec2.build().buckets().settings.overrides.insert(bucket, size);
    let codes: Vec<_> = (0..3).map(|_| script.refused(Some(Action::DescribeVpcs))).collect();
    assert_eq!(codes, ["UnknownParameter", "RequestLimitExceeded", "RequestLimitExceeded"]);
    assert_eq!(script.refused(None), "UnknownParameter");
    script.ec2.build().assumptions().set("throttle-before-validation", "false").expect("a switch");
    assert_eq!(script.refused(Some(Action::DescribeVpcs)), "UnknownParameter");
    assert_eq!(script.ec2.counters().total().calls, 5);
}

#[test]
fn a_broken_body_is_the_faces_to_deliver() {
    let mut script = standard();
    script.run(r#"fault {"effect": {"malformed-xml": 40}}"#, "");
    let answer = script.answer("subnet a");
    assert_eq!(answer.delivery, Delivery::Truncated { bytes: 40 });
}

//! Every fault, carried out around a call of the machine.

use crate::reply::Delivery;
use crate::script::{Script, check, standard};

#[test]
fn a_scripted_refusal_changes_nothing() {
    let rule = |message: &str| {
        format!(
            r#"fault {{"action": "CreateNetworkInterface", "nth": 1, "effect": {{"error": {{"code": "InsufficientCidrBlocks"{message}}}}}}}"#
        )
    };
    check(
        &format!("{}\ncreate a\nsubnet a\ncreate a", rule(r#", "message": "as scripted""#)),
        "InsufficientCidrBlocks: as scripted\n246\ne: pending 10.0.0.9",
    );
    check(
        &format!("{}\ncreate a", rule("")),
        "InsufficientCidrBlocks: The specified subnet does not have enough free cidr blocks to satisfy the request.",
    );
    let mut script = standard();
    script.run(&rule(r#", "status": 418"#), "");
    let status = script.answer("create a").outcome.map_err(|error| error.status);
    assert_eq!(status.err(), Some(418));
}

#[test]
fn others_use_up_a_bucket() {
    check(
        r#"fault {"action": "CreateNetworkInterface", "nth": 1, "effect": "throttle-burst"}
        create a
        subnet a
        create a
        wait 1
        create a"#,
        "RequestLimitExceeded: Request limit exceeded.\n246\nRequestLimitExceeded: Request limit exceeded.\ne: pending 10.0.0.9",
    );
}

#[test]
fn a_read_shows_what_was() {
    check(
        r#"create a
        fault {"action": "DescribeNetworkInterfaces", "effect": {"stale-read": 3000}}
        wait 10
        assign e count=1
        describe e
        wait 2
        describe e
        wait 1
        describe e"#,
        "e: pending 10.0.0.9\n10.0.0.10\navailable 10.0.0.9\navailable 10.0.0.9\navailable 10.0.0.9 10.0.0.10",
    );
}

#[test]
fn what_happens_by_itself_is_read_late_too() {
    check(
        r#"latency typical
        create a
        fault {"action": "DescribeNetworkInterfaces", "effect": {"stale-read": 60000}}
        wait 30
        describe e
        wait 60
        describe e"#,
        "e: pending 10.0.0.9\npending 10.0.0.9\navailable 10.0.0.9",
    );
}

#[test]
fn pages_are_cut_and_repeated_and_their_tokens_expire() {
    let rule = |effect: &str| {
        format!(r#"fault {{"action": "DescribeNetworkInterfaces", "nth": 1, "effect": {effect}}}"#)
    };
    check("interfaces max=5\ninterfaces max=5 next", "5 interfaces +\nin-use multi/0/0* 10.0.0.7");
    check(
        &format!("{}\ninterfaces max=5\ninterfaces max=5 next", rule(r#"{"truncated-page": 2}"#)),
        "2 interfaces +\nin-use multi/0/0* 10.0.0.7",
    );
    check(
        &format!(
            "{}\ninterfaces max=5\ninterfaces max=5 next\ninterfaces max=5 next",
            rule(r#""repeated-page""#)
        ),
        "5 interfaces +\n5 interfaces +\nin-use multi/0/0* 10.0.0.7",
    );
    check(
        &format!("interfaces max=5\n{}\ninterfaces max=5 next", rule(r#""token-expired""#)),
        "5 interfaces +\nInvalidPaginationToken: The pagination token has expired.",
    );
}

#[test]
fn a_page_in_html_comes_instead_of_any_answer() {
    let mut script = standard();
    script.run(r#"fault {"effect": {"html": 502}}"#, "");
    for line in ["create a", "create a count=0"] {
        let delivery = script.answer(line).delivery;
        assert!(matches!(delivery, Delivery::Replaced { status: 502, .. }), "{delivery:?}");
    }
    script.run("subnet a", "245 (Replaced { status: 502, body: \"<html><head><title>Service Unavailable</title></head><body>The service is not available.</body></html>\" })");
}

#[test]
fn calls_that_cannot_be_read_meet_faults_too() {
    let mut script = standard();
    script.run(r#"fault {"effect": {"error": {"code": "Unavailable"}}}"#, "");
    let action = Some(crate::Action::DescribeVpcs);
    assert_eq!([script.refused(action), script.refused(None)], ["Unavailable"; 2]);
}

#[test]
fn others_attach_detach_and_stop() {
    let rule = |action: &str, act: &str| {
        format!(
            r#"fault {{"action": "{action}", "nth": 1, "effect": {{"foreign": {{"act": {act}}}}}}}"#
        )
    };
    let elsewhere = r#"{"attach": {"instance": "i2", "device_index": 1}}"#;
    check(
        &format!("create a\n{}\nattach e i1 1\nshow e", rule("AttachNetworkInterface", elsewhere)),
        "e: pending 10.0.0.9\nInvalidNetworkInterface.InUse: Interface: [e] in use.\nin-use i2/0/1 10.0.0.9",
    );
    let attached = "create a\nattach e i1 1";
    check(
        &format!(
            "{attached}\n{}\nassign e count=1\nshow e",
            rule("AssignPrivateIpAddresses", r#"{"detach": {}}"#)
        ),
        "e: pending 10.0.0.9\ncard 0\n10.0.0.10\navailable 10.0.0.9 10.0.0.10",
    );
    check(
        &format!(
            "{}\ncreate a\nattach e i1 1\nlinks i1",
            rule("AttachNetworkInterface", r#"{"stop": {}}"#)
        ),
        "e: pending 10.0.0.9\ncard 0\nnone",
    );
    let mut script = standard();
    let before = script.ec2.wall_clock(script.ec2.now());
    script.run(&rule("CreateNetworkInterface", r#"{"clock-jump": {"seconds": 90}}"#), "");
    script.run("create a", "e: pending 10.0.0.9");
    assert_eq!(script.ec2.wall_clock(script.ec2.now()) - before, 90_000_000);
}

/// An interface's life, call by call.
const LIFE: [&str; 10] = [
    "create a count=1 token=t",
    "attach e i1 1",
    "modify e attachment=e delete-on-termination=true",
    "assign e prefix-count=1",
    "assign6 e count=1",
    "associate p1 interface=e ip=10.0.0.10",
    "tag on=e tags=a:1",
    "unassign e ips=10.0.0.10",
    "detach e",
    "delete e",
];

/// All that there is.
fn state(script: &Script) -> String {
    let truth = script.ec2.world().truth();
    let (interfaces, subnets): (Vec<_>, Vec<_>) =
        (truth.interfaces().collect(), truth.subnets().collect());
    let elastic_ips: Vec<_> = truth.elastic_ips().collect();
    format!("{interfaces:?} {subnets:?} {elastic_ips:?}")
}

/// The states before the first call of a life and after each of them, when nothing fails.
fn undisturbed() -> Vec<String> {
    let mut script = standard();
    let mut states = vec![state(&script)];
    for line in LIFE {
        script.attempt(line);
        states.push(state(&script));
    }
    states.windows(2).for_each(|pair| assert_ne!(pair[0], pair[1]));
    states
}

#[test]
fn every_call_can_fail_once_in_each_of_the_two_commit_orders() {
    let states = undisturbed();
    for failing in 1..=LIFE.len() {
        for (order, committed) in [("commit-then-drop", true), ("drop-before-commit", false)] {
            for drop in ["cut", "internal-error", "unavailable"] {
                let mut script = standard();
                let rule =
                    format!(r#"fault {{"nth": {failing}, "effect": {{"{order}": "{drop}"}}}}"#);
                script.run(&rule, "");
                LIFE.iter().take(failing).for_each(|line| script.attempt(line));
                let after = if committed { failing } else { failing - 1 };
                assert_eq!(state(&script), states[after], "{order} {drop} of call {failing}");
                assert_eq!(script.ec2.audit(), []);
                let last = script.ec2.journal().iter().last().expect("a call");
                assert_eq!((last.committed, last.disturbed), (committed, true));
            }
        }
    }
}

//! What others do to the object.

use super::check;

const PUBLISHED: &str = r#"object {"spec": {"ipam": {"pre-allocate": 8}}}
    want eni-1: 10.0.0.1
    settle
    keep
    see"#;
const WRITTEN: &str = "make status.eni=[1]
    merge spec.ipam.pool=[1]";

fn check_others(script: &str, expected: &str) {
    check(&format!("{PUBLISHED}\n{script}"), &format!("{WRITTEN}\n{expected}"));
}

#[test]
fn members_of_others_are_none_of_our_business() {
    check_others(
        r#"other {"spec": {"ipam": {"pools": {"requested": []}}}, "status": {"ipam": {"used": {"10.0.0.1": {}}}}}
        see
        settle"#,
        "",
    );
}

#[test]
fn a_foreign_write_is_said_and_stops_ours() {
    check_others(
        r#"other {"status": {"eni": {"enis": {"eni-9": {}}}}}
        see
        want eni-1: 10.0.0.1 10.0.0.2
        settle
        other {"spec": {"ipam": {"pool": {"10.0.0.9": {}}}}}
        see
        settle"#,
        "rival WroteEniStatus at 4
        rival WrotePool at 5",
    );
}

#[test]
fn after_a_rival_everything_is_put_right() {
    check_others(
        r#"other {"status": {"eni": {"enis": {"eni-9": {"addresses": ["10.0.0.9"]}}}}}
        see
        settle
        resume
        settle"#,
        "rival WroteEniStatus at 4
        replace status.eni=[1]",
    );
}

#[test]
fn late_echoes_are_no_rivals() {
    check_others(
        "want eni-1: 10.0.0.1 10.0.0.2
        settle
        see kept
        settle",
        "replace status.eni=[1,2]
        replace spec.ipam.pool=[1,2]",
    );
}

#[test]
fn what_arrives_while_a_write_is_on_its_way_is_judged_by_its_version() {
    check_others(
        "want eni-1: 10.0.0.1 10.0.0.2
        send\n see\n answer\n see\n settle",
        "replace status.eni=[1,2]
        replace spec.ipam.pool=[1,2]",
    );
    check_others(
        r#"want eni-1: 10.0.0.1 10.0.0.2
        send
        other {"spec": {"ipam": {"pool": {"10.0.0.9": {}}}}}
        see
        answer
        settle"#,
        "replace status.eni=[1,2]
        rival WrotePool at 4",
    );
}

#[test]
fn content_put_back_is_written_again_and_becomes_a_rival_the_third_time() {
    let back = r#"other {"status": {"eni": {"enis": {"eni-1": {"addresses": ["10.0.0.1"]}}}}}
        see
        settle"#;
    check_others(
        &format!("want eni-1: 10.0.0.1 10.0.0.2\n settle\n {back}\n {back}\n {back}"),
        "replace status.eni=[1,2]
        replace spec.ipam.pool=[1,2]
        replace status.eni=[1,2]
        replace status.eni=[1,2]
        rival WroteEniStatus at 10",
    );
}

#[test]
fn a_write_without_an_answer_is_no_rival() {
    check_others(
        "want eni-1: 10.0.0.1 10.0.0.2
        send\n lost\n see\n settle\n at 500\n settle",
        "replace status.eni=[1,2]
        failed EniStatus
        replace spec.ipam.pool=[1,2]",
    );
}

#[test]
fn members_that_older_agents_drop_are_no_rival() {
    let with = r#"object {"spec": {"ipam": {"pre-allocate": 8}},
        "status": {"eni": {"enis": {"eni-1": {"addresses": ["10.0.0.1"], "ipv6-prefixes": ["a"]}}}}}"#;
    check(
        &format!(
            r#"{}
            want cidr eni-1: 10.0.0.1
            settle
            see
            other {{"status": {{"eni": {{"enis": {{"eni-1": {{"ipv6-prefixes": ["b"]}}}}}}}}}}
            see
            settle"#,
            with.replace('\n', " ")
        ),
        "replace status.eni=[1]",
    );
}

/// A node had no status when it was looked at, and has one when it is to be made.
#[test]
fn a_status_that_somebody_made_meanwhile_is_seen_before_it_is_written() {
    check(
        r#"object {"spec": {"ipam": {"pre-allocate": 8}}}
        want cidr eni-1: 10.0.0.1
        send
        other {"status": {"eni": {"enis": {"eni-9": {"addresses": ["10.0.0.9"]}}}}}
        answer
        settle
        see
        at 60000
        settle"#,
        "make status.eni=[1]
        failed EniStatus
        replace status.eni=[1]",
    );
}

#[test]
fn nothing_is_written_while_all_nodes_are_on_hold() {
    check(
        r#"object {"spec": {"ipam": {"pre-allocate": 8}}}
        hold all
        want cidr eni-1: 10.0.0.1
        settle
        resume all
        settle"#,
        "make status.eni=[1]",
    );
}

/// A request that was given up may still be carried out, after what it said was overtaken.
#[test]
fn a_write_that_takes_effect_late_is_no_rival() {
    check_others(
        r#"want eni-1: 10.0.0.1 10.0.0.2
        send
        fail
        want eni-1: 10.0.0.1
        at 500
        settle
        other {"status": {"eni": {"enis": {"eni-1": {"addresses": ["10.0.0.1", "10.0.0.2"]}}}}}
        see
        settle"#,
        "replace status.eni=[1,2]
        failed EniStatus
        replace status.eni=[1]",
    );
}

/// An API server, or something in front of it, that takes each write and keeps what there was.
#[test]
fn writes_that_change_nothing_come_ever_more_slowly() {
    let members = r#""spec": {"ipam": {"pre-allocate": 8, "pool": {"10.0.0.1": {}, "10.0.0.2": {}}}},
        "status": {"eni": {"enis": {"eni-1": {"addresses": ["10.0.0.1", "10.0.0.2"]}}}}"#;
    check(
        &format!(
            "object {{{}}}
            want eni-1: 10.0.0.1
            send\n unheeded\n settle\n at 499\n settle
            at 500\n send\n unheeded\n settle\n at 1499\n settle
            at 1500\n settle",
            members.replace('\n', " ")
        ),
        "replace spec.ipam.pool=[1]
        replace spec.ipam.pool=[1]
        refused Pool
        replace spec.ipam.pool=[1]
        replace status.eni=[1]",
    );
}

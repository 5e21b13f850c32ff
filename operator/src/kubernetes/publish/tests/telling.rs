//! When an agent is told why its node gets nothing more.

use super::check;

/// A node that is as it should be, with this in its `status.ipam`.
fn node(ipam: &str) -> String {
    let object = r#"{"spec": {"ipam": {"pre-allocate": 8, "pool": {"10.0.0.1": {"resource": "eni-1"}}}},
        "status": {"eni": {"enis": {"eni-1": {"addresses": ["10.0.0.1"]}}}, "ipam": IPAM}}"#;
    let object = object.replace('\n', " ").replace("IPAM", ipam);
    format!("object {object}\n want eni-1: 10.0.0.1\n settle\n")
}

/// As agents leave it.
const SILENT: &str = r#"{"operator-status": {}, "used": {}}"#;
const TOLD: &str = r#"{"operator-status": {"error": "no room"}}"#;

#[test]
fn a_reason_that_stands_is_told() {
    check(
        &format!(
            "{}kept by no room\n settle\n at 4999\n settle\n at 5000\n settle\n see\n settle",
            node(SILENT)
        ),
        r#"merge status.ipam.operator-status.error="no room""#,
    );
    check(
        &format!("{}kept by no room\n settle\n at 5000\n settle", node("{}")),
        r#"merge status.ipam.operator-status.error="no room""#,
    );
}

#[test]
fn its_end_is_told_when_it_lasts() {
    check(
        &format!("{}at 4999\n settle\n at 5000\n settle\n see\n settle", node(TOLD)),
        "merge status.ipam.operator-status.error=null",
    );
    check(&format!("{}free\n settle\n at 99999\n settle", node(SILENT)), "");
    check(&format!("{}free\n settle\n at 99999\n settle", node("{}")), "");
}

#[test]
fn what_is_said_already_is_not_written() {
    check(&format!("{}kept by no room\n settle\n at 99999\n settle", node(TOLD)), "");
    check(&format!("{}passing\n settle\n at 99999\n settle", node(TOLD)), "");
    check(&format!("{}passing\n settle\n at 99999\n settle", node(SILENT)), "");
}

#[test]
fn what_stands_for_a_moment_is_not_written() {
    check(
        &format!(
            "{}kept by no room\n settle\n at 4000\n free\n settle\n at 6000\n kept by no room\n settle
            at 10999\n settle",
            node(SILENT)
        ),
        "",
    );
}

#[test]
fn other_words_for_it_are_written_seldom() {
    check(
        &format!(
            "{}kept by one\n settle\n at 5000\n settle\n see
            kept by two\n settle\n at 12000\n kept by three\n settle\n at 19999\n settle\n at 20000\n settle",
            node(SILENT)
        ),
        r#"merge status.ipam.operator-status.error="one"
        merge status.ipam.operator-status.error="three""#,
    );
}

#[test]
fn it_goes_along_with_the_status() {
    check(
        &format!(
            "{}want eni-1: 10.0.0.1 10.0.0.2\n kept by no room\n settle\n see\n at 99999\n settle",
            node(SILENT)
        ),
        r#"replace status.eni=[1,2] status.ipam.operator-status.error="no room"
        replace spec.ipam.pool=[1,2]"#,
    );
    check(
        &format!("{}want eni-1: 10.0.0.1 10.0.0.2\n settle\n see\n at 99999\n settle", node(TOLD)),
        "replace status.eni=[1,2] status.ipam.operator-status.error=null
        replace spec.ipam.pool=[1,2]",
    );
    check(
        "object {}\n want eni-1:\n kept by no room\n settle\n see\n at 99999\n settle",
        r#"make status.eni=[] status.ipam.operator-status.error="no room"
        merge spec.ipam.pre-allocate=8"#,
    );
}

/// Where nothing is there to hold it, what replaces interfaces cannot make it.
#[test]
fn it_follows_the_status_where_there_is_no_room_for_it() {
    check(
        &format!(
            "{}want eni-1: 10.0.0.1 10.0.0.2\n kept by no room\n settle\n at 5000\n settle",
            node("{}")
        ),
        r#"replace status.eni=[1,2]
        replace spec.ipam.pool=[1,2]
        merge status.ipam.operator-status.error="no room""#,
    );
}

#[test]
fn words_of_others_are_replaced_and_make_no_rival() {
    let other = r#"other {"status": {"ipam": {"operator-status": {"error": "something else"}}}}"#;
    check(
        &format!(
            "{}kept by no room\n settle\n {other}\n see\n settle\n at 5000\n settle",
            node(TOLD)
        ),
        r#"merge status.ipam.operator-status.error="no room""#,
    );
}

/// The schema of the object does not have the member.
#[test]
fn what_cannot_be_held_is_not_written_again() {
    check(
        &format!(
            "{}kept by no room\n settle\n at 5000\n send\n unheeded\n at 99999\n settle\n kept by less\n settle\n at 200000\n settle",
            node(SILENT)
        ),
        r#"merge status.ipam.operator-status.error="no room""#,
    );
}

#[test]
fn what_failed_is_written_again() {
    check(
        &format!(
            "{}kept by no room\n settle\n at 5000\n send\n fail\n at 5500\n settle\n at 19999\n settle\n at 20000\n settle",
            node(SILENT)
        ),
        r#"merge status.ipam.operator-status.error="no room"
        failed Error
        merge status.ipam.operator-status.error="no room""#,
    );
}

#[test]
fn who_is_held_tells_nothing() {
    check(&format!("{}hold\n kept by no room\n settle\n at 99999\n settle", node(SILENT)), "");
    check(&format!("{}forget\n at 99999\n settle", node(TOLD)), "");
}

//! What is written, in which order, and when again.

use super::check;

const FRESH: &str = r#"object {"spec": {"ipam": {}}}"#;
const TWO: &str = r#"object {"spec": {"ipam": {"pre-allocate": 8,
    "pool": {"10.0.0.1": {"resource": "eni-1"}, "10.0.0.2": {"resource": "eni-1"}}}},
    "status": {"eni": {"enis": {"eni-1": {"addresses": ["10.0.0.1", "10.0.0.2"]}}}}}"#;

fn two() -> String {
    TWO.replace('\n', " ")
}

#[test]
fn a_fresh_node_costs_two_writes() {
    check(
        &format!("{FRESH}\n want eni-1: 10.0.0.1 10.0.0.2\n settle\n see\n settle"),
        "make status.eni=[1,2]
        merge spec.ipam.pool=[1,2] spec.ipam.pre-allocate=8",
    );
    check(
        &format!("{FRESH}\n want cidr eni-1: 10.0.0.1 10.0.0.2\n settle\n see\n settle"),
        "make status.eni=[1,2]
        merge spec.ipam.pre-allocate=8",
    );
}

/// It may be that of another instance.
#[test]
fn an_object_that_was_made_anew_gets_nothing_before_it_is_seen() {
    let anew = FRESH.replace("object", "anew");
    let later = "see\n at 60000\n want eni-2: 10.0.0.9\n settle";
    let written = "make status.eni=[9]\nmerge spec.ipam.pool=[9] spec.ipam.pre-allocate=8";
    check(
        &format!("{FRESH}\n want eni-1: 10.0.0.1\n {anew}\n settle\n {later}"),
        &format!("make status.eni=[1]\nfailed EniStatus\n{written}"),
    );
    check(
        &format!("{}\n want eni-1: 10.0.0.1 10.0.0.2 10.0.0.3\n {anew}\n settle\n {later}", two()),
        &format!("replace status.eni=[1,2,3]\nfailed EniStatus\n{written}"),
    );
    check(
        &format!("{FRESH}\n want cidr eni-1: 10.0.0.1\n send\n answer\n {anew}\n settle"),
        "make status.eni=[1]\nmerge spec.ipam.pre-allocate=8\nfailed PreAllocate",
    );
}

#[test]
fn nothing_is_written_before_both_sides_are_known() {
    check("want eni-1: 10.0.0.1\n settle", "");
    check(&format!("{FRESH}\n see\n settle"), "");
}

#[test]
fn what_is_as_it_should_be_is_not_written() {
    let two = two();
    check(&format!("{two}\n want eni-1: 10.0.0.2 10.0.0.1\n settle"), "");
    check(&format!("{two}\n want cidr eni-1: 10.0.0.2 10.0.0.1\n settle"), "");
}

#[test]
fn what_comes_comes_into_the_status_first() {
    check(
        &format!("{}\n want eni-1: 10.0.0.1 10.0.0.2 10.0.0.3\n settle", two()),
        "replace status.eni=[1,2,3]
        replace spec.ipam.pool=[1,2,3]",
    );
}

#[test]
fn what_leaves_leaves_the_pool_first() {
    check(
        &format!("{}\n want eni-1: 10.0.0.1\n settle", two()),
        "replace spec.ipam.pool=[1]
        replace status.eni=[1]",
    );
    check(
        &format!("{}\n want eni-1:\n settle", two()),
        "merge spec.ipam.pool=null
        replace status.eni=[]",
    );
}

#[test]
fn what_comes_and_goes_at_once_takes_three_writes() {
    check(
        &format!("{}\n want eni-1: 10.0.0.2 10.0.0.3\n settle", two()),
        "replace spec.ipam.pool=[2]
        replace status.eni=[2,3]
        replace spec.ipam.pool=[2,3]",
    );
}

#[test]
fn a_pool_that_was_ours_is_withdrawn_before_anything_else() {
    check(
        &format!(
            "{FRESH}\n want eni-1: 10.0.0.1\n settle\n want cidr eni-1: 10.0.0.1 10.0.0.2\n settle"
        ),
        "make status.eni=[1]
        merge spec.ipam.pool=[1] spec.ipam.pre-allocate=8
        merge spec.ipam.pool=null
        replace status.eni=[1,2]",
    );
    let two = two();
    check(
        &format!(
            "{two}\n want eni-1: 10.0.0.1 10.0.0.2\n settle\n want cidr eni-1: 10.0.0.1 10.0.0.2\n settle"
        ),
        "merge spec.ipam.pool=null",
    );
}

#[test]
fn a_pool_left_over_stays_until_it_contradicts_the_status() {
    let two = two();
    check(
        &format!("{two}\n want cidr eni-1: 10.0.0.1 10.0.0.2 10.0.0.3\n settle\n see\n settle"),
        "replace status.eni=[1,2,3]",
    );
    check(
        &format!("{two}\n want cidr eni-1: 10.0.0.1\n settle"),
        "merge spec.ipam.pool=null
        replace status.eni=[1]",
    );
}

#[test]
fn a_value_that_an_agent_resets_is_seeded_again() {
    check(
        &format!(
            r#"{}
            want eni-1: 10.0.0.1 10.0.0.2
            settle
            other {{"spec": {{"ipam": {{"pre-allocate": 0}}}}}}
            see
            settle"#,
            two()
        ),
        "merge spec.ipam.pre-allocate=8",
    );
}

#[test]
fn an_ignored_node_gets_no_write() {
    check(&format!("{FRESH}\n ignore on\n want eni-1: 10.0.0.1\n settle"), "");
    check(
        &format!(
            "{FRESH}\n ignore on\n want cidr eni-1: 10.0.0.1\n other {{}}\n ignore off\n settle"
        ),
        "make status.eni=[1]
        merge spec.ipam.pre-allocate=8",
    );
}

#[test]
fn failures_are_tried_again_ever_more_slowly() {
    check(
        &format!(
            "{FRESH}
            want cidr eni-1: 10.0.0.1
            send\n refuse\n settle\n at 499\n settle
            at 500\n send\n refuse\n at 1499\n settle
            at 1500\n settle"
        ),
        "make status.eni=[1]
        refused EniStatus
        make status.eni=[1]
        refused EniStatus
        make status.eni=[1]
        merge spec.ipam.pre-allocate=8",
    );
}

#[test]
fn a_node_that_is_gone_ends_silently() {
    check(
        &format!("{FRESH}\n want cidr eni-1: 10.0.0.1\n send\n gone\n settle\n at 99999\n settle"),
        "make status.eni=[1]",
    );
    check(&format!("{FRESH}\n want cidr eni-1: 10.0.0.1\n forget\n settle"), "");
}

#[test]
fn an_object_made_anew_is_published_at_once() {
    check(
        &format!("{}\n want eni-1: 10.0.0.1 10.0.0.2\n settle\n {FRESH}\n settle", two()),
        "make status.eni=[1,2]
        merge spec.ipam.pool=[1,2] spec.ipam.pre-allocate=8",
    );
}

/// The answer to a write of the object that was there before must not be taken for one to a write of this one.
#[test]
fn an_answer_for_a_forgotten_object_means_nothing() {
    check(
        &format!(
            "{FRESH}\n want cidr eni-1: 10.0.0.1\n send\n forget\n {FRESH}\n want cidr eni-1: 10.0.0.1
            gone\n settle"
        ),
        "make status.eni=[1]
        make status.eni=[1]
        merge spec.ipam.pre-allocate=8",
    );
}

/// Beside its name and 8 bytes for each /28 of its addresses, in the status and in the pool.
#[test]
fn a_node_costs_a_few_hundred_bytes() {
    let size = size_of::<crate::kubernetes::publish::Entry>();
    assert!(size < 600, "{size} bytes");
}

/// Entries stand beside the agent's answers: one by one, and never the question in the place of the answer.
#[test]
fn entries_are_written_one_by_one() {
    let two = two();
    check(
        &format!(
            "{two}\n want eni-1: 10.0.0.1 10.0.0.2\n release 1 marked, 2 marked\n settle\n see\n settle"
        ),
        r#"merge status.ipam.release-ips={"10.0.0.1":"marked-for-release","10.0.0.2":"marked-for-release"}"#,
    );
    let answered = r#"other {"status": {"ipam": {"release-ips": {"10.0.0.1": "ready-for-release", "10.0.0.2": "do-not-release"}}}}"#;
    check(
        &format!(
            "{two}\n {answered}\n see\n want eni-1: 10.0.0.1 10.0.0.2\n release 1 marked, 2 marked\n settle"
        ),
        "",
    );
    check(
        &format!(
            "{two}\n {answered}\n see\n want eni-1: 10.0.0.2\n release 1 released, 2 none\n settle"
        ),
        r#"merge status.ipam.release-ips={"10.0.0.1":"released","10.0.0.2":null}
        replace spec.ipam.pool=[2]
        replace status.eni=[2]"#,
    );
    check(&format!("{two}\n want eni-1: 10.0.0.1 10.0.0.2\n release 1 none\n settle"), "");
}

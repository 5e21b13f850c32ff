//! Answers of EC2 that end other operators: late ones, short ones, and words that nobody knows.

use crate::rig::Rig;
use crate::rig::edited::Edit;
use crate::scene::{play, scene, scene_on};

/// `DescribeInstanceTypes` never answers: the limits of known types are known without.
#[tokio::test(start_paused = true)]
async fn instance_types_that_are_never_told_stop_nobody() {
    scene(
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip
        node node-2 zz9.plural in a per-ip
        fault {"action": "DescribeInstanceTypes", "effect": {"delay": 3600000}}
        start x
        until 60s node-1 pool 8
        until-blocked 2m node-2 LimitsUnknown
        mutations 1
        writes-at-most 4
        "#,
    )
    .await;
}

/// One door: how EC2's answers are edited, and what becomes of a cluster of two nodes.
async fn edited(edit: Edit, text: &str) -> Rig {
    let mut rig = Rig::new();
    rig.edit = edit;
    scene_on(rig, text).await
}

/// Takes every element of that name out of a body but the first `kept`.
fn keep(body: &str, element: &str, kept: usize) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let Some(start) = body.find(&open) else { return body.to_owned() };
    let end = body.rfind(&close).unwrap() + close.len();
    let inner = &body[start..end];
    let items: Vec<&str> = inner.split_inclusive(close.as_str()).take(kept).collect();
    format!("{}{}{}", &body[..start], items.concat(), &body[end..])
}

/// The items of the set of assigned addresses.
fn keep_assigned(body: &str, kept: usize) -> String {
    const SET: &str = "assignedPrivateIpAddressesSet>";
    let Some(start) = body.find(SET) else { return body.to_owned() };
    let end = body.rfind(&format!("</{SET}")).unwrap();
    let set = keep(&body[start..end], "item", kept);
    format!("{}{set}{}", &body[..start], &body[end..])
}

/// EC2 assigned eight and says three, or none: what it holds is found out, and nothing is asked for twice.
#[tokio::test(start_paused = true)]
async fn an_answer_with_fewer_addresses_than_were_asked_for() {
    let some: Edit = |action, body| match action {
        "AssignPrivateIpAddresses" => keep_assigned(&body, 3),
        _ => body,
    };
    let none: Edit = |action, body| match action {
        "AssignPrivateIpAddresses" => keep_assigned(&body, 0),
        _ => body,
    };
    for edit in [some, none] {
        let rig = edited(
            edit,
            r"
            subnet a zone a 10.0.0.0/24
            node node-1 m5.large in a per-ip
            start x
            wait 20m
            mutations 1
            expect node-1 pool 8 enis 1 held 8
            writes-at-most 4
            ",
        )
        .await;
        assert_eq!(rig.running(), ["x"]);
    }
}

/// An answer that names no interface: it was made all the same.
#[tokio::test(start_paused = true)]
async fn an_interface_that_the_answer_does_not_show() {
    let edit: Edit = |action, body| match action {
        "CreateNetworkInterface" => {
            let start = body.find("<networkInterface>").unwrap_or(body.len());
            let end = body.find("</networkInterface>").map_or(start, |at| at + 19);
            format!("{}{}", &body[..start], &body[end..])
        }
        _ => body,
    };
    let rig = edited(
        edit,
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {"spec": {"ipam": {"pre-allocate": 12}}}
        start x
        until 60s node-1 pool 9
        until-blocked 60s node-1 NoAnswer
        clear
        until 5m node-1 pool 12 enis 2
        until-free 60s node-1
        calls AssignPrivateIpAddresses 1
        calls AttachNetworkInterface 1
        mutations 7
        writes-at-most 6
        "#,
    )
    .await;
    assert_eq!(rig.made_by_berth().len(), 1);
    let rig = edited(
        edit,
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {"spec": {"ipam": {"pre-allocate": 12}}}
        start x
        until 10m node-1 pool 12 enis 2
        calls AssignPrivateIpAddresses 1
        calls AttachNetworkInterface 1
        mutations 9
        writes-at-most 6
        "#,
    )
    .await;
    assert_eq!(rig.made_by_berth().len(), 1, "what the answers never show is found in a listing");
}

/// The first node's second interface is of a kind, and in a state, that nobody knows: its node has one interface less, the
/// other node has nothing to do with it.
#[tokio::test(start_paused = true)]
async fn kinds_and_states_of_interfaces_that_nobody_knows() {
    let kind: Edit = |action, body| match action {
        "DescribeNetworkInterfaces" => {
            let known = "<interfaceType>trunk</interfaceType>";
            assert!(body.contains(known), "{body}");
            body.replace(known, "<interfaceType>quantum</interfaceType>")
        }
        _ => body,
    };
    let state: Edit = |action, body| match action {
        "DescribeNetworkInterfaces" => {
            // The attachment of the foreign interface alone has index 1 at the start.
            let at = body.find("<deviceIndex>1</deviceIndex>");
            let Some(at) = at else { return body };
            let status = "<status>attached</status>";
            let rest = body[at..].replacen(status, "<status>entangled</status>", 1);
            assert!(rest.contains("entangled"), "{body}");
            format!("{}{rest}", &body[..at])
        }
        _ => body,
    };
    for edit in [kind, state] {
        let mut rig = play(Rig::new(), "subnet a zone a 10.0.0.0/24").await;
        rig.edit = edit;
        rig.add_instance("node-1", "m5.large", "a", &[]);
        rig.add_trunk("node-1", "a", 1);
        let rig = play(
            rig,
            r#"
            node node-1 m5.large in a per-ip
            node node-2 m5.large in a per-ip {"spec": {"ipam": {"pre-allocate": 12}}}
            start x
            until 60s node-1 pool 8
            until 60s node-2 pool 12 enis 2
            calls CreateNetworkInterface 1
            mutations 5
            "#,
        )
        .await;
        rig.check_promises();
    }
}

/// A newer EC2 says more of everything.
#[tokio::test(start_paused = true)]
async fn members_that_are_new() {
    let edit: Edit = |_, body| {
        let new = "<item><quantumState><spin>up</spin><spin/></quantumState>";
        let body = body.replace("<item>", new);
        body.replace("<networkInterface>", "<networkInterface><colour>blue</colour>")
    };
    let rig = edited(
        edit,
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {"spec": {"ipam": {"pre-allocate": 12}}}
        start x
        until 60s node-1 pool 12 enis 2
        mutations 4
        writes-at-most 4
        "#,
    )
    .await;
    assert_eq!(rig.running(), ["x"]);
}

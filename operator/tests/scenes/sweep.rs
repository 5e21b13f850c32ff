//! Every call that brings a node up fails once, before and after EC2 carried it out.

use std::time::Duration;

use crate::rig::Rig;
use crate::scene::{play, scene};

const CHANGES: &[&str] = &[
    "AssignPrivateIpAddresses",
    "CreateNetworkInterface",
    "AttachNetworkInterface",
    "ModifyNetworkInterfaceAttribute",
];

const READS: &[&str] = &[
    "DescribeNetworkInterfaces",
    "DescribeSubnets",
    "DescribeVpcs",
    "GetSecurityGroupsForVpc",
    "DescribeRouteTables",
    "DescribeInstanceTypes",
];

const FAILURES: &[&str] = &[
    r#"{"commit-then-drop": "cut"}"#,
    r#"{"commit-then-drop": "internal-error"}"#,
    r#"{"drop-before-commit": "cut"}"#,
    r#"{"drop-before-commit": "unavailable"}"#,
    r#"{"error": {"code": "InternalError"}}"#,
    r#"{"error": {"code": "RequestLimitExceeded"}}"#,
    r#"{"malformed-xml": 120}"#,
    r#"{"html": 502}"#,
    r#"{"delay": 60000}"#,
];

/// One door: what goes wrong, and then a fresh node has 12 addresses on two interfaces, and nothing else is left.
async fn check(rule: &str) {
    let text = format!(
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {{"spec": {{"ipam": {{"pre-allocate": 12}}}}}}
        fault {rule}
        start x
        "#
    );
    let rig = play(Rig::new(), &text).await;
    rig.until(Duration::from_mins(4), |rig| {
        let found = (rig.pool("node-1"), rig.enis("node-1"), rig.held("node-1"));
        (found != (12, 2, 12)).then(|| format!("{rule}: {found:?} {:?}", rig.blocked("node-1")))
    })
    .await;
    assert_eq!(rig.made_by_berth().len(), 1, "{rule}\n{}", rig.journal_text());
    let fired = rig.ec2.with(|ec2, _| ec2.faults().standings().map(|it| it.fired).sum::<u64>());
    assert_eq!(fired, 1, "{rule}");
    rig.finish().await;
}

async fn check_all(actions: &[&str]) {
    for action in actions {
        for effect in FAILURES {
            check(&format!(r#"{{"action": "{action}", "nth": 1, "effect": {effect}}}"#)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_change_fails_once() {
    check_all(CHANGES).await;
}

#[tokio::test(start_paused = true)]
async fn every_reading_fails_once() {
    check_all(READS).await;
}

#[tokio::test(start_paused = true)]
async fn every_refusal_of_a_bring_up_has_its_remedy() {
    for (action, code) in [
        ("AttachNetworkInterface", "InvalidNetworkInterfaceID.NotFound"),
        ("AttachNetworkInterface", "InvalidInstanceID.NotFound"),
        ("AttachNetworkInterface", "IncorrectState"),
        ("ModifyNetworkInterfaceAttribute", "InvalidAttachmentID.NotFound"),
        ("ModifyNetworkInterfaceAttribute", "InvalidNetworkInterfaceID.NotFound"),
        ("AssignPrivateIpAddresses", "InvalidNetworkInterfaceID.NotFound"),
        ("CreateNetworkInterface", "InvalidSubnetID.NotFound"),
        ("CreateNetworkInterface", "InvalidGroup.NotFound"),
    ] {
        let effect = format!(r#"{{"error": {{"code": "{code}"}}}}"#);
        check(&format!(r#"{{"action": "{action}", "nth": 1, "effect": {effect}}}"#)).await;
    }
}

/// Somebody takes the device index between the look and the attachment.
#[tokio::test(start_paused = true)]
async fn a_device_index_is_taken_in_between() {
    let rig = scene(
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {"spec": {"ipam": {"pre-allocate": 12}}}
        fault {"action": "AttachNetworkInterface", "nth": 1, "effect": {"foreign": {"act": {"take-device-index": {"device_index": 1}}}}}
        start x
        until 2m node-1 enis 3
        calls CreateNetworkInterface 1
        calls AttachNetworkInterface 2
        calls ModifyNetworkInterfaceAttribute 1
        mutations 5
        writes-at-most 8
        "#,
    )
    .await;
    let made = rig.made_by_berth();
    assert_eq!(made[0].attachment.as_ref().unwrap().device_index, 2);
}

/// The instance takes no more interfaces than it has: the one that was made for it goes away again.
#[tokio::test(start_paused = true)]
async fn an_interface_that_cannot_be_attached_is_deleted() {
    let rig = scene(
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {"spec": {"ipam": {"pre-allocate": 12}}}
        fault {"action": "AttachNetworkInterface", "effect": {"error": {"code": "AttachmentLimitExceeded"}}}
        start x
        until 2m node-1 pool 9
        wait 10m
        expect node-1 pool 9 enis 1
        clear
        calls DeleteNetworkInterface 1
        calls CreateNetworkInterface 1
        mutations 4
        writes-at-most 6
        "#,
    )
    .await;
    assert_eq!(rig.made_by_berth().len(), 0);
}

/// Interfaces attach to running instances; what was made for one that starts waits for it.
#[tokio::test(start_paused = true)]
async fn an_instance_that_does_not_run_yet_is_waited_for() {
    let effect = r#"{"error": {"code": "IncorrectState", "message": "instance i-00000001 is not 'running'"}}"#;
    let text = format!(
        r#"
        subnet a zone a 10.0.0.0/24
        node node-1 m5.large in a per-ip {{"spec": {{"ipam": {{"pre-allocate": 12}}}}}}
        fault {{"action": "AttachNetworkInterface", "until_ms": 90000, "effect": {effect}}}
        start x
        until 60s node-1 pool 9
        until-blocked 30s node-1 InstanceNotRunning
        until 5m node-1 pool 12 enis 2
        until-free 60s node-1
        calls CreateNetworkInterface 1
        calls DeleteNetworkInterface 0
        mutations 6
        writes-at-most 8
        "#
    );
    scene(&text).await;
}

/// No reading is right for seconds after a change: what was answered counts.
#[tokio::test(start_paused = true)]
async fn readings_that_lag_behind_undo_nothing() {
    scene(
        r#"
        subnet a zone a 10.0.0.0/24
        stale
        node node-1 m5.large in a per-ip {"spec": {"ipam": {"pre-allocate": 12}}}
        start x
        until 2m node-1 pool 12 enis 2
        agent node-1 uses 9
        until 2m node-1 pool 21 enis 3 used 9
        wait 40m
        expect node-1 pool 21 enis 3 held 21
        calls CreateNetworkInterface 2
        calls AttachNetworkInterface 6
        mutations 12
        writes-at-most 8
        "#,
    )
    .await;
}

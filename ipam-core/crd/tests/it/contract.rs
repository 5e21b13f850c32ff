//! Which contract a node speaks, in made-up and in recorded objects.

use cilium_node::{CiliumNode, contract, convert, is_ignored};
use ipam_core::view::{Contract, Demand};
use serde_json::{Value, json};

use crate::recorded;

fn node(metadata: &str, ipam: &str, used: &str) -> CiliumNode {
    let part = |text: &str| -> Value { serde_json::from_str(text).expect("a test's own JSON") };
    let object = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": part(metadata),
        "spec": {"ipam": part(ipam)}, "status": {"ipam": part(used)},
    });
    serde_json::from_value(object).expect("a node")
}

/// One door: `spec.ipam` and `status.ipam` in, the contract out.
fn check(ipam: &str, status: &str, expected: Contract) {
    let node = node("{}", ipam, status);
    assert_eq!(contract(&node), expected, "{ipam} {status}");
    assert_eq!(convert(&node).node.demand.contract(), expected, "{ipam} {status}");
}

#[test]
fn a_request_for_the_default_pool_makes_it_cidr() {
    let needed = r#"{"pools": {"requested": [{"pool": "default", "needed": {"ipv4-addrs": 24}}]}}"#;
    check(needed, "{}", Contract::Cidr);
    check(needed, r#"{"used": {}}"#, Contract::Cidr);
    check(needed, r#"{"used": null}"#, Contract::Cidr);
    check(r#"{"pools": {"requested": [{"pool": "default", "needed": {}}]}}"#, "{}", Contract::Cidr);
    check(r#"{"pools": {"requested": [{"pool": "default"}]}}"#, "{}", Contract::Cidr);
    check(
        r#"{"pools": {"requested": [{"pool": "blue"}, {"pool": "default"}]}}"#,
        "{}",
        Contract::Cidr,
    );
}

#[test]
fn everything_else_is_per_ip() {
    check("{}", "{}", Contract::PerIp);
    check(r#"{"pools": {}}"#, "{}", Contract::PerIp);
    check(r#"{"pools": {"requested": []}}"#, "{}", Contract::PerIp);
    check(r#"{"pools": {"requested": [{"pool": "blue"}]}}"#, "{}", Contract::PerIp);
    check(
        r#"{"pools": {"allocated": [{"pool": "default", "cidrs": ["10.0.0.0/28"]}]}}"#,
        "{}",
        Contract::PerIp,
    );
}

#[test]
fn an_agent_that_was_rolled_back_fills_used_again() {
    let stale = r#"{"pools": {"requested": [{"pool": "default", "needed": {"ipv4-addrs": 24}}]}}"#;
    check(stale, r#"{"used": {"10.0.0.1": {"owner": "router"}}}"#, Contract::PerIp);
    check(stale, r#"{"used": {"not an address": {}}}"#, Contract::PerIp);
}

#[test]
fn the_annotation_is_compared_without_case() {
    let ignored = |value: &str| {
        let metadata = json!({"annotations": {"ipam.cilium.io/ignore": value}}).to_string();
        is_ignored(&node(&metadata, "{}", "{}"))
    };
    let values = ["true", "True", "TRUE", "false", "", "1", " true", "yes"];
    let found = values.map(ignored);
    assert_eq!(found, [true, true, true, false, false, false, false, false]);
    assert!(!is_ignored(&node("{}", "{}", "{}")));
    assert!(!is_ignored(&node(
        r#"{"annotations": {}, "labels": {"ipam.cilium.io/ignore": "true"}}"#,
        "{}",
        "{}"
    )));
}

/// One recorded object in one line.
fn summary(name: &str, object: Value) -> String {
    let object: CiliumNode = serde_json::from_value(object).expect("a recorded object");
    let node = convert(&object).node;
    let demand = match node.demand {
        Demand::PerIp { used } => format!("per-ip used {used}"),
        Demand::Cidr { ipv4, ipv6 } => format!("cidr needs {ipv4}+{ipv6}"),
    };
    let ignored = if is_ignored(&object) { ", ignored" } else { "" };
    format!(
        "{name}: {demand}, pool {}, allocated {}, releases {}, ENIs {}{ignored}\n",
        node.pool.len(),
        node.allocated.len(),
        node.releases.len(),
        node.enis.len(),
    )
}

#[test]
fn recorded_objects_are_understood() {
    let found = recorded::objects().into_iter().map(|(name, object)| summary(&name, object));
    assert_eq!(found.collect::<String>(), recorded::text("summary.txt"));
}

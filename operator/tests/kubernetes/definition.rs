//! Installing the definition, and leaving others alone.

use std::time::Duration;

use berth_operator::kubernetes::crd::{CrdError, CrdState, ensure};
use kube_sim::{Effect, KubeSim, Rule, When};
use serde_json::Value;

use crate::bed::client_without;

const PATIENCE: Duration = Duration::from_secs(30);

/// A schema that keeps only what it names, and lacks what 1.20 brought.
fn older() -> Value {
    let mut definition = serde_json::to_value(cilium_node::crd()).expect("JSON");
    drop_newer(&mut definition);
    definition
}

fn drop_newer(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for name in [
                "x-kubernetes-preserve-unknown-fields",
                "allowFirstIP",
                "allowLastIP",
                "ipv6-prefixes",
            ] {
                members.remove(name);
            }
            members.values_mut().for_each(drop_newer);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_newer),
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_definition_is_installed_once() {
    let sim = KubeSim::default();
    let client = sim.client("operator");
    assert_eq!(ensure(&client, true, PATIENCE).await.expect("installed"), CrdState::Installed);
    crate::bed::create(&client, "n", serde_json::json!({})).await;
    let state = ensure(&client, true, PATIENCE).await.expect("present");
    assert_eq!(state, CrdState::Present { missing: vec![] });
    assert_eq!(sim.counters().writes("customresourcedefinitions"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_older_definition_stays_and_what_it_lacks_is_named() {
    let sim = KubeSim::default();
    sim.register(older()).expect("a definition");
    let state = ensure(&sim.client("operator"), true, PATIENCE).await.expect("present");
    let CrdState::Present { missing } = state else { panic!("{state:?}") };
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    assert_eq!(
        missing,
        [
            "spec.ipam.pools.allocated.*.allowFirstIP",
            "spec.ipam.pools.allocated.*.allowLastIP",
            "status.eni.enis.*.ipv6-prefixes",
        ]
    );
    assert_eq!(sim.counters().writes("customresourcedefinitions"), 0);
}

#[tokio::test(start_paused = true)]
async fn without_leave_to_install_it_says_what_to_do() {
    let sim = KubeSim::default();
    let error = ensure(&sim.client("operator"), false, PATIENCE).await.expect_err("absent");
    assert!(matches!(error, CrdError::Absent { .. }), "{error}");
    assert_eq!(sim.counters().writes("customresourcedefinitions"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_comes_late_is_waited_for_and_not_for_ever() {
    let sim = KubeSim::default();
    let rule = |until_millis| Rule {
        client: None,
        verb: None,
        resource: None,
        name: None,
        when: When::Between { from_millis: 0, until_millis },
        effect: Effect::Unavailable,
    };
    sim.add_fault(rule(20_000));
    let client = sim.client("operator");
    assert_eq!(ensure(&client, true, PATIENCE).await.expect("installed"), CrdState::Installed);
    sim.add_fault(rule(u64::MAX));
    let error = ensure(&client, true, PATIENCE).await.expect_err("away");
    assert!(matches!(error, CrdError::NotInTime { .. }), "{error}");
}

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

#[tokio::test(start_paused = true)]
async fn without_leave_to_read_definitions_nodes_that_are_served_are_enough() {
    let sim = crate::bed::cluster();
    let client = client_without(&sim, "operator", |_, path| path.starts_with(DEFINITIONS));
    assert_eq!(ensure(&client, true, PATIENCE).await.expect("served"), CrdState::NotReadable);
}

#[tokio::test(start_paused = true)]
async fn without_any_leave_it_says_what_to_grant() {
    let empty = KubeSim::default();
    let blind = client_without(&empty, "operator", |_, path| path.starts_with(DEFINITIONS));
    let error = ensure(&blind, true, PATIENCE).await.expect_err("nothing is served");
    assert!(
        error.to_string().starts_with("no permission to get customresourcedefinitions: grant it"),
        "{error}"
    );
    let powerless = client_without(&empty, "operator", |method, _| method == "POST");
    let error = ensure(&powerless, true, PATIENCE).await.expect_err("nothing is installed");
    assert!(
        error.to_string().starts_with("no permission to create customresourcedefinitions"),
        "{error}"
    );
}

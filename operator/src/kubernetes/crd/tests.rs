//! What other definitions lack.

use super::*;

/// One door: changes to our own definition, and what is found missing.
fn check(change: impl FnOnce(&mut serde_json::Value), expected: &[&str]) {
    let mut definition = serde_json::to_value(cilium_node::crd()).expect("JSON");
    change(&mut definition);
    let definition = serde_json::from_value(definition).expect("a definition");
    let found: Vec<String> = missing(&definition).iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

/// Our own schema keeps everything that it does not know. Others do not.
fn strict(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            members.remove("x-kubernetes-preserve-unknown-fields");
            members.values_mut().for_each(strict);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(strict),
        _ => {}
    }
}

const SCHEMA: &str = "/spec/versions/0/schema/openAPIV3Schema";

fn remove(definition: &mut serde_json::Value, member: &str, name: &str) {
    let member = definition.pointer_mut(&format!("{SCHEMA}{member}/properties")).expect("a member");
    assert!(member.as_object_mut().expect("an object").remove(name).is_some(), "{name}");
}

const ENI: &str = "/properties/status/properties/eni/properties/enis/additionalProperties";
const ALLOCATED: &str =
    "/properties/spec/properties/ipam/properties/pools/properties/allocated/items";

#[test]
fn our_own_lacks_nothing() {
    check(|_| (), &[]);
    check(strict, &[]);
}

#[test]
fn what_the_schema_of_1_19_drops_is_named() {
    check(
        |definition| {
            strict(definition);
            remove(definition, ENI, "ipv6-prefixes");
            remove(definition, ALLOCATED, "allowFirstIP");
            remove(definition, ALLOCATED, "allowLastIP");
        },
        &[
            "spec.ipam.pools.allocated.*.allowFirstIP",
            "spec.ipam.pools.allocated.*.allowLastIP",
            "status.eni.enis.*.ipv6-prefixes",
        ],
    );
}

#[test]
fn a_schema_that_keeps_what_it_does_not_know_lacks_nothing() {
    check(|definition| remove(definition, ENI, "ipv6-prefixes"), &[]);
}

#[test]
fn obsolete_members_are_not_missed() {
    check(
        |definition| {
            strict(definition);
            remove(definition, "/properties/spec", "azure");
            remove(definition, "/properties/spec/properties/eni", "min-allocate");
        },
        &[],
    );
}

#[test]
fn a_whole_member_is_named_once() {
    check(
        |definition| {
            strict(definition);
            remove(definition, "/properties/spec/properties/ipam", "pools");
        },
        &["spec.ipam.pools"],
    );
}

#[test]
fn another_version_and_a_missing_subresource_are_named() {
    check(|definition| definition["spec"]["versions"][0]["name"] = "v1".into(), &["version v2"]);
    check(|definition| definition["spec"]["versions"][0]["served"] = false.into(), &["version v2"]);
    check(
        |definition| {
            let version = definition["spec"]["versions"][0].as_object_mut().expect("a version");
            version.remove("subresources");
        },
        &["subresource status"],
    );
}

/// How it stands with a definition in which that is changed.
fn check_force(change: &serde_json::Value, expected: Option<&str>) {
    let mut definition = serde_json::to_value(cilium_node::crd()).expect("JSON");
    let established = serde_json::json!([{"type": "Established", "status": "True"}]);
    definition["status"] = serde_json::json!({"conditions": established});
    json_patch::merge(&mut definition, change);
    let definition = serde_json::from_value(definition).expect("a definition");
    assert_eq!(not_in_force(&definition), expected, "{change}");
}

#[test]
fn only_an_established_definition_that_stays_is_in_force() {
    use serde_json::json;
    check_force(&json!({}), None);
    check_force(&json!({"status": null}), Some("it is not established yet"));
    let refused = json!({"status": {"conditions": [{"type": "Established", "status": "False"}]}});
    check_force(&refused, Some("it is not established yet"));
    let deleted = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    check_force(&deleted, Some("it is being deleted"));
}

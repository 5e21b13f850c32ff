//! Reading an object and writing it back changes nothing.

use cilium_node::CiliumNode;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::recorded;

/// The object after it went through the types, by way of text as on the wire.
pub(crate) fn through_the_types(object: &Value) -> Value {
    let node: CiliumNode = serde_json::from_str(&object.to_string())
        .unwrap_or_else(|error| panic!("{error} in {object:#}"));
    let text = serde_json::to_string(&node).expect("a node has a JSON form");
    serde_json::from_str(&text).expect("JSON")
}

/// One door: `text` comes back as it is, or as `expected` where that is another thing.
fn check(text: &str, expected: &str) {
    let object = |text: &str| -> Value {
        let parts: Value = serde_json::from_str(text).expect("a test's own JSON");
        let mut object = json!({
            "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": "n"}, "spec": {},
        });
        let parts = parts.as_object().expect("an object").clone();
        object.as_object_mut().expect("an object").extend(parts);
        object
    };
    assert_eq!(through_the_types(&object(text)), object(expected));
}

pub(crate) fn check_same(text: &str) {
    check(text, text);
}

#[test]
fn recorded_objects_come_back_the_same() {
    for (name, object) in recorded::objects() {
        assert_eq!(through_the_types(&object), object, "{name}");
    }
}

#[test]
fn absent_empty_and_false_are_three_things() {
    check_same(r#"{"spec": {}}"#);
    check_same(r#"{"spec": {"azure": {}, "alibaba-cloud": {}, "encryption": {}, "health": {}}}"#);
    check_same(r#"{"spec": {"addresses": [], "eni": {}, "ipam": {"pools": {}, "pool": {}}}}"#);
    check_same(r#"{"spec": {"eni": {"subnet-tags": {}, "security-groups": [], "vpc-id": ""}}}"#);
    check_same(
        r#"{"spec": {"eni": {"disable-prefix-delegation": false, "first-interface-index": 0}}}"#,
    );
    check_same(
        r#"{"spec": {"ipam": {"pools": {"requested": [], "allocated": []}, "pre-allocate": 0}}}"#,
    );
    check_same(
        r#"{"spec": {"ipam": {"pools": {"requested": [{"needed": {}, "pool": "default"}]}}}}"#,
    );
    check_same(r#"{"status": {}}"#);
    check_same(
        r#"{"status": {"eni": {}, "azure": {}, "ipam": {"operator-status": {}, "used": {}}}}"#,
    );
    check_same(r#"{"status": {"eni": {"enis": {}}, "ipam": {"release-ips": {}}}}"#);
    check_same(
        r#"{"status": {"eni": {"enis": {"eni-1": {}, "eni-2": {"addresses": [], "number": 0}}}}}"#,
    );
}

#[test]
fn what_a_newer_agent_writes_stays() {
    check_same(
        r#"{"spec": {"ipam": {"pools": {"allocated": [{
            "pool": "default", "cidrs": ["10.0.0.16/28"], "allowFirstIP": true, "allowLastIP": false}]}}}}"#,
    );
    check_same(r#"{"status": {"ipam": {"release-ips": {"10.0.0.1": "returned-by-courier"}}}}"#);
    check_same(r#"{"spec": {"eni": {"ena-queue-count": "auto"}}}"#);
    check_same(
        r#"{"status": {"azure": {"interfaces": [{"id": "a", "subnet": {"cidr": "10.0.0.0/8"}}]}}}"#,
    );
    check_same(
        r#"{"status": {"alibaba-cloud": {"enis": {"eni-1": {"type": "Primary", "tags": {}}}}}}"#,
    );
}

#[test]
fn malformed_texts_stay_too() {
    check_same(
        r#"{"spec": {"instance-id": "", "ipam": {"pool": {"10.0.0.999": {"resource": ""}}}}}"#,
    );
    check_same(r#"{"status": {"eni": {"enis": {"": {"prefixes": ["x/28"], "number": -1}}}}}"#);
}

#[test]
fn a_null_in_place_of_a_known_member_is_absent() {
    check(
        r#"{"spec": {"eni": null, "ipam": {"pool": null}}, "status": null}"#,
        r#"{"spec": {"ipam": {}}}"#,
    );
    check_same(r#"{"spec": {"new-member": null}}"#);
}

#[test]
fn an_object_without_spec_is_refused_by_name() {
    let check = |spec: &str, expected: &str| {
        let object = format!(
            r#"{{"apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {{"name": "n"}}{spec}}}"#
        );
        let error = serde_json::from_str::<CiliumNode>(&object).expect_err("spec is required");
        assert!(error.to_string().contains(expected), "{error}");
    };
    check("", "missing field `spec`");
    check(r#", "spec": null"#, "`spec` is not an object");
    check(r#", "spec": [1]"#, "`spec` is not an object");
}

/// Members whose keys are data: what is in them is typed, so an unknown member cannot be there.
const MAPS: &[&str] =
    &["pool", "used", "enis", "release-ips", "tags", "subnet-tags", "security-group-tags"];

/// The places at or below `value` where a newer version could add a member, as JSON pointers.
pub(crate) fn places(value: &Value, pointer: &str, is_map: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if !is_map {
                found.push(pointer.to_owned());
            }
            for (key, member) in members {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                places(
                    member,
                    &format!("{pointer}/{escaped}"),
                    MAPS.contains(&key.as_str()),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{pointer}/{index}"), false, found);
            }
        }
        _ => {}
    }
}

pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(".{0,8}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn unknown_members_survive_at_every_level(
        which in any::<Index>(),
        news in vec((any::<Index>(), "new-[a-zA-Z0-9./~_ -]{0,8}", any_json()), 1..8),
    ) {
        let (_, mut object) = which.get(&recorded::objects()).clone();
        let mut found = Vec::new();
        for part in ["spec", "status"] {
            places(&object[part], &format!("/{part}"), false, &mut found);
        }
        for (place, key, value) in news {
            let pointer: &String = place.get(&found);
            let place = object.pointer_mut(pointer).and_then(Value::as_object_mut);
            place.expect("a place that was found").insert(key, value);
        }
        prop_assert_eq!(through_the_types(&object), object);
    }
}

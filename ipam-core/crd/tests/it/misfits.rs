//! Members and entries of the wrong shape: each costs itself, is named, and comes back as it was.

use cilium_node::{CiliumNode, convert};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::convert::check;
use crate::recorded;
use crate::round_trip::{any_json, check_same, places, through_the_types};

#[test]
fn an_entry_of_a_map_costs_itself() {
    check(
        r#"{"spec": {"ipam": {"pool": {"10.0.0.1": [], "10.0.0.2": {"resource": 2}, "10.0.0.3": {"resource": "eni-1"}}}}}"#,
        r#"pool 10.0.0.3 on eni-1
         ! spec.ipam.pool["10.0.0.1"]: not an object
         ! spec.ipam.pool["10.0.0.2"].resource: not a text"#,
    );
    check(
        r#"{"status": {"ipam": {"release-ips": {"10.0.0.1": 1, "10.0.0.2": "released"}}}}"#,
        r#"release 10.0.0.2 Released
         ! status.ipam.release-ips["10.0.0.1"]: not a text"#,
    );
    check(
        r#"{"status": {"eni": {"enis": {"eni-1": 1,
            "eni-3": {"ip": "10.0.0.6", "number": 1.5, "mac": [], "subnet": {"id": "subnet-1"}, "vpc": {"id": "vpc-1"}}}}}}"#,
        r#"eni-3 #0 subnet-1 10.0.0.6
         ! status.eni.enis["eni-1"]: not an object
         ! status.eni.enis["eni-3"].mac: not a text
         ! status.eni.enis["eni-3"].number: not a whole number"#,
    );
}

#[test]
fn an_address_in_use_counts_whatever_its_shape() {
    check(
        r#"{"status": {"ipam": {"used": {"10.0.0.1": {"owner": 3, "resource": "eni-1"}, "10.0.0.2": "", "x": 1}}}}"#,
        r#"PerIp { used: 3 }
         used 10.0.0.1 by "" on eni-1
         used 10.0.0.2 by "" on no ENI
         use is uncertain
         ! status.ipam.used["10.0.0.1"].owner: not a text
         ! status.ipam.used["10.0.0.2"]: not an object
         ! status.ipam.used["x"]: not an object"#,
    );
    for status in [r#""ipam": {"used": 3}"#, r#""ipam": []"#] {
        let found = convert(&node(&format!(r#"{{"spec": {{}}, "status": {{{status}}}}}"#)));
        assert!(!found.node.use_is_certain, "{status}");
    }
}

#[test]
fn a_request_or_allocation_costs_itself_and_the_certainty() {
    check(
        r#"{"spec": {"ipam": {"pools": {
            "requested": [1, {"needed": {"ipv4-addrs": 9}}, {"pool": "default", "needed": {"ipv4-addrs": "7", "ipv6-addrs": 5}}],
            "allocated": [{"cidrs": ["10.0.0.16/28"]}, {"pool": "default", "cidrs": [28, "10.0.0.32/28"]}]}}}}"#,
        "Cidr { ipv4: 0, ipv6: 5 }
         allocated 10.0.0.32/28
         use is uncertain
         ! spec.ipam.pools.requested[1].pool: missing: expected the name of a pool
         ! spec.ipam.pools.allocated[0].pool: missing: expected the name of a pool
         ! spec.ipam.pools.allocated[1].cidrs[0]: not a text
         ! spec.ipam.pools.requested[0]: not an object
         ! spec.ipam.pools.requested[2].needed.ipv4-addrs: not a whole number",
    );
    check(
        r#"{"spec": {"ipam": {"pools": {"requested": [1]}}}}"#,
        "use is uncertain
         ! spec.ipam.pools.requested[0]: not an object",
    );
    check(
        r#"{"spec": {"ipam": {"pools": {"requested": [{"needed": {"ipv4-addrs": 9}}]}}}}"#,
        "use is uncertain
         ! spec.ipam.pools.requested[0].pool: missing: expected the name of a pool",
    );
}

/// Whatever the API server stores must not keep a reader busy: 60,000 entries are some 1.5 MB.
#[test]
fn a_great_many_misfits_take_little_time() {
    let entries: Value = (0..60_000).map(|i| (format!("x{i}"), json!(i))).collect();
    let node = node(&json!({"spec": {"ipam": {"pool": entries}}}).to_string());
    let start = std::time::Instant::now();
    assert!(convert(&node).problems.len() >= 60_000);
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_wish_of_the_wrong_shape_is_not_read_as_no_wish() {
    check(
        r#"{"spec": {"ipam": {"max-allocate": "9"}}}"#,
        "no settings
         ! spec.ipam.max-allocate: not a whole number",
    );
    check(
        r#"{"spec": {"eni": {"exclude-interface-tags": {"a": 1}}}}"#,
        r#"no settings
         ! spec.eni.exclude-interface-tags["a"]: not a text"#,
    );
    check(
        r#"{"spec": {"ipam": {"pre-allocate": 8.0, "min-allocate": 3}}}"#,
        "pre 8 min 3 max None above 0 first None delete true primary false no-prefix false subnets [] {} groups [] {} exclude {}
         ! spec.ipam.pre-allocate: not a whole number",
    );
}

#[test]
fn what_does_not_fit_comes_back_as_it_was() {
    check_same(
        r#"{"spec": {"ipam": {"pool": {"10.0.0.1": null, "10.0.0.2": {"owner": 3, "new": null}}}}}"#,
    );
    check_same(r#"{"status": {"ipam": {"release-ips": {"10.0.0.1": null}}}}"#);
    check_same(
        r#"{"spec": {"ipam": {"pre-allocate": 8.0, "pools": {"requested": [null, {"needed": {}}, {"pool": ""}]}}}}"#,
    );
    check_same(r#"{"status": "none"}"#);
}

#[test]
fn what_was_mended_meanwhile_wins_over_what_was_kept() {
    let mut node = node(
        r#"{"spec": {"ipam": {"pre-allocate": "x", "pool": {"10.0.0.1": 1, "10.0.0.2": 2}}}}"#,
    );
    assert_eq!(node.misfits.iter().count(), 3);
    let ipam = node.spec.ipam.as_mut().expect("ipam");
    ipam.pre_allocate = Some(4);
    let pool = ipam.pool.as_mut().expect("a pool");
    pool.remove("10.0.0.1");
    pool.get_mut("10.0.0.2").expect("an entry").resource = Some("eni-1".into());
    let written = serde_json::to_value(&node).expect("JSON");
    assert_eq!(
        written["spec"]["ipam"],
        json!({"pre-allocate": 4, "pool": {"10.0.0.2": {"resource": "eni-1"}}})
    );
}

fn node(parts: &str) -> CiliumNode {
    let mut object: Value = serde_json::from_str(parts).expect("a test's own JSON");
    object["metadata"] = json!({"name": "n"});
    serde_json::from_value(object).expect("a node")
}

/// JSON without `null`, which in place of a known member is absent.
fn any_value() -> impl Strategy<Value = Value> {
    any_json().prop_filter("no null", |value| !value.to_string().contains("null"))
}

proptest! {
    #[test]
    fn any_value_anywhere_leaves_the_object_readable(
        which in any::<Index>(), place in any::<Index>(), member in any::<Index>(), value in any_value(),
    ) {
        let (_, mut object) = which.get(&recorded::objects()).clone();
        let mut found = Vec::new();
        for part in ["spec", "status"] {
            places(&object[part], &format!("/{part}"), false, &mut found);
        }
        let pointer: &String = place.get(&found);
        let members = object.pointer_mut(pointer).and_then(Value::as_object_mut).expect("a place");
        prop_assume!(!members.is_empty());
        let key = member.get(&members.keys().cloned().collect::<Vec<_>>()).clone();
        members.insert(key, value);
        prop_assert_eq!(through_the_types(&object), object);
    }
}

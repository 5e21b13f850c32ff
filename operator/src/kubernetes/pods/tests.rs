//! Who counts as waiting, and what a pod costs.

use super::*;

fn pod(text: &str) -> PodObject {
    serde_json::from_str(text).expect("whatever is JSON can be decoded")
}

/// One door: a pod, and the node it waits on.
fn check(text: &str, expected: Option<&str>) {
    let waits_on = pod(text).waits_on;
    assert_eq!(waits_on.as_ref().map(NodeName::as_str), expected, "{text}");
}

#[test]
fn who_waits() {
    let pod = |spec: &str, status: &str| {
        format!(r#"{{"metadata": {{"uid": "u"}}, "spec": {{{spec}}}, "status": {{{status}}}}}"#)
    };
    let (node, pending) = (r#""nodeName": "n""#, r#""phase": "Pending""#);
    check(&pod(node, pending), Some("n"));
    check(&pod("", pending), None);
    check(&pod(node, r#""phase": "Running""#), None);
    check(&pod(&format!("{node}, \"hostNetwork\": true"), pending), None);
    check(&pod(&format!("{node}, \"hostNetwork\": false"), pending), Some("n"));
    check(&pod(node, &format!("{pending}, \"podIP\": \"10.0.0.1\"")), None);
    check(&pod(node, &format!("{pending}, \"podIPs\": [{{\"ip\": \"fd00::1\"}}]")), None);
    check(&pod(node, &format!("{pending}, \"podIP\": \"\", \"podIPs\": []")), Some("n"));
    check(&pod(r#""nodeName": "Bad!""#, pending), None);
    let leaving = r#"{"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": "n"}, "status": {"phase": "Pending"}}"#;
    check(leaving, None);
    check("[]", None);
}

/// What is kept of 10,000 waiting pods on 1,000 nodes: room for entries in both tables, and the names once. What
/// the allocator adds is not counted.
#[test]
fn a_pod_costs_less_than_200_bytes() {
    let mut pods = Pods::default();
    for key in 0..10_000_u64 {
        let node = format!("ip-10-0-{}-{}.eu-west-1.compute.internal", key % 4, key % 250);
        pods.add(key, &node.parse().expect("a name"));
    }
    let room = pods.nodes.capacity() * (size_of::<(u64, NodeName)>() + 1)
        + pods.counts.capacity() * (size_of::<(NodeName, u32)>() + 1);
    let names: usize = pods.counts.keys().map(|name| name.as_str().len() + 16).sum();
    let each = (room + names) / 10_000;
    assert!(each < 60, "{each} bytes for each pod");
}

#[test]
fn a_name_is_kept_once() {
    let mut pods = Pods::default();
    for key in 0..3 {
        pods.add(key, &"n".parse().expect("a name"));
    }
    let names: Vec<*const str> =
        pods.nodes.values().map(|name| std::ptr::from_ref(name.as_str())).collect();
    assert!(names.windows(2).all(|pair| std::ptr::addr_eq(pair[0], pair[1])));
}

//! Tables as a Kubernetes 1.36 API server makes them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Include, age, render};
use crate::resource::{Column, Resource};

fn resource(kind: &str, columns: &[(&str, &str, &str)]) -> Resource {
    let column = |(name, kind, path): &(&str, &str, &str)| Column {
        name: (*name).into(),
        kind: (*kind).into(),
        format: String::new(),
        description: String::new(),
        priority: 0,
        json_path: (*path).into(),
    };
    Resource { columns: columns.iter().map(column).collect(), ..Resource::sample(kind) }
}

fn now() -> Timestamp {
    "2026-01-02T00:00:00Z".parse().expect("a time")
}

/// The object as given, with a name and an age of five minutes.
fn object_of(members: &str) -> Value {
    let mut object: Value = serde_json::from_str(members).expect(members);
    object["metadata"]["name"] = "a".into();
    object["metadata"]["creationTimestamp"] = "2026-01-01T23:55:00Z".into();
    object
}

/// Checks lines of `object | cells as JSON`.
fn check(resource: &Resource, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (object, expected) = line.split_once(" | ").expect("two columns");
        let table = render(resource, &[object_of(object)], &json!({}), Include::None, now());
        let cells = table["rows"][0]["cells"].as_array().expect("cells");
        let headings = table["columnDefinitions"].as_array().expect("headings");
        assert_eq!(cells.len(), headings.len(), "{line}");
        let cells: Vec<String> = cells.iter().map(Value::to_string).collect();
        assert_eq!(cells.join(" "), expected, "{line}");
    }
}

#[test]
fn custom_columns() {
    let columns = [
        ("Text", "string", ".spec.text"),
        ("Whole", "integer", ".spec.whole"),
        ("Number", "number", ".spec.number"),
        ("Truth", "boolean", ".spec.truth"),
        ("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
        ("Age", "date", ".metadata.creationTimestamp"),
    ];
    check(
        &resource("CiliumNode.cilium.io", &columns),
        r#"
        {} | "a" null null null null null "5m"
        {"spec": {"text": "x", "whole": 7, "number": 1.5, "truth": true}} | "a" "x" 7 1.5 true null "5m"
        {"spec": {"text": 7, "whole": 7.9, "number": 2, "truth": "x"}} | "a" "7" 7 2.0 null null "5m"
        {"spec": {"text": ["x", {"y": 1}]}} | "a" "[\"x\",{\"y\":1}]" null null null null "5m"
        {"status": {"conditions": [{"type": "A", "status": "x"}, {"type": "Ready", "status": "True"}]}} | "a" null null null null "True" "5m"
        "#,
    );
    check(
        &resource("X.y", &[("When", "date", ".when")]),
        r#"
        {"when": "2025-12-31T00:00:00Z"} | "a" "2d"
        {"when": "yesterday"} | "a" "<invalid>"
        {"when": 7} | "a" null
        "#,
    );
}

#[test]
fn a_whole_table() {
    let columns = [("Age", "date", ".metadata.creationTimestamp")];
    let metadata = json!({"resourceVersion": "7", "continue": "c", "name": "a"});
    let table =
        |include| render(&resource("X.y", &columns), &[object_of("{}")], &metadata, include, now());
    let expected = json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "7", "continue": "c"},
        "columnDefinitions": [
            {"name": "Name", "type": "string", "format": "name", "priority": 0,
             "description": "The name of the object, of which there is one in a namespace."},
            {"name": "Age", "type": "date", "format": "", "priority": 0,
             "description": "Custom resource definition column (in JSONPath format): .metadata.creationTimestamp"},
        ],
        "rows": [{"cells": ["a", "5m"], "object": null}],
    });
    assert_eq!(table(Include::None), expected);
    assert_eq!(table(Include::Object)["rows"][0]["object"], object_of("{}"));
    assert_eq!(
        table(Include::Metadata)["rows"][0]["object"],
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object_of("{}")["metadata"]})
    );
}

#[test]
fn nodes() {
    check(
        &resource("Node", &[]),
        r#"
        {} | "a" "Unknown" "<none>" "5m" "" "<none>" "<none>" "<unknown>" "<unknown>" "<unknown>"
        {"status": {"conditions": [{"type": "Ready", "status": "True"}]}, "spec": {"unschedulable": true}} | "a" "Ready,SchedulingDisabled" "<none>" "5m" "" "<none>" "<none>" "<unknown>" "<unknown>" "<unknown>"
        {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}, "metadata": {"labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge"}}} | "a" "NotReady" "edge,worker" "5m" "" "<none>" "<none>" "<unknown>" "<unknown>" "<unknown>"
        {"status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "ExternalIP", "address": "1.2.3.4"}], "nodeInfo": {"kubeletVersion": "v1", "osImage": "os", "kernelVersion": "6", "architecture": "arm64", "containerRuntimeVersion": "c://1"}}} | "a" "Unknown" "<none>" "5m" "v1" "10.0.0.1" "1.2.3.4" "os" "6 (arm64)" "c://1"
        "#,
    );
}

#[test]
fn pods() {
    let containers = r#""spec": {"nodeName": "n", "containers": [{"name": "x"}, {"name": "y"}]}"#;
    let lines = r#"
        {"status": {"phase": "Pending"}} | "a" "0/0" "Pending" "0" "5m" "<none>" "<none>" "<none>" "<none>"
        {CONTAINERS, "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.9"}], "containerStatuses": [{"name": "x", "ready": true, "restartCount": 2, "state": {"running": {}}, "lastState": {"terminated": {"finishedAt": "2026-01-01T23:58:00Z"}}}, {"name": "y", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}} | "a" "1/2" "CrashLoopBackOff" "2 (2m ago)" "5m" "10.0.0.9" "n" "<none>" "<none>"
        {CONTAINERS, "status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}, {"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}} | "a" "0/2" "ExitCode:3" "0" "5m" "<none>" "n" "<none>" "<none>"
        {CONTAINERS, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}, {"ready": true, "state": {"running": {}}}]}} | "a" "1/2" "Running" "0" "5m" "<none>" "n" "<none>" "<none>"
        {"spec": {"initContainers": [{"name": "i"}, {"name": "j"}], "containers": [{"name": "x"}]}, "status": {"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 0}}}, {"name": "j", "state": {"running": {}}}]}} | "a" "0/1" "Init:1/2" "0" "5m" "<none>" "<none>" "<none>" "<none>"
        {"spec": {"initContainers": [{"name": "i"}], "containers": []}, "status": {"phase": "Pending", "initContainerStatuses": [{"name": "i", "restartCount": 1, "state": {"terminated": {"exitCode": 1}}}]}} | "a" "0/0" "Init:ExitCode:1" "1" "5m" "<none>" "<none>" "<none>" "<none>"
        {"spec": {"initContainers": [{"name": "i", "restartPolicy": "Always"}], "containers": [{"name": "x"}]}, "status": {"phase": "Running", "initContainerStatuses": [{"name": "i", "ready": true, "started": true, "restartCount": 1}], "containerStatuses": [{"ready": true, "state": {"running": {}}}]}} | "a" "2/2" "Running" "1" "5m" "<none>" "<none>" "<none>" "<none>"
        {"metadata": {"deletionTimestamp": "2026-01-02T00:00:00Z"}, "status": {"phase": "Running"}} | "a" "0/0" "Terminating" "0" "5m" "<none>" "<none>" "<none>" "<none>"
        {"metadata": {"deletionTimestamp": "2026-01-02T00:00:00Z"}, "status": {"phase": "Succeeded"}} | "a" "0/0" "Succeeded" "0" "5m" "<none>" "<none>" "<none>" "<none>"
        {"spec": {"readinessGates": [{"conditionType": "g"}, {"conditionType": "h"}]}, "status": {"phase": "Pending", "reason": "Evicted", "nominatedNodeName": "m", "conditions": [{"type": "g", "status": "True"}]}} | "a" "0/0" "Evicted" "0" "5m" "<none>" "<none>" "m" "1/2"
        {"status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]}} | "a" "0/0" "SchedulingGated" "0" "5m" "<none>" "<none>" "<none>" "<none>"
        "#;
    check(&resource("Pod", &[]), &lines.replace("CONTAINERS", containers));
    let ended = object_of(r#"{"status": {"phase": "Failed"}}"#);
    let table = render(&resource("Pod", &[]), &[ended], &json!({}), Include::None, now());
    assert_eq!(
        table["rows"][0]["conditions"],
        json!([{"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}])
    );
}

#[test]
fn events_and_the_rest() {
    check(
        &resource("Event", &[]),
        r#"
        {"type": "Normal", "reason": "R", "message": " m\n", "involvedObject": {"kind": "Node", "name": "n", "fieldPath": "f"}, "source": {"component": "c", "host": "h"}, "firstTimestamp": "2026-01-01T23:00:00Z", "lastTimestamp": "2026-01-01T23:59:00Z", "count": 3} | "60s" "Normal" "R" "node/n" "f" "c, h" "m" "60m" 3 "a"
        {"eventTime": "2026-01-01T23:59:00.123456Z", "reportingComponent": "c", "involvedObject": {"kind": "Node"}} | "59s" "" "" "node" "" "c" "" "59s" 1 "a"
        {"eventTime": "2026-01-01T23:00:00Z", "series": {"count": 9, "lastObservedTime": "2026-01-01T23:59:30Z"}} | "30s" "" "" "" "" "" "" "60m" 9 "a"
        {} | "<unknown>" "" "" "" "" "" "" "<unknown>" 1 "a"
        "#,
    );
    check(&resource("Namespace", &[]), r#"{"status": {"phase": "Active"}} | "a" "Active" "5m""#);
    check(
        &resource("Lease.coordination.k8s.io", &[]),
        r#"{"spec": {"holderIdentity": "h"}} | "a" "h" "5m""#,
    );
    check(
        &resource("CustomResourceDefinition.apiextensions.k8s.io", &[]),
        r#"{} | "a" "2026-01-01T23:55:00Z""#,
    );
}

#[test]
fn ages() {
    let cases = "-5 <invalid>, -1 0s, 0 0s, 119 119s, 120 2m, 310 5m10s, 599 9m59s, 600 10m, 10799 179m, 10800 3h, \
                 11100 3h5m, 28799 7h59m, 28800 8h, 172799 47h, 172800 2d, 183600 2d3h, 691199 7d23h, 691200 8d, \
                 63071999 729d, 63072000 2y, 63158400 2y1d, 252287999 7y364d, 252288000 8y, 400000000 12y";
    for case in cases.split(", ") {
        let (seconds, expected) = case.split_once(' ').expect("two columns");
        assert_eq!(age::human(seconds.parse().expect("a number")), expected, "{case}");
    }
}

//! Pods, Nodes and Events, as the operator and the agent use them.

use anyhow::Result;
use serde_json::{Value, json};

use crate::case::cases;
use crate::reply::{same, same_text};
use crate::scratch::Scratch;

cases!("pods": pod_status, pods_of_a_node, a_pod_in_a_missing_namespace, nodes, events);

/// A pod that a server without a kubelet takes, on `node` where that is not empty.
pub(super) fn pod(name: &str, node: &str) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "main", "image": "none"}],
            "terminationGracePeriodSeconds": 0,
            "schedulerName": "nobody",
        },
    });
    if !node.is_empty() {
        pod["spec"]["nodeName"] = json!(node);
    }
    pod
}

async fn pod_status(scratch: &Scratch<'_>) -> Result<()> {
    let made = scratch.post(&scratch.core("pods"), &pod("a", "node-1")).await?;
    made.check("201")?;
    same("phase", made.at("/status/phase")?, &json!("Pending"))?;
    let ready = json!([{"type": "Ready", "status": "True"}]);
    let status = json!({
        "phase": "Running", "podIP": "10.0.0.7", "podIPs": [{"ip": "10.0.0.7"}], "conditions": ready,
    });
    let patch = json!({"status": status, "metadata": {"labels": {"x": "1"}}});
    let patched = scratch.merge(&scratch.core("pods/a/status"), &patch).await?;
    same("phase", patched.at("/status/phase")?, &json!("Running"))?;
    same("podIP", patched.at("/status/podIP")?, &json!("10.0.0.7"))?;
    same("type", patched.at("/status/conditions/0/type")?, &json!("Ready"))?;
    let failed = json!({"status": {"phase": "Failed"}});
    let patched = scratch.merge(&scratch.core("pods/a"), &failed).await?;
    same("phase", patched.at("/status/phase")?, &json!("Running"))
}

async fn pods_of_a_node(scratch: &Scratch<'_>) -> Result<()> {
    let on = async |query: &str| {
        let path =
            format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{}{query}", scratch.own("x"));
        scratch.get(&path).await
    };
    let before = on("").await?.resource_version()?;
    let path = format!(
        "/api/v1/pods?fieldSelector=spec.nodeName%3D{}&resourceVersion={before}",
        scratch.own("x")
    );
    let mut watch = scratch.watch(&path).await?;
    for (name, node) in [("a", scratch.own("x")), ("b", scratch.own("y"))] {
        scratch.post(&scratch.core("pods"), &pod(name, &node)).await?.ok()?;
    }
    same_text(&on("").await?.names()?, "a")?;
    watch.check("ADDED a").await?;
    // Without a kubelet, nobody ends a pod gracefully.
    let at_once = json!({"gracePeriodSeconds": 0});
    scratch.delete_with(&scratch.core("pods/b"), &at_once).await?.ok()?;
    scratch.delete_with(&scratch.core("pods/a"), &at_once).await?.ok()?;
    // A server may mark it as ending before it is gone, or not.
    let mut event = watch.next().await?;
    while event["type"] == "MODIFIED" {
        event = watch.next().await?;
    }
    same("type", &event["type"], &json!("DELETED"))?;
    same("name", &event["object"]["metadata"]["name"], &json!("a"))
}

async fn a_pod_in_a_missing_namespace(scratch: &Scratch<'_>) -> Result<()> {
    let refused = scratch.post("/api/v1/namespaces/no-such/pods", &pod("a", "")).await?;
    refused.check(
        r#"404 NotFound
        namespaces "no-such" not found
        details: namespaces/no-such"#,
    )
}

async fn nodes(scratch: &Scratch<'_>) -> Result<()> {
    let name = scratch.own("n");
    let path = format!("/api/v1/nodes/{name}");
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"zone": "a"}},
        "spec": {"providerID": "aws:///us-east-1a/i-0123456789abcdef0"},
    });
    let made = scratch.post("/api/v1/nodes", &node).await?;
    made.check("201")?;
    let taint = json!([{"key": "k", "value": "v", "effect": "NoSchedule"}]);
    let patched = scratch.merge(&path, &json!({"spec": {"taints": taint}})).await?;
    same("taints", patched.at("/spec/taints")?, &taint)?;
    let status = json!({"status": {
        "capacity": {"example.com/addresses": "14"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "Test", "message": "m"}],
    }});
    let patched = scratch.merge(&format!("{path}/status"), &status).await?;
    same("capacity", patched.at("/status/capacity")?, &json!({"example.com/addresses": "14"}))?;
    same("reason", patched.at("/status/conditions/0/reason")?, &json!("Test"))?;
    let deleted = scratch.delete(&path).await?;
    deleted.ok()?;
    scratch.get(&path).await?.check("404 NotFound\nnodes \"NS-n\" not found\ndetails: nodes/NS-n")
}

async fn events(scratch: &Scratch<'_>) -> Result<()> {
    let event = json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"generateName": "a."},
        "involvedObject": {"kind": "Widget", "name": "a", "namespace": scratch.ns},
        "reason": "Made", "message": "it is there", "type": "Normal", "count": 1,
        "source": {"component": "contract"},
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
    });
    let made = scratch.post(&scratch.core("events"), &event).await?;
    made.check("201")?;
    let name = made.text_at("/metadata/name")?;
    let count = json!({"count": 2, "lastTimestamp": "2026-01-01T00:00:05Z"});
    let patched = scratch.merge(&scratch.core(&format!("events/{name}")), &count).await?;
    same("count", patched.at("/count")?, &json!(2))?;
    let list = scratch.get(&scratch.core("events")).await?;
    same("reason", list.at("/items/0/reason")?, &json!("Made"))?;
    same("message", list.at("/items/0/message")?, &json!("it is there"))
}

//! Strategic merge patches, which `kubectl apply`, `edit` and `patch` send for built-in kinds.

use anyhow::Result;
use serde_json::{Value, json};

use super::pods::pod;
use crate::case::cases;
use crate::reply::same;
use crate::scratch::Scratch;

cases!(
    "strategic": containers, new_lists, metadata, node_status, order, taints, namespaces_and_leases, refusals,
    custom_resources,
);

/// The members of the items of a list by one name.
fn column(list: &Value, name: &str) -> Value {
    list.as_array().into_iter().flatten().map(|item| item[name].clone()).collect()
}

async fn containers(scratch: &Scratch<'_>) -> Result<()> {
    let mut made = pod("p", "");
    made["spec"]["containers"] = json!([
        {"name": "a", "image": "one", "env": [{"name": "x", "value": "1"}]},
        {"name": "b", "image": "one"},
    ]);
    scratch.post(&scratch.core("pods"), &made).await?.ok()?;
    let patch = json!({"spec": {"containers": [{"name": "b", "image": "two"}]}});
    let patched = scratch.strategic(&scratch.core("pods/p"), &patch).await?;
    let containers = patched.at("/spec/containers")?;
    // The real server fills in more members than these.
    let mut named = column(containers, "name").as_array().cloned().unwrap_or_default();
    named.sort_by_key(Value::to_string);
    same("names", &json!(named), &json!(["a", "b"]))?;
    let two = json!([{"name": "a"}, {"name": "b"}]);
    let order = json!({"spec": {
        "$setElementOrder/containers": two, "containers": [{"name": "a", "image": "three"}],
    }});
    let patched = scratch.strategic(&scratch.core("pods/p"), &order).await?;
    let containers = patched.at("/spec/containers")?;
    same("names", &column(containers, "name"), &json!(["a", "b"]))?;
    same("images", &column(containers, "image"), &json!(["three", "two"]))?;
    same("env", &containers[0]["env"][0]["value"], &json!("1"))
}

async fn new_lists(scratch: &Scratch<'_>) -> Result<()> {
    scratch.post(&scratch.core("pods"), &pod("p", "")).await?.ok()?;
    let patch = json!({"metadata": {"labels": {"a": "1", "b": null}, "finalizers": ["x.y/z"]}});
    let patched = scratch.strategic(&scratch.core("pods/p"), &patch).await?;
    same("labels", patched.at("/metadata/labels")?, &json!({"a": "1"}))?;
    let gone = json!({"metadata": {"labels": {"a": null}, "$deleteFromPrimitiveList/finalizers": ["x.y/z"]}});
    let patched = scratch.strategic(&scratch.core("pods/p"), &gone).await?;
    same("labels", &patched.body["metadata"]["labels"]["a"], &Value::Null)?;
    same("finalizers", &patched.body["metadata"]["finalizers"][0], &Value::Null)
}

async fn metadata(scratch: &Scratch<'_>) -> Result<()> {
    let path = scratch.leases("l");
    let lease = json!({"metadata": {"name": "l", "finalizers": ["x.y/a", "x.y/b"]}});
    scratch.post(&scratch.leases(""), &lease).await?.ok()?;
    let added = json!({"metadata": {"finalizers": ["x.y/c"]}});
    let patched = scratch.strategic(&path, &added).await?;
    let finalizers = patched.at("/metadata/finalizers")?;
    same("finalizers", finalizers, &json!(["x.y/c", "x.y/a", "x.y/b"]))?;
    let owner =
        |uid: &str| json!({"apiVersion": "no.such/v1", "kind": "Kind", "name": "o", "uid": uid});
    let owners = json!({"metadata": {"ownerReferences": [owner("1"), owner("2")]}});
    scratch.strategic(&path, &owners).await?.check("200")?;
    let gone = json!({"metadata": {
        "ownerReferences": [{"uid": "1", "$patch": "delete"}],
        "$deleteFromPrimitiveList/finalizers": ["x.y/a", "x.y/b", "x.y/c"],
    }});
    let patched = scratch.strategic(&path, &gone).await?;
    same("uids", &column(patched.at("/metadata/ownerReferences")?, "uid"), &json!(["2"]))
}

/// Makes a node with two addresses and two conditions.
async fn node(scratch: &Scratch<'_>) -> Result<String> {
    let name = scratch.own("n");
    let path = format!("/api/v1/nodes/{name}");
    scratch.post("/api/v1/nodes", &json!({"metadata": {"name": name}})).await?.ok()?;
    let condition = |kind: &str| json!({"type": kind, "status": "True"});
    let status = json!({"status": {
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": "h"}],
        "conditions": [condition("Ready"), condition("Busy")],
    }});
    scratch.strategic(&format!("{path}/status"), &status).await?.ok()?;
    Ok(path)
}

async fn node_status(scratch: &Scratch<'_>) -> Result<()> {
    let path = node(scratch).await?;
    let status = format!("{path}/status");
    let change = json!({"status": {
        "addresses": [{"type": "Hostname", "address": "i"}],
        "conditions": [{"type": "Busy", "status": "False"}, {"type": "New", "status": "True"}],
    }});
    let patched = scratch.strategic(&status, &change).await?;
    let addresses = patched.at("/status/addresses")?;
    same("addresses", &column(addresses, "address"), &json!(["10.0.0.1", "i"]))?;
    let conditions = patched.at("/status/conditions")?;
    same("conditions", &column(conditions, "type"), &json!(["Ready", "Busy", "New"]))?;
    same("busy", &conditions[1]["status"], &json!("False"))?;
    let gone = json!({"status": {
        "conditions": [{"type": "Ready", "$patch": "delete"}],
        "addresses": [{"$patch": "replace"}, {"type": "InternalIP", "address": "10.0.0.2"}],
    }});
    let patched = scratch.strategic(&status, &gone).await?;
    let conditions = patched.at("/status/conditions")?;
    same("conditions", &column(conditions, "type"), &json!(["Busy", "New"]))?;
    let addresses = patched.at("/status/addresses")?;
    same("addresses", &column(addresses, "address"), &json!(["10.0.0.2"]))?;
    scratch.delete(&path).await?.ok().map(drop)
}

async fn order(scratch: &Scratch<'_>) -> Result<()> {
    let path = node(scratch).await?;
    let status = format!("{path}/status");
    let change = json!({"status": {
        "$setElementOrder/conditions": [{"type": "Last"}, {"type": "Busy"}],
        "conditions": [{"type": "Last", "status": "True"}],
    }});
    let patched = scratch.strategic(&status, &change).await?;
    let conditions = patched.at("/status/conditions")?;
    same("conditions", &column(conditions, "type"), &json!(["Last", "Ready", "Busy"]))?;
    scratch.delete(&path).await?.ok().map(drop)
}

/// A list without a key is replaced.
async fn taints(scratch: &Scratch<'_>) -> Result<()> {
    let path = node(scratch).await?;
    let taint = |key: &str| json!({"key": key, "effect": "NoSchedule"});
    let two = json!({"spec": {"taints": [taint("a"), taint("b")]}});
    scratch.strategic(&path, &two).await?.check("200")?;
    let patched = scratch.strategic(&path, &json!({"spec": {"taints": [taint("c")]}})).await?;
    same("taints", &column(patched.at("/spec/taints")?, "key"), &json!(["c"]))?;
    let patched = scratch.strategic(&path, &json!({"spec": {"$patch": "replace"}})).await?;
    same("taints", &patched.body["spec"]["taints"], &Value::Null)?;
    scratch.delete(&path).await?.ok().map(drop)
}

async fn namespaces_and_leases(scratch: &Scratch<'_>) -> Result<()> {
    let path = format!("/api/v1/namespaces/{}", scratch.ns);
    let label = json!({"metadata": {"labels": {"x": "1"}}});
    let patched = scratch.strategic(&path, &label).await?;
    same("label", patched.at("/metadata/labels/x")?, &json!("1"))?;
    let lease = json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": "x"}});
    scratch.post(&scratch.leases(""), &lease).await?.ok()?;
    let change = json!({"spec": {"holderIdentity": null, "leaseTransitions": 2}});
    let patched = scratch.strategic(&scratch.leases("l"), &change).await?;
    same("spec", patched.at("/spec")?, &json!({"leaseTransitions": 2}))
}

async fn refusals(scratch: &Scratch<'_>) -> Result<()> {
    scratch.post(&scratch.core("pods"), &pod("p", "")).await?.ok()?;
    let path = scratch.core("pods/p");
    scratch.strategic(&path, &json!([])).await?.check_first("400 BadRequest")?;
    let unknown = json!({"spec": {"$patch": "shuffle"}});
    scratch.strategic(&path, &unknown).await?.check_first("500 Failure")?;
    let nameless = json!({"spec": {"containers": [{"image": "x"}]}});
    scratch.strategic(&path, &nameless).await?.check_first("500 Failure")?;
    let stale = json!({"metadata": {"resourceVersion": "1"}});
    scratch.strategic(&path, &stale).await?.check_first("409 Conflict")
}

async fn custom_resources(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let patch = json!({"spec": {"size": 2}});
    let refused = scratch.strategic(&scratch.widgets("a"), &patch).await?;
    refused.check_first("415 UnsupportedMediaType")
}

//! Which groups and resources there are.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::case::cases;
use crate::crds;
use crate::reply::same;
use crate::scratch::Scratch;

cases!("discovery": versions, groups, core_resources, custom_resources, lease_resources, unknown_paths);

async fn versions(scratch: &Scratch<'_>) -> Result<()> {
    let reply = scratch.get("/api").await?;
    same("versions", reply.at("/versions")?, &json!(["v1"]))?;
    same("kind", reply.at("/kind")?, &json!("APIVersions"))?;
    let version = scratch.get("/version").await?;
    version.text_at("/gitVersion")?;
    same("major", version.at("/major")?, &json!("1"))
}

async fn groups(scratch: &Scratch<'_>) -> Result<()> {
    let reply = scratch.get("/apis").await?;
    same("kind", reply.at("/kind")?, &json!("APIGroupList"))?;
    let version = |group: &str, version: &str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    for (group, of_group) in [
        ("apiextensions.k8s.io", "v1"),
        ("coordination.k8s.io", "v1"),
        ("cilium.io", "v2"),
        (crds::GROUP, "v1"),
    ] {
        let of_group = version(group, of_group);
        let found = entry(reply.at("/groups")?, group)?;
        same(group, &found["preferredVersion"], &of_group)?;
        let alone = scratch.get(&format!("/apis/{group}")).await?;
        same(group, alone.at("/preferredVersion")?, &of_group)?;
        same(group, alone.at("/kind")?, &json!("APIGroup"))?;
        same(group, alone.at("/name")?, &json!(group))?;
    }
    Ok(())
}

async fn core_resources(scratch: &Scratch<'_>) -> Result<()> {
    let reply = scratch.get("/api/v1").await?;
    same("groupVersion", reply.at("/groupVersion")?, &json!("v1"))?;
    for (name, kind, singular, short, namespaced) in [
        ("nodes", "Node", "node", json!(["no"]), false),
        ("namespaces", "Namespace", "namespace", json!(["ns"]), false),
        ("pods", "Pod", "pod", json!(["po"]), true),
        ("events", "Event", "event", json!(["ev"]), true),
    ] {
        let found = entry(reply.at("/resources")?, name)?;
        same(name, &found["kind"], &json!(kind))?;
        same(name, &found["singularName"], &json!(singular))?;
        same(name, &found["shortNames"], &short)?;
        same(name, &found["namespaced"], &json!(namespaced))?;
        has_verbs(found, &["create", "delete", "get", "list", "patch", "update", "watch"])?;
    }
    for name in ["nodes/status", "pods/status"] {
        has_verbs(entry(reply.at("/resources")?, name)?, &["get", "patch", "update"])?;
    }
    let expected = json!({
        "name": "pods/binding", "singularName": "", "namespaced": true, "kind": "Binding",
        "verbs": ["create"],
    });
    same("pods/binding", entry(reply.at("/resources")?, "pods/binding")?, &expected)
}

async fn custom_resources(scratch: &Scratch<'_>) -> Result<()> {
    let widgets = scratch.get(crds::PATH).await?;
    let verbs =
        json!(["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]);
    let found = entry(widgets.at("/resources")?, "widgets")?;
    let mut expected = json!({
        "name": "widgets", "singularName": "widget", "namespaced": true, "kind": "Widget",
        "shortNames": ["wdg"], "categories": ["contract"], "verbs": verbs,
        "storageVersionHash": found["storageVersionHash"],
    });
    without_order(found, &mut expected)?;
    let status = entry(widgets.at("/resources")?, "widgets/status")?;
    let expected = json!({
        "name": "widgets/status", "singularName": "", "namespaced": true, "kind": "Widget",
        "verbs": ["get", "patch", "update"],
    });
    same("widgets/status", status, &expected)?;
    let depots = entry(widgets.at("/resources")?, "depots")?;
    same("depots", &depots["namespaced"], &json!(false))?;
    let has_status = entry(widgets.at("/resources")?, "depots/status").is_ok();
    same("depots/status", &json!(has_status), &json!(false))?;
    let nodes = scratch.get("/apis/cilium.io/v2").await?;
    let nodes = entry(nodes.at("/resources")?, "ciliumnodes")?;
    same("short names", &nodes["shortNames"], &json!(["cn", "ciliumn"]))
}

async fn lease_resources(scratch: &Scratch<'_>) -> Result<()> {
    let reply = scratch.get("/apis/coordination.k8s.io/v1").await?;
    let leases = entry(reply.at("/resources")?, "leases")?;
    same("kind", &leases["kind"], &json!("Lease"))?;
    same("namespaced", &leases["namespaced"], &json!(true))?;
    has_verbs(leases, &["create", "delete", "get", "list", "patch", "update", "watch"])
}

async fn unknown_paths(scratch: &Scratch<'_>) -> Result<()> {
    for path in [
        "/apis/contract.berth.example/v1/gears",
        "/apis/contract.berth.example/v9/widgets",
        "/apis/nothing.berth.example/v1",
    ] {
        let (code, text) = scratch.get_text(path).await?;
        same(path, &json!([code, text]), &json!([404, "404 page not found"]))?;
    }
    // In a group that is compiled in, the answer is another one.
    let core = scratch.get("/api/v1/gears").await?;
    core.check("404 NotFound\nthe server could not find the requested resource")
}

fn entry<'a>(list: &'a Value, name: &str) -> Result<&'a Value> {
    let found = list.as_array().context("no list")?.iter().find(|entry| entry["name"] == name);
    found.with_context(|| format!("no {name} in {list:#}"))
}

fn has_verbs(resource: &Value, wanted: &[&str]) -> Result<()> {
    let verbs = resource["verbs"].as_array().context("no verbs")?;
    let missing: Vec<_> = wanted.iter().filter(|verb| !verbs.contains(&json!(verb))).collect();
    same("missing verbs", &json!(missing), &json!([]))
}

/// Compares resources whose verbs may stand in any order; a hash of the storage version may be there or not.
fn without_order(found: &Value, expected: &mut Value) -> Result<()> {
    let mut found = found.clone();
    for resource in [&mut found, expected] {
        let verbs = resource["verbs"].as_array_mut().context("no verbs")?;
        verbs.sort_by_key(Value::to_string);
        if let Some(members) = resource.as_object_mut() {
            members.remove("storageVersionHash");
        }
    }
    same("resource", &found, expected)
}

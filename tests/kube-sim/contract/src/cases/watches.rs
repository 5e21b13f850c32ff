//! Watches.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::case::cases;
use crate::crds;
use crate::reply::same;
use crate::scratch::Scratch;

cases!("watches":
    from_a_resource_version,
    from_scratch,
    events_carry_whole_objects,
    an_object_that_leaves_a_selector,
    of_one_object,
    of_all_namespaces,
    status_changes,
    bookmarks,
    streaming_list,
    streaming_list_of_nothing,
    streaming_list_refused,
    end_by_themselves,
    from_a_malformed_version,
);

async fn from_a_resource_version(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let now = scratch.now(&scratch.widgets("")).await?;
    scratch.widget("b", json!({})).await?;
    scratch.merge(&scratch.widgets("a"), &json!({"spec": {"size": 2}})).await?.ok()?;
    let mut watch = scratch.watch(&scratch.widgets(&format!("?resourceVersion={now}"))).await?;
    watch.check("ADDED b\nMODIFIED a").await?;
    scratch.delete(&scratch.widgets("b")).await?.ok()?;
    scratch.widget("c", json!({})).await?;
    watch.check("DELETED b\nADDED c").await?;
    watch.is_silent().await
}

/// Without a version, or with 0, what is there comes first, as if it were new.
async fn from_scratch(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    scratch.widget("b", json!({})).await?;
    for query in ["", "?resourceVersion=0"] {
        let mut watch = scratch.watch(&scratch.widgets(query)).await?;
        watch.check("ADDED a\nADDED b").await?;
        let size = json!({"spec": {"size": 2}, "metadata": {"annotations": {"by": query}}});
        scratch.merge(&scratch.widgets("b"), &size).await?.ok()?;
        watch.check("MODIFIED b").await?;
    }
    Ok(())
}

async fn events_carry_whole_objects(scratch: &Scratch<'_>) -> Result<()> {
    let now = scratch.now(&scratch.widgets("")).await?;
    let mut watch = scratch.watch(&scratch.widgets(&format!("?resourceVersion={now}"))).await?;
    let made = scratch.widget("a", json!({"labels": {"x": "1"}})).await?.body;
    same("added", &watch.next().await?, &json!({"type": "ADDED", "object": made}))?;
    let patch = json!({"spec": {"size": 2}});
    let patched = scratch.merge(&scratch.widgets("a"), &patch).await?.body;
    same("modified", &watch.next().await?, &json!({"type": "MODIFIED", "object": patched}))?;
    scratch.delete(&scratch.widgets("a")).await?.ok()?;
    let mut deleted = watch.next().await?;
    let version = |object: &serde_json::Value| -> Result<u64> {
        let text = object["metadata"]["resourceVersion"].as_str().context("no version")?;
        Ok(text.parse()?)
    };
    // The last state, at the version of the deletion.
    ensure!(version(&deleted["object"])? > version(&patched)?, "the version of the deletion");
    deleted["object"]["metadata"]["resourceVersion"] =
        patched["metadata"]["resourceVersion"].clone();
    same("deleted", &deleted, &json!({"type": "DELETED", "object": patched}))
}

async fn an_object_that_leaves_a_selector(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({"labels": {"tier": "web"}})).await?;
    let now = scratch.now(&scratch.widgets("")).await?;
    let path = format!("?labelSelector=tier%3Dweb&resourceVersion={now}");
    let mut watch = scratch.watch(&scratch.widgets(&path)).await?;
    let label = |tier: &str| json!({"metadata": {"labels": {"tier": tier}}});
    scratch.widget("other", json!({})).await?;
    scratch.merge(&scratch.widgets("a"), &label("db")).await?.ok()?;
    let left = watch.next().await?;
    same("type", &left["type"], &json!("DELETED"))?;
    same("as it was", &left["object"]["metadata"]["labels"], &json!({"tier": "web"}))?;
    scratch.merge(&scratch.widgets("a"), &label("cache")).await?.ok()?;
    scratch.merge(&scratch.widgets("a"), &label("web")).await?.ok()?;
    watch.check("ADDED a").await?;
    scratch.merge(&scratch.widgets("other"), &label("web")).await?.ok()?;
    watch.check("ADDED other").await
}

async fn of_one_object(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let now = scratch.now(&scratch.widgets("")).await?;
    let query = format!("?fieldSelector=metadata.name%3Da&resourceVersion={now}");
    let mut watch = scratch.watch(&scratch.widgets(&query)).await?;
    scratch.widget("b", json!({})).await?;
    scratch.merge(&scratch.widgets("a"), &json!({"spec": {"size": 2}})).await?.ok()?;
    scratch.delete(&scratch.widgets("b")).await?.ok()?;
    scratch.delete(&scratch.widgets("a")).await?.ok()?;
    watch.check("MODIFIED a\nDELETED a").await
}

async fn of_all_namespaces(scratch: &Scratch<'_>) -> Result<()> {
    let path = format!("{}/widgets?labelSelector=in%3D{}", crds::PATH, scratch.ns);
    let now = scratch.now(&path).await?;
    let mut watch = scratch.watch(&format!("{path}&resourceVersion={now}")).await?;
    scratch.widget("b", json!({})).await?;
    scratch.widget("a", json!({"labels": {"in": scratch.ns}})).await?;
    watch.check("ADDED a").await
}

async fn status_changes(scratch: &Scratch<'_>) -> Result<()> {
    let now = scratch.widget("a", json!({})).await?.resource_version()?;
    let mut watch = scratch.watch(&scratch.widgets(&format!("?resourceVersion={now}"))).await?;
    let status = json!({"status": {"phase": "Ready"}});
    let patched = scratch.merge(&scratch.widgets("a/status"), &status).await?.body;
    same("event", &watch.next().await?, &json!({"type": "MODIFIED", "object": patched}))
}

/// A server sends a bookmark when it likes, and here before the watch ends: then at the latest the client knows how
/// far it came.
async fn bookmarks(scratch: &Scratch<'_>) -> Result<()> {
    let made = scratch.widget("a", json!({})).await?.resource_version()?;
    let query = format!("?resourceVersion={made}&allowWatchBookmarks=true&timeoutSeconds=10");
    let mut watch = scratch.watch(&scratch.widgets(&query)).await?;
    let later = scratch.widget("b", json!({})).await?.resource_version()?;
    watch.check("ADDED b").await?;
    let bookmark = watch.next().await?;
    same("type", &bookmark["type"], &json!("BOOKMARK"))?;
    let object = &bookmark["object"];
    same("kind", &object["kind"], &json!("Widget"))?;
    same("apiVersion", &object["apiVersion"], &json!("contract.berth.example/v1"))?;
    let version = object["metadata"]["resourceVersion"].as_str().context("no version")?;
    ensure!(version.parse::<u64>()? >= later.parse::<u64>()?, "{version} is before {later}");
    watch.ends().await
}

const STREAMING: &str =
    "?sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";

async fn streaming_list(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let second = scratch.widget("b", json!({})).await?.resource_version()?;
    let mut watch = scratch.watch(&scratch.widgets(STREAMING)).await?;
    watch.check("ADDED a\nADDED b").await?;
    let end = watch.next().await?;
    same("type", &end["type"], &json!("BOOKMARK"))?;
    let metadata = &end["object"]["metadata"];
    let annotations = json!({"k8s.io/initial-events-end": "true"});
    same("the end of what there is", &metadata["annotations"], &annotations)?;
    let version = metadata["resourceVersion"].as_str().context("no version")?;
    ensure!(version.parse::<u64>()? >= second.parse::<u64>()?, "{version} is before {second}");
    scratch.widget("c", json!({})).await?;
    watch.check("ADDED c").await
}

async fn streaming_list_of_nothing(scratch: &Scratch<'_>) -> Result<()> {
    let query = format!("{STREAMING}&labelSelector=none%3Dsuch");
    let mut watch = scratch.watch(&scratch.widgets(&query)).await?;
    scratch.widget("a", json!({})).await?;
    watch.check("BOOKMARK").await?;
    scratch.widget("b", json!({"labels": {"none": "such"}})).await?;
    watch.check("ADDED b").await
}

async fn streaming_list_refused(scratch: &Scratch<'_>) -> Result<()> {
    let get = async |query: &str| scratch.get(&scratch.widgets(query)).await;
    get("?watch=true&sendInitialEvents=true").await?.check(
        r#"422 Invalid
        ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan
        details: meta.k8s.io/ListOptions
        cause FieldValueForbidden resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"#,
    )?;
    get("?sendInitialEvents=true").await?.check(
        r#"422 Invalid
        ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list
        details: meta.k8s.io/ListOptions
        cause FieldValueForbidden sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"#,
    )?;
    get("?watch=true&resourceVersionMatch=NotOlderThan").await?.check(
        r#"422 Invalid
        ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided
        details: meta.k8s.io/ListOptions
        cause FieldValueForbidden resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"#,
    )
}

async fn end_by_themselves(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let mut watch = scratch.watch(&scratch.widgets("?timeoutSeconds=5")).await?;
    watch.check("ADDED a").await?;
    watch.ends().await
}

async fn from_a_malformed_version(scratch: &Scratch<'_>) -> Result<()> {
    let path = scratch.widgets("?watch=true&resourceVersion=x");
    scratch.get(&path).await?.check(
        r#"500 Failure
        resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax"#,
    )
}

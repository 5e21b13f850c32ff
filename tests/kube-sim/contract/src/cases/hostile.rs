//! What no careful client sends.

use anyhow::Result;
use serde_json::json;

use super::pods::pod;
use crate::case::cases;
use crate::reply::{same, same_text};
use crate::scratch::Scratch;

cases!(
    "hostile": metadata_of_wrong_types, annotations, two_controllers, version_taken_away, delete_options,
    odd_names, odd_paths, odd_list_parameters, odd_watch_parameters, fields_of_pods, fields_of_events,
);

async fn metadata_of_wrong_types(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    for metadata in [
        json!([]),
        json!({"name": 3}),
        json!({"name": "b", "generation": "x"}),
        json!({"name": "b", "uid": 1}),
        json!({"name": "b", "labels": []}),
        json!({"name": "b", "annotations": {"x": 1}}),
        json!({"name": "b", "ownerReferences": ["x"]}),
    ] {
        let mut widget = crate::crds::widget("b");
        widget["metadata"] = metadata.clone();
        let refused = scratch.post(&scratch.widgets(""), &widget).await?;
        refused.check_first("400 BadRequest")?;
        if metadata.get("labels").is_some() || metadata.get("annotations").is_some() {
            let patch = json!({"metadata": {"labels": metadata["labels"], "annotations": metadata["annotations"]}});
            scratch.merge(&scratch.widgets("a"), &patch).await?.check_first("422 Invalid")?;
        }
    }
    scratch.get(&scratch.widgets("b")).await?.check_first("404 NotFound")
}

async fn annotations(scratch: &Scratch<'_>) -> Result<()> {
    scratch
        .widget("a", json!({"annotations": {"Example.COM/Any_Name": "any text, even ä\n"}}))
        .await?;
    let annotate = async |key: &str, value: &str| {
        let patch = json!({"metadata": {"annotations": {key: value}}});
        scratch.merge(&scratch.widgets("a"), &patch).await
    };
    annotate("Bad Key", "x").await?.check_first("422 Invalid")?;
    annotate("a/b/c", "x").await?.check_first("422 Invalid")?;
    annotate("a", &"x".repeat(256 << 10)).await?.check_first("422 Invalid")?;
    annotate("a", &"x".repeat(200 << 10)).await?.check("200")
}

async fn two_controllers(scratch: &Scratch<'_>) -> Result<()> {
    let made = scratch.widget("a", json!({})).await?;
    let owner = |name: &str| {
        json!({
            "apiVersion": made.body["apiVersion"], "kind": "Widget", "name": name,
            "uid": made.body["metadata"]["uid"], "controller": true,
        })
    };
    let mut widget = crate::crds::widget("b");
    widget["metadata"]["ownerReferences"] = json!([owner("a"), owner("c")]);
    let refused = scratch.post(&scratch.widgets(""), &widget).await?;
    refused.check_first("422 Invalid")?;
    widget["metadata"]["ownerReferences"] = json!([owner("a")]);
    scratch.post(&scratch.widgets(""), &widget).await?.check("201")
}

async fn version_taken_away(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let taken = json!({"metadata": {"resourceVersion": null}});
    scratch.merge(&scratch.widgets("a"), &taken).await?.check(
        r#"422 Invalid
        widgets.contract.berth.example "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update
        details: contract.berth.example/widgets/a
        cause FieldValueInvalid metadata.resourceVersion: Invalid value: 0: must be specified for an update"#,
    )?;
    let all = json!({"metadata": null});
    scratch.merge(&scratch.widgets("a"), &all).await?.check_first("400 BadRequest")?;
    scratch.post(&scratch.core("pods"), &pod("p", "")).await?.ok()?;
    scratch.merge(&scratch.core("pods/p"), &taken).await?.check("200")
}

/// Options that cannot be read delete nothing.
async fn delete_options(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let path = scratch.widgets("a");
    let wrong_uid = json!({"preconditions": {"uid": 3}});
    scratch.delete_with(&path, &wrong_uid).await?.check_first("400 BadRequest")?;
    let wrong_version = json!({"preconditions": {"resourceVersion": "abc"}});
    scratch.delete_with(&path, &wrong_version).await?.check_first("409 Conflict")?;
    let both = json!({"propagationPolicy": "Orphan", "orphanDependents": true});
    scratch.delete_with(&path, &both).await?.check(
        r#"422 Invalid
        DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set
        details: meta.k8s.io/DeleteOptions
        cause FieldValueInvalid propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set"#,
    )?;
    scratch.delete(&format!("{path}?propagationPolicy=Never")).await?.check(
        r#"422 Invalid
        DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Never": supported values: "Foreground", "Background", "Orphan", "nil"
        details: meta.k8s.io/DeleteOptions
        cause FieldValueNotSupported propagationPolicy: Unsupported value: "Never": supported values: "Foreground", "Background", "Orphan", "nil""#,
    )?;
    scratch.delete(&format!("{path}?dryRun=Some")).await?.check(
        r#"422 Invalid
        DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"
        details: meta.k8s.io/DeleteOptions
        cause FieldValueNotSupported dryRun: Unsupported value: ["Some"]: supported values: "All""#,
    )?;
    scratch.get(&path).await?.check("200")
}

async fn odd_names(scratch: &Scratch<'_>) -> Result<()> {
    scratch.get("/api/v1/nodes/..").await?.check(
        r#"400 BadRequest
        Name parameter invalid: "..": may not be '..'"#,
    )?;
    scratch.get("/api/v1/nodes/%20").await?.check(
        r#"404 NotFound
        nodes " " not found
        details: nodes/ "#,
    )?;
    scratch.widget("a.b", json!({})).await?;
    scratch.get(&scratch.widgets("a%2Eb")).await?.check("200")
}

async fn odd_paths(scratch: &Scratch<'_>) -> Result<()> {
    for path in ["/api/v1/nodes/a%2Fb", "/api/v1/nodes/x/y/z", "/api/v1//pods", "/api//v1/pods"] {
        scratch.get(path).await?.check(
            "404 NotFound
            the server could not find the requested resource",
        )?;
    }
    scratch.get("/api/v1/namespaces//pods").await?.check("200")?;
    scratch.get(&format!("{}/", scratch.core("pods"))).await?.check("200")
}

async fn odd_list_parameters(scratch: &Scratch<'_>) -> Result<()> {
    for name in ["a", "b"] {
        scratch.widget(name, json!({})).await?;
    }
    let list = async |query: &str| scratch.get(&scratch.widgets(query)).await;
    same_text(&list("?limit=-1").await?.names()?, "a b")?;
    same_text(&list("?watch=false&limit=0").await?.names()?, "a b")?;
    same_text(&list("?watch=0").await?.names()?, "a b")?;
    list("?limit=x").await?.check_first("400 BadRequest")?;
    list("?timeoutSeconds=x").await?.check_first("400 BadRequest")?;
    list("?continue=%C3%A4").await?.check_first("400 BadRequest")?;
    list("?labelSelector=a%3D%C3%A4").await?.check_first("400 BadRequest")
}

async fn odd_watch_parameters(scratch: &Scratch<'_>) -> Result<()> {
    let mut watch = scratch.watch(&scratch.widgets("?timeoutSeconds=0")).await?;
    let mut other = scratch.watch(&scratch.widgets("?watch=yes")).await?;
    scratch.widget("a", json!({})).await?;
    watch.check("ADDED a").await?;
    other.check("ADDED a").await?;
    watch.is_silent().await
}

async fn fields_of_pods(scratch: &Scratch<'_>) -> Result<()> {
    for name in ["a", "b"] {
        scratch.post(&scratch.core("pods"), &pod(name, "")).await?.ok()?;
    }
    let status = json!({"status": {"podIP": "10.0.0.7", "podIPs": [{"ip": "10.0.0.7"}]}});
    scratch.merge(&scratch.core("pods/a/status"), &status).await?.ok()?;
    let list = async |query: &str| {
        scratch.get(&scratch.core(&format!("pods?fieldSelector={query}"))).await?.names()
    };
    same_text(&list("status.podIP%3D10.0.0.7").await?, "a")?;
    same_text(&list("status.podIP!%3D10.0.0.7").await?, "b")?;
    same_text(&list("spec.schedulerName%3Dnobody").await?, "a b")
}

/// `kubectl describe` asks for events in this way.
async fn fields_of_events(scratch: &Scratch<'_>) -> Result<()> {
    for name in ["a", "b"] {
        let event = json!({
            "metadata": {"name": name}, "reason": "Made", "type": "Normal",
            "involvedObject": {"kind": "Widget", "name": name, "namespace": scratch.ns},
        });
        scratch.post(&scratch.core("events"), &event).await?.ok()?;
    }
    let list = async |query: &str| {
        scratch.get(&scratch.core(&format!("events?fieldSelector={query}"))).await?.names()
    };
    same_text(&list("involvedObject.name%3Da,involvedObject.kind%3DWidget").await?, "a")?;
    same_text(&list("reason%3DMade,type%3DNormal").await?, "a b")?;
    let all = scratch.get(&scratch.core("events")).await?;
    same("events", &json!(all.at("/items")?.as_array().map(Vec::len)), &json!(2))
}

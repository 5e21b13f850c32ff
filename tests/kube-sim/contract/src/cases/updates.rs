//! Replacing objects: optimistic locks, what may not change, and generations.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::case::cases;
use crate::crds;
use crate::reply::same;
use crate::scratch::Scratch;

cases!("updates":
    a_new_version,
    a_stale_version,
    no_version,
    nothing_changes,
    another_uid,
    another_name,
    what_is_not_there,
    what_never_changes,
    generations,
    generations_without_a_status_subresource,
    status_by_itself,
    status_of_a_stale_version,
    status_left_out,
);

/// Makes a widget, and returns it.
async fn made(scratch: &Scratch<'_>) -> Result<Value> {
    Ok(scratch.widget("a", json!({})).await?.body)
}

async fn a_new_version(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = made(scratch).await?;
    let before = widget["metadata"]["resourceVersion"].clone();
    widget["spec"]["size"] = json!(2);
    let updated = scratch.put(&scratch.widgets("a"), &widget).await?;
    updated.check("200")?;
    same("size", updated.at("/spec/size")?, &json!(2))?;
    ensure!(updated.body["metadata"]["resourceVersion"] != before, "no new resourceVersion");
    let read = scratch.get(&scratch.widgets("a")).await?;
    same("stored", read.ok()?, updated.ok()?)
}

async fn a_stale_version(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = made(scratch).await?;
    widget["spec"]["size"] = json!(2);
    scratch.put(&scratch.widgets("a"), &widget).await?.ok()?;
    widget["spec"]["size"] = json!(3);
    scratch.put(&scratch.widgets("a"), &widget).await?.check(
        r#"409 Conflict
        Operation cannot be fulfilled on widgets.contract.berth.example "a": the object has been modified; please apply your changes to the latest version and try again
        details: contract.berth.example/widgets/a"#,
    )?;
    let read = scratch.get(&scratch.widgets("a")).await?;
    same("size", read.at("/spec/size")?, &json!(2))?;
    widget["metadata"]["resourceVersion"] = json!("x");
    scratch.put(&scratch.widgets("a"), &widget).await?.check_first("500 Failure")
}

/// A custom resource must name the version that it replaces; a built-in one may be replaced blindly.
async fn no_version(scratch: &Scratch<'_>) -> Result<()> {
    made(scratch).await?;
    scratch.put(&scratch.widgets("a"), &crds::widget("a")).await?.check(
        r#"422 Invalid
        widgets.contract.berth.example "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update
        details: contract.berth.example/widgets/a
        cause FieldValueInvalid metadata.resourceVersion: Invalid value: 0: must be specified for an update"#,
    )?;
    let lease = json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": "x"}});
    scratch.post(&scratch.leases(""), &lease).await?.ok()?;
    scratch.put(&scratch.leases("l"), &lease).await?.check(
        r#"422 Invalid
        leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update
        details: coordination.k8s.io/leases/l
        cause FieldValueInvalid metadata.resourceVersion: Invalid value: 0: must be specified for an update"#,
    )
}

async fn nothing_changes(scratch: &Scratch<'_>) -> Result<()> {
    let widget = made(scratch).await?;
    let list = scratch.now(&scratch.widgets("")).await?;
    let mut watch = scratch.watch(&scratch.widgets(&format!("?resourceVersion={list}"))).await?;
    let same_again = scratch.put(&scratch.widgets("a"), &widget).await?;
    same("object", same_again.ok()?, &widget)?;
    let patched = scratch.merge(&scratch.widgets("a"), &json!({"spec": {"size": 1}})).await?;
    same("object", patched.ok()?, &widget)?;
    let status = scratch.put(&scratch.widgets("a/status"), &widget).await?;
    same("object", status.ok()?, &widget)?;
    watch.is_silent().await
}

async fn another_uid(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = made(scratch).await?;
    widget["metadata"]["uid"] = json!("11111111-1111-1111-1111-111111111111");
    let refused = scratch.put(&scratch.widgets("a"), &widget).await?;
    refused.check_first("409 Conflict")?;
    let uid = scratch.get(&scratch.widgets("a")).await?.text_at("/metadata/uid")?;
    let message = refused.body["message"].as_str().unwrap_or_default();
    let other = "UID in precondition: 11111111-1111-1111-1111-111111111111";
    let end = format!("Precondition failed: {other}, UID in object meta: {uid}");
    ensure!(message.ends_with(&end), "{message}");
    Ok(())
}

async fn another_name(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = made(scratch).await?;
    widget["metadata"]["name"] = json!("b");
    scratch.put(&scratch.widgets("a"), &widget).await?.check(
        "400 BadRequest
        the name of the object (b) does not match the name on the URL (a)",
    )?;
    let mut widget = scratch.get(&scratch.widgets("a")).await?.body;
    widget["metadata"]["namespace"] = json!("other");
    scratch.put(&scratch.widgets("a"), &widget).await?.check(
        "400 BadRequest
        the namespace of the provided object does not match the namespace sent on the request",
    )?;
    let renamed = scratch.merge(&scratch.widgets("a"), &json!({"metadata": {"name": "b"}})).await?;
    renamed.check(
        "400 BadRequest
        the name of the object (b) does not match the name on the URL (a)",
    )
}

async fn what_is_not_there(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = crds::widget("nope");
    for (member, value) in [
        ("name", "nope"),
        ("resourceVersion", "1"),
        ("uid", "11111111-1111-1111-1111-111111111111"),
    ] {
        widget["metadata"][member] = json!(value);
        scratch.put(&scratch.widgets("nope"), &widget).await?.check(
            r#"404 NotFound
            widgets.contract.berth.example "nope" not found
            details: contract.berth.example/widgets/nope"#,
        )?;
    }
    scratch.put(&scratch.widgets("nope/status"), &widget).await?.check(
        r#"404 NotFound
        widgets.contract.berth.example "nope" not found
        details: contract.berth.example/widgets/nope"#,
    )
}

async fn what_never_changes(scratch: &Scratch<'_>) -> Result<()> {
    let before = made(scratch).await?;
    let mut widget = before.clone();
    widget["spec"]["size"] = json!(2);
    widget["metadata"]["creationTimestamp"] = json!("2001-01-01T00:00:00Z");
    widget["metadata"]["generation"] = json!(77);
    let updated = scratch.put(&scratch.widgets("a"), &widget).await?;
    for member in ["uid", "creationTimestamp", "name", "namespace"] {
        same(member, &updated.ok()?["metadata"][member], &before["metadata"][member])?;
    }
    same("generation", updated.at("/metadata/generation")?, &json!(2))?;
    let change = json!({"metadata": {
        "creationTimestamp": null, "generation": 9,
    }});
    let patched = scratch.merge(&scratch.widgets("a"), &change).await?;
    for member in ["uid", "creationTimestamp", "generation"] {
        same(member, &patched.ok()?["metadata"][member], &updated.body["metadata"][member])?;
    }
    let change = json!({"metadata": {"uid": "11111111-1111-1111-1111-111111111111"}});
    let patched = scratch.merge(&scratch.widgets("a"), &change).await?;
    patched.check_first("422 Invalid")
}

async fn generations(scratch: &Scratch<'_>) -> Result<()> {
    made(scratch).await?;
    let path = scratch.widgets("a");
    let labels = json!({"metadata": {"labels": {"x": "1"}, "annotations": {"y": "1"}}});
    for (change, generation) in [
        (labels, 1),
        (json!({"spec": {"size": 5}}), 2),
        (json!({"spec": {"size": 5}}), 2),
        (json!({"status": {"phase": "no part of it"}}), 2),
        (json!({"spec": {"color": "red"}}), 3),
    ] {
        let patched = scratch.merge(&path, &change).await?;
        same(&change.to_string(), patched.at("/metadata/generation")?, &json!(generation))?;
    }
    let status = json!({"status": {"phase": "Ready"}});
    let patched = scratch.merge(&scratch.widgets("a/status"), &status).await?;
    same("after status", patched.at("/metadata/generation")?, &json!(3))
}

async fn generations_without_a_status_subresource(scratch: &Scratch<'_>) -> Result<()> {
    let name = scratch.own("d");
    let path = format!("{}/depots", crds::PATH);
    scratch.post(&path, &crds::depot(&name)).await?.ok()?;
    let path = format!("{path}/{name}");
    for (change, generation) in [
        (json!({"metadata": {"labels": {"x": "1"}}}), 1),
        (json!({"status": {"phase": "a member like others"}}), 2),
        (json!({"spec": {"x": 1}}), 3),
    ] {
        let patched = scratch.merge(&path, &change).await?;
        same(&change.to_string(), patched.at("/metadata/generation")?, &json!(generation))?;
    }
    scratch.delete(&path).await?.ok()?;
    Ok(())
}

async fn status_by_itself(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = made(scratch).await?;
    widget["status"] = json!({"phase": "Ready", "seen": 4});
    widget["spec"]["size"] = json!(50);
    widget["metadata"]["labels"] = json!({"x": "1"});
    let path = scratch.widgets("a/status");
    let updated = scratch.put(&path, &widget).await?;
    same("status", updated.at("/status")?, &json!({"phase": "Ready", "seen": 4}))?;
    same("size", updated.at("/spec/size")?, &json!(1))?;
    same("labels", &updated.body["metadata"]["labels"], &json!(null))?;
    let change = json!({"status": {"seen": 5}, "spec": {"size": 60}});
    let patched = scratch.merge(&path, &change).await?;
    same("status", patched.at("/status")?, &json!({"phase": "Ready", "seen": 5}))?;
    same("size", patched.at("/spec/size")?, &json!(1))?;
    let patched = scratch.merge(&scratch.widgets("a"), &json!({"status": null})).await?;
    same("status", patched.at("/status")?, &json!({"phase": "Ready", "seen": 5}))
}

async fn status_of_a_stale_version(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = made(scratch).await?;
    scratch.merge(&scratch.widgets("a"), &json!({"spec": {"size": 2}})).await?.ok()?;
    widget["status"] = json!({"phase": "Late"});
    scratch.put(&scratch.widgets("a/status"), &widget).await?.check(
        r#"409 Conflict
        Operation cannot be fulfilled on widgets.contract.berth.example "a": the object has been modified; please apply your changes to the latest version and try again
        details: contract.berth.example/widgets/a"#,
    )
}

async fn status_left_out(scratch: &Scratch<'_>) -> Result<()> {
    made(scratch).await?;
    let status = json!({"status": {"phase": "Ready"}});
    let mut widget = scratch.merge(&scratch.widgets("a/status"), &status).await?.body;
    if let Some(members) = widget.as_object_mut() {
        members.remove("status");
    }
    widget["spec"]["size"] = json!(2);
    let mut updated = scratch.put(&scratch.widgets("a"), &widget).await?.body;
    same("status", &updated["status"], &json!({"phase": "Ready"}))?;
    if let Some(members) = updated.as_object_mut() {
        members.remove("status");
    }
    let cleared = scratch.put(&scratch.widgets("a/status"), &updated).await?;
    same("status", &cleared.ok()?["status"], &json!(null))
}

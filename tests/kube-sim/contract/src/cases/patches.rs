//! Merge patches and JSON patches.

use anyhow::Result;
use http::Method;
use serde_json::json;

use crate::case::cases;
use crate::crds;
use crate::reply::same;
use crate::scratch::Scratch;

cases!("patches":
    merge_adds_replaces_and_removes,
    merge_replaces_lists_whole,
    merge_as_an_optimistic_lock,
    merge_of_what_is_not_there,
    merge_that_breaks_the_schema,
    merge_that_is_no_object,
    json_patch_operations,
    json_patch_test_fails,
    json_patch_without_its_target,
    json_patch_as_an_optimistic_lock,
    json_patch_of_status,
    json_patch_tests_what_is_not_there,
    json_patch_tests_whose_status_it_is,
    merge_into_the_status_of_whatever_object,
    json_patch_that_is_malformed,
    media_types,
    built_in_resources,
);

async fn merge_adds_replaces_and_removes(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({"labels": {"x": "1", "y": "2"}})).await?;
    let path = scratch.widgets("a");
    let change = json!({
        "metadata": {"labels": {"x": null, "z": "3"}, "annotations": {"n": "1"}},
        "spec": {"color": "red", "size": 9, "tags": {"k": "v"}},
    });
    let patched = scratch.merge(&path, &change).await?;
    patched.check("200")?;
    same("labels", patched.at("/metadata/labels")?, &json!({"y": "2", "z": "3"}))?;
    same("color", patched.at("/spec/color")?, &json!("red"))?;
    let change = json!({"spec": {"color": null, "tags": null}, "metadata": {"labels": null}});
    let patched = scratch.merge(&path, &change).await?;
    same("color", &patched.ok()?["spec"]["color"], &json!(null))?;
    same("tags", &patched.body["spec"]["tags"], &json!(null))?;
    same("labels", &patched.body["metadata"]["labels"], &json!(null))?;
    same("size", patched.at("/spec/size")?, &json!(9))
}

async fn merge_replaces_lists_whole(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let path = scratch.widgets("a");
    let wheels = json!([{"name": "front"}, {"name": "rear"}]);
    scratch.merge(&path, &json!({"spec": {"wheels": wheels}})).await?.ok()?;
    let spare = json!([{"name": "spare"}]);
    let patched = scratch.merge(&path, &json!({"spec": {"wheels": spare}})).await?;
    same("wheels", patched.at("/spec/wheels")?, &spare)
}

async fn merge_as_an_optimistic_lock(scratch: &Scratch<'_>) -> Result<()> {
    let old = scratch.widget("a", json!({})).await?.resource_version()?;
    let path = scratch.widgets("a");
    let change = |version: &str, size: u8| json!({"metadata": {"resourceVersion": version}, "spec": {"size": size}});
    let new = scratch.merge(&path, &change(&old, 2)).await?.resource_version()?;
    scratch.merge(&path, &change(&old, 3)).await?.check(
        r#"409 Conflict
        Operation cannot be fulfilled on widgets.contract.berth.example "a": the object has been modified; please apply your changes to the latest version and try again
        details: contract.berth.example/widgets/a"#,
    )?;
    let patched = scratch.merge(&path, &change(&new, 4)).await?;
    same("size", patched.at("/spec/size")?, &json!(4))
}

async fn merge_of_what_is_not_there(scratch: &Scratch<'_>) -> Result<()> {
    let change = json!({"spec": {"size": 2}});
    scratch.merge(&scratch.widgets("nope"), &change).await?.check(
        r#"404 NotFound
        widgets.contract.berth.example "nope" not found
        details: contract.berth.example/widgets/nope"#,
    )?;
    scratch.merge(&scratch.widgets("nope/status"), &change).await?.check(
        r#"404 NotFound
        widgets.contract.berth.example "nope" not found
        details: contract.berth.example/widgets/nope"#,
    )?;
    scratch.merge(&scratch.core("pods/nope"), &json!({})).await?.check(
        r#"404 NotFound
        pods "nope" not found
        details: pods/nope"#,
    )
}

async fn merge_that_breaks_the_schema(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let path = scratch.widgets("a");
    scratch.merge(&path, &json!({"spec": {"size": null}})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.size: Required value
        details: contract.berth.example/Widget/a
        cause FieldValueRequired spec.size: Required value"#,
    )?;
    scratch.merge(&path, &json!({"spec": {"size": "big"}})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"
        details: contract.berth.example/Widget/a
        cause FieldValueTypeInvalid spec.size: Invalid value: "string": spec.size in body must be of type integer: "string""#,
    )?;
    let status = json!({"status": {"seen": "never"}});
    scratch.merge(&scratch.widgets("a/status"), &status).await?.check_first("422 Invalid")
}

async fn merge_that_is_no_object(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    scratch.merge(&scratch.widgets("a"), &json!([1])).await?.check_first("400 BadRequest")
}

async fn json_patch_operations(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({"labels": {"x/y": "1"}})).await?;
    let change = json!([
        {"op": "test", "path": "/spec/size", "value": 1},
        {"op": "replace", "path": "/spec/size", "value": 2},
        {"op": "add", "path": "/spec/wheels", "value": [{"name": "front"}]},
        {"op": "add", "path": "/spec/wheels/-", "value": {"name": "rear"}},
        {"op": "add", "path": "/spec/wheels/0", "value": {"name": "first"}},
        {"op": "copy", "from": "/spec/size", "path": "/spec/replicas"},
        {"op": "move", "from": "/metadata/labels/x~1y", "path": "/metadata/labels/z"},
        {"op": "remove", "path": "/spec/wheels/1"},
    ]);
    let patched = scratch.json_patch(&scratch.widgets("a"), &change).await?;
    patched.check("200")?;
    same("size", patched.at("/spec/size")?, &json!(2))?;
    same("replicas", patched.at("/spec/replicas")?, &json!(2))?;
    let wheels = json!([{"name": "first"}, {"name": "rear"}]);
    same("wheels", patched.at("/spec/wheels")?, &wheels)?;
    same("labels", patched.at("/metadata/labels")?, &json!({"z": "1"}))?;
    same("generation", patched.at("/metadata/generation")?, &json!(2))
}

async fn json_patch_test_fails(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let change = json!([
        {"op": "replace", "path": "/spec/size", "value": 2},
        {"op": "test", "path": "/spec/size", "value": 1},
    ]);
    scratch.json_patch(&scratch.widgets("a"), &change).await?.check(
        "422 Invalid
        the server rejected our request due to an error in our request",
    )?;
    let read = scratch.get(&scratch.widgets("a")).await?;
    same("size", read.at("/spec/size")?, &json!(1))
}

async fn json_patch_without_its_target(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let path = scratch.widgets("a");
    let change = async |change| scratch.json_patch(&path, &json!([change])).await;
    change(json!({"op": "remove", "path": "/spec/color"})).await?.check(
        "422 Invalid
        the server rejected our request due to an error in our request",
    )?;
    change(json!({"op": "replace", "path": "/spec/color", "value": "red"})).await?.check("200")?;
    change(json!({"op": "add", "path": "/spec/box/x/y", "value": 1})).await?.check(
        "422 Invalid
        the server rejected our request due to an error in our request",
    )?;
    change(json!({"op": "add", "path": "/spec/wheels/-", "value": {"name": "x"}})).await?.check(
        "422 Invalid
        the server rejected our request due to an error in our request",
    )
}

async fn json_patch_as_an_optimistic_lock(scratch: &Scratch<'_>) -> Result<()> {
    let old = scratch.widget("a", json!({})).await?.resource_version()?;
    let path = scratch.widgets("a");
    let change = |size: u8| {
        json!([
            {"op": "replace", "path": "/metadata/resourceVersion", "value": old},
            {"op": "replace", "path": "/spec/size", "value": size},
        ])
    };
    scratch.json_patch(&path, &change(2)).await?.check("200")?;
    scratch.json_patch(&path, &change(3)).await?.check(
        r#"409 Conflict
        Operation cannot be fulfilled on widgets.contract.berth.example "a": the object has been modified; please apply your changes to the latest version and try again
        details: contract.berth.example/widgets/a"#,
    )
}

async fn json_patch_of_status(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let change = json!([
        {"op": "add", "path": "/status", "value": {"phase": "Ready"}},
        {"op": "replace", "path": "/spec/size", "value": 9},
    ]);
    let patched = scratch.json_patch(&scratch.widgets("a/status"), &change).await?;
    same("status", patched.at("/status")?, &json!({"phase": "Ready"}))?;
    same("size", patched.at("/spec/size")?, &json!(1))
}

/// Not by RFC 6902: a member that is not there equals null.
async fn json_patch_tests_what_is_not_there(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let path = scratch.widgets("a/status");
    let absent = |path: &str| json!({"op": "test", "path": path, "value": null});
    let nested = json!([absent("/status/phase")]);
    scratch.json_patch(&path, &nested).await?.check_first("422 Invalid")?;
    let make = json!([absent("/status"), {"op": "add", "path": "/status", "value": {"seen": 4}}]);
    let patched = scratch.json_patch(&path, &make).await?;
    same("status", patched.at("/status")?, &json!({"seen": 4}))?;
    scratch.json_patch(&path, &make).await?.check_first("422 Invalid")
}

async fn json_patch_tests_whose_status_it_is(scratch: &Scratch<'_>) -> Result<()> {
    let uid = scratch.widget("a", json!({})).await?.text_at("/metadata/uid")?;
    let path = scratch.widgets("a/status");
    let add = json!({"op": "add", "path": "/status", "value": {"seen": 4}});
    let of = |uid: &str| json!([{"op": "test", "path": "/metadata/uid", "value": uid}, add]);
    scratch.json_patch(&path, &of("x")).await?.check_first("422 Invalid")?;
    let patched = scratch.json_patch(&path, &of(&uid)).await?;
    same("status", patched.at("/status")?, &json!({"seen": 4}))
}

/// Whose uid a merge patch names is looked at in the object, and not in its status.
async fn merge_into_the_status_of_whatever_object(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let another = "00000000-0000-0000-0000-000000000000";
    let change = json!({"metadata": {"uid": another}, "status": {"seen": 4}, "spec": {"size": 3}});
    scratch.merge(&scratch.widgets("a"), &change).await?.check_first("422 Invalid")?;
    let patched = scratch.merge(&scratch.widgets("a/status"), &change).await?;
    same("status", patched.at("/status")?, &json!({"seen": 4}))
}

async fn json_patch_that_is_malformed(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let path = scratch.widgets("a");
    scratch.json_patch(&path, &json!({"op": "remove"})).await?.check_first("400 BadRequest")?;
    let unknown = json!([{"op": "shuffle", "path": "/spec"}]);
    scratch.json_patch(&path, &unknown).await?.check(
        "422 Invalid
        the server rejected our request due to an error in our request",
    )
}

async fn media_types(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    let path = scratch.widgets("a");
    let change = async |content: &str| {
        scratch.send(Method::PATCH, &path, content, "application/json", Some(&json!({}))).await
    };
    // Which types it takes instead, a server says for itself.
    change("application/json").await?.check_first("415 UnsupportedMediaType")?;
    // Custom resources have no strategies, which built-in types carry in their Go tags.
    change("application/strategic-merge-change+json").await?.check_first("415 UnsupportedMediaType")
}

async fn built_in_resources(scratch: &Scratch<'_>) -> Result<()> {
    let lease = json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": "x"}});
    scratch.post(&scratch.leases(""), &lease).await?.ok()?;
    let change = json!({"spec": {"holderIdentity": null, "leaseTransitions": 2}});
    let patched = scratch.merge(&scratch.leases("l"), &change).await?;
    same("spec", patched.at("/spec")?, &json!({"leaseTransitions": 2}))?;
    let change = json!([{"op": "add", "path": "/metadata/labels", "value": {"x": "1"}}]);
    let patched = scratch.json_patch(&scratch.leases("l"), &change).await?;
    same("labels", patched.at("/metadata/labels")?, &json!({"x": "1"}))?;
    let depot = format!("{}/depots/{}", crds::PATH, scratch.own("nope"));
    scratch.json_patch(&depot, &json!([])).await?.check(
        r#"404 NotFound
        depots.contract.berth.example "NS-nope" not found
        details: contract.berth.example/depots/NS-nope"#,
    )
}

//! Deleting objects: preconditions, finalizers, collections, and what owners take with them.

use anyhow::Result;
use serde_json::{Value, json};

use crate::case::cases;
use crate::crds;
use crate::reply::{same, same_text};
use crate::scratch::Scratch;

cases!("deletes":
    an_object,
    preconditions,
    finalizers,
    no_new_finalizers_at_the_end,
    a_collection,
    a_selected_collection,
    dependents_go_with_their_owner,
    dependents_with_another_owner_stay,
    orphans,
    foreground,
    a_cluster_scoped_owner,
    an_owner_that_never_was,
);

async fn an_object(scratch: &Scratch<'_>) -> Result<()> {
    let uid = scratch.widget("a", json!({})).await?.text_at("/metadata/uid")?;
    let deleted = scratch.delete(&scratch.widgets("a")).await?;
    deleted.check(
        "200 Success
        details: contract.berth.example/widgets/a",
    )?;
    same("uid", deleted.at("/details/uid")?, &json!(uid))?;
    scratch.delete(&scratch.widgets("a")).await?.check(
        r#"404 NotFound
        widgets.contract.berth.example "a" not found
        details: contract.berth.example/widgets/a"#,
    )?;
    let again = scratch.widget("a", json!({})).await?.text_at("/metadata/uid")?;
    same("a new uid", &json!(again != uid), &json!(true))
}

async fn preconditions(scratch: &Scratch<'_>) -> Result<()> {
    let made = scratch.widget("a", json!({})).await?;
    let path = scratch.widgets("a");
    let (uid, version) = (made.text_at("/metadata/uid")?, made.resource_version()?);
    let delete = async |preconditions: Value| {
        let mut reply =
            scratch.delete_with(&path, &json!({"preconditions": preconditions})).await?;
        if let Some(message) = reply.body["message"].as_str() {
            let message = message.replace(&uid, "UID").replace(&version, "VERSION");
            reply.body["message"] = json!(message);
        }
        anyhow::Ok(reply)
    };
    let other = "11111111-1111-1111-1111-111111111111";
    delete(json!({"uid": other})).await?.check(
        r#"409 Conflict
        Operation cannot be fulfilled on Widget.contract.berth.example "a": the UID in the precondition (11111111-1111-1111-1111-111111111111) does not match the UID in record (UID). The object might have been deleted and then recreated
        details: contract.berth.example/Widget/a"#,
    )?;
    delete(json!({"resourceVersion": "1"})).await?.check(
        r#"409 Conflict
        Operation cannot be fulfilled on Widget.contract.berth.example "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (VERSION). The object might have been modified
        details: contract.berth.example/Widget/a"#,
    )?;
    delete(json!({"uid": uid, "resourceVersion": "1"})).await?.check(
        r#"409 Conflict
        Operation cannot be fulfilled on Widget.contract.berth.example "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (VERSION). The object might have been modified
        details: contract.berth.example/Widget/a"#,
    )?;
    scratch.get(&path).await?.check("200")?;
    delete(json!({"uid": uid, "resourceVersion": version})).await?.ok()?;
    scratch.get(&path).await?.check(
        "404 NotFound
        widgets.contract.berth.example \"a\" not found
        details: contract.berth.example/widgets/a",
    )
}

async fn finalizers(scratch: &Scratch<'_>) -> Result<()> {
    let finalizers = json!({"finalizers": ["berth.example/one", "berth.example/two"]});
    let made = scratch.widget("a", finalizers).await?;
    let path = scratch.widgets("a");
    let now = made.resource_version()?;
    let mut watch = scratch.watch(&scratch.widgets(&format!("?resourceVersion={now}"))).await?;
    let deleted = scratch.delete(&path).await?;
    deleted.check("200")?;
    same("kind", deleted.at("/kind")?, &json!("Widget"))?;
    let time = deleted.text_at("/metadata/deletionTimestamp")?;
    same(
        "deletionGracePeriodSeconds",
        deleted.at("/metadata/deletionGracePeriodSeconds")?,
        &json!(0),
    )?;
    same("generation", deleted.at("/metadata/generation")?, &json!(2))?;
    let again = scratch.delete(&path).await?;
    same("time", &json!(again.text_at("/metadata/deletionTimestamp")?), &json!(time))?;
    let one = json!({"metadata": {"finalizers": ["berth.example/two"]}});
    let patched = scratch.merge(&path, &one).await?;
    same("finalizers", patched.at("/metadata/finalizers")?, &json!(["berth.example/two"]))?;
    let last = scratch.merge(&path, &json!({"metadata": {"finalizers": null}})).await?;
    last.check("200")?;
    scratch.until(&path, 404).await?;
    watch.check("MODIFIED a\nMODIFIED a\nDELETED a").await
}

async fn no_new_finalizers_at_the_end(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({"finalizers": ["berth.example/one"]})).await?;
    let path = scratch.widgets("a");
    scratch.delete(&path).await?.ok()?;
    let more = json!({"metadata": {"finalizers": ["berth.example/one", "berth.example/new"]}});
    scratch.merge(&path, &more).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"berth.example/new"}
        details: contract.berth.example/Widget/a
        cause FieldValueForbidden metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"berth.example/new"}
        cause FieldValueForbidden metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"berth.example/new"}"#,
    )?;
    let spec = scratch.merge(&path, &json!({"spec": {"size": 2}})).await?;
    same("still writable", spec.at("/spec/size")?, &json!(2))?;
    scratch.merge(&path, &json!({"metadata": {"finalizers": []}})).await?.ok()?;
    scratch.until(&path, 404).await?;
    let bad = json!({"finalizers": ["no domain"]});
    let mut widget = crds::widget("b");
    widget["metadata"]["finalizers"] = bad["finalizers"].clone();
    scratch.post(&scratch.widgets(""), &widget).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "b" is invalid: metadata.finalizers: Invalid value: "no domain": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        details: contract.berth.example/Widget/b
        cause FieldValueInvalid metadata.finalizers: Invalid value: "no domain": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"#,
    )
}

async fn a_collection(scratch: &Scratch<'_>) -> Result<()> {
    for name in ["a", "b"] {
        scratch.widget(name, json!({})).await?;
    }
    scratch.widget("kept", json!({"finalizers": ["berth.example/one"]})).await?;
    let deleted = scratch.delete(&scratch.widgets("")).await?;
    deleted.check("200")?;
    same("kind", deleted.at("/kind")?, &json!("WidgetList"))?;
    same_text(&deleted.names()?, "a b kept")?;
    let left = scratch.get(&scratch.widgets("")).await?;
    same_text(&left.names()?, "kept")?;
    left.text_at("/items/0/metadata/deletionTimestamp")?;
    let path = scratch.widgets("kept");
    scratch.merge(&path, &json!({"metadata": {"finalizers": null}})).await?.ok()?;
    Ok(())
}

async fn a_selected_collection(scratch: &Scratch<'_>) -> Result<()> {
    for (name, color) in [("a", "red"), ("b", "blue"), ("c", "red")] {
        scratch.widget(name, json!({"labels": {"color": color}})).await?;
    }
    scratch.delete(&scratch.widgets("?labelSelector=color%3Dred")).await?.ok()?;
    same_text(&scratch.get(&scratch.widgets("")).await?.names()?, "b")?;
    scratch.delete(&scratch.widgets("?fieldSelector=metadata.name%3Dx")).await?.ok()?;
    same_text(&scratch.get(&scratch.widgets("")).await?.names()?, "b")
}

/// A reference to the owner that `reply` shows.
fn owner(reply: &Value) -> Value {
    json!({
        "apiVersion": reply["apiVersion"], "kind": reply["kind"],
        "name": reply["metadata"]["name"], "uid": reply["metadata"]["uid"],
    })
}

async fn dependents_go_with_their_owner(scratch: &Scratch<'_>) -> Result<()> {
    let parent = scratch.widget("parent", json!({})).await?.body;
    let child = json!({"ownerReferences": [owner(&parent)]});
    let child = scratch.widget("child", child).await?.body;
    let grandchild = json!({"metadata": {"name": "l", "ownerReferences": [owner(&child)]}});
    scratch.post(&scratch.leases(""), &grandchild).await?.ok()?;
    scratch.delete(&scratch.widgets("parent")).await?.ok()?;
    scratch.until(&scratch.widgets("child"), 404).await?;
    scratch.until(&scratch.leases("l"), 404).await?;
    Ok(())
}

async fn dependents_with_another_owner_stay(scratch: &Scratch<'_>) -> Result<()> {
    let one = scratch.widget("one", json!({})).await?.body;
    let two = scratch.widget("two", json!({})).await?.body;
    let both = json!({"ownerReferences": [owner(&one), owner(&two)]});
    scratch.widget("child", both).await?;
    let witness = json!({"ownerReferences": [owner(&one)]});
    scratch.widget("witness", witness).await?;
    scratch.delete(&scratch.widgets("one")).await?.ok()?;
    scratch.until(&scratch.widgets("witness"), 404).await?;
    scratch.get(&scratch.widgets("child")).await?.check("200")?;
    scratch.delete(&scratch.widgets("two")).await?.ok()?;
    scratch.until(&scratch.widgets("child"), 404).await?;
    Ok(())
}

async fn orphans(scratch: &Scratch<'_>) -> Result<()> {
    let parent = scratch.widget("parent", json!({})).await?.body;
    scratch.widget("child", json!({"ownerReferences": [owner(&parent)]})).await?;
    let options = json!({"propagationPolicy": "Orphan"});
    scratch.delete_with(&scratch.widgets("parent"), &options).await?.ok()?;
    scratch.until(&scratch.widgets("parent"), 404).await?;
    let child = scratch.get(&scratch.widgets("child")).await?;
    same("owners", &child.ok()?["metadata"]["ownerReferences"], &json!(null))
}

async fn foreground(scratch: &Scratch<'_>) -> Result<()> {
    let parent = scratch.widget("parent", json!({})).await?.body;
    let mut reference = owner(&parent);
    reference["blockOwnerDeletion"] = json!(true);
    let child = json!({"ownerReferences": [reference], "finalizers": ["berth.example/one"]});
    scratch.widget("child", child).await?;
    let options = json!({"propagationPolicy": "Foreground"});
    let deleted = scratch.delete_with(&scratch.widgets("parent"), &options).await?;
    same("finalizers", deleted.at("/metadata/finalizers")?, &json!(["foregroundDeletion"]))?;
    deleted.text_at("/metadata/deletionTimestamp")?;
    let mut watch = scratch
        .watch(&scratch.widgets(&format!(
            "?fieldSelector=metadata.name%3Dchild&resourceVersion={}",
            deleted.resource_version()?
        )))
        .await?;
    watch.check("MODIFIED child").await?;
    scratch.get(&scratch.widgets("parent")).await?.check("200")?;
    let path = scratch.widgets("child");
    scratch.merge(&path, &json!({"metadata": {"finalizers": null}})).await?.ok()?;
    scratch.until(&path, 404).await?;
    scratch.until(&scratch.widgets("parent"), 404).await?;
    Ok(())
}

async fn a_cluster_scoped_owner(scratch: &Scratch<'_>) -> Result<()> {
    let depots = format!("{}/depots", crds::PATH);
    let parent = scratch.post(&depots, &crds::depot(&scratch.own("parent"))).await?.body;
    scratch.widget("inside", json!({"ownerReferences": [owner(&parent)]})).await?;
    let mut child = crds::depot(&scratch.own("child"));
    child["metadata"]["ownerReferences"] = json!([owner(&parent)]);
    scratch.post(&depots, &child).await?.ok()?;
    scratch.delete(&format!("{depots}/{}", scratch.own("parent"))).await?.ok()?;
    scratch.until(&scratch.widgets("inside"), 404).await?;
    scratch.until(&format!("{depots}/{}", scratch.own("child")), 404).await?;
    Ok(())
}

async fn an_owner_that_never_was(scratch: &Scratch<'_>) -> Result<()> {
    let reference = json!({
        "apiVersion": "contract.berth.example/v1", "kind": "Widget", "name": "never",
        "uid": "11111111-1111-1111-1111-111111111111",
    });
    scratch.widget("child", json!({"ownerReferences": [reference]})).await?;
    scratch.until(&scratch.widgets("child"), 404).await?;
    let mut widget = crds::widget("b");
    widget["metadata"]["ownerReferences"] = json!([{"kind": "Widget", "name": "x"}]);
    scratch.post(&scratch.widgets(""), &widget).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "b" is invalid: [metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty, metadata.ownerReferences.uid: Invalid value: "": must not be empty]
        details: contract.berth.example/Widget/b
        cause FieldValueInvalid metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty
        cause FieldValueInvalid metadata.ownerReferences.uid: Invalid value: "": must not be empty"#,
    )
}

//! What a schema refuses, drops and fills in.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use super::definitions::Definition;
use crate::case::cases;
use crate::crds;
use crate::reply::{Reply, same};
use crate::scratch::Scratch;

cases!("schemas":
    types,
    required_members,
    ranges,
    enumerations,
    texts,
    lists,
    several_at_once,
    nulls,
    unknown_members_are_dropped,
    unknown_members_are_kept_where_the_schema_says_so,
    defaults,
    defaults_of_older_objects,
    strict_field_validation,
    field_validation_warns,
    field_validation_is_silent,
    broken_metadata,
);

/// Tries to make a widget with this `spec`.
async fn make(scratch: &Scratch<'_>, spec: Value) -> Result<Reply> {
    let mut widget = crds::widget("a");
    widget["spec"] = spec;
    scratch.post(&scratch.widgets(""), &widget).await
}

async fn types(scratch: &Scratch<'_>) -> Result<()> {
    make(scratch, json!({"size": "big"})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"
        details: contract.berth.example/Widget/a
        cause FieldValueTypeInvalid spec.size: Invalid value: "string": spec.size in body must be of type integer: "string""#,
    )?;
    let fraction = make(scratch, json!({"size": 1.5})).await?;
    fraction.check_first("422 Invalid")?;
    let cause = json!({
        "reason": "FieldValueTypeInvalid", "field": "spec.size",
        "message": r#"Invalid value: "number": spec.size in body must be of type integer: "number""#,
    });
    same("cause", &fraction.body["details"]["causes"][0], &cause)?;
    make(scratch, json!({"size": 1, "color": 7})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: [spec.color: Invalid value: "integer": spec.color in body must be of type string: "integer", spec.color: Unsupported value: 7: supported values: "red", "green", "blue"]
        details: contract.berth.example/Widget/a
        cause FieldValueTypeInvalid spec.color: Invalid value: "integer": spec.color in body must be of type string: "integer"
        cause FieldValueNotSupported spec.color: Unsupported value: 7: supported values: "red", "green", "blue""#,
    )?;
    make(scratch, json!({"size": 1, "deleted": "yes"})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.deleted: Invalid value: "string": spec.deleted in body must be of type boolean: "string"
        details: contract.berth.example/Widget/a
        cause FieldValueTypeInvalid spec.deleted: Invalid value: "string": spec.deleted in body must be of type boolean: "string""#,
    )?;
    make(scratch, json!({"size": 1, "wheels": {}})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.wheels: Invalid value: "object": spec.wheels in body must be of type array: "object"
        details: contract.berth.example/Widget/a
        cause FieldValueTypeInvalid spec.wheels: Invalid value: "object": spec.wheels in body must be of type array: "object""#,
    )?;
    make(scratch, json!({"size": 1, "box": []})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.box: Invalid value: "array": spec.box in body must be of type object: "array"
        details: contract.berth.example/Widget/a
        cause FieldValueTypeInvalid spec.box: Invalid value: "array": spec.box in body must be of type object: "array""#,
    )?;
    make(scratch, json!({"size": 1, "tags": {"a": 1}})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.tags.a: Invalid value: "integer": spec.tags.a in body must be of type string: "integer"
        details: contract.berth.example/Widget/a
        cause FieldValueTypeInvalid spec.tags.a: Invalid value: "integer": spec.tags.a in body must be of type string: "integer""#,
    )?;
    make(scratch, json!({"size": 1, "port": true})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"
        details: contract.berth.example/Widget/a
        cause FieldValueTypeInvalid spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean""#,
    )?;
    make(scratch, json!("no object")).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec: Invalid value: "string": spec in body must be of type object: "string"
        details: contract.berth.example/Widget/a
        cause FieldValueTypeInvalid spec: Invalid value: "string": spec in body must be of type object: "string""#,
    )?;
    make(scratch, json!({"size": 1, "port": "http", "half": 2.5})).await?.check("201")
}

async fn required_members(scratch: &Scratch<'_>) -> Result<()> {
    make(scratch, json!({})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.size: Required value
        details: contract.berth.example/Widget/a
        cause FieldValueRequired spec.size: Required value"#,
    )?;
    make(scratch, json!({"size": 1, "wheels": [{"name": "a"}, {"spokes": 3}]})).await?.check(
        r#"422 Invalid
            Widget.contract.berth.example "a" is invalid: spec.wheels[1].name: Required value
            details: contract.berth.example/Widget/a
            cause FieldValueRequired spec.wheels[1].name: Required value"#,
    )?;
    let mut widget = crds::widget("a");
    if let Some(members) = widget.as_object_mut() {
        members.remove("spec");
    }
    scratch.post(&scratch.widgets(""), &widget).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec: Required value
        details: contract.berth.example/Widget/a
        cause FieldValueRequired spec: Required value"#,
    )
}

async fn ranges(scratch: &Scratch<'_>) -> Result<()> {
    make(scratch, json!({"size": -1})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0
        details: contract.berth.example/Widget/a
        cause FieldValueInvalid spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0"#,
    )?;
    make(scratch, json!({"size": 101})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100
        details: contract.berth.example/Widget/a
        cause FieldValueInvalid spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100"#,
    )?;
    make(scratch, json!({"size": 1, "half": 0.3})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.half: Invalid value: 0.3: spec.half in body should be a multiple of 0.5
        details: contract.berth.example/Widget/a
        cause FieldValueInvalid spec.half: Invalid value: 0.3: spec.half in body should be a multiple of 0.5"#,
    )?;
    make(scratch, json!({"size": 100, "half": 1.5})).await?.check("201")
}

async fn enumerations(scratch: &Scratch<'_>) -> Result<()> {
    make(scratch, json!({"size": 1, "color": "pink"})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.color: Unsupported value: "pink": supported values: "red", "green", "blue"
        details: contract.berth.example/Widget/a
        cause FieldValueNotSupported spec.color: Unsupported value: "pink": supported values: "red", "green", "blue""#,
    )?;
    make(scratch, json!({"size": 1, "color": "blue"})).await?.check("201")
}

async fn texts(scratch: &Scratch<'_>) -> Result<()> {
    make(scratch, json!({"size": 1, "serial": "ABC"})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.serial: Invalid value: "ABC": spec.serial in body should match '^[a-z]+-[0-9]+$'
        details: contract.berth.example/Widget/a
        cause FieldValueInvalid spec.serial: Invalid value: "ABC": spec.serial in body should match '^[a-z]+-[0-9]+$'"#,
    )?;
    make(scratch, json!({"size": 1, "label": "x"})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.label: Invalid value: "x": spec.label in body should be at least 2 chars long
        details: contract.berth.example/Widget/a
        cause FieldValueInvalid spec.label: Invalid value: "x": spec.label in body should be at least 2 chars long"#,
    )?;
    make(scratch, json!({"size": 1, "label": "äöüäöü"})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.label: Too long: may not be more than 5 bytes
        details: contract.berth.example/Widget/a
        cause FieldValueTooLong spec.label: Too long: may not be more than 5 bytes"#,
    )?;
    make(scratch, json!({"size": 1, "label": "äöüäö", "serial": "abc-1"})).await?.check("201")
}

async fn lists(scratch: &Scratch<'_>) -> Result<()> {
    let wheel = json!({"name": "w"});
    make(scratch, json!({"size": 1, "wheels": [wheel, wheel, wheel, wheel]})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.wheels: Too many: 4: must have at most 3 items
        details: contract.berth.example/Widget/a
        cause FieldValueTooMany spec.wheels: Too many: 4: must have at most 3 items"#,
    )?;
    make(scratch, json!({"size": 1, "wheels": [wheel, {"name": 1}]})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.wheels[1].name: Invalid value: "integer": spec.wheels[1].name in body must be of type string: "integer"
        details: contract.berth.example/Widget/a
        cause FieldValueTypeInvalid spec.wheels[1].name: Invalid value: "integer": spec.wheels[1].name in body must be of type string: "integer""#,
    )?;
    make(scratch, json!({"size": 1, "wheels": []})).await?.check("201")
}

async fn several_at_once(scratch: &Scratch<'_>) -> Result<()> {
    let spec = json!({"color": "pink", "serial": "ABC", "size": 200});
    let refused = make(scratch, spec).await?;
    // Members of an object are looked at in no particular order.
    sorted_causes(refused).check(
        r#"422 Invalid
        details: contract.berth.example/Widget/a
        cause FieldValueNotSupported spec.color: Unsupported value: "pink": supported values: "red", "green", "blue"
        cause FieldValueInvalid spec.serial: Invalid value: "ABC": spec.serial in body should match '^[a-z]+-[0-9]+$'
        cause FieldValueInvalid spec.size: Invalid value: 200: spec.size in body should be less than or equal to 100"#,
    )
}

/// The reply with its causes in the order of their fields, and without the message that repeats them.
fn sorted_causes(mut reply: Reply) -> Reply {
    if let Some(causes) = reply.body["details"]["causes"].as_array_mut() {
        causes.sort_by_key(|cause| cause["field"].to_string());
    }
    reply.body["message"] = Value::Null;
    reply
}

async fn nulls(scratch: &Scratch<'_>) -> Result<()> {
    // A null where none is allowed is dropped before anything else, as if the member were not there.
    let made = make(scratch, json!({"size": 1, "notes": null, "replicas": null})).await?;
    same("spec", made.at("/spec/notes")?, &json!(null))?;
    same("replicas", made.at("/spec/replicas")?, &json!(2))?;
    scratch.delete(&scratch.widgets("a")).await?.ok()?;
    make(scratch, json!({"size": null})).await?.check(
        r#"422 Invalid
        Widget.contract.berth.example "a" is invalid: spec.size: Required value
        details: contract.berth.example/Widget/a
        cause FieldValueRequired spec.size: Required value"#,
    )?;
    let made = make(scratch, json!({"size": 1, "color": null})).await?;
    made.check("201")?;
    same("color", &made.body["spec"]["color"], &json!(null))
}

async fn unknown_members_are_dropped(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = crds::widget("a");
    widget["extra"] = json!(1);
    widget["metadata"]["extra"] = json!(1);
    widget["spec"] = json!({
        "size": 1, "extra": 1, "box": {"depth": 1, "extra": 1}, "wheels": [{"name": "w", "extra": 1}],
    });
    let made = scratch.post(&scratch.widgets(""), &widget).await?;
    let spec = json!({
        "size": 1, "replicas": 2, "box": {"depth": 1, "width": 9}, "wheels": [{"name": "w"}],
    });
    same("spec", made.at("/spec")?, &spec)?;
    same("extra", &made.body["extra"], &json!(null))?;
    same("metadata.extra", &made.body["metadata"]["extra"], &json!(null))?;
    let change = json!({"spec": {"other": 1}});
    let patched = scratch.merge(&scratch.widgets("a"), &change).await?;
    same("nothing changed", patched.ok()?, &made.body)
}

async fn unknown_members_are_kept_where_the_schema_says_so(scratch: &Scratch<'_>) -> Result<()> {
    let anything =
        json!({"deep": {"er": [1, "two", null, {"x": 1.5}]}, "n": 9_007_199_254_740_993_i64});
    let made = make(scratch, json!({"size": 1, "anything": anything})).await?;
    same("anything", made.at("/spec/anything")?, &anything)?;
    let read = scratch.get(&scratch.widgets("a")).await?;
    same("anything", read.at("/spec/anything")?, &anything)
}

async fn defaults(scratch: &Scratch<'_>) -> Result<()> {
    let made = make(scratch, json!({"size": 1})).await?;
    // The default of an object brings its members' defaults; an object without a default is not made for its members.
    let spec = json!({"size": 1, "replicas": 2, "box": {"depth": 7, "width": 9}});
    same("spec", made.at("/spec")?, &spec)?;
    let change = json!({"spec": {"mode": {}, "box": {"depth": 1}, "replicas": null}});
    let patched = scratch.merge(&scratch.widgets("a"), &change).await?;
    let spec = json!({
        "size": 1, "replicas": 2, "box": {"depth": 1, "width": 9}, "mode": {"kind": "slow"},
    });
    same("spec", patched.at("/spec")?, &spec)
}

/// Defaults are filled in when an object is read, too.
async fn defaults_of_older_objects(scratch: &Scratch<'_>) -> Result<()> {
    let definition = Definition::register(scratch).await?;
    definition.make(scratch, "a").await?;
    let properties = json!({
        "teeth": {"type": "integer"}, "color": {"type": "string", "default": "grey"},
    });
    definition.change(scratch, &properties).await?;
    let path = format!("{}/a", definition.path);
    let start = tokio::time::Instant::now();
    while scratch.get(&path).await?.ok()?["spec"]["color"] != "grey" {
        ensure!(start.elapsed().as_secs() < 20, "no default");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    definition.remove(scratch).await
}

fn odd_widget() -> Value {
    let mut widget = crds::widget("a");
    widget["extra"] = json!(1);
    widget["spec"] = json!({"size": 1, "extra": 1, "box": {"more": 1}});
    widget
}

async fn strict_field_validation(scratch: &Scratch<'_>) -> Result<()> {
    let path = scratch.widgets("?fieldValidation=Strict");
    scratch.post(&path, &odd_widget()).await?.check(
        r#"400 BadRequest
        Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "extra", unknown field "spec.box.more", unknown field "spec.extra""#,
    )?;
    scratch.post(&path, &crds::widget("a")).await?.check("201")?;
    let change = json!({"spec": {"extra": 1}});
    let path = scratch.widgets("a?fieldValidation=Strict");
    let refused = scratch.merge(&path, &change).await?;
    refused.check_first("422 Invalid")?;
    let message = refused.body["message"].as_str().unwrap_or_default();
    let end = r#"strict decoding error: unknown field "spec.extra""#;
    ensure!(message.ends_with(end), "{message}");
    let path = scratch.widgets("?fieldValidation=Sometimes");
    scratch.post(&path, &crds::widget("b")).await?.check(
        r#"422 Invalid
        CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Sometimes": supported values: "", "Ignore", "Strict", "Warn"
        details: meta.k8s.io/CreateOptions
        cause FieldValueNotSupported fieldValidation: Unsupported value: "Sometimes": supported values: "", "Ignore", "Strict", "Warn""#,
    )
}

async fn field_validation_warns(scratch: &Scratch<'_>) -> Result<()> {
    let path = scratch.widgets("?fieldValidation=Warn");
    let made = scratch.post(&path, &odd_widget()).await?;
    made.check("201")?;
    let mut warnings = made.warnings.clone();
    warnings.sort();
    let expected = [
        r#"unknown field "extra""#,
        r#"unknown field "spec.box.more""#,
        r#"unknown field "spec.extra""#,
    ];
    same("warnings", &json!(warnings), &json!(expected))?;
    // It is what happens when nothing is said.
    let change = json!({"spec": {"other": 1}});
    let patched = scratch.merge(&scratch.widgets("a"), &change).await?;
    same("warnings", &json!(patched.warnings), &json!([r#"unknown field "spec.other""#]))
}

async fn field_validation_is_silent(scratch: &Scratch<'_>) -> Result<()> {
    let path = scratch.widgets("?fieldValidation=Ignore");
    let made = scratch.post(&path, &odd_widget()).await?;
    made.check("201")?;
    same("warnings", &json!(made.warnings), &json!([]))
}

async fn broken_metadata(scratch: &Scratch<'_>) -> Result<()> {
    let mut widget = crds::widget("a");
    widget["metadata"]["labels"] = json!("x");
    let text = scratch
        .send(
            Method::POST,
            &scratch.widgets(""),
            "application/json",
            "application/json",
            Some(&widget),
        )
        .await?;
    same("code", &json!(text.code), &json!(400))?;
    same("reason", &text.body["reason"], &json!("BadRequest"))
}

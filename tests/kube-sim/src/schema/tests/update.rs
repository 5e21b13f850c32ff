//! Updates: what was broken before and has not changed is let pass.

use super::{columns, object_of, schema_of};
use crate::status::FieldError;

/// Checks lines of `member before => member after | fields with errors`, `ok` for none.
fn check(schema: &str, lines: &str) {
    let validated = schema_of(schema);
    for (change, expected) in columns(lines) {
        let (before, after) = change.split_once(" => ").expect("a change");
        let errors = validated.validate(&object_of(after), Some(&object_of(before)));
        let fields: Vec<&str> = errors.iter().map(FieldError::field).collect();
        let found = if fields.is_empty() { "ok".to_owned() } else { fields.join(" ") };
        assert_eq!(found, expected, "{schema} {change}");
    }
}

#[test]
fn unchanged_members_break_no_rule() {
    check(
        r#"{"type": "object", "required": ["d"], "properties":
            {"b": {"type": "integer"}, "c": {"type": "integer"}, "d": {"type": "integer"}}}"#,
        r#"
        {"b": "x", "d": 1} => {"b": "x", "c": 1, "d": 1} | ok
        {"b": "x", "d": 1} => {"b": "y", "d": 1} | a.b
        {"d": 1} => {"b": "x", "d": 1} | a.b
        {"b": 1} => {"b": 1} | ok
        {"b": 1} => {"b": 2} | a.d
        "#,
    );
}

#[test]
fn items_are_known_again_by_their_key_only() {
    let item = r#"{"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer"}}}"#;
    check(
        &format!(
            r#"{{"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": {item}}}"#
        ),
        r#"
        [{"k": "x", "v": "?"}] => [{"k": "y"}, {"k": "x", "v": "?"}] | ok
        [{"k": "x", "v": "?"}] => [{"k": "x", "v": "!"}] | a[0].v
        "#,
    );
    check(
        &format!(r#"{{"type": "array", "items": {item}}}"#),
        r#"[{"k": "x", "v": "?"}] => [{"k": "y"}, {"k": "x", "v": "?"}] | a[1].v"#,
    );
}

#[test]
fn lists_that_repeated_before_may_repeat_again() {
    check(
        r#"{"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}"#,
        r#"
        ["x", "x"] => ["x", "x", "y", "y"] | ok
        ["x"] => ["x", "x"] | a[1]
        "#,
    );
}

#[test]
fn a_status_is_checked_alone() {
    let schema = super::json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object"},
        "status": {"type": "object", "properties": {"ready": {"type": "boolean"}}},
    }});
    let schema = super::Schema::parse(&schema).expect("a schema");
    let object = super::json!({"status": {"ready": 7}});
    let errors = schema.validate_status(&object, &super::json!({}));
    let [error] = &errors[..] else { panic!("one error: {errors:?}") };
    assert_eq!(error.field(), "status.ready");
    assert_eq!(
        error.body(),
        "Invalid value: \"integer\": ready in body must be of type boolean: \"integer\""
    );
    assert_eq!(schema.validate_status(&object, &object), []);
}

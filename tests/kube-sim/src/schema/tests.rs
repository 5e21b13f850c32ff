//! Schemas against what a Kubernetes 1.36 API server makes of the same objects.

mod parse;
mod update;
mod validate;

use serde_json::{Value, json};

use super::{Schema, strict_decoding_error};

/// A schema whose member `a` is as given.
fn schema_of(member: &str) -> Schema {
    let member: Value = serde_json::from_str(member).expect(member);
    let schema = json!({"type": "object", "properties": {"a": member}});
    Schema::parse(&schema).expect("a schema")
}

/// The object of a line, whose member `a` is as given; none for `-`.
fn object_of(member: &str) -> Value {
    match member {
        "-" => json!({}),
        member => json!({"a": serde_json::from_str::<Value>(member).expect(member)}),
    }
}

/// Lines of two columns, without empty ones.
fn columns(lines: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| line.split_once(" | ").unwrap_or_else(|| panic!("two columns: {line}")))
}

/// Checks lines of `member as sent | member as kept`, `-` for no member.
fn check_fill(schema: &str, lines: &str) {
    let schema = schema_of(schema);
    for (sent, expected) in columns(lines) {
        let mut object = object_of(sent);
        schema.fill(&mut object, None);
        assert_eq!(object, object_of(expected), "{sent}");
    }
}

/// Checks lines of `member as sent | member as kept | paths that are cut off`.
fn check_prune(schema: &str, lines: &str) {
    let schema = schema_of(schema);
    for (sent, rest) in columns(lines) {
        let (kept, cut) = rest.split_once(" |").expect("three columns");
        let mut object = object_of(sent);
        let unknown = schema.prune(&mut object, None);
        assert_eq!((object, unknown.join(" ").as_str()), (object_of(kept), cut.trim()), "{sent}");
    }
}

#[test]
fn defaults() {
    check_fill(
        r#"{"type": "string", "default": "x"}"#,
        r#"
        - | "x"
        null | "x"
        "y" | "y"
        "#,
    );
    check_fill(
        r#"{"type": "string", "default": "x", "nullable": true}"#,
        r#"
        - | "x"
        null | null
        "#,
    );
    check_fill(r#"{"type": "string"}"#, "null | -");
    check_fill(r#"{"type": "string", "nullable": true}"#, "null | null");
    check_fill(
        r#"{"type": "object", "default": {}, "properties": {"b": {"type": "integer", "default": 1}}}"#,
        r#"
        - | {"b": 1}
        {"b": 2} | {"b": 2}
        "#,
    );
}

#[test]
fn defaults_within_maps_and_lists() {
    check_fill(
        r#"{"type": "object", "additionalProperties": {"type": "object", "properties":
            {"b": {"type": "integer", "default": 1}, "c": {"type": "integer"}}}}"#,
        r#"{"x": {}, "y": {"c": null}, "z": null} | {"x": {"b": 1}, "y": {"b": 1}}"#,
    );
    check_fill(
        r#"{"type": "array", "items": {"type": "object", "properties": {"b": {"type": "integer", "default": 1}}}}"#,
        r#"[{}, {"b": 2}] | [{"b": 1}, {"b": 2}]"#,
    );
    check_fill(
        r#"{"type": "array", "items": {"type": "integer", "default": 7}}"#,
        "[null, 1] | [7, 1]",
    );
}

#[test]
fn what_a_schema_does_not_describe_is_cut_off() {
    let inner = r#"{"type": "object", "properties": {"b": {"type": "string"}}"#;
    check_prune(
        &format!("{inner}}}"),
        r#"
        {"b": "x", "c": 1, "d": {"e": 1}} | {"b": "x"} | a.c a.d
        {"apiVersion": "v1", "metadata": {}} | {} | a.apiVersion a.metadata
        "x" | "x" |
        "#,
    );
    check_prune(
        &format!(r#"{inner}, "x-kubernetes-preserve-unknown-fields": true}}"#),
        r#"{"b": "x", "c": {"d": 1}} | {"b": "x", "c": {"d": 1}} |"#,
    );
    check_prune(
        &format!(r#"{inner}, "x-kubernetes-embedded-resource": true}}"#),
        r#"{"apiVersion": "v1", "kind": "X", "metadata": {"x": 1}, "c": 1} | {"apiVersion": "v1", "kind": "X", "metadata": {"x": 1}} | a.c"#,
    );
    check_prune(
        &format!(r#"{{"type": "array", "items": {inner}}}}}"#),
        r#"[{"b": "x", "c": 1}, {"c": 2}] | [{"b": "x"}, {}] | a[0].c a[1].c"#,
    );
    check_prune(
        &format!(r#"{{"type": "object", "additionalProperties": {inner}}}}}"#),
        r#"{"x": {"b": "x", "c": 1}} | {"x": {"b": "x"}} | a.x.c"#,
    );
    check_prune(
        r#"{"type": "object", "additionalProperties": true}"#,
        r#"{"x": 1, "y": {"z": 1}} | {"x": 1, "y": {}} | a.y.z"#,
    );
    check_prune(r#"{"x-kubernetes-int-or-string": true}"#, r"7 | 7 |");
}

#[test]
fn a_preserved_object_is_cut_where_it_is_described() {
    check_prune(
        r#"{"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties":
            {"b": {"type": "object", "properties": {"c": {"type": "string"}}}}}"#,
        r#"{"b": {"c": "x", "d": 1}, "e": {"f": 1}} | {"b": {"c": "x"}, "e": {"f": 1}} | a.b.d"#,
    );
}

#[test]
fn metadata_is_cut_without_a_schema() {
    let schema = schema_of(r#"{"type": "string"}"#);
    let mut object = json!({
        "apiVersion": "x/v1", "kind": "X", "metadata": {"name": "n", "colour": "red"}, "b": 1, "a": "x",
    });
    let unknown = schema.prune(&mut object, None);
    assert_eq!(
        object,
        json!({"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "n"}, "a": "x"})
    );
    assert_eq!(
        strict_decoding_error(&unknown).as_deref(),
        Some(r#"strict decoding error: unknown field "metadata.colour", unknown field "b""#)
    );
    assert_eq!(strict_decoding_error(&[]), None);
}

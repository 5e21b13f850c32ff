//! What objects break, in the server's words.

use super::{columns, object_of, schema_of};

/// Checks lines of `member | errors as "field: message", joined by "; "`; `ok` for none.
fn check(schema: &str, lines: &str) {
    let validated = schema_of(schema);
    for (sent, expected) in columns(lines) {
        let errors = validated.validate(&object_of(sent), None);
        let texts: Vec<String> =
            errors.iter().map(|error| format!("{}: {}", error.field(), error.body())).collect();
        let found = if texts.is_empty() { "ok".to_owned() } else { texts.join("; ") };
        assert_eq!(found, expected, "{schema} {sent}");
    }
}

#[test]
fn types() {
    check(
        r#"{"type": "integer"}"#,
        r#"
        7 | ok
        7.0 | ok
        7.5 | a: Invalid value: "number": a in body must be of type integer: "number"; <nil>: Invalid value: "": Checked value must be of type integer (default format) in a
        "x" | a: Invalid value: "string": a in body must be of type integer: "string"
        null | a: Invalid value: "null": a in body must be of type integer: "null"
        [] | a: Invalid value: "array": a in body must be of type integer: "array"
        - | ok
        "#,
    );
    check(
        r#"{"type": "number"}"#,
        r#"
        7 | ok
        7.5 | ok
        true | a: Invalid value: "boolean": a in body must be of type number: "boolean"
        "#,
    );
    check(
        r#"{"type": "string"}"#,
        r#"
        "x" | ok
        {} | a: Invalid value: "object": a in body must be of type string: "object"
        7 | a: Invalid value: "integer": a in body must be of type string: "integer"
        "#,
    );
    check(r#"{"type": "string", "nullable": true}"#, "null | ok");
    check(
        r#"{"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}"#,
        r#"
        7 | ok
        "x" | ok
        true | a: Invalid value: "boolean": a in body must be of type integer,string: "boolean"; <nil>: Invalid value: "": "a" must validate at least one schema (anyOf); a: Invalid value: "boolean": a in body must be of type integer: "boolean"
        "#,
    );
    check(r#"{"x-kubernetes-preserve-unknown-fields": true}"#, r#"{"b": [1, "x"]} | ok"#);
}

#[test]
fn numbers() {
    check(
        r#"{"type": "integer", "minimum": 1, "maximum": 5, "multipleOf": 2}"#,
        "
        4 | ok
        3 | a: Invalid value: 3: a in body should be a multiple of 2
        0 | a: Invalid value: 0: a in body should be greater than or equal to 1
        6 | a: Invalid value: 6: a in body should be less than or equal to 5
        ",
    );
    check(
        r#"{"type": "number", "minimum": 1, "exclusiveMinimum": true, "maximum": 2.5, "exclusiveMaximum": true}"#,
        "
        1.9 | ok
        2 | a: Invalid value: 2: a in body should be less than 2
        1 | a: Invalid value: 1: a in body should be greater than 1
        2.5 | a: Invalid value: 2.5: a in body should be less than 2.5
        ",
    );
    check(
        r#"{"type": "number", "multipleOf": 0.1}"#,
        "
        0.3 | ok
        7 | a: Invalid value: 0: factor MultipleOf declared for a must be positive: 0
        0.35 | a: Invalid value: 0.35: a in body should be a multiple of 0.1
        ",
    );
    check(
        r#"{"type": "integer", "format": "int32"}"#,
        r#"
        2147483647 | ok
        2147483648 | <nil>: Invalid value: "": Checked value must be of type integer with format int32 in a
        "x" | a: Invalid value: "string": a in body must be of type integer: "string"
        true | a: Invalid value: "": a in body must be of type int32: ""
        "#,
    );
}

#[test]
fn texts() {
    check(
        r#"{"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$"}"#,
        r#"
        "abc" | ok
        "äb" | a: Invalid value: "äb": a in body should match '^[a-z]+$'
        "a" | a: Invalid value: "a": a in body should be at least 2 chars long
        "abcd" | a: Too long: may not be more than 3 bytes
        "AB" | a: Invalid value: "AB": a in body should match '^[a-z]+$'
        "#,
    );
    check(
        r#"{"type": "string", "pattern": "^\\d\\w\\b$"}"#,
        r#"
        "1a" | ok
        "١a" | a: Invalid value: "١a": a in body should match '^\d\w\b$'
        "#,
    );
    check(
        r#"{"type": "string", "enum": ["x", "y"]}"#,
        r#"
        "x" | ok
        "z" | a: Unsupported value: "z": supported values: "x", "y"
        "#,
    );
    check(
        r#"{"type": "integer", "enum": [1, 2]}"#,
        r#"
        1 | ok
        3 | a: Unsupported value: 3: supported values: "1", "2"
        "#,
    );
}

/// Checks a format with texts of it and texts not of it, separated by spaces.
fn check_format(format: &str, of: &str, not_of: &str) {
    let schema = format!(r#"{{"type": "string", "format": "{format}"}}"#);
    for text in of.split(' ') {
        check(&schema, &format!("\"{text}\" | ok"));
    }
    for text in not_of.split_whitespace() {
        let why = format!("a in body must be of type {format}: \"{text}\"");
        check(&schema, &format!("\"{text}\" | a: Invalid value: \"{text}\": {why}"));
    }
}

#[test]
fn formats() {
    check_format("ipv4", "10.0.0.1 010.0.0.001", "10.0.0 ::1 256.0.0.1 10.0.0.1/8 x");
    check_format("ipv6", "::1 fe80::1 ::ffff:1.2.3.4", "10.0.0.1 ::g fe80::1%eth0");
    check_format(
        "cidr",
        "10.0.0.0/8 10.0.0.1/32 ::/0",
        "10.0.0.0 10.0.0.0/33 x/8 ::/129 10.0.0.0/+8",
    );
    check_format(
        "date-time",
        "2014-12-15T19:30:20Z 2014-12-15t19:30:20.123+01:00 2014-02-28T00:00:00-11:30",
        "2014-12-15 2014-13-15T19:30:20Z 2014-12-15T24:30:20Z 2014-12-15T19:30:20 2014-12-15T19:30:60Z x",
    );
    check_format("date", "2014-12-15", "2014-12-32 2014-12 20141215 x");
    check_format(
        "mac",
        "02:00:5e:10:00:00 02-00-5e-10-00-00 0200.5e10.0000",
        "02:00 x 02:00:5e:10:00:0g",
    );
    check_format("byte", "aGVsbG8= YQ==", "aGVsbG8 a!== ====");
    check_format(
        "uuid",
        "01234567-89ab-cdef-0123-456789ABCDEF 0123456789abcdef0123456789abcdef",
        "01234567-89ab-cdef-0123-456789ABCDE x",
    );
    check_format("k8s-short-name", "a a-1", "A -a a.b");
    check_format("k8s-long-name", "a.b-1", "a..b A");
    check_format("password", "x", "");
}

#[test]
fn formats_of_other_things() {
    check(
        r#"{"type": "string", "format": "ipv4"}"#,
        r#"
        7 | a: Invalid value: "int64": a in body must be of type ipv4: "int64"
        [] | ok
        "#,
    );
    check(r#"{"type": "string", "format": "colour"}"#, r#""red" | ok"#);
}

#[test]
fn lists() {
    check(
        r#"{"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "integer"}}"#,
        r#"
        [1] | ok
        [] | a: Invalid value: 0: a in body should have at least 1 items
        [1, 2, 3] | a: Too many: 3: must have at most 2 items
        [1, "x"] | a[1]: Invalid value: "string": a[1] in body must be of type integer: "string"
        "#,
    );
    check(
        r#"{"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}"#,
        r#"
        ["x", "y"] | ok
        ["x", "y", "x", "x"] | a[2]: Duplicate value: "x"
        "#,
    );
    check(
        r#"{"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "required": ["k"], "properties":
                {"k": {"type": "string"}, "v": {"type": "integer"}}}}"#,
        r#"
        [{"k": "x", "v": 1}, {"k": "y", "v": 1}] | ok
        [{"k": "x", "v": 1}, {"k": "x", "v": 2}] | a[1]: Duplicate value: {"k":"x"}
        "#,
    );
}

#[test]
fn objects() {
    check(
        r#"{"type": "object", "minProperties": 1, "maxProperties": 2, "additionalProperties": {"type": "string"}}"#,
        r#"
        {"x": "1"} | ok
        {} | a: Invalid value: 0: a in body should have at least 1 properties
        {"x": "1", "y": "2", "z": "3"} | a: Too many: 3: must have at most 2 items
        {"x": 1} | a.x: Invalid value: "integer": a.x in body must be of type string: "integer"
        "#,
    );
    check(
        r#"{"type": "object", "required": ["b", "c"], "properties": {"b": {"type": "string"}, "c": {"type": "string"}}}"#,
        r#"
        {"b": "", "c": "x"} | ok
        {"b": "x"} | a.c: Required value
        {} | a.b: Required value; a.c: Required value
        "#,
    );
}

#[test]
fn combinations() {
    check(
        r#"{"type": "object", "properties": {"b": {"type": "string"}, "c": {"type": "string"}},
            "oneOf": [{"required": ["b"]}, {"required": ["c"]}]}"#,
        r#"
        {"b": "x"} | ok
        {} | <nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found none valid; a.b: Required value
        {"b": "x", "c": "x"} | <nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives
        "#,
    );
    check(
        r#"{"type": "integer", "allOf": [{"minimum": 1}, {"maximum": 5}]}"#,
        r#"
        3 | ok
        7 | a: Invalid value: 7: a in body should be less than or equal to 5; <nil>: Invalid value: "": "a" must validate all the schemas (allOf)
        "#,
    );
    check(
        r#"{"type": "string", "not": {"enum": ["x"]}}"#,
        r#"
        "y" | ok
        "x" | <nil>: Invalid value: "": "a" must not validate the schema (not)
        "#,
    );
    check(
        r#"{"type": "string", "anyOf": [{"minLength": 3}, {"enum": ["x"]}]}"#,
        r#"
        "abc" | ok
        "x" | ok
        "y" | <nil>: Invalid value: "": "a" must validate at least one schema (anyOf); a: Invalid value: "y": a in body should be at least 3 chars long
        "#,
    );
}

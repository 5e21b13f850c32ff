//! What is no schema, or none that is implemented.

use serde_json::Value;

use super::super::Schema;
use super::columns;

/// Checks lines of `schema of the member a | fault`.
fn check(lines: &str) {
    for (schema, expected) in columns(lines) {
        let schema = match schema.strip_prefix("whole ") {
            Some(whole) => whole.to_owned(),
            None => format!(r#"{{"type": "object", "properties": {{"a": {schema}}}}}"#),
        };
        let written: Value = serde_json::from_str(&schema).expect(&schema);
        let found = Schema::parse(&written).map_or_else(|fault| fault.to_string(), |_| "ok".into());
        // The library tells of a bad pattern in several lines.
        assert_eq!(found.lines().next(), Some(expected), "{schema}");
    }
}

#[test]
fn faults_name_their_place() {
    check(
        r#"
        whole {"type": "object"} | ok
        whole {"type": "array", "items": {"type": "string"}} | type: must be object at the root
        whole {"type": "object", "additionalProperties": {"type": "string"}} | additionalProperties: must not be used at the root
        {} | properties[a].type: must not be empty
        {"type": "text"} | properties[a].type: is "text" and must be one of ["array", "boolean", "integer", "number", "object", "string"]
        {"type": "array"} | properties[a].items: must be specified
        {"type": "array", "items": {"type": 7}} | properties[a].items.type: must be a string
        {"type": "string", "pattern": "("} | properties[a].pattern: must be a valid regular expression, but isn't: regex parse error:
        {"type": "string", "maxLength": -1} | properties[a].maxLength: must be a whole number that is not negative
        {"type": "array", "uniqueItems": true, "items": {"type": "string"}} | properties[a].uniqueItems: uniqueItems cannot be set to true since the runtime complexity becomes quadratic
        {"type": "object", "additionalProperties": false} | properties[a].additionalProperties: additionalProperties cannot be set to false
        {"$ref": "x"} | properties[a].$ref: $ref is not supported
        {"type": "string", "anyOf": [{"type": "string", "minLength": 1}]} | properties[a].anyOf[0].type: must be undefined to be structural
        {"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}} | properties[a].x-kubernetes-list-map-keys: must not be empty if x-kubernetes-list-type is map
        {"type": "string", "format": "isbn"} | properties[a].format: isbn is not implemented
        {"type": "string", "x-kubernetes-validations": [{"rule": "self != ''"}]} | ok
        "#,
    );
}

#[test]
fn the_project_s_own_schema_is_one() {
    let crd: Value =
        serde_saphyr::from_str(include_str!("../../../../../deploy/crds/ciliumnodes.yaml"))
            .expect("YAML");
    Schema::parse(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]).expect("a schema");
}

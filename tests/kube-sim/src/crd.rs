//! Reads `CustomResourceDefinition`s: what they register, and the status that the server gives them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::resource::{Column, Resource};
use crate::schema::Schema;
use crate::status::{FieldError, FieldErrorKind};

/// Fills what may be left out of a definition: the singular name and the kind of lists.
pub(crate) fn complete(definition: &mut Value) {
    let Some(kind) = definition["spec"]["names"]["kind"].as_str().map(str::to_owned) else {
        return;
    };
    let names = &mut definition["spec"]["names"];
    if names["singular"].as_str().is_none_or(str::is_empty) {
        names["singular"] = kind.to_lowercase().into();
    }
    if names["listKind"].as_str().is_none_or(str::is_empty) {
        names["listKind"] = format!("{kind}List").into();
    }
    if definition["spec"]["conversion"].is_null() {
        definition["spec"]["conversion"] = json!({"strategy": "None"});
    }
}

/// The resource that a completed definition registers: that of its storage version.
///
/// # Errors
///
/// Every rule that the definition breaks, and what of its schema is not understood here.
pub(crate) fn parse(definition: &Value) -> Result<Resource, Vec<FieldError>> {
    let mut errors = missing(definition);
    let names = &definition["spec"]["names"];
    let group = text(&definition["spec"]["group"]);
    let plural = text(&names["plural"]);
    check_name(definition, &plural, &group, &mut errors);
    let scope = text(&definition["spec"]["scope"]);
    if !matches!(scope.as_str(), "Cluster" | "Namespaced" | "") {
        let allowed = "supported values: \"Cluster\", \"Namespaced\"";
        let kind = FieldErrorKind::NotSupported;
        errors.push(FieldError::new(kind, "spec.scope", scope.as_str(), allowed));
    }
    let (index, version) = storage_version(definition, &mut errors);
    let schema = schema(index, version, &mut errors);
    let (Some((schema, open_api)), true) = (schema, errors.is_empty()) else {
        return Err(errors);
    };
    Ok(Resource {
        version: text(&version["name"]),
        kind: text(&names["kind"]),
        list_kind: text(&names["listKind"]),
        singular: text(&names["singular"]),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        namespaced: scope == "Namespaced",
        status_subresource: version["subresources"]["status"].is_object(),
        schema: Some(Arc::new(schema)),
        open_api: Some(Arc::new(open_api)),
        columns: columns(version),
        group,
        plural,
    })
}

/// What every definition must say and this one does not.
fn missing(definition: &Value) -> Vec<FieldError> {
    let must = ["spec.group", "spec.scope", "spec.names.plural", "spec.names.kind"];
    let absent = |path: &&str| {
        let pointer = format!("/{}", path.replace('.', "/"));
        definition.pointer(&pointer).and_then(Value::as_str).is_none_or(str::is_empty)
    };
    let error = |path| FieldError::new(FieldErrorKind::Required, path, Value::Null, "");
    must.into_iter().filter(absent).map(error).collect()
}

fn check_name(definition: &Value, plural: &str, group: &str, errors: &mut Vec<FieldError>) {
    let name = text(&definition["metadata"]["name"]);
    let expected = format!("{plural}.{group}");
    if name != expected && !plural.is_empty() && !group.is_empty() {
        let why = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::new(FieldErrorKind::Invalid, "metadata.name", name, why));
    }
}

/// The version that is stored, with its place in the list.
fn storage_version<'a>(definition: &'a Value, errors: &mut Vec<FieldError>) -> (usize, &'a Value) {
    let versions = definition["spec"]["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let mut stored = versions.iter().enumerate().filter(|(_, version)| version["storage"] == true);
    let (Some(found), None) = (stored.next(), stored.next()) else {
        let why = "must have exactly one version marked as storage version";
        let shown = definition["spec"]["versions"].clone();
        errors.push(FieldError::new(FieldErrorKind::Invalid, "spec.versions", shown, why));
        return (0, &Value::Null);
    };
    found
}

/// The schema of a version, read and as written.
fn schema(index: usize, version: &Value, errors: &mut Vec<FieldError>) -> Option<(Schema, Value)> {
    if version.is_null() {
        return None;
    }
    let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
    let written = &version["schema"]["openAPIV3Schema"];
    if written.is_null() {
        errors.push(FieldError::new(FieldErrorKind::Required, path, Value::Null, ""));
        return None;
    }
    match Schema::parse(written) {
        Ok(schema) => Some((schema, written.clone())),
        Err(error) => {
            let why = error.to_string();
            errors.push(FieldError::new(FieldErrorKind::Invalid, path, Value::Null, why));
            None
        }
    }
}

fn columns(version: &Value) -> Vec<Column> {
    let listed = version["additionalPrinterColumns"].as_array();
    let column = |column: &Value| Column {
        name: text(&column["name"]),
        kind: text(&column["type"]),
        format: text(&column["format"]),
        description: text(&column["description"]),
        priority: column["priority"].as_i64().unwrap_or(0),
        json_path: text(&column["jsonPath"]),
    };
    let mut columns: Vec<_> = listed.into_iter().flatten().map(column).collect();
    if columns.is_empty() {
        // What a real server shows where a definition says nothing.
        columns.push(Column {
            name: "Age".into(),
            kind: "date".into(),
            format: String::new(),
            description: String::new(),
            priority: 0,
            json_path: ".metadata.creationTimestamp".into(),
        });
    }
    columns
}

/// The status of a definition whose resource is served: its names are accepted and it is established.
pub(crate) fn status(definition: &Value, now: Timestamp) -> Value {
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": "True", "reason": reason, "message": message,
            "lastTransitionTime": crate::metadata::time(now),
        })
    };
    let stored = definition["spec"]["versions"].as_array().into_iter().flatten();
    let stored = stored.filter(|version| version["storage"] == true);
    json!({
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "acceptedNames": definition["spec"]["names"],
        "storedVersions": stored.map(|version| version["name"].clone()).collect::<Vec<_>>(),
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

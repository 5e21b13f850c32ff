//! `OpenAPI` documents: what kubectl looks for is in them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::document;
use crate::resource::Resource;

fn resource() -> Resource {
    Resource {
        version: "v2".into(),
        open_api: Some(Arc::new(
            json!({"type": "object", "properties": {"spec": {"type": "object"}}}),
        )),
        ..Resource::sample("CiliumNode.cilium.io")
    }
}

/// Checks what stands at a JSON pointer of the document at a path; null for a path without a document.
fn check(path: &str, pointer: &str, expected: &Value) {
    let custom = resource();
    let pods = Resource { namespaced: true, ..Resource::sample("Pod") };
    let found = document(&[&pods, &custom], path).unwrap_or_default();
    assert_eq!(found.pointer(pointer), Some(expected), "{path} {pointer}");
}

#[test]
fn the_index() {
    check(
        "openapi/v3",
        "/paths",
        &json!({
            "api/v1": {"serverRelativeURL": "/openapi/v3/api/v1"},
            "apis/cilium.io/v2": {"serverRelativeURL": "/openapi/v3/apis/cilium.io/v2"},
        }),
    );
    for path in ["openapi/v2", "openapi/v3/api/v2", "openapi/v3x", "openapi"] {
        check(path, "", &Value::Null);
    }
}

#[test]
fn schemas_name_their_kind() {
    check(
        "openapi/v3/apis/cilium.io/v2",
        "/components/schemas/io.cilium.v2.CiliumNode",
        &json!({
            "type": "object",
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": {"type": "object"},
                "spec": {"type": "object"},
            },
            "x-kubernetes-group-version-kind": [{"group": "cilium.io", "version": "v2", "kind": "CiliumNode"}],
        }),
    );
    check(
        "openapi/v3/api/v1",
        "/components/schemas/io.k8s.api.core.v1.Pod/x-kubernetes-preserve-unknown-fields",
        &json!(true),
    );
}

#[test]
fn patches_take_field_validation() {
    let patch = "/paths/~1apis~1cilium.io~1v2~1ciliumnodes~1{name}/patch";
    let served = "openapi/v3/apis/cilium.io/v2";
    check(
        served,
        &format!("{patch}/x-kubernetes-group-version-kind"),
        &json!({"group": "cilium.io", "version": "v2", "kind": "CiliumNode"}),
    );
    check(
        served,
        &format!("{patch}/parameters/2"),
        &json!({"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}),
    );
    // Without strategic merge patches among them, kubectl does not build one from the document.
    check(
        served,
        &format!("{patch}/requestBody/content"),
        &json!({
            "application/json-patch+json": {"schema": {"type": "object"}},
            "application/merge-patch+json": {"schema": {"type": "object"}},
        }),
    );
    check(
        "openapi/v3/api/v1",
        "/paths/~1api~1v1~1namespaces~1{namespace}~1pods/post/x-kubernetes-action",
        &json!("post"),
    );
}

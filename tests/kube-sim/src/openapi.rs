//! `OpenAPI` v3 documents: an index, and one document per group and version.
//!
//! They say what kubectl looks for: which kinds there are, what their objects look like (`kubectl explain`), and that
//! the server checks fields itself (`kubectl apply`, `create`, `replace`).
//!
//! Source: Kubernetes API concepts, `OpenAPI` interface definition.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::resource::Resource;

/// The document at a path, written without slashes at its ends. None for paths that are no `OpenAPI` documents.
pub(crate) fn document(resources: &[&Resource], path: &str) -> Option<Value> {
    let of = path.strip_prefix("openapi/v3")?;
    if of.is_empty() {
        return Some(index(resources));
    }
    let of = of.strip_prefix('/')?;
    let served: Vec<&Resource> =
        resources.iter().copied().filter(|resource| root(resource) == of).collect();
    (!served.is_empty()).then(|| group_version(&served))
}

/// The path below which the resources of a group and version are.
fn root(resource: &Resource) -> String {
    let Resource { group, version, .. } = resource;
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

fn index(resources: &[&Resource]) -> Value {
    let roots: BTreeSet<String> = resources.iter().map(|resource| root(resource)).collect();
    let entry = |root: String| {
        let document = json!({"serverRelativeURL": format!("/openapi/v3/{root}")});
        (root, document)
    };
    json!({"paths": roots.into_iter().map(entry).collect::<Map<_, _>>()})
}

fn group_version(resources: &[&Resource]) -> Value {
    let schemas = resources.iter().map(|resource| (schema_name(resource), schema(resource)));
    let paths = resources.iter().flat_map(|resource| paths(resource));
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.0"},
        "paths": paths.collect::<Map<_, _>>(),
        "components": {"schemas": schemas.collect::<Map<_, _>>()},
    })
}

/// The group backwards, the version and the kind: `io.cilium.v2.CiliumNode`.
fn schema_name(resource: &Resource) -> String {
    let Resource { group, version, kind, .. } = resource;
    if group.is_empty() {
        return format!("io.k8s.api.core.{version}.{kind}");
    }
    let backwards: Vec<&str> = group.split('.').rev().collect();
    format!("{}.{version}.{kind}", backwards.join("."))
}

fn group_version_kind(resource: &Resource) -> Value {
    json!({"group": resource.group, "version": resource.version, "kind": resource.kind})
}

/// The schema of a kind: that of its definition, or, for built-in kinds, that anything goes.
fn schema(resource: &Resource) -> Value {
    let mut schema = match &resource.open_api {
        Some(written) => (**written).clone(),
        None => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
    };
    let kind = group_version_kind(resource);
    schema["x-kubernetes-group-version-kind"] = json!([kind]);
    for name in ["apiVersion", "kind"] {
        schema["properties"][name] = json!({"type": "string"});
    }
    schema["properties"]["metadata"] = json!({"type": "object"});
    schema
}

fn paths(resource: &Resource) -> Vec<(String, Value)> {
    let root = root(resource);
    let place = if resource.namespaced { "namespaces/{namespace}/" } else { "" };
    let all = format!("/{root}/{place}{}", resource.plural);
    let one = format!("{all}/{{name}}");
    let every = json!({
        "get": operation(resource, "list", &[]),
        "post": operation(resource, "post", &WRITE),
    });
    let single = json!({
        "get": operation(resource, "get", &[]),
        "put": operation(resource, "put", &WRITE),
        "patch": operation(resource, "patch", &WRITE),
        "delete": operation(resource, "delete", &["dryRun"]),
    });
    vec![(all, every), (one, single)]
}

/// The parameters of writes that clients look for.
const WRITE: [&str; 3] = ["dryRun", "fieldManager", "fieldValidation"];

fn operation(resource: &Resource, action: &str, parameters: &[&str]) -> Value {
    let parameter =
        |name: &&str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    let mut operation = json!({
        "operationId": format!("{action}{}", resource.kind),
        "parameters": parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": group_version_kind(resource),
    });
    if action == "patch" {
        let types = [crate::patch::JSON, crate::patch::MERGE];
        let any = |name: &str| (name.to_owned(), json!({"schema": {"type": "object"}}));
        operation["requestBody"] =
            json!({"content": types.into_iter().map(any).collect::<Map<_, _>>()});
    }
    operation
}

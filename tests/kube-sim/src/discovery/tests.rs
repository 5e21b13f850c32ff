//! Discovery documents.

use serde_json::{Value, json};

use super::{AGGREGATED, document};
use crate::resource::Resource;
use crate::schema::Schema;

/// Pods, and a resource of another group with all that a resource can have.
fn resources() -> [Resource; 2] {
    let pods = Resource { namespaced: true, status_subresource: false, ..Resource::sample("Pod") };
    let nodes = Resource {
        version: "v2".into(),
        short_names: vec!["cn".into()],
        categories: vec!["cilium".into()],
        schema: Some(Schema::parse(&json!({"type": "object"})).expect("a schema").into()),
        ..Resource::sample("CiliumNode.cilium.io")
    };
    [pods, nodes]
}

/// Checks the document at a path against its JSON.
fn check(path: &str, accept: &str, expected: &Value) {
    let resources = resources();
    let found = document(&resources.each_ref(), path, accept).expect(path);
    let content_type = if accept == AGGREGATED { AGGREGATED } else { "application/json" };
    assert_eq!((&found.body, found.content_type), (expected, content_type), "{path}");
}

const VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

#[test]
fn groups() {
    let version = json!({"groupVersion": "cilium.io/v2", "version": "v2"});
    let group = json!({"name": "cilium.io", "preferredVersion": version, "versions": [version]});
    check(
        "api",
        "",
        &json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
    );
    check("apis", "*/*", &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]}));
    check(
        "apis/cilium.io",
        "application/json",
        &json!({"kind": "APIGroup", "apiVersion": "v1", "name": "cilium.io",
               "preferredVersion": version, "versions": [version]}),
    );
}

#[test]
fn resources_of_a_version() {
    check(
        "api/v1",
        "",
        &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": [
            {"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": VERBS},
            {"name": "pods/binding", "singularName": "", "namespaced": true, "kind": "Binding", "verbs": ["create"]},
        ]}),
    );
    check(
        "apis/cilium.io/v2",
        "",
        &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "cilium.io/v2", "resources": [
            {"name": "ciliumnodes", "singularName": "ciliumnode", "namespaced": false, "kind": "CiliumNode",
             "verbs": VERBS, "shortNames": ["cn"], "categories": ["cilium"]},
            {"name": "ciliumnodes/status", "singularName": "", "namespaced": false, "kind": "CiliumNode",
             "verbs": ["get", "patch", "update"]},
        ]}),
    );
}

#[test]
fn the_aggregated_form() {
    let list = |items: &Value| {
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
               "items": items})
    };
    let kind = json!({"group": "cilium.io", "version": "v2", "kind": "CiliumNode"});
    check(
        "apis",
        AGGREGATED,
        &list(&json!([{"metadata": {"name": "cilium.io"}, "versions": [
            {"version": "v2", "freshness": "Current", "resources": [
                {"resource": "ciliumnodes", "responseKind": kind, "scope": "Cluster",
                 "singularResource": "ciliumnode", "verbs": VERBS, "shortNames": ["cn"], "categories": ["cilium"],
                 "subresources": [
                     {"subresource": "status", "responseKind": kind, "verbs": ["get", "patch", "update"]}]}]}]}])),
    );
    check(
        "api",
        AGGREGATED,
        &list(&json!([{"metadata": {}, "versions": [
            {"version": "v1", "freshness": "Current", "resources": [
                {"resource": "pods", "responseKind": {"group": "", "version": "", "kind": "Pod"},
                 "scope": "Namespaced", "singularResource": "pod", "verbs": VERBS,
                 "subresources": [{"subresource": "binding", "verbs": ["create"],
                     "responseKind": {"group": "", "version": "", "kind": "Binding"}}]}]}]}])),
    );
}

#[test]
fn clients_choose_the_form() {
    let resources = resources();
    let content_type = |accept: &str| {
        document(&resources.each_ref(), "apis", accept).expect("a document").content_type
    };
    let kubectl = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;\
                   g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
    assert_eq!(content_type(kubectl), AGGREGATED);
    let older = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
    assert_eq!(content_type(older), "application/json");
}

#[test]
fn what_is_not_there() {
    let resources = resources();
    for path in
        ["", "api/v2", "apis/example.com", "apis/cilium.io/v1", "apis/cilium.io/v2/x", "metrics"]
    {
        assert!(document(&resources.each_ref(), path, "").is_none(), "{path}");
    }
    let version = document(&resources.each_ref(), "version", "").expect("a version").body;
    assert_eq!((&version["major"], &version["minor"]), (&json!("1"), &json!("36")));
}

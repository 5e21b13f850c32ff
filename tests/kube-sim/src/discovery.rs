//! Discovery: which groups, versions and resources there are, in the older form (a document per group and version) and
//! in the aggregated one.
//!
//! Source: Kubernetes API concepts, discovery API; API reference, `APIGroupDiscoveryList` v2 apidiscovery.k8s.io.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::builtin;
use crate::resource::{Resource, STATUS_VERBS, VERBS};

/// The version that the server says it has: the newest that the contract suite runs against.
const VERSION: &str = "v1.36.0";

/// The media type of the aggregated form.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A document of the server about itself, with its media type.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) body: Value,
    pub(crate) content_type: &'static str,
}

impl From<Value> for Document {
    fn from(body: Value) -> Self {
        Self { body, content_type: "application/json" }
    }
}

/// The document at a path, written without slashes at its ends; `accept` is the header. None for paths that discovery
/// does not know.
pub(crate) fn document(resources: &[&Resource], path: &str, accept: &str) -> Option<Document> {
    let (core, named): (Vec<&Resource>, Vec<&Resource>) =
        resources.iter().copied().partition(|resource| resource.group.is_empty());
    let parts: Vec<&str> = path.split('/').collect();
    let body = match parts[..] {
        ["api"] if wants_aggregated(accept) => return Some(aggregated(&core)),
        ["apis"] if wants_aggregated(accept) => return Some(aggregated(&named)),
        ["api"] => json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        }),
        ["apis"] => json!({
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": groups(&named).iter().map(|members| group(members)).collect::<Vec<_>>(),
        }),
        ["apis", name] => {
            let found = groups(&named).into_iter().find(|members| members[0].group == name)?;
            let mut group = group(&found);
            group["kind"] = "APIGroup".into();
            group["apiVersion"] = "v1".into();
            group
        }
        ["api", version] => resource_list(&core, "", version)?,
        ["apis", group, version] => resource_list(&named, group, version)?,
        ["version"] => version(),
        _ => return None,
    };
    Some(body.into())
}

/// Whether the client takes the aggregated form. Clients that do name the older one after it.
fn wants_aggregated(accept: &str) -> bool {
    accept.split(',').any(|media_type| {
        let parameters: Vec<&str> = media_type.split(';').map(str::trim).collect();
        ["application/json", "g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"]
            .iter()
            .all(|parameter| parameters.contains(parameter))
    })
}

/// The resources by group, in the order in which groups first appear.
fn groups<'a>(resources: &[&'a Resource]) -> Vec<Vec<&'a Resource>> {
    let mut groups: Vec<Vec<&Resource>> = Vec::new();
    for resource in resources {
        match groups.iter_mut().find(|group| group[0].group == resource.group) {
            Some(group) => group.push(resource),
            None => groups.push(vec![resource]),
        }
    }
    groups
}

/// The versions of a group's resources, each once.
fn versions<'a>(resources: &[&'a Resource]) -> Vec<&'a str> {
    let mut versions: Vec<&str> = Vec::new();
    for resource in resources {
        if !versions.contains(&resource.version.as_str()) {
            versions.push(&resource.version);
        }
    }
    versions
}

/// An entry of the list of groups.
fn group(resources: &[&Resource]) -> Value {
    let name = &resources[0].group;
    let entry =
        |version: &&str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let versions: Vec<Value> = versions(resources).iter().map(entry).collect();
    json!({"name": name, "preferredVersion": versions[0], "versions": versions})
}

fn resource_list(resources: &[&Resource], group: &str, version: &str) -> Option<Value> {
    let of_version = |resource: &&&Resource| resource.group == group && resource.version == version;
    let served: Vec<&Resource> = resources.iter().filter(of_version).copied().collect();
    let group_version = served.first()?.api_version();
    Some(json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": served.into_iter().flat_map(api_resources).collect::<Vec<_>>(),
    }))
}

/// A resource and its subresources, if it has some.
fn api_resources(resource: &Resource) -> Vec<Value> {
    let mut entry = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": VERBS,
    });
    put_names(&mut entry, resource);
    let mut entries = vec![entry];
    if builtin::has_binding(resource) {
        entries.push(json!({
            "name": format!("{}/binding", resource.plural),
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": "Binding",
            "verbs": ["create"],
        }));
    }
    if resource.status_subresource {
        entries.push(json!({
            "name": format!("{}/status", resource.plural),
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": STATUS_VERBS,
        }));
    }
    entries
}

/// Short names and categories are left out where there are none.
fn put_names(entry: &mut Value, resource: &Resource) {
    if !resource.short_names.is_empty() {
        entry["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        entry["categories"] = json!(resource.categories);
    }
}

fn aggregated(resources: &[&Resource]) -> Document {
    let groups = groups(resources);
    let body = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": groups.into_iter().map(|group| aggregated_group(&group)).collect::<Vec<_>>(),
    });
    Document { body, content_type: AGGREGATED }
}

fn aggregated_group(resources: &[&Resource]) -> Value {
    let name = &resources[0].group;
    let metadata = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    let version = |version: &str| {
        let served = resources.iter().filter(|resource| resource.version == version);
        json!({
            "version": version,
            "resources": served.map(|resource| aggregated_resource(resource)).collect::<Vec<_>>(),
            "freshness": "Current",
        })
    };
    let versions: Vec<Value> = versions(resources).into_iter().map(version).collect();
    json!({"metadata": metadata, "versions": versions})
}

fn aggregated_resource(resource: &Resource) -> Value {
    // Of built-in resources the server says the kind alone: the rest is that of the entry.
    let kind = match resource.schema {
        Some(_) => json!({
            "group": resource.group,
            "version": resource.version,
            "kind": resource.kind,
        }),
        None => json!({"group": "", "version": "", "kind": resource.kind}),
    };
    let mut entry = json!({
        "resource": resource.plural,
        "responseKind": kind,
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": VERBS,
    });
    put_names(&mut entry, resource);
    let mut subresources = Vec::new();
    if builtin::has_binding(resource) {
        let kind = json!({"group": "", "version": "", "kind": "Binding"});
        subresources
            .push(json!({"subresource": "binding", "responseKind": kind, "verbs": ["create"]}));
    }
    if resource.status_subresource {
        subresources
            .push(json!({"subresource": "status", "responseKind": kind, "verbs": STATUS_VERBS}));
    }
    if !subresources.is_empty() {
        entry["subresources"] = subresources.into();
    }
    entry
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "gitVersion": VERSION,
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "kube-sim",
        "platform": "memory",
    })
}

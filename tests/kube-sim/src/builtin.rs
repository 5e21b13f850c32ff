//! The resources that are served from the start, and what the server itself puts into their objects.

use serde_json::{Value, json};

use crate::resource::Resource;

/// The namespaces that exist from the start.
pub(crate) const NAMESPACES: [&str; 4] =
    ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Plural of core/v1 namespaces.
pub(crate) const NAMESPACE: &str = "namespaces";

/// Name of the resource that registers others.
pub(crate) const DEFINITION: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// The built-in resources.
pub(crate) fn resources() -> Vec<Resource> {
    vec![
        Resource { namespaced: true, ..core("Pod", "pods", &["po"], &["all"], true) },
        core("Node", "nodes", &["no"], &[], true),
        core("Namespace", NAMESPACE, &["ns"], &[], true),
        Resource { namespaced: true, ..core("Event", "events", &["ev"], &[], false) },
        Resource {
            group: "coordination.k8s.io".into(),
            namespaced: true,
            ..core("Lease", "leases", &[], &[], false)
        },
        Resource {
            group: "apiextensions.k8s.io".into(),
            ..core(
                "CustomResourceDefinition",
                "customresourcedefinitions",
                &["crd", "crds"],
                &["api-extensions"],
                true,
            )
        },
    ]
}

/// What binds a pod to a node. It is no resource of its own: it is only ever sent to the subresource of a pod.
pub(crate) fn binding() -> Resource {
    Resource { namespaced: true, ..core("Binding", "bindings", &[], &[], false) }
}

/// Whether pods of this resource can be bound to nodes.
pub(crate) fn has_binding(resource: &Resource) -> bool {
    resource.qualified_name() == "pods"
}

/// Whether a group has built-in resources.
pub(crate) fn has_group(group: &str) -> bool {
    matches!(group, "" | "coordination.k8s.io" | "apiextensions.k8s.io")
}

fn core(
    kind: &str,
    plural: &str,
    short_names: &[&str],
    categories: &[&str],
    status_subresource: bool,
) -> Resource {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Resource {
        group: String::new(),
        version: "v1".into(),
        kind: kind.into(),
        list_kind: format!("{kind}List"),
        plural: plural.into(),
        singular: kind.to_lowercase(),
        short_names: owned(short_names),
        categories: owned(categories),
        namespaced: false,
        status_subresource,
        schema: None,
        open_api: None,
        columns: Vec::new(),
    }
}

/// Puts into a new object of a built-in resource what the server puts there. The status that a client sends
/// with a new pod or namespace is lost, as on a real server; that of a node stays, because kubelets register with it.
pub(crate) fn initialise(resource: &Resource, object: &mut Value) {
    match resource.qualified_name().as_str() {
        "pods" => object["status"] = json!({"phase": "Pending", "qosClass": "BestEffort"}),
        NAMESPACE => {
            object["spec"] = json!({"finalizers": ["kubernetes"]});
            object["status"] = json!({"phase": "Active"});
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
        }
        _ => {}
    }
}

/// Whether objects of the resource count their changes in `metadata.generation`.
pub(crate) fn has_generation(resource: &Resource) -> bool {
    resource.schema.is_some() || matches!(resource.qualified_name().as_str(), "pods" | DEFINITION)
}

/// Whether a replacement without `resourceVersion` is taken.
pub(crate) fn allows_unconditional_update(resource: &Resource) -> bool {
    resource.group.is_empty()
}

/// Whether a replacement of what does not exist creates it.
pub(crate) fn creates_on_update(resource: &Resource) -> bool {
    matches!(resource.qualified_name().as_str(), "events" | "leases.coordination.k8s.io")
}

/// Whether a real server has a subresource that is not implemented here.
pub(crate) fn has_subresource(resource: &Resource, name: &str) -> bool {
    let names: &[&str] = match resource.qualified_name().as_str() {
        "pods" => &[
            "attach",
            "ephemeralcontainers",
            "eviction",
            "exec",
            "log",
            "portforward",
            "proxy",
            "resize",
        ],
        "nodes" => &["proxy"],
        NAMESPACE => &["finalize"],
        _ if resource.schema.is_some() => &["scale"],
        _ => &[],
    };
    // Behind a proxy there are paths of its own.
    names.contains(&name.split('/').next().unwrap_or_default())
}

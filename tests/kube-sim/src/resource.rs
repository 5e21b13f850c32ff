//! What a resource is: its names, its scope, its schema. Everything else in the crate is generic over this.

use std::sync::Arc;

use serde_json::Value;

use crate::schema::Schema;

/// Every verb that every resource answers, in the order discovery lists them.
pub const VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// The verbs of a `status` subresource.
pub const STATUS_VERBS: [&str; 3] = ["get", "patch", "update"];

/// One served resource: a built-in one, or one registered by a `CustomResourceDefinition`.
#[derive(Debug, Clone)]
pub struct Resource {
    /// API group, `cilium.io`; empty for the core group.
    pub group: String,
    /// Version in the group, `v2`.
    pub version: String,
    /// Kind of one object, `CiliumNode`.
    pub kind: String,
    /// Kind of a list, `CiliumNodeList`.
    pub list_kind: String,
    /// Name in paths, `ciliumnodes`.
    pub plural: String,
    /// Name of one in messages and on the command line, `ciliumnode`.
    pub singular: String,
    /// Abbreviations that discovery offers, `cn`.
    pub short_names: Vec<String>,
    /// Groupings that discovery offers, `all`.
    pub categories: Vec<String>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether `status` is written through its own subresource only.
    pub status_subresource: bool,
    /// What objects must look like. `None` for built-in resources: they are stored as they come.
    pub schema: Option<Arc<Schema>>,
    /// The schema as the `CustomResourceDefinition` spells it (`openAPIV3Schema`), for `/openapi`.
    pub open_api: Option<Arc<Value>>,
    /// `additionalPrinterColumns`; empty for built-in resources, whose columns `table` knows.
    pub columns: Vec<Column>,
}

/// One entry of `additionalPrinterColumns`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Heading, `InternalIP`.
    pub name: String,
    /// Its type in a schema: `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: String,
    /// Its format in a schema, or empty.
    pub format: String,
    /// What the column shows, or empty.
    pub description: String,
    /// 0 is shown always, greater only by `kubectl get -o wide`.
    pub priority: i64,
    /// Where the value stands, `.spec.addresses[?(@.type=="InternalIP")].ip`.
    pub json_path: String,
}

impl Resource {
    /// `cilium.io/v2`, or `v1` in the core group: the `apiVersion` of its objects.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            return self.version.clone();
        }
        format!("{}/{}", self.group, self.version)
    }

    /// `ciliumnodes.cilium.io`, or `pods` in the core group: how messages and counters name it.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        if self.group.is_empty() {
            return self.plural.clone();
        }
        format!("{}.{}", self.plural, self.group)
    }
}

#[cfg(test)]
impl Resource {
    /// `Kind`, or `Kind.group`, in version `v1`: cluster-wide, with a status subresource, and no more than that.
    pub(crate) fn sample(kind: &str) -> Self {
        let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
        Self {
            group: group.into(),
            version: "v1".into(),
            kind: kind.into(),
            list_kind: format!("{kind}List"),
            plural: format!("{}s", kind.to_lowercase()),
            singular: kind.to_lowercase(),
            short_names: Vec::new(),
            categories: Vec::new(),
            namespaced: false,
            status_subresource: true,
            schema: None,
            open_api: None,
            columns: Vec::new(),
        }
    }
}

/// The number of a resource within one store. Never given twice: a definition that is deleted and created again
/// registers another resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(pub(crate) u32);

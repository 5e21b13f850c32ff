//! One version of an object in the form the store keeps.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::metadata;

/// Where an object stands within its resource. Ordered as lists are: by namespace, then name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl Key {
    /// The key of an object by its name.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

/// One version of an object: the JSON it is sent as, and the few members that are looked at while it is stored.
///
/// Kept as bytes because a tree of JSON values is ten times larger, and because lists, watches and the history
/// then share one allocation and send it as it is.
#[derive(Debug)]
pub struct Stored {
    key: Key,
    version: u64,
    uid: Box<str>,
    owners: Box<[Box<str>]>,
    selectable: Value,
    json: Bytes,
}

impl Stored {
    /// Takes an object whose `metadata` says everything but the resource version.
    #[must_use]
    pub fn new(mut object: Value, version: u64) -> Self {
        metadata::set(&mut object, "resourceVersion", version.to_string().into());
        let text = |member| metadata::text(&object, member).unwrap_or_default();
        let owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
        Self {
            key: Key::new(text("namespace"), text("name")),
            version,
            uid: text("uid").into(),
            owners: owners.filter_map(|owner| owner["uid"].as_str()).map(Into::into).collect(),
            selectable: selectable(&object),
            // Copied, because the buffer it is written into has up to twice the room.
            // A tree of JSON values has text keys only, so that it always can be written.
            json: Bytes::copy_from_slice(&serde_json::to_vec(&object).unwrap_or_default()),
        }
    }

    /// Namespace and name.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// The resource version that this version got.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// `metadata.uid`.
    #[must_use]
    pub const fn uid(&self) -> &str {
        &self.uid
    }

    /// The uids in `metadata.ownerReferences`.
    pub fn owners(&self) -> impl Iterator<Item = &str> {
        self.owners.iter().map(AsRef::as_ref)
    }

    /// The members that selectors look at, in their places.
    #[must_use]
    pub const fn selectable(&self) -> &Value {
        &self.selectable
    }

    /// The object as it is sent.
    #[must_use]
    pub fn json(&self) -> Bytes {
        self.json.clone()
    }

    /// The object as a tree.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }

    /// The same object with a later resource version: how a watch shows an object that went.
    #[must_use]
    pub fn at(&self, version: u64) -> Arc<Self> {
        Arc::new(Self::new(self.value(), version))
    }

    /// Bytes of memory that are in use for the JSON.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.json.len()
    }
}

/// The members outside the metadata that field selectors of built-in resources may name.
const SELECTABLE: [(&str, &[&str]); 3] = [
    (
        "spec",
        &[
            "hostNetwork",
            "nodeName",
            "restartPolicy",
            "schedulerName",
            "serviceAccountName",
            "unschedulable",
        ],
    ),
    ("status", &["phase", "podIP"]),
    (
        "involvedObject",
        &["apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"],
    ),
];

/// Members of events that field selectors may name.
const SELECTABLE_TEXTS: [&str; 3] = ["reason", "reportingComponent", "type"];

/// Labels, name, namespace, and whatever else selectors may name.
fn selectable(object: &Value) -> Value {
    let mut metadata = json!({"name": object["metadata"]["name"]});
    for member in ["namespace", "labels"] {
        if !object["metadata"][member].is_null() {
            metadata[member] = object["metadata"][member].clone();
        }
    }
    let mut selectable = json!({"metadata": metadata});
    for (part, members) in SELECTABLE {
        for member in members {
            let value = &object[part][*member];
            if value.is_string() || value.is_boolean() {
                selectable[part][*member] = value.clone();
            }
        }
    }
    for member in SELECTABLE_TEXTS {
        if object[member].is_string() {
            selectable[member] = object[member].clone();
        }
    }
    selectable
}

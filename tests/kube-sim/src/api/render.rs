//! The bytes of answers.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::accept::Form;
use crate::resource::Resource;
use crate::store::Listed;
use crate::stored::Stored;
use crate::table::{self, Include};
use crate::watchers::Delivery;

/// How objects of one resource are shown to one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) form: Form,
    pub(crate) include: Include,
    /// Whether a table tells its columns.
    pub(crate) columns: bool,
    pub(crate) now: Timestamp,
}

impl View<'_> {
    /// One object.
    pub(crate) fn object(&self, object: &Stored) -> Bytes {
        match self.form {
            Form::Whole => object.json(),
            Form::Partial => bytes(&partial(&object.value())),
            Form::Table => {
                let object = object.value();
                let version = object["metadata"]["resourceVersion"].clone();
                let metadata = json!({"resourceVersion": version});
                bytes(&self.table(&[object], &metadata))
            }
        }
    }

    /// A list, in pieces: whole objects are sent from where they are stored.
    pub(crate) fn list(&self, listed: &Listed) -> Vec<Bytes> {
        let mut metadata = json!({"resourceVersion": listed.version.to_string()});
        if let Some(token) = &listed.continue_token {
            metadata["continue"] = token.as_str().into();
        }
        if let Some(remaining) = listed.remaining {
            metadata["remainingItemCount"] = remaining.into();
        }
        let (api_version, kind) = match self.form {
            Form::Whole => (self.resource.api_version(), self.resource.list_kind.as_str()),
            Form::Partial => ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadataList"),
            Form::Table => {
                let objects: Vec<_> = listed.items.iter().map(|item| item.value()).collect();
                return vec![bytes(&self.table(&objects, &metadata))];
            }
        };
        let head =
            json!({"apiVersion": api_version, "kind": kind, "metadata": metadata}).to_string();
        let head = head.strip_suffix('}').unwrap_or(&head);
        let mut pieces = vec![Bytes::from(format!("{head},\"items\":["))];
        for (index, item) in listed.items.iter().enumerate() {
            if 0 < index {
                pieces.push(Bytes::from_static(b","));
            }
            pieces.push(self.object(item));
        }
        pieces.push(Bytes::from_static(b"]}\n"));
        pieces
    }

    /// One event of a watch, as a line.
    pub(crate) fn event(&self, delivery: &Delivery) -> Bytes {
        let (kind, object) = match delivery {
            Delivery::Added(object) => ("ADDED", self.object(object)),
            Delivery::Modified(object) => ("MODIFIED", self.object(object)),
            Delivery::Deleted(object) => ("DELETED", self.object(object)),
            Delivery::Bookmark { version, initial_end } => {
                ("BOOKMARK", bytes(&self.bookmark(*version, *initial_end)))
            }
            Delivery::Failed(status) => ("ERROR", bytes(&status.to_value())),
        };
        let mut line = Vec::with_capacity(object.len() + 40);
        line.extend_from_slice(b"{\"type\":\"");
        line.extend_from_slice(kind.as_bytes());
        line.extend_from_slice(b"\",\"object\":");
        line.extend_from_slice(&object);
        line.extend_from_slice(b"}\n");
        line.into()
    }

    fn bookmark(&self, version: u64, initial_end: bool) -> Value {
        let mut metadata =
            json!({"resourceVersion": version.to_string(), "creationTimestamp": null});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        match self.form {
            Form::Whole => json!({
                "apiVersion": self.resource.api_version(),
                "kind": self.resource.kind,
                "metadata": metadata,
            }),
            Form::Partial => partial(&json!({"metadata": metadata})),
            Form::Table => self.table(&[], &metadata),
        }
    }

    fn table(&self, objects: &[Value], metadata: &Value) -> Value {
        let mut table = table::render(self.resource, objects, metadata, self.include, self.now);
        if !self.columns {
            table["columnDefinitions"] = json!([]);
        }
        table
    }
}

/// The kind `PartialObjectMetadata`.
fn partial(object: &Value) -> Value {
    json!({
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": object["metadata"],
    })
}

/// A tree as it is sent.
pub(crate) fn bytes(value: &Value) -> Bytes {
    value.to_string().into()
}

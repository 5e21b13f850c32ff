//! Tables: what `kubectl get` shows, made by the server.
//!
//! Source: Kubernetes API concepts, receiving resources as tables; `additionalPrinterColumns` of
//! `CustomResourceDefinitions`.

mod age;
mod custom;
mod event;
mod node;
mod pod;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::resource::Resource;

/// What a row has of its object: the parameter `includeObject`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Include {
    /// Nothing.
    None,
    /// Its metadata, as a `PartialObjectMetadata`.
    Metadata,
    /// All of it.
    Object,
}

/// The head of a column.
#[derive(Debug)]
struct Heading {
    name: String,
    kind: String,
    format: String,
    description: String,
    priority: i64,
}

impl Heading {
    /// A column of texts.
    fn text(name: &str, priority: i64, description: &str) -> Self {
        Self {
            name: name.into(),
            kind: "string".into(),
            format: String::new(),
            description: description.into(),
            priority,
        }
    }

    /// The column with the names of the objects.
    fn name(priority: i64) -> Self {
        let description = "The name of the object, of which there is one in a namespace.";
        Self { format: "name".into(), ..Self::text("Name", priority, description) }
    }

    /// The column with the age of the objects.
    fn age() -> Self {
        Self::text("Age", 0, "The time since the object was created.")
    }

    fn to_value(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        })
    }
}

/// The cells of an object's row.
type Cells<'a> = Box<dyn Fn(&Value) -> Vec<Value> + 'a>;

/// How the objects of one resource are shown: headings, and a cell for each of them.
struct Layout<'a> {
    headings: Vec<Heading>,
    cells: Cells<'a>,
}

/// The Table of the objects. `metadata` is that of their list, or of the one object.
pub(crate) fn render(
    resource: &Resource,
    objects: &[Value],
    metadata: &Value,
    include: Include,
    now: Timestamp,
) -> Value {
    let layout = layout(resource, now);
    let row = |object: &Value| {
        let mut row = Map::new();
        row.insert("cells".into(), (layout.cells)(object).into());
        if let Some(conditions) = pod::row_conditions(resource, object) {
            row.insert("conditions".into(), conditions);
        }
        row.insert("object".into(), included(object, include));
        Value::Object(row)
    };
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": list_metadata(metadata),
        "columnDefinitions": layout.headings.iter().map(Heading::to_value).collect::<Vec<_>>(),
        "rows": objects.iter().map(row).collect::<Vec<_>>(),
    })
}

/// Of an object's metadata a table has only what a list would have.
fn list_metadata(metadata: &Value) -> Value {
    let members = ["resourceVersion", "continue", "remainingItemCount"];
    let kept = members.into_iter().filter_map(|name| Some((name, metadata.get(name)?.clone())));
    Value::Object(kept.map(|(name, value)| (name.to_owned(), value)).collect())
}

fn included(object: &Value, include: Include) -> Value {
    match include {
        Include::None => Value::Null,
        Include::Object => object.clone(),
        Include::Metadata => json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": object["metadata"],
        }),
    }
}

fn layout(resource: &Resource, now: Timestamp) -> Layout<'_> {
    match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Node") => node::layout(now),
        ("", "Pod") => pod::layout(now),
        ("", "Event") => event::layout(now),
        ("", "Namespace") => Layout {
            headings: vec![
                Heading::name(0),
                Heading::text("Status", 0, "The status of the namespace."),
                Heading::age(),
            ],
            cells: Box::new(move |object| {
                vec![name(object), text(&object["status"]["phase"]).into(), age::of(object, now)]
            }),
        },
        ("coordination.k8s.io", "Lease") => Layout {
            headings: vec![
                Heading::name(0),
                Heading::text("Holder", 0, "Who holds the lease."),
                Heading::age(),
            ],
            cells: Box::new(move |object| {
                let holder = text(&object["spec"]["holderIdentity"]);
                vec![name(object), holder.into(), age::of(object, now)]
            }),
        },
        _ if resource.columns.is_empty() => created_at(),
        _ => custom::layout(&resource.columns, now),
    }
}

/// How the server shows what it has no layout for, `CustomResourceDefinitions` among it.
fn created_at() -> Layout<'static> {
    let when = Heading {
        kind: "date".into(),
        ..Heading::text("Created At", 0, "When the object was created.")
    };
    Layout {
        headings: vec![Heading::name(0), when],
        cells: Box::new(|object| {
            vec![name(object), text(&object["metadata"]["creationTimestamp"]).into()]
        }),
    }
}

fn name(object: &Value) -> Value {
    text(&object["metadata"]["name"]).into()
}

/// A text, or an empty one.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The items of a list, or none.
fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A text, or `instead` of an empty one.
fn text_or<'a>(value: &'a Value, instead: &'a str) -> &'a str {
    Some(text(value)).filter(|text| !text.is_empty()).unwrap_or(instead)
}

//! Cuts off what a schema does not describe.

use serde_json::Value;

use super::{Additional, Node, member};

/// The members of every object that no schema needs to describe.
const TYPE_AND_METADATA: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// The members of metadata. Source: Kubernetes API reference, `ObjectMeta`.
const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Cuts a whole object to the schema and gives the paths of what was cut off. What is as in `old`, which has been cut,
/// is not looked at again.
pub(super) fn resource(object: &mut Value, old: Option<&Value>, root: &Node) -> Vec<String> {
    let mut unknown = Vec::new();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| {
            let known = METADATA.contains(&name.as_str());
            if !known {
                unknown.push(member("metadata", name));
            }
            known
        });
    }
    // The paths of metadata come first, as from the server.
    let mut below = Vec::new();
    cut(object, old, Place { embedded: true, ..Place::of(Some(root)) }, "", &mut below);
    below.sort();
    unknown.extend(below);
    unknown
}

/// A place in an object and what is known about it.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Without a schema nothing is described: an object loses all its members.
    node: Option<&'a Node>,
    preserve: bool,
    embedded: bool,
}

impl<'a> Place<'a> {
    fn of(node: Option<&'a Node>) -> Self {
        let preserve = node.is_some_and(|node| node.preserve);
        Self { node, preserve, embedded: node.is_some_and(|node| node.embedded) }
    }

    /// The place of a member; None if it is not described.
    fn member(self, name: &str) -> Option<Self> {
        let node = self.node?;
        match (node.properties.get(name), &node.additional) {
            (Some(property), _) => Some(Self::of(Some(property))),
            (None, Some(Additional::Described(node))) => Some(Self::of(Some(node))),
            (None, Some(Additional::Any)) => Some(Self::of(None)),
            (None, None) => None,
        }
    }

    /// The place of the items. What preserves a list preserves what is in its items, too.
    fn items(self) -> Self {
        let below = Self::of(self.node.and_then(|node| node.items.as_deref()));
        Self { preserve: self.preserve || below.preserve, ..below }
    }
}

fn cut(
    value: &mut Value,
    old: Option<&Value>,
    place: Place<'_>,
    path: &str,
    unknown: &mut Vec<String>,
) {
    match value {
        Value::Object(members) => members.retain(|name, value| {
            let old = old.and_then(|old| old.get(name));
            if place.embedded && TYPE_AND_METADATA.contains(&name.as_str()) || old == Some(value) {
                return true;
            }
            let path = member(path, name);
            match place.member(name) {
                Some(below) => cut(value, old, below, &path, unknown),
                None if place.preserve => {}
                None => {
                    unknown.push(path);
                    return false;
                }
            }
            true
        }),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let old = old.and_then(|old| old.get(index));
                if old != Some(item) {
                    cut(item, old, place.items(), &format!("{path}[{index}]"), unknown);
                }
            }
        }
        _ => {}
    }
}

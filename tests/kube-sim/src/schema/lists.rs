//! Lists that are sets or maps: no item and no key twice.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Additional, ListType, Node, member};
use crate::status::{FieldError, FieldErrorKind};

/// The items that are there twice, in the whole value. What is as in `old`, which has none, is not looked at again.
pub(super) fn errors(
    node: &Node,
    path: &str,
    value: &Value,
    old: Option<&Value>,
) -> Vec<FieldError> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                let old = old.and_then(|old| old.get(name));
                match (&node.additional, node.properties.get(name)) {
                    _ if old == Some(value) => Vec::new(),
                    (Some(Additional::Described(below)), _) => {
                        errors(below, &format!("{path}[{name}]"), value, old)
                    }
                    (_, Some(below)) => errors(below, &member(path, name), value, old),
                    _ => Vec::new(),
                }
            })
            .collect(),
        Value::Array(items) => {
            let mut found = match &node.list {
                ListType::Atomic => Vec::new(),
                ListType::Set => duplicates(path, items),
                ListType::Map(keys) => map_errors(path, keys, items),
            };
            if let Some(below) = &node.items {
                found.extend(items.iter().enumerate().flat_map(|(index, item)| {
                    errors(below, &format!("{path}[{index}]"), item, None)
                }));
            }
            found
        }
        _ => Vec::new(),
    }
}

fn map_errors(path: &str, keys: &[String], items: &[Value]) -> Vec<FieldError> {
    let stray = items.iter().position(|item| !item.is_object() && !item.is_null());
    if let Some(index) = stray {
        let why = "must be an object for an array of list-type map";
        let path = format!("{path}[{index}]");
        return vec![FieldError::new(FieldErrorKind::Invalid, path, items[index].clone(), why)];
    }
    duplicates(path, &items.iter().map(|item| key(keys, item)).collect::<Vec<_>>())
}

/// The key of an item: its members that belong to the key, of which some may be missing.
pub(super) fn key(keys: &[String], item: &Value) -> Value {
    let found = keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
    Value::Object(found.collect::<Map<_, _>>())
}

/// Tells of each value that was there before, once.
fn duplicates(path: &str, values: &[Value]) -> Vec<FieldError> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let times = seen.entry(value.to_string()).or_default();
        *times += 1;
        if *times == 2 {
            let path = format!("{path}[{index}]");
            found.push(FieldError::new(FieldErrorKind::Duplicate, path, value.clone(), ""));
        }
    }
    found
}

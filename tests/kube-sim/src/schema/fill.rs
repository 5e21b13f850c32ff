//! Defaults, and nulls that make way for them.

use serde_json::Value;

use super::{Additional, Node};

impl Node {
    /// Whether a null here stands for nothing at all.
    fn refuses_null(&self) -> bool {
        !self.nullable
    }
}

/// The schema of a member, where there is one.
fn of_member<'a>(node: Option<&'a Node>, name: &str) -> Option<&'a Node> {
    let node = node?;
    match (node.properties.get(name), &node.additional) {
        (Some(property), _) => Some(property),
        (None, Some(Additional::Described(node))) => Some(node),
        (None, _) => None,
    }
}

/// Takes away the members that are null, may not be null and have no default. What is as in `old`, which has been
/// filled, is not looked at again.
pub(super) fn drop_nulls(value: &mut Value, old: Option<&Value>, node: Option<&Node>) {
    match value {
        Value::Object(members) => {
            members.retain(|name, member| {
                let old = old.and_then(|old| old.get(name));
                if old == Some(member) {
                    return true;
                }
                let node = of_member(node, name);
                let keep = !member.is_null()
                    || node.is_none_or(|node| !node.refuses_null() || node.default.is_some());
                if keep {
                    drop_nulls(member, old, node);
                }
                keep
            });
        }
        Value::Array(items) => {
            let node = node.and_then(|node| node.items.as_deref());
            for (index, item) in items.iter_mut().enumerate() {
                drop_nulls(item, old.and_then(|old| old.get(index)), node);
            }
        }
        _ => {}
    }
}

/// Sets what is missing, or null and may not be, to its default. What is as in `old`, which has been filled, is not
/// looked at again.
pub(super) fn defaults(value: &mut Value, old: Option<&Value>, node: &Node) {
    match value {
        Value::Object(members) => {
            for (name, property) in &node.properties {
                let Some(default) = &property.default else { continue };
                let found = members.entry(name).or_insert_with(|| default.clone());
                if found.is_null() && property.refuses_null() {
                    found.clone_from(default);
                }
            }
            for (name, member) in members.iter_mut() {
                let old = old.and_then(|old| old.get(name));
                let Some(below) = of_member(Some(node), name).filter(|_| old != Some(member))
                else {
                    continue;
                };
                replace_null(member, below);
                defaults(member, old, below);
            }
        }
        Value::Array(items) => {
            let Some(below) = node.items.as_deref() else { return };
            for (index, item) in items.iter_mut().enumerate() {
                replace_null(item, below);
                defaults(item, old.and_then(|old| old.get(index)), below);
            }
        }
        _ => {}
    }
}

fn replace_null(value: &mut Value, node: &Node) {
    if value.is_null() && node.refuses_null() {
        *value = node.default.clone().unwrap_or_default();
    }
}

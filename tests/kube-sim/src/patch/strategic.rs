//! Strategic merge patches: merge patches that know which lists are merged item by item, and by which member.
//!
//! Source: Kubernetes API reference, `patchStrategy` and `patchMergeKey` of the served kinds; k8s.io/apimachinery v0.36,
//! package `util/strategicpatch`, for the directives.

use serde_json::{Map, Value};

use super::PatchError;

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE: &str = "$deleteFromPrimitiveList/";

/// The lists of a kind that are merged, by their path, and the member that tells their items apart; empty for lists of
/// texts. Every other list is replaced.
type Lists = &'static [(&'static str, &'static str)];

/// Lists in the metadata of every kind.
const METADATA: Lists = &[("metadata.finalizers", ""), ("metadata.ownerReferences", "uid")];

const POD: Lists = &[
    ("spec.hostAliases", "ip"),
    ("spec.imagePullSecrets", "name"),
    ("spec.resourceClaims", "name"),
    ("spec.schedulingGates", "name"),
    ("spec.topologySpreadConstraints", "topologyKey"),
    ("spec.volumes", "name"),
    ("status.conditions", "type"),
    ("status.hostIPs", "ip"),
    ("status.podIPs", "ip"),
    ("status.resourceClaimStatuses", "name"),
];

/// The lists of containers in a pod.
const CONTAINERS: [&str; 3] =
    ["spec.containers", "spec.ephemeralContainers", "spec.initContainers"];

/// Lists in a container.
const CONTAINER: Lists = &[
    ("env", "name"),
    ("ports", "containerPort"),
    ("volumeDevices", "devicePath"),
    ("volumeMounts", "mountPath"),
];

const NODE: Lists =
    &[("spec.podCIDRs", ""), ("status.addresses", "type"), ("status.conditions", "type")];

const NAMESPACE: Lists = &[("status.conditions", "type")];

/// The member that tells the items of a list apart; `None` for a list that is replaced.
fn merge_key(kind: &str, path: &str) -> Option<&'static str> {
    let key_in = |lists: Lists, path: &str| {
        lists.iter().find(|(list, _)| *list == path).map(|(_, key)| *key)
    };
    let lists = match kind {
        "Pod" => POD,
        "Node" => NODE,
        "Namespace" => NAMESPACE,
        _ => &[],
    };
    let inside = CONTAINERS.iter().find_map(|list| path.strip_prefix(list));
    match inside {
        Some("") if kind == "Pod" => Some("name"),
        Some(member) if kind == "Pod" => key_in(CONTAINER, member.strip_prefix('.')?),
        _ => key_in(METADATA, path).or_else(|| key_in(lists, path)),
    }
}

/// Merges a patch into an object of a kind.
pub(super) fn merge(
    kind: &str,
    object: &mut Value,
    patch: &Map<String, Value>,
) -> Result<(), PatchError> {
    match object {
        Value::Object(members) => merge_members(kind, "", members, patch),
        _ => Err(bad("it is for objects")),
    }
}

fn merge_members(
    kind: &str,
    path: &str,
    target: &mut Map<String, Value>,
    change: &Map<String, Value>,
) -> Result<(), PatchError> {
    match change.get(PATCH).map(Value::as_str) {
        None => {}
        Some(Some("replace")) => {
            *target = plain_members(change);
            return Ok(());
        }
        Some(Some("delete")) => {
            target.clear();
            return Ok(());
        }
        Some(_) => return Err(bad(&format!("unknown directive {}", change[PATCH]))),
    }
    if let Some(kept) = change.get(RETAIN_KEYS) {
        let kept = texts(kept)?;
        target.retain(|name, _| kept.contains(&name.as_str()));
    }
    let ordered = orders(target, change)?;
    for (name, value) in change.iter().filter(|(name, _)| !name.starts_with('$')) {
        merge_member(kind, &below(path, name), target, name, value)?;
    }
    for (directive, value) in change {
        if let Some(name) = directive.strip_prefix(DELETE)
            && let Some(Value::Array(items)) = target.get_mut(name)
        {
            let gone = list(value)?;
            items.retain(|item| !gone.contains(item));
        }
    }
    for (name, wanted, before) in ordered {
        let key = merge_key(kind, &below(path, name)).unwrap_or_default();
        if let Some(Value::Array(items)) = target.get_mut(name) {
            reorder(items, wanted, &before, key);
        }
    }
    Ok(())
}

/// A list by its name, the order that is wanted of it, and its items before the patch.
type Ordered<'a> = (&'a str, &'a [Value], Vec<Value>);

fn orders<'a>(
    target: &Map<String, Value>,
    patch: &'a Map<String, Value>,
) -> Result<Vec<Ordered<'a>>, PatchError> {
    let directives =
        patch.iter().filter_map(|(name, value)| Some((name.strip_prefix(ORDER)?, value)));
    let before =
        |name: &str| target.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    directives.map(|(name, value)| Ok((name, list(value)?, before(name)))).collect()
}

fn merge_member(
    kind: &str,
    path: &str,
    target: &mut Map<String, Value>,
    name: &str,
    change: &Value,
) -> Result<(), PatchError> {
    match (target.get_mut(name), change) {
        (_, Value::Null) => {
            target.remove(name);
        }
        (Some(Value::Object(members)), Value::Object(change)) => {
            merge_members(kind, path, members, change)?;
        }
        (Some(Value::Array(items)), Value::Array(change)) => match merge_key(kind, path) {
            None => *items = plain_items(change),
            Some("") => merge_texts(items, change),
            Some(key) => merge_items(kind, path, items, change, key)?,
        },
        _ => {
            target.insert(name.to_owned(), plain(change));
        }
    }
    Ok(())
}

/// Adds what is not there yet.
fn merge_texts(items: &mut Vec<Value>, change: &[Value]) {
    let before = items.clone();
    items.extend(change.iter().filter(|item| !before.contains(item)).cloned());
    reorder(items, change, &before, "");
}

fn merge_items(
    kind: &str,
    path: &str,
    items: &mut Vec<Value>,
    change: &[Value],
    key: &str,
) -> Result<(), PatchError> {
    if change.iter().any(|item| item[PATCH] == "replace") {
        *items = plain_items(change);
        return Ok(());
    }
    let before = items.clone();
    for item in change {
        let Some(members) = item.as_object().filter(|members| members.contains_key(key)) else {
            return Err(bad(&format!("an item at {path} does not contain its key {key}")));
        };
        let found = items.iter_mut().find(|found| found[key] == item[key]);
        match (found, item[PATCH] == "delete") {
            (_, true) => items.retain(|found| found[key] != item[key]),
            (Some(Value::Object(found)), _) => merge_members(kind, path, found, members)?,
            _ => items.push(plain(item)),
        }
    }
    reorder(items, change, &before, key);
    Ok(())
}

/// Puts what `wanted` names into its order. The rest stands where it stood `before`, behind what is new.
fn reorder(items: &mut Vec<Value>, wanted: &[Value], before: &[Value], key: &str) {
    let place = |list: &[Value], item: &Value| {
        list.iter().position(|other| identity(other, key) == identity(item, key))
    };
    let all = std::mem::take(items);
    let (mut named, rest): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|item| place(wanted, item).is_some());
    named.sort_by_key(|item| place(wanted, item));
    let mut named = named.into_iter().peekable();
    for item in rest {
        let stood = place(before, &item);
        let comes_first = |next: &Value| match (place(before, next), stood) {
            (Some(next), Some(stood)) => next < stood,
            _ => true,
        };
        while let Some(next) = named.next_if(comes_first) {
            items.push(next);
        }
        items.push(item);
    }
    items.extend(named);
}

/// What tells an item apart: its key, or itself.
fn identity<'a>(item: &'a Value, key: &str) -> &'a Value {
    if key.is_empty() { item } else { &item[key] }
}

/// The value without directives, and without the members of objects that are null.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(plain_members(members)),
        Value::Array(items) => Value::Array(plain_items(items)),
        scalar => scalar.clone(),
    }
}

fn plain_members(members: &Map<String, Value>) -> Map<String, Value> {
    let kept = members.iter().filter(|(name, value)| !name.starts_with('$') && !value.is_null());
    kept.map(|(name, value)| (name.clone(), plain(value))).collect()
}

/// Items that are there for their directive alone are left out.
fn plain_items(items: &[Value]) -> Vec<Value> {
    items.iter().filter(|item| item.get(PATCH).is_none()).map(plain).collect()
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn list(value: &Value) -> Result<&[Value], PatchError> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| bad("a directive is no list"))
}

fn texts(value: &Value) -> Result<Vec<&str>, PatchError> {
    Ok(list(value)?.iter().filter_map(Value::as_str).collect())
}

fn bad(why: &str) -> PatchError {
    PatchError::Misdirected(why.to_owned())
}

//! Reads and edits the `metadata` of an object in JSON.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

/// A text member of `metadata`; `None` where it is absent, empty or no text.
pub(crate) fn text<'a>(object: &'a Value, member: &str) -> Option<&'a str> {
    object["metadata"][member].as_str().filter(|text| !text.is_empty())
}

/// The members of `metadata`, which is made an object where it is none.
pub(crate) fn members(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let metadata = &mut object["metadata"];
    if !metadata.is_object() {
        *metadata = Value::Object(Map::new());
    }
    match metadata {
        Value::Object(members) => members,
        _ => unreachable!("made an object above"),
    }
}

/// Sets a member of `metadata`, or removes it with `Null`.
pub(crate) fn set(object: &mut Value, member: &str, value: Value) {
    if value.is_null() {
        members(object).remove(member);
    } else {
        members(object).insert(member.to_owned(), value);
    }
}

/// Gives `to` the member of `metadata` that `from` has, or none where it has none.
pub(crate) fn copy(from: &Value, to: &mut Value, member: &str) {
    set(to, member, from["metadata"][member].clone());
}

/// Whether the object waits for somebody before it may go.
pub(crate) fn has_finalizers(object: &Value) -> bool {
    object["metadata"]["finalizers"].as_array().is_some_and(|finalizers| !finalizers.is_empty())
}

/// Whether the object has been asked to go.
pub(crate) fn is_terminating(object: &Value) -> bool {
    text(object, "deletionTimestamp").is_some()
}

/// Counts a change of what the object's owner wants.
pub(crate) fn raise_generation(object: &mut Value) {
    let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
    set(object, "generation", (generation + 1).into());
}

/// A time as objects carry it: RFC 3339 in UTC, whole seconds.
pub(crate) fn time(now: Timestamp) -> String {
    now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

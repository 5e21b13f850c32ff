//! What clients may write into `metadata`: labels, finalizers, owner references.

use serde_json::Value;

use super::{Refusal, review};
use crate::resource::Resource;
use crate::selector::{key_faults, value_faults};
use crate::status::{FieldError, FieldErrorKind, Status};

/// Bytes that all annotations together may have.
const ANNOTATIONS_MAX: usize = 256 << 10;

/// Members of `metadata` that are text.
const TEXTS: [&str; 8] = [
    "creationTimestamp",
    "deletionTimestamp",
    "generateName",
    "name",
    "namespace",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Members of `metadata` that are whole numbers.
const NUMBERS: [&str; 2] = ["deletionGracePeriodSeconds", "generation"];

/// Refuses `metadata` whose members are of other JSON types than they must be.
pub(super) fn check_types(object: &Value) -> Result<(), Refusal> {
    let metadata = &object["metadata"];
    let is_texts = |value: &Value| match value {
        Value::Null => true,
        Value::Object(members) => {
            members.values().all(|value| value.is_string() || value.is_null())
        }
        _ => false,
    };
    let is_list = |value: &Value, of: fn(&Value) -> bool| match value {
        Value::Null => true,
        Value::Array(items) => items.iter().all(of),
        _ => false,
    };
    let is_text = |member: &&str| metadata[*member].is_string() || metadata[*member].is_null();
    let is_number = |member: &&str| metadata[*member].is_i64() || metadata[*member].is_null();
    let fits = (metadata.is_null() || metadata.is_object())
        && TEXTS.iter().all(is_text)
        && NUMBERS.iter().all(is_number)
        && is_texts(&metadata["labels"])
        && is_texts(&metadata["annotations"])
        && is_list(&metadata["finalizers"], Value::is_string)
        && is_list(&metadata["ownerReferences"], Value::is_object);
    if fits {
        return Ok(());
    }
    let why = "json: cannot unmarshal metadata: a member of it is of another type than it must be";
    Err(Status::bad_request(why).into())
}

/// Refuses names that are none and references that refer to nothing.
pub(super) fn check(resource: &Resource, object: &Value) -> Result<(), Refusal> {
    let metadata = &object["metadata"];
    let mut errors = Vec::new();
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        errors.extend(key_faults(key).into_iter().map(|why| invalid("labels", key, why)));
        errors.extend(value_faults(text).into_iter().map(|why| invalid("labels", text, why)));
    }
    errors.extend(annotation_faults(&metadata["annotations"]));
    errors.extend(controller_fault(&metadata["ownerReferences"]));
    for owner in metadata["ownerReferences"].as_array().into_iter().flatten() {
        errors.extend(reference_faults(owner));
    }
    for finalizer in metadata["finalizers"].as_array().into_iter().flatten() {
        let text = finalizer.as_str().unwrap_or_default();
        errors.extend(key_faults(text).into_iter().map(|why| invalid("finalizers", text, why)));
    }
    if errors.is_empty() { Ok(()) } else { Err(review::invalid(resource, object, &errors)) }
}

/// Names that are none, and more text than the server keeps.
fn annotation_faults(annotations: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut size = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        size += key.len() + value.as_str().unwrap_or_default().len();
        // Unlike those of labels, their names may be in capitals before the slash.
        let faults = key_faults(&key.to_lowercase());
        errors.extend(faults.into_iter().map(|why| invalid("annotations", key, why)));
    }
    if ANNOTATIONS_MAX < size {
        let why = format!("may not be more than {ANNOTATIONS_MAX} bytes");
        let kind = FieldErrorKind::TooLong;
        errors.push(FieldError::new(kind, "metadata.annotations", Value::Null, why));
    }
    errors
}

/// Only one owner may be the controller.
fn controller_fault(owners: &Value) -> Option<FieldError> {
    let mut controllers =
        owners.as_array().into_iter().flatten().filter(|owner| owner["controller"] == true);
    let first = controllers.next()?;
    // Who is named twice in the same words counts once.
    let second = controllers.find(|owner| *owner != first)?;
    let named = |owner: &Value| {
        let text = |member: &str| owner[member].as_str().unwrap_or_default().to_owned();
        format!("{}/{}", text("kind"), text("name"))
    };
    let why = format!(
        "Only one reference can have Controller set to true. Found \"true\" in references for {} and {}",
        named(first),
        named(second)
    );
    let kind = FieldErrorKind::Invalid;
    Some(FieldError::new(kind, "metadata.ownerReferences", owners.clone(), why))
}

fn reference_faults(owner: &Value) -> Vec<FieldError> {
    let members = [
        ("apiVersion", "version must not be empty"),
        ("kind", "must not be empty"),
        ("name", "must not be empty"),
        ("uid", "must not be empty"),
    ];
    let absent =
        members.into_iter().filter(|(member, _)| owner[*member].as_str().is_none_or(str::is_empty));
    absent
        .map(|(member, why)| invalid(&format!("ownerReferences.{member}"), "", why.into()))
        .collect()
}

fn invalid(member: &str, value: &str, why: String) -> FieldError {
    FieldError::new(FieldErrorKind::Invalid, format!("metadata.{member}"), value, why)
}

//! What every write goes through: kind, name, unknown fields, defaults, schema.

use serde_json::Value;

use super::{Part, Refusal};
use crate::resource::Resource;
use crate::status::{FieldError, FieldErrorKind, Status};
use crate::{metadata, schema};

/// What happens to members that the schema does not know. They are dropped in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldValidation {
    /// The write is refused.
    Strict,
    /// The client is warned.
    #[default]
    Warn,
    /// Nothing.
    Ignore,
}

/// Parameters that all writes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// Answers as if the write were done, and does not do it.
    pub dry_run: bool,
    /// What happens to unknown members.
    pub field_validation: FieldValidation,
}

/// Refuses a body that is of another kind than the path says. A built-in object may leave it out.
pub(super) fn check_kind(resource: &Resource, object: &mut Value) -> Result<(), Refusal> {
    if !object.is_object() {
        return Err(Status::bad_request("the object provided is no JSON object").into());
    }
    let expected = [("apiVersion", resource.api_version()), ("kind", resource.kind.clone())];
    for (member, expected) in expected {
        match object[member].as_str().unwrap_or_default() {
            found if found == expected => {}
            "" if resource.schema.is_none() => object[member] = expected.into(),
            found => return Err(another_kind(resource, object, member, found, &expected)),
        }
    }
    Ok(())
}

fn another_kind(
    resource: &Resource,
    object: &Value,
    member: &str,
    found: &str,
    expected: &str,
) -> Refusal {
    if member == "apiVersion" && !found.is_empty() {
        return Status::bad_request(format!(
            "the API version in the data ({found}) does not match the expected API version ({expected})"
        ))
        .into();
    }
    if found.is_empty() || resource.schema.is_none() {
        let why =
            format!("the {member} in the data ({found}) does not match the expected {expected}");
        return Status::bad_request(why).into();
    }
    let error =
        FieldError::new(FieldErrorKind::Invalid, "kind", found, format!("must be {expected}"));
    let name = metadata::text(object, "name").unwrap_or_default();
    Status::invalid(&format!("{found}.{}", resource.group), name, &[error]).into()
}

/// Refuses a body that names another namespace than the path, and puts in that of the path.
pub(super) fn settle_namespace(
    resource: &Resource,
    object: &mut Value,
    namespace: &str,
) -> Result<(), Refusal> {
    if !resource.namespaced {
        metadata::set(object, "namespace", Value::Null);
        return Ok(());
    }
    if metadata::text(object, "namespace").is_some_and(|found| found != namespace) {
        let message =
            "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(message).into());
    }
    metadata::set(object, "namespace", namespace.into());
    Ok(())
}

/// The object that a write replaces, and how it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replaced<'a> {
    pub(super) old: &'a Value,
    pub(super) part: Part,
    /// Whether the new object is what a patch made, of which unknown members are reported another way.
    pub(super) patched: bool,
}

/// Drops what the schema does not know, puts in its defaults and holds the object against it. Answers warnings.
pub(super) fn shape(
    resource: &Resource,
    object: &mut Value,
    validation: FieldValidation,
    replaced: Option<Replaced<'_>>,
) -> Result<Vec<String>, Refusal> {
    let Some(schema) = &resource.schema else { return Ok(Vec::new()) };
    let old = replaced.map(|replaced| replaced.old);
    let unknown = schema.prune(object, old);
    if validation == FieldValidation::Strict
        && let Some(why) = schema::strict_decoding_error(&unknown)
    {
        return Err(strict(resource, &why, replaced).into());
    }
    schema.fill(object, old);
    let errors = match replaced {
        Some(Replaced { old, part: Part::Status, .. }) if resource.status_subresource => {
            schema.validate_status(object, old)
        }
        _ => schema.validate(object, old),
    };
    if !errors.is_empty() {
        return Err(invalid(resource, object, &errors));
    }
    let warns = validation == FieldValidation::Warn;
    Ok(if warns { schema::unknown_field_warnings(&unknown) } else { Vec::new() })
}

fn strict(resource: &Resource, why: &str, replaced: Option<Replaced<'_>>) -> Status {
    if replaced.is_some_and(|replaced| replaced.patched) {
        return *invalid_patch(why);
    }
    let Resource { kind, version, .. } = resource;
    Status::bad_request(format!(
        "{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"
    ))
}

/// 422 about a patch.
pub(super) fn invalid_patch(why: &str) -> Refusal {
    let error = FieldError::new(FieldErrorKind::Invalid, "patch", Value::Null, why);
    Status::invalid("", "", &[error]).into()
}

/// 422 about an object.
pub(super) fn invalid(resource: &Resource, object: &Value, errors: &[FieldError]) -> Refusal {
    let kind = match resource.group.as_str() {
        "" => resource.kind.clone(),
        group => format!("{}.{group}", resource.kind),
    };
    let name = metadata::text(object, "name").unwrap_or_default();
    Status::invalid(&kind, name, errors).into()
}

/// Refuses a name that is not made as RFC 1123 says: namespaces are labels, everything else subdomains.
pub(super) fn check_name(resource: &Resource, object: &Value) -> Result<(), Refusal> {
    let name = metadata::text(object, "name").unwrap_or_default();
    if name.is_empty() {
        let why = "name or generateName is required";
        let error = FieldError::new(FieldErrorKind::Required, "metadata.name", Value::Null, why);
        return Err(invalid(resource, object, &[error]));
    }
    let fault = if resource.qualified_name() == crate::builtin::NAMESPACE {
        label_fault(name)
    } else {
        subdomain_fault(name)
    };
    let Some(why) = fault else { return Ok(()) };
    let error = FieldError::new(FieldErrorKind::Invalid, "metadata.name", name, why);
    Err(invalid(resource, object, &[error]))
}

fn label_fault(name: &str) -> Option<String> {
    if 63 < name.len() {
        return Some("must be no more than 63 characters".into());
    }
    (!is_label(name)).then(|| {
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
         end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
         '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
            .into()
    })
}

fn subdomain_fault(name: &str) -> Option<String> {
    if 253 < name.len() {
        return Some("must be no more than 253 characters".into());
    }
    (!name.split('.').all(is_label)).then(|| {
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
         start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
         '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            .into()
    })
}

fn is_label(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.into_iter().all(|end| end.is_some_and(|&byte| inside(byte)))
        && bytes.iter().all(|&byte| inside(byte) || byte == b'-')
}

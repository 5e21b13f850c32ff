//! Replacing and patching objects, and what each of the two parts of an object may change.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::review::{self, Replaced, WriteOptions};
use super::{Refusal, Store, Written, labels};
use crate::api::malformed_version;
use crate::patch::Patch;
use crate::resource::{Resource, ResourceId};
use crate::status::{FieldError, FieldErrorKind, Status};
use crate::stored::{Key, Stored};
use crate::{builtin, metadata};

/// Which part of an object a write is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything but the status, where the resource has a status subresource; else everything.
    Main,
    /// The status subresource.
    Status,
}

impl Store {
    /// Replaces an object, or its status. An event or a Lease that does not exist is created.
    ///
    /// # Errors
    ///
    /// 400, 404, 409 where the object is another or another version than the client read, 422.
    pub fn update(
        &mut self,
        id: ResourceId,
        key: &Key,
        part: Part,
        object: Value,
        options: WriteOptions,
        now: Timestamp,
    ) -> Result<Written, Refusal> {
        let resource = self.collection(id)?.resource.clone();
        let stored = match self.get(id, key) {
            Err(_) if part == Part::Main && builtin::creates_on_update(&resource) => {
                return self.create_at(id, key, object, options, now);
            }
            found => found?,
        };
        let old = stored.value();
        let mut change = Change { resource, stored, old, part, object, patched: false };
        check_version_is_given(&mut change)?;
        self.replace(id, change, options, now)
    }

    /// Creates the object that an update found missing.
    fn create_at(
        &mut self,
        id: ResourceId,
        key: &Key,
        mut object: Value,
        options: WriteOptions,
        now: Timestamp,
    ) -> Result<Written, Refusal> {
        labels::check_types(&object)?;
        check_name(&object, &key.name)?;
        let resource = &self.collection(id)?.resource;
        if let Some(uid) = metadata::text(&object, "uid") {
            let why =
                format!("Precondition failed: UID in precondition: {uid}, UID in object meta: ");
            let qualified = resource.qualified_name();
            return Err(Status::cannot_fulfil(&qualified, &key.name, &why).into());
        }
        if object.is_object() {
            metadata::set(&mut object, "resourceVersion", Value::Null);
        }
        self.create(id, &key.namespace, object, options, now)
    }

    /// Applies a patch to an object, or to its status.
    ///
    /// # Errors
    ///
    /// Those of [`Store::update`], and 422 where the patch does not fit.
    pub fn patch(
        &mut self,
        id: ResourceId,
        key: &Key,
        part: Part,
        patch: &Patch,
        options: WriteOptions,
        now: Timestamp,
    ) -> Result<Written, Refusal> {
        let stored = self.get(id, key)?;
        let resource = self.collection(id)?.resource.clone();
        let old = stored.value();
        let object = patch.apply(&old).map_err(Status::from)?;
        let mut change = Change { resource, stored, old, part, object, patched: true };
        check_name(&change.object, &key.name)?;
        check_version_is_given(&mut change)?;
        self.replace(id, change, options, now)
    }

    fn replace(
        &mut self,
        id: ResourceId,
        mut change: Change,
        options: WriteOptions,
        now: Timestamp,
    ) -> Result<Written, Refusal> {
        check_identity(&mut change)?;
        let Change { resource, stored, old, part, object, patched } = change;
        let mut object = isolate(&resource, part, &old, object);
        keep(&old, &mut object);
        let replaced = Replaced { old: &old, part, patched };
        let validation = options.field_validation;
        let warnings = review::shape(&resource, &mut object, validation, Some(replaced))?;
        check_finalizers(&resource, &old, &object)?;
        labels::check(&resource, &object)?;
        let registers = match part {
            Part::Main => self.definition(&resource, &mut object, None)?,
            Part::Status => None,
        };
        if object == old {
            return Ok(Written { object: stored, warnings });
        }
        if is_wanted_change(&resource, &old, &object) {
            metadata::raise_generation(&mut object);
        }
        if options.dry_run {
            let object = Arc::new(Stored::new(object, stored.version()));
            return Ok(Written { object, warnings });
        }
        let released = metadata::is_terminating(&object) && !metadata::has_finalizers(&object);
        if released && resource.qualified_name() != builtin::NAMESPACE {
            let object = self.remove(id, stored, object, now);
            return Ok(Written { object, warnings });
        }
        let object = self.commit(id, Some(stored), object, false);
        if let Some(registers) = registers {
            self.register_again(registers);
        }
        if resource.qualified_name() == builtin::NAMESPACE {
            self.finish_namespace(&object.key().name, now);
        }
        self.collect_if_orphaned(id, object.key(), now);
        Ok(Written { object, warnings })
    }

    /// Serves a resource as its changed definition says.
    fn register_again(&mut self, resource: Resource) {
        let served = self.find(&resource.group, &resource.plural);
        if let Some(collection) = served.and_then(|id| self.collections.get_mut(&id)) {
            // What older objects lack they get when they are read, which is no write.
            for stored in collection.objects.values_mut() {
                *stored = Arc::new(Stored::new(reshaped(&resource, stored), stored.version()));
            }
            collection.resource = Arc::new(resource);
        }
    }
}

/// A stored object as a changed schema shows it.
fn reshaped(resource: &Resource, stored: &Stored) -> Value {
    let mut object = stored.value();
    if let Some(schema) = &resource.schema {
        schema.prune(&mut object, None);
        schema.fill(&mut object, None);
    }
    object
}

/// A write on its way.
struct Change {
    resource: Arc<Resource>,
    stored: Arc<Stored>,
    /// The stored object as a tree.
    old: Value,
    part: Part,
    object: Value,
    patched: bool,
}

/// A replacement says which version it replaces, or that of the resource may be left out.
fn check_version_is_given(change: &mut Change) -> Result<(), Refusal> {
    if metadata::text(&change.object, "resourceVersion").is_some() {
        return Ok(());
    }
    if !builtin::allows_unconditional_update(&change.resource) {
        let why = "must be specified for an update";
        let kind = FieldErrorKind::Invalid;
        let error = FieldError::new(kind, "metadata.resourceVersion", 0, why);
        let name = metadata::text(&change.object, "name").unwrap_or_default();
        return Err(Status::invalid(&change.resource.qualified_name(), name, &[error]).into());
    }
    let version = change.stored.version().to_string();
    metadata::set(&mut change.object, "resourceVersion", version.into());
    Ok(())
}

/// Refuses an object of another name than the path.
fn check_name(object: &Value, name: &str) -> Result<(), Refusal> {
    let found = metadata::text(object, "name").unwrap_or_default();
    if found == name {
        return Ok(());
    }
    Err(Status::bad_request(format!(
        "the name of the object ({found}) does not match the name on the URL ({name})"
    ))
    .into())
}

/// Refuses a write that is about another object, or about another version of it.
fn check_identity(change: &mut Change) -> Result<(), Refusal> {
    let Change { resource, stored, part, object, patched, .. } = change;
    labels::check_types(object).map_err(|refusal| {
        // What a patch made is nothing that the client has written.
        if *patched { review::invalid_patch(refusal.message()) } else { refusal }
    })?;
    review::check_kind(resource, object)?;
    review::settle_namespace(resource, object, &stored.key().namespace)?;
    let name = &stored.key().name;
    check_name(object, name)?;
    let qualified = resource.qualified_name();
    // Of what a patch makes of a custom resource's status, nothing of the metadata is looked at but the version.
    let is_status = *part == Part::Status && resource.status_subresource;
    let is_heeded = !(*patched && is_status && resource.schema.is_some());
    let uid = metadata::text(object, "uid").filter(|uid| is_heeded && *uid != stored.uid());
    if let Some(uid) = uid {
        if *patched {
            let why = "field is immutable";
            let error = FieldError::new(FieldErrorKind::Invalid, "metadata.uid", uid, why);
            return Err(review::invalid(resource, object, &[error]));
        }
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            stored.uid()
        );
        return Err(Status::cannot_fulfil(&qualified, name, &why).into());
    }
    if let Some(asked) = metadata::text(object, "resourceVersion")
        && asked.parse::<u64>().is_err()
    {
        return Err(Status::unforeseen(malformed_version(asked)).into());
    }
    let version = stored.version().to_string();
    if metadata::text(object, "resourceVersion").is_some_and(|asked| asked != version) {
        return Err(Status::conflict(&qualified, name).into());
    }
    Ok(())
}

/// What a write makes of an object: only the part that it is about changes.
fn isolate(resource: &Resource, part: Part, old: &Value, mut new: Value) -> Value {
    if !resource.status_subresource {
        return new;
    }
    if part == Part::Main {
        move_status(old, &mut new);
        return new;
    }
    let mut object = old.clone();
    move_status(&new, &mut object);
    if resource.schema.is_none() {
        // The status subresource of built-in objects takes labels, annotations and finalizers along.
        object["metadata"] = new["metadata"].take();
        metadata::copy(old, &mut object, "ownerReferences");
    }
    object
}

fn move_status(from: &Value, to: &mut Value) {
    let Some(members) = to.as_object_mut() else { return };
    match from.get("status") {
        Some(status) if members.get("status") == Some(status) => None,
        Some(status) => members.insert("status".into(), status.clone()),
        None => members.remove("status"),
    };
}

/// Puts back what no client may change.
fn keep(old: &Value, object: &mut Value) {
    for member in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
    ] {
        metadata::copy(old, object, member);
    }
    metadata::set(object, "managedFields", Value::Null);
    metadata::set(object, "selfLink", Value::Null);
}

/// An object that is going takes no further finalizers.
fn check_finalizers(resource: &Resource, old: &Value, new: &Value) -> Result<(), Refusal> {
    if !metadata::is_terminating(old) {
        return Ok(());
    }
    let of =
        |object: &Value| object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let before = of(old);
    let added = of(new).into_iter().filter(|finalizer| !before.contains(finalizer));
    let added: Vec<_> = added.map(|finalizer| finalizer.to_string()).collect();
    if added.is_empty() {
        return Ok(());
    }
    let why = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        added.join(", ")
    );
    let kind = FieldErrorKind::Forbidden;
    let error = FieldError::new(kind, "metadata.finalizers", Value::Null, why);
    // Custom resources are checked twice on a real server, and both complain.
    let times = if resource.schema.is_some() { 2 } else { 1 };
    Err(review::invalid(resource, new, &vec![error; times]))
}

/// Whether a write changes what the object's owner wants, as opposed to what is seen of it.
fn is_wanted_change(resource: &Resource, old: &Value, new: &Value) -> bool {
    if !builtin::has_generation(resource) {
        return false;
    }
    if resource.schema.is_none() {
        return old.get("spec") != new.get("spec");
    }
    let is_wanted = |member: &&String| match member.as_str() {
        "metadata" => false,
        "status" => !resource.status_subresource,
        _ => true,
    };
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return true };
    let mut members = old.keys().chain(new.keys()).filter(is_wanted);
    members.any(|member| old.get(member) != new.get(member))
}

//! Deleting objects: at once, or when the last finalizer is gone.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::{Refusal, Store};
use crate::resource::{Resource, ResourceId};
use crate::status::Status;
use crate::stored::{Key, Stored};
use crate::watchers::Selection;
use crate::{builtin, metadata};

/// What becomes of objects that the deleted one owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Propagation {
    /// They go.
    #[default]
    Background,
    /// They go, and it goes after them.
    Foreground,
    /// They stay, and no longer name it.
    Orphan,
}

/// Parameters of a delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// The only uid to delete.
    pub uid: Option<String>,
    /// The only resource version to delete.
    pub resource_version: Option<String>,
    /// What becomes of dependents.
    pub propagation: Propagation,
    /// Answers as if it were done, and does not do it.
    pub dry_run: bool,
}

/// What a delete did.
#[derive(Debug, Clone)]
pub enum Deleted {
    /// The object is gone. This was its last state.
    Gone(Arc<Stored>),
    /// The object waits for its finalizers, or a namespace for what is in it.
    Waiting(Arc<Stored>),
}

impl Store {
    /// Deletes one object.
    ///
    /// # Errors
    ///
    /// 404, or 409 where a precondition does not hold.
    pub fn delete(
        &mut self,
        id: ResourceId,
        key: &Key,
        options: &DeleteOptions,
        now: Timestamp,
    ) -> Result<Deleted, Refusal> {
        let object = self.get(id, key)?;
        let resource = self.collection(id)?.resource.clone();
        check_preconditions(&resource, &object, options)?;
        if options.dry_run {
            let waits = metadata::has_finalizers(&object.value());
            return Ok(if waits { Deleted::Waiting(object) } else { Deleted::Gone(object) });
        }
        match options.propagation {
            Propagation::Background => {}
            Propagation::Foreground => return Ok(self.delete_in_foreground(id, object, now)),
            Propagation::Orphan => self.orphan_dependents(object.uid()),
        }
        Ok(self.start_deletion(id, key, now).unwrap_or(Deleted::Gone(object)))
    }

    /// Deletes every object of a selection. Answers those that were there.
    ///
    /// # Errors
    ///
    /// 404 for a resource that is not served.
    pub fn delete_collection(
        &mut self,
        selection: &Selection,
        options: &DeleteOptions,
        now: Timestamp,
    ) -> Result<Vec<Arc<Stored>>, Refusal> {
        let objects = self.collection(selection.resource)?.objects.values();
        let meant: Vec<_> = objects.filter(|object| selection.matches(object)).cloned().collect();
        for object in &meant {
            // One that went with another of them is no error.
            let _ = self.delete(selection.resource, object.key(), options, now);
        }
        Ok(meant)
    }

    /// Removes an object, or marks it where somebody waits for it. `None` where there is none.
    pub(super) fn start_deletion(
        &mut self,
        id: ResourceId,
        key: &Key,
        now: Timestamp,
    ) -> Option<Deleted> {
        let stored = self.get(id, key).ok()?;
        let mut object = stored.value();
        let is_namespace = self.is_namespace(id);
        if !metadata::has_finalizers(&object) && !is_namespace {
            return Some(Deleted::Gone(self.remove(id, stored, object, now)));
        }
        if metadata::is_terminating(&object) {
            return Some(Deleted::Waiting(stored));
        }
        if is_namespace {
            object["status"]["phase"] = "Terminating".into();
        }
        let marked = self.mark(id, stored, object, now);
        if is_namespace {
            self.empty_namespace(&key.name, now);
        }
        Some(Deleted::Waiting(marked))
    }

    /// Says of an object that it is to go.
    pub(super) fn mark(
        &mut self,
        id: ResourceId,
        stored: Arc<Stored>,
        mut object: Value,
        now: Timestamp,
    ) -> Arc<Stored> {
        metadata::set(&mut object, "deletionTimestamp", metadata::time(now).into());
        if !self.is_namespace(id) {
            metadata::set(&mut object, "deletionGracePeriodSeconds", 0.into());
        }
        if !object["metadata"]["generation"].is_null() {
            metadata::raise_generation(&mut object);
        }
        self.commit(id, Some(stored), object, false)
    }

    /// Removes an object whose last state is `object`, and what goes with it.
    pub(super) fn remove(
        &mut self,
        id: ResourceId,
        stored: Arc<Stored>,
        object: Value,
        now: Timestamp,
    ) -> Arc<Stored> {
        let gone = self.commit(id, Some(stored), object, true);
        let resource = self.resource(id).map(|resource| resource.qualified_name());
        if resource.as_deref() == Some(builtin::DEFINITION) {
            self.unregister(&gone.key().name, now);
        }
        self.collect_dependents(gone.uid(), now);
        for owner in gone.owners() {
            self.finish_foreground(owner, now);
        }
        if !gone.key().namespace.is_empty() {
            self.finish_namespace(&gone.key().namespace, now);
        }
        gone
    }

    fn is_namespace(&self, id: ResourceId) -> bool {
        self.find("", builtin::NAMESPACE) == Some(id)
    }

    /// Stops serving a resource. Its objects go without waiting for anybody, and watches of it end.
    fn unregister(&mut self, qualified_name: &str, now: Timestamp) {
        let named = |resource: &Resource| resource.qualified_name() == qualified_name;
        let found = self.resources().find(|(_, resource)| named(resource)).map(|(id, _)| id);
        let Some(id) = found else { return };
        let objects = self.collections.get(&id).map(|collection| collection.objects.clone());
        for (_, object) in objects.into_iter().flatten() {
            let last = object.value();
            self.remove(id, object, last, now);
        }
        self.collections.remove(&id);
        self.watchers.end_all(id);
    }
}

fn check_preconditions(
    resource: &Resource,
    object: &Stored,
    options: &DeleteOptions,
) -> Result<(), Refusal> {
    let kind = match resource.group.as_str() {
        "" => resource.kind.clone(),
        group => format!("{}.{group}", resource.kind),
    };
    let name = &object.key().name;
    if let Some(uid) = options.uid.as_deref().filter(|uid| *uid != object.uid()) {
        return Err(Status::uid_precondition(&kind, name, uid, object.uid()).into());
    }
    let version = object.version().to_string();
    match options.resource_version.as_deref().filter(|asked| *asked != version) {
        Some(asked) => {
            Err(Status::resource_version_precondition(&kind, name, asked, &version).into())
        }
        None => Ok(()),
    }
}

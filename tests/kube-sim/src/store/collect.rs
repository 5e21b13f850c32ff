//! Owner references: an object goes when all its owners are gone.
//!
//! Source: Kubernetes documentation, Garbage collection. Unlike a real server's, this collector is at work within
//! the write that removes the last owner.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::{Deleted, Store};
use crate::metadata;
use crate::resource::ResourceId;
use crate::stored::{Key, Stored};

/// The finalizer of an object that goes after what it owns.
const FOREGROUND: &str = "foregroundDeletion";

impl Store {
    pub(super) fn note_references(&mut self, id: ResourceId, object: &Arc<Stored>) {
        self.uids.insert(object.uid().into(), (id, object.key().clone()));
        for owner in object.owners() {
            let place = (id, object.key().clone());
            self.dependents.entry(owner.into()).or_default().insert(place);
        }
    }

    pub(super) fn forget_references(&mut self, id: ResourceId, object: &Stored) {
        self.uids.remove(object.uid());
        let place = (id, object.key().clone());
        for owner in object.owners() {
            if let Some(places) = self.dependents.get_mut(owner) {
                places.remove(&place);
                if places.is_empty() {
                    self.dependents.remove(owner);
                }
            }
        }
    }

    /// Deletes what only lived for the object with `uid`, which is gone; from the rest that named it the reference
    /// is taken.
    pub(super) fn collect_dependents(&mut self, uid: &str, now: Timestamp) {
        let places = self.dependents.get(uid).cloned().unwrap_or_default();
        for (id, key) in places {
            let Ok(object) = self.get(id, &key) else { continue };
            if self.is_orphan(&object) {
                self.start_deletion(id, &key, now);
            } else {
                self.drop_reference(id, object, uid);
            }
        }
    }

    /// Marks an object that goes only after what it owns, and starts with that.
    pub(super) fn delete_in_foreground(
        &mut self,
        id: ResourceId,
        stored: Arc<Stored>,
        now: Timestamp,
    ) -> Deleted {
        let mut object = stored.value();
        if metadata::is_terminating(&object) {
            return Deleted::Waiting(stored);
        }
        let mut finalizers =
            object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
        finalizers.push(FOREGROUND.into());
        metadata::set(&mut object, "finalizers", finalizers.into());
        let marked = self.mark(id, stored, object, now);
        let dependents = self.dependents.get(marked.uid()).cloned().unwrap_or_default();
        for (id, key) in dependents {
            self.start_deletion(id, &key, now);
        }
        self.finish_foreground(marked.uid(), now);
        Deleted::Waiting(marked)
    }

    /// Lets an object go that waited for what it owns, once that is gone.
    pub(super) fn finish_foreground(&mut self, uid: &str, now: Timestamp) {
        let Some((id, key)) = self.uids.get(uid).cloned() else { return };
        let Ok(stored) = self.get(id, &key) else { return };
        if self.dependents.contains_key(uid) {
            return;
        }
        let mut object = stored.value();
        let Some(finalizers) = object["metadata"]["finalizers"].as_array_mut() else { return };
        let before = finalizers.len();
        finalizers.retain(|finalizer| finalizer != FOREGROUND);
        if finalizers.len() == before {
            return;
        }
        if finalizers.is_empty() {
            metadata::set(&mut object, "finalizers", Value::Null);
            self.remove(id, stored, object, now);
        } else {
            self.commit(id, Some(stored), object, false);
        }
    }

    /// Takes the references to the object with `uid` from everything that names it.
    pub(super) fn orphan_dependents(&mut self, uid: &str) {
        let places = self.dependents.get(uid).cloned().unwrap_or_default();
        for (id, key) in places {
            if let Ok(object) = self.get(id, &key) {
                self.drop_reference(id, object, uid);
            }
        }
    }

    fn drop_reference(&mut self, id: ResourceId, stored: Arc<Stored>, uid: &str) {
        let mut object = stored.value();
        if let Some(owners) = object["metadata"]["ownerReferences"].as_array_mut() {
            owners.retain(|owner| owner["uid"] != uid);
            if owners.is_empty() {
                metadata::set(&mut object, "ownerReferences", Value::Null);
            }
        }
        self.commit(id, Some(stored), object, false);
    }

    /// Deletes an object that was written with owners none of which exist.
    pub(super) fn collect_if_orphaned(&mut self, id: ResourceId, key: &Key, now: Timestamp) {
        if let Ok(object) = self.get(id, key)
            && self.is_orphan(&object)
        {
            self.start_deletion(id, key, now);
        }
    }

    /// Whether the object has owners and all of them are gone. An owner of a kind that is not served counts as
    /// there.
    fn is_orphan(&self, object: &Stored) -> bool {
        let mut owners = object.owners().peekable();
        if owners.peek().is_none() || owners.any(|owner| self.uids.contains_key(owner)) {
            return false;
        }
        let value = object.value();
        let owners = value["metadata"]["ownerReferences"].as_array().into_iter().flatten();
        owners.into_iter().all(|owner| self.serves(&owner["apiVersion"], &owner["kind"]))
    }

    fn serves(&self, api_version: &Value, kind: &Value) -> bool {
        self.resources().any(|(_, resource)| {
            *kind == resource.kind.as_str() && *api_version == resource.api_version().as_str()
        })
    }
}

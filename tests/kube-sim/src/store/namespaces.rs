//! Namespaces: what lives in them needs them, and goes with them.

use jiff::Timestamp;
use serde_json::Value;

use super::{Refusal, Store};
use crate::resource::{Resource, ResourceId};
use crate::status::Status;
use crate::stored::Key;
use crate::{builtin, metadata};

impl Store {
    /// Refuses a new object whose namespace does not exist or is going.
    pub(super) fn check_namespace(
        &self,
        resource: &Resource,
        object: &Value,
    ) -> Result<(), Refusal> {
        if !resource.namespaced {
            return Ok(());
        }
        let namespaces = self.find("", builtin::NAMESPACE);
        let name = metadata::text(object, "namespace").unwrap_or_default();
        let found = namespaces.and_then(|id| self.get(id, &Key::new("", name)).ok());
        let Some(found) = found else {
            return Err(Status::not_found(builtin::NAMESPACE, name).into());
        };
        if !metadata::is_terminating(&found.value()) {
            return Ok(());
        }
        let why = format!(
            "unable to create new content in namespace {name} because it is being terminated"
        );
        let object = metadata::text(object, "name").unwrap_or_default();
        Err(Status::forbidden(&resource.qualified_name(), object, &why).into())
    }

    /// Deletes everything in a namespace that is going.
    pub(super) fn empty_namespace(&mut self, name: &str, now: Timestamp) {
        for (id, key) in self.places_in(name) {
            self.start_deletion(id, &key, now);
        }
        self.finish_namespace(name, now);
    }

    /// Lets a namespace go that is to go, is empty, and for which nobody waits.
    pub(super) fn finish_namespace(&mut self, name: &str, now: Timestamp) {
        let Some(id) = self.find("", builtin::NAMESPACE) else { return };
        let key = Key::new("", name);
        let Ok(namespace) = self.get(id, &key) else { return };
        let object = namespace.value();
        let waits = metadata::has_finalizers(&object) || !metadata::is_terminating(&object);
        if !waits && self.places_in(name).is_empty() {
            self.remove(id, namespace, object, now);
        }
    }

    fn places_in(&self, namespace: &str) -> Vec<(ResourceId, Key)> {
        let collections = self.collections.iter();
        let namespaced = collections.filter(|(_, collection)| collection.resource.namespaced);
        let objects = namespaced.flat_map(|(&id, collection)| {
            let keys = collection.objects.range(Key::new(namespace, "")..).map(|(key, _)| key);
            let inside = keys.take_while(|key| key.namespace == namespace);
            inside.map(move |key| (id, key.clone()))
        });
        objects.collect()
    }
}

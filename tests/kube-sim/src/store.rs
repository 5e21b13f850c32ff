//! The state of a cluster as its API shows it: objects, their history, and who watches them.
//!
//! **Invariant:** no clock, no I/O, no threads, no chance: the time is an argument, uids and generated names come
//! from a seed. The same calls give the same answers.

mod bind;
mod collect;
mod create;
mod delete;
mod labels;
mod list;
mod namespaces;
mod review;
#[cfg(test)]
mod tests;
mod update;
mod watch;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use delete::{DeleteOptions, Deleted, Propagation};
pub use list::{ListQuery, Listed, VersionMatch};
pub use review::{FieldValidation, WriteOptions};
pub use update::Part;
pub use watch::WatchQuery;

use crate::builtin;
use crate::history::{Change, History, HistoryLimits};
use crate::resource::{Resource, ResourceId};
use crate::status::Status;
use crate::stored::{Key, Stored};
use crate::watchers::{Next, WatchId, Watchers};

/// What the API refuses, and why. Boxed, because it is much larger than what it is returned instead of.
pub type Refusal = Box<Status>;

/// A write that was done, or would have been done had it not been a dry run.
#[derive(Debug)]
pub struct Written {
    /// The object as it is now, or as it was when it went.
    pub object: Arc<Stored>,
    /// Sentences for the header `Warning`.
    pub warnings: Vec<String>,
}

/// A resource with its objects.
#[derive(Debug)]
struct Collection {
    resource: Arc<Resource>,
    objects: BTreeMap<Key, Arc<Stored>>,
}

/// Where an object stands.
type Place = (ResourceId, Key);

/// A cluster's state.
#[derive(Debug)]
pub struct Store {
    version: u64,
    collections: BTreeMap<ResourceId, Collection>,
    /// Numbers given to resources so far.
    registered: u32,
    history: History,
    watchers: Watchers,
    random: fastrand::Rng,
    /// Objects by the uid of an owner that they name.
    dependents: HashMap<Box<str>, BTreeSet<Place>>,
    /// Objects by their uid.
    uids: HashMap<Box<str>, Place>,
}

impl Store {
    /// An empty cluster with its four namespaces. Uids and generated names come from `seed`.
    #[must_use]
    pub fn new(seed: u64, limits: HistoryLimits, now: Timestamp) -> Self {
        let mut store = Self {
            version: 0,
            collections: BTreeMap::new(),
            registered: 0,
            history: History::new(limits),
            watchers: Watchers::default(),
            random: fastrand::Rng::with_seed(seed),
            dependents: HashMap::new(),
            uids: HashMap::new(),
        };
        for resource in builtin::resources() {
            store.register(resource);
        }
        for name in builtin::NAMESPACES {
            store.add_namespace(name, now);
        }
        store
    }

    fn add_namespace(&mut self, name: &str, now: Timestamp) {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let namespaces = self.find("", builtin::NAMESPACE);
        if let Some(id) = namespaces {
            // Refused only where it exists, and this store is new.
            let _ = self.create(id, "", namespace, WriteOptions::default(), now);
        }
    }

    /// Serves a resource from now on.
    fn register(&mut self, resource: Resource) -> ResourceId {
        self.registered += 1;
        let id = ResourceId(self.registered);
        let collection = Collection { resource: Arc::new(resource), objects: BTreeMap::new() };
        self.collections.insert(id, collection);
        id
    }

    /// The resource version of the latest write.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The served resources, in the order in which they were registered.
    pub fn resources(&self) -> impl Iterator<Item = (ResourceId, &Arc<Resource>)> {
        self.collections.iter().map(|(&id, collection)| (id, &collection.resource))
    }

    /// The resource of a group by its plural name.
    #[must_use]
    pub fn find(&self, group: &str, plural: &str) -> Option<ResourceId> {
        let named = |resource: &Resource| resource.group == group && resource.plural == plural;
        self.resources().find(|(_, resource)| named(resource)).map(|(id, _)| id)
    }

    /// A resource by its number; `None` once it is no longer served.
    #[must_use]
    pub fn resource(&self, id: ResourceId) -> Option<&Arc<Resource>> {
        self.collections.get(&id).map(|collection| &collection.resource)
    }

    /// How many objects a resource has.
    #[must_use]
    pub fn len(&self, id: ResourceId) -> usize {
        self.collections.get(&id).map_or(0, |collection| collection.objects.len())
    }

    /// Whether a resource has no objects.
    #[must_use]
    pub fn is_empty(&self, id: ResourceId) -> bool {
        self.len(id) == 0
    }

    fn collection(&self, id: ResourceId) -> Result<&Collection, Refusal> {
        self.collections.get(&id).ok_or_else(|| Status::path_not_found().into())
    }

    /// The object at `key`.
    ///
    /// # Errors
    ///
    /// 404 where there is none.
    pub fn get(&self, id: ResourceId, key: &Key) -> Result<Arc<Stored>, Refusal> {
        let Collection { resource, objects } = self.collection(id)?;
        let missing = || Status::not_found(&resource.qualified_name(), &key.name).into();
        objects.get(key).cloned().ok_or_else(missing)
    }

    /// The object at `key` as it was at an earlier version that the history reaches.
    ///
    /// # Errors
    ///
    /// 404 where there was none, 410 where the history does not reach so far back.
    pub fn get_as_of(
        &self,
        id: ResourceId,
        key: &Key,
        version: u64,
    ) -> Result<Arc<Stored>, Refusal> {
        self.check_history(version)?;
        match self.history.undone(id, version).remove(key) {
            None => self.get(id, key),
            Some(Some(before)) => Ok(before),
            Some(None) => {
                let resource = &self.collection(id)?.resource;
                Err(Status::not_found(&resource.qualified_name(), &key.name).into())
            }
        }
    }

    /// Makes one write: gives it the next resource version, and tells those who watch.
    fn commit(
        &mut self,
        id: ResourceId,
        before: Option<Arc<Stored>>,
        object: Value,
        removed: bool,
    ) -> Arc<Stored> {
        self.version += 1;
        let object = Arc::new(Stored::new(object, self.version));
        if let Some(before) = &before {
            self.forget_references(id, before);
        }
        if let Some(collection) = self.collections.get_mut(&id) {
            if removed {
                collection.objects.remove(object.key());
            } else {
                collection.objects.insert(object.key().clone(), object.clone());
            }
        }
        if !removed {
            self.note_references(id, &object);
        }
        let change = Change { version: self.version, resource: id, before, object, removed };
        self.watchers.tell(&change);
        let object = change.object.clone();
        self.history.push(change);
        object
    }

    /// Forgets the history before the present: watches and lists that would go on from an earlier version get 410.
    pub fn compact(&mut self) {
        self.history.compact(self.version);
    }

    /// The oldest resource version that a watch or list may go on from.
    #[must_use]
    pub const fn oldest_version(&self) -> u64 {
        self.history.floor()
    }

    /// Refuses a version that the history does not reach.
    fn check_history(&self, version: u64) -> Result<(), Refusal> {
        let oldest = self.history.floor();
        if oldest <= version {
            return Ok(());
        }
        Err(Status::expired(format!("too old resource version: {version} ({oldest})")).into())
    }

    /// Refuses a version that is yet to come.
    fn check_reached(&self, version: u64) -> Result<(), Refusal> {
        if version <= self.version {
            return Ok(());
        }
        Err(Status::resource_version_too_large(version, self.version, 1).into())
    }

    /// What a watch says next.
    pub fn next_event(&mut self, id: WatchId) -> Next {
        self.watchers.next(id)
    }

    /// Forgets a watch to which nobody listens any more.
    pub fn close_watch(&mut self, id: WatchId) {
        self.watchers.close(id);
    }

    /// Ends a watch as if its connection broke, after what it still has to say.
    pub fn end_watch(&mut self, id: WatchId) {
        self.watchers.end(id);
    }

    /// The watches that have something to say since the last call, some perhaps twice.
    pub fn take_woken(&mut self) -> Vec<WatchId> {
        self.watchers.take_woken()
    }

    /// How many watches are open.
    #[must_use]
    pub fn open_watches(&self) -> usize {
        self.watchers.len()
    }
}

//! Open watches: who is told of a change, and what waits to be told.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::history::Change;
use crate::resource::ResourceId;
use crate::selector::{FieldSelector, LabelSelector};
use crate::status::Status;
use crate::stored::{Key, Stored};

/// A watch that is further behind than this is ended: its client must list again. A real server ends such a watch
/// much earlier.
const QUEUE_MAX: usize = 100_000;

/// Which objects of a resource are meant.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The resource.
    pub resource: ResourceId,
    /// One namespace; `None` for all, and for cluster-scoped resources.
    pub namespace: Option<String>,
    /// Terms that the fields meet.
    pub fields: FieldSelector,
    /// Requirements that the labels meet.
    pub labels: LabelSelector,
}

impl Selection {
    /// Whether the object is meant. It is of the right resource.
    #[must_use]
    pub fn matches(&self, object: &Stored) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == object.key().namespace)
            && (self.fields.is_empty() || self.fields.matches(object.selectable()))
            && (self.labels.is_empty() || self.labels.matches(object.selectable()))
    }

    /// The only name that objects may have.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.fields.required("metadata.name")
    }

    /// The only key that objects may have. `namespaced` says whether the resource is.
    pub(crate) fn key(&self, namespaced: bool) -> Option<Key> {
        let namespace = self.namespace.as_deref();
        let namespace = namespace.or_else(|| self.fields.required("metadata.namespace"));
        let namespace = if namespaced { namespace? } else { "" };
        self.name().map(|name| Key::new(namespace, name))
    }

    /// What somebody who watches the selection is told of a change.
    fn told(&self, change: &Change) -> Option<Delivery> {
        let was = change.before.as_ref().filter(|before| self.matches(before));
        let is = !change.removed && self.matches(&change.object);
        match (was, is) {
            (None, false) => None,
            (None, true) => Some(Delivery::Added(change.object.clone())),
            (Some(_), true) => Some(Delivery::Modified(change.object.clone())),
            (Some(_), false) if change.removed => Some(Delivery::Deleted(change.object.clone())),
            // It is no longer meant: its last version that was, under the version of the change.
            (Some(before), false) => Some(Delivery::Deleted(before.at(change.version))),
        }
    }
}

/// The number of a watch within one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(u64);

/// One event of a watch.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// The object is new, or newly selected.
    Added(Arc<Stored>),
    /// The object changed.
    Modified(Arc<Stored>),
    /// The object went, or is no longer selected.
    Deleted(Arc<Stored>),
    /// Nothing happened up to the version. `initial_end` ends the objects that were there at the start.
    Bookmark {
        /// The version that the client has seen everything of.
        version: u64,
        /// Whether this is the bookmark that ends a streaming list.
        initial_end: bool,
    },
    /// The watch cannot go on. Nothing follows.
    Failed(Box<Status>),
}

/// What a watch has to say.
#[derive(Debug)]
pub enum Next {
    /// An event.
    Event(Delivery),
    /// Nothing at present.
    Nothing,
    /// The watch is over.
    End,
}

#[derive(Debug)]
struct Watch {
    selection: Selection,
    queue: VecDeque<Delivery>,
    /// Whether the watch ends once the queue is empty.
    over: bool,
}

/// The open watches of one resource.
#[derive(Debug, Default)]
struct Audience {
    /// Those that name one object, by its name: a write finds them without asking the others.
    named: HashMap<String, BTreeSet<WatchId>>,
    others: BTreeSet<WatchId>,
}

/// All open watches.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    opened: u64,
    watches: BTreeMap<WatchId, Watch>,
    audiences: HashMap<ResourceId, Audience>,
    /// Watches that have something to say since the last [`Watchers::take_woken`].
    woken: Vec<WatchId>,
}

impl Watchers {
    /// Opens a watch that first tells `queue`.
    pub(crate) fn open(&mut self, selection: Selection, queue: VecDeque<Delivery>) -> WatchId {
        self.opened += 1;
        let id = WatchId(self.opened);
        let audience = self.audiences.entry(selection.resource).or_default();
        match selection.name() {
            Some(name) => audience.named.entry(name.to_owned()).or_default().insert(id),
            None => audience.others.insert(id),
        };
        self.watches.insert(id, Watch { selection, queue, over: false });
        id
    }

    /// Forgets a watch: nobody listens any more.
    pub(crate) fn close(&mut self, id: WatchId) {
        let Some(watch) = self.watches.remove(&id) else { return };
        let Some(audience) = self.audiences.get_mut(&watch.selection.resource) else { return };
        audience.others.remove(&id);
        if let Some(name) = watch.selection.name()
            && let Some(named) = audience.named.get_mut(name)
        {
            named.remove(&id);
            if named.is_empty() {
                audience.named.remove(name);
            }
        }
    }

    /// Ends a watch after what it still has to say.
    pub(crate) fn end(&mut self, id: WatchId) {
        if let Some(watch) = self.watches.get_mut(&id) {
            watch.over = true;
            self.woken.push(id);
        }
    }

    /// Ends all watches of a resource.
    pub(crate) fn end_all(&mut self, resource: ResourceId) {
        let of_resource = |watch: &Watch| watch.selection.resource == resource;
        let ids: Vec<_> = self
            .watches
            .iter()
            .filter(|(_, watch)| of_resource(watch))
            .map(|(&id, _)| id)
            .collect();
        for id in ids {
            self.end(id);
        }
    }

    /// Tells everybody whom the change concerns.
    pub(crate) fn tell(&mut self, change: &Change) {
        let Some(audience) = self.audiences.get(&change.resource) else { return };
        let named = audience.named.get(&change.object.key().name);
        for id in named.into_iter().flatten().chain(&audience.others) {
            let Some(watch) = self.watches.get_mut(id).filter(|watch| !watch.over) else {
                continue;
            };
            let Some(delivery) = watch.selection.told(change) else { continue };
            if watch.queue.len() >= QUEUE_MAX {
                watch.queue.clear();
                let status = Status::expired("the watch is too far behind");
                watch.queue.push_back(Delivery::Failed(status.into()));
                watch.over = true;
            } else {
                watch.queue.push_back(delivery);
            }
            self.woken.push(*id);
        }
    }

    /// What a watch says next.
    pub(crate) fn next(&mut self, id: WatchId) -> Next {
        let Some(watch) = self.watches.get_mut(&id) else { return Next::End };
        match watch.queue.pop_front() {
            Some(delivery) => Next::Event(delivery),
            None if watch.over => Next::End,
            None => Next::Nothing,
        }
    }

    /// The watches that have something to say since the last call, some perhaps twice.
    pub(crate) fn take_woken(&mut self) -> Vec<WatchId> {
        std::mem::take(&mut self.woken)
    }

    /// How many watches are open.
    pub(crate) fn len(&self) -> usize {
        self.watches.len()
    }
}

/// What a watch of the selection that starts after earlier changes is told of them.
pub(crate) fn missed<'a>(
    selection: &Selection,
    changes: impl Iterator<Item = &'a Change>,
) -> VecDeque<Delivery> {
    let concerned = changes.filter(|change| change.resource == selection.resource);
    concerned.filter_map(|change| selection.told(change)).collect()
}

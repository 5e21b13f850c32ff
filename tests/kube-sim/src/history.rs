//! What changed, as far back as the store remembers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::resource::ResourceId;
use crate::stored::{Key, Stored};

/// One write. Every write raises the resource version by one, so that changes are numbered without gaps.
#[derive(Debug, Clone)]
pub struct Change {
    /// The resource version of the write.
    pub version: u64,
    /// What was written.
    pub resource: ResourceId,
    /// The object before; `None` where it was created.
    pub before: Option<Arc<Stored>>,
    /// The object after, or its last state where it went.
    pub object: Arc<Stored>,
    /// Whether the object went.
    pub removed: bool,
}

/// How far back the store remembers: whatever limit is met first. The JSON of versions that are still current is
/// not counted.
#[derive(Debug, Clone, Copy)]
pub struct HistoryLimits {
    /// Writes.
    pub changes: usize,
    /// Bytes of JSON of versions that are no longer current.
    pub bytes: usize,
}

impl Default for HistoryLimits {
    /// 64 Ki writes, and 32 MiB: more than a thousand writes to objects of 25 KB.
    fn default() -> Self {
        Self { changes: 1 << 16, bytes: 1 << 25 }
    }
}

/// The latest changes, oldest first.
#[derive(Debug)]
pub(crate) struct History {
    limits: HistoryLimits,
    changes: VecDeque<Change>,
    bytes: usize,
    /// Every change after this version is remembered.
    floor: u64,
}

impl History {
    pub(crate) const fn new(limits: HistoryLimits) -> Self {
        Self { limits, changes: VecDeque::new(), bytes: 0, floor: 0 }
    }

    /// The oldest version from which a watch or list may go on.
    pub(crate) const fn floor(&self) -> u64 {
        self.floor
    }

    pub(crate) fn push(&mut self, change: Change) {
        self.bytes += outdated(&change);
        self.changes.push_back(change);
        while self.changes.len() > self.limits.changes || self.bytes > self.limits.bytes {
            self.drop_oldest();
        }
    }

    /// Forgets everything before `version`, which is at most the newest.
    pub(crate) fn compact(&mut self, version: u64) {
        while self.changes.front().is_some_and(|change| change.version <= version) {
            self.drop_oldest();
        }
        self.floor = self.floor.max(version);
    }

    fn drop_oldest(&mut self) {
        if let Some(change) = self.changes.pop_front() {
            self.bytes -= outdated(&change);
            self.floor = change.version;
        }
    }

    /// The changes after `version`, which is not below the floor.
    pub(crate) fn after(&self, version: u64) -> impl Iterator<Item = &Change> {
        let known = usize::try_from(version.saturating_sub(self.floor)).unwrap_or(usize::MAX);
        self.changes.range(known.min(self.changes.len())..)
    }

    /// What must be put in place of the present objects of a resource to see them as of `version`: `None` for one
    /// that did not exist.
    pub(crate) fn undone(
        &self,
        resource: ResourceId,
        version: u64,
    ) -> BTreeMap<Key, Option<Arc<Stored>>> {
        let mut undone = BTreeMap::new();
        for change in self.after(version).filter(|change| change.resource == resource) {
            undone.entry(change.object.key().clone()).or_insert_with(|| change.before.clone());
        }
        undone
    }
}

/// Bytes of JSON that only the history holds once this change is the newest of its object.
fn outdated(change: &Change) -> usize {
    let before = change.before.as_ref().map_or(0, |before| before.size());
    before + if change.removed { change.object.size() } else { 0 }
}

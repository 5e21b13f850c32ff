//! What is to come, in the order of time.

use std::collections::BTreeMap;

use ipam_core::time::Tick;

/// Things to come. Of those at one moment, the one that was put in first comes first.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    coming: BTreeMap<(Tick, u64), T>,
    count: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { coming: BTreeMap::new(), count: 0 }
    }
}

impl<T> Queue<T> {
    /// Puts something in.
    pub(crate) fn put(&mut self, at: Tick, thing: T) {
        self.count += 1;
        self.coming.insert((at, self.count), thing);
    }

    /// Takes the next one out, if it comes before `end`.
    pub(crate) fn take(&mut self, end: Tick) -> Option<(Tick, T)> {
        let entry = self.coming.first_entry().filter(|entry| entry.key().0 < end)?;
        let ((at, _), thing) = entry.remove_entry();
        Some((at, thing))
    }
}

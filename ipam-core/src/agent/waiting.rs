//! Who waits for an address, first come first served.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::attachment::Attachment;
use super::call::CallId;
use crate::ids::PodKey;
use crate::time::Tick;

/// An ADD that waits.
#[derive(Debug, Clone)]
pub(super) struct Waiter {
    pub(super) call: CallId,
    pub(super) attachment: Arc<Attachment>,
    pub(super) pod: PodKey,
    pub(super) uid: Option<String>,
    pub(super) since: Tick,
    pub(super) until: Tick,
}

/// The line of those who wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    line: BTreeMap<u64, Waiter>,
    last: u64,
    by_call: BTreeMap<CallId, u64>,
    by_attachment: BTreeSet<(Arc<Attachment>, u64)>,
    by_end: BTreeSet<(Tick, u64)>,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.line.len()
    }

    /// Puts one at the end of the line.
    pub(super) fn push(&mut self, waiter: Waiter) {
        self.last += 1;
        self.by_call.insert(waiter.call, self.last);
        self.by_attachment.insert((Arc::clone(&waiter.attachment), self.last));
        self.by_end.insert((waiter.until, self.last));
        self.line.insert(self.last, waiter);
    }

    pub(super) fn first(&self) -> Option<&Waiter> {
        self.line.values().next()
    }

    pub(super) fn pop(&mut self) -> Option<Waiter> {
        let number = *self.line.keys().next()?;
        self.remove(number)
    }

    /// Takes the one out that made a call.
    pub(super) fn remove_call(&mut self, call: CallId) -> Option<Waiter> {
        let number = *self.by_call.get(&call)?;
        self.remove(number)
    }

    /// Takes those out that wait for the same interface.
    pub(super) fn remove_attachment(&mut self, attachment: &Arc<Attachment>) -> Vec<Waiter> {
        let (first, last) = ((Arc::clone(attachment), 0), (Arc::clone(attachment), u64::MAX));
        let numbers: Vec<u64> =
            self.by_attachment.range(first..=last).map(|(_, number)| *number).collect();
        numbers.into_iter().filter_map(|number| self.remove(number)).collect()
    }

    /// Takes one out whose time is over.
    pub(super) fn pop_ended(&mut self, now: Tick) -> Option<Waiter> {
        let (end, number) = *self.by_end.first()?;
        if end > now {
            return None;
        }
        self.remove(number)
    }

    /// When the next one has waited long enough.
    pub(super) fn deadline(&self) -> Option<Tick> {
        self.by_end.first().map(|(end, _)| *end)
    }

    fn remove(&mut self, number: u64) -> Option<Waiter> {
        let waiter = self.line.remove(&number)?;
        self.by_call.remove(&waiter.call);
        self.by_attachment.remove(&(Arc::clone(&waiter.attachment), number));
        self.by_end.remove(&(waiter.until, number));
        Some(waiter)
    }
}

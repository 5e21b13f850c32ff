//! The records that are on their way to the disk.

use alloc::collections::VecDeque;
use alloc::string::String;
use core::time::Duration;

use super::record::{Record, RecordId};
use crate::time::Tick;

/// After a write that failed, what is on disk is complete again only with a whole state. It is tried so soon at first ...
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// ... and after twice as long each time, up to this.
const RETRY_LAST: Duration = Duration::from_secs(30);

/// The records that are on their way to the disk.
#[derive(Debug, Default)]
pub(super) struct Journal {
    queue: VecDeque<(RecordId, Record)>,
    /// A whole state that was not asked for yet. It is made then, and covers all that changes until then.
    whole: Option<RecordId>,
    /// The last one that was numbered.
    last: RecordId,
    /// The last one that is on disk.
    durable: RecordId,
    /// Why the last write failed, until one succeeds.
    trouble: Option<Trouble>,
    /// Whether a whole state must be the next record.
    owes_whole: bool,
}

#[derive(Debug)]
struct Trouble {
    problem: String,
    retry_at: Tick,
    pause: Duration,
}

impl Journal {
    /// Notes a change.
    pub(super) fn note(&mut self, record: Record) {
        if self.owes_whole {
            self.note_whole();
        } else if self.whole.is_none() {
            self.last.0 += 1;
            self.queue.push_back((self.last, record));
        }
    }

    /// Notes a change that only the whole state shows.
    pub(super) fn note_whole(&mut self) {
        self.owes_whole = false;
        if self.whole.is_none() {
            self.queue.clear();
            self.last.0 += 1;
            self.whole = Some(self.last);
        }
    }

    /// What is to be written next: a change, or the whole state as it is now.
    pub(super) fn poll(&mut self) -> Option<(RecordId, Option<Record>)> {
        if let Some(id) = self.whole.take() {
            return Some((id, None));
        }
        self.queue.pop_front().map(|(id, record)| (id, Some(record)))
    }

    pub(super) fn has_more(&self) -> bool {
        self.whole.is_some() || !self.queue.is_empty()
    }

    /// The record that must be on disk before what has changed up to now may be told, unless it is already. Nothing is
    /// waited for that is not being written.
    pub(super) fn awaited(&self) -> Option<RecordId> {
        #[cfg(feature = "planted")]
        if crate::planted::is(crate::planted::Bug::AnswerBeforeDurable) {
            return None;
        }
        (self.durable < self.last && !self.owes_whole).then_some(self.last)
    }

    pub(super) const fn durable(&self) -> RecordId {
        self.durable
    }

    /// The record that shows what has changed up to now: the last one, or the whole state that is owed.
    pub(super) const fn showing(&self) -> RecordId {
        if self.owes_whole { RecordId(self.last.0 + 1) } else { self.last }
    }

    pub(super) fn on_durable(&mut self, id: RecordId) {
        self.durable = self.durable.max(id.min(self.last));
        self.trouble = None;
        if self.durable == self.last {
            self.owes_whole = false;
        }
    }

    /// None of what is not durable is on disk.
    pub(super) fn on_failure(&mut self, now: Tick, problem: String) {
        self.queue.clear();
        self.whole = None;
        self.owes_whole = true;
        let pause = match &self.trouble {
            Some(trouble) => (trouble.pause * 2).min(RETRY_LAST),
            None => RETRY_FIRST,
        };
        self.trouble = Some(Trouble { problem, retry_at: now + pause, pause });
    }

    /// When the state is to be written although nothing has changed.
    pub(super) fn deadline(&self) -> Option<Tick> {
        self.trouble.as_ref().filter(|_| self.owes_whole).map(|trouble| trouble.retry_at)
    }

    pub(super) fn on_time(&mut self, now: Tick) {
        if self.deadline().is_some_and(|at| at <= now) {
            self.note_whole();
        }
    }

    pub(super) fn problem(&self) -> Option<&String> {
        self.trouble.as_ref().map(|trouble| &trouble.problem)
    }
}

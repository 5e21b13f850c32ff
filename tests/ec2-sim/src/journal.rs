//! What was asked and how it ended, call by call: the simulator's `CloudTrail`.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::request::{Action, Operation};
use crate::time::Moment;

#[cfg(test)]
mod tests;

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Counts the calls, from 0; set by [`Journal::record`].
    pub sequence: u64,
    /// When it arrived, in microseconds since the start.
    #[serde(rename = "at_us")]
    pub at: Moment,
    /// Identifies it towards the caller.
    pub request_id: String,
    /// The access key of the caller.
    pub access_key: String,
    /// What the caller says of itself.
    pub user_agent: String,
    /// What was asked; none when it is unknown.
    pub action: Option<Action>,
    /// With which parameters; none when they could not be read.
    #[serde(serialize_with = "parameters")]
    pub parameters: Option<Operation>,
    /// The code of the refusal, if it was refused.
    pub code: Option<&'static str>,
    /// Its text.
    pub message: Option<String>,
    /// Whether a bucket was empty.
    pub throttled: bool,
    /// How long the answer took, in microseconds.
    #[serde(rename = "latency_us", serialize_with = "duration")]
    pub latency: Duration,
    /// What the bucket held afterwards; none when nothing is throttled.
    pub bucket_level: Option<f64>,
    /// Whether it changed something. A call may be refused, or its answer lost, after that.
    pub committed: bool,
    /// Whether a fault kept the answer, as it is, from the caller.
    pub disturbed: bool,
}

fn duration<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u128(value.as_micros())
}

#[expect(clippy::ref_option, reason = "serde gives the field by reference")]
fn parameters<S: Serializer>(value: &Option<Operation>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(|operation| format!("{operation:?}")).serialize(serializer)
}

/// The calls, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    entries: VecDeque<Entry>,
    limit: Option<usize>,
    recorded: u64,
}

impl Journal {
    /// A journal that keeps the latest `limit` calls, or all.
    #[must_use]
    pub const fn new(limit: Option<usize>) -> Self {
        Self { entries: VecDeque::new(), limit, recorded: 0 }
    }

    /// Adds a call, with the next sequence number, and forgets the oldest beyond the limit.
    pub fn record(&mut self, entry: Entry) {
        let entry = Entry { sequence: self.recorded, ..entry };
        self.recorded += 1;
        self.entries.push_back(entry);
        let excess = self.limit.map_or(0, |limit| self.entries.len().saturating_sub(limit));
        self.entries.drain(..excess);
    }

    /// Whether calls are kept at all: where not, entries need not be made.
    #[must_use]
    pub const fn keeps(&self) -> bool {
        !matches!(self.limit, Some(0))
    }

    /// The calls that are kept, oldest first.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// The calls that are kept from the sequence number `from` on.
    pub fn since(&self, from: u64) -> impl Iterator<Item = &Entry> {
        let first = self.entries.partition_point(|entry| entry.sequence < from);
        self.entries.range(first..)
    }

    /// How many calls were recorded, forgotten ones included.
    #[must_use]
    pub const fn recorded(&self) -> u64 {
        self.recorded
    }

    /// All that is kept, as JSON: an array of objects.
    ///
    /// # Errors
    ///
    /// A value that JSON cannot say, of which there is none.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.entries)
    }
}

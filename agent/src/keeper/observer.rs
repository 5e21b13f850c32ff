//! What can be counted of a keeper's work.

use std::time::Duration;

use ipam_core::agent::{Answer, Call};

/// Is told what the keeper did, by the keeper's thread, once the answers have left. What it does delays the next answers: counters and
/// histograms, no I/O.
pub trait Observer: Send + Sync + 'static {
    /// A call was answered. Not told of calls that were abandoned.
    fn on_answer(&self, kind: CallKind, outcome: &'static str, took: Duration);
    /// The ledger was written to disk, or could not be.
    fn on_write(&self, write: &Write);
    /// An event was dropped since nobody took the earlier ones.
    fn on_lost_event(&self);
}

/// Counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn on_answer(&self, _kind: CallKind, _outcome: &'static str, _took: Duration) {}
    fn on_write(&self, _write: &Write) {}
    fn on_lost_event(&self) {}
}

/// One write of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write {
    /// How many records it made durable.
    pub records: usize,
    /// Whether the ledger was written anew instead of appended to.
    pub anew: bool,
    /// How long it took until it was on disk.
    pub took: Duration,
    /// Whether it succeeded.
    pub done: bool,
}

/// The kinds of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// CNI ADD.
    Add,
    /// CNI DEL.
    Del,
    /// CNI CHECK.
    Check,
    /// CNI GC.
    Gc,
    /// CNI STATUS.
    Status,
    /// Cilium's allocation of any address.
    Allocate,
    /// Cilium's allocation of one address.
    AllocateExact,
    /// The confirmation of an allocation.
    Claim,
    /// Cilium's release.
    Release,
}

impl CallKind {
    /// The kind of a call.
    #[must_use]
    pub const fn of(call: &Call) -> Self {
        match call {
            Call::Add { .. } => Self::Add,
            Call::Del { .. } => Self::Del,
            Call::Check { .. } => Self::Check,
            Call::Gc { .. } => Self::Gc,
            Call::Status => Self::Status,
            Call::Allocate { .. } => Self::Allocate,
            Call::AllocateExact { .. } => Self::AllocateExact,
            Call::Claim { .. } => Self::Claim,
            Call::Release { .. } => Self::Release,
        }
    }

    /// Its name, for metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Del => "del",
            Self::Check => "check",
            Self::Gc => "gc",
            Self::Status => "status",
            Self::Allocate => "allocate",
            Self::AllocateExact => "allocate_exact",
            Self::Claim => "claim",
            Self::Release => "release",
        }
    }
}

/// A short name of what was answered, for metrics: `granted`, `done`, or the reason of the refusal.
#[must_use]
pub const fn outcome(answer: &Answer) -> &'static str {
    match answer {
        Answer::Granted(_) => "granted",
        Answer::Done => "done",
        Answer::Refused(refused) => refused.label(),
    }
}

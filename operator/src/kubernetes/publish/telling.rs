//! What an agent is told of why its node gets nothing more (`status.ipam.operator-status.error`), and when that is written.
//!
//! It goes along with `status.eni` whenever that is written. By itself it is written seldom: a reason has to stand for some
//! seconds, and so does its end, and some time has to pass since the last time. In an outage every node may be kept, by ever other reasons.
//!
//! Nobody else's work depends on it, and in ENI mode nobody else writes it: other content is no rival's deed, and is replaced.

use std::time::Duration;

use ipam_core::reconcile::Obstacle;
use ipam_core::time::Tick;

use crate::kubernetes::observed::Told;

/// How long the member has to be wrong before it is written by itself: half of the time for which agents let a pod wait.
const SETTLED: Duration = Duration::from_secs(5);
/// The least time from one write to the next that is for it alone.
const APART: Duration = Duration::from_secs(15);

/// What `status.ipam.operator-status.error` should hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WantedError {
    /// Nothing.
    #[default]
    Absent,
    /// What is there already, or nothing.
    AsItIs,
    /// This text, of one line.
    Text(String),
}

impl From<Obstacle<'_>> for WantedError {
    fn from(obstacle: Obstacle<'_>) -> Self {
        match obstacle {
            Obstacle::None => Self::Absent,
            Obstacle::Passing => Self::AsItIs,
            Obstacle::Lasting(reason) => Self::Text(reason.to_string()),
        }
    }
}

/// What is different there from what should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lack {
    /// This text.
    Text(String),
    /// There should be none.
    Silence,
}

/// When the member of one node is written.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// Since when it is wrong.
    since: Option<Tick>,
    /// When it was written last.
    written: Option<Tick>,
    /// When it may be written by itself, if it is still wrong then.
    due: Option<Tick>,
    /// Whether a write of it was taken and nothing was different: the object cannot hold it.
    is_vain: bool,
}

impl Telling {
    /// What is wrong, if anything is, now that `wanted` should be there and `told` is.
    pub(super) fn lack(&mut self, now: Tick, wanted: &WantedError, told: &Told) -> Option<Lack> {
        let lack = match (wanted, told) {
            _ if self.is_vain => None,
            (WantedError::Text(text), Told::Error(found)) if **found == **text => None,
            (WantedError::Text(text), _) => Some(Lack::Text(text.clone())),
            (WantedError::Absent, Told::Error(_)) => Some(Lack::Silence),
            (WantedError::Absent, Told::Nothing | Told::Nowhere) | (WantedError::AsItIs, _) => None,
        };
        if lack.is_none() {
            (self.since, self.due) = (None, None);
            return None;
        }
        let settled = *self.since.get_or_insert(now) + SETTLED;
        self.due = Some(self.written.map_or(settled, |written| settled.max(written + APART)));
        lack
    }

    /// Whether what is wrong is to be written by itself.
    pub(super) fn is_due(&self, now: Tick) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// When it will be.
    pub(super) const fn due(&self) -> Option<Tick> {
        self.due
    }

    /// It is on its way.
    pub(super) fn on_sent(&mut self, now: Tick) {
        *self = Self { written: Some(now), is_vain: self.is_vain, ..Self::default() };
    }

    /// It was written by itself; `is_same`: nothing was different afterwards.
    pub(super) const fn on_written(&mut self, is_same: bool) {
        self.is_vain |= is_same;
    }
}

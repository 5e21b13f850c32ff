//! What may be done so often an hour.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::time::Tick;

/// What was done within the last hour, if there is a cap on it.
#[derive(Debug, Clone, Default)]
pub(super) struct LastHour {
    done: VecDeque<(Tick, u32)>,
}

impl LastHour {
    pub(super) fn note(&mut self, now: Tick, count: u32) {
        self.done.push_back((now, count));
    }

    /// Takes out what was noted at `at` and did not happen. Answers whether it was still there.
    pub(super) fn take_out(&mut self, at: Tick, count: u32) -> bool {
        let place = self.done.iter().position(|it| *it == (at, count));
        place.and_then(|place| self.done.remove(place)).is_some()
    }

    /// How much more may be done now.
    pub(super) fn left_of(&self, per_hour: u32) -> u32 {
        let done = self.done.iter().map(|(_, count)| *count);
        per_hour.saturating_sub(done.fold(0, u32::saturating_add))
    }

    /// Forgets what is more than an hour ago. Answers when there is something to forget next.
    pub(super) fn expire(&mut self, now: Tick) -> Option<Tick> {
        while self.done.pop_front_if(|(at, _)| *at + HOUR <= now).is_some() {}
        self.done.front().map(|(at, _)| *at + HOUR)
    }
}

const HOUR: Duration = Duration::from_hours(1);

//! How often each EC2 action was called of late.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::moment::Moment;

/// What is of late.
const LATE: Duration = Duration::from_secs(10);

/// Calls per second over the last ten seconds, by action.
pub(super) type Rates = BTreeMap<&'static str, f64>;

/// The calls that were counted of late.
#[derive(Debug, Default)]
pub(super) struct History {
    counts: VecDeque<Counts>,
}

#[derive(Debug)]
struct Counts {
    at: Duration,
    made: BTreeMap<&'static str, u64>,
}

impl History {
    /// Adds what was counted at a moment, unless it is no later than the last one.
    pub(super) fn note(&mut self, moment: &Moment) {
        if self.counts.back().is_some_and(|last| moment.at <= last.at) {
            return;
        }
        let made = moment.calls.iter().map(|(action, calls)| (*action, calls.made)).collect();
        self.counts.push_back(Counts { at: moment.at, made });
        // The oldest one that is kept is just not of late: the span from there on is the whole of it.
        while self.counts.get(1).is_some_and(|second| moment.at.saturating_sub(second.at) >= LATE) {
            self.counts.pop_front();
        }
    }

    /// Calls per second since the oldest count that is kept: over ten seconds, or less when it has not run for as long.
    pub(super) fn rates(&self) -> Rates {
        let (Some(first), Some(last)) = (self.counts.front(), self.counts.back()) else {
            return Rates::new();
        };
        let seconds = last.at.saturating_sub(first.at).as_secs_f64();
        let rate = |(action, made): (&&'static str, &u64)| {
            let before = first.made.get(action).copied().unwrap_or_default();
            let new = u32::try_from(made.saturating_sub(before)).unwrap_or(u32::MAX);
            let rate = if seconds > 0.0 { f64::from(new) / seconds } else { 0.0 };
            (*action, rate)
        };
        last.made.iter().map(rate).collect()
    }
}

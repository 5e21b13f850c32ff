//! How often each action was called, throttled and refused, and what went over the wire for it.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::ApiError;
use crate::request::Action;

#[cfg(test)]
mod tests;

/// Under which name calls are counted whose action is unknown.
pub const UNKNOWN: &str = "Unknown";

/// The counters of one action.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Calls, throttled and refused ones included.
    pub calls: u64,
    /// Calls that were refused because a bucket was empty.
    pub throttled: u64,
    /// Refusals by code, throttled calls included.
    pub errors: BTreeMap<&'static str, u64>,
    /// Bytes of the requests' bodies.
    pub request_bytes: u64,
    /// Bytes of the responses' bodies.
    pub response_bytes: u64,
}

/// The counters of all actions that were called, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Counters {
    by_action: BTreeMap<&'static str, Counts>,
}

fn name(action: Option<Action>) -> &'static str {
    action.map_or(UNKNOWN, Action::name)
}

impl Counters {
    /// Counts a call and how it ended. `throttled` is said apart, since a fault may answer with the same code.
    pub fn count(&mut self, action: Option<Action>, error: Option<&ApiError>, throttled: bool) {
        let counts = self.by_action.entry(name(action)).or_default();
        counts.calls += 1;
        counts.throttled += u64::from(throttled);
        if let Some(error) = error {
            *counts.errors.entry(error.code).or_default() += 1;
        }
    }

    /// Counts the bytes of a call.
    pub fn count_bytes(&mut self, action: Option<Action>, request: usize, response: usize) {
        let counts = self.by_action.entry(name(action)).or_default();
        counts.request_bytes += request as u64;
        counts.response_bytes += response as u64;
    }

    /// The counters of an action; all zero when it was not called.
    #[must_use]
    pub fn of(&self, action: Action) -> Counts {
        self.by_action.get(action.name()).cloned().unwrap_or_default()
    }

    /// Name and counters of every action that was called.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Counts)> {
        self.by_action.iter().map(|(name, counts)| (*name, counts))
    }

    /// The sums over all actions.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.by_action.values() {
            total.calls += counts.calls;
            total.throttled += counts.throttled;
            total.request_bytes += counts.request_bytes;
            total.response_bytes += counts.response_bytes;
            for (code, count) in &counts.errors {
                *total.errors.entry(code).or_default() += count;
            }
        }
        total
    }

    /// Sets all to zero.
    pub fn reset(&mut self) {
        self.by_action.clear();
    }
}

/// The text format of Prometheus.
impl fmt::Display for Counters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        type Figure = fn(&Counts) -> u64;
        let figures: [(&str, &str, Figure); 4] = [
            ("calls", "Calls, throttled and refused ones included.", |counts| counts.calls),
            ("throttled", "Calls refused because a bucket was empty.", |counts| counts.throttled),
            ("request_bytes", "Bytes of requests.", |counts| counts.request_bytes),
            ("response_bytes", "Bytes of responses.", |counts| counts.response_bytes),
        ];
        for (figure, help, value) in figures {
            header(formatter, figure, help)?;
            for (action, counts) in &self.by_action {
                let value = value(counts);
                writeln!(formatter, "ec2_sim_{figure}_total{{action=\"{action}\"}} {value}")?;
            }
        }
        header(formatter, "errors", "Refusals by code.")?;
        for (action, counts) in &self.by_action {
            for (code, count) in &counts.errors {
                let labels = format_args!("action=\"{action}\",code=\"{code}\"");
                writeln!(formatter, "ec2_sim_errors_total{{{labels}}} {count}")?;
            }
        }
        Ok(())
    }
}

fn header(formatter: &mut fmt::Formatter<'_>, figure: &str, help: &str) -> fmt::Result {
    writeln!(formatter, "# HELP ec2_sim_{figure}_total {help}")?;
    writeln!(formatter, "# TYPE ec2_sim_{figure}_total counter")
}

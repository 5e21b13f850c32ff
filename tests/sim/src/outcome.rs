//! What came of a run.

use std::fmt;

use crate::counters::Counters;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which, in a word: what a smaller scenario has to break, too.
    pub label: &'static str,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.label, self.what)
    }
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// The promise that was broken, if one was.
    pub violation: Option<Violation>,
    /// What was exercised.
    pub counters: Counters,
    /// What happened, a line each, if that was asked for.
    pub trace: Vec<String>,
}

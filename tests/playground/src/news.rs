//! What happened, for whoever watches: a line each, the newest last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lines that are kept.
const KEPT: usize = 2_000;

/// What happened so far. A clone is the same.
#[derive(Debug, Clone)]
pub struct News(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    lines: Mutex<VecDeque<Line>>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Since the start.
    pub at: Duration,
    /// What, in a short sentence.
    pub text: String,
    /// Whether somebody may want to look at it.
    pub is_trouble: bool,
}

impl Default for News {
    fn default() -> Self {
        Self(Arc::new(Inner { start: Instant::now(), lines: Mutex::default() }))
    }
}

impl News {
    /// How long ago the start was.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.start.elapsed()
    }

    /// Something happened as it should.
    pub fn tell(&self, text: impl Into<String>) {
        self.add(text.into(), false);
    }

    /// Something happened that somebody may want to look at.
    pub fn warn(&self, text: impl Into<String>) {
        self.add(text.into(), true);
    }

    fn add(&self, text: String, is_trouble: bool) {
        let line = Line { at: self.elapsed(), text, is_trouble };
        let mut lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The last `count` lines, the newest last.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<Line> {
        let lines = self.0.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().skip(lines.len().saturating_sub(count)).cloned().collect()
    }
}

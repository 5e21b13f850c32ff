//! What was seen over the whole run: what the report shows and the summary counts.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::moment::Moment;
use crate::news;
use crate::watch::Watcher;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// When the nodes of the start had joined, since the start: the plan's length and its timeline count from then.
    pub begun: Duration,
    /// A moment a second, in order; of long runs every second one, every fourth, and so on, and the last one. The lists of waiting pods are
    /// left out.
    pub moments: Vec<Moment>,
    /// How long each pod waited that got an address.
    pub waits: Vec<Duration>,
    /// What happened.
    pub news: Vec<news::Line>,
    /// Promises that were broken, each once, with the moment at which it was seen first.
    pub findings: Vec<(Duration, String)>,
    /// Why pods waited, in the order in which it was seen first; the first 100 of them.
    pub reasons: Vec<Reason>,
    /// Why nodes did not get what they wanted, by the label of the reason, in the same way.
    pub blocked: Vec<Reason>,
}

/// Why somebody waited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// In words, or by its label.
    pub why: String,
    /// How many waited for it at once, at most.
    pub most: u64,
    /// When it was seen first.
    pub first: Duration,
    /// When it was seen last.
    pub last: Duration,
}

/// Moments that are kept, of a run with few nodes.
const MOMENTS_MAX: usize = 3_600;
/// Nodes in all moments together, which are what takes memory: 300 bytes each.
const NODES_MAX: usize = 200_000;
/// Moments that are kept however many nodes there are: fewer make no curve.
const MOMENTS_MIN: usize = 300;
/// Findings that are kept of a moment: all of them are kept once, beside the moments.
const FINDINGS_MAX: usize = 10;
/// Reasons that are kept.
const REASONS_MAX: usize = 100;

/// Keeps what was seen, and less of what is long ago when it grows too much.
#[derive(Debug, Clone)]
pub struct Recorder {
    record: Record,
    /// Every so many moments one is kept.
    stride: usize,
    /// Moments that came.
    came: usize,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { record: Record::default(), stride: 1, came: 0 }
    }
}

impl Recorder {
    /// The nodes of the start have joined.
    pub const fn begin(&mut self, at: Duration) {
        self.record.begun = at;
    }

    /// Keeps a moment.
    pub fn add(&mut self, moment: &Moment) {
        self.note_reasons(moment);
        let mut kept = Moment { waiting: Vec::new(), ..moment.clone() };
        kept.findings.truncate(FINDINGS_MAX);
        let moments = &mut self.record.moments;
        // The last moment is there in any case. When another one is, it stays only if it is one of those that are kept.
        if self.came > 0 && !(self.came - 1).is_multiple_of(self.stride) {
            moments.pop();
        }
        moments.push(kept);
        self.came += 1;
        let most = (NODES_MAX / moment.nodes.len().max(1)).clamp(MOMENTS_MIN, MOMENTS_MAX);
        if moments.len() > most {
            self.stride *= 2;
            let mut position = 0;
            let last = moments.len() - 1;
            moments.retain(|_| {
                position += 1;
                (position - 1) % 2 == 0 || position - 1 == last
            });
        }
    }

    fn note_reasons(&mut self, moment: &Moment) {
        let pods = moment.waiting.iter().map(|waiting| waiting.why.as_str());
        note(&mut self.record.reasons, moment.at, pods);
        let mut labels: Vec<&str> = Vec::new();
        for node in &moment.nodes {
            let mut of_node: Vec<&str> =
                node.blocked.iter().map(|(label, _)| label.as_str()).collect();
            of_node.sort_unstable();
            of_node.dedup();
            labels.append(&mut of_node);
        }
        note(&mut self.record.blocked, moment.at, labels.into_iter());
    }

    /// What was seen, with what was learned beside it.
    #[must_use]
    pub fn finish(self, watcher: &Watcher) -> Record {
        Record {
            waits: watcher.book().all_waits(),
            news: watcher.news().last(usize::MAX),
            findings: watcher.findings().to_vec(),
            ..self.record
        }
    }
}

/// Counts why somebody waits at a moment.
fn note<'a>(reasons: &mut Vec<Reason>, at: Duration, now: impl Iterator<Item = &'a str>) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for why in now {
        *counts.entry(why).or_default() += 1;
    }
    for (why, count) in counts {
        if let Some(reason) = reasons.iter_mut().find(|reason| reason.why == why) {
            reason.most = reason.most.max(count);
            reason.last = at;
        } else if reasons.len() < REASONS_MAX {
            reasons.push(Reason { why: why.to_owned(), most: count, first: at, last: at });
        }
    }
}

//! How long pods waited: a histogram whose buckets grow as the waits do.

use std::time::Duration;

use plotters::style::text_anchor::HPos;

use super::ReportError;
use super::axis::Axis;
use super::figure::{Entry, Figure, Shown};
use super::ink::Ink;
use super::plot::{self, Frame};
use super::unit::{amount, counted};
use crate::record::Record;
use crate::summary::{Summary, span};

const TITLE: &str = "How long pods waited for their address";

/// Where a bucket ends and the next one begins, in milliseconds. Before the first and behind the last there is one more.
const EDGES: [u32; 19] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000,
    300_000, 600_000, 1_800_000,
];

/// Waits, by bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Buckets([u32; EDGES.len() + 1]);

impl Buckets {
    fn of(waits: &[Duration]) -> Self {
        let mut counts = [0; EDGES.len() + 1];
        for wait in waits {
            counts[bucket(*wait)] += 1;
        }
        Self(counts)
    }

    /// The first and the last bucket to show: one empty one on each side of those with waits, if there is one.
    fn shown(&self) -> Option<(usize, usize)> {
        let first = self.0.iter().position(|count| *count > 0)?;
        let last = self.0.iter().rposition(|count| *count > 0)?;
        Some((first.saturating_sub(1), (last + 1).min(EDGES.len())))
    }
}

/// The bucket of a wait: one that is as long as an edge is behind it.
fn bucket(wait: Duration) -> usize {
    EDGES.partition_point(|edge| edge_at(*edge) <= wait)
}

fn edge_at(milliseconds: u32) -> Duration {
    Duration::from_millis(milliseconds.into())
}

/// Where a wait is on an axis on which each bucket has the length 1.
fn place(wait: Duration) -> f64 {
    let index = bucket(wait);
    let seconds = wait.as_secs_f64();
    let edge = |index: usize| EDGES.get(index).map(|edge| edge_at(*edge).as_secs_f64());
    let low = index.checked_sub(1).and_then(edge);
    let inside = match (low, edge(index)) {
        (Some(low), Some(high)) => (seconds / low).ln() / (high / low).ln(),
        (None, Some(high)) => seconds / high,
        (_, None) => 0.5,
    };
    amount(index) + inside
}

/// The waits of the pods that got an address.
pub(super) fn histogram(record: &Record, summary: &Summary) -> Result<Figure, ReportError> {
    let buckets = Buckets::of(&record.waits);
    let Some((first, last)) = buckets.shown() else {
        return Ok(Figure::nothing(TITLE, "No pod got an address."));
    };
    let peak = buckets.0.iter().copied().max().unwrap_or_default();
    let frame = Frame {
        size: plot::WIDE,
        x: axis(first, last),
        // Each bar has its number above it.
        y: Axis::of_counts(amount(peak) * 1.08),
        counts: "pods",
    };
    let on_axis = |wait: Duration| place(wait) - amount(first);
    let svg = plot::plot(TITLE, &frame, |canvas| {
        for (index, count) in buckets.0.iter().enumerate().filter(|(_, count)| **count > 0) {
            let left = amount(index) - amount(first);
            canvas.bar(Ink::Bar, left + 0.05..left + 0.95, 0.0..amount(*count))?;
            canvas.above(Ink::Label, (left + 0.5, amount(*count)), &count.to_string())?;
        }
        let (p50, p99) = (summary.waits.p50, summary.waits.p99);
        canvas.upright(Ink::Percentile, on_axis(p50), &said("p50", p50), HPos::Right)?;
        canvas.upright(Ink::Percentile, on_axis(p99), &said("p99", p99), HPos::Left)
    })?;
    let legend = vec![
        Entry::area(Ink::Bar, "pods that waited so long"),
        Entry::line(Ink::Percentile, "half of the pods, and 99 of 100, waited no longer"),
    ];
    let pods = counted(record.waits.len(), "pod");
    let [p50, p99, max] = [summary.waits.p50, summary.waits.p99, summary.waits.max].map(span);
    let caption = format!(
        "Waits of {pods}, from the moment each was made until it had its address: half of them no longer than {p50}, 99 of 100 no longer than {p99}, the longest {max}. Each column is wider in time than the one before it."
    );
    Ok(Figure { title: TITLE.to_owned(), shown: Shown::Plot(svg, legend), caption })
}

fn said(name: &str, wait: Duration) -> String {
    format!("{name} {}", span(wait))
}

/// An edge in few letters: each is a whole number of its unit.
fn label(milliseconds: u32) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{} s", milliseconds / 1_000),
        _ => format!("{} min", milliseconds / 60_000),
    }
}

/// The axis of the buckets from `first` to `last`, with labels at the edges between them.
fn axis(first: usize, last: usize) -> Axis {
    let edges = EDGES.iter().enumerate().filter(|(index, _)| (first..last).contains(index));
    let label_at = |(index, edge): (usize, &u32)| (amount(index + 1 - first), label(*edge));
    let mut labels: Vec<(f64, String)> = edges.map(label_at).collect();
    if first == 0 {
        labels.insert(0, (0.0, "0".to_owned()));
    }
    Axis { end: amount(last + 1 - first), labels }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bucket of a wait in microseconds, and where on the axis it is.
    #[track_caller]
    fn check(microseconds: u64, expected: &str) {
        let wait = Duration::from_micros(microseconds);
        assert_eq!(format!("{} {:.2}", bucket(wait), place(wait)), expected);
    }

    #[test]
    fn waits_are_in_the_bucket_that_begins_with_them() {
        check(0, "0 0.00");
        check(500, "0 0.50");
        check(999, "0 1.00");
        check(1_000, "1 1.00");
        check(1_999, "1 2.00");
        check(2_000, "2 2.00");
        check(1_000_000, "10 10.00");
        check(1_799_999_999, "18 19.00");
        check(1_800_000_000, "19 19.50");
        check(u64::MAX, "19 19.50");
    }

    #[test]
    fn buckets_without_waits_are_shown_on_either_side_only() {
        let shown = |milliseconds: &[u64]| {
            let waits: Vec<_> = milliseconds.iter().copied().map(Duration::from_millis).collect();
            Buckets::of(&waits).shown()
        };
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&[0]), Some((0, 1)));
        assert_eq!(shown(&[3, 30]), Some((1, 6)));
        assert_eq!(shown(&[0, 3_600_000]), Some((0, 19)));
    }
}

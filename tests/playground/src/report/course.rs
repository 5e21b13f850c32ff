//! A record as courses over time, thinned to what a plot can show.

use std::time::Duration;

use super::played;
use super::unit::amount;
use crate::moment::{Moment, Node};
use crate::plan::Happening;

/// Points of a line, at most: more than there are pixels would show nothing more.
pub(super) const POINTS: usize = 400;

/// The moments in stretches that follow each other, at most so many.
pub(super) fn stretches(moments: &[Moment], most: usize) -> impl Iterator<Item = &[Moment]> {
    moments.chunks(moments.len().div_ceil(most).max(1))
}

/// The last moment of each stretch, and the very first.
pub(super) fn thinned(moments: &[Moment]) -> Vec<&Moment> {
    let mut thinned: Vec<&Moment> =
        stretches(moments, POINTS).filter_map(<[Moment]>::last).collect();
    if let (Some(first), Some(second)) = (moments.first(), thinned.first())
        && first.at < second.at
    {
        thinned.insert(0, first);
    }
    thinned
}

/// Seconds since the start.
pub(super) fn times(moments: &[&Moment]) -> Vec<f64> {
    moments.iter().map(|moment| moment.at.as_secs_f64()).collect()
}

/// For each moment, the sum over its nodes.
pub(super) fn sums(moments: &[&Moment], of: impl Fn(&Node) -> u32) -> Vec<f64> {
    moments.iter().map(|moment| amount(total(moment, &of))).collect()
}

/// The sum over the nodes.
pub(super) fn total(moment: &Moment, of: impl Fn(&Node) -> u32) -> u64 {
    moment.nodes.iter().map(|node| u64::from(of(node))).sum()
}

/// The end of the record, if it has a length at all.
pub(super) fn end(moments: &[Moment]) -> Option<Duration> {
    let (first, last) = (moments.first()?, moments.last()?);
    (first.at < last.at).then_some(last.at)
}

/// How long a moment stands for at least, where moments were left out.
pub(super) fn thinned_to(moments: &[Moment]) -> Option<usize> {
    let each = moments.len().div_ceil(POINTS);
    (each > 1).then_some(each)
}

/// Something of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// From 1.
    pub(super) number: usize,
    pub(super) at: Duration,
    pub(super) what: String,
}

/// What the timeline says, numbered. It counts from `begun`.
pub(super) fn marks(timeline: &[Happening], begun: Duration) -> Vec<Mark> {
    let mark = |(index, happening): (usize, &Happening)| Mark {
        number: index + 1,
        at: begun + happening.at,
        what: played::words(&happening.what),
    };
    timeline.iter().enumerate().map(mark).collect()
}

impl Mark {
    /// Where to draw a line, and its label, for a plot that ends at `end` seconds. What is so close that labels would overlap is one.
    pub(super) fn together(marks: &[Self], end: f64) -> Vec<(f64, String)> {
        let mut lines: Vec<(f64, usize, usize)> = Vec::new();
        for mark in marks.iter().filter(|mark| mark.at.as_secs_f64() <= end) {
            let at = mark.at.as_secs_f64();
            match lines.last_mut() {
                Some((before, _, last)) if at - *before < end / 25.0 => *last = mark.number,
                _ => lines.push((at, mark.number, mark.number)),
            }
        }
        let label = |(at, first, last): (f64, usize, usize)| {
            let text = if first == last { first.to_string() } else { format!("{first}–{last}") };
            (at, text)
        };
        lines.into_iter().map(label).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::What;

    fn moments(count: u64) -> Vec<Moment> {
        let moment = |second| Moment { at: Duration::from_secs(second), ..Moment::default() };
        (0..count).map(moment).collect()
    }

    /// How many points are left of so many moments, and the first and the last of them.
    #[track_caller]
    fn check_thinned(count: u64, expected: &str) {
        let moments = moments(count);
        let times = times(&thinned(&moments));
        assert_eq!(format!("{}: {:?} {:?}", times.len(), times.first(), times.last()), expected);
    }

    #[test]
    fn the_first_and_the_last_moment_are_never_left_out() {
        check_thinned(0, "0: None None");
        check_thinned(1, "1: Some(0.0) Some(0.0)");
        check_thinned(400, "400: Some(0.0) Some(399.0)");
        check_thinned(401, "202: Some(0.0) Some(400.0)");
        check_thinned(10_000, "401: Some(0.0) Some(9999.0)");
    }

    /// The labels of marks at these seconds in a plot of 100 s.
    #[track_caller]
    fn check_marks(seconds: &[u64], expected: &str) {
        let mark = |(index, second): (usize, &u64)| Mark {
            number: index + 1,
            at: Duration::from_secs(*second),
            what: String::new(),
        };
        let marks: Vec<_> = seconds.iter().enumerate().map(mark).collect();
        let together = Mark::together(&marks, 100.0);
        let said: Vec<_> = together.iter().map(|(at, label)| format!("{label} at {at}")).collect();
        assert_eq!(said.join(", "), expected);
    }

    #[test]
    fn what_the_timeline_says_counts_from_when_the_nodes_have_joined() {
        let at = Duration::from_secs(10);
        let pods = Happening { at, what: What::Burst { pods: 1, over: Duration::ZERO } };
        let [mark] = marks(&[pods], Duration::from_secs(4)).try_into().unwrap();
        assert_eq!((mark.number, mark.at), (1, Duration::from_secs(14)));
    }

    #[test]
    fn marks_that_are_close_have_one_label_and_late_ones_none() {
        check_marks(&[], "");
        check_marks(&[10, 50, 100], "1 at 10, 2 at 50, 3 at 100");
        check_marks(&[10, 10, 13, 14, 101], "1–3 at 10, 4 at 14");
    }
}

//! Calls to EC2: one plot for each action, against what its bucket lets pass.

use std::time::Duration;

use super::ReportError;
use super::axis::Axis;
use super::course::{self, Mark};
use super::figure::{Entry, Figure, Shown};
use super::ink::Ink;
use super::page::Page;
use super::plot::{self, Frame};
use super::unit::{amount, counted, number};
use crate::moment::{Calls, Moment};
use crate::record::Record;
use crate::summary::span;

const TITLE: &str = "Calls to EC2";

/// Bars of a plot, at most.
const BARS: usize = 120;

/// A limit that is this many times the highest bar is not in the picture: the bars would be too low to be seen.
const OUT_OF_SIGHT: f64 = 8.0;

/// What was called within a stretch of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    /// Seconds since the start.
    from: f64,
    to: f64,
    /// Calls per second.
    answered: f64,
    failed: f64,
    throttled: f64,
    /// What the bucket lets pass in the long run, if it is limited.
    refill: Option<f64>,
}

impl Stretch {
    fn all(&self) -> f64 {
        self.answered + self.failed + self.throttled
    }
}

/// The actions that were called, each with its last count.
fn called(moments: &[Moment]) -> Vec<(&'static str, Calls)> {
    let last = moments.last().map(|moment| &moment.calls);
    let calls = last.into_iter().flatten().map(|(action, calls)| (*action, *calls));
    calls.filter(|(_, calls)| calls.made > 0).collect()
}

fn stretches(moments: &[Moment], action: &str) -> Vec<Stretch> {
    let mut before = (Duration::ZERO, Calls::default());
    let mut stretches = Vec::new();
    for moment in course::stretches(moments, BARS).filter_map(<[Moment]>::last) {
        let calls = moment.calls.get(action).copied().unwrap_or_default();
        let (from, counted) = before;
        let seconds = moment.at.saturating_sub(from).as_secs_f64();
        if seconds > 0.0 {
            let rate =
                |of: fn(&Calls) -> u64| amount(of(&calls).saturating_sub(of(&counted))) / seconds;
            let (made, throttled) = (rate(|calls| calls.made), rate(|calls| calls.throttled));
            let failed = rate(|calls| calls.failed);
            stretches.push(Stretch {
                from: from.as_secs_f64(),
                to: moment.at.as_secs_f64(),
                answered: (made - throttled - failed).max(0.0),
                failed,
                throttled,
                refill: calls.bucket.map(|bucket| bucket.refill_per_second),
            });
            before = (moment.at, calls);
        }
    }
    stretches
}

/// Puts in the plots of all actions that were called.
pub(super) fn put(page: &mut Page, record: &Record, marks: &[Mark]) -> Result<(), ReportError> {
    page.tag("h2", TITLE);
    let Some(end) = course::end(&record.moments) else {
        page.classed("p", "nothing", "The run was too short to see them over time.");
        return Ok(());
    };
    let called = called(&record.moments);
    if called.is_empty() {
        page.classed("p", "nothing", "EC2 was not called.");
        return Ok(());
    }
    page.classed(
        "p",
        "quiet",
        "Calls per second by action. The line is what the account's bucket lets pass in the long run; what the bucket holds may be called at once beside it.",
    );
    page.open("div", &[("class", "small")]);
    for (action, calls) in called {
        figure(action, calls, &record.moments, marks, end)?.put(page);
    }
    page.close("div");
    Ok(())
}

fn figure(
    action: &'static str,
    calls: Calls,
    moments: &[Moment],
    marks: &[Mark],
    end: Duration,
) -> Result<Figure, ReportError> {
    let stretches = stretches(moments, action);
    let peak = stretches.iter().map(Stretch::all).fold(0.0, f64::max);
    let limit = stretches.iter().filter_map(|stretch| stretch.refill).fold(0.0, f64::max);
    let in_sight = limit > 0.0 && limit <= peak * OUT_OF_SIGHT;
    let top = if in_sight { peak.max(limit) } else { peak };
    let frame = Frame {
        size: plot::SMALL,
        x: Axis::of_time(end, 6),
        y: Axis::of_rates(top),
        counts: "calls/s",
    };
    let svg = plot::plot(action, &frame, |canvas| {
        for Stretch { from, to, answered, failed, throttled, .. } in stretches.iter().copied() {
            let mut foot = 0.0;
            let parts = [(Ink::Used, answered), (Ink::Failed, failed), (Ink::Throttled, throttled)];
            for (ink, rate) in parts.into_iter().filter(|(_, rate)| *rate > 0.0) {
                canvas.bar(ink, from..to, foot..foot + rate)?;
                foot += rate;
            }
        }
        if in_sight {
            let sides = |stretch: &Stretch| {
                let refill = stretch.refill.unwrap_or_default();
                [(stretch.from, refill), (stretch.to, refill)]
            };
            canvas.line(Ink::Limit, stretches.iter().flat_map(sides))?;
        }
        canvas.marks(marks, end.as_secs_f64())
    })?;
    let shown = Shown::Plot(svg, legend(&stretches, in_sight));
    Ok(Figure { title: action.to_owned(), shown, caption: said(calls, &stretches, in_sight) })
}

fn legend(stretches: &[Stretch], in_sight: bool) -> Vec<Entry> {
    let any = |of: fn(&Stretch) -> f64| stretches.iter().any(|stretch| of(stretch) > 0.0);
    let entries = [
        (any(|stretch| stretch.answered), Entry::area(Ink::Used, "answered")),
        (any(|stretch| stretch.failed), Entry::area(Ink::Failed, "failed")),
        (any(|stretch| stretch.throttled), Entry::area(Ink::Throttled, "throttled")),
        (in_sight, Entry::line(Ink::Limit, "limit")),
    ];
    entries.into_iter().filter(|(is_there, _)| *is_there).map(|(_, entry)| entry).collect()
}

fn said(calls: Calls, stretches: &[Stretch], in_sight: bool) -> String {
    let counts = [
        (true, counted(calls.made, "call")),
        (calls.throttled > 0, format!("{} throttled", calls.throttled)),
        (calls.failed > 0, format!("{} failed otherwise", calls.failed)),
    ];
    let counts = counts.into_iter().filter(|(is_said, _)| *is_said).map(|(_, count)| count);
    let counts = counts.collect::<Vec<_>>().join(", ");
    let peak = stretches.iter().copied().max_by(|one, other| one.all().total_cmp(&other.all()));
    let peak = peak.map_or_else(String::new, |peak| {
        let after = Duration::from_secs_f64(peak.from);
        format!("; at most {} per second, after {}", number(peak.all()), span(after))
    });
    let limit = calls.bucket.map_or_else(
        || "Not limited.".to_owned(),
        |bucket| {
            let (refill, capacity) = (number(bucket.refill_per_second), number(bucket.capacity));
            let where_it_is = if in_sight { "" } else { ", far above this plot" };
            format!("Limit: {refill} per second{where_it_is}; {capacity} at once.")
        },
    );
    format!("{counts}{peak}. {limit}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::moment::Bucket;

    /// The rates between moments, each `SECOND MADE THROTTLED FAILED`.
    #[track_caller]
    fn check(moments: &[[u64; 4]], expected: &[&str]) {
        let moment = |[second, made, throttled, failed]: &[u64; 4]| {
            let bucket = Some(Bucket { capacity: 100.0, refill_per_second: 5.0 });
            let calls = Calls { made: *made, throttled: *throttled, failed: *failed, bucket };
            let at = Duration::from_secs(*second);
            Moment { at, calls: BTreeMap::from([("Call", calls)]), ..Moment::default() }
        };
        let moments: Vec<_> = moments.iter().map(moment).collect();
        let said = |stretch: Stretch| {
            let Stretch { from, to, answered, failed, throttled, .. } = stretch;
            format!("{from}-{to} s: {answered} answered, {failed} failed, {throttled} throttled")
        };
        let said: Vec<_> = stretches(&moments, "Call").into_iter().map(said).collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn rates_are_what_was_added_since_the_moment_before() {
        check(&[], &[]);
        check(&[[0, 3, 0, 0]], &[]);
        check(
            &[[0, 0, 0, 0], [1, 10, 4, 1], [3, 14, 4, 1]],
            &[
                "0-1 s: 5 answered, 1 failed, 4 throttled",
                "1-3 s: 2 answered, 0 failed, 0 throttled",
            ],
        );
        // What was called before the first look is in the first stretch.
        check(&[[0, 3, 0, 0], [1, 4, 0, 0]], &["0-1 s: 4 answered, 0 failed, 0 throttled"]);
    }
}

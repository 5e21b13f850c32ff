//! Texts that fit.

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::Span;

use crate::moment::Waiting;

/// A span of time: `12s`, `90s`, `2m05s`, `1h02m`.
pub(super) fn clock(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds}s"),
        seconds @ ..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        seconds => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
    }
}

/// A wait: with a tenth below ten seconds.
pub(super) fn wait(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{}.{}s", time.as_secs(), time.subsec_millis() / 100)
    } else {
        clock(time)
    }
}

/// A number of things: `1 pod`, `2 pods`.
pub(super) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// How often in a second: `0.5`, `20`.
pub(super) fn rate(per_second: f64) -> String {
    let text = format!("{per_second:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// A text on one line, with single blanks and without control characters, which would tear the line apart.
pub(super) fn one_line(text: &str) -> String {
    without_controls(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn without_controls(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect()
}

/// A text in no more than `width` columns, with `…` where something was cut off.
pub(super) fn fit(text: &str, width: usize) -> String {
    let text = without_controls(text);
    let whole = Span::raw(text.as_str());
    if whole.width() <= width {
        return text;
    }
    let Some(mut left) = width.checked_sub(1) else { return String::new() };
    let mut cut = String::new();
    for grapheme in whole.styled_graphemes(Style::new()) {
        let Some(rest) = left.checked_sub(Span::raw(grapheme.symbol).width()) else { break };
        cut.push_str(grapheme.symbol);
        left = rest;
    }
    cut + "…"
}

/// How many pods wait for each reason, the most frequent first.
pub(super) fn reasons(waiting: &[Waiting]) -> Vec<(usize, String)> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for one in waiting {
        *counts.entry(&one.why).or_default() += 1;
    }
    let mut reasons: Vec<(usize, String)> =
        counts.into_iter().map(|(why, count)| (count, one_line(why))).collect();
    reasons.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    reasons
}

/// A length as columns or rows.
pub(super) fn cells(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

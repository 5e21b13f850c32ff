//! Pods that wait, calls to EC2, and what happened.

use std::cmp::Reverse;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Cell, Row, Table, Widget as _};

use super::draw::{Scene, heading};
use super::facts::{FAINT, STRONG};
use super::words::{clock, fit, one_line, rate, reasons, wait};
use crate::moment::{Calls, Waiting};

/// As wide as an action and its mark get.
const ACTION: u16 = 33;

/// Pods that wait: the longest, and how many for which reason.
pub(super) fn pods(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let (ink, pods) = (scene.facts.ink, scene.moment.pods);
    let style = if pods.waiting > 0 { ink.trouble() } else { Style::new() };
    let title = Line::from(vec![
        Span::styled("─ Pods without an address ", STRONG),
        Span::styled(format!("{} ", pods.waiting), style),
    ]);
    let refused = Line::raw(format!(" failed tries so far: {} ", pods.refused));
    let inner = heading((title, refused), area, buffer);
    let width = usize::from(inner.width).saturating_sub(1);
    let Some(first) = scene.moment.waiting.first() else {
        return Line::styled("  none", FAINT).render(inner, buffer);
    };
    let reasons = reasons(&scene.moment.waiting);
    let groups = usize::from(inner.height).saturating_sub(1);
    let shown = if reasons.len() <= groups { groups } else { groups.saturating_sub(1) };
    let mut lines = vec![fit(&longest(first), width)];
    for (count, why) in reasons.iter().take(shown) {
        lines.push(fit(&format!("{count:>5}  {why}"), width));
    }
    if groups > 0 && reasons.len() > shown {
        lines.push(format!("       … {} more reasons", reasons.len() - shown));
    }
    let text: Text = lines.into_iter().map(Line::from).collect();
    text.render(inner, buffer);
}

fn longest(waiting: &Waiting) -> String {
    let node = waiting.node.as_ref().map_or(String::new(), |node| format!(" on {node}"));
    format!("  longest {}: {}{node}: {}", wait(waiting.since), waiting.pod, one_line(&waiting.why))
}

/// Calls to EC2 by action. Those that were refused come first when not all fit, then those that are made most.
pub(super) fn calls(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let mut calls: Vec<(&'static str, Calls)> =
        scene.moment.calls.iter().map(|(action, calls)| (*action, *calls)).collect();
    let rows = usize::from(area.height).saturating_sub(2);
    if calls.len() > rows {
        calls.sort_by_key(|(_, calls)| (!is_refused(calls), Reverse(calls.made)));
    }
    let hidden = calls.len().saturating_sub(rows);
    let more = if hidden > 0 { format!(" … {hidden} more actions ") } else { String::new() };
    let inner = heading((calls_title(scene), Line::raw(more)), area, buffer);
    let widths = [inner.width.saturating_sub(43).min(ACTION), 6, 8, 9, 6, 9];
    let heads = ["  action", "calls", "last 10s", "throttled", "failed", "refill/s"];
    let heads = heads.into_iter().enumerate().map(|(place, head)| cell(place, head.to_owned()));
    let body = calls.iter().take(rows).map(|(action, calls)| call_row(scene, action, calls));
    Table::new(body, widths.map(|width: u16| Constraint::Length(width)))
        .header(Row::new(heads).style(FAINT))
        .column_spacing(1)
        .render(inner, buffer);
    if calls.is_empty() && inner.height > 1 {
        let none = Rect { y: inner.y + 1, height: 1, ..inner };
        Line::styled("  none yet", FAINT).render(none, buffer);
    }
}

fn calls_title(scene: &Scene<'_>) -> Line<'static> {
    let ink = scene.facts.ink;
    let sum = |of: fn(&Calls) -> u64| scene.moment.calls.values().map(of).sum::<u64>();
    let (throttled, failed) = (sum(|calls| calls.throttled), sum(|calls| calls.failed));
    let style = |count: u64| if count > 0 { ink.trouble() } else { Style::new() };
    Line::from(vec![
        Span::styled("─ EC2 calls ", STRONG),
        Span::raw(format!("{}, ", sum(|calls| calls.made))),
        Span::styled(format!("{throttled} throttled"), style(throttled)),
        Span::raw(", "),
        Span::styled(format!("{failed} failed "), style(failed)),
    ])
}

fn is_refused(calls: &Calls) -> bool {
    calls.throttled > 0 || calls.failed > 0
}

fn call_row(scene: &Scene<'_>, action: &str, calls: &Calls) -> Row<'static> {
    let ink = scene.facts.ink;
    let number = |number: u64| if number == 0 { "-".to_owned() } else { number.to_string() };
    let of_late = scene.rates.get(action).copied().unwrap_or_default();
    let of_late = if of_late > 0.0 { format!("{}/s", rate(of_late)) } else { "-".to_owned() };
    let refill = calls.bucket.map_or("-".to_owned(), |one| rate(one.refill_per_second));
    let mark = if is_refused(calls) { "!" } else { " " };
    let bad = |count: u64| if count > 0 { ink.trouble() } else { Style::new() };
    Row::new([
        cell(0, format!("{mark} {action}")).style(bad(calls.throttled + calls.failed)),
        cell(1, number(calls.made)),
        cell(2, of_late),
        cell(3, number(calls.throttled)).style(bad(calls.throttled)),
        cell(4, number(calls.failed)).style(bad(calls.failed)),
        cell(5, refill),
    ])
}

/// All but the first column hold numbers.
fn cell(place: usize, text: String) -> Cell<'static> {
    let line = Line::from(text);
    Cell::from(if place == 0 { line } else { line.right_aligned() })
}

/// The last things that happened, the newest last.
pub(super) fn events(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let ink = scene.facts.ink;
    let title = Line::from(Span::styled("─ Last events ", STRONG));
    let inner = heading((title, Line::default()), area, buffer);
    let rows = usize::from(inner.height);
    let skipped = scene.news.len().saturating_sub(rows);
    let width = usize::from(inner.width).saturating_sub(1);
    let lines = scene.news.iter().skip(skipped).map(|line| {
        let (mark, style) =
            if line.is_trouble { ("!", ink.trouble()) } else { (" ", Style::new()) };
        let text = format!("{:>6}  {}", clock(line.at), one_line(&line.text));
        Line::styled(format!("{mark}{}", fit(&text, width)), style)
    });
    let text: Text = lines.collect();
    if text.lines.is_empty() {
        return Line::styled("  nothing yet", FAINT).render(inner, buffer);
    }
    text.render(inner, buffer);
}

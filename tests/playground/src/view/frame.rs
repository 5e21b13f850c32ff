//! What stands above and below: which run it is, how far it is, what came of it so far.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::symbols;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{LineGauge, Widget as _};

use super::draw::Scene;
use super::facts::{FAINT, STRONG};
use super::words::{cells, clock, count, fit, one_line};
use crate::moment::{Moment, NodeState};

/// What the operator says of itself when it works.
const OPERATOR_READY: &str = "ready";

/// What keys do, in many words and in few.
const KEYS: [&str; 3] = ["↑↓ PgUp PgDn scroll  q ends ", "↑↓ scroll  q ends ", "q ends "];

/// Which run it is and how far it is; where there is a third row, what it shows.
pub(super) fn header(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let facts = scene.facts;
    let row = |place: u16| Rect { y: area.y + place, height: 1, ..area };
    let label = format!("{} of {} ", clock(scene.moment.at), clock(facts.length));
    let gauge = Constraint::Length(cells(label.chars().count() + 24).min(area.width / 2));
    let [title, _, gauge] =
        Layout::horizontal([Constraint::Min(1), Constraint::Length(1), gauge]).areas(row(0));
    let scenario = fit(&facts.scenario, usize::from(title.width).saturating_sub(19));
    let title_line =
        vec![Span::styled(" Berth playground", STRONG), Span::raw("  "), Span::raw(scenario)];
    Line::from(title_line).render(title, buffer);
    LineGauge::default()
        .ratio(progress(scene))
        .label(label)
        .filled_symbol(symbols::line::THICK_HORIZONTAL)
        .unfilled_symbol("╌")
        .filled_style(facts.ink.good())
        .unfilled_style(FAINT)
        .render(gauge, buffer);
    state(scene, usize::from(area.width)).render(row(1), buffer);
    if area.height > 2 {
        let width = usize::from(area.width).saturating_sub(2);
        let description = format!(" {}", fit(&one_line(&facts.description), width));
        Line::styled(description, FAINT).render(row(2), buffer);
    }
}

fn progress(scene: &Scene<'_>) -> f64 {
    if scene.facts.length.is_zero() {
        return 1.0;
    }
    scene.moment.at.div_duration_f64(scene.facts.length).clamp(0.0, 1.0)
}

fn state(scene: &Scene<'_>, width: usize) -> Line<'static> {
    let (ink, operator) = (scene.facts.ink, scene.moment.operator.as_str());
    let is_ready = operator == OPERATOR_READY;
    let (mark, style) = if is_ready { ("", ink.good()) } else { ("! ", ink.trouble()) };
    let operator = if operator.is_empty() { "not seen yet" } else { operator };
    let mut line = Line::from(vec![
        Span::raw(" operator "),
        Span::styled(format!("{mark}{}", fit(operator, 24)), style),
        Span::raw(format!("   {}", nodes(scene.moment))),
    ]);
    let seed = Span::styled(format!("   seed {}", scene.facts.seed), FAINT);
    if line.width() + seed.width() <= width {
        line.push_span(seed);
    }
    line
}

/// How many nodes there are, and in which states: `5 nodes: 4 ready, 1 joining`.
fn nodes(moment: &Moment) -> String {
    let states = [
        (NodeState::Ready, "ready"),
        (NodeState::Joining, "joining"),
        (NodeState::Draining, "draining"),
        (NodeState::Silent, "silent"),
        (NodeState::Foreign, "not Berth's"),
    ];
    let found = states.into_iter().filter_map(|(state, word)| {
        let count = moment.nodes.iter().filter(|node| node.state == state).count();
        (count > 0).then(|| format!("{count} {word}"))
    });
    let found: Vec<String> = found.collect();
    let separator = if found.is_empty() { "" } else { ": " };
    format!("{}{separator}{}", count(moment.nodes.len(), "node"), found.join(", "))
}

/// How many rows the findings take in a view of so many rows.
pub(super) fn findings_rows(moment: &Moment, height: u16) -> u16 {
    let most = if height < 24 { 1 } else { 4 };
    cells(moment.findings.len()).min(most)
}

/// Broken promises. The last row says how many more there are.
pub(super) fn findings(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let (findings, rows) = (&scene.moment.findings, usize::from(area.height));
    let hidden = findings.len().saturating_sub(rows);
    let text = findings.iter().take(rows).enumerate().map(|(row, finding)| {
        let is_last = row + 1 == rows && hidden > 0;
        let more = if is_last { format!(" (and {hidden} more)") } else { String::new() };
        let room = usize::from(area.width).saturating_sub(2 + more.chars().count());
        let finding = fit(&format!("BROKEN PROMISE: {}", one_line(finding)), room);
        Line::styled(format!(" {finding}{more} "), scene.facts.ink.alarm())
    });
    text.collect::<Text>().render(area, buffer);
}

/// How many pods there are and have been, findings, and what keys do.
pub(super) fn footer(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let few_keys = KEYS[KEYS.len() - 1].chars().count();
    let long = totals(scene, true);
    let is_long = long.width() + few_keys <= width;
    let totals = if is_long { long } else { totals(scene, false) };
    let left = width.saturating_sub(totals.width());
    let keys = KEYS.into_iter().find(|keys| keys.chars().count() <= left).unwrap_or_default();
    let keys = Line::styled(keys, FAINT);
    let [totals_area, keys_area] =
        Layout::horizontal([Constraint::Min(0), Constraint::Length(cells(keys.width()))])
            .areas(area);
    totals.render(totals_area, buffer);
    keys.render(keys_area, buffer);
}

fn totals(scene: &Scene<'_>, is_long: bool) -> Line<'static> {
    let (ink, pods) = (scene.facts.ink, scene.moment.pods);
    let waiting = if pods.waiting > 0 { ink.trouble() } else { ink.good() };
    let found = scene.moment.findings.len();
    let findings = if found > 0 { ink.alarm() } else { ink.good() };
    let started = if is_long { format!("  {} started", pods.started) } else { String::new() };
    Line::from(vec![
        Span::styled(" Pods ", STRONG),
        Span::styled(format!("{} running", pods.running), ink.good()),
        Span::raw("  "),
        Span::styled(format!("{} waiting", pods.waiting), waiting),
        Span::raw(format!("{started}   ")),
        Span::styled(count(found, "finding"), findings),
        Span::raw("  "),
    ])
}

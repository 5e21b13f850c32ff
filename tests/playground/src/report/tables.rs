//! The head of the report, and its tables.

use std::time::Duration;

use jiff::Timestamp;

use super::course::Mark;
use super::page::{Cell, Page};
use super::unit::{counted, number};
use crate::moment::{Node, NodeState};
use crate::plan::Plan;
use crate::record::{Reason, Record};
use crate::summary::{Summary, span};

/// Lines of news, at most.
const NEWS: usize = 200;

/// What, when, and for how long.
pub(super) fn head(page: &mut Page, when: Timestamp, plan: &Plan, summary: &Summary) {
    page.open("header", &[]);
    page.tag("h1", &format!("Berth playground: {}", plan.name));
    let when = when.strftime("%Y-%m-%d %H:%M:%S UTC");
    let nodes: u32 = plan.nodes.iter().map(|group| group.count).sum();
    let facts = format!(
        "Ended {when} · ran {} · {} planned · {} pods per second · seed {}",
        span(summary.length),
        counted(nodes, "node"),
        number(plan.pods.per_second),
        plan.seed,
    );
    page.classed("p", "quiet", &facts);
    page.tag("p", &plan.description);
    page.close("header");
}

/// What came of the run.
pub(super) fn summary(page: &mut Page, summary: &Summary) {
    page.open("section", &[("class", "facts")]);
    page.tag("h2", "Summary");
    let calls: u64 = summary.calls.iter().map(|(_, calls)| calls.made).sum();
    let throttled: u64 = summary.calls.iter().map(|(_, calls)| calls.throttled).sum();
    let waits = summary.waits;
    let [p50, p99, max] = [waits.p50, waits.p99, waits.max].map(span);
    let waits = match summary.pods_started {
        0 => "no pod got an address".to_owned(),
        _ => format!("p50 {p50}, p99 {p99}, longest {max}"),
    };
    let rows = [
        ("Pods made", summary.pods_made.to_string()),
        ("Pods that got an address", summary.pods_started.to_string()),
        ("Pods that still wait", summary.pods_waiting.to_string()),
        ("Waits", waits),
        (
            "Calls to EC2",
            format!("{calls}, of which {throttled} throttled{}", each(summary, calls)),
        ),
        (
            "Addresses that no pod used",
            format!("{} on average, {} at the end", number(summary.idle_mean), summary.idle_at_end),
        ),
        ("Given back to EC2", summary.given_back()),
    ];
    let mut rows: Vec<_> =
        rows.into_iter().map(|(what, how)| vec![Cell::text(what), Cell::text(how)]).collect();
    rows.extend(broken(summary));
    page.table(&[], &rows);
    page.close("section");
}

fn each(summary: &Summary, calls: u64) -> String {
    if summary.pods_started == 0 {
        return String::new();
    }
    let rate = super::unit::amount(calls) / super::unit::amount(summary.pods_started);
    format!("; {} for each pod that got an address", number(rate))
}

/// Broken promises and what was not as the scenario expects, a row each; one that says `none` where there are none.
fn broken(summary: &Summary) -> Vec<Vec<Cell>> {
    let finding = |(at, text): &(Duration, String)| format!("after {}: {text}", span(*at));
    let findings = summary.findings.iter().map(finding).collect();
    let mut rows = Vec::new();
    for (what, texts) in [("Broken promises", findings), ("Not as expected", summary.unmet.clone())]
    {
        if texts.is_empty() {
            rows.push(vec![Cell::text(what), Cell::good("none")]);
        }
        rows.extend(texts.into_iter().map(|text| vec![Cell::text(what), Cell::trouble(text)]));
    }
    rows
}

/// What the numbers at the upright lines of the plots mean.
pub(super) fn timeline(page: &mut Page, marks: &[Mark]) {
    if marks.is_empty() {
        return;
    }
    page.classed(
        "p",
        "quiet",
        "The numbered lines in the plots are what the scenario made happen:",
    );
    let row =
        |mark: &Mark| vec![Cell::number(mark.number), Cell::when(mark.at), Cell::text(&*mark.what)];
    page.table(&["#", "After", "What"], &marks.iter().map(row).collect::<Vec<_>>());
}

/// The nodes at the end.
pub(super) fn nodes(page: &mut Page, record: &Record) {
    page.open("section", &[]);
    page.tag("h2", "Nodes at the end");
    let nodes = record.moments.last().map_or(&[][..], |moment| &moment.nodes);
    if nodes.is_empty() {
        page.classed("p", "nothing", "There was none.");
    } else {
        let heads = [
            "#", "Name", "Type", "Zone", "State", "Used", "Cooling", "Promised", "Free", "At most",
            "ENIs", "Prefixes",
        ];
        let rows: Vec<_> = nodes.iter().enumerate().map(node).collect();
        page.table(&heads, &rows);
    }
    page.close("section");
}

fn node((index, node): (usize, &Node)) -> Vec<Cell> {
    let state = match node.state {
        NodeState::Joining => Cell::text("joining"),
        NodeState::Ready => Cell::text("ready"),
        NodeState::Draining => Cell::text("draining"),
        NodeState::Silent => Cell::trouble("silent"),
        NodeState::Foreign => Cell::text("served by somebody else"),
    };
    let mut cells = vec![
        Cell::number(index + 1),
        Cell::text(&*node.name),
        Cell::text(&*node.instance_type),
        Cell::text(&*node.zone),
        state,
    ];
    let numbers = [
        node.used,
        node.cooling,
        node.promised,
        node.free,
        node.capacity,
        node.enis,
        node.prefixes,
    ];
    cells.extend(numbers.map(Cell::number));
    cells
}

/// Why pods waited, and what kept nodes from getting what they wanted.
pub(super) fn reasons(page: &mut Page, record: &Record) {
    page.open("section", &[]);
    page.tag("h2", "Why pods waited");
    waited(page, &record.reasons, "Pods at once", "No pod waited long enough to be asked why.");
    page.tag("h2", "What kept nodes from growing");
    waited(page, &record.blocked, "Nodes at once", "Nothing did.");
    page.close("section");
}

fn waited(page: &mut Page, reasons: &[Reason], who: &str, if_none: &str) {
    if reasons.is_empty() {
        page.classed("p", "nothing", if_none);
        return;
    }
    let row = |reason: &Reason| {
        let (first, last) = (Cell::when(reason.first), Cell::when(reason.last));
        vec![Cell::text(&*reason.why), Cell::number(reason.most), first, last]
    };
    let rows: Vec<_> = reasons.iter().map(row).collect();
    page.table(&["Reason", who, "Seen first", "Seen last"], &rows);
}

/// What happened.
pub(super) fn news(page: &mut Page, record: &Record) {
    page.open("section", &[]);
    page.tag("h2", "What happened");
    let left_out = record.news.len().saturating_sub(NEWS);
    if record.news.is_empty() {
        page.classed("p", "nothing", "Nothing was told.");
    } else {
        if left_out > 0 {
            let said = format!("{} before these are left out.", counted(left_out, "line"));
            page.classed("p", "quiet", &said);
        }
        let row = |line: &crate::news::Line| {
            let text = &*line.text;
            let text = if line.is_trouble { Cell::trouble(text) } else { Cell::text(text) };
            vec![Cell::when(line.at), text]
        };
        let rows: Vec<_> = record.news.iter().skip(left_out).map(row).collect();
        page.table(&["After", "What"], &rows);
    }
    page.close("section");
}

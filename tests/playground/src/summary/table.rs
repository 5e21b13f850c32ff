//! The summary for people.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::Summary;
use super::words::{count, span};

/// Findings that are listed: the rest is in the report.
const LISTED: usize = 10;

pub(super) fn of(summary: &Summary) -> String {
    let parts = [figures(summary), calls(summary), findings(summary), unmet(summary)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn figures(summary: &Summary) -> String {
    let Summary { scenario, length, pods_made, pods_started, pods_waiting, waits, .. } = summary;
    let [made, started, waiting] = [pods_made, pods_started, pods_waiting].map(|it| count(*it));
    let [p50, p99, max] = [waits.p50, waits.p99, waits.max].map(span);
    let unserved = match summary.pods_unserved() {
        0 => String::new(),
        some => format!(", {} ended without an address", count(some)),
    };
    let waits = match summary.pods_started {
        0 => "no pod got an address".to_owned(),
        _ => format!("p50 {p50}, p99 {p99}, max {max}"),
    };
    let per_pod = summary.calls_per_pod();
    let per_pod =
        per_pod.map_or_else(|| "no pod".to_owned(), |calls| format!("{calls:.2} per pod"));
    let found = match summary.findings.len() {
        0 => "every promise was kept".to_owned(),
        1 => "1 promise was broken".to_owned(),
        more => format!("{more} promises were broken"),
    };
    let idle_at_end = count(summary.idle_at_end.into());
    let mut rows = vec![
        ("scenario", format!("{scenario}, {}", span(*length))),
        ("pods", format!("{started} started of {made}, {waiting} waiting{unserved}")),
        ("waits", waits),
        ("EC2 calls", format!("{per_pod}, {} in all", count(summary.calls_made()))),
        (
            "idle addresses",
            format!("{:.1} on average, {idle_at_end} at the end", summary.idle_mean),
        ),
        ("given back", summary.given_back()),
        ("audit", found),
    ];
    let report = summary.report.as_ref().map(|path| ("report", path.display().to_string()));
    rows.extend(report);
    let mut table = Table::new();
    table.load_style(NOTHING);
    for (what, how) in rows {
        table.add_row([what, &how]);
    }
    lines(&table)
}

fn calls(summary: &Summary) -> String {
    if summary.calls.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["EC2 ACTION", "CALLS", "THROTTLED", "FAILED"]);
    let mut calls = summary.calls.clone();
    calls.sort_by_key(|(action, calls)| (std::cmp::Reverse(calls.made), *action));
    for (action, calls) in calls {
        let [made, throttled, failed] = [calls.made, calls.throttled, calls.failed].map(count);
        table.add_row([action, &made, &throttled, &failed]);
    }
    for column in 1..=3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    lines(&table)
}

fn findings(summary: &Summary) -> String {
    let shown = summary.findings.iter().take(LISTED);
    let shown = shown.map(|(at, text)| format!("broken after {}: {text}", span(*at)));
    let more = summary.findings.len().saturating_sub(LISTED);
    joined(shown.chain((more > 0).then(|| format!("and {more} more"))))
}

fn unmet(summary: &Summary) -> String {
    joined(summary.unmet.iter().map(|text| format!("not as expected: {text}")))
}

fn lines(table: &Table) -> String {
    joined(table.lines().map(|line| line.trim().to_owned()))
}

/// Each line with its end.
fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.fold(String::new(), |all, line| all + &line + "\n")
}

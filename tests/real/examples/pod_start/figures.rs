//! What was measured, to be read.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

/// What was measured with one IPAM plugin.
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    /// From the binding of a pod until it runs.
    pub(crate) starts: Vec<Duration>,
    /// ADD of `ptp`, with its IPAM plugin in it.
    pub(crate) adds: Vec<Duration>,
}

pub(crate) fn table(all: &[Figures]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["IPAM", "PODS", "START P50", "START P99", "ADD P50", "ADD P99"]);
    for figures in all {
        let shown = [
            percentile(&figures.starts, 50),
            percentile(&figures.starts, 99),
            percentile(&figures.adds, 50),
            percentile(&figures.adds, 99),
        ];
        let shown = shown.map(|duration| format!("{:.1} ms", milliseconds(duration)));
        let head = [figures.name.to_owned(), figures.starts.len().to_string()];
        table.add_row(head.into_iter().chain(shown));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

pub(crate) fn json(all: &[Figures]) -> Value {
    let both = |times: &[Duration]| {
        json!({
            "p50": milliseconds(percentile(times, 50)),
            "p99": milliseconds(percentile(times, 99)),
        })
    };
    let one = |figures: &Figures| {
        json!({
            "ipam": figures.name, "pods": figures.starts.len(),
            "start_ms": both(&figures.starts), "add_ms": both(&figures.adds),
        })
    };
    all.iter().map(one).collect()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The smallest time that so many of a hundred did not exceed; nothing of nothing.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

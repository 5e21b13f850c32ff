//! The measured figures beside the goals, as a Markdown table.

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use serde_json::Value;

/// Goals in nanoseconds, for every bench whose name starts so.
pub type Goals<'a> = &'a [(&'a str, f64)];

/// Prints what criterion left under `output`, this time or before, beside `goals`. Nothing is there when the benches
/// were only tried out with `--test`.
#[expect(clippy::print_stdout, reason = "the table is what the benches are run for")]
pub fn print(output: &Path, goals: Goals<'_>) {
    let mut rows: Vec<(String, f64)> = estimates(output).iter().filter_map(|it| read(it)).collect();
    rows.sort_by_cached_key(|(name, _)| with_padded_numbers(name));
    if rows.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(["bench", "median", "goal", "met"]);
    for (name, nanoseconds) in rows {
        let goal = goals.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, goal)| *goal);
        let met = goal.map_or("", |goal| if nanoseconds <= goal { "yes" } else { "NO" });
        table.add_row([
            name,
            time(nanoseconds),
            goal.map_or_else(String::new, time),
            met.to_string(),
        ]);
    }
    println!("{table}");
}

/// The words of a name, its numbers padded, so that 16 comes before 240 and 1600.
fn with_padded_numbers(name: &str) -> Vec<String> {
    name.split(['/', ' '])
        .map(|word| match word.parse::<u64>() {
            Ok(number) => format!("{number:020}"),
            Err(_) => word.to_string(),
        })
        .collect()
}

/// The folders of single benches: those that hold a `new/estimates.json`.
fn estimates(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = read_dir(folder) else {
        return Vec::new();
    };
    let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    folders
        .flat_map(|path| {
            if path.join("new/estimates.json").is_file() { vec![path] } else { estimates(&path) }
        })
        .collect()
}

/// Full name and median in nanoseconds.
fn read(bench: &Path) -> Option<(String, f64)> {
    let json = |file: &str| -> Option<Value> {
        serde_json::from_str(&read_to_string(bench.join("new").join(file)).ok()?).ok()
    };
    let name = json("benchmark.json")?["full_id"].as_str()?.to_string();
    let median = json("estimates.json")?["median"]["point_estimate"].as_f64()?;
    Some((name, median))
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1_000.0 => format!("{nanoseconds:.0} ns"),
        ..1_000_000.0 => format!("{:.2} µs", nanoseconds / 1e3),
        _ => format!("{:.2} ms", nanoseconds / 1e6),
    }
}

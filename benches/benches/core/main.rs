//! Benches of the core. At the end a table compares what was measured with the goals.
//!
//! `cargo bench -p benches` runs all, `cargo bench -p benches -- pool` those whose name has `pool` in it.

#![expect(clippy::expect_used, reason = "what the benches are made of is constant")]

mod crd;
mod limits;
mod plan;
mod pool;

use std::path::Path;
use std::time::Duration;

use benches::table::{self, Goals};
use criterion::Criterion;

const GOALS: Goals<'_> = &[
    ("limits/", 100.0),
    ("pool/", 300.0),
    ("plan/one ", 10_000.0),
    ("plan/5000 ", 50_000_000.0),
    ("crd/decode/1000", 1_000_000.0),
];

fn main() {
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
    let mut criterion = Criterion::default()
        .output_directory(&output)
        .without_plots()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    limits::bench(&mut criterion);
    pool::bench(&mut criterion);
    plan::bench(&mut criterion);
    crd::bench(&mut criterion);
    criterion.final_summary();
    table::print(&output, GOALS);
}

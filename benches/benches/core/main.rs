//! Benches of the core. At the end a table compares what was measured with the goals.
//!
//! `cargo bench -p benches` runs all, `cargo bench -p benches -- pool` those whose name has `pool` in it.

#![expect(clippy::expect_used, reason = "what the benches are made of is constant")]

mod crd;
mod limits;
mod plan;
mod pool;
mod reconcile;

use std::path::Path;

use benches::table::{self, Goals};

const GOALS: Goals<'_> = &[
    ("limits/", 100.0),
    ("pool/", 300.0),
    ("plan/one ", 10_000.0),
    ("plan/5000 ", 50_000_000.0),
    ("crd/decode/1000", 1_000_000.0),
];

fn main() {
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
    let mut criterion = benches::criterion(&output);
    limits::bench(&mut criterion);
    pool::bench(&mut criterion);
    plan::bench(&mut criterion);
    crd::bench(&mut criterion);
    reconcile::bench(&mut criterion);
    criterion.final_summary();
    table::print(&output, GOALS);
}

//! Benches of the simulated EC2 at the size it is made for: 5,000 instances, 15,000 interfaces, 500,000 addresses.
//!
//! `cargo bench -p benches --bench ec2_sim` runs all. The memory that such a world takes is measured in a process of its own.

#![expect(clippy::expect_used, reason = "what the benches are made of is constant")]

mod calls;
mod memory;
mod region;

use std::path::Path;

use benches::table::{self, Goals};

// 5 ms for a page; 20,000 mutations a second, of which there are two and four in one round.
const GOALS: Goals<'_> = &[
    ("ec2-sim/page", 5_000_000.0),
    ("ec2-sim/2 mutations", 100_000.0),
    ("ec2-sim/4 mutations", 200_000.0),
];

fn main() {
    if std::env::args().any(|argument| argument == memory::CHILD) {
        return memory::measure();
    }
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion-ec2-sim");
    let mut criterion = benches::criterion(&output);
    calls::bench(&mut criterion);
    criterion.final_summary();
    table::print(&output, GOALS);
    memory::report();
}

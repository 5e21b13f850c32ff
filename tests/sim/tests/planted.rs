//! The simulation finds each bug that is planted: an audit that finds nothing might as well not look.

use std::io::{self, Write as _};

use sim::planted::{Bug, plant};
use sim::{Scenario, many, run};

/// Within so many seeds.
const SEEDS: u64 = 2_000;

/// One test, since a bug is planted in the whole process.
#[test]
fn each_planted_bug_is_found() {
    let mut unfound = Vec::new();
    for bug in Bug::ALL.iter().copied() {
        plant(Some(bug));
        let found = many(0..SEEDS, 1, Scenario::of, |_| {});
        plant(None);
        match found.broken.first() {
            Some((seed, what)) => {
                let sound = run(Scenario::of(*seed), false).unwrap();
                if sound.violation.is_some() {
                    unfound.push(bug);
                }
                let what = what.lines().next().unwrap_or_default();
                let seeds = found.seeds;
                // Which seed it takes is worth knowing, and nothing depends on it.
                drop(writeln!(io::stderr(), "{bug:?} in {seeds} seeds, by {seed}: {what}"));
            }
            None => unfound.push(bug),
        }
    }
    assert!(unfound.is_empty(), "not found within {SEEDS} seeds: {unfound:?}");
}

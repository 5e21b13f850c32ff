//! Many seeds, on all cores.

use std::num::NonZero;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::counters::Counters;
use crate::outcome::Outcome;
use crate::{Scenario, run};

/// What came of many seeds.
#[derive(Debug, Default)]
pub struct Many {
    /// How many were run.
    pub seeds: u64,
    /// What was exercised.
    pub counters: Counters,
    /// Those that broke a promise, or could not be built, in order.
    pub broken: Vec<(u64, String)>,
}

/// Runs the scenarios that `draw` makes of the seeds, until `most` of them are broken. `progress` hears of each seed that is done.
pub fn many(
    seeds: Range<u64>,
    most: usize,
    draw: impl Fn(u64) -> Scenario + Sync,
    progress: impl Fn(u64) + Sync,
) -> Many {
    let next = AtomicU64::new(seeds.start);
    let all = Mutex::new(Many::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let outcome = run(draw(seed), false);
            let Ok(mut all) = all.lock() else { return };
            if all.broken.len() >= most {
                return;
            }
            all.take(seed, outcome);
            progress(all.seeds);
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let mut all = all.into_inner().unwrap_or_default();
    all.broken.sort();
    all
}

impl Many {
    fn take(&mut self, seed: u64, outcome: anyhow::Result<Outcome>) {
        self.seeds += 1;
        match outcome {
            Ok(outcome) => {
                self.counters.merge(&outcome.counters);
                self.broken.extend(outcome.violation.map(|it| (seed, it.to_string())));
            }
            Err(problem) => self.broken.push((seed, format!("{problem:#}"))),
        }
    }
}

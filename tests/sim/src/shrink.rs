//! A failing scenario, made small: what can be left out while the same promise is broken is left out.

use std::collections::BTreeSet;

use crate::outcome::{Outcome, Violation};
use crate::run;
use crate::scenario::{Keep, Scenario};

/// A smaller scenario that breaks the same promise.
#[derive(Debug)]
pub struct Shrunk {
    /// What of it is left.
    pub keep: Keep,
    /// What it breaks, with its trace.
    pub outcome: Outcome,
    /// How many runs it took.
    pub runs: usize,
}

/// What parts can be left out.
#[derive(Debug, Clone, Copy)]
enum Part {
    Nodes,
    Faults,
    Pods,
}

struct Shrink {
    scenario: Scenario,
    label: &'static str,
    runs: usize,
    most: usize,
}

/// Makes a scenario that breaks a promise as small as `most` runs allow. Nothing when it breaks none.
#[must_use]
pub fn shrink(scenario: &Scenario, violation: &Violation, most: usize) -> Option<Shrunk> {
    let label = violation.label;
    let mut shrink = Shrink { scenario: scenario.clone(), label, runs: 0, most };
    while shrink.runs < most {
        let before = shrink.scenario.keep.clone();
        for part in [Part::Nodes, Part::Faults, Part::Pods] {
            shrink.reduce(part);
        }
        if shrink.scenario.keep == before {
            break;
        }
    }
    let outcome = run(shrink.scenario.clone(), true).ok()?;
    outcome.violation.as_ref()?;
    Some(Shrunk { keep: shrink.scenario.keep, outcome, runs: shrink.runs })
}

impl Shrink {
    /// Leaves out halves of what is left, then quarters, and so on.
    fn reduce(&mut self, part: Part) {
        let mut left = self.kept(part);
        let mut size = left.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < left.len() && self.runs < self.most {
                let end = (at + size).min(left.len());
                let fewer: Vec<usize> = [&left[..at], &left[end..]].concat();
                if self.still_breaks(part, &fewer) {
                    left = fewer;
                } else {
                    at = end;
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }

    fn kept(&self, part: Part) -> Vec<usize> {
        match part {
            Part::Nodes => self.scenario.kept_nodes().collect(),
            Part::Faults => self.scenario.kept_faults().collect(),
            Part::Pods => self.scenario.kept_pods().collect(),
        }
    }

    /// Tries it with fewer, and keeps that if the promise is still broken.
    fn still_breaks(&mut self, part: Part, fewer: &[usize]) -> bool {
        let mut smaller = self.scenario.clone();
        let fewer: BTreeSet<usize> = fewer.iter().copied().collect();
        match part {
            Part::Nodes => smaller.keep.nodes = Some(fewer),
            Part::Faults => smaller.keep.faults = Some(fewer),
            Part::Pods => smaller.keep.pods = Some(fewer),
        }
        self.runs += 1;
        let breaks = run(smaller.clone(), false)
            .is_ok_and(|outcome| outcome.violation.is_some_and(|it| it.label == self.label));
        if breaks {
            self.scenario = smaller;
        }
        breaks
    }
}

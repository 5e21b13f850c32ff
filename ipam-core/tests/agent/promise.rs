//! What the node does about an entry of `release-ips`: every entry and every fact.

use std::fmt::{Debug, Write};
use std::time::Duration;

use ipam_core::agent::Release;
use ipam_core::promise::{Entry, REASSIGNED_AFTER, ends, step};

const ENTRIES: [(&str, Release); 4] = [
    ("marked", Release::Marked),
    ("ready", Release::Ready),
    ("refused", Release::Refused),
    ("released", Release::Released),
];

/// A line for each way in which `N` facts may be, of those alone that make a difference.
fn rows<const N: usize, T: PartialEq + Debug>(
    names: [[&str; 2]; N],
    outcome: impl Fn([bool; N]) -> T,
) -> Vec<String> {
    let cases = (0..1_usize << N).map(|bits| std::array::from_fn(|at| bits & (1 << at) == 0));
    let cases: Vec<[bool; N]> = cases.collect();
    let flipped = |case: &[bool; N], at: usize| {
        let mut other = *case;
        other[at] = !other[at];
        other
    };
    let differs = |at: usize| cases.iter().any(|case| outcome(*case) != outcome(flipped(case, at)));
    let shown: Vec<usize> = (0..N).filter(|at| differs(*at)).collect();
    let mut rows: Vec<String> = Vec::new();
    for case in &cases {
        let facts = shown.iter().map(|at| names[*at][usize::from(!case[*at])]);
        let facts: Vec<&str> = facts.collect();
        let row = format!("{} -> {:?}", facts.join(" "), outcome(*case)).trim().to_owned();
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

#[track_caller]
fn check(table: &str, expected: &str) {
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(table.lines().collect::<Vec<_>>(), expected, "\n{table}");
}

#[test]
fn every_entry_and_every_fact_has_one_step() {
    let mut table = String::new();
    let names = [["pool", "no pool"], ["left", "stayed"], ["used", "unused"], ["long", "short"]];
    for (name, release) in ENTRIES {
        let outcome = |[in_pool, left_pool, used, is_long]: [bool; 4]| {
            let lasts = if is_long { REASSIGNED_AFTER } else { Duration::from_millis(299_999) };
            step(Entry { release, in_pool, left_pool, lasts, used })
        };
        for row in rows(names, outcome) {
            writeln!(table, "{name} {row}").unwrap();
        }
    }
    check(
        &table,
        "marked pool used -> Refuse
         marked no pool used -> Refuse
         marked pool unused -> Promise
         marked no pool unused -> Refuse
         ready used -> Refuse
         ready unused -> Hold
         refused -> LetGo
         released pool left long -> Remove
         released no pool left long -> Remove
         released pool stayed long -> Remove
         released no pool stayed long -> Remove
         released pool left short -> Remove
         released no pool left short -> Remove
         released pool stayed short -> Hold
         released no pool stayed short -> Remove",
    );
    assert_eq!(REASSIGNED_AFTER, Duration::from_mins(5));
}

#[test]
fn a_promise_ends_with_an_entry_that_was_called_off() {
    let mut table = String::new();
    for (name, release) in ENTRIES {
        let outcome = |[answered, in_pool]: [bool; 2]| ends(release, answered, in_pool);
        for row in rows([["answered", "unanswered"], ["pool", "no pool"]], outcome) {
            writeln!(table, "{name} {row}").unwrap();
        }
    }
    check(
        &table,
        "marked answered pool -> false
         marked unanswered pool -> true
         marked answered no pool -> false
         marked unanswered no pool -> false
         ready pool -> true
         ready no pool -> false
         refused -> false
         released -> false",
    );
}

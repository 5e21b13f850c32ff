//! Seeds that have to keep every promise, and what they have to have exercised.

use sim::{Counter, Scenario, many, run};

const SEEDS: u64 = 300;

#[test]
fn every_promise_is_kept() {
    let many = many(0..SEEDS, 5, Scenario::of, |_| {});
    let broken: Vec<String> = many
        .broken
        .iter()
        .map(|(seed, what)| format!("{what}\n  cargo run --release -p sim -- --seed {seed}"))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    let low: Vec<String> = many
        .counters
        .below_floor(SEEDS)
        .map(|counter| format!("{}: {}", counter.text(), many.counters.get(counter)))
        .collect();
    assert!(low.is_empty(), "too few of\n{}", low.join("\n"));
}

#[test]
fn a_seed_is_a_run() {
    for seed in [7, 77] {
        let [first, second] = [(); 2].map(|()| run(Scenario::of(seed), true).unwrap());
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first.counters, second.counters, "seed {seed}");
        assert!(first.counters.get(Counter::Steps) > 0);
    }
}

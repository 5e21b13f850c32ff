//! `sim`: runs seeds, or replays one.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::ops::Range;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use sim::{Counter, Counters, Keep, Many, Scenario, many, run, shrink};

/// Simulates the whole of Berth, seed by seed, and checks every promise after each step.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Runs this seed.
    #[arg(long, conflicts_with = "seeds", required_unless_present = "seeds")]
    seed: Option<u64>,
    /// Runs the seeds from A to B, without B, on all cores.
    #[arg(long, value_name = "A..B", value_parser = range)]
    seeds: Option<Range<u64>>,
    /// Prints what happens in a seed that breaks nothing, too.
    #[arg(long, requires = "seed")]
    print: bool,
    /// How long things go wrong in each seed, in minutes.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    minutes: u64,
    /// Leaves out all nodes but these.
    #[arg(long, requires = "seed", value_delimiter = ',', num_args = 0..)]
    nodes: Option<Vec<usize>>,
    /// Leaves out all pods but these.
    #[arg(long, requires = "seed", value_delimiter = ',', num_args = 0..)]
    pods: Option<Vec<usize>>,
    /// Leaves out all faults but these.
    #[arg(long, requires = "seed", value_delimiter = ',', num_args = 0..)]
    faults: Option<Vec<usize>>,
    /// How many runs may be spent on making a failing seed smaller.
    #[arg(long, default_value_t = 400)]
    effort: usize,
    /// Ends when so many seeds have failed.
    #[arg(long, default_value_t = 10)]
    most: usize,
}

fn range(text: &str) -> Result<Range<u64>> {
    let (from, to) = text.split_once("..").context("expected A..B")?;
    let range = from.parse()?..to.parse()?;
    if range.is_empty() {
        bail!("there is no seed from {} to {}", range.start, range.end);
    }
    Ok(range)
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let lasts = Duration::from_mins(arguments.minutes);
    match (arguments.seed, &arguments.seeds) {
        (Some(seed), _) => one(&arguments, Scenario::lasting(seed, lasts)),
        (None, Some(seeds)) => all(&arguments, seeds.clone(), lasts),
        (None, None) => bail!("expected --seed or --seeds"),
    }
}

/// Replays a seed, and makes it smaller if it breaks something.
fn one(arguments: &Arguments, mut scenario: Scenario) -> Result<ExitCode> {
    let set = |list: &Option<Vec<usize>>| list.as_ref().map(|it| it.iter().copied().collect());
    scenario.keep = Keep {
        nodes: set(&arguments.nodes),
        pods: set(&arguments.pods),
        faults: set(&arguments.faults),
    };
    let outcome = run(scenario.clone(), true)?;
    let mut out = io::stdout().lock();
    let Some(violation) = &outcome.violation else {
        if arguments.print {
            lines(&mut out, &outcome.trace)?;
        }
        writeln!(out, "seed {}: every promise is kept", outcome.seed)?;
        return Ok(ExitCode::SUCCESS);
    };
    let small = shrink(&scenario, violation, arguments.effort);
    let (keep, outcome) = match small {
        Some(small) => (small.keep, small.outcome),
        None => (scenario.keep, outcome),
    };
    lines(&mut out, &outcome.trace)?;
    let command = command(outcome.seed, arguments.minutes, &keep);
    if let Some(violation) = &outcome.violation {
        writeln!(out, "seed {} breaks {violation}\n{command}", outcome.seed)?;
    }
    Ok(ExitCode::FAILURE)
}

/// Lines that a closed pipe cuts off are not wanted.
fn lines(out: &mut impl io::Write, lines: &[String]) -> io::Result<()> {
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// What replays it.
fn command(seed: u64, minutes: u64, keep: &Keep) -> String {
    let list = |name: &str, kept: &Option<BTreeSet<usize>>| {
        let kept = kept.as_ref()?;
        let numbers: Vec<String> = kept.iter().map(ToString::to_string).collect();
        Some(format!(" --{name} {}", numbers.join(",")))
    };
    let kept = [list("nodes", &keep.nodes), list("pods", &keep.pods), list("faults", &keep.faults)];
    let kept: String = kept.into_iter().flatten().collect();
    let minutes = if minutes == 30 { String::new() } else { format!(" --minutes {minutes}") };
    format!("cargo run --release -p sim -- --seed {seed}{minutes}{kept}")
}

/// Runs many seeds.
fn all(arguments: &Arguments, seeds: Range<u64>, lasts: Duration) -> Result<ExitCode> {
    let began = Instant::now();
    let count = seeds.end - seeds.start;
    let tenth = (count / 10).max(1);
    let progress = |done: u64| {
        if done.is_multiple_of(tenth) {
            let took = began.elapsed().as_secs_f64();
            // Nobody may be there to see it.
            drop(writeln!(io::stderr(), "{done} of {count} seeds after {took:.1} s"));
        }
    };
    let many = many(seeds, arguments.most, |seed| Scenario::lasting(seed, lasts), progress);
    let mut out = io::stdout().lock();
    writeln!(out, "{}", table(&many.counters, many.seeds))?;
    for (seed, what) in &many.broken {
        let first = what.lines().next().unwrap_or_default();
        writeln!(out, "{first}\n  {}", command(*seed, arguments.minutes, &Keep::default()))?;
    }
    let took = began.elapsed().as_secs_f64();
    writeln!(out, "{} seeds in {took:.1} s, {} broke a promise", many.seeds, many.broken.len())?;
    Ok(verdict(&many))
}

/// Floors are for runs that are long enough to reach them.
fn verdict(many: &Many) -> ExitCode {
    let is_long = many.seeds >= 300;
    let is_low = is_long && many.counters.below_floor(many.seeds).next().is_some();
    if many.broken.is_empty() && !is_low { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What was exercised, and what has to be at least.
fn table(counters: &Counters, seeds: u64) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["count", "at least", "of"]);
    for counter in Counter::ALL.iter().copied() {
        let floor = counter.floor() * seeds / 10_000;
        let (count, text) = (counters.get(counter), counter.text());
        let low = if count < floor { " (too few)" } else { "" };
        table.add_row([count.to_string(), floor.to_string(), format!("{text}{low}")]);
    }
    table
}

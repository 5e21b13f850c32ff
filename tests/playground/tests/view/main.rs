//! What is shown in a real pseudo-terminal, and that it is given back as it was.
//!
//! The executable of the test is both: it looks on, and it starts itself again in a pseudo-terminal to show a made-up run. Hence it has a
//! `main` of its own.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use libtest_mimic::{Arguments, Failed, Trial};

mod pipe;
mod run;
mod terminal;

/// The variable that says which run is to be shown.
const RUN: &str = "PLAYGROUND_VIEW_TEST_RUN";

fn main() -> Result<ExitCode> {
    if let Ok(how) = env::var(RUN) {
        run::show(&how)?;
        return Ok(ExitCode::SUCCESS);
    }
    let tests = terminal::TESTS.iter().chain(pipe::TESTS);
    let told = |error| Failed::from(format!("{error:#}"));
    let trials = tests.map(|(name, test)| Trial::test(*name, move || test().map_err(told)));
    Ok(libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code())
}

/// A test.
type Test = (&'static str, fn() -> Result<()>);

/// This executable, about to show a run: `steady`, `panic`, `panic elsewhere`, `drop`, `lines` or `stderr`.
fn showing(how: &str) -> Result<Command> {
    let mut command = Command::new(env::current_exe().context("find this executable")?);
    command.env(RUN, how).env_remove("NO_COLOR").env("TERM", "xterm-256color");
    Ok(command)
}

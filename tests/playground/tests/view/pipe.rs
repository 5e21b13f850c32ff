//! What is written where there is no terminal.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::{Test, showing};

pub(crate) const TESTS: &[Test] = &[
    ("a_line_a_second_into_a_pipe", a_line_a_second_into_a_pipe),
    ("lines_go_to_standard_error_where_they_are_asked_for", to_standard_error),
    ("nobody_reads_the_pipe_any_more", nobody_reads_the_pipe_any_more),
];

/// A run into a pipe. It is stopped when this is dropped.
struct Piped(Child);

impl Piped {
    fn start(how: &str) -> Result<(Self, BufReader<ChildStdout>)> {
        let mut command = showing(how)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("start this executable again")?;
        let stdout = child.stdout.take().context("it has a pipe")?;
        Ok((Self(child), BufReader::new(stdout)))
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        // It is over already when all is well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn a_line_a_second_into_a_pipe() -> Result<()> {
    let (_run, stdout) = Piped::start("steady")?;
    let lines = stdout.lines().take(4).collect::<Result<Vec<String>, _>>()?;
    ensure!(lines[0] == "    0s  trouble: a made-up trouble", "{lines:?}");
    for (second, line) in lines[1..].iter().enumerate() {
        let begins = format!("    {second}s  nodes   40/40  pods ");
        ensure!(line.starts_with(&begins) && !line.contains('\u{1b}'), "{lines:?}");
    }
    Ok(())
}

fn to_standard_error() -> Result<()> {
    let (mut run, mut stdout) = Piped::start("stderr")?;
    let stderr = BufReader::new(run.0.stderr.take().context("it has a pipe")?);
    let lines = stderr.lines().take(2).collect::<Result<Vec<String>, _>>()?;
    ensure!(lines[1].starts_with("    0s  nodes "), "{lines:?}");
    // Nobody reads it any more, so that the run ends.
    let mut said = String::new();
    stdout.read_to_string(&mut said)?;
    ensure!(said == "closed\n", "{said:?}");
    Ok(())
}

fn nobody_reads_the_pipe_any_more() -> Result<()> {
    let (mut run, mut stdout) = Piped::start("steady")?;
    stdout.read_line(&mut String::new())?;
    drop(stdout);
    let status = run.0.wait()?;
    let mut said = String::new();
    run.0.stderr.take().context("it has a pipe")?.read_to_string(&mut said)?;
    ensure!(status.success() && said.is_empty(), "{status}: {said}");
    Ok(())
}

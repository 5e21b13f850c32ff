//! The memory of the whole world, measured in a process that holds nothing else.

use std::hint::black_box;
use std::process::Command;

use crate::region;

/// The argument by which this program becomes the process that is measured.
pub(crate) const CHILD: &str = "--memory-of-the-world";

/// The goal, in mebibytes.
const GOAL: f64 = 150.0;

/// Starts the process that is measured, and prints what it found.
#[expect(clippy::print_stdout, reason = "the figure is what the benches are run for")]
pub(crate) fn report() {
    let program = std::env::current_exe().expect("this program's path");
    let output = Command::new(program).arg(CHILD).output().expect("this program can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    let mebibytes: f64 = text.trim().parse().expect("a number of mebibytes");
    let met = if mebibytes <= GOAL { "yes" } else { "NO" };
    println!(
        "memory of 5,000 instances, 15,000 interfaces, 500,000 addresses: {mebibytes:.0} MiB (goal {GOAL:.0} MiB: {met})"
    );
}

/// Builds the world and prints by how much the process has grown, in mebibytes.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn measure() {
    let before = resident();
    let measured = black_box(region::measured());
    println!("{}", resident() - before);
    drop(measured);
}

/// Resident memory in mebibytes, as Linux tells it.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a VmRSS line");
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kibibytes / 1024.0
}

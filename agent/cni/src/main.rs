//! The program that a container runtime, or a main plugin, runs for every pod.

use std::io::{IsTerminal, Read, Write, stderr, stdin, stdout};
use std::process::ExitCode;

use berth_cni::netconf::BYTES_MAX;
use berth_cni::plugin::run;

/// What is said to who runs it by hand.
const ABOUT: &str = concat!(
    "berth-cni ",
    env!("CARGO_PKG_VERSION"),
    ": a CNI IPAM plugin that asks Berth's agent on this node for the addresses of a pod.

A container runtime runs it, with CNI_COMMAND set and a network configuration on stdin, when the
main plugin of the network names it:

  { \"cniVersion\": \"1.0.0\", \"name\": \"berth\", \"plugins\": [
    { \"type\": \"ptp\", \"ipam\": { \"type\": \"berth-cni\" } } ] }

Members of \"ipam\": agent-socket, queue-dir, wait, gateway, prefix, interfaces, routes, log-file, log-level.
CNI versions: 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0.
",
);

fn main() -> ExitCode {
    if let Some(argument) = std::env::args().nth(1) {
        return explain(&argument);
    }
    let variable = |name: &str| std::env::var_os(name).map(|it| it.to_string_lossy().into_owned());
    if variable("CNI_COMMAND").is_none() && stdin().is_terminal() {
        let _ = stderr().write_all(ABOUT.as_bytes());
        return ExitCode::FAILURE;
    }
    let mut conf = Vec::new();
    let most = u64::try_from(BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    // What cannot be read is too short to be a configuration, and refused as such.
    let _ = stdin().take(most).read_to_end(&mut conf);
    let outcome = run(variable, &conf);
    let written = stdout().write_all(outcome.stdout.as_bytes());
    if outcome.is_success && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn explain(argument: &str) -> ExitCode {
    let asked = ["--help", "-h", "help", "--version", "-V"].contains(&argument);
    let text = ABOUT.as_bytes();
    let _ = if asked { stdout().write_all(text) } else { stderr().write_all(text) };
    if asked { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! Prints the `CustomResourceDefinition` of `CiliumNode`.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

const HELP: &str = "\
Prints the CustomResourceDefinition of ciliumnodes.cilium.io as YAML, made from the Rust types.

Usage: cargo crdgen [--help]
Refresh the committed copy: cargo crdgen > deploy/crds/ciliumnodes.yaml
";

/// Exit code for arguments that make no sense.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (text, to_stdout, code) = answer(&arguments);
    let written = if to_stdout {
        std::io::stdout().write_all(text.as_bytes())
    } else {
        std::io::stderr().write_all(text.as_bytes())
    };
    match written {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The text, whether it goes to standard output, and the exit code.
fn answer(arguments: &[OsString]) -> (String, bool, ExitCode) {
    match arguments {
        [] => match cilium_node::crd_yaml() {
            Ok(yaml) => (yaml, true, ExitCode::SUCCESS),
            Err(error) => (format!("crdgen: {error}\n"), false, ExitCode::FAILURE),
        },
        [only] if only == "--help" || only == "-h" => (HELP.to_owned(), true, ExitCode::SUCCESS),
        [unknown, ..] => {
            let text = format!("crdgen: unknown argument {}\n\n{HELP}", unknown.display());
            (text, false, ExitCode::from(USAGE))
        }
    }
}

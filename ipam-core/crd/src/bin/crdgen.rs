//! Prints or writes the `CustomResourceDefinition` of `CiliumNode`.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, process};

const HELP: &str = "\
Prints the CustomResourceDefinition of ciliumnodes.cilium.io as YAML, made from the Rust types.

Usage: cargo crdgen [--output FILE | --help]
Refresh the committed copy: cargo crdgen --output deploy/crds/ciliumnodes.yaml

  --output FILE  replace FILE instead of printing; when anything fails, FILE stays as it was
";

/// Exit code for arguments that make no sense.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let (text, to_stdout, code) = answer(&arguments);
    let written = if to_stdout {
        io::stdout().write_all(text.as_bytes())
    } else {
        io::stderr().write_all(text.as_bytes())
    };
    match written {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The text, whether it goes to standard output, and the exit code.
fn answer(arguments: &[OsString]) -> (String, bool, ExitCode) {
    let usage = |text: String| (format!("{text}\n\n{HELP}"), false, ExitCode::from(USAGE));
    match arguments {
        [] => outcome(cilium_node::crd_yaml()),
        [only] if only == "--help" || only == "-h" => (HELP.to_owned(), true, ExitCode::SUCCESS),
        [option, file] if option == "--output" => match cilium_node::crd_yaml() {
            Ok(yaml) => outcome(replace(Path::new(file), &yaml).map(|()| String::new())),
            Err(error) => outcome(Err(error)),
        },
        [option] if option == "--output" => usage("crdgen: --output needs a file".to_owned()),
        [unknown, ..] => usage(format!("crdgen: unknown argument {}", unknown.display())),
    }
}

fn outcome<E: std::fmt::Display>(made: Result<String, E>) -> (String, bool, ExitCode) {
    match made {
        Ok(text) => (text, true, ExitCode::SUCCESS),
        Err(error) => (format!("crdgen: {error}\n"), false, ExitCode::FAILURE),
    }
}

/// Replaces `path` by `text`: written beside it and renamed, so that nobody ever sees half of it.
fn replace(path: &Path, text: &str) -> Result<(), String> {
    let beside = beside(path);
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // The first error is the one worth telling.
        let _ = fs::remove_file(&beside);
        format!("cannot write {}: {error}", path.display())
    })
}

/// The process number keeps two runs apart.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", process::id()))
}

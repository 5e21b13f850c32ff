//! Programs of the workspace and of the clients, built or installed where they are not there yet.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde_json::Value;

/// Why there is no such program.
#[derive(Debug, thiserror::Error)]
pub enum NoProgram {
    /// What makes it could not be run.
    #[error("{maker} cannot be run: {error}")]
    Start {
        /// What was to be run.
        maker: String,
        /// What the system said.
        error: io::Error,
    },
    /// What makes it failed; why is on the standard error.
    #[error("{maker} failed ({status}); its messages are above")]
    Failed {
        /// What was run.
        maker: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// What makes it did not say where it is.
    #[error("{maker} did not say where the program is")]
    Nowhere {
        /// What was run.
        maker: String,
    },
}

/// A program of the workspace. Cargo builds it if need be: in the root and without a package, so that it is made of what `cargo test` has
/// built already.
///
/// # Errors
///
/// When it does not build.
pub fn program(name: &str) -> Result<PathBuf, NoProgram> {
    built(["--bin", name])
}

/// An example of the workspace, likewise.
///
/// # Errors
///
/// When it does not build.
pub fn example(name: &str) -> Result<PathBuf, NoProgram> {
    built(["--example", name])
}

/// The one program that Cargo builds for a selection.
fn built(selection: [&str; 2]) -> Result<PathBuf, NoProgram> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked"]).args(selection);
    cargo.arg("--message-format=json-render-diagnostics");
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    let maker = format!("cargo build {}", selection.join(" "));
    let said = output(&mut cargo, &maker)?;
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    };
    said.lines().filter_map(executable).next_back().ok_or(NoProgram::Nowhere { maker })
}

/// The aws CLI, from the environment that `clients/run` uses.
///
/// # Errors
///
/// When it cannot be installed.
pub fn aws_cli() -> Result<PathBuf, NoProgram> {
    Ok(environment("clients/environment")?.join("bin/aws"))
}

/// What the aws CLI prints for a call to the EC2 at this URL, as text.
///
/// # Errors
///
/// When it cannot be installed or run, or ends with another code than 0.
pub fn aws_at<'a>(
    ec2: &str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<String, NoProgram> {
    let mut aws = Command::new(aws_cli()?);
    aws.args(["--endpoint-url", ec2, "--region", "eu-west-1", "--output", "text", "ec2"]);
    aws.args(arguments).env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
    aws.env("NO_PROXY", "127.0.0.1");
    output(&mut aws, "aws")
}

/// The folder with the main plugins of CNI and with cnitool.
///
/// # Errors
///
/// When they cannot be installed.
pub fn cni_programs() -> Result<PathBuf, NoProgram> {
    environment("cni/environment")
}

/// A browser: Debian's chromium.
///
/// # Errors
///
/// When it is not there and cannot be installed.
pub fn browser() -> Result<PathBuf, NoProgram> {
    environment("browser/environment")
}

/// The path that an installing script of this crate prints.
pub(crate) fn environment(script: &str) -> Result<PathBuf, NoProgram> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let maker = script.display().to_string();
    let said = output(&mut Command::new(&script), &maker)?;
    said.lines().last().map(PathBuf::from).ok_or(NoProgram::Nowhere { maker })
}

fn output(command: &mut Command, maker: &str) -> Result<String, NoProgram> {
    let ran = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let ran = ran.map_err(|error| NoProgram::Start { maker: maker.to_owned(), error })?;
    if !ran.status.success() {
        return Err(NoProgram::Failed { maker: maker.to_owned(), status: ran.status });
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}

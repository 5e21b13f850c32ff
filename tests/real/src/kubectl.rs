//! kubectl against any server.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::build::{self, BuildError};
use crate::cluster::Door;

/// Why a program gave no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It could not be started, or not be spoken to.
    #[error("{program} cannot be run: {error}")]
    Start {
        /// What was to be run.
        program: String,
        /// What the system said.
        error: io::Error,
    },
    /// It ended with another code than 0.
    #[error("{program} failed ({status}):\n{stderr}{stdout}")]
    Failed {
        /// What was run.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to its standard error.
        stderr: String,
        /// What it wrote to its standard output.
        stdout: String,
    },
}

/// kubectl against any server. It is part of `kubeup`, so its release is that of the API server.
#[derive(Debug, Clone)]
pub struct Kubectl {
    kubeup: PathBuf,
    kubeconfig: PathBuf,
    /// Of the machine that it runs in, where that is not this one.
    door: Option<Door>,
}

impl Kubectl {
    pub(crate) fn new(kubeup: &Path, kubeconfig: &Path) -> Self {
        Self { kubeup: kubeup.to_owned(), kubeconfig: kubeconfig.to_owned(), door: None }
    }

    /// kubectl in a machine of a cluster, with the paths that `kubeup` and the kubeconfig have there.
    pub(crate) fn inside(door: Door, kubeup: &Path, kubeconfig: &Path) -> Self {
        Self { door: Some(door), ..Self::new(kubeup, kubeconfig) }
    }

    /// kubectl against the server that `kubeconfig` names. Builds `kubeup` where no earlier run did.
    ///
    /// # Errors
    ///
    /// When there is no `kubeup` and it cannot be built.
    pub fn with_kubeconfig(kubeconfig: &Path) -> Result<Self, BuildError> {
        Ok(Self::new(&build::kubeup()?, kubeconfig))
    }

    /// The program that kubectl is a part of: called with `kubectl` as its first argument, it is kubectl. Builds it where no earlier run did.
    ///
    /// # Errors
    ///
    /// When it cannot be built.
    pub fn program() -> Result<PathBuf, BuildError> {
        build::kubeup()
    }

    /// Runs it, and returns what it printed.
    ///
    /// # Errors
    ///
    /// When it cannot be run, or ends with another code than 0.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> Result<String, ProgramError> {
        succeed(self.command().args(args).stdin(Stdio::null()))
    }

    /// Runs it with `input` as its standard input, which `-f -` reads.
    ///
    /// # Errors
    ///
    /// When it cannot be run, or ends with another code than 0.
    pub fn run_with<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Result<String, ProgramError> {
        let mut command = self.command();
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = format!("{command:?}");
        let failed = |error| ProgramError::Start { program: program.clone(), error };
        let mut process = command.spawn().map_err(failed)?;
        // A manifest is shorter than a pipe holds, so writing does not wait for reading. The end of input is its close.
        let written =
            process.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(input.as_bytes()));
        let output = process.wait_with_output();
        let output = written.and(output).map_err(failed)?;
        checked(&command, &output)
    }

    /// kubectl without arguments yet, to be started by the caller, such as one that watches until it is ended.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.kubeup);
        command.arg("kubectl").env("KUBECONFIG", &self.kubeconfig);
        // What one run learned of a server must not be believed of another one on the same port.
        command.arg("--cache-dir").arg(self.kubeconfig.with_extension("cache"));
        match self.door {
            Some(door) => door.command(&command),
            None => command,
        }
    }
}

/// Runs a program to its end, and returns what it printed. Every exit code but 0 is an error.
pub(crate) fn succeed(command: &mut Command) -> Result<String, ProgramError> {
    let output = command.output();
    let program = || format!("{command:?}");
    let output = output.map_err(|error| ProgramError::Start { program: program(), error })?;
    checked(command, &output)
}

fn checked(command: &Command, output: &std::process::Output) -> Result<String, ProgramError> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() {
        return Ok(stdout);
    }
    let program = format!("{command:?}");
    Err(ProgramError::Failed { program, status: output.status, stderr, stdout })
}

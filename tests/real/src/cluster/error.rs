//! Why there is no cluster, or why it does not do what was asked of it.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::build::BuildError;
use crate::kubectl::ProgramError;
use crate::programs::NoProgram;
use crate::shipped::NoAccess;

/// How many lines of a log an error shows.
const LOG_LINES: usize = 20;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Why there is no cluster, or why it does not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A program that it is made of cannot be had.
    #[error(transparent)]
    Part(#[from] NoProgram),
    /// `kubeup` cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A program said no.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// An account of the manifests cannot be used.
    #[error(transparent)]
    Access(#[from] NoAccess),
    /// The system said no.
    #[error("{what}: {error}")]
    System {
        /// What was to be done.
        what: String,
        /// What the system said.
        error: io::Error,
    },
    /// Something did not become true.
    #[error("{what} after {waited:?}; {log}")]
    NotInTime {
        /// What is not.
        what: String,
        /// How long it was waited for.
        waited: Duration,
        /// The end of the log that matters, with its name.
        log: String,
    },
    /// A program ended that was to run on.
    #[error("{program} ended; {log}")]
    Ended {
        /// Its name.
        program: String,
        /// The end of its log, with its name.
        log: String,
    },
    /// EC2 said no, or nothing.
    #[error("{call} at EC2: {said}")]
    Ec2 {
        /// Method and path.
        call: String,
        /// What it said, or why it did not.
        said: String,
    },
    /// What was printed is not what was expected.
    #[error("{what}: expected JSON, not {said:?}")]
    NotJson {
        /// What printed it.
        what: String,
        /// What it printed.
        said: String,
    },
    /// It is not there, or is there already.
    #[error("{0}")]
    State(String),
}

impl ClusterError {
    /// Tells what was to be done when the system said no.
    pub(crate) fn at(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| Self::System { what, error }
    }
}

/// Waits until `holds` does, or says with the end of a log that it does not.
///
/// # Errors
///
/// When it does not in time, or when it cannot any more.
pub(crate) fn wait_for(
    what: &str,
    within: Duration,
    log: &Path,
    mut holds: impl FnMut() -> Result<bool, ClusterError>,
) -> Result<(), ClusterError> {
    let start = Instant::now();
    while !holds()? {
        let waited = start.elapsed();
        if waited >= within {
            return Err(ClusterError::NotInTime { what: what.to_owned(), waited, log: tail(log) });
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// The end of a log, with its name.
pub(crate) fn tail(log: &Path) -> String {
    let name = log.display();
    match std::fs::read(log) {
        Err(error) => format!("its log {name} cannot be read: {error}"),
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = text.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
            format!("the end of {name}:\n{}", last.join("\n"))
        }
    }
}

//! Why a queue is of no use.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::protocol::{Problem, code};
use crate::queue::ENTRIES_MAX;

/// Why a queue is of no use.
#[derive(Debug, Error)]
pub enum QueueError {
    /// The folder or a file in it cannot be handled.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else has it, for longer than can be waited.
    #[error("{} is locked", path.display())]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// There are too many DELs in it.
    #[error("{} has {ENTRIES_MAX} files already: is the agent ever there?", folder.display())]
    Full {
        /// The folder.
        folder: PathBuf,
    },
    /// The DEL cannot be written as JSON.
    #[error("the DEL cannot be encoded")]
    Encode(#[source] serde_json::Error),
}

impl QueueError {
    /// Makes an error of what the kernel says.
    pub(super) fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// How it is reported: the runtime tries a DEL again.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem::of(code::TRY_AGAIN, self)
    }
}

//! Why the metadata service did not say something.

/// Why the metadata service did not say something. Paths are those below `latest/`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImdsError {
    /// It cannot be reached, or does not answer in time.
    #[error("{path}: no answer from the instance metadata service: {problem}")]
    Unreachable {
        /// What was asked for.
        path: String,
        /// What went wrong.
        problem: String,
    },
    /// It refuses to say it.
    #[error("{path}: the instance metadata service answers {status}")]
    Status {
        /// What was asked for.
        path: String,
        /// The HTTP status.
        status: u16,
    },
    /// It says more than makes sense.
    #[error("{path}: more than {most} bytes")]
    TooLong {
        /// What was asked for.
        path: String,
        /// How much is read at most.
        most: usize,
    },
    /// It does not have what every instance has.
    #[error("{path}: missing: expected {expected}")]
    Missing {
        /// What was asked for.
        path: String,
        /// What was expected, with its article.
        expected: &'static str,
    },
    /// It says something that makes no sense, such as nothing.
    #[error("{path}: {found:?} is not {expected}")]
    Malformed {
        /// What was asked for.
        path: String,
        /// What was expected, with its article.
        expected: &'static str,
        /// What it says; the beginning of it when it is long.
        found: String,
    },
}

/// As much of a text as is shown of it.
const SHOWN: usize = 80;

impl ImdsError {
    pub(super) fn malformed(path: &str, expected: &'static str, found: &str) -> Self {
        let found = found.chars().take(SHOWN).collect();
        Self::Malformed { path: path.to_owned(), expected, found }
    }

    /// Whether others may be read all the same.
    pub(super) const fn is_of_one_path(&self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::Missing { .. } | Self::Malformed { .. })
    }
}

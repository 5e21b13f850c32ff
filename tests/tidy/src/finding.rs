//! What a rule answers with.

use std::fmt;

/// A place that breaks a rule, and what to do about it. Ordered by place.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Finding {
    /// The file's path from the root of the repository, with `/` between its parts.
    pub file: String,
    /// The line, counted from 1. Line 1 stands for the whole file.
    pub line: usize,
    /// The rule's name.
    pub rule: &'static str,
    /// What to do.
    pub advice: String,
}

impl Finding {
    /// A finding of `rule` at `line` of `file`.
    pub(crate) fn new(
        rule: &'static str,
        file: impl Into<String>,
        line: usize,
        advice: impl Into<String>,
    ) -> Self {
        let (file, advice) = (file.into(), advice.into());
        Self { file, line, rule, advice }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, rule, advice } = self;
        write!(to, "{file}:{line}: {rule}: {advice}")
    }
}

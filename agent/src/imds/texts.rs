//! What the metadata service says, and values of it.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::problem::ImdsError;

/// What stands at each path below `latest/meta-data/`. What does not exist is not in it.
#[derive(Debug, Default)]
pub(super) struct Texts(BTreeMap<String, String>);

impl Texts {
    pub(super) fn insert(&mut self, path: String, text: String) {
        self.0.insert(path, text);
    }

    /// The value at `path`, which need not be there.
    pub(super) fn optional<T: FromStr>(
        &self,
        path: &str,
        expected: &'static str,
    ) -> Result<Option<T>, ImdsError> {
        let Some(text) = self.0.get(path) else { return Ok(None) };
        let value = text.trim_end().parse();
        value.map(Some).map_err(|_| ImdsError::malformed(path, expected, text))
    }

    /// The value at `path`, which every instance has.
    pub(super) fn required<T: FromStr>(
        &self,
        path: &str,
        expected: &'static str,
    ) -> Result<T, ImdsError> {
        let missing = || ImdsError::Missing { path: path.to_owned(), expected };
        self.optional(path, expected)?.ok_or_else(missing)
    }

    /// The values at `path`, a line each: none where nothing is. What is there holds at least one.
    pub(super) fn list<T: FromStr>(
        &self,
        path: &str,
        expected: &'static str,
    ) -> Result<Vec<T>, ImdsError> {
        let Some(text) = self.0.get(path) else { return Ok(Vec::new()) };
        let lines = text.trim_end().split('\n');
        let values = lines.map(|line| {
            line.trim_end().parse().map_err(|_| ImdsError::malformed(path, expected, line))
        });
        values.collect()
    }
}

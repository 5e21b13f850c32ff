//! How the values of flags are written. Each function reads one kind of value and says what it expected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A list: the members between commas or blanks, as flags and Cilium's `ConfigMap` write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub BTreeSet<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

/// Reads a list of ids or of other words.
///
/// # Errors
/// What is wrong with the first word that is none of them.
pub fn list<T>(text: &str) -> Result<List<T>, String>
where
    T: FromStr<Err: fmt::Display> + Ord,
{
    let words = text.split([',', ' ', '\n']).map(str::trim).filter(|word| !word.is_empty());
    let members: Result<_, T::Err> = words.map(T::from_str).collect();
    members.map(List).map_err(|error| error.to_string())
}

/// Reads tags: `KEY=VALUE,KEY=VALUE`, or a JSON object, which is how Cilium's chart writes them. Pairs between blanks are
/// taken where there is no comma, as `subnet-tags-filter` of that chart has them.
///
/// # Errors
/// What was expected, or which key is given twice.
pub fn tags(text: &str) -> Result<BTreeMap<String, String>, String> {
    let text = text.trim();
    if text.starts_with('{') {
        return serde_json::from_str::<BTreeMap<String, String>>(text)
            .map_err(|error| format!("expected a JSON object of texts: {error}"));
    }
    let blanks = !text.contains(',') && text.split_whitespace().all(|word| word.contains('='));
    let pairs: Vec<&str> =
        if blanks { text.split_whitespace().collect() } else { text.split(',').collect() };
    let mut tags = BTreeMap::new();
    for pair in pairs.into_iter().map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| format!("{pair:?}: expected KEY=VALUE,KEY=VALUE or a JSON object"))?;
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(format!("{key:?} is given twice"));
        }
    }
    Ok(tags)
}

/// Reads a length of time as Go writes it: `15s`, `1h30m`, `500ms`.
///
/// # Errors
/// What was expected.
pub fn duration(text: &str) -> Result<Duration, String> {
    let signed: jiff::SignedDuration =
        text.parse().map_err(|_| "expected a length of time such as 15s or 1h30m".to_owned())?;
    Duration::try_from(signed).map_err(|_| "expected a length of time that is not negative".into())
}

//! The snapshot: what EC2 said of every instance type, on which day.
//!
//! JSON with one line per type, sorted by name, so that a change of the figures reads as a list of
//! changed types:
//!
//! ```json
//! {
//! "date": "2026-11-21",
//! "source": "DescribeInstanceTypes of moto 5.2.5",
//! "types": [
//! {"InstanceType":"a1.2xlarge","Hypervisor":"nitro","BareMetal":false,"EnaSupport":"required",…},
//! {"InstanceType":"a1.4xlarge","Hypervisor":"nitro","BareMetal":false,"EnaSupport":"required",…}
//! ]
//! }
//! ```

use crate::described::{Described, InstanceType, Refused};
use serde::Deserialize;

/// The most characters the source may have, so that it fits in a line of the table.
pub const SOURCE_MAX: usize = 50;

/// The instance types of one fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    date: String,
    source: String,
    types: Vec<InstanceType>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    date: String,
    source: String,
    types: Vec<Described>,
}

impl Snapshot {
    /// A snapshot of these types, in any order, read on `date` (UTC, `YYYY-MM-DD`) from `source` (one
    /// line of at most [`SOURCE_MAX`] characters, without backticks, for whoever reads the table).
    ///
    /// # Errors
    /// Whatever is wrong first: the date, the source, a type described twice, or no types.
    pub fn new(
        date: String,
        source: String,
        mut types: Vec<InstanceType>,
    ) -> Result<Self, SnapshotError> {
        if !is_date(&date) {
            return Err(SnapshotError::Date { found: date });
        }
        if !is_source(&source) {
            return Err(SnapshotError::Source { found: source });
        }
        types.sort_by(|left, right| left.name.cmp(&right.name));
        ascending(&types)?;
        if types.is_empty() {
            return Err(SnapshotError::Empty);
        }
        Ok(Self { date, source, types })
    }

    /// Reads the text of a snapshot.
    ///
    /// # Errors
    /// The first thing that is not as [`Snapshot::to_text`] would have written it, apart from
    /// white space.
    pub fn parse(text: &str) -> Result<Self, SnapshotError> {
        let raw: Raw = serde_json::from_str(text)
            .map_err(|source| SnapshotError::Json { at: excerpt(text, source.line()), source })?;
        let types: Result<Vec<_>, _> = raw.types.iter().map(Described::checked).collect();
        let types = types?;
        ascending(&types)?;
        Self::new(raw.date, raw.source, types)
    }

    /// The text of the snapshot: the same value always gives the same text.
    ///
    /// # Errors
    /// None that is known of: serialisation to JSON can fail in general.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let lines: Result<Vec<String>, _> = self
            .types
            .iter()
            .map(|instance_type| serde_json::to_string(&Described::from(instance_type)))
            .collect();
        let date = serde_json::to_string(&self.date)?;
        let source = serde_json::to_string(&self.source)?;
        let types = lines?.join(",\n");
        Ok(format!("{{\n\"date\": {date},\n\"source\": {source},\n\"types\": [\n{types}\n]\n}}\n"))
    }

    /// The day of the fetch, UTC, as `YYYY-MM-DD`.
    #[must_use]
    pub fn date(&self) -> &str {
        &self.date
    }

    /// What answered.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The types in ascending order of their names.
    #[must_use]
    pub fn types(&self) -> &[InstanceType] {
        &self.types
    }
}

fn ascending(types: &[InstanceType]) -> Result<(), SnapshotError> {
    for (earlier, later) in types.iter().zip(types.iter().skip(1)) {
        if later.name <= earlier.name {
            return Err(SnapshotError::Order {
                earlier: earlier.name.clone(),
                later: later.name.clone(),
            });
        }
    }
    Ok(())
}

/// Whether `text` is a day of the calendar as `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let shaped = text.len() == "YYYY-MM-DD".len()
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let parts: Vec<u32> = text.split('-').filter_map(|part| part.parse().ok()).collect();
    let [year, month, day] = *parts.as_slice() else { return false };
    shaped && (1..=days(year, month)).contains(&day)
}

/// How many days a month has; none where there is no such month.
const fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// The table carries the source in a comment, as code.
fn is_source(text: &str) -> bool {
    let unfit = |character: char| character.is_control() || character == '`';
    (1..=SOURCE_MAX).contains(&text.chars().count()) && !text.contains(unfit)
}

/// The beginning of a line, which names the type: each type has a line of its own.
fn excerpt(text: &str, line: usize) -> String {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    line.chars().take(60).collect()
}

/// Why a text or a set of types is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not JSON, or not with the members of a snapshot.
    #[error("not a snapshot, at `{at}…`")]
    Json {
        /// The beginning of the line at fault.
        at: String,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// The date is not one.
    #[error("date is {found:?}, expected a day as YYYY-MM-DD")]
    Date {
        /// What stands there.
        found: String,
    },
    /// The source cannot stand in a comment.
    #[error("source is {found:?}, expected 1 to {SOURCE_MAX} characters on one line, no backticks")]
    Source {
        /// What stands there.
        found: String,
    },
    /// A type whose description cannot be used.
    #[error(transparent)]
    Type(#[from] Refused),
    /// Two types are out of order, or one type is described twice.
    #[error("{later} comes after {earlier}, expected each type once, in ascending order")]
    Order {
        /// The one that comes first.
        earlier: String,
        /// The one that comes second.
        later: String,
    },
    /// Nothing is described.
    #[error("no instance types")]
    Empty,
}

//! What is assumed about EC2 because nobody published it: one named switch each, in one table.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

mod table;
#[cfg(test)]
mod tests;

pub use self::table::Assumption;
use self::table::TABLE;

/// What kind of value a switch takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Count,
    /// A number with decimals.
    Fraction,
    /// A duration: a number with `us`, `ms`, `s`, `m` or `h`.
    Duration,
    /// One of these.
    Choice(&'static [&'static str]),
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => formatter.write_str("true or false"),
            Self::Count => formatter.write_str("a whole number"),
            Self::Fraction => formatter.write_str("a number, 0 or more"),
            Self::Duration => {
                formatter.write_str("a duration, such as 500us, 300ms, 60s, 5m or 24h")
            }
            Self::Choice(words) => write!(formatter, "one of {}", words.join(", ")),
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Which one.
    pub assumption: Assumption,
    /// The name of its switch.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Its value when nothing is said.
    pub default: &'static str,
    /// What is assumed.
    pub says: &'static str,
    /// Which part of the simulator asks for it.
    pub used_by: &'static str,
}

/// A value that a switch does not take, or a switch that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAssumption {
    /// No switch of that name.
    #[error("no assumption is called `{name}`")]
    Name {
        /// What was given.
        name: String,
    },
    /// A value of another kind.
    #[error("assumption {name}: `{value}`: expected {expected}")]
    Value {
        /// The switch.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        expected: String,
    },
}

/// The value of every switch.
#[derive(Debug, Clone, PartialEq)]
pub struct Assumptions {
    values: [Value; TABLE.len()],
}

/// A parsed value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Switch(bool),
    Count(u64),
    Fraction(f64),
    Duration(Duration),
    Choice(&'static str),
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(value) => write!(formatter, "{value}"),
            Self::Count(value) => write!(formatter, "{value}"),
            Self::Fraction(value) => write!(formatter, "{value}"),
            Self::Duration(value) => write!(formatter, "{value:?}"),
            Self::Choice(value) => write!(formatter, "{value}"),
        }
    }
}

impl Kind {
    fn parse(self, text: &str) -> Option<Value> {
        match self {
            Self::Switch => text.parse().ok().map(Value::Switch),
            Self::Count => text.parse().ok().map(Value::Count),
            Self::Fraction => {
                let number = f64::from_str(text).ok().filter(|number| number.is_finite());
                number.filter(|number| *number >= 0.0).map(Value::Fraction)
            }
            Self::Duration => duration(text).map(Value::Duration),
            Self::Choice(words) => {
                words.iter().find(|word| **word == text).map(|word| Value::Choice(word))
            }
        }
    }
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let microseconds = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        _ => return None,
    };
    number.checked_mul(microseconds).map(Duration::from_micros)
}

impl Default for Assumptions {
    fn default() -> Self {
        let parsed = |row: &Row| row.kind.parse(row.default).unwrap_or(Value::Switch(false));
        Self { values: std::array::from_fn(|row| parsed(&TABLE[row])) }
    }
}

impl Assumptions {
    /// The table, in its order.
    #[must_use]
    pub const fn table() -> &'static [Row] {
        TABLE
    }

    /// The table with its defaults, in Markdown.
    #[must_use]
    pub fn markdown() -> String {
        let row = |row: &Row| format!("| `{}` | `{}` | {} |\n", row.name, row.default, row.says);
        let rows: String = TABLE.iter().map(row).collect();
        format!("| switch | default | what is assumed |\n|---|---|---|\n{rows}")
    }

    /// Each row with its present value as text.
    pub fn list(&self) -> impl Iterator<Item = (&'static Row, String)> {
        TABLE.iter().zip(self.values.iter().map(ToString::to_string))
    }

    /// Sets the switch of that name.
    ///
    /// # Errors
    ///
    /// [`InvalidAssumption`] for a name that is none and for a value that the switch does not take.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidAssumption> {
        let unknown = || InvalidAssumption::Name { name: name.to_owned() };
        let row = TABLE.iter().find(|row| row.name == name).ok_or_else(unknown)?;
        let parsed = row.kind.parse(value).ok_or_else(|| InvalidAssumption::Value {
            name: row.name,
            value: value.to_owned(),
            expected: row.kind.to_string(),
        })?;
        self.values[row.assumption as usize] = parsed;
        Ok(())
    }

    /// Whether a switch is on; false for one of another kind.
    #[must_use]
    pub const fn is(&self, assumption: Assumption) -> bool {
        matches!(self.values[assumption as usize], Value::Switch(true))
    }

    /// A count; 0 for a switch of another kind.
    #[must_use]
    pub const fn count(&self, assumption: Assumption) -> u64 {
        match self.values[assumption as usize] {
            Value::Count(count) => count,
            _ => 0,
        }
    }

    /// A fraction; 0 for a switch of another kind.
    #[must_use]
    pub const fn fraction(&self, assumption: Assumption) -> f64 {
        match self.values[assumption as usize] {
            Value::Fraction(fraction) => fraction,
            _ => 0.0,
        }
    }

    /// A duration; zero for a switch of another kind.
    #[must_use]
    pub const fn duration(&self, assumption: Assumption) -> Duration {
        match self.values[assumption as usize] {
            Value::Duration(duration) => duration,
            _ => Duration::ZERO,
        }
    }

    /// A word; empty for a switch of another kind.
    #[must_use]
    pub const fn choice(&self, assumption: Assumption) -> &'static str {
        match self.values[assumption as usize] {
            Value::Choice(word) => word,
            _ => "",
        }
    }
}

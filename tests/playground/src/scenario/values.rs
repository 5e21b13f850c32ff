//! Values that scenarios and flags write as text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ec2_sim::instance_types;
use ec2_sim::spec::{Expected, suggestion};
use limits::Limits;

/// The longest that anything may last.
const LONGEST: Duration = Duration::from_hours(24);

/// The shortest that anything may last.
const SHORTEST: Duration = Duration::from_secs(1);

/// A length of time, up to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Duration);

/// A text that is no value of its kind; what was expected is said by [`Expected`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct Unfit(pub &'static str);

impl FromStr for Time {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let read = berth_shell::settings::values::duration(text).ok();
        let fits = read.filter(|length| *length <= LONGEST);
        fits.map(Self).ok_or(Unfit(Self::EXPECTED))
    }
}

impl Expected for Time {
    const EXPECTED: &'static str = "a length of time up to 24h, such as 500ms, 15s or 1m30s";
}

/// A length of time of something that lasts: a second to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lasting(pub Duration);

impl FromStr for Lasting {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let read = text.parse().ok().filter(|Time(length)| *length >= SHORTEST);
        read.map(|Time(length)| Self(length)).ok_or(Unfit(Self::EXPECTED))
    }
}

impl Expected for Lasting {
    const EXPECTED: &'static str = "a length of time from 1s to 24h, such as 15s or 1m30s";
}

/// How many pods come each second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(pub f64);

impl FromStr for Rate {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let read = text.parse().ok().filter(|rate| (0.0..=1_000.0).contains(rate));
        read.map(Self).ok_or(Unfit(Self::EXPECTED))
    }
}

impl Expected for Rate {
    const EXPECTED: &'static str = "a number of pods each second, from 0 to 1000, such as 0.5";
}

/// What sizes are multiplied with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor(pub f64);

impl FromStr for Factor {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let read = text.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0);
        read.map(Self).ok_or(Unfit(Self::EXPECTED))
    }
}

impl Expected for Factor {
    const EXPECTED: &'static str = "a number above 0, such as 0.1";
}

/// A name of a group or of a subnet: what the name of a node can begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(pub String);

/// What is left for the number of the node behind the name of its group.
const NAME_MAX: usize = 40;

impl FromStr for Name {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=NAME_MAX).contains(&text.len())
            && text.bytes().all(is_part)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits { Ok(Self(text.to_owned())) } else { Err(Unfit(Self::EXPECTED)) }
    }
}

impl Expected for Name {
    const EXPECTED: &'static str =
        "a name of lower-case letters, digits and `-` between them, at most 40, such as web";
}

/// Why an instance type cannot be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownType {
    name: String,
}

impl fmt::Display for UnknownType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = instance_types::all().iter().map(|known| known.name.as_str());
        let hint = suggestion(&self.name, names);
        write!(out, "`{}`: expected an instance type, such as m5.large{hint}", self.name)
    }
}

/// What an instance type can hold.
///
/// # Errors
///
/// [`UnknownType`] for a type that the table of limits or the simulated EC2 does not have.
pub fn instance_type(name: &str) -> Result<Limits, UnknownType> {
    let known = limits::find(name).filter(|_| instance_types::find(name).is_some());
    known.ok_or_else(|| UnknownType { name: name.to_owned() })
}

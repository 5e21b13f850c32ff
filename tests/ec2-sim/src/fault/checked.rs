//! Numbers of rules that come from outside: what could never fire, or would be no answer, is refused where it is read.

use std::fmt::Display;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// An HTTP status: 200 to 599.
///
/// # Errors
///
/// Any other number.
pub(super) fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let number = u16::deserialize(deserializer)?;
    if is_status(number) { Ok(number) } else { Err(refusal(number, STATUS)) }
}

/// The same, if it is said.
///
/// # Errors
///
/// Any other number.
pub(super) fn optional_status<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u16>, D::Error> {
    optional(deserializer, |number| is_status(*number), STATUS)
}

/// A number of calls, if it is said.
///
/// # Errors
///
/// Zero.
pub(super) fn from_one<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    optional(deserializer, |number| *number != 0, "a number of calls, which are counted from 1")
}

/// A chance, if it is said.
///
/// # Errors
///
/// What is not from 0 to 1.
pub(super) fn probability<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    optional(deserializer, |chance| (0.0..=1.0).contains(chance), "a chance from 0 to 1")
}

const STATUS: &str = "an HTTP status from 200 to 599";

fn is_status(number: u16) -> bool {
    (200..600).contains(&number)
}

fn optional<'de, D: Deserializer<'de>, Number: Deserialize<'de> + Display>(
    deserializer: D,
    fits: impl Fn(&Number) -> bool,
    expected: &str,
) -> Result<Option<Number>, D::Error> {
    match Option::<Number>::deserialize(deserializer)? {
        Some(number) if !fits(&number) => Err(refusal(number, expected)),
        said => Ok(said),
    }
}

fn refusal<E: Error>(number: impl Display, expected: &str) -> E {
    E::custom(format_args!("`{number}` is not {expected}"))
}

//! Why a configuration is refused.

use serde_json::Value;
use thiserror::Error;

use crate::netconf::BYTES_MAX;
use crate::protocol::{Problem, code};
use crate::version::UnknownVersion;

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub enum NetConfError {
    /// There is more of it than anybody writes.
    #[error("a network configuration of more than {BYTES_MAX} bytes")]
    TooLong,
    /// It is no JSON.
    #[error("the network configuration is not JSON")]
    Json(#[source] serde_json::Error),
    /// It is JSON, but no object.
    #[error("the network configuration is not an object")]
    NoObject,
    /// A member must be there and is not.
    #[error("the network configuration has no {member}")]
    Missing {
        /// Which.
        member: &'static str,
    },
    /// It is written in a version that is not spoken.
    #[error(transparent)]
    Version(UnknownVersion),
    /// A member has a value that it cannot have.
    #[error("{member} = {value}: expected {expected}")]
    Value {
        /// Which.
        member: String,
        /// What it has, as JSON.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The section `ipam` has a member that is not known.
    #[error("ipam.{member} = {value} is not known{}", meant(*.nearest))]
    Unknown {
        /// Which.
        member: String,
        /// What it has, as JSON.
        value: String,
        /// What was meant, perhaps.
        nearest: Option<&'static str>,
    },
}

fn meant(known: Option<&'static str>) -> String {
    known.map_or_else(String::new, |known| format!("; did you mean {known}?"))
}

impl NetConfError {
    pub(super) fn value(member: &str, value: &Value, expected: &'static str) -> Self {
        Self::Value { member: member.to_owned(), value: shown(value), expected }
    }

    pub(super) fn unknown(member: &str, value: &Value, nearest: Option<&'static str>) -> Self {
        Self::Unknown { member: member.to_owned(), value: shown(value), nearest }
    }

    /// How it is reported.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let code = match self {
            Self::Json(_) | Self::NoObject => code::DECODE,
            Self::Version(_) | Self::Missing { member: "cniVersion" } => code::INCOMPATIBLE_VERSION,
            Self::Unknown { .. } => code::UNSUPPORTED_FIELD,
            Self::TooLong | Self::Missing { .. } | Self::Value { .. } => code::INVALID_CONFIG,
        };
        Problem::of(code, self)
    }
}

/// A value as JSON, or the beginning of a long one.
fn shown(value: &Value) -> String {
    const MOST: usize = 120;
    let text = value.to_string();
    if text.chars().count() <= MOST {
        return text;
    }
    format!("{}…", text.chars().take(MOST).collect::<String>())
}

//! The versions of the CNI specification that the plugin speaks.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A version of the CNI specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CniVersion {
    /// The first with lists of addresses and interfaces.
    V0_3_0,
    /// Corrects the one before.
    V0_3_1,
    /// Brings CHECK.
    V0_4_0,
    /// Results without `ips[].version`.
    V1_0_0,
    /// Brings GC and STATUS.
    V1_1_0,
}

impl CniVersion {
    /// All, the oldest first.
    pub const ALL: [Self; 5] =
        [Self::V0_3_0, Self::V0_3_1, Self::V0_4_0, Self::V1_0_0, Self::V1_1_0];
    /// The one that is answered in when the caller's is not known.
    pub const NEWEST: Self = Self::V1_1_0;

    /// As a configuration writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V0_3_0 => "0.3.0",
            Self::V0_3_1 => "0.3.1",
            Self::V0_4_0 => "0.4.0",
            Self::V1_0_0 => "1.0.0",
            Self::V1_1_0 => "1.1.0",
        }
    }
}

impl fmt::Display for CniVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A version that the plugin does not speak.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cniVersion {asked:?} is not one of 0.3.0, 0.3.1, 0.4.0, 1.0.0 and 1.1.0")]
pub struct UnknownVersion {
    /// As it was asked for.
    pub asked: String,
}

impl FromStr for CniVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let known = Self::ALL.into_iter().find(|version| version.name() == text);
        known.ok_or_else(|| UnknownVersion { asked: text.chars().take(32).collect() })
    }
}

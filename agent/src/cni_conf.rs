//! The CNI configuration as a source of settings: its `eni` and `ipam` sections win over flags, and what the instance itself says
//! wins over both.
//!
//! The file is a list of plugins, of which the first of type `cilium-cni` or with the IPAM plugin `berth-cni` counts, or
//! one such plugin alone, as Cilium's chart writes it with `cni.customConf`.

mod file;
mod merge;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

pub use file::CniConf;
pub use merge::merge;

/// Two sources that say different things, or one that says something in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The CNI configuration wins over a flag.
    Overridden {
        /// The member, such as `eni.subnet-ids`.
        member: &'static str,
        /// What the CNI configuration says.
        conf: String,
        /// What the flag says.
        flag: String,
    },
    /// The instance wins over the CNI configuration.
    Fact {
        /// The member.
        member: &'static str,
        /// What the CNI configuration says.
        conf: String,
        /// What the metadata of the instance says.
        fact: String,
    },
    /// The CNI configuration cannot set this.
    NotHere {
        /// The member.
        member: &'static str,
        /// What the CNI configuration says.
        conf: u32,
        /// Where it is set.
        instead: &'static str,
        /// What is set there.
        value: u32,
    },
    /// The least is more than the most, which then counts.
    MinAboveMax {
        /// `ipam.min-allocate`.
        min: i64,
        /// `ipam.max-allocate`.
        max: i64,
    },
    /// A member of the `eni` section that nobody knows.
    Unknown {
        /// Its name.
        member: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overridden { member, conf, flag } => {
                let option = member.replace('.', "-");
                write!(out, "{member} {conf} of the CNI configuration wins over --{option} {flag}")
            }
            Self::Fact { member, conf, fact } => {
                write!(
                    out,
                    "{member} {conf} of the CNI configuration is not so: this instance has {fact}"
                )
            }
            Self::NotHere { member, conf, instead, value } => write!(
                out,
                "{member} {conf} of the CNI configuration is without effect: {instead} {value} counts"
            ),
            Self::MinAboveMax { min, max } => write!(
                out,
                "ipam.min-allocate {min} is more than ipam.max-allocate {max}, which is not exceeded"
            ),
            Self::Unknown { member } => write!(
                out,
                "eni.{member} of the CNI configuration is without effect: there is no such setting"
            ),
        }
    }
}

/// Why a CNI configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CniConfError {
    /// It cannot be read.
    #[error("--read-cni-conf {}: {cause}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// It is not what it should be.
    #[error(
        "--read-cni-conf {}, line {line}: {problem}: expected a CNI configuration with a plugin of type cilium-cni, or one with ipam.type berth-cni",
        path.display()
    )]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Where in it, from 1 on.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// It lists plugins, and none of them is meant for an agent.
    #[error(
        "--read-cni-conf {}: found {found}: expected a plugin of type cilium-cni, or one with ipam.type berth-cni",
        path.display()
    )]
    NoPlugin {
        /// Which.
        path: PathBuf,
        /// What it lists instead.
        found: String,
    },
}

/// Reads the file; `None` while there is none.
///
/// # Errors
/// It is there and cannot be used.
pub fn read(path: &Path) -> Result<Option<CniConf>, CniConfError> {
    match std::fs::read_to_string(path) {
        Ok(text) => CniConf::parse(path, &text).map(Some),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(CniConfError::Unreadable { path: path.to_owned(), cause }),
    }
}

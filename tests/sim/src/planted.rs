//! Bugs that can be switched on, to prove that the simulation finds them: those of the core stand there (`ipam_core::planted`), those of the shells here.
//!
//! Without the feature `planted` there are none.

#[cfg(feature = "planted")]
pub use ipam_core::planted::{Bug, is, plant};

/// The bugs whose places are in this crate.
#[cfg(not(feature = "planted"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A change leaves although the Lease has run out.
    LeaderNotFenced,
}

/// Whether a bug is planted.
#[cfg(not(feature = "planted"))]
pub(crate) const fn is(_: Bug) -> bool {
    false
}

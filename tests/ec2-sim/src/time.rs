//! Time as an argument: the machine has no clock, whoever drives it says when it is.

use std::ops::Add;
use std::time::Duration;

/// A moment: microseconds since the simulation's start. It never goes backwards, also when a simulated wall clock jumps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Moment(u64);

impl Moment {
    /// The simulation's start.
    pub const START: Self = Self(0);
    /// Later than every other moment: what never happens, happens then.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `microseconds` after the start.
    #[must_use]
    pub const fn from_micros(microseconds: u64) -> Self {
        Self(microseconds)
    }

    /// Microseconds since the start.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it is still to come.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    /// Stops at [`Moment::NEVER`] instead of wrapping around.
    fn add(self, duration: Duration) -> Self {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(microseconds))
    }
}

//! Time as an argument. The core has no clock; whoever calls it says when it is.

use core::ops::Add;
use core::time::Duration;

/// A moment: milliseconds since a start that the caller chose. It never goes backwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(u64);

impl Tick {
    /// The moment `milliseconds` after the start.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the start.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The moment `duration` ago; the start, when that is later.
    #[must_use]
    pub const fn before(self, duration: Duration) -> Self {
        let milliseconds = duration.as_millis();
        if milliseconds > self.0 as u128 {
            return Self(0);
        }
        #[expect(clippy::cast_possible_truncation, reason = "not more than what it is taken from")]
        Self(self.0 - milliseconds as u64)
    }

    /// How long ago `earlier` was; zero when it is still to come.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Tick {
    type Output = Self;

    /// Stops at the last representable moment instead of wrapping around.
    fn add(self, duration: Duration) -> Self {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(milliseconds))
    }
}

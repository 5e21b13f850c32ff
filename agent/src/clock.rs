//! What time it is, as the core counts it.

use std::fs::read_to_string;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ipam_core::time::Tick;
use rustix::time::{ClockId, clock_gettime};

/// Where moments come from. A clone shows the same time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    /// Milliseconds since the machine was booted, time asleep included (`CLOCK_BOOTTIME`): it goes on over restarts of the process.
    Boot,
    /// Whatever a [`Hand`] says.
    Hand(Arc<AtomicU64>),
}

impl Clock {
    /// How often a clock that is driven by hand is looked at.
    const LOOK: Duration = Duration::from_millis(2);

    /// The kernel's clock since boot.
    #[must_use]
    pub const fn boot() -> Self {
        Self(Source::Boot)
    }

    /// A clock that stands at `start` until its hand is moved.
    #[must_use]
    pub fn by_hand(start: Tick) -> (Self, Hand) {
        let milliseconds = Arc::new(AtomicU64::new(start.as_millis()));
        (Self(Source::Hand(Arc::clone(&milliseconds))), Hand(milliseconds))
    }

    /// The moment it is.
    #[must_use]
    pub fn now(&self) -> Tick {
        Tick::from_millis(match &self.0 {
            Source::Boot => {
                let since = clock_gettime(ClockId::Boottime);
                let milliseconds = since.tv_sec.saturating_mul(1000) + since.tv_nsec / 1_000_000;
                u64::try_from(milliseconds).unwrap_or_default()
            }
            Source::Hand(milliseconds) => milliseconds.load(Ordering::Acquire),
        })
    }

    /// For how long one may sleep so as not to miss `moment`.
    #[must_use]
    pub fn until(&self, moment: Tick) -> Duration {
        let left = moment.since(self.now());
        match self.0 {
            Source::Boot => left,
            Source::Hand(_) => left.min(Self::LOOK),
        }
    }
}

/// Moves a clock that was made [by hand](Clock::by_hand).
#[derive(Debug, Clone)]
pub struct Hand(Arc<AtomicU64>);

impl Hand {
    /// Lets time pass. Parts of a millisecond do not count.
    pub fn advance(&self, by: Duration) {
        let milliseconds = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(milliseconds, Ordering::AcqRel);
    }
}

/// Which boot of the machine this is, as a UUID.
///
/// # Errors
/// When procfs cannot be read.
pub fn boot_id() -> io::Result<String> {
    read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned())
}

//! The times of a ledger.

use core::time::Duration;

/// How long addresses rest and allocations wait. Holding one is proof that it makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerSettings {
    cool_down: Duration,
    claim_within: Duration,
    remember: Duration,
}

impl LedgerSettings {
    /// Long enough for connections and routes to an address to be forgotten before its next pod has
    /// it; the value of the AWS VPC CNI.
    pub const COOL_DOWN_DEFAULT: Duration = Duration::from_secs(30);
    /// The value of Cilium's agents.
    pub const CLAIM_WITHIN_DEFAULT: Duration = Duration::from_mins(10);
    /// Twice the longest time for which a read of an instance's interfaces was seen to be out of date: a
    /// minute for the instance metadata, seconds for the EC2 API.
    pub const REMEMBER_DEFAULT: Duration = Duration::from_mins(2);
    /// A longer cool-down or wait would keep a node's addresses from its pods.
    pub const MAX: Duration = Duration::from_hours(1);

    /// Checks the cool-down, 0 to 1 h, the time within which an allocation must be claimed, 1 s to 1 h,
    /// and for how long a vanished address is remembered, 0 to 1 h. Parts of a millisecond do not
    /// count.
    ///
    /// # Errors
    /// [`InvalidLedgerSettings`] names the setting that is out of range.
    pub fn new(
        cool_down: Duration,
        claim_within: Duration,
        remember: Duration,
    ) -> Result<Self, InvalidLedgerSettings> {
        let cool_down = in_range("cool-down", cool_down, Duration::ZERO)?;
        let claim_within = in_range("claim-within", claim_within, Duration::from_secs(1))?;
        let remember = in_range("remember", remember, Duration::ZERO)?;
        Ok(Self { cool_down, claim_within, remember })
    }

    /// How long an address rests between two owners. Zero: not at all.
    #[must_use]
    pub const fn cool_down(&self) -> Duration {
        self.cool_down
    }

    /// How long an allocation waits for its claim.
    #[must_use]
    pub const fn claim_within(&self) -> Duration {
        self.claim_within
    }

    /// For how long it is remembered that a vanished address was promised away or cooling down. Zero:
    /// until the next listing.
    #[must_use]
    pub const fn remember(&self) -> Duration {
        self.remember
    }
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self {
            cool_down: Self::COOL_DOWN_DEFAULT,
            claim_within: Self::CLAIM_WITHIN_DEFAULT,
            remember: Self::REMEMBER_DEFAULT,
        }
    }
}

/// A time that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value:?}: expected {min:?} to {max:?}", max = LedgerSettings::MAX)]
pub struct InvalidLedgerSettings {
    /// The setting.
    pub setting: &'static str,
    /// Its value.
    pub value: Duration,
    /// The least value that makes sense.
    pub min: Duration,
}

/// The whole milliseconds of `value`: moments have no parts of one.
fn in_range(
    setting: &'static str,
    value: Duration,
    min: Duration,
) -> Result<Duration, InvalidLedgerSettings> {
    if !(min..=LedgerSettings::MAX).contains(&value) {
        return Err(InvalidLedgerSettings { setting, value, min });
    }
    let part = Duration::from_millis(value.subsec_millis().into());
    Ok(Duration::from_secs(value.as_secs()) + part)
}

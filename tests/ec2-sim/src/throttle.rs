//! Token buckets: one for each account and action, of the sizes that the EC2 user guide publishes ("API throttling").
//!
//! Refill is continuous, so a bucket holds fractions of a token. The published sizes are defaults; an account may have others.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::request::Action;
use crate::time::Moment;

#[cfg(test)]
mod tests;

/// Which bucket of an account: that of an action, or the smaller one for listing everything at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket {
    /// The action.
    pub action: Action,
    /// Whether the call has neither filters nor ids nor a page size.
    pub unfiltered: bool,
}

impl Bucket {
    /// The bucket of an action, however it is called.
    #[must_use]
    pub const fn of(action: Action) -> Self {
        Self { action, unfiltered: false }
    }

    /// The bucket for listing everything at once, where the action has one of its own.
    #[must_use]
    pub const fn unfiltered(action: Action) -> Self {
        Self { action, unfiltered: has_unfiltered(action) }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.action.name())?;
        formatter.write_str(if self.unfiltered { UNFILTERED } else { "" })
    }
}

/// How the name of a bucket ends that is for listing everything at once.
const UNFILTERED: &str = ":unfiltered";

/// A text that names no bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no bucket: expected an action, with `:unfiltered` behind it where listing everything has a bucket of its own"
)]
pub struct UnknownBucket(pub String);

impl FromStr for Bucket {
    type Err = UnknownBucket;

    /// Takes `AssignPrivateIpAddresses` and `DescribeInstances:unfiltered`.
    fn from_str(text: &str) -> Result<Self, UnknownBucket> {
        let (name, unfiltered) =
            text.strip_suffix(UNFILTERED).map_or((text, false), |name| (name, true));
        let found = Action::find(name).map(|action| Self { action, unfiltered });
        let found = found.filter(|bucket| !unfiltered || has_unfiltered(bucket.action));
        found.ok_or_else(|| UnknownBucket(text.to_owned()))
    }
}

const fn has_unfiltered(action: Action) -> bool {
    use Action::{DescribeInstances, DescribeNetworkInterfaces, DescribeSecurityGroups};
    matches!(action, DescribeInstances | DescribeNetworkInterfaces | DescribeSecurityGroups)
}

/// The size of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Tokens it can hold.
    pub capacity: f64,
    /// Tokens that come back each second.
    pub refill_per_second: f64,
}

/// The published size (EC2 user guide, API throttling).
#[must_use]
pub fn published(bucket: Bucket) -> Size {
    let size = |capacity, refill_per_second| Size { capacity, refill_per_second };
    match bucket.action {
        _ if bucket.unfiltered => size(50.0, 10.0),
        Action::DescribeAddresses
        | Action::DescribeInstanceTypes
        | Action::DescribeInstances
        | Action::DescribeNetworkInterfaces
        | Action::DescribeRouteTables
        | Action::DescribeSecurityGroups
        | Action::DescribeSubnets
        | Action::DescribeTags
        | Action::DescribeVpcs
        | Action::GetSecurityGroupsForVpc => size(100.0, 20.0),
        Action::AssignIpv6Addresses
        | Action::AssignPrivateIpAddresses
        | Action::CreateNetworkInterface
        | Action::DeleteNetworkInterface
        | Action::ModifyNetworkInterfaceAttribute
        | Action::UnassignPrivateIpAddresses => size(100.0, 5.0),
        Action::CreateTags => size(100.0, 10.0),
        Action::CreateSubnetCidrReservation => size(5.0, 1.0),
        Action::AssociateAddress
        | Action::AttachNetworkInterface
        | Action::DetachNetworkInterface
        | Action::UnassignIpv6Addresses => size(50.0, 5.0),
    }
}

/// The sizes that an account has.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Whether nothing is throttled at all.
    pub unlimited: bool,
    /// What published sizes are multiplied with: raised limits.
    pub multiplier: f64,
    /// Sizes of single buckets, instead of the published ones; not multiplied.
    pub overrides: BTreeMap<Bucket, Size>,
}

impl Default for Settings {
    /// As published.
    fn default() -> Self {
        Self { unlimited: false, multiplier: 1.0, overrides: BTreeMap::new() }
    }
}

impl Settings {
    /// Nothing is throttled.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { unlimited: true, ..Self::default() }
    }

    /// The size of a bucket; none when nothing is throttled.
    #[must_use]
    pub fn size(&self, bucket: Bucket) -> Option<Size> {
        if self.unlimited {
            return None;
        }
        if let Some(size) = self.overrides.get(&bucket) {
            return Some(*size);
        }
        let Size { capacity, refill_per_second } = published(bucket);
        let multiplier = self.multiplier;
        Some(Size {
            capacity: capacity * multiplier,
            refill_per_second: refill_per_second * multiplier,
        })
    }
}

/// What a bucket held, and when.
#[derive(Debug, Clone, Copy)]
struct Level {
    tokens: f64,
    at: Moment,
}

/// The buckets of all accounts. Those of which nothing was taken yet are full.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    /// Their sizes. A change applies from the next call on; what a bucket holds is cut to its new capacity.
    pub settings: Settings,
    levels: BTreeMap<String, BTreeMap<Bucket, Level>>,
}

impl Buckets {
    /// Full buckets.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings, levels: BTreeMap::new() }
    }

    /// How many tokens a bucket holds; none when nothing is throttled.
    #[must_use]
    pub fn peek(&self, now: Moment, account: &str, bucket: Bucket) -> Option<f64> {
        let size = self.settings.size(bucket)?;
        let level = self.levels.get(account).and_then(|levels| levels.get(&bucket));
        Some(level.map_or(size.capacity, |level| {
            let refilled = now.since(level.at).as_secs_f64() * size.refill_per_second;
            (level.tokens + refilled).min(size.capacity)
        }))
    }

    /// Takes a token. Returns whether there was one, and what the bucket holds afterwards.
    pub fn take(&mut self, now: Moment, account: &str, bucket: Bucket) -> (bool, Option<f64>) {
        let Some(held) = self.peek(now, account, bucket) else {
            return (true, None);
        };
        let taken = held >= 1.0;
        let tokens = if taken { held - 1.0 } else { held };
        self.set(now, account, bucket, tokens);
        (taken, Some(tokens))
    }

    /// Empties a bucket: somebody else of the account has used it up.
    pub fn empty(&mut self, now: Moment, account: &str, bucket: Bucket) {
        self.set(now, account, bucket, 0.0);
    }

    fn set(&mut self, now: Moment, account: &str, bucket: Bucket, tokens: f64) {
        let level = Level { tokens, at: now };
        if let Some(levels) = self.levels.get_mut(account) {
            levels.insert(bucket, level);
        } else {
            self.levels.insert(account.to_owned(), BTreeMap::from([(bucket, level)]));
        }
    }
}

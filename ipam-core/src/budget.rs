//! How fast EC2 may be asked: one token bucket per action, as EC2 itself has.
//!
//! A bucket holds what is used of EC2's own (EC2 user guide, API throttling): [`BudgetSettings`] leaves a share idle for
//! other users of the account. When EC2 throttles all the same, somebody else uses more than that share: the
//! bucket is empty, and its refill is halved at once and comes back linearly, slowly to where EC2 throttled and
//! faster beyond. A refill below one call per second is a usual one, so a bucket is filled by the
//! millisecond and in integers: it never drifts, and the moment of the next token is exact.

mod bucket;

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::call::Api;
use crate::time::Tick;
use bucket::Bucket;

/// A bucket of EC2 (EC2 API reference, request throttling): how many calls it holds and how many come
/// back per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Calls at once.
    pub capacity: f64,
    /// Calls per second.
    pub refill: f64,
}

impl Rate {
    /// What an account has of an action unless AWS was asked for more (EC2 user guide, API throttling). The reading
    /// actions count as filtered or paginated, since Berth makes no others.
    #[must_use]
    pub const fn published(api: Api) -> Self {
        match api {
            Api::AttachNetworkInterface => Self { capacity: 50.0, refill: 5.0 },
            Api::AssignPrivateIpAddresses
            | Api::UnassignPrivateIpAddresses
            | Api::AssignIpv6Addresses
            | Api::CreateNetworkInterface
            | Api::ModifyNetworkInterfaceAttribute
            | Api::DetachNetworkInterface
            | Api::DeleteNetworkInterface => Self { capacity: 100.0, refill: 5.0 },
            Api::DescribeNetworkInterfaces
            | Api::DescribeSubnets
            | Api::DescribeVpcs
            | Api::DescribeSecurityGroups
            | Api::GetSecurityGroupsForVpc
            | Api::DescribeRouteTables
            | Api::DescribeInstanceTypes => Self { capacity: 100.0, refill: 20.0 },
        }
    }

    /// Both figures times `share`. A bucket that cannot hold one call would never let one through.
    const fn shared(self, share: f64) -> Self {
        Self { capacity: (self.capacity * share).max(1.0), refill: self.refill * share }
    }
}

/// How fast EC2 may be asked. Holding one is proof that it makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetSettings {
    rates: BTreeMap<Api, Rate>,
    share: f64,
    overall: Option<Rate>,
}

impl Default for BudgetSettings {
    /// EC2's published buckets, of which a twentieth is left for others.
    fn default() -> Self {
        Self { rates: BTreeMap::new(), share: 0.95, overall: None }
    }
}

impl BudgetSettings {
    /// Checks the settings.
    ///
    /// `rates` are the buckets that differ from EC2's published defaults, as EC2 has them. `share` is the part of
    /// each that is used; the rest is left for others in the account. `overall` is one more bucket, which
    /// every call takes from and which is used whole (`limit-ipam-api-qps` and `limit-ipam-api-burst` of Cilium's
    /// operator); `None`: there is none.
    ///
    /// # Errors
    /// Names the setting: `share` has to be more than 0 and at most 1, a capacity 1 to 1,000,000 calls, and a
    /// refill more than 0 and at most 1,000,000 calls per second.
    pub fn new(
        rates: BTreeMap<Api, Rate>,
        share: f64,
        overall: Option<Rate>,
    ) -> Result<Self, InvalidBudget> {
        if !(share > 0.0 && share <= 1.0) {
            return Err(InvalidBudget::Share { share });
        }
        let of_actions = rates.iter().map(|(api, rate)| (api.name(), rate));
        for (bucket, rate) in of_actions.chain(overall.iter().map(|rate| ("overall", rate))) {
            check_rate(bucket, *rate)?;
        }
        Ok(Self { rates, share, overall })
    }

    /// The bucket that EC2 has for an action, as far as these settings know.
    #[must_use]
    pub fn rate(&self, api: Api) -> Rate {
        self.rates.get(&api).copied().unwrap_or_else(|| Rate::published(api))
    }

    /// The bucket that every call takes from, if there is one.
    #[must_use]
    pub const fn overall(&self) -> Option<Rate> {
        self.overall
    }
}

/// No account comes near it, and every figure below fits the integers of the buckets.
const RATE_MAX: f64 = 1_000_000.0;

fn check_rate(bucket: &'static str, rate: Rate) -> Result<(), InvalidBudget> {
    let Rate { capacity, refill } = rate;
    if !(1.0..=RATE_MAX).contains(&capacity) {
        return Err(InvalidBudget::Capacity { bucket, capacity });
    }
    if !(refill > 0.0 && refill <= RATE_MAX) {
        return Err(InvalidBudget::Refill { bucket, refill });
    }
    Ok(())
}

/// Why a budget makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidBudget {
    /// Nothing, or more than there is, would be used.
    #[error("share is {share}: expected more than 0 and at most 1")]
    Share {
        /// The share as given.
        share: f64,
    },
    /// A bucket that lets no call through, or an impossible one.
    #[error("capacity of {bucket} is {capacity}: expected 1 to {RATE_MAX} calls")]
    Capacity {
        /// The action, or `overall`.
        bucket: &'static str,
        /// The capacity as given.
        capacity: f64,
    },
    /// A bucket that never fills again, or an impossible one.
    #[error(
        "refill of {bucket} is {refill}: expected more than 0 and at most {RATE_MAX} calls per second"
    )]
    Refill {
        /// The action, or `overall`.
        bucket: &'static str,
        /// The refill as given.
        refill: f64,
    },
}

/// The buckets.
#[derive(Debug, Clone)]
pub struct Budget {
    buckets: BTreeMap<Api, Bucket>,
    overall: Option<Bucket>,
}

impl Budget {
    /// How long it takes at most from the last throttling to the whole refill: one half to grow back to where
    /// EC2 throttled, the other from there on.
    pub const RECOVERY: Duration = Duration::from_mins(2);

    /// Full buckets.
    #[must_use]
    pub fn new(settings: BudgetSettings, now: Tick) -> Self {
        let BudgetSettings { mut rates, share, overall } = settings;
        let buckets = Api::ALL.iter().map(|api| {
            let rate = rates.remove(api).unwrap_or_else(|| Rate::published(*api));
            (*api, Bucket::full(rate.shared(share), now))
        });
        Self { buckets: buckets.collect(), overall: overall.map(|rate| Bucket::full(rate, now)) }
    }

    /// Takes a token for one call, if there is one. If there is none, nothing changes.
    pub fn take(&mut self, now: Tick, api: Api) -> bool {
        let has_one = self.of_call(api).all(|bucket| bucket.has_token(now));
        if has_one {
            let bucket = self.buckets.get_mut(&api);
            bucket.into_iter().chain(&mut self.overall).for_each(|it| it.take(now));
        }
        has_one
    }

    /// EC2 said that its bucket is empty: so is this one, and its refill is halved, at most once per second because
    /// what was sent at the same time says the same thing once more.
    pub fn on_throttled(&mut self, now: Tick, api: Api) {
        #[cfg(feature = "planted")]
        if crate::planted::is(crate::planted::Bug::BudgetIgnoresThrottles) {
            return;
        }
        if let Some(bucket) = self.buckets.get_mut(&api) {
            bucket.on_throttled(now);
        }
    }

    /// When the next token of an action is there; `None`: now. [`Self::take`] succeeds at that moment, and not
    /// before, if nothing else happens until then.
    #[must_use]
    pub fn next_token(&self, now: Tick, api: Api) -> Option<Tick> {
        self.of_call(api).filter_map(|bucket| bucket.next_token(now)).max()
    }

    /// Tokens for an action that are there now.
    #[must_use]
    pub fn level(&self, now: Tick, api: Api) -> f64 {
        self.of_call(api).map(|bucket| bucket.level(now)).fold(f64::INFINITY, f64::min)
    }

    /// The part of the configured refill that is used since EC2 last throttled the action, 1/64 to 1.
    #[must_use]
    pub fn factor(&self, now: Tick, api: Api) -> f64 {
        self.buckets.get(&api).map_or(1.0, |bucket| bucket.factor(now))
    }

    /// The buckets that a call takes from.
    fn of_call(&self, api: Api) -> impl Iterator<Item = &Bucket> {
        self.buckets.get(&api).into_iter().chain(&self.overall)
    }
}

#[cfg(test)]
mod tests;

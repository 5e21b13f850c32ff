//! The buckets of EC2 itself (EC2 user guide, API throttling), reckoned apart from those of the budget.

use std::collections::BTreeMap;

use ipam_core::call::Api;
use ipam_core::time::Tick;

/// One bucket for each action, and how often each was called.
pub(crate) struct Buckets {
    /// The part of the published figures that is there for the operator.
    pub part: f64,
    levels: BTreeMap<Api, (f64, Tick)>,
    pub calls: BTreeMap<Api, usize>,
    pub throttled: BTreeMap<Api, usize>,
}

impl Default for Buckets {
    fn default() -> Self {
        let nothing = BTreeMap::new;
        Self { part: 1.0, levels: BTreeMap::new(), calls: nothing(), throttled: nothing() }
    }
}

impl Buckets {
    pub(crate) fn take(&mut self, now: Tick, api: Api) -> bool {
        let (capacity, refill) = match api {
            Api::AttachNetworkInterface => (50.0, 5.0),
            _ if api.is_mutation() => (100.0, 5.0),
            _ => (100.0, 20.0),
        };
        let (level, at) = self.levels.entry(api).or_insert((capacity * self.part, now));
        let gained = now.since(*at).as_secs_f64() * refill * self.part;
        *level = (*level + gained).min((capacity * self.part).max(1.0));
        *at = now;
        *self.calls.entry(api).or_default() += 1;
        let is_there = *level >= 1.0;
        if is_there {
            *level -= 1.0;
        } else {
            *self.throttled.entry(api).or_default() += 1;
        }
        is_there
    }

    pub(crate) fn all_calls(&self) -> usize {
        self.calls.values().sum()
    }

    pub(crate) fn all_throttled(&self) -> usize {
        self.throttled.values().sum()
    }
}

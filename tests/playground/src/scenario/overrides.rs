//! What the command line says instead of the scenario.

use std::time::Duration;

use ec2_sim::fault::Rule;
use ec2_sim::latency::Profile;
use ec2_sim::spec::Said;
use ec2_sim::throttle;

use super::format::{File, NodeGroup};
use super::values::{Lasting, Rate};
use crate::plan;

/// What the command line says instead of the scenario; what it does not say stays.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// How long pods come and go.
    pub length: Option<Duration>,
    /// How many nodes there are, over all groups.
    pub nodes: Option<u32>,
    /// The types of the nodes that Berth serves, in turn.
    pub instance_types: Option<Vec<String>>,
    /// How many pods come each second.
    pub pods_per_second: Option<f64>,
    /// How long each of them lives.
    pub pod_lifetime: Option<Duration>,
    /// Whether the nodes that Berth serves take prefixes.
    pub prefix_delegation: bool,
    /// For how many seconds a node has addresses to spare before the operator asks for them.
    pub release_delay: Option<u32>,
    /// How long calls to EC2 take.
    pub latency: Option<Profile>,
    /// The token buckets of the account.
    pub buckets: Option<throttle::Settings>,
    /// What fails.
    pub faults: Option<Vec<Rule>>,
    /// What chance comes from.
    pub seed: Option<u64>,
    /// What it comes from where neither the command line nor the scenario says it.
    pub chance: u64,
}

impl Overrides {
    /// What is written, with what stands here in its place.
    pub(super) fn applied(&self, file: &File) -> File {
        let mut file = file.clone();
        let lasting = |length: Duration| Said(Lasting(length));
        file.length = self.length.map(lasting).or(file.length);
        file.seed = self.seed.or(file.seed);
        file.pods.per_second =
            self.pods_per_second.map(|rate| Said(Rate(rate))).or(file.pods.per_second);
        file.pods.lifetime = self.pod_lifetime.map(lasting).or(file.pods.lifetime);
        file.ec2.latency = self.latency.or(file.ec2.latency);
        if let Some(faults) = &self.faults {
            file.ec2.faults.clone_from(faults);
        }
        if let Some(seconds) = self.release_delay {
            file.operator.insert("excess-ip-release-delay".to_owned(), seconds.to_string());
        }
        if self.prefix_delegation || self.instance_types.is_some() {
            let groups = file.nodes.get_or_insert_with(|| vec![NodeGroup::usual()]);
            groups.iter_mut().filter(|group| group.overlay.is_none()).for_each(|group| {
                group.instance_types = self.instance_types.clone().or(group.instance_types.take());
                group.prefix_delegation =
                    self.prefix_delegation.then_some(true).or(group.prefix_delegation);
            });
        }
        file
    }

    /// Whether something else is played than what is written, so that what is expected there may not be so.
    #[must_use]
    pub fn change_what_is_played(&self) -> bool {
        let Self { length, nodes, instance_types, pods_per_second, pod_lifetime, .. } = self;
        let Self { prefix_delegation, release_delay: _, latency, buckets, faults, .. } = self;
        *prefix_delegation
            || length.is_some()
            || nodes.is_some()
            || instance_types.is_some()
            || pods_per_second.is_some()
            || pod_lifetime.is_some()
            || latency.is_some()
            || buckets.is_some()
            || faults.is_some()
    }

    /// Spreads that many nodes over the groups, as they stand to each other.
    pub(super) fn spread(&self, groups: &mut [plan::NodeGroup]) {
        let Some(wanted) = self.nodes.map(u64::from) else { return };
        let total: u64 = groups.iter().map(|group| u64::from(group.count)).sum();
        let mut before = 0;
        for group in groups {
            let share = |count: u64| (wanted * count).checked_div(total).unwrap_or_default();
            let behind = before + u64::from(group.count);
            group.count = u32::try_from(share(behind) - share(before)).unwrap_or(u32::MAX);
            before = behind;
        }
    }
}

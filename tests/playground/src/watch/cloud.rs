//! What EC2 has and was asked.

use std::collections::BTreeMap;

use ec2_sim::counters::Counts;
use ec2_sim::face::shared::Shared;
use ec2_sim::throttle::{self, Size};
use ec2_sim::{Action, Ec2};

use crate::moment::{Bucket, Calls};
use crate::nodes::NodeAt;

/// What EC2 has and was asked.
#[derive(Debug, Default)]
pub(super) struct Cloud {
    /// Interfaces and prefixes of each node.
    pub(super) attached: BTreeMap<String, Attached>,
    pub(super) calls: BTreeMap<&'static str, Calls>,
}

/// What is attached to a node, or on its way there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Attached {
    pub(super) enis: u32,
    pub(super) prefixes: u32,
}

impl Cloud {
    pub(super) fn read(ec2: &Shared, nodes: &[NodeAt]) -> Self {
        ec2.with(|ec2, _| Self {
            attached: nodes.iter().map(|node| (node.name.clone(), attached(ec2, node))).collect(),
            calls: ec2
                .counters()
                .iter()
                .map(|(name, counts)| (name, calls(ec2, name, counts)))
                .collect(),
        })
    }
}

fn attached(ec2: &Ec2, node: &NodeAt) -> Attached {
    let count = |items: usize| u32::try_from(items).unwrap_or(u32::MAX);
    let mut attached = Attached::default();
    for interface in ec2.world().truth().interfaces_of(&node.instance) {
        attached.enis += 1;
        attached.prefixes += count(interface.ipv4_prefixes.len());
    }
    attached
}

fn calls(ec2: &Ec2, name: &str, counts: &Counts) -> Calls {
    let Counts { calls, throttled, errors, .. } = counts;
    let action = Action::find(name);
    let size = action.and_then(|action| ec2.buckets().settings.size(throttle::Bucket::of(action)));
    let bucket = |Size { capacity, refill_per_second }| Bucket { capacity, refill_per_second };
    Calls {
        made: *calls,
        throttled: *throttled,
        failed: errors.values().sum::<u64>().saturating_sub(*throttled),
        bucket: size.map(bucket),
    }
}

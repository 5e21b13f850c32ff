//! What EC2 has and was asked.

use std::collections::BTreeMap;

use ec2_sim::counters::Counts;
use ec2_sim::face::shared::Shared;
use ec2_sim::journal::{Entry, Journal};
use ec2_sim::request::{Operation, UnassignPrivateIpAddresses};
use ec2_sim::throttle::{self, Size};
use ec2_sim::{Action, Ec2};
use ipam_core::release::size;
use ipnet::Ipv4Net;

use crate::moment::{Bucket, Calls, GivenBack};
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

/// Counts what goes back to EC2.
#[derive(Debug, Default)]
pub(super) struct Returns {
    /// The number of the first call that was not looked at.
    next: u64,
    so_far: GivenBack,
}

impl Returns {
    /// Looks at the calls since the last look. Answers what they and those before them gave back.
    pub(super) fn read(&mut self, ec2: &Shared) -> GivenBack {
        ec2.with(|ec2, _| self.count(ec2.journal()))
    }

    fn count(&mut self, journal: &Journal) -> GivenBack {
        for entry in journal.since(self.next).filter(|entry| entry.committed) {
            let GivenBack { addresses, interfaces } = given_back(entry);
            self.so_far.addresses += addresses;
            self.so_far.interfaces += interfaces;
        }
        self.next = journal.recorded();
        self.so_far
    }
}

/// What a call that was carried out gave back.
fn given_back(entry: &Entry) -> GivenBack {
    match &entry.parameters {
        Some(Operation::UnassignPrivateIpAddresses(UnassignPrivateIpAddresses {
            addresses,
            prefixes,
            ..
        })) => {
            let singles = addresses.iter().map(|address| Ipv4Net::from(*address));
            let sizes = singles.chain(prefixes.iter().copied()).map(size);
            GivenBack { addresses: sizes.map(u64::from).sum(), interfaces: 0 }
        }
        Some(Operation::DetachNetworkInterface(_)) => GivenBack { addresses: 0, interfaces: 1 },
        _ => GivenBack::default(),
    }
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

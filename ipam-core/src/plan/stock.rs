//! What is left in the subnets while a plan is drafted.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::action::{ADDRESSES_PER_PREFIX, Ipv4Ask};
use crate::ids::SubnetId;
use crate::view::{NetworkView, SubnetView};

/// What is left in one subnet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    /// Addresses that nobody has, those in whole blocks included.
    free: u32,
    /// Whether EC2 refused single addresses a short while ago.
    refuses_addresses: bool,
    /// Whole /28 blocks. Where the map is not known, as many as could be if nothing were fragmented.
    pub(super) prefixes: u32,
    /// Whether the subnet has an IPv6 range.
    pub(super) ipv6: bool,
}

impl Left {
    fn observed(subnet: &SubnetView) -> Self {
        let free = subnet.free_addresses.saturating_sub(subnet.planned.addresses);
        let blocks = subnet
            .free_blocks
            .as_ref()
            .map_or(u32::MAX, |blocks| blocks.count().saturating_sub(subnet.planned.prefixes));
        let blocks = if subnet.refused.prefixes { 0 } else { blocks };
        Self {
            free,
            refuses_addresses: subnet.refused.addresses,
            prefixes: blocks.min(free / ADDRESSES_PER_PREFIX),
            ipv6: subnet.ipv6_cidr.is_some(),
        }
    }

    /// Addresses that can be had one by one.
    pub(super) fn addresses(&self) -> u32 {
        if self.refuses_addresses { 0 } else { self.free }
    }

    /// What a new interface can have beside its primary address, in whole prefixes and one by one.
    pub(super) fn beside_primary(&self) -> (u32, u32) {
        let addresses = self.addresses().saturating_sub(1);
        (self.prefixes.min(addresses / ADDRESSES_PER_PREFIX), addresses)
    }

    /// Takes what is asked for. EC2 picks single addresses anywhere, so each may break a whole block.
    pub(super) fn take(&mut self, ask: Ipv4Ask) {
        self.free = self.free.saturating_sub(ask.addresses());
        let (Ipv4Ask::Addresses(blocks) | Ipv4Ask::Prefixes(blocks)) = ask;
        self.prefixes = self.prefixes.saturating_sub(u32::from(blocks));
    }
}

/// What is left in the subnets that a plan looks at.
pub(super) struct Stock<'a> {
    network: &'a NetworkView,
    /// Subnets where the node fell back to single addresses.
    fallen_back: BTreeSet<&'a SubnetId>,
    /// Blocks that such a subnet must have again before it counts as having any. Without the
    /// distance, a node in a nearly full subnet would go back and forth with every freed block.
    return_at: u32,
    left: BTreeMap<&'a SubnetId, Left>,
}

impl<'a> Stock<'a> {
    pub(super) fn new(
        network: &'a NetworkView,
        fallen_back: BTreeSet<&'a SubnetId>,
        return_at: u32,
    ) -> Self {
        Self { network, fallen_back, return_at, left: BTreeMap::new() }
    }

    /// What is left in a subnet; `None` for one that was not observed.
    pub(super) fn left(&mut self, subnet: &'a SubnetId) -> Option<&mut Left> {
        if !self.left.contains_key(subnet) {
            let mut left = Left::observed(self.network.subnets.get(subnet)?);
            if self.fallen_back.contains(subnet) && left.prefixes < self.return_at {
                left.prefixes = 0;
            }
            self.left.insert(subnet, left);
        }
        self.left.get_mut(subnet)
    }
}

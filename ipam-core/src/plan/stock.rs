//! What is left in the subnets while a plan is drafted.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::action::{ADDRESSES_PER_PREFIX, Ipv4Ask};
use crate::ids::SubnetId;
use crate::prefix::{FreeBlocks, most_free_blocks};
use crate::view::{NetworkView, SubnetView};

use super::grow::Form;

/// What is left in one subnet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    /// Addresses that nobody has, those in whole blocks included.
    free: u32,
    /// Whether EC2 refused single addresses a short while ago.
    refuses_addresses: bool,
    /// Whole /28 blocks. Where the map is not known, as many as could be if nothing were fragmented.
    prefixes: u32,
    /// Whether the subnet has an IPv6 range.
    pub(super) ipv6: bool,
    /// Whether new addresses may come from the subnet at all.
    pub(super) usable: bool,
}

impl Left {
    fn observed(subnet: &SubnetView) -> Self {
        let free = subnet.free_addresses.saturating_sub(subnet.planned.addresses);
        let free = if subnet.usable { free } else { 0 };
        let blocks = free_blocks(subnet).saturating_sub(subnet.planned.prefixes);
        Self {
            free,
            refuses_addresses: subnet.refused.addresses,
            prefixes: blocks.min(free / ADDRESSES_PER_PREFIX),
            ipv6: subnet.ipv6_cidr.is_some() && subnet.usable,
            usable: subnet.usable,
        }
    }

    /// Addresses that can be had one by one.
    pub(super) fn addresses(&self) -> u32 {
        if self.refuses_addresses { 0 } else { self.free }
    }

    /// How much of a form an interface that is already in the subnet can have.
    pub(super) fn for_attached(&self, form: Form) -> u32 {
        match form {
            Form::Prefixes => self.prefixes,
            Form::Addresses => self.addresses(),
        }
    }

    /// How much of a form a new interface can have beside its primary address; `None` when not even
    /// that is there.
    pub(super) fn for_new(&self, form: Form) -> Option<u32> {
        let addresses = self.addresses().checked_sub(1)?;
        Some(match form {
            Form::Prefixes => self.prefixes.min(addresses / ADDRESSES_PER_PREFIX),
            Form::Addresses => addresses,
        })
    }

    /// Takes what is asked for. EC2 picks single addresses anywhere, so each may break a whole block.
    fn take(&mut self, ask: Ipv4Ask) {
        self.free = self.free.saturating_sub(ask.addresses());
        let (Ipv4Ask::Addresses(count) | Ipv4Ask::Prefixes(count)) = ask;
        self.prefixes = self.prefixes.saturating_sub(u32::from(count));
    }
}

/// Whole /28 blocks of a subnet that nobody has, those that actions under way will take included.
fn free_blocks(subnet: &SubnetView) -> u32 {
    if subnet.refused.prefixes {
        return 0;
    }
    let known = subnet.free_blocks.as_ref().map_or(u32::MAX, FreeBlocks::count);
    known.min(subnet.free_addresses / ADDRESSES_PER_PREFIX)
}

/// What is left in the subnets that a plan looks at.
pub(super) struct Stock<'a> {
    network: &'a NetworkView,
    /// Subnets where the node fell back to single addresses.
    fallen_back: BTreeSet<&'a SubnetId>,
    /// Blocks that such a subnet must have again before it counts as having any. Without the
    /// distance, a node in a nearly full subnet would go back and forth with every freed block.
    return_at: u32,
    /// The subnets that the plan takes something from.
    taken_from: BTreeMap<&'a SubnetId, Left>,
}

impl<'a> Stock<'a> {
    pub(super) fn new(
        network: &'a NetworkView,
        fallen_back: BTreeSet<&'a SubnetId>,
        return_at: u32,
    ) -> Self {
        Self { network, fallen_back, return_at, taken_from: BTreeMap::new() }
    }

    /// What is left in a subnet; `None` for one that was not observed.
    pub(super) fn left(&self, subnet: &SubnetId) -> Option<Left> {
        match self.taken_from.get(subnet) {
            Some(left) => Some(*left),
            None => Some(self.observed(subnet, self.network.subnets.get(subnet)?)),
        }
    }

    /// The same for a subnet that was looked up already.
    pub(super) fn left_in(&self, subnet: &SubnetId, view: &SubnetView) -> Left {
        let taken_from = self.taken_from.get(subnet).copied();
        taken_from.unwrap_or_else(|| self.observed(subnet, view))
    }

    fn observed(&self, subnet: &SubnetId, view: &SubnetView) -> Left {
        let mut left = Left::observed(view);
        // By what was observed: a node that returned to prefixes goes on with them while those are under way.
        let return_at = self.return_at.min(most_free_blocks(view.cidr));
        if free_blocks(view) < return_at && self.fallen_back.contains(subnet) {
            left.prefixes = 0;
        }
        left
    }

    /// Takes what is asked for in a subnet.
    pub(super) fn take(&mut self, subnet: &'a SubnetId, ask: Ipv4Ask) {
        if let Some(mut left) = self.left(subnet) {
            left.take(ask);
            self.taken_from.insert(subnet, left);
        }
    }
}

//! What is shown of nodes and of the cluster.

use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;

use super::Kept;
use crate::ids::{InstanceId, InstanceType, NodeName, SubnetId};
use crate::reason::{Blocked, Reason};
use crate::time::Tick;
use crate::view::Contract;

/// One node in short. Figures are IPv4 addresses for pods unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its name.
    pub name: NodeName,
    /// Its instance, if known.
    pub instance: Option<InstanceId>,
    /// Its type, if known.
    pub instance_type: Option<InstanceType>,
    /// The contract that its agent speaks.
    pub contract: Contract,
    /// Whether new addresses come as prefixes.
    pub prefixes: bool,
    /// Attached interfaces, managed or not.
    pub enis: u32,
    /// Addresses on managed interfaces.
    pub available: u32,
    /// Addresses in use.
    pub used: u32,
    /// Addresses it lacks ([`demand::needed`](crate::demand::needed)), waiting pods counted.
    pub needed: u32,
    /// Addresses it could hold; `None` while its limits are not known.
    pub capacity: Option<u32>,
    /// Managed interfaces with free slots, and interfaces it could still take.
    pub remaining_interfaces: u32,
    /// Managed interfaces with free slots.
    pub candidates: u32,
    /// Interfaces it could still take.
    pub empty_slots: u32,
    /// Addresses on their way back to EC2: asked for, agreed on, or being unassigned.
    pub leaving: u32,
    /// Addresses above what it keeps, those included that are leaving, whether or not they may.
    pub to_spare: u32,
    /// Why those are still there; `None` while it has none to spare.
    pub kept: Option<Kept>,
    /// Attached interfaces of Berth's that hold nothing and that the node does not need, whether or not they may leave.
    pub idle_enis: u32,
    /// Interfaces on their way off the node: not published any more, or being detached.
    pub leaving_enis: u32,
    /// Pods that wait for an address.
    pub waiting_pods: u32,
    /// Changes that were sent and not answered.
    pub in_flight: u32,
    /// What keeps it from what it wants.
    pub blocked: Vec<Blocked>,
    /// Whether it is left alone, because it asks for it.
    pub ignored: bool,
    /// When it was seen first.
    pub since: Tick,
    /// When EC2 last said how it is; `None`: never.
    pub observed: Option<Tick>,
}

/// What stands between a node and addresses that it lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle<'a> {
    /// Nothing.
    None,
    /// Something that ends by itself, mostly within seconds; or nothing that is known, and what was asked for is not answered.
    Passing,
    /// Something that stays until somebody or something changes it.
    Lasting(&'a Reason),
}

impl Summary {
    /// What its agent should be able to say when it has no address for a pod: of what keeps the node, the reason that costs
    /// it most addresses.
    ///
    /// Nothing while the node lacks nothing; and that it is full counts only while more pods wait than addresses are free.
    #[must_use]
    pub fn obstacle(&self) -> Obstacle<'_> {
        let lacks = self.needed > 0;
        let is_starved = self.waiting_pods > self.available.saturating_sub(self.used);
        let counts = |reason: &Reason| {
            reason.is_about_addresses() && if reason.is_fullness() { is_starved } else { lacks }
        };
        let all = self.blocked.iter().filter(|blocked| counts(&blocked.reason));
        let lasting = all.clone().filter(|blocked| !blocked.reason.is_passing());
        match lasting.min_by_key(|blocked| Reverse(blocked.short)) {
            Some(worst) => Obstacle::Lasting(&worst.reason),
            None if all.count() > 0 || lacks && self.in_flight > 0 => Obstacle::Passing,
            None => Obstacle::None,
        }
    }
}

/// The cluster in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Nodes that are not ignored.
    pub nodes: usize,
    /// Nodes that lack addresses.
    pub in_deficit: usize,
    /// Nodes without a free address and without room for another.
    pub at_capacity: usize,
    /// Subnets with the addresses that EC2 counts as free, and their zones.
    pub subnets: Vec<(SubnetId, crate::ids::ZoneName, u32)>,
    /// Interfaces that Berth made and that no node claims, by the last looks for them; `None` when they are not looked for.
    pub unclaimed_enis: Option<usize>,
    /// How long ago the node was observed whose observation is oldest.
    pub view_age: Duration,
}

#[cfg(test)]
mod tests;

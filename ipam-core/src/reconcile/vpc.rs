//! The readings of one VPC: what is under way, what is due, and what was collected of a listing so far.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use ipnet::Ipv4Net;

use super::reading::Collected;
use super::record::Slot;
use crate::call::{CallId, PageToken};
use crate::ids::{InstanceId, RouteTableId, SecurityGroupId, SubnetId};
use crate::reason::Reason;
use crate::time::Tick;
use crate::view::{EniView, RouteTableView, SecurityGroupView, SubnetView};

/// One kind of reading of a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Its subnets.
    Subnets,
    /// All of its interfaces.
    Enis,
    /// Its CIDRs.
    Vpc,
    /// Its security groups.
    Groups,
    /// Its route tables.
    Tables,
    /// Some of its nodes, as part of the audit.
    Batch,
}

impl Part {
    pub(super) const LISTED: [Self; 5] =
        [Self::Subnets, Self::Enis, Self::Vpc, Self::Groups, Self::Tables];

    /// Whether nothing can be decided without it.
    pub(super) const fn is_required(self) -> bool {
        matches!(self, Self::Subnets | Self::Enis)
    }
}

/// How far one kind of reading is.
#[derive(Debug, Default)]
pub(super) struct PartState {
    /// Since when it waits to be sent; `None`: it does not.
    pub(super) ready: Option<Tick>,
    pub(super) call: Option<CallId>,
    pub(super) page: Option<PageToken>,
    /// When the first page was sent.
    pub(super) first_sent: Option<Tick>,
    /// Whether it was complete once, or is done without.
    pub(super) is_settled: bool,
    /// When the last complete reading was sent.
    pub(super) read: Option<Tick>,
    /// The pause after the next failure.
    pub(super) step: Option<Duration>,
}

impl PartState {
    pub(super) const fn is_idle(&self) -> bool {
        self.ready.is_none() && self.call.is_none() && self.page.is_none()
    }
}

/// A listing of interfaces while it is collected.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// Nodes from this slot on are newer than the listing.
    pub(super) before: Option<Slot>,
    pub(super) nodes: BTreeMap<Slot, Vec<Collected>>,
    pub(super) unclaimed: BTreeMap<InstanceId, Vec<EniView>>,
    pub(super) taken: BTreeMap<SubnetId, Vec<Ipv4Net>>,
    pub(super) enis: usize,
    pub(super) has_unreadable: bool,
}

/// One VPC that nodes are in.
#[derive(Debug)]
pub(super) struct VpcState {
    pub(super) nodes: BTreeSet<Slot>,
    /// The nodes that were observed, oldest first.
    pub(super) by_age: BTreeSet<(Tick, Slot)>,
    pub(super) parts: BTreeMap<Part, PartState>,
    /// When its first listing began.
    pub(super) began: Tick,
    /// Whether the first view is complete.
    pub(super) is_complete: bool,
    /// Why the first view is late.
    pub(super) trouble: Option<Reason>,
    pub(super) subnets: Vec<(SubnetId, SubnetView)>,
    pub(super) subnets_unreadable: bool,
    pub(super) groups: Vec<(SecurityGroupId, SecurityGroupView)>,
    pub(super) groups_unreadable: bool,
    /// When the last listing of its security groups was sent all of which could be read.
    pub(super) groups_listed: Option<Tick>,
    pub(super) tables: Vec<(RouteTableId, RouteTableView)>,
    pub(super) sweep: Sweep,
    /// When the interfaces have to be listed because one may be there that is not known; `None`: they have not.
    pub(super) look: Option<Tick>,
    /// How many interfaces the last complete listing showed.
    pub(super) enis: usize,
    /// Interfaces that were made for instances that no node names, attached to nothing.
    pub(super) unclaimed: BTreeMap<InstanceId, Vec<EniView>>,
    /// When something was last asked of its subnets.
    pub(super) asked: Option<Tick>,
    /// What was taken of each subnet and when, oldest first, as far as readings may not show it yet.
    pub(super) taken: BTreeMap<SubnetId, VecDeque<(Tick, u32)>>,
}

impl VpcState {
    pub(super) fn new(now: Tick) -> Self {
        let mut parts: BTreeMap<Part, PartState> = BTreeMap::new();
        for part in Part::LISTED {
            parts.insert(part, PartState { ready: Some(now), ..PartState::default() });
        }
        parts.insert(Part::Batch, PartState { is_settled: true, ..PartState::default() });
        Self {
            nodes: BTreeSet::new(),
            by_age: BTreeSet::new(),
            parts,
            began: now,
            is_complete: false,
            trouble: None,
            subnets: Vec::new(),
            subnets_unreadable: false,
            groups: Vec::new(),
            groups_unreadable: false,
            groups_listed: None,
            tables: Vec::new(),
            sweep: Sweep::default(),
            look: None,
            enis: 0,
            unclaimed: BTreeMap::new(),
            asked: None,
            taken: BTreeMap::new(),
        }
    }

    /// Whether all that must be known is known, and whether the rest is.
    pub(super) fn is_listed(&self) -> (bool, bool) {
        let settled = |required: bool| {
            let mut parts = self.parts.iter().filter(|(part, _)| part.is_required() == required);
            parts.all(|(_, state)| state.is_settled)
        };
        (settled(true), settled(false))
    }
}

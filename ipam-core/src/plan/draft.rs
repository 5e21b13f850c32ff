//! A plan while it is made: what is still wanted, what is left to meet it with, and what was decided.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use limits::Limits;

use super::Plan;
use super::grow::Form;
use super::site::Site;
use super::stock::Stock;
use crate::action::{ADDRESSES_PER_PREFIX, Action, CreateEni};
use crate::capacity::{
    addresses_on, available, empty_slots, free_slots, managed, on_card_0, prefix_capable,
};
use crate::demand::{Ask, Supply, ask, used};
use crate::ids::{EniId, SubnetId};
use crate::policy::Policy;
use crate::reason::{Blocked, Reason};
use crate::view::{AttachmentState, Demand, EniView, NodeView, View};

/// An attached interface that is managed.
pub(super) struct Growing<'a> {
    pub(super) eni: &'a EniView,
    /// IPv4 slots that nothing has or was promised.
    pub(super) slots: u32,
}

pub(super) struct Draft<'a> {
    pub(super) view: View<'a>,
    pub(super) policy: &'a Policy,
    pub(super) limits: Limits,
    pub(super) stock: Stock<'a>,
    /// By ascending device index.
    pub(super) growing: Vec<Growing<'a>>,
    /// Whether prefixes may be used at all.
    pub(super) capable: bool,
    /// How many addresses are still wanted.
    pub(super) want: u32,
    /// How many more the maximum allows.
    pub(super) room: u32,
    /// Whether an IPv6 prefix is still wanted.
    pub(super) ipv6: bool,
    /// Where new interfaces are made, found when it is first asked for.
    pub(super) site: Option<Result<Site<'a>, Reason>>,
    /// What was wanted at first, the actions in flight counted in.
    ask: Ask,
    /// Interfaces on their way to the node.
    pub(super) arriving: Vec<&'a EniView>,
    /// Free slots that are filled later, in which subnet: of interfaces on their way or in doubt.
    awaited: Vec<(u32, &'a SubnetId)>,
    /// Interfaces that card 0 can still take.
    empty_slots: u32,
    /// Device indexes of card 0 that are taken or promised.
    indexes: BTreeSet<u16>,
    actions: Vec<Action>,
    reasons: BTreeSet<Reason>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(view: View<'a>, policy: &'a Policy, limits: Limits) -> Self {
        let node = view.node;
        let capable = prefix_capable(node, policy);
        // The maximum of the instance is no cap of its own: its slots are, and they hold more than the
        // formula says where primary addresses or kept prefixes count.
        let maximum = node.settings.watermarks.max_allocate();
        let supply = Supply {
            available: available(node, policy).saturating_add(in_flight_addresses(node)),
            used: used(node.demand, &node.settings.watermarks),
        };
        let ask = ask(supply, &node.settings.watermarks, node.waiting_pods, maximum);
        let fallen_back = if capable { fallen_back(node, policy) } else { BTreeSet::new() };
        let mut draft = Self {
            view,
            policy,
            limits,
            stock: Stock::new(view.network, fallen_back, policy.return_to_prefixes_at()),
            growing: growing(node, policy, limits),
            capable,
            want: ask.want,
            room: maximum.map_or(u32::MAX, |most| most.saturating_sub(supply.available)),
            ipv6: wants_ipv6(node, policy),
            site: None,
            ask,
            arriving: Vec::new(),
            awaited: Vec::new(),
            empty_slots: empty_slots(node, limits),
            indexes: taken_indexes(node),
            actions: Vec::new(),
            reasons: BTreeSet::new(),
        };
        for action in &node.in_flight {
            draft.take_places(action);
        }
        draft.refuse_ipv6_where_the_type_does();
        for eni in on_their_way(node, policy) {
            draft.count_on(eni);
        }
        draft.leave_doubtful();
        draft
    }

    /// Asks nothing more of interfaces in doubt, and makes no other in place of their free slots.
    fn leave_doubtful(&mut self) {
        for eni in &self.view.node.marks.in_doubt {
            self.note(Reason::InterfaceInDoubt { eni: eni.clone() });
            if let Some(growing) = self.growing.iter_mut().find(|it| it.eni.id == *eni) {
                self.awaited.push((core::mem::take(&mut growing.slots), &growing.eni.subnet));
            }
        }
    }

    fn refuse_ipv6_where_the_type_does(&mut self) {
        let takes_prefixes = self.limits.supports_prefixes() && self.limits.ipv6_per_eni > 0;
        if self.ipv6 && !takes_prefixes {
            self.ipv6 = false;
            let instance_type = self.view.node.identity.instance_type.clone();
            self.note(Reason::NoIpv6OnType { instance_type });
        }
    }

    /// Takes the slots and the index that `action` fills.
    fn take_places(&mut self, action: &Action) {
        match action {
            Action::AssignAddresses { eni, count, .. }
            | Action::AssignPrefixes { eni, count, .. } => {
                if let Some(growing) = self.growing.iter_mut().find(|it| it.eni.id == *eni) {
                    growing.slots = growing.slots.saturating_sub(u32::from(*count));
                }
            }
            Action::CreateEni(CreateEni { device_index, .. })
            | Action::AttachEni { device_index, .. } => {
                self.indexes.insert(*device_index);
                self.empty_slots = self.empty_slots.saturating_sub(1);
            }
            Action::UnassignAddresses { .. }
            | Action::UnassignPrefixes { .. }
            | Action::AssignIpv6Prefix { .. }
            | Action::SetDeleteOnTermination { .. }
            | Action::DetachEni { .. }
            | Action::SetSecurityGroups { .. }
            | Action::DeleteEni { .. } => {}
        }
    }

    /// Decides on a step that brings `addresses` addresses for pods.
    pub(super) fn decide(&mut self, action: Action, addresses: u32) {
        self.take_places(&action);
        self.want = self.want.saturating_sub(addresses);
        self.room = self.room.saturating_sub(addresses);
        self.actions.push(action);
    }

    /// The index that the next new interface gets: the lowest that pods may use and nothing has.
    /// `None` when the instance takes no more interfaces. Index 0 is the primary interface, and as
    /// many indexes as there are interfaces is what the capacity figures count on.
    pub(super) fn next_index(&self) -> Option<u16> {
        let first = self.view.node.settings.first_interface_index.unwrap_or(0).max(1);
        let lowest = (first..self.limits.enis).find(|index| !self.indexes.contains(index));
        lowest.filter(|_| self.empty_slots > 0)
    }

    /// Keeps a slot for an interface that is there and cannot be used, so that no interface is made
    /// again and again while those before it wait for clean-up.
    pub(super) fn lose_slot(&mut self) {
        self.empty_slots = self.empty_slots.saturating_sub(1);
    }

    /// Counts on the free slots of an interface that is on its way: they are filled when it has
    /// arrived, without another interface.
    pub(super) fn count_on(&mut self, eni: &'a EniView) {
        self.awaited.push((free_slots(eni, self.limits), &eni.subnet));
        self.arriving.push(eni);
    }

    /// Addresses that awaited slots can take, of what this plan has left in their subnets.
    pub(super) fn coming(&self) -> u32 {
        let worth = |(slots, subnet): &(u32, &SubnetId)| self.worth(*slots, subnet);
        self.awaited.iter().map(worth).fold(0, u32::saturating_add)
    }

    /// Addresses that free slots of an interface in a subnet can take.
    fn worth(&self, slots: u32, subnet: &SubnetId) -> u32 {
        let left = self.stock.left(subnet);
        let has_blocks = left.is_some_and(|left| left.for_attached(Form::Prefixes) > 0);
        let per_slot = if self.capable && has_blocks { ADDRESSES_PER_PREFIX } else { 1 };
        slots.saturating_mul(per_slot)
    }

    pub(super) fn note(&mut self, reason: Reason) {
        self.reasons.insert(reason);
    }

    /// Whether `fits` is true of an action that is under way.
    pub(super) fn under_way(&self, fits: impl Fn(&Action) -> bool) -> bool {
        self.view.node.in_flight.iter().any(fits)
    }

    /// How many of the addresses that the node must have are not planned yet. Less than what is
    /// wanted: the cushion and the pods to come may wait.
    pub(super) fn missing(&self) -> u32 {
        self.ask.must.saturating_sub(self.ask.want - self.want)
    }

    pub(super) fn finish(mut self) -> Plan {
        let missing = self.missing();
        if missing > 0 {
            self.note_what_is_missing();
        }
        let reasons = core::mem::take(&mut self.reasons).into_iter();
        let mut blocked: Vec<Blocked> = reasons
            .map(|reason| {
                let short = if reason.is_about_addresses() { missing } else { 0 };
                Blocked { reason, short }
            })
            .collect();
        if let (Some(reason), short @ 1..) = (self.reason_of_maximum(), self.ask.withheld) {
            blocked.push(Blocked { reason, short });
        }
        Plan { actions: self.actions, blocked }
    }

    /// Why addresses the node must have could not be planned: no slot to put them in, or subnets
    /// without any to give.
    fn note_what_is_missing(&mut self) {
        let identity = &self.view.node.identity;
        let takes_more_enis = self.next_index().is_some();
        let with_slots = self.growing.iter().filter(|it| it.slots > 0).map(|it| &it.eni.subnet);
        let more_than_comes = self.missing() > self.coming();
        let would_create = takes_more_enis && self.view.node.running && more_than_comes;
        let for_new_enis = match &self.site {
            Some(Ok(site)) if would_create => Some(site.subnets()),
            _ => None,
        };
        let mut subnets: Vec<SubnetId> = Vec::new();
        for subnet in with_slots.chain(for_new_enis.into_iter().flatten()) {
            let is_usable = self.stock.left(subnet).is_some_and(|left| left.usable);
            if is_usable && !subnets.contains(subnet) {
                subnets.push(subnet.clone());
            }
        }
        let has_slots = self.growing.iter().any(|it| it.slots > 0);
        if !subnets.is_empty() {
            self.note(Reason::SubnetsExhausted { subnets });
        } else if takes_more_enis && !self.view.node.running {
            self.note(Reason::InstanceNotRunning { instance: identity.instance.clone() });
        } else if let Some(eni) = self.in_transit().filter(|_| !has_slots) {
            self.note(Reason::InterfaceInTransit { eni });
        } else if !takes_more_enis && !has_slots && !self.is_held_up() {
            let instance_type = identity.instance_type.clone();
            self.note(Reason::InstanceFull { instance_type });
        }
    }

    /// Whether the slots that are missing are there and only wait for something.
    fn is_held_up(&self) -> bool {
        let is_stop = |reason: &Reason| matches!(reason, Reason::InstanceNotRunning { .. });
        let marks = &self.view.node.marks;
        !marks.in_doubt.is_empty() || !marks.doomed.is_empty() || self.reasons.iter().any(is_stop)
    }

    /// An interface whose arrival or departure makes room.
    fn in_transit(&self) -> Option<EniId> {
        let doomed = &self.view.node.marks.doomed;
        let departs = |eni: &&EniView| {
            eni.state() == Some(AttachmentState::Detaching) || doomed.contains(&eni.id)
        };
        let mut arriving = self.arriving.iter().copied();
        let arrives = arriving.find(|eni| free_slots(eni, self.limits) > 0);
        let departing = || on_card_0(self.view.node).map(|(eni, _)| eni).find(departs);
        arrives.or_else(departing).map(|eni| eni.id.clone())
    }

    /// `None` where the node names no maximum.
    pub(super) fn reason_of_maximum(&self) -> Option<Reason> {
        let max_allocate = self.view.node.settings.watermarks.max_allocate()?;
        Some(Reason::MaxAllocateReached { max_allocate })
    }
}

/// Interfaces of the node that are being attached, or are about to be.
fn on_their_way<'a>(node: &'a NodeView, policy: &'a Policy) -> impl Iterator<Item = &'a EniView> {
    let attaching =
        managed(node, policy).filter(|eni| eni.state() == Some(AttachmentState::Attaching));
    let asked_for = node.in_flight.iter().filter_map(|action| match action {
        Action::AttachEni { eni, .. } => eni_by_id(node, eni),
        _ => None,
    });
    attaching.chain(asked_for)
}

/// Device indexes of card 0 that something has, seen or not.
fn taken_indexes(node: &NodeView) -> BTreeSet<u16> {
    let seen = on_card_0(node).map(|(_, index)| index);
    seen.chain(node.marks.taken_indexes.iter().copied()).collect()
}

fn growing<'a>(node: &'a NodeView, policy: &'a Policy, limits: Limits) -> Vec<Growing<'a>> {
    let index = |eni: &EniView| eni.attachment.as_ref().map(|at| at.device_index);
    // What is about to be detached gets nothing more.
    let is_attached = |eni: &&EniView| {
        eni.state() == Some(AttachmentState::Attached) && !node.marks.doomed.contains(&eni.id)
    };
    let mut growing: Vec<Growing<'a>> = managed(node, policy)
        .filter(is_attached)
        .map(|eni| Growing { eni, slots: free_slots(eni, limits) })
        .collect();
    growing.sort_by_key(|it| (index(it.eni), &it.eni.id));
    growing.dedup_by_key(|it| &it.eni.id);
    growing
}

/// Addresses for pods that actions under way will bring.
fn in_flight_addresses(node: &NodeView) -> u32 {
    let primary = u32::from(node.settings.use_primary_address);
    let brings = |action: &Action| match action {
        Action::CreateEni(create) => create.ipv4.addresses() + primary,
        Action::AttachEni { eni, .. } => {
            eni_by_id(node, eni).map_or(0, |eni| addresses_on(eni, &node.settings))
        }
        _ => action.asks_of_subnet().map_or(0, |(_, asked)| asked.addresses),
    };
    node.in_flight.iter().map(brings).fold(0, u32::saturating_add)
}

fn eni_by_id<'a>(node: &'a NodeView, id: &EniId) -> Option<&'a EniView> {
    node.enis.iter().find(|eni| eni.id == *id)
}

/// Subnets in which a node that may use prefixes has single addresses.
fn fallen_back<'a>(node: &'a NodeView, policy: &'a Policy) -> BTreeSet<&'a SubnetId> {
    let single = managed(node, policy).filter(|eni| !eni.ipv4.addresses.is_empty());
    single.map(|eni| &eni.subnet).collect()
}

/// One /80 per node is enough for any number of pods, so one is asked for when there is none.
pub(crate) fn wants_ipv6(node: &NodeView, policy: &Policy) -> bool {
    let Demand::Cidr { ipv6: 1.., .. } = node.demand else {
        return false;
    };
    let has_prefix = |eni: &EniView| !eni.ipv6.prefixes.is_empty();
    let comes = |action: &Action| match action {
        Action::AssignIpv6Prefix { .. } => true,
        Action::CreateEni(create) => create.ipv6_prefix,
        Action::AttachEni { eni, .. } => eni_by_id(node, eni).is_some_and(has_prefix),
        _ => false,
    };
    !managed(node, policy).any(has_prefix) && !node.in_flight.iter().any(comes)
}

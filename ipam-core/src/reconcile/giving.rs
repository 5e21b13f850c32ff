//! Addresses that nodes have to spare are given back: [`crate::release`] with what this machine knows of nodes, calls and readings.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::READING_LASTS;
use super::agenda::Timer;
use super::record::{Extent, Hold, Record, Slot};
use super::{Mode, Reconciler};
use crate::action::Action;
use crate::agent::Release;
use crate::capacity::managed;
use crate::ids::{EniId, NodeName};
use crate::release::{Grave, Holding, Look, Usage, size};
use crate::time::Tick;
use crate::view::{AttachmentState, Demand, EniView, NodeView};

/// What is to be published of a node for the sake of addresses that leave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivingBack {
    /// What is to be different in `status.ipam.release-ips`; `None` removes an entry.
    pub entries: BTreeMap<Ipv4Addr, Option<Release>>,
    /// What the agent is not to have for now, although an interface has it: neither in `spec.ipam.pool` nor in `status.eni`.
    pub withheld: Vec<Ipv4Net>,
    /// Interfaces that are about to be detached: not in `status.eni`, although they are attached.
    pub hidden: Vec<EniId>,
}

impl Reconciler {
    /// What is to be published of a node for the sake of addresses that leave it.
    #[must_use]
    pub fn giving_back(&self, name: &NodeName) -> GivingBack {
        let slot = self.nodes.by_name(name);
        let record = slot.and_then(|slot| self.nodes.get(slot));
        record.map_or_else(GivingBack::default, |record| record.giving_back.clone())
    }

    /// Looks again at what leaves a node.
    pub(super) fn give_back(&mut self, slot: Slot) {
        let Some(record) = self.nodes.get(slot) else { return };
        let Some(view) = record.view.as_ref().filter(|_| self.is_certain(record)) else { return };
        let spare = self.spare(view, &record.seen.usage);
        let is_stranded = self.is_stranded(view, &record.seen.usage);
        let has_none = spare == 0 && !is_stranded;
        let held =
            if has_none && record.releases.is_idle(&record.seen.usage, view.demand.contract()) {
                Vec::new()
            } else {
                self.holdings(record, view)
            };
        let contract = view.demand.contract();
        let (now, settle) = (self.now, self.settings.settle);
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let usage = &record.seen.usage;
        let look = Look { now, contract, usage, held: &held, spare, is_stranded, settle };
        record.releases.look(&self.settings.release, look);
        let entries = record.releases.entries(usage);
        let withheld = record.releases.withheld().collect();
        let hidden = record.giving_back.hidden.clone();
        let giving_back = GivingBack { entries, withheld, hidden };
        if giving_back != record.giving_back {
            record.giving_back = giving_back;
            record.unpublished = true;
        }
    }

    /// Whether all is known by which something could be given back, or a promise to do so be kept or called off.
    pub(super) fn is_certain(&self, record: &Record) -> bool {
        let is_published = self.settings.mode != Mode::Observe && record.is_served();
        is_published
            && record.seen.usage.is_certain
            && record.seen.identity.is_some()
            && record.seen.settings.is_some()
            && record.extent == Extent::Whole
            && record.observed.is_some()
            && record.unseen == 0
            && record.stale_since.is_none()
            && self.rival_of(record).is_none()
            && self.nodes.twin_of(record).is_none()
    }

    /// Whether a node has enough, and its agent asks for more than it names all the same.
    fn is_stranded(&self, view: &NodeView, usage: &Usage) -> bool {
        let Demand::Cidr { ipv4, .. } = view.demand else { return false };
        let named: u32 = usage.allocated.iter().copied().map(size).sum();
        !usage.allocated.is_empty() && named < ipv4 && self.may_release() && self.short(view) == 0
    }

    /// What a node has, in the order in which it is given up: from the interface that is used least, so that interfaces drain one
    /// after the other, and the primary one last.
    fn holdings(&self, record: &Record, view: &NodeView) -> Vec<Holding> {
        let is_attached = |eni: &&EniView| eni.state() == Some(AttachmentState::Attached);
        let mut enis: Vec<(&EniView, Vec<Ipv4Net>)> = managed(view, &self.settings.policy)
            .filter(is_attached)
            .map(|eni| (eni, given_up(eni)))
            .collect();
        let usage = &record.seen.usage;
        let is_used = |net: &&Ipv4Net| usage.used.touches(**net) || usage.allocated.contains(*net);
        enis.sort_by_cached_key(|(eni, nets)| {
            let index = eni.attachment.as_ref().map_or(0, |at| at.device_index);
            (index == 0, nets.iter().filter(is_used).count(), Reverse(index), eni.id.clone())
        });
        let read = |eni: &EniId| record.notes.get(eni).and_then(|note| note.proven);
        let of_eni = |(eni, nets): (&EniView, Vec<Ipv4Net>)| {
            let (id, read) = (eni.id.clone(), read(&eni.id));
            nets.into_iter().map(move |net| Holding { net, eni: id.clone(), read })
        };
        enis.into_iter().flat_map(of_eni).collect()
    }

    /// The calls that take off a node what its agent has agreed to.
    pub(super) fn unassignments(&self, record: &Record, view: &NodeView) -> (Vec<Action>, bool) {
        if !self.is_certain(record) || self.settings.mode != Mode::Normal {
            return (Vec::new(), false);
        }
        let settings = &self.settings.release;
        let mut left = settings.per_hour.map_or(u32::MAX, |cap| self.released.left_of(cap));
        let mut held_back = false;
        let mut leaving: BTreeMap<(&EniId, u8), Vec<Ipv4Net>> = BTreeMap::new();
        let is_busy: BTreeSet<&EniId> = view.in_flight.iter().filter_map(Action::eni).collect();
        let due = record.releases.due(self.now, settings);
        for (eni, net) in due.filter(|(eni, _)| !is_busy.contains(eni)) {
            match left.checked_sub(size(net)) {
                Some(rest) => {
                    left = rest;
                    leaving.entry((eni, net.prefix_len())).or_default().push(net);
                }
                None => held_back = true,
            }
        }
        let calls = leaving.into_iter().map(|((eni, length), nets)| unassign(eni, length, nets));
        (calls.collect(), held_back)
    }

    /// A call that takes something off an interface is sent.
    pub(super) fn unassign_sent(&mut self, slot: Slot, action: &Action) {
        let now = self.now;
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let mut count = 0;
        for net in action.gives_back() {
            count += size(net);
            record.releases.on_sent(now, net);
        }
        if count > 0 && self.settings.release.per_hour.is_some() {
            self.released.note(now, count);
            self.expire_releases();
        }
    }

    /// Forgets releases that are more than an hour ago.
    pub(super) fn expire_releases(&mut self) {
        let next = self.released.expire(self.now);
        self.agenda.set(Timer::Releases, next);
    }

    /// One more address may be given back in this hour.
    pub(super) fn allow_releases(&mut self) {
        self.expire_releases();
        self.touch_held(&Hold::Releases);
    }

    /// What was to be taken off an interface is off it.
    pub(super) fn unassigned(&mut self, slot: Slot, action: &Action) {
        let until = self.now + self.settings.settle;
        let (now, grave) = (self.now, Grave { until, kept: until + READING_LASTS });
        let gone: Vec<Ipv4Net> = action.gives_back().collect();
        let Some(eni) = self.eni_mut(slot, action.eni()) else { return };
        let subnet = eni.subnet.clone();
        take_off(eni, &gone);
        if let Some(record) = self.nodes.get_mut(slot) {
            for net in &gone {
                record.releases.on_gone(now, *net, grave);
            }
        }
        self.vacate(&subnet, &gone);
    }

    /// A call that was to take something off an interface, sent at `sent`, failed.
    pub(super) fn unassign_failed(
        &mut self,
        slot: Slot,
        action: &Action,
        sent: Tick,
        may_have_happened: bool,
    ) {
        #[cfg(feature = "planted")]
        let may_have_happened =
            may_have_happened && !crate::planted::is(crate::planted::Bug::DoubtForgotten);
        let count = action.gives_back().map(size).sum();
        if !may_have_happened && self.released.take_out(sent, count) {
            self.allow_releases();
        }
        let (now, until) = (self.now, self.now + self.settings.release.late_for);
        let Some(record) = self.nodes.get_mut(slot) else { return };
        for net in action.gives_back() {
            if may_have_happened {
                record.releases.on_lost(now, net, until);
            } else {
                record.releases.on_kept(now, net);
            }
        }
    }
}

/// Takes `gone` out of what an interface is known to hold.
pub(super) fn take_off(eni: &mut EniView, gone: &[Ipv4Net]) {
    eni.ipv4.addresses.retain(|address| !gone.contains(&Ipv4Net::from(*address)));
    eni.ipv4.prefixes.retain(|prefix| !gone.contains(prefix));
}

/// What an interface can give up: whole prefixes first, the highest first, so that the low ones stay in use.
fn given_up(eni: &EniView) -> Vec<Ipv4Net> {
    let mut prefixes = eni.ipv4.prefixes.clone();
    let mut single: Vec<Ipv4Net> = eni.ipv4.addresses.iter().copied().map(Ipv4Net::from).collect();
    prefixes.sort_unstable_by_key(|it| Reverse(*it));
    single.sort_unstable_by_key(|it| Reverse(*it));
    prefixes.extend(single);
    prefixes
}

fn unassign(eni: &EniId, length: u8, nets: Vec<Ipv4Net>) -> Action {
    let eni = eni.clone();
    if length == 32 {
        Action::UnassignAddresses { eni, addresses: nets.iter().map(Ipv4Net::addr).collect() }
    } else {
        Action::UnassignPrefixes { eni, prefixes: nets }
    }
}

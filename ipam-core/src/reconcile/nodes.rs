//! Nodes come, change and go.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::agenda::Timer;
use super::record::{Record, Slot};
use super::vpc::{PartState, VpcState};
use super::wishes::leftovers;
use super::{Event, NodeSeen, Reconciler};
use crate::ids::{InstanceId, InstanceType, NodeName};

/// All nodes, and ways to find them.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    records: BTreeMap<Slot, Box<Record>>,
    names: BTreeMap<NodeName, Slot>,
    /// More than one where several objects name the same instance, or one that is gone is remembered.
    instances: BTreeMap<InstanceId, BTreeSet<Slot>>,
    types: BTreeMap<InstanceType, BTreeSet<Slot>>,
    next: u64,
}

impl Nodes {
    pub(super) fn get(&self, slot: Slot) -> Option<&Record> {
        self.records.get(&slot).map(Box::as_ref)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Record> {
        self.records.get_mut(&slot).map(Box::as_mut)
    }

    pub(super) fn by_name(&self, name: &NodeName) -> Option<Slot> {
        self.names.get(name).copied()
    }

    /// All nodes that name an instance.
    pub(super) fn of_instance(&self, instance: &InstanceId) -> Vec<Slot> {
        self.instances.get(instance).map_or_else(Vec::new, |slots| slots.iter().copied().collect())
    }

    pub(super) fn is_node(&self, instance: &InstanceId) -> bool {
        self.instances.contains_key(instance)
    }

    /// Another node that is served and names the same instance.
    pub(super) fn twin_of(&self, record: &Record) -> Option<&NodeName> {
        let instance = &record.view.as_ref()?.identity.instance;
        let slots = self.instances.get(instance).filter(|slots| slots.len() > 1)?;
        let others = slots.iter().filter_map(|slot| self.get(*slot));
        let mut others = others.filter(|other| other.seen.name != record.seen.name);
        others.find(|other| other.is_served()).map(|other| &other.seen.name)
    }

    pub(super) fn of_type(&self, instance_type: &InstanceType) -> Vec<Slot> {
        self.types.get(instance_type).map_or_else(Vec::new, |slots| slots.iter().copied().collect())
    }

    pub(super) fn types(&self) -> impl Iterator<Item = &InstanceType> {
        self.types.keys()
    }

    /// The slot that the next node gets.
    pub(super) const fn next_slot(&self) -> Slot {
        Slot(self.next)
    }

    pub(super) fn slots(&self) -> Vec<Slot> {
        self.records.keys().copied().collect()
    }

    fn add(&mut self, record: Record) -> Slot {
        let slot = Slot(self.next);
        self.next += 1;
        self.names.insert(record.seen.name.clone(), slot);
        if let Some(view) = &record.view {
            self.instances.entry(view.identity.instance.clone()).or_default().insert(slot);
            self.types.entry(view.identity.instance_type.clone()).or_default().insert(slot);
        }
        self.records.insert(slot, Box::new(record));
        slot
    }

    fn remove(&mut self, slot: Slot) -> Option<Box<Record>> {
        let record = self.records.remove(&slot)?;
        if self.names.get(&record.seen.name) == Some(&slot) {
            self.names.remove(&record.seen.name);
        }
        if let Some(view) = &record.view {
            take_out(&mut self.instances, &view.identity.instance, slot);
            take_out(&mut self.types, &view.identity.instance_type, slot);
        }
        Some(record)
    }
}

/// Takes a node out of the set under a key, and an empty set out of the map.
pub(super) fn take_out<K: Ord>(map: &mut BTreeMap<K, BTreeSet<Slot>>, key: &K, slot: Slot) {
    if let Some(slots) = map.get_mut(key) {
        slots.remove(&slot);
        if slots.is_empty() {
            map.remove(key);
        }
    }
}

impl Reconciler {
    pub(super) fn see_node(&mut self, seen: NodeSeen) {
        let slot = match self.nodes.by_name(&seen.name) {
            Some(slot) if self.is_same_instance(slot, &seen) => {
                self.update(slot, seen);
                slot
            }
            Some(slot) => {
                let waiting_pods = self.nodes.get(slot).map_or(0, |record| record.waiting_pods);
                self.retire(slot);
                let slot = self.admit(seen);
                self.set_waiting_pods(slot, waiting_pods);
                slot
            }
            None => self.admit(seen),
        };
        self.touch(slot);
        self.touch_twins(slot);
    }

    /// Looks again at the other nodes that name the same instance.
    fn touch_twins(&mut self, slot: Slot) {
        let view = self.nodes.get(slot).and_then(|record| record.view.as_ref());
        let Some(view) = view else { return };
        for twin in self.nodes.of_instance(&view.identity.instance) {
            if twin != slot {
                self.mark_unpublished(twin);
                self.touch(twin);
            }
        }
    }

    /// Whether what was seen is of the instance that is known, or of none.
    fn is_same_instance(&self, slot: Slot, seen: &NodeSeen) -> bool {
        let known = self.nodes.get(slot).and_then(|record| record.view.as_ref());
        match (known, &seen.identity) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(view), Some(identity)) => {
                view.identity.instance == identity.instance
                    && view.identity.vpc == identity.vpc
                    && view.identity.instance_type == identity.instance_type
            }
        }
    }

    fn update(&mut self, slot: Slot, seen: NodeSeen) {
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let before = core::mem::replace(&mut record.seen, seen);
        let seen = &record.seen;
        let is_published_anew = before == *seen
            || before.settings != seen.settings
            || before.ignored != seen.ignored
            || before.demand.contract() != seen.demand.contract()
            || before.identity != seen.identity;
        record.unpublished |= is_published_anew;
        if let Some(view) = &mut record.view {
            view.demand = seen.demand;
            if let Some(settings) = &seen.settings {
                view.settings.clone_from(settings);
            }
            if let Some(identity) = &seen.identity {
                view.identity.clone_from(identity);
            }
        }
    }

    /// A node that was not there.
    fn admit(&mut self, seen: NodeSeen) -> Slot {
        if let Some(slot) = self.revive(&seen) {
            return slot;
        }
        let slot = self.nodes.add(Record::new(seen, self.now));
        let Some(identity) = self.nodes.get(slot).and_then(|it| it.view.as_ref()) else {
            return slot;
        };
        let (vpc, instance) = (identity.identity.vpc.clone(), identity.identity.instance.clone());
        let instance_type = identity.identity.instance_type.clone();
        self.want_limits(&instance_type);
        self.set_limits(slot);
        self.watch_vpc(&vpc);
        let now = self.now;
        let state = self.vpcs.entry(vpc.clone()).or_insert_with(|| VpcState::new(now));
        state.nodes.insert(slot);
        let unclaimed = state.unclaimed.remove(&instance).unwrap_or_default();
        let has_begun =
            |part: &PartState| part.read.is_some() || part.call.is_some() || part.page.is_some();
        let is_listed = state.is_complete || state.parts.values().any(has_begun);
        if let Some(view) = self.nodes.get_mut(slot).and_then(|it| it.view.as_mut()) {
            view.enis.extend(unclaimed);
        }
        if is_listed {
            self.reads.nodes.insert(slot);
        } else if self.is_listed {
            self.await_optional(&vpc);
        }
        slot
    }

    /// A node that is back while it is still remembered.
    fn revive(&mut self, seen: &NodeSeen) -> Option<Slot> {
        let instance = &seen.identity.as_ref()?.instance;
        let is_back = |slot: &Slot| {
            let record = self.nodes.get(*slot);
            record.is_some_and(|record| record.gone && record.seen.name == seen.name)
        };
        let slot = self.nodes.of_instance(instance).into_iter().rfind(is_back)?;
        let record = self.nodes.get_mut(slot)?;
        record.gone = false;
        record.unpublished = true;
        record.since = self.now;
        self.nodes.names.insert(seen.name.clone(), slot);
        self.update(slot, seen.clone());
        self.reads.nodes.insert(slot);
        Some(slot)
    }

    pub(super) fn see_waiting_pods(&mut self, name: &NodeName, count: u32) {
        if let Some(slot) = self.nodes.by_name(name) {
            self.set_waiting_pods(slot, count);
            self.touch(slot);
        }
    }

    fn set_waiting_pods(&mut self, slot: Slot, count: u32) {
        if let Some(record) = self.nodes.get_mut(slot) {
            record.waiting_pods = count;
            if let Some(view) = &mut record.view {
                view.waiting_pods = count;
            }
        }
    }

    pub(super) fn forget_node(&mut self, name: &NodeName) {
        if let Some(slot) = self.nodes.by_name(name) {
            self.retire(slot);
            self.out.summaries.push(name.clone());
        }
    }

    /// A node is no more. What was made for it and never attached is removed before it is forgotten.
    fn retire(&mut self, slot: Slot) {
        let Some(record) = self.nodes.get_mut(slot) else { return };
        record.gone = true;
        record.rival = None;
        let name = record.seen.name.clone();
        self.rivals.forget(slot);
        self.nodes.names.remove(&name);
        self.out.say(Event::NodeForgotten { node: name });
        self.touch_twins(slot);
        self.touch(slot);
    }

    /// Whether something was made for the node that is not settled yet, or was changed so lately that a reading may not show it: the
    /// node may come back, and would be told what is not so any more.
    pub(super) fn has_unfinished(&self, record: &Record) -> bool {
        let Some(view) = &record.view else { return false };
        let may_be_read_wrong =
            record.readable_at(self.settings.settle).is_some_and(|at| self.now < at);
        let may_be_made = record.made_unseen.is_some();
        // What is being detached is deleted before it is forgotten.
        let departs = record.departure.is_some();
        may_be_made
            || departs
            || may_be_read_wrong
            || !view.in_flight.is_empty()
            || !leftovers(record, view).is_empty()
    }

    /// Drops all that is known of a node that is no more.
    pub(super) fn drop_record(&mut self, slot: Slot) {
        let Some(record) = self.nodes.remove(slot) else { return };
        self.reads.forget(slot);
        self.agenda.set(Timer::Node(slot), None);
        for hold in &record.holds {
            self.let_wait(hold, slot, false);
        }
        for (api, place) in &record.queued {
            self.line.set(*api, slot, Some(*place), None);
        }
        self.rivals.forget(slot);
        let Some(vpc) = record.vpc().cloned() else { return };
        let Some(state) = self.vpcs.get_mut(&vpc) else { return };
        state.nodes.remove(&slot);
        if let Some(observed) = record.observed {
            state.by_age.remove(&(observed, slot));
        }
        if state.nodes.is_empty() {
            self.drop_vpc(&vpc);
        }
    }
}

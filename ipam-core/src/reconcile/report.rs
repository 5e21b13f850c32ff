//! What is shown of nodes, and the figures of the cluster.

use super::idle::leaving_enis;
use super::record::{Record, Slot};
use super::{Event, Reconciler, Summary, Totals};
use crate::capacity::{available, figures, free_slots, managed, prefix_delegated};
use crate::demand::{Supply, needed, used};
use crate::time::Tick;
use crate::view::{EniView, NodeView};

/// What a node has and uses, in IPv4 addresses for pods.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) available: u32,
    pub(super) used: u32,
}

impl Reconciler {
    pub(super) fn figures(&self, record: &Record) -> Option<Held> {
        let view = record.view.as_ref()?;
        let available = available(view, &self.settings.policy);
        Some(Held { available, used: used(view.demand, &view.settings.watermarks) })
    }

    /// Keeps the summary of a node and the figures of the cluster current.
    pub(super) fn show(&mut self, slot: Slot) {
        let Some(record) = self.nodes.get(slot) else { return };
        let summary = (!record.gone).then(|| self.summarise(record));
        let Some(record) = self.nodes.get_mut(slot) else { return };
        if summary == record.shown {
            return;
        }
        // It is published with the node.
        record.unpublished |=
            summary.as_ref().map(Summary::obstacle) != record.shown.as_ref().map(Summary::obstacle);
        let before = record.shown.take();
        let counts = &mut self.out.counts;
        if let Some(before) = before.filter(|it| !it.ignored) {
            counts.nodes -= 1;
            counts.in_deficit -= usize::from(is_in_deficit(&before));
            counts.at_capacity -= usize::from(is_at_capacity(&before));
        }
        if let Some(now) = summary.as_ref().filter(|it| !it.ignored) {
            counts.nodes += 1;
            counts.in_deficit += usize::from(is_in_deficit(now));
            counts.at_capacity += usize::from(is_at_capacity(now));
        }
        self.out.summaries.push(record.seen.name.clone());
        let available = summary.as_ref().map_or(0, |it| it.available);
        record.shown = summary;
        if available > 0 && !record.had_address && record.observed.is_some() {
            record.had_address = true;
            let (node, took) = (record.seen.name.clone(), self.now.since(record.since));
            self.out.say(Event::FirstAddress { node, took });
        }
    }

    fn summarise(&self, record: &Record) -> Summary {
        let seen = &record.seen;
        let view = record.view.as_ref().filter(|_| seen.identity.is_some());
        let mut summary = Summary {
            name: seen.name.clone(),
            instance: view.map(|view| view.identity.instance.clone()),
            instance_type: view.map(|view| view.identity.instance_type.clone()),
            contract: seen.demand.contract(),
            prefixes: false,
            enis: 0,
            available: 0,
            used: 0,
            needed: 0,
            capacity: None,
            remaining_interfaces: 0,
            candidates: 0,
            empty_slots: 0,
            leaving: record.releases.leaving(),
            to_spare: 0,
            kept: None,
            idle_enis: 0,
            leaving_enis: 0,
            waiting_pods: record.waiting_pods,
            in_flight: 0,
            blocked: record.blocked.clone(),
            ignored: seen.ignored,
            since: record.since,
            observed: record.observed,
        };
        if let Some(view) = view {
            self.add_figures(&mut summary, view);
            (summary.to_spare, summary.kept) = self.kept(record, view);
            summary.idle_enis = count(self.idle_enis(record, view).len());
            summary.leaving_enis = count(leaving_enis(record, view).count());
        }
        summary
    }

    fn add_figures(&self, summary: &mut Summary, view: &NodeView) {
        let policy = &self.settings.policy;
        let watermarks = &view.settings.watermarks;
        summary.prefixes = prefix_delegated(view, policy);
        summary.enis = count(view.enis.iter().filter(|eni| eni.attachment.is_some()).count());
        summary.available = available(view, policy);
        summary.used = used(view.demand, watermarks);
        summary.in_flight = count(view.in_flight.len());
        let supply = Supply { available: summary.available, used: summary.used };
        let figures = figures(view, policy);
        let of_instance = figures.and_then(|figures| figures.maximum);
        // What the instance cannot hold is no need, but a reason.
        let maximum = watermarks.max_allocate().or(of_instance);
        let free = i64::from(supply.available) - i64::from(supply.used);
        let room = maximum.map_or(u32::MAX, |most| most.saturating_sub(supply.available));
        let for_pods = u32::try_from(i64::from(view.waiting_pods) - free).unwrap_or(0);
        summary.needed = needed(supply, watermarks, maximum).max(for_pods.min(room));
        if let Some(figures) = figures {
            summary.capacity = Some(figures.capacity);
            summary.empty_slots = figures.empty_slots;
            summary.remaining_interfaces = figures.remaining_interfaces;
        }
        if let Some(limits) = view.limits {
            let takes_more = |eni: &&EniView| free_slots(eni, limits) > 0;
            summary.candidates = count(managed(view, policy).filter(takes_more).count());
        }
    }

    pub(super) fn count_totals(&self, now: Tick) -> Totals {
        let counts = &self.out.counts;
        let oldest = self.vpcs.values().filter_map(|vpc| vpc.by_age.first());
        let oldest = oldest.map(|(observed, _)| *observed).min();
        let subnets = self.network.subnets.iter();
        Totals {
            nodes: counts.nodes,
            in_deficit: counts.in_deficit,
            at_capacity: counts.at_capacity,
            subnets: subnets
                .map(|(id, subnet)| (id.clone(), subnet.zone.clone(), subnet.free_addresses))
                .collect(),
            unclaimed_enis: self.clean_up.unclaimed(),
            view_age: oldest.map(|oldest| now.since(oldest)).unwrap_or_default(),
        }
    }
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

const fn is_in_deficit(summary: &Summary) -> bool {
    summary.needed > 0
}

/// Without a free address and without room for another.
const fn is_at_capacity(summary: &Summary) -> bool {
    summary.available <= summary.used && summary.remaining_interfaces == 0
}

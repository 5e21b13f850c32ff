//! What is done with readings.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::agenda::Timer;
use super::reading::{Collected, Scope, owner, ranges};
use super::record::{Extent, Slot};
use super::trouble::unfit;
use super::vpc::{Part, PartState, Sweep};
use super::{Event, Reconciler};
use crate::call::{Api, CallId, EniPage, PageToken, Reply};
use crate::failure::Failure;
use crate::ids::VpcId;
use crate::prefix::FreeBlocks;
use crate::time::Tick;

impl Reconciler {
    pub(super) fn start_listing(&mut self) {
        self.is_listed = true;
        let now = self.now;
        let vpcs: Vec<VpcId> = self.vpcs.keys().cloned().collect();
        for vpc in &vpcs {
            if let Some(state) = self.vpcs.get_mut(vpc) {
                state.began = now;
            }
            self.await_optional(vpc);
        }
        self.check_view();
    }

    /// Starts the listing of a VPC, and the wait for what its first view can do without.
    pub(super) fn await_optional(&mut self, vpc: &VpcId) {
        let Some(state) = self.vpcs.get_mut(vpc) else { return };
        for part in Part::LISTED {
            if state.parts.get(&part).is_some_and(|it| it.ready.is_some()) {
                self.reads.parts.insert((super::reads::Urgency::First, part, vpc.clone()));
            }
        }
        let at = state.began + self.settings.optional_wait;
        self.agenda.set(Timer::Optional(vpc.clone()), Some(at));
    }

    /// Whether the first view of a VPC is complete now.
    pub(super) fn complete_if_listed(&mut self, vpc: &VpcId) {
        let types_are_known = self.reads.types.is_empty() && !self.reads.types_are_under_way;
        let wait = self.settings.optional_wait;
        let Some(state) = self.vpcs.get_mut(vpc) else { return };
        let (required, optional) = state.is_listed();
        let waited = self.now >= state.began + wait;
        if state.is_complete || !required || !(waited || optional && types_are_known) {
            return;
        }
        state.is_complete = true;
        state.trouble = None;
        let nodes: Vec<Slot> = state.nodes.iter().copied().collect();
        self.agenda.set(Timer::Optional(vpc.clone()), None);
        self.plan_audit(vpc);
        self.plan_subnets(vpc);
        for slot in nodes {
            self.touch(slot);
        }
        self.check_view();
    }

    fn check_view(&mut self) {
        let all_complete = self.vpcs.values().all(|vpc| vpc.is_complete);
        if self.is_view_complete || !self.is_listed || !all_complete {
            return;
        }
        self.is_view_complete = true;
        let slots = self.nodes.slots();
        let views = slots.iter().filter_map(|slot| self.nodes.get(*slot)?.view.as_ref());
        let enis = views.map(|view| view.enis.len()).sum();
        let took = self.now.since(self.began);
        self.out.say(Event::ViewComplete { nodes: slots.len(), enis, took });
        self.say_if_not_cleaned_up();
    }

    pub(super) fn drop_vpc(&mut self, vpc: &VpcId) {
        self.vpcs.remove(vpc);
        self.agenda.set(Timer::Optional(vpc.clone()), None);
        for part in Part::LISTED.into_iter().chain([Part::Batch]) {
            self.agenda.set(Timer::Part(vpc.clone(), part), None);
        }
        self.reads.parts.retain(|(_, _, of)| of != vpc);
        self.network.vpcs.remove(vpc);
        self.network.subnets.retain(|_, subnet| subnet.vpc != *vpc);
        self.network.security_groups.retain(|_, group| group.vpc != *vpc);
        self.network.route_tables.retain(|_, table| table.vpc != *vpc);
        self.check_view();
    }

    pub(super) fn progress(&mut self, vpc: &VpcId, part: Part) -> Option<&mut PartState> {
        self.vpcs.get_mut(vpc)?.parts.get_mut(&part)
    }

    /// A page of a reading of a VPC, or none.
    pub(super) fn part_read(
        &mut self,
        sent: Tick,
        api: Api,
        call: CallId,
        (vpc, part): (&VpcId, Part),
        answer: Result<Reply, Failure>,
    ) {
        let Some(progress) = self.progress(vpc, part).filter(|it| it.call == Some(call)) else {
            return;
        };
        progress.call = None;
        let next = answer.and_then(|reply| self.collect(sent, api, (vpc, part), reply));
        match next {
            Err(failure) => self.part_failed(sent, api, (vpc, part), &failure),
            Ok(Some(page)) => {
                if let Some(progress) = self.progress(vpc, part) {
                    progress.page = Some(page);
                    progress.step = None;
                }
                self.make_ready(vpc, part);
            }
            Ok(None) => {
                self.grant(&super::gate::GateKey::Permission(api), sent);
                self.part_finished(vpc, part);
            }
        }
    }

    /// Adds a page to what was collected. Answers with the next one.
    fn collect(
        &mut self,
        sent: Tick,
        api: Api,
        (vpc, part): (&VpcId, Part),
        reply: Reply,
    ) -> Result<Option<PageToken>, Failure> {
        let Some(state) = self.vpcs.get_mut(vpc) else { return Ok(None) };
        let (unreadable, next) = match (part, reply) {
            (Part::Enis, Reply::Enis(page)) => return Ok(self.sweep_page(sent, vpc, page)),
            (Part::Subnets, Reply::Subnets(page)) => {
                state.subnets.extend(page.items);
                state.subnets_unreadable |= !page.unreadable.is_empty();
                (page.unreadable, page.next)
            }
            (Part::Groups, Reply::SecurityGroups(page)) => {
                state.groups.extend(page.items);
                state.groups_unreadable |= !page.unreadable.is_empty();
                (page.unreadable, page.next)
            }
            (Part::Tables, Reply::RouteTables(page)) => {
                state.tables.extend(page.items);
                (page.unreadable, page.next)
            }
            (Part::Vpc, Reply::Vpc(view)) => {
                let before = match view {
                    Some(view) => self.network.vpcs.insert(vpc.clone(), view),
                    None => self.network.vpcs.remove(vpc),
                };
                if before.as_ref() != self.network.vpcs.get(vpc) {
                    self.publish_all_in(vpc);
                }
                (Vec::new(), None)
            }
            _ => return Err(unfit("reading")),
        };
        for what in unreadable {
            self.out.say(Event::Unreadable { api, what });
        }
        Ok(next)
    }

    fn sweep_page(&mut self, sent: Tick, vpc: &VpcId, page: EniPage) -> Option<PageToken> {
        let EniPage { items, unreadable, next } = page;
        let state = self.vpcs.get_mut(vpc)?;
        let sweep = &mut state.sweep;
        sweep.has_unreadable |= !unreadable.is_empty();
        sweep.enis += items.len();
        for listed in items {
            let eni = &listed.eni;
            sweep.taken.entry(eni.subnet.clone()).or_default().extend(ranges(eni));
            let Some(instance) = owner(&listed) else { continue };
            let eni = listed.eni;
            let slots = self.nodes.of_instance(&instance);
            for slot in &slots {
                let collected = Collected { eni: eni.clone(), sent };
                sweep.nodes.entry(*slot).or_default().push(collected);
            }
            if slots.is_empty() && eni.attachment.is_none() {
                sweep.unclaimed.entry(instance).or_default().push(eni);
            }
        }
        for what in unreadable {
            self.out.say(Event::Unreadable { api: Api::DescribeNetworkInterfaces, what });
        }
        next
    }

    fn part_finished(&mut self, vpc: &VpcId, part: Part) {
        let Some(progress) = self.progress(vpc, part) else { return };
        progress.page = None;
        progress.step = None;
        progress.is_settled = true;
        progress.read = progress.first_sent;
        let sent = progress.first_sent.unwrap_or_default();
        let Some(state) = self.vpcs.get_mut(vpc) else { return };
        match part {
            Part::Subnets => {
                let (read, is_whole) =
                    (core::mem::take(&mut state.subnets), !state.subnets_unreadable);
                self.replace_subnets(vpc, sent, read, is_whole);
                self.map_blocks(vpc);
                self.plan_subnets(vpc);
            }
            Part::Enis => {
                self.sweep_finished(vpc, sent);
                self.plan_audit(vpc);
            }
            Part::Groups => {
                let groups = core::mem::take(&mut state.groups);
                state.groups_listed = (!state.groups_unreadable).then_some(sent);
                self.network.security_groups.retain(|_, group| group.vpc != *vpc);
                self.network.security_groups.extend(groups);
            }
            Part::Tables => {
                let tables = core::mem::take(&mut state.tables);
                self.network.route_tables.retain(|_, table| table.vpc != *vpc);
                self.network.route_tables.extend(tables);
            }
            Part::Vpc | Part::Batch => {}
        }
        if matches!(part, Part::Vpc | Part::Groups | Part::Tables) {
            let at = self.now + self.settings.audit_interval;
            self.agenda.set(Timer::Part(vpc.clone(), part), Some(at));
        }
        self.complete_if_listed(vpc);
        self.touch_network(vpc);
    }

    /// All interfaces of a VPC were listed; `sent` is when that began.
    fn sweep_finished(&mut self, vpc: &VpcId, sent: Tick) {
        let Some(state) = self.vpcs.get_mut(vpc) else { return };
        let mut sweep = core::mem::take(&mut state.sweep);
        state.enis = sweep.enis;
        if !sweep.has_unreadable {
            state.sweep.taken = core::mem::take(&mut sweep.taken);
        }
        let before = sweep.before.unwrap_or(Slot(0));
        let nodes: Vec<Slot> = state.nodes.range(..before).copied().collect();
        let unclaimed = core::mem::take(&mut sweep.unclaimed);
        self.map_blocks(vpc);
        self.claim(vpc, unclaimed, sent);
        let Sweep { nodes: mut collected, has_unreadable, .. } = sweep;
        let (settle, ids) = (self.settings.settle, BTreeSet::new());
        let whole = Scope {
            sent,
            attached: true,
            loose: true,
            is_whole: !has_unreadable,
            ids: &ids,
            settle,
        };
        for slot in nodes {
            let seen = collected.remove(&slot).unwrap_or_default();
            self.merge_node(slot, seen, &whole);
            if has_unreadable && self.nodes.get(slot).is_some_and(|it| it.extent != Extent::Whole) {
                self.reads.nodes.insert(slot);
            }
        }
        // Nodes that came while the listing was under way may be on some of its pages only.
        let partial = Scope { attached: false, loose: false, ..whole };
        for (slot, seen) in collected {
            self.merge_node(slot, seen, &partial);
        }
    }

    /// Interfaces that were made for instances which were no node's when their page came.
    fn claim(
        &mut self,
        vpc: &VpcId,
        mut unclaimed: alloc::collections::BTreeMap<
            crate::ids::InstanceId,
            Vec<crate::view::EniView>,
        >,
        sent: Tick,
    ) {
        let is_known = |instance: &crate::ids::InstanceId, _: &mut _| self.nodes.is_node(instance);
        let known: Vec<_> = unclaimed.extract_if(.., is_known).collect();
        let ids = BTreeSet::new();
        let settle = self.settings.settle;
        for (instance, enis) in known {
            let scope =
                Scope { sent, attached: false, loose: false, is_whole: false, ids: &ids, settle };
            for slot in self.nodes.of_instance(&instance) {
                let seen = enis.iter().map(|eni| Collected { eni: eni.clone(), sent }).collect();
                self.merge_node(slot, seen, &scope);
            }
        }
        if let Some(state) = self.vpcs.get_mut(vpc) {
            state.unclaimed = unclaimed;
        }
    }

    /// Makes the maps of free blocks from the last complete listing, when the subnets are known too.
    fn map_blocks(&mut self, vpc: &VpcId) {
        let Some(state) = self.vpcs.get_mut(vpc) else { return };
        let is_read = |part: &Part| state.parts.get(part).is_some_and(|it| it.read.is_some());
        if !is_read(&Part::Subnets) || !is_read(&Part::Enis) || state.sweep.before.is_some() {
            return;
        }
        let taken = core::mem::take(&mut state.sweep.taken);
        let is_new = !taken.is_empty();
        let nodes: Vec<Slot> = state.nodes.iter().copied().collect();
        for (id, subnet) in self.network.subnets.iter_mut().filter(|(_, it)| it.vpc == *vpc) {
            if is_new {
                let held = taken.get(id).into_iter().flatten().copied();
                subnet.free_blocks = FreeBlocks::observed(subnet.cidr, &[], held).ok();
            }
        }
        if is_new {
            for slot in nodes {
                self.occupy_held(slot);
            }
        }
    }

    /// Marks the blocks of what a node holds: some of it may be newer than the listing.
    fn occupy_held(&mut self, slot: Slot) {
        let Some(view) = self.nodes.get(slot).and_then(|record| record.view.as_ref()) else {
            return;
        };
        for eni in &view.enis {
            let subnet = self.network.subnets.get_mut(&eni.subnet);
            if let Some(blocks) = subnet.and_then(|subnet| subnet.free_blocks.as_mut()) {
                for range in ranges(eni) {
                    blocks.take_range(range);
                }
            }
        }
    }
}

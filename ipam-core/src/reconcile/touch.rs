//! A node is looked at again: what it may do now is put in line, what is different is said.

use alloc::vec::Vec;
use core::time::Duration;

use super::agenda::Timer;
use super::gate::GateKey;
use super::line::{Class, Place};
use super::nodes::take_out;
use super::record::{EniNote, Extent, Hold, Record, Slot, UNATTACHED_AFTER};
use super::wishes::{THROTTLED_AFTER, Wishes};
use super::{Event, Mode, Reconciler};
use crate::call::Api;
use crate::ids::{EniId, InstanceType, VpcId};
use crate::reason::{Blocked, Reason};

impl Reconciler {
    /// Looks at a node again.
    pub(super) fn touch(&mut self, slot: Slot) {
        self.expire(slot);
        self.set_limits(slot);
        self.mark(slot);
        self.give_back(slot);
        self.look_at_loose(slot);
        self.note_detaching(slot);
        self.look_at_idle(slot);
        let mut wishes = self.wishes(slot);
        if !wishes.useless.is_empty() {
            self.doom(slot, &wishes.useless);
            wishes = self.wishes(slot);
        }
        self.settle(slot, wishes);
    }

    fn doom(&mut self, slot: Slot, enis: &[EniId]) {
        let view = self.nodes.get_mut(slot).and_then(|record| record.view.as_mut());
        if let Some(view) = view {
            let new = enis.iter().filter(|eni| !view.marks.doomed.contains(eni));
            let new: Vec<EniId> = new.cloned().collect();
            view.marks.doomed.extend(new);
        }
    }

    /// Takes over what a node wishes and what is different of it.
    pub(super) fn settle(&mut self, slot: Slot, wishes: Wishes) {
        self.wait_for(slot, &wishes);
        self.line_up(slot, &wishes);
        if self.settings.mode == Mode::Observe {
            self.say_what_would_be_done(slot, &wishes);
        }
        let Wishes { blocked, holds, .. } = wishes;
        if holds.iter().any(|hold| matches!(hold, Hold::Network(_))) {
            self.read_network_soon(slot, &blocked);
        }
        self.say_blocked(slot, blocked);
        self.show(slot);
        self.offer_publication(slot);
        let Some(record) = self.nodes.get(slot) else { return };
        let wake = record.wake(self.now, THROTTLED_AFTER, &self.settings);
        let is_over = record.gone && !self.has_unfinished(record);
        self.agenda.set(Timer::Node(slot), wake);
        if is_over {
            self.drop_record(slot);
        }
    }

    /// What of a node is over by now, or due.
    fn expire(&mut self, slot: Slot) {
        let (now, grace) = (self.now, self.settings.rival_grace);
        let Some(record) = self.nodes.get_mut(slot) else { return };
        if record.reread.is_some_and(|at| at <= now) {
            record.reread = None;
            self.reads.nodes.insert(slot);
            let is_doubted = |note: &EniNote| note.missing.is_some() || note.less.is_some();
            let doubted = record.notes.iter().filter(|(_, note)| is_doubted(note));
            self.reads.enis.extend(doubted.map(|(eni, _)| (eni.clone(), slot)));
        }
        if let Some(since) = record.releases.unsettled_since(now)
            && record.release_read < Some(since)
        {
            record.release_read = Some(now);
            self.reads.nodes.insert(slot);
        }
        for (eni, doubt) in &mut record.doubts {
            if doubt.next <= now {
                self.reads.enis.insert(eni.clone(), slot);
                doubt.next = now + doubt.step;
                doubt.step = (doubt.step * 2).min(DOUBT_STEP_MAX);
            }
        }
        let attach = GateKey::Permission(Api::AttachNetworkInterface);
        let api = Api::AttachNetworkInterface;
        let is_forbidden = self.gates.is_closed(&attach, now);
        let because = match record.pauses.get(&api).and_then(|pause| pause.reason.clone()) {
            Some(reason) if record.is_attaching_refused() => Some(reason),
            _ => is_forbidden.then_some(Reason::MissingPermission { api }),
        };
        if let Some(because) = because {
            record.doom_loose(now, now.before(UNATTACHED_AFTER), &because);
        }
        if record.rival.as_ref().is_some_and(|rival| rival.at + grace <= now) {
            record.rival = None;
            record.unpublished = true;
            let node = Some(record.seen.name.clone());
            self.rivals.forget(slot);
            self.out.say(Event::RivalGone { node });
        }
    }

    /// Writes what is remembered into the view, for the planner.
    fn mark(&mut self, slot: Slot) {
        let now = self.now;
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let Some(view) = &mut record.view else { return };
        view.running = record.stopped_until.is_none_or(|until| until <= now);
        if view.marks.in_doubt.len() != record.doubts.len()
            || !view.marks.in_doubt.iter().all(|eni| record.doubts.contains_key(eni))
        {
            view.marks.in_doubt = record.doubts.keys().cloned().collect();
        }
        view.marks.taken_indexes.clear();
        view.marks.taken_indexes.extend(record.indexes.iter().map(|(index, _)| *index));
    }

    /// What the instance type of a node can hold, or less where EC2 said that the instance takes no more.
    pub(super) fn set_limits(&mut self, slot: Slot) {
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let Some(view) = &mut record.view else { return };
        let known = self.catalog.lookup(view.identity.instance_type.as_str());
        let mut limits = known.map(|known| known.limits);
        if let (Some(limits), Some(full)) = (&mut limits, record.full) {
            limits.enis = limits.enis.min(full.enis);
        }
        view.limits = limits;
    }

    /// Looks at every node of an instance type again.
    pub(super) fn touch_type(&mut self, instance_type: &InstanceType) {
        for slot in self.nodes.of_type(instance_type) {
            self.touch(slot);
        }
    }

    /// Looks again at those who wait for something.
    pub(super) fn touch_held(&mut self, hold: &Hold) {
        let waiting: Vec<Slot> =
            self.held.get(hold).map_or_else(Vec::new, |slots| slots.iter().copied().collect());
        for slot in waiting {
            self.touch(slot);
        }
    }

    /// Looks again at the nodes of a VPC that wait for something of its network.
    pub(super) fn touch_network(&mut self, vpc: &VpcId) {
        self.touch_held(&Hold::Network(vpc.clone()));
    }

    fn wait_for(&mut self, slot: Slot, wishes: &Wishes) {
        let Some(record) = self.nodes.get_mut(slot) else { return };
        if record.holds == wishes.holds {
            return;
        }
        let before = core::mem::replace(&mut record.holds, wishes.holds.clone());
        for hold in before.difference(&wishes.holds) {
            self.let_wait(hold, slot, false);
        }
        for hold in wishes.holds.difference(&before) {
            self.let_wait(hold, slot, true);
        }
    }

    /// Adds a node to those who wait for something, or removes it.
    pub(super) fn let_wait(&mut self, hold: &Hold, slot: Slot, waits: bool) {
        if waits {
            self.held.entry(hold.clone()).or_default().insert(slot);
        } else {
            take_out(&mut self.held, hold, slot);
        }
    }

    /// Puts a node in the line of each action it wants.
    fn line_up(&mut self, slot: Slot, wishes: &Wishes) {
        let (now, may_change) = (self.now, self.settings.mode != Mode::Observe);
        let Some(record) = self.nodes.get(slot) else { return };
        if record.queued.is_empty() && wishes.actions.is_empty() && !wishes.resend {
            return;
        }
        let class = self.class(record);
        let Some(record) = self.nodes.get_mut(slot) else { return };
        for api in Api::ALL.iter().copied().filter(|api| api.is_mutation()) {
            let before = record.queued.get(&api).copied();
            let class = match api {
                Api::DeleteNetworkInterface | Api::DetachNetworkInterface => Class::CleanUp,
                Api::ModifyNetworkInterfaceAttribute if wishes.only_repairs() => Class::CleanUp,
                Api::UnassignPrivateIpAddresses => Class::Release,
                _ => class,
            };
            let since = before.map_or(now, |place| place.since);
            let place = (may_change && wishes.wants(api)).then_some(Place { class, since });
            self.line.set(api, slot, before, place);
            match place {
                Some(place) => record.queued.insert(api, place),
                None => record.queued.remove(&api),
            };
        }
    }

    /// How urgent it is for a node.
    fn class(&self, record: &Record) -> Class {
        let Some((view, shown)) = record.view.as_ref().zip(self.figures(record)) else {
            return Class::CleanUp;
        };
        if !record.is_served() {
            Class::CleanUp
        } else if shown.available <= shown.used {
            Class::NoAddress
        } else if view.waiting_pods > shown.available - shown.used {
            Class::WaitingPods
        } else {
            Class::Warm
        }
    }

    fn say_blocked(&mut self, slot: Slot, mut blocked: Vec<Blocked>) {
        blocked.sort_by(|a, b| a.reason.cmp(&b.reason));
        let Some(record) = self.nodes.get_mut(slot) else { return };
        if !record.is_served() {
            blocked.clear();
        }
        let reasons = |blocked: &[Blocked]| -> Vec<Reason> {
            blocked.iter().map(|it| it.reason.clone()).collect()
        };
        let is_different = reasons(&record.blocked) != reasons(&blocked);
        if is_different && !record.gone {
            let node = record.seen.name.clone();
            self.out.say(Event::Blocked { node, blocked: blocked.clone() });
        }
        record.blocked = blocked;
    }

    fn say_what_would_be_done(&mut self, slot: Slot, wishes: &Wishes) {
        let Some(record) = self.nodes.get_mut(slot) else { return };
        for action in &wishes.actions {
            if !record.would.contains(action) {
                let (node, action) = (record.seen.name.clone(), action.clone());
                self.out.say(Event::WouldChange { node, action });
            }
        }
        record.would.clone_from(&wishes.actions);
    }

    /// Lets a node be published if what is published of it may have changed and nothing forbids it.
    pub(super) fn offer_publication(&mut self, slot: Slot) {
        if !self.may_publish(slot) || self.nodes.get(slot).is_some_and(Self::is_filling) {
            return;
        }
        if let Some(record) = self.nodes.get_mut(slot)
            && record.unpublished
        {
            record.unpublished = false;
            self.out.publications.push(record.seen.name.clone());
        }
    }

    /// Whether a node has no address yet and is about to get some: nobody could use what would be published.
    fn is_filling(record: &Record) -> bool {
        let Some((view, shown)) = record.view.as_ref().zip(record.shown.as_ref()) else {
            return false;
        };
        let acts = !view.in_flight.is_empty() || !record.queued.is_empty();
        let will_act = shown.needed > 0 && record.blocked.is_empty();
        shown.available == 0 && (acts || will_act)
    }

    pub(super) fn mark_unpublished(&mut self, slot: Slot) {
        if let Some(record) = self.nodes.get_mut(slot) {
            record.unpublished = true;
        }
    }

    /// What is published of all nodes of a VPC is different: its CIDRs stand with each of their interfaces.
    pub(super) fn publish_all_in(&mut self, vpc: &VpcId) {
        let nodes = self.vpcs.get(vpc).map(|state| state.nodes.clone()).unwrap_or_default();
        for slot in nodes {
            self.mark_unpublished(slot);
            self.offer_publication(slot);
        }
    }

    /// Whether a node may be published now.
    pub(super) fn may_publish(&self, slot: Slot) -> bool {
        let Some(record) = self.nodes.get(slot) else { return false };
        let vpc = record.vpc().and_then(|vpc| self.vpcs.get(vpc));
        self.settings.mode != Mode::Observe
            && record.is_served()
            && record.seen.identity.is_some()
            && record.seen.settings.is_some()
            && record.extent == Extent::Whole
            && record
                .view
                .as_ref()
                .is_some_and(|view| view.enis.iter().any(|it| it.attachment.is_some()))
            && vpc.is_some_and(|vpc| vpc.is_complete)
            && self.rival_of(record).is_none()
            && self.nodes.twin_of(record).is_none()
    }

    /// What is due now.
    pub(super) fn ring(&mut self, timer: Timer) {
        match timer {
            Timer::Node(slot) => self.touch(slot),
            Timer::Gate(key) => self.open_gate(&key),
            Timer::Part(vpc, part) => self.make_ready(&vpc, part),
            Timer::Optional(vpc) => self.complete_if_listed(&vpc),
            Timer::Nodes => self.reads.pause = None,
            Timer::Types => self.retry_types(),
            Timer::Cap => self.allow_creations(),
            Timer::Rivals => self.expire_rivals(),
            Timer::Releases => self.allow_releases(),
            Timer::CleanUp(vpc) => self.look_at(vpc),
        }
    }

    /// One more interface may be made in this hour.
    pub(super) fn allow_creations(&mut self) {
        self.expire_creations();
        self.touch_held(&Hold::Cap);
    }

    /// Forgets creations that are more than an hour ago.
    pub(super) fn expire_creations(&mut self) {
        let next = self.creations.expire(self.now);
        self.agenda.set(Timer::Cap, next);
    }
}

/// The longest time between two looks at an interface in doubt.
const DOUBT_STEP_MAX: Duration = Duration::from_secs(30);

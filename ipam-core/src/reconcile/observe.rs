//! What is done with readings of nodes.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::agenda::Timer;
use super::gate::GateKey;
use super::reading::{Collected, Outcome, Scope, merge, owner, ranges};
use super::reads::NodesReading;
use super::record::{Extent, Record, Slot};
use super::trouble::{longer, trouble, unfit};
use super::{Event, Reconciler, Rival, RivalDeed};
use crate::addresses::AddressSet;
use crate::call::{Api, Reply};
use crate::failure::{Failure, Remedy};
use crate::ids::EniId;
use crate::prefix::addresses_of;
use crate::time::Tick;

/// The first pause and the longest between readings of an instance that shows no interface.
const UNSEEN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

impl Reconciler {
    /// Puts what a reading shows of a node into its view.
    pub(super) fn merge_node(&mut self, slot: Slot, seen: Vec<Collected>, scope: &Scope<'_>) {
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let before = record.observed;
        let outcome = merge(record, seen, scope);
        let observed = record.observed;
        record.unpublished |= outcome.changed;
        if scope.attached && record.stale_since.is_some_and(|since| since <= scope.sent) {
            record.stale_since = None;
        }
        if outcome.confirm {
            let doubled = UNSEEN.0 * (1_u32 << (record.unseen.clamp(1, 8) - 1));
            let settle = self.settings.settle;
            let pause = if record.unseen > 0 { doubled.min(UNSEEN.1) } else { settle };
            record.reread = Some(self.now + pause);
        }
        if before.is_none() && scope.attached && shows_less_than_published(record) {
            record.reread = Some(self.now + self.settings.settle);
        }
        self.age(slot, before, observed);
        // What a former operator did last may not have been in the reading before this one.
        let reliable = self.began + self.settings.release.late_for + self.settings.settle;
        self.take_outcome(slot, outcome, before.is_some_and(|before| before >= reliable));
        if scope.attached {
            self.look_at_groups(slot, scope.sent);
        }
        if let Some(record) = self.nodes.get_mut(slot)
            && scope.loose
            && record.made_unseen.is_some_and(|since| scope.sent >= since + scope.settle)
        {
            record.made_unseen = None;
        }
        if before.is_none() && !self.is_view_complete {
            self.note_first_addresses(slot);
        }
        self.touch(slot);
    }

    /// A node that had addresses before the machine was there gets no first one.
    fn note_first_addresses(&mut self, slot: Slot) {
        let held = self.nodes.get(slot).and_then(|record| self.figures(record));
        if let Some(record) = self.nodes.get_mut(slot) {
            record.had_address = held.is_some_and(|held| held.available > 0);
        }
    }

    /// Keeps the nodes of a VPC in the order in which they were observed.
    fn age(&mut self, slot: Slot, before: Option<Tick>, observed: Option<Tick>) {
        let vpc = self.nodes.get(slot).and_then(|record| record.vpc().cloned());
        let Some(state) = vpc.and_then(|vpc| self.vpcs.get_mut(&vpc)) else { return };
        if let Some(before) = before {
            state.by_age.remove(&(before, slot));
        }
        if let Some(observed) = observed {
            state.by_age.insert((observed, slot));
        }
    }

    /// Differences mean that somebody else is at work only when what was known before is certainly no older than this term.
    fn take_outcome(&mut self, slot: Slot, outcome: Outcome, is_of_this_term: bool) {
        let Outcome { findings, over, gained, loose, .. } = outcome;
        for eni in loose {
            self.recognise(slot, eni);
        }
        for action in &over {
            self.end(slot, action);
        }
        for (subnet, range) in gained {
            self.occupy(&subnet, &[range]);
        }
        for (finding, is_ours) in findings {
            let Some(record) = self.nodes.get(slot) else { return };
            let node = record.seen.name.clone();
            let eni = finding.eni().clone();
            self.out.say(Event::Found { node, finding });
            if is_ours && is_of_this_term {
                let did = RivalDeed::ChangedEni { eni };
                self.see_rival(slot, Rival { who: String::new(), did });
            }
        }
    }

    /// An interface that was made for a node and is new is what a creation without an answer made, if there is one.
    fn recognise(&mut self, slot: Slot, eni: EniId) {
        let now = self.now;
        let Some(record) = self.nodes.get_mut(slot) else { return };
        if record.made_unseen.is_some() || !record.resends.is_empty() {
            record.notes.entry(eni).or_default().created = Some(now);
        }
        let Some(position) = record.resends.iter().position(|it| !it.is_under_way) else { return };
        let resend = record.resends.remove(position);
        self.end(slot, &resend.action);
    }

    /// A page of a reading of nodes, or none.
    pub(super) fn nodes_read(
        &mut self,
        sent: Tick,
        mut reading: NodesReading,
        answer: Result<Reply, Failure>,
    ) {
        self.reads.under_way -= 1;
        let page = match answer {
            Ok(Reply::Enis(page)) => page,
            Ok(_) => return self.nodes_failed(sent, reading, &unfit("reading")),
            Err(failure) => return self.nodes_failed(sent, reading, &failure),
        };
        reading.has_unreadable |= !page.unreadable.is_empty();
        for what in page.unreadable {
            self.out.say(Event::Unreadable { api: Api::DescribeNetworkInterfaces, what });
        }
        for listed in page.items {
            let Some(instance) = owner(&listed) else { continue };
            let is_asked = |slot: &Slot| {
                reading.nodes.contains(slot) || reading.enis.get(&listed.eni.id) == Some(slot)
            };
            for slot in self.nodes.of_instance(&instance).into_iter().filter(is_asked) {
                let collected = Collected { eni: listed.eni.clone(), sent };
                reading.collected.entry(slot).or_default().push(collected);
            }
        }
        self.reads.step = None;
        if self.reads.trouble.take().is_some() {
            self.grant(&GateKey::Permission(Api::DescribeNetworkInterfaces), sent);
        }
        match page.next {
            Some(next) => self.reads.further.push_back((Box::new(reading), next)),
            None => self.nodes_finished(reading),
        }
    }

    fn nodes_finished(&mut self, mut reading: NodesReading) {
        let sent = reading.first_sent.unwrap_or_default();
        match reading.nodes.first() {
            Some(slot) if reading.has_unreadable && reading.nodes.len() == 1 => {
                self.note_unreadable(*slot);
            }
            Some(_) if reading.has_unreadable => self.read_apart(reading.nodes.iter().copied()),
            _ => {}
        }
        let slots: BTreeSet<Slot> =
            reading.nodes.iter().chain(reading.enis.values()).copied().collect();
        for slot in slots {
            let of_node = reading.enis.iter().filter(|(_, owner)| **owner == slot);
            let ids: BTreeSet<EniId> = of_node.map(|(eni, _)| eni.clone()).collect();
            let scope = Scope {
                sent,
                attached: reading.nodes.contains(&slot),
                loose: false,
                is_whole: !reading.has_unreadable,
                ids: &ids,
                settle: self.settings.settle,
            };
            let seen = reading.collected.remove(&slot).unwrap_or_default();
            self.merge_node(slot, seen, &scope);
        }
    }

    /// Something of a reading of `slots` could not be read. Those that were never read in full are read in two groups,
    /// and so on until it is clear of which node it is.
    pub(super) fn read_apart(&mut self, slots: impl Iterator<Item = Slot>) {
        let is_partial =
            |slot: &Slot| self.nodes.get(*slot).is_some_and(|it| it.extent != Extent::Whole);
        let mut first: BTreeSet<Slot> = slots.filter(is_partial).collect();
        let Some(middle) = first.iter().nth(first.len() / 2).copied() else { return };
        let second = first.split_off(&middle);
        self.reads.groups.extend([first, second].into_iter().filter(|it| !it.is_empty()));
    }

    /// Something of a node that was never read in full cannot be read. It is read again later.
    fn note_unreadable(&mut self, slot: Slot) {
        let now = self.now;
        let Some(record) = self.nodes.get_mut(slot).filter(|it| it.extent != Extent::Whole) else {
            return;
        };
        record.extent = Extent::Unreadable;
        record.reread = Some(now + UNSEEN.1);
    }

    fn nodes_failed(&mut self, sent: Tick, reading: NodesReading, failure: &Failure) {
        let api = Api::DescribeNetworkInterfaces;
        self.say_failed(sent, api, failure);
        let slots = reading.nodes.clone();
        self.reads.nodes.extend(reading.nodes);
        self.reads.enis.extend(reading.enis);
        if failure.remedy() == Remedy::SlowDown {
            self.budget.on_throttled(self.now, api);
            return;
        }
        if failure.remedy() == Remedy::DoWithout {
            self.miss_permission(api, sent);
        }
        let step = longer(self.reads.step);
        self.reads.step = Some(step);
        self.reads.pause = Some(self.now + step);
        self.agenda.set(Timer::Nodes, Some(self.now + step));
        self.reads.trouble = Some(trouble(api, failure));
        for slot in slots {
            self.touch(slot);
        }
    }
}

/// Whether a former operator has published something of a node that a reading does not show: one of the two is older than the other.
fn shows_less_than_published(record: &Record) -> bool {
    let enis = record.view.iter().flat_map(|view| &view.enis);
    let shown: AddressSet = enis.flat_map(ranges).flat_map(addresses_of).collect();
    !record.seen.usage.listed.is_within(&shown)
}

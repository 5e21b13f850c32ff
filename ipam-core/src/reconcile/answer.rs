//! What is done with the reply to a change.

use alloc::vec::Vec;
use core::time::Duration;

use ipnet::Ipv4Net;

use super::agenda::Timer;
use super::gate::GateKey;
use super::reading::{self, ranges};
use super::record::{Doubt, EniNote, Slot};
use super::remedy::PERMISSION;
use super::send::{Change, Sent, What, gate_keys};
use super::trouble::unfit;
use super::{Event, Reconciler};
use crate::action::{ADDRESSES_PER_PREFIX, Action};
use crate::call::{Api, Assigned, CallId, Reply};
use crate::failure::Failure;
use crate::ids::{AttachmentId, EniId};
use crate::reason::Reason;
use crate::time::Tick;
use crate::view::{Attachment, AttachmentState, EniView};

impl Reconciler {
    pub(super) fn take_answer(&mut self, call: CallId, sent: Sent, answer: Result<Reply, Failure>) {
        let Sent { at, api, what } = sent;
        match what {
            What::Change(change) => match answer {
                Ok(reply) if fits(&change.action, &reply) => {
                    self.change_succeeded(call, at, change, reply);
                }
                Ok(_) => {
                    self.change_failed(call, at, &change, &unfit("action"));
                }
                Err(failure) => self.change_failed(call, at, &change, &failure),
            },
            What::Nodes(reading) => self.nodes_read(at, *reading, answer),
            What::Part(vpc, part) => self.part_read(at, api, call, (&vpc, part), answer),
            What::Look(looking) => self.looked(at, *looking, answer),
            What::CleanUp(unclaimed) => self.cleaned_up(call, at, *unclaimed, answer),
            What::Types(types) => self.types_read(at, types, answer),
        }
    }

    fn change_succeeded(&mut self, call: CallId, sent: Tick, change: Change, reply: Reply) {
        let Change { slot, action, subnet, token, .. } = change;
        self.network.unreserve(&action);
        let Some(record) = self.nodes.get_mut(slot) else { return };
        record.land(&action);
        record.resends.retain(|it| it.token != token);
        record.unpublished = true;
        self.end_pause(slot, action.api(), &reply);
        let addresses = self.apply(slot, &action, reply);
        for key in gate_keys(&action) {
            // That an interface was made says nothing of attaching it.
            if matches!(key, GateKey::Permission(api) if api != action.api()) {
                if self.gates.let_go(&key, call) {
                    // Should it never be attached, somebody else asks.
                    self.agenda.set_by(Timer::Gate(key), self.now + PERMISSION.0);
                }
            } else {
                self.grant(&key, sent);
            }
        }
        if let Some(record) = self.nodes.get(slot) {
            let node = record.seen.name.clone();
            let took = self.now.since(sent);
            self.out.say(Event::Changed { node, action, subnet, addresses, took });
        }
        self.touch(slot);
    }

    /// An action that works is not held back any more. One that is answered with nothing does not work.
    fn end_pause(&mut self, slot: Slot, api: Api, reply: &Reply) {
        let now = self.now;
        let Some(record) = self.nodes.get_mut(slot) else { return };
        if matches!(reply, Reply::Assigned(assigned) if *assigned == Assigned::default()) {
            record.pause(api, now, NOTHING, Some(Reason::NoAnswer { api }));
        } else {
            record.pauses.remove(&api);
        }
    }

    /// Puts a reply into the view. Answers with the addresses for pods that it brought.
    fn apply(&mut self, slot: Slot, action: &Action, reply: Reply) -> u32 {
        if let Some(eni) = action.eni() {
            self.note_write(slot, eni);
        }
        match reply {
            Reply::Assigned(assigned) => return self.assigned(slot, action, &assigned),
            Reply::Created(eni) => return self.created(slot, eni),
            Reply::Attached(id) => self.attached(slot, action, id),
            _ => self.done(slot, action),
        }
        0
    }

    /// Readings that were sent before now are older than the last change of an interface.
    pub(super) fn note_write(&mut self, slot: Slot, eni: &EniId) {
        let now = self.now;
        if let Some(record) = self.nodes.get_mut(slot) {
            record.notes.entry(eni.clone()).or_default().written = Some(now);
        }
    }

    fn assigned(&mut self, slot: Slot, action: &Action, assigned: &Assigned) -> u32 {
        let Some(eni) = self.eni_mut(slot, action.eni()) else { return 0 };
        let subnet = eni.subnet.clone();
        let gained = credit(eni, assigned);
        self.note_assigned(slot, &gained);
        self.take_from(&subnet, &gained);
        if let Some(rest) = rest(action, assigned) {
            self.doubt(slot, rest);
        }
        let single = u32::try_from(assigned.addresses.len()).unwrap_or(u32::MAX);
        let prefixes = u32::try_from(assigned.prefixes.len()).unwrap_or(u32::MAX);
        single.saturating_add(prefixes.saturating_mul(ADDRESSES_PER_PREFIX))
    }

    /// What EC2 gives may be what was given back a moment ago.
    fn note_assigned(&mut self, slot: Slot, gained: &[Ipv4Net]) {
        let now = self.now;
        if let Some(record) = self.nodes.get_mut(slot) {
            for range in gained {
                record.releases.on_assigned(now, *range);
            }
        }
    }

    /// An interface was made. One that is known already was found by a reading while the answer was late: that is newer than what an
    /// answer says, which is how it was when it was made.
    fn created(&mut self, slot: Slot, eni: EniView) -> u32 {
        let now = self.now;
        let Some(record) = self.nodes.get_mut(slot) else { return 0 };
        let Some(view) = &mut record.view else { return 0 };
        let addresses = crate::capacity::addresses_on(&eni, &view.settings);
        if view.enis.iter().any(|known| known.id == eni.id) {
            record.notes.entry(eni.id).or_default().created.get_or_insert(now);
            return addresses;
        }
        let subnet = eni.subnet.clone();
        let held: Vec<Ipv4Net> = ranges(&eni).collect();
        let note = EniNote { written: Some(now), created: Some(now), ..EniNote::default() };
        record.notes.insert(eni.id.clone(), note);
        view.enis.push(eni);
        self.take_from(&subnet, &held);
        self.note_assigned(slot, &held);
        addresses
    }

    fn attached(&mut self, slot: Slot, action: &Action, id: AttachmentId) {
        let Action::AttachEni { device_index, .. } = action else { return };
        let device_index = *device_index;
        if let Some(record) = self.nodes.get_mut(slot) {
            record.full_times = 0;
            record.stopped_until = None;
        }
        if let Some(eni) = self.eni_mut(slot, action.eni()) {
            // EC2 accepts every change of an interface from the answer on.
            eni.attachment = Some(Attachment {
                id: Some(id),
                device_index,
                network_card: 0,
                state: AttachmentState::Attached,
                delete_on_termination: Some(false),
            });
        }
    }

    fn done(&mut self, slot: Slot, action: &Action) {
        match action {
            Action::SetDeleteOnTermination { .. } => {
                let eni = self.eni_mut(slot, action.eni());
                if let Some(at) = eni.and_then(|eni| eni.attachment.as_mut()) {
                    at.delete_on_termination = Some(true);
                }
            }
            Action::DeleteEni { eni } => {
                self.vacate_eni(slot, eni);
                self.drop_eni(slot, eni);
            }
            Action::DetachEni { eni, .. } => self.detached(slot, eni),
            Action::SetSecurityGroups { eni, groups } => self.regrouped(slot, eni, groups),
            _ => self.unassigned(slot, action),
        }
    }

    /// What an interface held is its subnet's again.
    fn vacate_eni(&mut self, slot: Slot, eni: &EniId) {
        let Some(eni) = self.eni_mut(slot, Some(eni)) else { return };
        let (subnet, prefixes) = (eni.subnet.clone(), eni.ipv4.prefixes.clone());
        self.vacate(&subnet, &prefixes);
    }

    /// An interface is no more.
    pub(super) fn drop_eni(&mut self, slot: Slot, eni: &EniId) {
        let Some(record) = self.nodes.get_mut(slot) else { return };
        record.notes.remove(eni);
        let lost = record.doubts.remove(eni);
        if let Some(view) = &mut record.view {
            reading::remove(view, eni);
        }
        for action in lost.into_iter().flat_map(|doubt| doubt.actions) {
            self.end(slot, &action);
        }
    }

    /// An action is over, without a reply.
    pub(super) fn end(&mut self, slot: Slot, action: &Action) {
        if self.nodes.get_mut(slot).is_some_and(|record| record.land(action)) {
            self.network.unreserve(action);
        }
    }

    /// Nobody knows whether `action` happened. It counts as being under way until that is known.
    pub(super) fn doubt(&mut self, slot: Slot, action: Action) {
        let now = self.now;
        let Some(eni) = action.eni().cloned() else { return };
        if self.eni_mut(slot, Some(&eni)).is_none() {
            return;
        }
        self.network.reserve(core::slice::from_ref(&action));
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let Some(view) = &mut record.view else { return };
        view.in_flight.push(action.clone());
        let next = now + DOUBT_STEP;
        let doubt = record.doubts.entry(eni.clone()).or_insert(Doubt {
            actions: Vec::new(),
            lost: now,
            next,
            step: DOUBT_STEP * 2,
        });
        doubt.actions.push(action);
        (doubt.lost, doubt.next, doubt.step) = (now, next, DOUBT_STEP * 2);
        self.note_write(slot, &eni);
    }

    pub(super) fn eni_mut(&mut self, slot: Slot, id: Option<&EniId>) -> Option<&mut EniView> {
        let view = self.nodes.get_mut(slot)?.view.as_mut()?;
        view.enis.iter_mut().find(|eni| Some(&eni.id) == id)
    }
}

/// The first pause and the longest after an answer that brought nothing.
const NOTHING: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(2));
/// How long after a lost answer the interface is looked at first.
const DOUBT_STEP: Duration = Duration::from_secs(1);

/// Whether a reply is one to the action.
const fn fits(action: &Action, reply: &Reply) -> bool {
    matches!(
        (action, reply),
        (
            Action::AssignAddresses { .. }
                | Action::AssignPrefixes { .. }
                | Action::AssignIpv6Prefix { .. },
            Reply::Assigned(_)
        ) | (Action::CreateEni(_), Reply::Created(_))
            | (Action::AttachEni { .. }, Reply::Attached(_))
            | (
                Action::SetDeleteOnTermination { .. }
                    | Action::SetSecurityGroups { .. }
                    | Action::DetachEni { .. }
                    | Action::DeleteEni { .. }
                    | Action::UnassignAddresses { .. }
                    | Action::UnassignPrefixes { .. },
                Reply::Done
            )
    )
}

/// Adds what an assignment brought. Answers with what is new.
fn credit(eni: &mut EniView, assigned: &Assigned) -> Vec<Ipv4Net> {
    let mut gained = Vec::new();
    for address in &assigned.addresses {
        if !eni.ipv4.addresses.contains(address) {
            eni.ipv4.addresses.push(*address);
            gained.push(Ipv4Net::from(*address));
        }
    }
    for prefix in &assigned.prefixes {
        if !eni.ipv4.prefixes.contains(prefix) {
            eni.ipv4.prefixes.push(*prefix);
            gained.push(*prefix);
        }
    }
    for prefix in &assigned.ipv6_prefixes {
        if !eni.ipv6.prefixes.contains(prefix) {
            eni.ipv6.prefixes.push(*prefix);
        }
    }
    gained
}

/// What is still missing of an assignment after `assigned` came, as the action that would bring it.
fn rest(action: &Action, assigned: &Assigned) -> Option<Action> {
    let came = |items: usize| u16::try_from(items).unwrap_or(u16::MAX);
    match action {
        Action::AssignAddresses { eni, subnet, count } => {
            let count = count.saturating_sub(came(assigned.addresses.len()));
            let (eni, subnet) = (eni.clone(), subnet.clone());
            (count > 0).then_some(Action::AssignAddresses { eni, subnet, count })
        }
        Action::AssignPrefixes { eni, subnet, count } => {
            let count = count.saturating_sub(came(assigned.prefixes.len()));
            let (eni, subnet) = (eni.clone(), subnet.clone());
            (count > 0).then_some(Action::AssignPrefixes { eni, subnet, count })
        }
        Action::AssignIpv6Prefix { .. } if assigned.ipv6_prefixes.is_empty() => {
            Some(action.clone())
        }
        _ => None,
    }
}

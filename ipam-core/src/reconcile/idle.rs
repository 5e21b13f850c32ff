//! Interfaces that hold nothing and that nobody needs go back: out of what is published, off the instance, and away.
//!
//! An interface is *idle* while it could go at once ([`Reconciler::idle_enis`], [`Reconciler::may_detach`]). One that has been so for the
//! delay *departs*: it is not published any more, and when its object was seen without it for as long as an agreement has to stand
//! it is detached. Anything that the node needs meanwhile ends that, and fills it. From the moment at which the call leaves
//! it is doomed: it gets nothing more, is never attached again, and is deleted once it is seen to be attached to nothing.
//!
//! **Restart.** What departs stands in the `CiliumNode`: it is not shown there. A former operator may have detached it a moment ago, and
//! readings may not show that yet. So a new one lets such an interface be until a reading is late enough.

mod which;

use alloc::vec::Vec;
use core::time::Duration;

pub(super) use self::which::{is_secondary, leaving_enis};
use super::Reconciler;
use super::gate::GateKey;
use super::record::{Hold, Record, Slot};
use crate::action::Action;
use crate::call::Api;
use crate::failure::{Failure, Refusal};
use crate::ids::EniId;
use crate::managed::{LeftAlone, is_own, left_alone};
use crate::time::Tick;
use crate::view::{AttachmentState, EniView, NodeView};

/// The first time between two looks at an interface that is being detached, and the longest.
const LOOK: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

/// For how long a reading counts that shows an interface empty: its call may wait for its turn, and somebody else put something on it.
const CONFIRMS_FOR: Duration = Duration::from_mins(1);

/// An interface that leaves its node.
#[derive(Debug, Clone)]
pub(super) struct Departure {
    pub(super) eni: EniId,
    /// When a reading has to be sent, or later, that shows it empty. None before is known to show all that was done until it departed.
    confirm_from: Tick,
    /// Since when its object was seen without it; `None`: it was seen with it the last time.
    unseen_since: Option<Tick>,
    /// It may be detached, although it is known as attached, before a reading that was sent at this time or later.
    unsure_until: Option<Tick>,
    /// When to look next what became of it; `None`: nothing has to be found out.
    look: Option<Tick>,
    step: Duration,
}

impl Departure {
    const fn new(eni: EniId, confirm_from: Tick) -> Self {
        Self { eni, confirm_from, unseen_since: None, unsure_until: None, look: None, step: LOOK.0 }
    }

    /// Whether a reading that was sent at `read` and shows it empty is enough to detach it now.
    fn is_confirmed(&self, read: Tick, now: Tick) -> bool {
        read >= self.confirm_from && now < read + CONFIRMS_FOR
    }

    /// When something is due for it.
    pub(super) fn wake(&self, agreed_for: Duration) -> impl Iterator<Item = Tick> {
        self.unseen_since.map(|since| since + agreed_for).into_iter().chain(self.look)
    }
}

impl Reconciler {
    /// Looks again at the interfaces of a node that hold nothing.
    pub(super) fn look_at_idle(&mut self, slot: Slot) {
        self.inherit_departure(slot);
        let Some(record) = self.nodes.get(slot) else { return };
        let Some(view) = &record.view else { return };
        let idle = self.idle(record, view);
        self.note_idle(slot, &idle);
        self.spare_attached(slot);
        self.follow_departure(slot, &idle);
        self.begin_departure(slot, &idle);
        self.hide_departure(slot);
    }

    /// Lets an interface depart that a former operator may have detached: the node was published without it.
    fn inherit_departure(&mut self, slot: Slot) {
        let (now, until) = (self.now, self.now + self.settings.release.late_for);
        let Some(record) = self.nodes.get_mut(slot).filter(|it| it.observed.is_some()) else {
            return;
        };
        let Some(view) = record.view.as_mut().filter(|_| record.inherited.is_none()) else {
            return;
        };
        record.inherited = Some(now);
        let shown = &record.seen.usage.shown;
        let may_depart = |eni: &&EniView| {
            !shown.is_empty()
                && !shown.contains(&eni.id)
                && eni.holds_nothing()
                && is_own(eni, &view.identity.instance)
                && eni.attachment.as_ref().is_some_and(|at| at.device_index > 0)
        };
        let index = |eni: &&EniView| eni.attachment.as_ref().map(|at| at.device_index);
        let departs = view.enis.iter().filter(may_depart).max_by_key(index);
        if let Some(eni) = departs.map(|eni| eni.id.clone()) {
            view.marks.doomed.push(eni.clone());
            let unsure_until = Some(until);
            record.departure = Some(Departure { unsure_until, ..Departure::new(eni, until) });
        }
    }

    /// Keeps since when each interface could go.
    fn note_idle(&mut self, slot: Slot, idle: &[EniId]) {
        let now = self.now;
        let Some(record) = self.nodes.get_mut(slot) else { return };
        for note in record.notes.values_mut() {
            note.idle = note.idle.filter(|_| !idle.is_empty());
        }
        if idle.is_empty() {
            return;
        }
        for (eni, note) in &mut record.notes {
            note.idle = note.idle.filter(|_| idle.contains(eni));
        }
        for eni in idle {
            record.notes.entry(eni.clone()).or_default().idle.get_or_insert(now);
        }
    }

    /// What somebody attached after all is not deleted, unless it departs. What somebody marked as theirs never is.
    fn spare_attached(&mut self, slot: Slot) {
        let policy = &self.settings.policy;
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let departs = record.departure.as_ref().map(|departure| &departure.eni);
        let Some(view) = &mut record.view else { return };
        if view.marks.doomed.is_empty() {
            return;
        }
        let (enis, settings) = (&view.enis, &view.settings);
        let is_attached = |id: &EniId| {
            let state = enis.iter().find(|eni| eni.id == *id).and_then(EniView::state);
            state.is_some_and(|state| state != AttachmentState::Detaching)
        };
        let is_theirs = |id: &EniId| {
            let eni = enis.iter().find(|eni| eni.id == *id);
            let why = eni.and_then(|eni| left_alone(eni, settings, policy));
            matches!(why, Some(LeftAlone::Foreign | LeftAlone::ExcludedByTags))
        };
        let in_flight = &view.in_flight;
        let is_asked = |id: &EniId| in_flight.iter().any(|action| action.eni() == Some(id));
        view.marks.doomed.retain(|id| {
            let goes = departs == Some(id) || !is_attached(id);
            is_asked(id) || goes && !is_theirs(id)
        });
    }

    /// Goes on with the interface that departs, or calls it off.
    fn follow_departure(&mut self, slot: Slot, idle: &[EniId]) {
        let (now, settle) = (self.now, self.settings.settle);
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let (Some(departure), Some(view)) = (&mut record.departure, &mut record.view) else {
            return;
        };
        let id = &departure.eni;
        let Some(eni) = view.enis.iter().find(|eni| eni.id == *id) else {
            record.departure = None;
            return;
        };
        let is_asked = view.in_flight.iter().any(|action| action.eni() == Some(id));
        let state = eni.state();
        // Somebody took it over after it was detached: it is theirs, and the next one may go.
        if state.is_none() && !is_asked && !view.marks.doomed.contains(id) {
            record.departure = None;
            return;
        }
        let is_going = matches!(state, None | Some(AttachmentState::Detaching)) || is_asked;
        let read = record.notes.get(id).and_then(|note| note.read);
        let is_sure =
            departure.unsure_until.is_none_or(|until| read.is_some_and(|read| read >= until));
        let is_shown = record.seen.usage.shown.contains(id);
        departure.unseen_since = (!is_shown).then(|| departure.unseen_since.unwrap_or(now));
        if is_going || !is_sure {
            departure.look = (state.is_some() && !is_asked)
                .then(|| departure.look.or(departure.unsure_until).unwrap_or(now + settle));
        } else {
            view.marks.doomed.retain(|doomed| doomed != id);
            if idle.contains(id) {
                departure.unsure_until = None;
                departure.look =
                    Some(match read.filter(|read| departure.is_confirmed(*read, now)) {
                        Some(read) => read + CONFIRMS_FOR,
                        None => departure.look.unwrap_or(departure.confirm_from),
                    });
            } else {
                record.departure = None;
            }
        }
        self.look_where_it_is(slot);
    }

    /// Reads the interface that departs, when that is due.
    fn look_where_it_is(&mut self, slot: Slot) {
        let now = self.now;
        let Some(departure) = self.nodes.get_mut(slot).and_then(|it| it.departure.as_mut()) else {
            return;
        };
        if departure.look.is_some_and(|at| at <= now) {
            departure.look = Some(now + departure.step);
            departure.step = (departure.step * 2).min(LOOK.1);
            self.reads.enis.insert(departure.eni.clone(), slot);
        }
    }

    /// Lets the interface with the highest index depart that has been idle for long enough, one at a time.
    fn begin_departure(&mut self, slot: Slot, idle: &[EniId]) {
        let Some(delay) = self.settings.eni_idle_delay else { return };
        let Some(record) = self.nodes.get(slot) else { return };
        let Some(view) = record.view.as_ref().filter(|_| record.departure.is_none()) else {
            return;
        };
        let is_going = |eni: &EniView| eni.state() == Some(AttachmentState::Detaching);
        if !view.marks.doomed.is_empty() || view.enis.iter().any(is_going) || !self.may_try(slot) {
            return;
        }
        let is_due = |eni: &&EniId| {
            let since = record.notes.get(*eni).and_then(|note| note.idle);
            since.is_some_and(|since| since + delay <= self.now)
        };
        let Some(eni) = idle.iter().find(is_due).cloned() else { return };
        if GIVING.into_iter().any(|api| self.gates.exists(&GateKey::Permission(api))) {
            self.detach_probe = Some(slot);
        }
        let is_shown = record.seen.usage.shown.contains(&eni);
        let (now, settle) = (self.now, self.settings.settle);
        if let Some(record) = self.nodes.get_mut(slot) {
            let unseen_since = (!is_shown).then_some(now);
            let departure = Departure::new(eni, now + settle);
            record.departure = Some(Departure { unseen_since, ..departure });
        }
    }

    /// Whether a node may find out if a permission that was missing is there: one at a time, since it is published for that.
    fn may_try(&self, slot: Slot) -> bool {
        let was_missing =
            GIVING.into_iter().any(|api| self.gates.exists(&GateKey::Permission(api)));
        let tries =
            |other: Slot| self.nodes.get(other).is_some_and(|record| record.departure.is_some());
        !was_missing || self.detach_probe.is_none_or(|other| other == slot || !tries(other))
    }

    /// Takes what departs out of what is published, or puts it back.
    fn hide_departure(&mut self, slot: Slot) {
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let departs = record.departure.as_ref().map(|departure| &departure.eni);
        if record.giving_back.hidden.first() != departs {
            record.giving_back.hidden = departs.cloned().into_iter().collect();
            record.unpublished = true;
        }
    }

    /// The call that detaches the interface that departs, when nothing is in the way any more.
    pub(super) fn detachment(
        &self,
        record: &Record,
        view: &NodeView,
        planned: &[Action],
    ) -> Option<Action> {
        let departure = record.departure.as_ref()?;
        let since = departure.unseen_since?;
        let eni = view.enis.iter().find(|eni| eni.id == departure.eni)?;
        let attachment = eni.attachment.as_ref()?.id.clone()?;
        let read = record.notes.get(&eni.id)?.read?;
        let is_due = since + self.settings.release.agreed_for <= self.now
            && departure.is_confirmed(read, self.now)
            && !planned.iter().any(|action| action.eni() == Some(&eni.id))
            && self.is_idle(record, view, eni)
            && self.needs_nothing(record, view)
            && self.may_detach(record, view);
        is_due.then(|| Action::DetachEni { eni: eni.id.clone(), attachment })
    }

    /// What a node with idle interfaces waits for: permissions that were missing.
    pub(super) fn detachment_holds(&self, record: &Record, view: &NodeView) -> Vec<Hold> {
        let keys = GIVING.map(GateKey::Permission).into_iter();
        let missing: Vec<Hold> =
            keys.filter(|key| self.gates.exists(key)).map(Hold::Gate).collect();
        let waits = |eni: &EniView| self.is_idle(record, view, eni);
        if missing.is_empty() || !view.enis.iter().any(waits) { Vec::new() } else { missing }
    }

    /// A call that detaches an interface is sent.
    pub(super) fn detach_sent(&mut self, slot: Slot, action: &Action) {
        let Action::DetachEni { eni, .. } = action else { return };
        let view = self.nodes.get_mut(slot).and_then(|record| record.view.as_mut());
        if let Some(view) = view.filter(|view| !view.marks.doomed.contains(eni)) {
            view.marks.doomed.push(eni.clone());
        }
    }

    /// EC2 detaches an interface.
    pub(super) fn detached(&mut self, slot: Slot, eni: &EniId) {
        let at = self.eni_mut(slot, Some(eni)).and_then(|eni| eni.attachment.as_mut());
        if let Some(at) = at {
            at.state = AttachmentState::Detaching;
        }
    }

    /// A call that was to detach an interface failed.
    pub(super) fn detach_failed(&mut self, slot: Slot, action: &Action, failure: &Failure) {
        let (Action::DetachEni { eni, .. }, now) = (action, self.now) else { return };
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let (Some(departure), Some(view)) = (&mut record.departure, &mut record.view) else {
            return;
        };
        let is_gone = |refusal: Refusal| {
            matches!(refusal, Refusal::AttachmentNotFound | Refusal::EniNotFound)
        };
        let (settle, late_for) = (self.settings.settle, self.settings.release.late_for);
        match failure {
            // A reading that shows it attached may be older than what the call does yet.
            Failure::NoAnswer { .. } => departure.unsure_until = Some(now + late_for),
            Failure::Throttled | Failure::NotSent { .. } => {
                view.marks.doomed.retain(|doomed| doomed != eni);
            }
            Failure::Refused { refusal, .. } if is_gone(*refusal) => {
                departure.unsure_until = Some(now + settle);
            }
            // It is tried again after as long as the first time.
            Failure::Refused { .. } => {
                view.marks.doomed.retain(|doomed| doomed != eni);
                record.departure = None;
                if let Some(note) = record.notes.get_mut(eni) {
                    note.idle = None;
                }
            }
        }
    }
}

/// What it takes to give an interface back.
const GIVING: [Api; 2] = [Api::DetachNetworkInterface, Api::DeleteNetworkInterface];

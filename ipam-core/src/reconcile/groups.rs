//! Interfaces that Berth made and that somebody put behind other security groups are put back.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use super::agenda::Timer;
use super::idle::is_secondary;
use super::record::{EniNote, Extent, Record, Slot};
use super::vpc::Part;
use super::{Event, Finding, Reconciler};
use crate::action::Action;
use crate::failure::{Failure, Refusal};
use crate::ids::{EniId, SecurityGroupId, VpcId};
use crate::managed::{is_own, left_alone};
use crate::security_group::{choose, sorted};
use crate::time::Tick;
use crate::view::{EniView, NodeView, View};

/// The pause after a first repair that did not last, doubled after each, and the longest. What has lasted for as long as that is
/// not contested any more.
const CONTESTED: (Duration, Duration) = (Duration::from_hours(1), Duration::from_hours(24));

/// An interface that is behind other security groups than it would be made with.
#[derive(Debug, Clone)]
pub(super) struct Drift {
    /// When the first reading was sent that shows it.
    since: Tick,
    /// The groups it would be made with.
    wanted: Vec<SecurityGroupId>,
    /// Whether a second reading, late enough, showed it too.
    is_certain: bool,
    /// Not to be repaired before: somebody undid the last repair.
    not_before: Option<Tick>,
}

/// The last repair of an interface.
#[derive(Debug, Clone)]
pub(super) struct Repair {
    at: Tick,
    /// The groups that it was put behind.
    wanted: Vec<SecurityGroupId>,
    /// How long the next one waits.
    pause: Duration,
}

impl EniNote {
    /// When its groups may be repaired, if that waits.
    pub(super) fn repair_at(&self) -> Option<Tick> {
        self.drift.as_ref().filter(|drift| drift.is_certain)?.not_before
    }

    /// A drift that was first seen by a reading sent at `since`.
    fn drift(&self, since: Tick, wanted: &[SecurityGroupId]) -> Drift {
        let undone = self.repaired.as_ref().filter(|it| it.is_contested(since, wanted));
        let not_before = undone.map(|it| it.at + it.pause);
        Drift { since, wanted: wanted.to_vec(), is_certain: false, not_before }
    }
}

impl Repair {
    /// Whether groups that drifted at `since` are those that somebody undid.
    fn is_contested(&self, since: Tick, wanted: &[SecurityGroupId]) -> bool {
        self.wanted == wanted && since < self.at + CONTESTED.1
    }
}

impl Reconciler {
    /// Compares the groups of a node's interfaces with those that they would be made with, after a reading of its instance that was
    /// sent at `sent`.
    pub(super) fn look_at_groups(&mut self, slot: Slot, sent: Tick) {
        let Some(record) = self.nodes.get(slot) else { return };
        let Some(view) = record.view.as_ref().filter(|_| self.settings.repair_security_groups)
        else {
            return;
        };
        let own: Vec<&EniView> =
            view.enis.iter().filter(|eni| self.is_repaired(record, view, eni)).collect();
        let choice = if own.is_empty() { None } else { self.groups_of_new(record, view) };
        let found = own.iter().map(|eni| (eni.id.clone(), sorted(eni.security_groups.clone())));
        let drifted: BTreeMap<EniId, Vec<SecurityGroupId>> =
            found.filter(|(_, found)| choice.as_ref().is_some_and(|it| found != it)).collect();
        self.note_drift(slot, sent, &drifted, &choice.unwrap_or_default());
    }

    fn note_drift(
        &mut self,
        slot: Slot,
        sent: Tick,
        drifted: &BTreeMap<EniId, Vec<SecurityGroupId>>,
        wanted: &[SecurityGroupId],
    ) {
        let (now, settle) = (self.now, self.settings.settle);
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let (mut said, mut is_to_confirm) = (Vec::new(), false);
        for (eni, note) in &mut record.notes {
            let before = note.drift.take().filter(|it| it.wanted == wanted);
            let Some(found) = drifted.get(eni) else { continue };
            let mut drift = before.unwrap_or_else(|| note.drift(sent, wanted));
            if !drift.is_certain && sent >= drift.since + settle {
                drift.is_certain = true;
                let (eni, found, wanted) = (eni.clone(), found.clone(), wanted.to_vec());
                let waits = drift.not_before.filter(|at| now < *at).map(|at| at.since(now));
                said.push(match waits {
                    Some(pause) => Finding::GroupsContested { eni, found, wanted, pause },
                    None => Finding::GroupsDrifted { eni, found, wanted },
                });
            }
            is_to_confirm |= !drift.is_certain;
            note.drift = Some(drift);
        }
        if is_to_confirm {
            let at = now + settle;
            record.reread = Some(record.reread.map_or(at, |reread| reread.min(at)));
        }
        let node = record.seen.name.clone();
        let by_tags = record.view.as_ref().filter(|view| chooses_by_tags(view));
        let vpc = by_tags.filter(|_| is_to_confirm).map(|view| view.identity.vpc.clone());
        for finding in said {
            self.out.say(Event::Found { node: node.clone(), finding });
        }
        if let Some(vpc) = vpc {
            self.list_groups_soon(vpc);
        }
    }

    /// Lists the groups of a VPC soon: those of the interface are known to be newer.
    fn list_groups_soon(&mut self, vpc: VpcId) {
        let is_free = self.progress(&vpc, Part::Groups).is_some_and(|it| it.step.is_none());
        if is_free {
            let at = self.now + self.settings.settle;
            self.agenda.set_by(Timer::Part(vpc, Part::Groups), at);
        }
    }

    /// Whether an interface is Berth's to put behind other groups, and nothing else happens to it.
    fn is_repaired(&self, record: &Record, view: &NodeView, eni: &EniView) -> bool {
        eni.attachment.as_ref().is_some_and(is_secondary)
            && is_own(eni, &view.identity.instance)
            && left_alone(eni, &view.settings, &self.settings.policy).is_none()
            && !view.marks.doomed.contains(&eni.id)
            && !view.in_flight.iter().any(|action| action.eni() == Some(&eni.id))
            && !record.doubts.contains_key(&eni.id)
    }

    /// The groups that a new interface of a node would get, as far as that is certain.
    fn groups_of_new(&self, record: &Record, view: &NodeView) -> Option<Vec<SecurityGroupId>> {
        let is_known =
            record.is_served() && record.extent == Extent::Whole && record.seen.settings.is_some();
        let is_listed = !chooses_by_tags(view) || self.groups_listed(view).is_some();
        let view = View { node: view, network: &self.network };
        choose(view, &self.settings.policy).ok().filter(|_| is_known && is_listed)
    }

    /// When the last listing of all groups of a node's VPC was sent.
    fn groups_listed(&self, view: &NodeView) -> Option<Tick> {
        self.vpcs.get(&view.identity.vpc)?.groups_listed
    }

    /// The calls that put interfaces back behind their groups.
    pub(super) fn repairs(&self, record: &Record, view: &NodeView) -> Vec<Action> {
        let drift = |eni: &EniId| record.notes.get(eni).and_then(|note| note.drift.as_ref());
        let drifted = view.enis.iter().filter_map(|eni| Some((eni, drift(&eni.id)?)));
        let mut certain = drifted.filter(|(_, drift)| drift.is_certain).peekable();
        if certain.peek().is_none() || !self.settings.repair_security_groups {
            return Vec::new();
        }
        let Some(groups) = self.groups_of_new(record, view) else { return Vec::new() };
        let is_newer = |drift: &Drift| {
            !chooses_by_tags(view) || self.groups_listed(view).is_some_and(|at| at >= drift.since)
        };
        let is_due = |(eni, drift): &(&EniView, &Drift)| {
            let is_time = drift.not_before.is_none_or(|at| at <= self.now);
            is_time
                && drift.wanted == groups
                && is_newer(drift)
                && self.is_repaired(record, view, eni)
        };
        let due = certain.filter(is_due);
        due.map(|(eni, _)| Action::SetSecurityGroups {
            eni: eni.id.clone(),
            groups: groups.clone(),
        })
        .collect()
    }

    /// Whether a repair waits for a listing of the groups.
    pub(super) fn waits_for_groups(&self, record: &Record, view: &NodeView) -> bool {
        let listed = self.groups_listed(view);
        let mut drifts = record.notes.values().filter_map(|note| note.drift.as_ref());
        chooses_by_tags(view) && drifts.any(|drift| listed.is_none_or(|at| at < drift.since))
    }

    /// An interface is behind other groups.
    pub(super) fn regrouped(&mut self, slot: Slot, eni: &EniId, groups: &[SecurityGroupId]) {
        if let Some(eni) = self.eni_mut(slot, Some(eni)) {
            eni.security_groups = groups.to_vec();
        }
        let at = self.now;
        let note = self.nodes.get_mut(slot).and_then(|record| record.notes.get_mut(eni));
        let Some(note) = note else { return };
        let since = note.drift.take().map_or(at, |drift| drift.since);
        let undone = note.repaired.take().filter(|it| it.is_contested(since, groups));
        let pause = undone.map_or(CONTESTED.0, |it| (it.pause * 2).min(CONTESTED.1));
        note.repaired = Some(Repair { at, wanted: groups.to_vec(), pause });
    }
}

/// Whether a failure says that a security group is not there. The node's view is none the worse for it.
pub(super) fn lacks_group(action: &Action, failure: &Failure) -> bool {
    let is_repair = matches!(action, Action::SetSecurityGroups { .. });
    let is_about_groups =
        matches!(failure, Failure::Refused { refusal: Refusal::SecurityGroupNotFound, .. });
    is_repair && is_about_groups
}

fn chooses_by_tags(view: &NodeView) -> bool {
    let selector = &view.settings.security_groups;
    selector.ids.is_empty() && !selector.tags.is_empty()
}

//! What is done after a change failed.

use core::time::Duration;

use super::agenda::Timer;
use super::gate::GateKey;
use super::groups::lacks_group;
use super::record::{Full, Resend, Slot};
use super::send::{Change, gate_keys};
use super::vpc::Part;
use super::{Event, Reconciler};
use crate::action::{Action, Ipv4Ask};
use crate::call::{Api, CallId};
use crate::capacity::on_card_0;
use crate::failure::{Failure, Refusal, Remedy};
use crate::ids::EniId;
use crate::reason::Reason;
use crate::time::Tick;

/// The first pause and the longest, after failures that pass by themselves.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));
/// The same after failures that somebody has to see to.
const REPORT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));
/// The same for a creation without an answer.
const RESEND: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// The same while a quota is used up.
const QUOTA: (Duration, Duration) = (Duration::from_mins(1), Duration::from_mins(15));
/// An action that is not allowed is tried this often.
pub(super) const PERMISSION: (Duration, Duration) =
    (Duration::from_mins(5), Duration::from_mins(5));

/// An instance that takes no more interfaces although nothing shows them is tried again after the first time, and then
/// less often until the last.
const FULL: (Duration, Duration) = (Duration::from_mins(5), Duration::from_hours(1));
/// What was made for an instance that is not running is deleted after this time.
const NOT_RUNNING_FOR: Duration = Duration::from_mins(10);

/// The remedy, if it is one for the action: EC2 may answer with anything.
const fn fitting(remedy: Remedy, action: &Action) -> Remedy {
    let fits = match remedy {
        Remedy::NextIndex | Remedy::DeleteEni | Remedy::WaitForInstance => {
            matches!(action, Action::AttachEni { .. })
        }
        Remedy::StopCreating => matches!(action, Action::CreateEni(_)),
        Remedy::AvoidAddresses | Remedy::AvoidPrefixes => matches!(
            action,
            Action::AssignAddresses { .. } | Action::AssignPrefixes { .. } | Action::CreateEni(_)
        ),
        // What is not assigned cannot be unassigned: that is a mistake in what is known.
        Remedy::Report => {
            !matches!(action, Action::UnassignAddresses { .. } | Action::UnassignPrefixes { .. })
        }
        _ => true,
    };
    match (fits, remedy) {
        (true, _) => remedy,
        (false, Remedy::Report) => Remedy::Refresh,
        (false, _) => Remedy::Report,
    }
}

/// What is said of a failure that does not pass.
fn reason(api: Api, failure: &Failure) -> Option<Reason> {
    match failure {
        Failure::NotSent { .. } | Failure::NoAnswer { .. } => Some(Reason::NoAnswer { api }),
        Failure::Refused { code, .. } => Some(Reason::Refused { api, code: code.clone() }),
        Failure::Throttled => None,
    }
}

impl Reconciler {
    pub(super) fn change_failed(
        &mut self,
        call: CallId,
        sent: Tick,
        change: &Change,
        failure: &Failure,
    ) {
        let slot = change.slot;
        let Some(record) = self.nodes.get(slot) else {
            self.network.unreserve(&change.action);
            return;
        };
        let node = record.seen.name.clone();
        self.out.say(Event::Failed {
            api: change.action.api(),
            change: Some((node, change.action.clone())),
            subnet: change.subnet.clone(),
            failure: failure.clone(),
            took: self.now.since(sent),
        });
        let was_resent = self
            .nodes
            .get(slot)
            .is_some_and(|record| record.resends.iter().any(|it| it.token == change.token));
        let is_open = failure.may_have_happened()
            || was_resent
                && (!matches!(failure, Failure::Refused { .. }) || self.may_yet_happen(change));
        if is_open && matches!(change.action, Action::CreateEni(_)) {
            self.resend_later(change, failure.may_have_happened());
        } else {
            if was_resent {
                self.look_for_made(slot);
                let now = self.now;
                if let Some(record) = self.nodes.get_mut(slot) {
                    record.made_unseen = Some(now);
                }
            }
            self.end_failed(change);
        }
        self.unassign_failed(slot, &change.action, sent, failure.may_have_happened());
        self.detach_failed(slot, &change.action, failure);
        self.remedy(slot, sent, change, failure);
        for key in gate_keys(&change.action) {
            if self.gates.let_go(&key, call) {
                self.open_gate(&key);
            }
        }
        self.touch(slot);
    }

    /// Nothing happened, or nobody knows and it is seen to elsewhere.
    fn end_failed(&mut self, change: &Change) {
        self.end(change.slot, &change.action);
        let is_creation = matches!(change.action, Action::CreateEni(_));
        if let Some(record) = self.nodes.get_mut(change.slot) {
            record.resends.retain(|it| it.token != change.token);
        }
        if is_creation && self.creations.take_out(change.first_sent, 1) {
            self.allow_creations();
        }
    }

    /// Whether an attempt at a creation that was lost may still be carried out, although this one was refused.
    fn may_yet_happen(&self, change: &Change) -> bool {
        let resends = self.nodes.get(change.slot).map(|record| &record.resends);
        let lost = resends.into_iter().flatten().find(|it| it.token == change.token);
        lost.is_some_and(|it| self.now < it.lost + self.settings.settle)
    }

    /// Lists the interfaces of the VPC soon: one that was made and never named may be among them.
    fn look_for_made(&mut self, slot: Slot) {
        let vpc = self.nodes.get(slot).and_then(|record| record.vpc().cloned());
        if let Some(vpc) = vpc {
            let at = self.now + self.settings.settle;
            if let Some(state) = self.vpcs.get_mut(&vpc) {
                state.look = state.look.max(Some(at));
            }
            self.agenda.set_by(Timer::Part(vpc, Part::Enis), at);
        }
    }

    /// A creation without an answer is sent again with the same token until it is answered.
    fn resend_later(&mut self, change: &Change, is_lost: bool) {
        let now = self.now;
        let Some(record) = self.nodes.get_mut(change.slot) else { return };
        if let Some(resend) = record.resends.iter_mut().find(|it| it.token == change.token) {
            resend.step = (resend.step * 2).min(RESEND.1);
            resend.next = now + resend.step;
            resend.is_under_way = false;
            if is_lost {
                resend.lost = now;
            }
            if resend.step == RESEND.1 {
                self.look_for_made(change.slot);
            }
            return;
        }
        record.resends.push(Resend {
            action: change.action.clone(),
            token: change.token.clone(),
            first_sent: change.first_sent,
            lost: now,
            next: now + RESEND.0,
            step: RESEND.0,
            is_under_way: false,
        });
    }

    fn remedy(&mut self, slot: Slot, sent: Tick, change: &Change, failure: &Failure) {
        let api = change.action.api();
        match fitting(failure.remedy(), &change.action) {
            Remedy::SlowDown => self.budget.on_throttled(self.now, api),
            Remedy::Retry | Remedy::Restart => {
                self.pause(slot, api, RETRY, reason(api, failure));
            }
            Remedy::Observe => self.doubt(slot, change.action.clone()),
            Remedy::Refresh if lacks_group(&change.action, failure) => {
                self.report(slot, api, failure);
            }
            Remedy::Refresh => self.refresh(slot, change, failure),
            Remedy::AvoidAddresses => self.avoid(change, sent, false),
            Remedy::AvoidPrefixes => self.avoid(change, sent, true),
            Remedy::NextIndex => self.skip_index(slot, &change.action, failure),
            Remedy::DeleteEni => self.give_up(slot, change, failure),
            Remedy::WaitForInstance => {
                let now = self.now;
                let until = now + self.settings.not_running_for;
                let made_by = now.before(NOT_RUNNING_FOR);
                if let Some(record) = self.nodes.get_mut(slot) {
                    record.stopped_until = Some(until);
                    if let Some(instance) = record.instance().cloned() {
                        record.doom_loose(now, made_by, &Reason::InstanceNotRunning { instance });
                    }
                }
            }
            Remedy::DoWithout => self.miss_permission(api, sent),
            Remedy::StopCreating => self.refuse(&GateKey::Quota, sent, QUOTA),
            Remedy::Report => self.report(slot, api, failure),
        }
    }

    pub(super) fn pause(
        &mut self,
        slot: Slot,
        api: Api,
        steps: (Duration, Duration),
        reason: Option<Reason>,
    ) {
        let now = self.now;
        if let Some(record) = self.nodes.get_mut(slot) {
            record.pause(api, now, steps, reason);
        }
    }

    fn report(&mut self, slot: Slot, api: Api, failure: &Failure) {
        self.pause(slot, api, REPORT, reason(api, failure));
    }

    /// What is known of the node is stale: it is read before anything is planned.
    fn refresh(&mut self, slot: Slot, change: &Change, failure: &Failure) {
        let (now, settle) = (self.now, self.settings.settle);
        let api = change.action.api();
        let steps = if api == Api::AttachNetworkInterface { (RETRY.0, REPORT.1) } else { RETRY };
        self.pause(slot, api, steps, reason(api, failure));
        let refusal = match failure {
            Failure::Refused { refusal, .. } => *refusal,
            _ => Refusal::Unknown,
        };
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let is_young = |eni: &EniId| {
            let created = record.notes.get(eni).and_then(|note| note.created);
            created.is_some_and(|created| now < created + settle)
        };
        if refusal == Refusal::EniNotFound && change.action.eni().is_some_and(is_young) {
            return;
        }
        record.stale_since = Some(now);
        self.reads.nodes.insert(slot);
        // A reading of the instance does not show what is attached to nothing, or nothing at all when it has ended.
        if let Some(eni) = change.action.eni() {
            self.reads.enis.insert(eni.clone(), slot);
        }
        let vpc = record.vpc().cloned();
        let part = match refusal {
            Refusal::SubnetNotFound => Part::Subnets,
            Refusal::SecurityGroupNotFound => Part::Groups,
            _ => return,
        };
        if let Some(vpc) = vpc {
            self.make_ready(&vpc, part);
        }
    }

    /// The subnet has nothing of what was asked for.
    fn avoid(&mut self, change: &Change, sent: Tick, prefixes: bool) {
        let Some((subnet, _)) = change.action.asks_of_subnet() else { return };
        let asked_prefixes = match &change.action {
            Action::AssignPrefixes { .. } => true,
            Action::CreateEni(create) => matches!(create.ipv4, Ipv4Ask::Prefixes(1..)),
            _ => false,
        };
        let key = if prefixes && asked_prefixes {
            GateKey::Prefixes(subnet.clone())
        } else {
            GateKey::Addresses(subnet.clone())
        };
        let first = self.settings.refused_for;
        self.refuse(&key, sent, (first, first * 8));
    }

    /// Nobody asks for it until the time is up.
    pub(super) fn refuse(&mut self, key: &GateKey, sent: Tick, steps: (Duration, Duration)) {
        let until = self.gates.refuse(key, self.now, sent, steps);
        self.agenda.set(Timer::Gate(key.clone()), Some(until));
        self.show_refusal(key);
    }

    pub(super) fn miss_permission(&mut self, api: Api, sent: Tick) {
        let key = GateKey::Permission(api);
        if !self.gates.exists(&key) {
            self.out.say(Event::PermissionMissing { api });
        }
        self.refuse(&key, sent, PERMISSION);
    }

    /// Something that was not seen has the device index.
    fn skip_index(&mut self, slot: Slot, action: &Action, failure: &Failure) {
        let (now, settle) = (self.now, self.settings.settle);
        let Action::AttachEni { device_index, .. } = action else { return };
        let Some(record) = self.nodes.get_mut(slot) else { return };
        if !record.indexes.is_empty() {
            record.pause(action.api(), now, RETRY, reason(action.api(), failure));
        }
        record.indexes.retain(|(index, _)| index != device_index);
        record.indexes.push((*device_index, now));
        // A reading that had the time to show who has the index decides.
        record.reread = Some(now + settle);
        self.reads.nodes.insert(slot);
    }

    /// EC2 does not attach the interface to this instance: it is deleted.
    fn give_up(&mut self, slot: Slot, change: &Change, failure: &Failure) {
        let now = self.now;
        let Action::AttachEni { eni, .. } = &change.action else { return };
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let Some(view) = &mut record.view else { return };
        view.marks.doomed.push(eni.clone());
        let instance_type = view.identity.instance_type.clone();
        if failure.label() == Refusal::InstanceFull.label() {
            let attached = on_card_0(view).count();
            let enis = u16::try_from(attached).unwrap_or(u16::MAX);
            let pause = (FULL.0 * (1 << record.full_times.min(4))).min(FULL.1);
            record.full_times += 1;
            record.full = Some(Full { enis, since: now, until: now + pause });
            self.reads.nodes.insert(slot);
        } else {
            // Nothing is made either while attaching is held back.
            self.report(slot, Api::AttachNetworkInterface, failure);
            self.reads.types.insert(instance_type);
        }
    }
}

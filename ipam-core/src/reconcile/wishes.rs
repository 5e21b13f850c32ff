//! What a node may do now, and what keeps it from more: the plan, less what brakes forbid.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::time::Duration;

use super::gate::GateKey;
use super::record::{EniNote, Extent, Hold, Record, Slot, UNATTACHED_AFTER};
use super::{Mode, Reconciler};
use crate::action::Action;
use crate::call::Api;
use crate::capacity::{available, on_card_0};
use crate::demand::{Supply, ask, used};
use crate::ids::EniId;
use crate::managed::{is_own, left_alone};
use crate::plan::plan;
use crate::reason::{Blocked, Reason};
use crate::view::{AttachmentState, EniView, NodeView, View};

/// How long a node waits for its turn before that is said.
pub(super) const THROTTLED_AFTER: Duration = Duration::from_secs(5);
/// After so many lost answers to a creation it is said that EC2 does not answer.
const SILENT_AFTER: Duration = Duration::from_secs(4);

/// What a node may do now.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub(super) actions: Vec<Action>,
    /// Whether a creation is to be sent again.
    pub(super) resend: bool,
    pub(super) blocked: Vec<Blocked>,
    pub(super) holds: BTreeSet<Hold>,
    /// Interfaces that were made for the node some time ago and that it cannot use.
    pub(super) useless: Vec<EniId>,
}

impl Wishes {
    fn block(&mut self, reason: Reason, short: u32) {
        if !self.blocked.iter().any(|it| it.reason == reason) {
            self.blocked.push(Blocked { reason, short });
        }
    }

    pub(super) fn wants(&self, api: Api) -> bool {
        let resends = self.resend && api == Api::CreateNetworkInterface;
        resends || self.actions.iter().any(|action| action.api() == api)
    }

    /// Whether all that is to be modified are the security groups of interfaces.
    pub(super) fn only_repairs(&self) -> bool {
        let mut actions = self.actions.iter();
        !actions.any(|action| matches!(action, Action::SetDeleteOnTermination { .. }))
    }
}

impl Reconciler {
    /// What a node may do now.
    pub(super) fn wishes(&self, slot: Slot) -> Wishes {
        let mut wishes = Wishes::default();
        let Some(record) = self.nodes.get(slot) else { return wishes };
        let named = record.gone || record.seen.identity.is_some();
        let Some(view) = record.view.as_ref().filter(|_| named) else {
            wishes.block(Reason::InstanceNotNamed, 0);
            return wishes;
        };
        if let Some(who) = self.rival_of(record) {
            if record.is_served() {
                wishes.block(Reason::RivalOperator { who }, 0);
            }
            return wishes;
        }
        if let Some(other) = self.nodes.twin_of(record).filter(|_| record.is_served()) {
            wishes.block(Reason::InstanceShared { other: other.clone() }, 0);
            return wishes;
        }
        let may_change = self.settings.mode != Mode::Observe;
        let is_due = |it: &super::record::Resend| !it.is_under_way && it.next <= self.now;
        wishes.resend = may_change && record.resends.iter().any(is_due);
        if !record.is_served() {
            self.brake(record, view, leftovers(record, view), &mut wishes);
            return wishes;
        }
        if self.may_plan(record, view, &mut wishes) {
            let plan = plan(View { node: view, network: &self.network }, &self.settings.policy);
            wishes.blocked.extend(plan.blocked);
            for reason in self.stuck(record, view) {
                wishes.block(reason, 0);
            }
            let detachment = self.detachment(record, view, &plan.actions);
            let holds_still = record.stale_since.is_some() || record.unseen > 0;
            if !holds_still {
                wishes.useless = self.useless(record, view, &plan.actions);
            }
            self.brake(record, view, plan.actions, &mut wishes);
            let (unassignments, held_back) = self.unassignments(record, view);
            self.brake(record, view, unassignments, &mut wishes);
            if held_back {
                wishes.holds.insert(Hold::Releases);
            }
            self.brake(record, view, self.repairs(record, view), &mut wishes);
            self.brake(record, view, detachment.into_iter().collect(), &mut wishes);
            wishes.holds.extend(self.detachment_holds(record, view));
            if self.waits_for_groups(record, view) {
                wishes.holds.insert(Hold::Network(view.identity.vpc.clone()));
            }
            if holds_still {
                wishes.actions.clear();
            }
        }
        Self::note_silence(record, &mut wishes);
        self.note_tries(record, view, &mut wishes);
        if wishes.blocked.iter().any(|it| is_about_network(&it.reason)) {
            wishes.holds.insert(Hold::Network(view.identity.vpc.clone()));
        }
        wishes
    }

    /// What Berth made for the node some time ago and is not about to be attached, although nothing is in the way.
    fn useless(&self, record: &Record, view: &NodeView, actions: &[Action]) -> Vec<EniId> {
        let made_by = self.now.before(UNATTACHED_AFTER);
        let is_asked = |eni: &EniView| {
            let mut asked = view.in_flight.iter().chain(actions);
            asked.any(|action| action.eni() == Some(&eni.id))
        };
        let is_old = |eni: &EniView| {
            let note = record.notes.get(&eni.id);
            let created = note.and_then(|note| note.created);
            created.is_some_and(|created| created <= made_by)
                || created.is_none() && note.is_some_and(EniNote::is_forsaken)
        };
        let loose = view.enis.iter().filter(|eni| view.running && eni.attachment.is_none());
        let is_ours = |eni: &EniView| {
            is_own(eni, &view.identity.instance)
                && left_alone(eni, &view.settings, &self.settings.policy).is_none()
        };
        let useless = loose.filter(|eni| is_old(eni) && !is_asked(eni) && is_ours(eni));
        useless.map(|eni| eni.id.clone()).collect()
    }

    /// Whether enough is known of the node and around it. If not, why.
    fn may_plan(&self, record: &Record, view: &NodeView, wishes: &mut Wishes) -> bool {
        if record.seen.settings.is_none() {
            wishes.block(Reason::SettingsUnreadable, 0);
            return false;
        }
        let vpc = self.vpcs.get(&view.identity.vpc);
        if let Some(trouble) = vpc.and_then(|vpc| vpc.trouble.clone()) {
            wishes.block(trouble, 0);
        }
        if !vpc.is_some_and(|vpc| vpc.is_complete) {
            return false;
        }
        let is_known = on_card_0(view).next().is_some();
        // What a single reading does not show may have been hidden from it alone.
        let is_lost = record.unseen > u32::from(is_known);
        if is_lost {
            let instance = view.identity.instance.clone();
            wishes.block(Reason::InstanceNotObserved { instance }, 0);
        } else if record.observed.is_none()
            && let Some(trouble) = self.reads.trouble.clone()
        {
            wishes.block(trouble, 0);
        }
        if record.extent == Extent::Unreadable {
            let instance = view.identity.instance.clone();
            wishes.block(Reason::InstanceNotObserved { instance }, 0);
        }
        record.observed.is_some() && record.extent == Extent::Whole && !is_lost && is_known
    }

    /// Keeps the actions that nothing forbids.
    fn brake(&self, record: &Record, view: &NodeView, actions: Vec<Action>, wishes: &mut Wishes) {
        let mut short = None;
        if self.settings.mode == Mode::Observe && !actions.is_empty() {
            wishes.block(Reason::OnlyObserved, self.short(view));
        }
        for action in actions {
            let Some((reason, hold)) = self.forbids(record, &action) else {
                self.note_waiting(record, view, &action, wishes);
                wishes.actions.push(action);
                continue;
            };
            wishes.holds.extend(hold);
            if let Some(reason) = reason {
                let short = *short.get_or_insert_with(|| self.short(view));
                wishes.block(reason, if brings_addresses(&action) { short } else { 0 });
            }
        }
    }

    /// What forbids an action now: the reason, and what to wait for. `None`: nothing.
    fn forbids(&self, record: &Record, action: &Action) -> Option<(Option<Reason>, Option<Hold>)> {
        let api = action.api();
        if let Some(pause) = record.pauses.get(&api).filter(|pause| self.now < pause.until) {
            return Some((pause.reason.clone(), None));
        }
        let permission = GateKey::Permission(api);
        if self.gates.is_closed(&permission, self.now) {
            let reason = Reason::MissingPermission { api };
            return Some((Some(reason), Some(Hold::Gate(permission))));
        }
        if api != Api::CreateNetworkInterface {
            return None;
        }
        if record.made_unseen.is_some() {
            return Some((Some(Reason::NoAnswer { api }), None));
        }
        // What cannot be attached is not made.
        let attach = Api::AttachNetworkInterface;
        if let Some(pause) = record.pauses.get(&attach).filter(|pause| self.now < pause.until) {
            return Some((pause.reason.clone(), None));
        }
        let permission = GateKey::Permission(attach);
        if self.gates.is_closed(&permission, self.now) {
            let reason = Reason::MissingPermission { api: attach };
            return Some((Some(reason), Some(Hold::Gate(permission))));
        }
        if self.gates.is_closed(&GateKey::Quota, self.now) {
            return Some((Some(Reason::InterfaceQuotaReached), Some(Hold::Gate(GateKey::Quota))));
        }
        let per_hour = self.settings.creations_per_hour?;
        (self.creations.left_of(per_hour) == 0)
            .then_some((Some(Reason::CreationCapReached { per_hour }), Some(Hold::Cap)))
    }

    /// Says so when an action has waited for the budget for long.
    fn note_waiting(&self, record: &Record, view: &NodeView, action: &Action, wishes: &mut Wishes) {
        let api = action.api();
        let place = record.queued.get(&api);
        let waits = place.is_some_and(|it| self.now >= it.since + THROTTLED_AFTER);
        if waits && self.budget.next_token(self.now, api).is_some() {
            let short = if brings_addresses(action) { self.short(view) } else { 0 };
            wishes.block(Reason::Throttled { api }, short);
        }
    }

    /// Keeps saying why an action failed before while it is tried again.
    fn note_tries(&self, record: &Record, view: &NodeView, wishes: &mut Wishes) {
        for api in Api::ALL.iter().copied().filter(|api| api.is_mutation()) {
            let makes_room = api == Api::CreateNetworkInterface && !view.marks.doomed.is_empty();
            let is_under_way = view.in_flight.iter().any(|it| it.api() == api);
            let is_tried = makes_room || is_under_way || wishes.wants(api);
            if !is_tried {
                continue;
            }
            if let Some(reason) = record.pauses.get(&api).and_then(|it| it.reason.clone()) {
                wishes.block(reason, 0);
            }
            // No pod lacks an address because an interface stays.
            let is_needed = api != Api::DetachNetworkInterface;
            if is_needed && self.gates.exists(&GateKey::Permission(api)) {
                wishes.block(Reason::MissingPermission { api }, 0);
            }
            if api == Api::AttachNetworkInterface && record.stopped_until.is_some() {
                let instance = view.identity.instance.clone();
                wishes.block(Reason::InstanceNotRunning { instance }, 0);
            }
        }
    }

    fn note_silence(record: &Record, wishes: &mut Wishes) {
        if record.resends.iter().any(|it| it.step >= SILENT_AFTER) {
            wishes.block(Reason::NoAnswer { api: Api::CreateNetworkInterface }, 0);
        }
    }

    /// How many addresses the node lacks that it must have.
    pub(super) fn short(&self, view: &NodeView) -> u32 {
        let watermarks = &view.settings.watermarks;
        ask(self.supply(view), watermarks, view.waiting_pods, watermarks.max_allocate()).must
    }

    /// How many addresses the node will lack when the pods that wait have theirs.
    pub(super) fn short_when_served(&self, view: &NodeView) -> u32 {
        let watermarks = &view.settings.watermarks;
        ask(self.supply_when_served(view), watermarks, 0, watermarks.max_allocate()).must
    }

    /// What the node has and uses when the pods that wait have their addresses.
    pub(super) fn supply_when_served(&self, view: &NodeView) -> Supply {
        let supply = self.supply(view);
        Supply { used: supply.used.saturating_add(view.waiting_pods), ..supply }
    }

    fn supply(&self, view: &NodeView) -> Supply {
        Supply {
            available: available(view, &self.settings.policy),
            used: used(view.demand, &view.settings.watermarks),
        }
    }
}

/// What is still to be done for a node that is not served any more: what was made for it and never attached is
/// deleted, what was attached ends with its instance.
pub(super) fn leftovers(record: &Record, view: &NodeView) -> Vec<Action> {
    let is_left = |eni: &&EniView| {
        let is_made = record.notes.get(&eni.id).is_some_and(|note| note.created.is_some())
            || record.departure.as_ref().is_some_and(|it| it.eni == eni.id);
        let is_asked = view.in_flight.iter().any(|action| action.eni() == Some(&eni.id));
        is_made && !is_asked && !record.doubts.contains_key(&eni.id)
    };
    let left = view.enis.iter().filter(is_left);
    left.filter_map(|eni| leftover(eni, view.settings.delete_on_termination)).collect()
}

fn leftover(eni: &EniView, ends_with_instance: bool) -> Option<Action> {
    let Some(attachment) = &eni.attachment else {
        return Some(Action::DeleteEni { eni: eni.id.clone() });
    };
    let outlives = ends_with_instance
        && attachment.delete_on_termination == Some(false)
        && attachment.state != AttachmentState::Detaching;
    let attachment = attachment.id.clone().filter(|_| outlives)?;
    Some(Action::SetDeleteOnTermination { eni: eni.id.clone(), attachment })
}

pub(super) const fn brings_addresses(action: &Action) -> bool {
    matches!(
        action,
        Action::AssignAddresses { .. }
            | Action::AssignPrefixes { .. }
            | Action::CreateEni(_)
            | Action::AttachEni { .. }
    )
}

/// Whether another reading of the VPC could change it.
const fn is_about_network(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::NoSubnetWithId { .. }
            | Reason::NoSubnetWithTags { .. }
            | Reason::NoSubnet
            | Reason::SubnetsExhausted { .. }
            | Reason::NoFreePrefix { .. }
            | Reason::SubnetUnknown { .. }
            | Reason::SubnetFilteredOut { .. }
            | Reason::NoSecurityGroupWithTags { .. }
            | Reason::NoSecurityGroup
            | Reason::NoIpv6Subnet
    )
}

//! Which interfaces of a node hold nothing, and whether they may go.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::GIVING;
use crate::ids::EniId;
use crate::managed::{is_own, left_alone};
use crate::plan::wants_ipv6;
use crate::reconcile::gate::GateKey;
use crate::reconcile::record::Record;
use crate::reconcile::wishes::brings_addresses;
use crate::reconcile::{Mode, Reconciler};
use crate::view::{Attachment, AttachmentState, EniView, NodeView};

/// Whether an interface is attached, and not as the primary one.
pub(in crate::reconcile) fn is_secondary(at: &Attachment) -> bool {
    at.state == AttachmentState::Attached && at.device_index > 0
}

impl Reconciler {
    /// The interfaces of a node that could go at once, the highest device index first.
    pub(super) fn idle(&self, record: &Record, view: &NodeView) -> Vec<EniId> {
        let mut idle = self.idle_enis(record, view);
        if idle.is_empty() || !self.may_detach(record, view) {
            return Vec::new();
        }
        idle.sort_by_key(|eni| {
            (Reverse(eni.attachment.as_ref().map(|at| at.device_index)), &eni.id)
        });
        idle.into_iter().map(|eni| eni.id.clone()).collect()
    }

    /// The interfaces that hold nothing and that a node does not need, whether or not they may go.
    pub(in crate::reconcile) fn idle_enis<'a>(
        &self,
        record: &Record,
        view: &'a NodeView,
    ) -> Vec<&'a EniView> {
        let idle = view.enis.iter().filter(|eni| self.is_idle(record, view, eni));
        let idle: Vec<&EniView> = idle.collect();
        if idle.is_empty() || !self.needs_nothing(record, view) { Vec::new() } else { idle }
    }

    /// Whether an interface is one of Berth's that holds nothing, and nothing happens to it or is said of it.
    pub(super) fn is_idle(&self, record: &Record, view: &NodeView, eni: &EniView) -> bool {
        let is_asked = || view.in_flight.iter().any(|action| action.eni() == Some(&eni.id));
        let is_less_than_known = || {
            let note = record.notes.get(&eni.id);
            note.is_some_and(|note| note.missing.is_some() || note.less.is_some())
        };
        eni.holds_nothing()
            && eni.attachment.as_ref().is_some_and(|at| is_secondary(at) && at.id.is_some())
            && is_own(eni, &view.identity.instance)
            && left_alone(eni, &view.settings, &self.settings.policy).is_none()
            && !view.settings.use_primary_address
            && eni.public_ip.is_none()
            && !record.seen.usage.names(eni.ipv4.primary)
            && !is_asked()
            && !record.doubts.contains_key(&eni.id)
            && !is_less_than_known()
            && !record.releases.concerns(&eni.id)
    }

    /// Whether interfaces of a node that it does not need may go now.
    pub(super) fn may_detach(&self, record: &Record, view: &NodeView) -> bool {
        let is_allowed = |api| !self.gates.is_closed(&GateKey::Permission(api), self.now);
        let is_listed = || self.vpcs.get(&view.identity.vpc).is_some_and(|vpc| vpc.is_complete);
        self.settings.mode == Mode::Normal
            && self.settings.release.is_on
            && self.settings.eni_idle_delay.is_some()
            && self.is_certain(record)
            && view.limits.is_some()
            && is_listed()
            && GIVING.into_iter().all(is_allowed)
    }

    pub(super) fn needs_nothing(&self, record: &Record, view: &NodeView) -> bool {
        self.short_when_served(view) == 0
            && !wants_ipv6(view, &self.settings.policy)
            && record.resends.is_empty()
            && record.made_unseen.is_none()
            && !view.in_flight.iter().any(brings_addresses)
    }
}

/// The interfaces of a node that are on their way off it.
pub(in crate::reconcile) fn leaving_enis<'a>(
    record: &'a Record,
    view: &'a NodeView,
) -> impl Iterator<Item = &'a EniView> {
    let departs = record.departure.as_ref().map(|departure| &departure.eni);
    let attached = view.enis.iter().filter(|eni| eni.attachment.is_some());
    attached.filter(move |eni| {
        departs == Some(&eni.id) || eni.state() == Some(AttachmentState::Detaching)
    })
}

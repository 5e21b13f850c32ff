//! What happens by itself: attachments that come and go, instances that start and end, links that appear.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::id::{AttachmentId, InstanceId, InterfaceId};
use crate::latency::Background;
use crate::machine::region::Region;
use crate::model::{AttachmentStatus, Instance, InstanceState, Interface, InterfaceStatus};
use crate::time::Moment;
use crate::world::Resource;

/// How long a terminated instance is still listed: "a short time, usually an hour" (EC2 user guide, terminate instances).
const TERMINATED_LISTED: Duration = Duration::from_hours(1);

/// A change that is due at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The new interface is available, unless it has been attached since.
    Created(InterfaceId),
    /// The attachment arrives, unless it has been given up since.
    Attached(InterfaceId, AttachmentId),
    /// The attachment ends.
    Detached(InterfaceId, AttachmentId),
    /// The interface of a terminated instance is deleted.
    Vanished(InterfaceId),
    /// The instance goes from the one state to the other, unless it has taken another way since.
    Moved(InstanceId, InstanceState, InstanceState),
    /// The terminated instance is no longer listed.
    Forgotten(InstanceId),
    /// Every reader has seen the last change of it.
    Settle(Resource),
}

/// What is due when; what is due at one moment keeps the order in which it was asked for.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    due: BTreeMap<(Moment, u64), Change>,
    sequence: u64,
}

impl Queue {
    pub(crate) fn push(&mut self, at: Moment, change: Change) {
        self.due.insert((at, self.sequence), change);
        self.sequence += 1;
    }

    /// When the next change is due.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    fn pop(&mut self, until: Moment) -> Option<(Moment, Change)> {
        let first = self.due.first_entry()?;
        let at = first.key().0;
        (at <= until).then(|| (at, first.remove()))
    }
}

impl Region {
    /// Carries out what is due until `now`, and makes it the present.
    pub(crate) fn advance(&mut self, now: Moment) {
        while let Some((at, change)) = self.queue.pop(now) {
            self.now = self.now.max(at);
            self.carry_out(change);
        }
        self.now = self.now.max(now);
    }

    fn carry_out(&mut self, change: Change) {
        match change {
            Change::Created(interface) => self.created(&interface),
            Change::Attached(interface, attachment) => self.attached(&interface, &attachment),
            Change::Detached(interface, attachment) => self.detached(&interface, &attachment),
            Change::Vanished(interface) => self.vanished(&interface),
            Change::Moved(instance, from, to) => self.moved(&instance, from, to),
            Change::Forgotten(instance) => self.world.forget_instance(&instance),
            Change::Settle(resource) => self.world.settle(self.now, &resource),
        }
    }

    /// Carries out `change` after the delay that is drawn for `what`: at once when that is zero.
    fn later(&mut self, what: Background, change: Change) {
        match self.background(what) {
            Some(Duration::ZERO) => self.carry_out(change),
            Some(delay) => self.schedule(delay, change),
            None => {}
        }
    }

    /// The interface, if that attachment is the one it has.
    fn with_attachment(&self, id: &InterfaceId, attachment: &AttachmentId) -> Option<Interface> {
        let interface = self.world.interface(id)?;
        let same = interface.attachment.as_ref().is_some_and(|present| present.id == *attachment);
        same.then(|| Interface::clone(interface))
    }

    /// An interface that has just been made becomes available.
    pub(crate) fn begin_creation(&mut self, id: &InterfaceId) {
        self.later(Background::Creating, Change::Created(id.clone()));
    }

    fn created(&mut self, id: &InterfaceId) {
        let pending = |interface: &&Arc<Interface>| interface.status == InterfaceStatus::Pending;
        if let Some(interface) = self.world.interface(id).filter(pending) {
            let interface = Interface::clone(interface);
            self.put_interface(Interface { status: InterfaceStatus::Available, ..interface });
        }
    }

    /// An attachment that has just been made is on its way: it will arrive, and its link will appear, or never.
    pub(crate) fn begin_attachment(&mut self, id: &InterfaceId, attachment: &AttachmentId) {
        self.later(Background::Attaching, Change::Attached(id.clone(), attachment.clone()));
        let link = self.background(Background::Link).map(|delay| self.now + delay);
        self.world.set_link(id, link);
        self.retarget_elastic_ips(id);
    }

    fn attached(&mut self, id: &InterfaceId, attachment: &AttachmentId) {
        let Some(mut interface) = self.with_attachment(id, attachment) else { return };
        if let Some(attachment) = &mut interface.attachment
            && attachment.status == AttachmentStatus::Attaching
        {
            attachment.status = AttachmentStatus::Attached;
            interface.status = InterfaceStatus::InUse;
            self.put_interface(interface);
        }
    }

    /// Lets an attachment go: in time, or at once when it is forced.
    pub(crate) fn begin_detachment(&mut self, interface: &Interface, force: bool) {
        let mut interface = interface.clone();
        let Some(attachment) = &mut interface.attachment else { return };
        attachment.status = AttachmentStatus::Detaching;
        let (id, attachment) = (interface.id.clone(), attachment.id.clone());
        interface.status = InterfaceStatus::Detaching;
        self.put_interface(interface);
        if force {
            self.detached(&id, &attachment);
        } else {
            self.later(Background::Detaching, Change::Detached(id, attachment));
        }
    }

    fn detached(&mut self, id: &InterfaceId, attachment: &AttachmentId) {
        let Some(mut interface) = self.with_attachment(id, attachment) else { return };
        interface.attachment = None;
        interface.loose_since = self.now;
        interface.status = InterfaceStatus::Available;
        self.world.set_link(id, None);
        self.put_interface(interface);
        self.retarget_elastic_ips(id);
    }

    /// Brings an instance on its way: from its state through `passing` to `end`.
    pub(crate) fn begin_move(
        &mut self,
        id: &InstanceId,
        passing: InstanceState,
        end: InstanceState,
    ) {
        self.set_state(id, passing);
        let what = match end {
            InstanceState::Terminated => Background::Terminating,
            _ => Background::Booting,
        };
        self.later(what, Change::Moved(id.clone(), passing, end));
    }

    fn set_state(&mut self, id: &InstanceId, state: InstanceState) {
        if let Some(instance) = self.world.instance(id) {
            let mut instance = Instance::clone(instance);
            instance.state = state;
            self.put_instance(instance);
        }
    }

    fn moved(&mut self, id: &InstanceId, from: InstanceState, to: InstanceState) {
        if self.world.instance(id).is_none_or(|instance| instance.state != from) {
            return;
        }
        self.set_state(id, to);
        if to == InstanceState::Terminated {
            self.release_interfaces(id);
            self.schedule(TERMINATED_LISTED, Change::Forgotten(id.clone()));
        }
    }

    /// The interfaces of a terminated instance: those that are to be deleted with it vanish in time, the others become available.
    fn release_interfaces(&mut self, instance: &InstanceId) {
        let interfaces: Vec<_> = self.world.interfaces_of(instance).cloned().collect();
        for interface in interfaces {
            let Some(attachment) = &interface.attachment else { continue };
            let vanishes = attachment.delete_on_termination;
            self.detached(&interface.id, &attachment.id);
            if vanishes {
                self.later(Background::Detaching, Change::Vanished(interface.id.clone()));
            }
        }
    }

    /// Unless somebody has attached it elsewhere since.
    fn vanished(&mut self, id: &InterfaceId) {
        if self.world.interface(id).is_some_and(|interface| interface.attachment.is_none()) {
            self.remove_interface(id);
        }
    }
}

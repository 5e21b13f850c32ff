//! What is kept of one node beside its view.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::gate::GateKey;
use super::groups::{Drift, Repair};
use super::idle::Departure;
use super::line::Place;
use super::{GivingBack, NodeSeen, READING_LASTS, ReconcileSettings, Summary};
use crate::action::Action;
use crate::call::Api;
use crate::ids::{EniId, InstanceId, VpcId};
use crate::reason::{Blocked, Reason};
use crate::release::Releases;
use crate::time::Tick;
use crate::view::{NodeIdentity, NodeView};

/// The place of a node in the machine. Never used twice; a later node has a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(pub(super) u64);

/// One node.
#[derive(Debug)]
pub(super) struct Record {
    /// What was handed in last.
    pub(super) seen: NodeSeen,
    /// When it was handed in first.
    pub(super) since: Tick,
    /// Whether the node is no more, and only remembered until what was made for it is removed and readings show it.
    pub(super) gone: bool,
    /// `None` until it says which instance it is.
    pub(super) view: Option<NodeView>,
    pub(super) waiting_pods: u32,
    /// When the last reading of its instance was sent.
    pub(super) observed: Option<Tick>,
    pub(super) extent: Extent,
    /// How many readings in a row showed no interface of its instance.
    pub(super) unseen: u32,
    pub(super) notes: BTreeMap<EniId, EniNote>,
    pub(super) doubts: BTreeMap<EniId, Doubt>,
    /// Creations without an answer.
    pub(super) resends: Vec<Resend>,
    /// When a creation was given up whose fate is not known. Nothing is made before all interfaces were listed.
    pub(super) made_unseen: Option<Tick>,
    pub(super) pauses: BTreeMap<Api, Pause>,
    /// When its instance is to be read again, apart from the audit.
    pub(super) reread: Option<Tick>,
    /// Nothing is planned before a reading that was sent at this time or later.
    pub(super) stale_since: Option<Tick>,
    /// Device indexes that EC2 says are taken, and since when that is known.
    pub(super) indexes: Vec<(u16, Tick)>,
    /// What EC2 said of an instance that takes no more interfaces.
    pub(super) full: Option<Full>,
    /// How often in a row it said so.
    pub(super) full_times: u32,
    /// Until when nothing is attached because the instance was not running the last time.
    pub(super) stopped_until: Option<Tick>,
    pub(super) rival: Option<Sighting>,
    pub(super) queued: BTreeMap<Api, Place>,
    /// What leaves it.
    pub(super) releases: Releases,
    /// For the sake of what left it, it was read at this time or later.
    pub(super) release_read: Option<Tick>,
    /// What was last to be published of that.
    pub(super) giving_back: GivingBack,
    /// The interface that leaves it.
    pub(super) departure: Option<Departure>,
    /// When it was looked for one that a former operator began with.
    pub(super) inherited: Option<Tick>,
    /// What it is held back by, and waits for.
    pub(super) holds: BTreeSet<Hold>,
    pub(super) blocked: Vec<Blocked>,
    /// What was last reported as what would be done.
    pub(super) would: Vec<Action>,
    pub(super) shown: Option<Summary>,
    /// Whether what is published of it may have changed since it was last offered.
    pub(super) unpublished: bool,
    /// Whether it ever had an address for pods.
    pub(super) had_address: bool,
}

/// How much of a node was ever read. Pods may be on what could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Nothing, or something in the only readings that showed it could not be read, of whichever node.
    Partial,
    /// Something in a reading of it alone could not be read.
    Unreadable,
    /// All of it.
    Whole,
}

/// Something that nodes wait for, and are looked at again for when it changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hold {
    /// Something that EC2 refuses for now.
    Gate(GateKey),
    /// The cap on creations.
    Cap,
    /// The cap on addresses that are given back.
    Releases,
    /// Subnets, groups or route tables of a VPC.
    Network(VpcId),
}

/// What is remembered of one interface.
#[derive(Debug, Clone, Default)]
pub(super) struct EniNote {
    /// When its last change was answered, or was found to be unanswered.
    pub(super) written: Option<Tick>,
    /// When the machine made it.
    pub(super) created: Option<Tick>,
    /// When the last reading that showed it was sent.
    pub(super) read: Option<Tick>,
    /// When the last reading was sent that showed all that it is known to hold.
    pub(super) proven: Option<Tick>,
    /// When the first reading was sent that did not show it any more.
    pub(super) missing: Option<Tick>,
    /// When the first reading was sent that did not show all that it held.
    pub(super) less: Option<Tick>,
    /// Since when it holds nothing and could be detached at once.
    pub(super) idle: Option<Tick>,
    /// Since when it is known to be on its way off the instance.
    pub(super) detaching: Option<Tick>,
    /// Since when it is known to be attached to nothing.
    pub(super) loose: Option<Tick>,
    /// Whether it was to be read because of that.
    pub(super) is_looked_at: bool,
    /// That it is behind other security groups than it should be.
    pub(super) drift: Option<Drift>,
    /// That it was put back behind its security groups.
    pub(super) repaired: Option<Repair>,
}

/// An interface whose last change has no answer.
#[derive(Debug, Clone)]
pub(super) struct Doubt {
    /// What may have happened. It stays among what is in flight.
    pub(super) actions: Vec<Action>,
    /// When the answer was lost.
    pub(super) lost: Tick,
    /// When to look next.
    pub(super) next: Tick,
    pub(super) step: Duration,
}

/// A creation that is sent again until it is answered.
#[derive(Debug, Clone)]
pub(super) struct Resend {
    pub(super) action: Action,
    pub(super) token: String,
    pub(super) first_sent: Tick,
    /// When the last attempt was lost.
    pub(super) lost: Tick,
    pub(super) next: Tick,
    pub(super) step: Duration,
    pub(super) is_under_way: bool,
}

/// An action is not asked for again before a time.
#[derive(Debug, Clone)]
pub(super) struct Pause {
    pub(super) until: Tick,
    pub(super) step: Duration,
    pub(super) reason: Option<Reason>,
}

/// EC2 said that the instance takes no more interfaces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Full {
    /// How many it had.
    pub(super) enis: u16,
    pub(super) since: Tick,
    /// From when on a reading that shows as many is a reason to try again: it contradicts what EC2 said.
    pub(super) until: Tick,
}

/// Somebody else was seen at work.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) who: String,
    pub(super) at: Tick,
}

/// An interface that was made for a node and is attached to nothing for this time is deleted, when the node cannot use it.
pub(super) const UNATTACHED_AFTER: Duration = Duration::from_mins(4);
/// Nothing is made for this time after something had to be deleted.
const REST: Duration = Duration::from_mins(10);
/// Pauses from this length on are said.
const SAID_FROM: Duration = Duration::from_secs(2);

impl Record {
    pub(super) fn new(seen: NodeSeen, now: Tick) -> Self {
        let view = seen.identity.clone().map(|identity| first_view(identity, &seen));
        Self {
            seen,
            since: now,
            gone: false,
            view,
            waiting_pods: 0,
            observed: None,
            extent: Extent::Partial,
            unseen: 0,
            notes: BTreeMap::new(),
            doubts: BTreeMap::new(),
            resends: Vec::new(),
            made_unseen: None,
            pauses: BTreeMap::new(),
            reread: None,
            stale_since: None,
            indexes: Vec::new(),
            full: None,
            full_times: 0,
            stopped_until: None,
            rival: None,
            queued: BTreeMap::new(),
            releases: Releases::default(),
            release_read: None,
            giving_back: GivingBack::default(),
            departure: None,
            inherited: None,
            holds: BTreeSet::new(),
            blocked: Vec::new(),
            would: Vec::new(),
            shown: None,
            unpublished: true,
            had_address: false,
        }
    }

    pub(super) fn instance(&self) -> Option<&InstanceId> {
        self.view.as_ref().map(|view| &view.identity.instance)
    }

    pub(super) fn vpc(&self) -> Option<&VpcId> {
        self.view.as_ref().map(|view| &view.identity.vpc)
    }

    /// Whether the node is there and wants to be served.
    pub(super) fn is_served(&self) -> bool {
        !self.gone && !self.seen.ignored
    }

    /// Changes of an interface that were sent and are not lost.
    pub(super) fn is_changing(&self, eni: &EniId) -> bool {
        let lost = self.doubts.get(eni).map_or(0, |doubt| doubt.actions.len());
        let under_way = self.view.as_ref().map_or(0, |view| {
            view.in_flight.iter().filter(|action| action.eni() == Some(eni)).count()
        });
        under_way > lost
    }

    /// Removes one action from what is in flight. Answers whether it was there.
    pub(super) fn land(&mut self, action: &Action) -> bool {
        let Some(view) = &mut self.view else { return false };
        let position = view.in_flight.iter().position(|it| it == action);
        position.map(|position| view.in_flight.remove(position)).is_some()
    }

    /// When the node has to be looked at for a reason of its own.
    pub(super) fn wake(
        &self,
        now: Tick,
        throttled_after: Duration,
        settings: &ReconcileSettings,
    ) -> Option<Tick> {
        let doubts = self.doubts.values().map(|doubt| doubt.next);
        let resends = self.resends.iter().filter(|it| !it.is_under_way).map(|it| it.next);
        let pauses = self.pauses.values().map(|pause| pause.until);
        let queued = self.queued.values().map(|place| place.since + throttled_after);
        let rival = self.rival.iter().map(|rival| rival.at + settings.rival_grace);
        let stranded = self.stranded_at();
        let releases = self.releases.deadline(now, &settings.release);
        let single = self.reread.into_iter().chain(stranded).chain(self.stopped_until);
        let forgotten = self.gone.then(|| self.readable_at(settings.settle)).flatten();
        let single = single.chain(releases).chain(self.leaving(settings)).chain(forgotten);
        let all = doubts.chain(resends).chain(pauses).chain(queued).chain(rival).chain(single);
        all.filter(|at| *at > now).min()
    }

    /// When something is due for interfaces that hold nothing, are being detached or attached to nothing, or are behind contested groups.
    fn leaving<'a>(&'a self, settings: &'a ReconcileSettings) -> impl Iterator<Item = Tick> + 'a {
        let agreed_for = settings.release.agreed_for;
        let departure = self.departure.iter().flat_map(move |it| it.wake(agreed_for));
        let delay = settings.eni_idle_delay.filter(|_| self.departure.is_none());
        let idle = move |note: &EniNote| Some(note.idle? + delay?);
        let of_note = move |note: &'a EniNote| {
            let times = [idle(note), note.forsaken_at(), note.stuck_at(), note.repair_at()];
            times.into_iter().flatten()
        };
        departure.chain(self.notes.values().flat_map(of_note))
    }

    /// From when on no reading comes any more that does not show all that was done to its interfaces.
    pub(super) fn readable_at(&self, settle: Duration) -> Option<Tick> {
        let written = self.notes.values().filter_map(|note| note.written).max();
        written.map(|written| written + settle + READING_LASTS)
    }

    /// When the oldest interface that was made and never attached is deleted, if it cannot be.
    fn stranded_at(&self) -> Option<Tick> {
        let view = self.view.as_ref()?;
        let loose = view.enis.iter().filter(|eni| eni.attachment.is_none());
        let made = loose.filter_map(|eni| self.notes.get(&eni.id)?.created);
        made.min().map(|made| made + UNATTACHED_AFTER)
    }

    /// Whether EC2 refuses to attach what was made for the node.
    pub(super) fn is_attaching_refused(&self) -> bool {
        let pause = self.pauses.get(&Api::AttachNetworkInterface);
        pause.is_some_and(|it| matches!(it.reason, Some(Reason::Refused { .. })))
    }

    /// Marks what was made before `made_by` and never attached to be deleted. Nothing is made in its place for a
    /// while.
    pub(super) fn doom_loose(&mut self, now: Tick, made_by: Tick, because: &Reason) {
        let Some(view) = &mut self.view else { return };
        for eni in view.enis.iter().filter(|eni| eni.attachment.is_none()) {
            let created = self.notes.get(&eni.id).and_then(|note| note.created);
            if created.is_some_and(|created| created <= made_by)
                && !view.marks.doomed.contains(&eni.id)
            {
                view.marks.doomed.push(eni.id.clone());
                let pause = Pause { until: now + REST, step: REST, reason: Some(because.clone()) };
                self.pauses.insert(Api::CreateNetworkInterface, pause);
            }
        }
    }

    /// The next pause after a failure: as long as the last one doubled, between the bounds.
    pub(super) fn pause(
        &mut self,
        api: Api,
        now: Tick,
        (first, most): (Duration, Duration),
        reason: Option<Reason>,
    ) {
        let step = self.pauses.get(&api).map_or(first, |pause| (pause.step * 2).clamp(first, most));
        // What passes by itself is not worth saying.
        let reason = reason.filter(|_| step >= SAID_FROM);
        self.pauses.insert(api, Pause { until: now + step, step, reason });
    }
}

/// The view of a node of which nothing was observed.
fn first_view(identity: NodeIdentity, seen: &NodeSeen) -> NodeView {
    NodeView {
        identity,
        settings: seen.settings.clone().unwrap_or_default(),
        demand: seen.demand,
        waiting_pods: 0,
        limits: None,
        running: true,
        enis: Vec::new(),
        in_flight: Vec::new(),
        marks: crate::view::Marks::default(),
    }
}

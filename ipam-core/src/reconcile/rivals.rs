//! Somebody else does the same work: the machine steps back and waits until it is gone.

use alloc::collections::BTreeSet;
use alloc::string::String;

use super::agenda::Timer;
use super::record::{Record, Sighting, Slot};
use super::{Event, Reconciler, Rival};

/// What is known of rivals of more than one node.
#[derive(Debug, Default)]
pub(super) struct Rivals {
    /// The nodes that have one.
    hit: BTreeSet<Slot>,
    /// The rival of all nodes.
    of_all: Option<Sighting>,
}

impl Rivals {
    pub(super) fn forget(&mut self, slot: Slot) {
        self.hit.remove(&slot);
    }

    /// Whether there is a rival of all nodes.
    pub(super) const fn are_everywhere(&self) -> bool {
        self.of_all.is_some()
    }
}

impl Reconciler {
    pub(super) fn see_rival(&mut self, slot: Slot, rival: Rival) {
        let sighting = Sighting { who: rival.who.clone(), at: self.now };
        let Some(record) = self.nodes.get_mut(slot) else { return };
        let is_new = record.rival.replace(sighting.clone()).is_none();
        let node = record.seen.name.clone();
        self.rivals.hit.insert(slot);
        if is_new {
            self.out.say(Event::RivalFound { node: Some(node), rival: rival.clone() });
        }
        let is_everywhere = self.rivals.hit.len() >= self.settings.rival_nodes.max(1);
        if is_everywhere || self.rivals.of_all.is_some() {
            let at = self.now + self.settings.rival_grace;
            self.agenda.set(Timer::Rivals, Some(at));
            if self.rivals.of_all.replace(sighting).is_none() {
                self.out.say(Event::RivalFound { node: None, rival });
                self.touch_all();
            }
        }
        self.touch(slot);
    }

    /// Who stands in the way of a node.
    pub(super) fn rival_of(&self, record: &Record) -> Option<String> {
        let rival = self.rivals.of_all.as_ref().or(record.rival.as_ref());
        rival.map(|rival| rival.who.clone())
    }

    pub(super) fn expire_rivals(&mut self) {
        if self.rivals.of_all.take().is_some() {
            self.out.say(Event::RivalGone { node: None });
            for slot in self.nodes.slots() {
                self.mark_unpublished(slot);
            }
            self.touch_all();
        }
    }

    fn touch_all(&mut self) {
        for slot in self.nodes.slots() {
            self.touch(slot);
        }
    }
}

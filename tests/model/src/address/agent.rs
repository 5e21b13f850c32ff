//! The agent: `promise`, and around it what its handshake remembers and what it has on disk.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use ipam_core::agent::Release;
use ipam_core::promise::{self, Entry, Step};

use super::Flaw;
use super::world::{Object, WRITE};

/// How long an agent remembers a promise without an entry, in units.
const REMEMBER: u64 = 3;

/// A publication: an answer to an entry that says so, and whether the address is used. All of it or nothing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Publication {
    sent: u64,
    answer: Option<(Release, Option<Release>)>,
    used: bool,
}

/// What is to be answered to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Answer {
    Nothing,
    Say(Release),
    Remove,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agent {
    /// The object as it saw it; `None` since it was started.
    pub(crate) known: Option<Object>,
    /// Whether the metadata had the address when it was started.
    listed: bool,
    pub(crate) promised: bool,
    /// Whether the disk has it so.
    saved: bool,
    pub(crate) pod: Option<u8>,
    /// Which pod was the last.
    started: u8,
    /// The entry that was seen last, whether an answer to it may be on its way, and whether the address has left the pool since.
    entry: Option<Release>,
    may_be_answered: bool,
    left_pool: bool,
    answer: Answer,
    /// Since when there is a promise without an entry; 0 when there is none.
    orphan_since: u64,
    pub(crate) publication: Option<Publication>,
    /// One that it does not wait for any more.
    pub(crate) late: Option<Publication>,
}

impl Agent {
    pub(crate) const fn new(known: Object) -> Self {
        Self {
            known: Some(known),
            listed: true,
            promised: false,
            saved: false,
            pod: None,
            started: 0,
            entry: None,
            may_be_answered: false,
            left_pool: false,
            answer: Answer::Nothing,
            orphan_since: 0,
            publication: None,
            late: None,
        }
    }

    /// It sees the object, and does what it is asked.
    pub(crate) fn see(&mut self, now: u64, object: Object) {
        self.known = Some(object);
        let Some(release) = object.entry else {
            return self.see_no_entry(now, object.in_pool);
        };
        self.orphan_since = 0;
        if self.entry.replace(release) != Some(release) {
            (self.may_be_answered, self.left_pool) = (false, false);
        }
        self.left_pool |= !object.in_pool;
        let (in_pool, left_pool, used) = (object.in_pool, self.left_pool, self.pod.is_some());
        let entry = Entry { release, in_pool, left_pool, lasts: Duration::ZERO, used };
        self.answer = match promise::step(entry) {
            Step::Promise => {
                self.promised = true;
                Answer::Say(Release::Ready)
            }
            Step::Refuse => Answer::Say(Release::Refused),
            Step::Hold => {
                self.promised |= !used;
                Answer::Nothing
            }
            Step::LetGo => {
                self.promised = false;
                Answer::Nothing
            }
            Step::Remove => Answer::Remove,
        };
    }

    fn see_no_entry(&mut self, now: u64, in_pool: bool) {
        if self.entry.take().is_some_and(|last| promise::ends(last, self.may_be_answered, in_pool))
        {
            self.promised = false;
        }
        (self.answer, self.may_be_answered) = (Answer::Nothing, false);
        let is_orphan = self.promised && in_pool;
        self.orphan_since = match (is_orphan, self.orphan_since) {
            (false, _) => 0,
            (true, 0) => now,
            (true, since) => since,
        };
    }

    /// Whether a promise without an entry may end by now.
    pub(crate) const fn may_forget(&self, now: u64) -> bool {
        self.orphan_since != 0 && now >= self.orphan_since + REMEMBER
    }

    pub(crate) const fn forget(&mut self) {
        (self.promised, self.orphan_since) = (false, 0);
    }

    pub(crate) const fn must_save(&self) -> bool {
        self.promised != self.saved
    }

    pub(crate) const fn save(&mut self) {
        self.saved = self.promised;
    }

    /// What is to be published, if something is: no promise before it is on disk.
    fn to_publish(&self, now: u64, flaw: Option<Flaw>) -> Option<Publication> {
        let used = self.pod.is_some();
        let is_proven = self.saved || flaw == Some(Flaw::ToldBeforeSaved);
        if self.promised && !is_proven {
            return None;
        }
        let answer = self.entry.and_then(|entry| match self.answer {
            Answer::Nothing => None,
            Answer::Say(release) => Some((entry, Some(release))),
            Answer::Remove => Some((entry, None)),
        });
        let is_known = self.known.is_some_and(|known| known.used == used);
        let wants = self.known.is_some() && (answer.is_some() || !is_known);
        wants.then_some(Publication { sent: now, answer, used })
    }

    pub(crate) fn may_publish(&self, flaw: Option<Flaw>) -> bool {
        self.publication.is_none() && self.to_publish(0, flaw).is_some()
    }

    pub(crate) fn publish(&mut self, now: u64, flaw: Option<Flaw>) {
        self.publication = self.to_publish(now, flaw);
        self.may_be_answered |= self.answer != Answer::Nothing;
    }

    /// Nobody knows what becomes of a publication.
    pub(crate) fn lose_publication(&mut self, flaw: Option<Flaw>) {
        self.late = self.publication.take();
        if flaw == Some(Flaw::LostAnswerForgotten) {
            self.may_be_answered = false;
        }
    }

    /// It goes on with what it has on disk, and with what the metadata shows.
    pub(crate) fn restart(&mut self, attached: bool, flaw: Option<Flaw>) {
        let promised = self.saved && flaw != Some(Flaw::PromiseNotPersisted);
        *self = Self {
            known: None,
            listed: attached,
            promised,
            saved: promised,
            pod: self.pod,
            started: self.started,
            late: self.publication.or(self.late),
            ..Self::new(Object::default())
        };
    }

    pub(crate) fn may_start_pod(&self) -> bool {
        let listed = self.known.map_or(self.listed, |known| known.in_pool);
        listed && !self.promised && self.pod.is_none()
    }

    /// A pod gets the address, and is told so when that is on disk, and with it all that was before.
    pub(crate) fn start_pod(&mut self) {
        self.started = if self.started == 1 { 2 } else { 1 };
        self.pod = Some(self.started);
        self.saved = false;
    }

    /// Which pod has the address makes no difference, only whether one has.
    pub(crate) fn hash_at<H: Hasher>(&self, now: u64, hasher: &mut H) {
        let Self { known, listed, promised, saved, entry, may_be_answered, left_pool, .. } = self;
        (known, known.is_none() && *listed, promised, saved, self.pod.is_some()).hash(hasher);
        (entry, may_be_answered, left_pool, self.answer).hash(hasher);
        let age = if self.orphan_since == 0 { 0 } else { 1 + now - self.orphan_since };
        age.min(1 + REMEMBER).hash(hasher);
        for publication in [self.publication, self.late] {
            publication.map(|it| (now - it.sent, it.answer, it.used)).hash(hasher);
        }
    }

    pub(crate) fn pass(&mut self, now: u64) {
        let is_over = |it: &mut Publication| now > it.sent + WRITE;
        self.publication.take_if(is_over);
        self.late.take_if(is_over);
    }
}

/// A publication reaches the API server: it is refused where the entry does not say any more what was answered.
pub(crate) fn apply(publication: Publication, object: Object) -> Object {
    let Publication { answer, used, .. } = publication;
    match answer {
        None => Object { used, ..object },
        Some((to, answer)) if object.entry == Some(to) => Object { entry: answer, used, ..object },
        Some(_) => object,
    }
}

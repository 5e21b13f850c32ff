//! What the publisher knows of one node.

use ipam_core::reconcile::RivalDeed;
use ipam_core::time::Tick;

use super::telling::Telling;
use super::write::{Part, WriteResult};
use crate::kubernetes::observed::{Member, ObservedObject};

/// How often the same content may be put back to what it was before, until that counts as somebody else's work.
const RESTORES_FORGIVEN: u8 = 2;

/// One member that the operator owns, as far as it is known to be as it should be.
#[derive(Debug, Default)]
pub(super) struct Owned {
    /// What should stand there and does.
    confirmed: Option<Confirmed>,
    /// What stood there before the last write of ours.
    before: Option<Member>,
    /// What was written last.
    written: Option<Member>,
    /// What was sent last without an answer: it may be done yet.
    unanswered: Option<Member>,
    /// How often `before` came back since other content was written last.
    restores: u8,
}

#[derive(Debug, Clone, Copy)]
struct Confirmed {
    /// What was to be published; `None` when what stands there is not ours.
    wanted: Option<Member>,
    /// What the API server made of it: an older schema drops what it does not know.
    stored: Member,
}

/// What an observation says of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It is as it was.
    Same,
    /// It is not known to be ours, or was put back: to be looked at.
    Unsure,
    /// Somebody else wrote it.
    Foreign,
}

impl Owned {
    /// Whether `stored` stands there because `wanted` was to.
    pub(super) fn is_in_step(&self, wanted: Member, stored: Member) -> bool {
        let confirmed =
            self.confirmed.is_some_and(|it| it.wanted == Some(wanted) && it.stored == stored);
        confirmed || wanted == stored
    }

    /// Notes that `stored` is right.
    pub(super) fn confirm(&mut self, wanted: Option<Member>, stored: Member) {
        self.confirmed = Some(Confirmed { wanted, stored });
    }

    /// Notes that nobody knows what stands there, since `wanted` was sent and not answered.
    fn doubt(&mut self, wanted: Member) {
        self.confirmed = None;
        self.unanswered = Some(wanted);
    }

    /// Notes what stands there after `wanted` was written.
    fn on_written(&mut self, sent: &Sent, before: Option<Member>, stored: Member) {
        let wanted = sent.wanted;
        if self.written != Some(wanted) {
            self.restores = 0;
        }
        self.written = Some(wanted);
        self.before = before.filter(|before| *before != stored);
        // What was added to may hold more than what was added: only a replacement is what the API server made of it.
        self.confirmed = (sent.replaces || wanted == stored)
            .then_some(Confirmed { wanted: Some(wanted), stored });
    }

    fn judge(&mut self, found: Member) -> Verdict {
        let Some(confirmed) = &mut self.confirmed else { return Verdict::Unsure };
        if found == confirmed.stored {
            return Verdict::Same;
        }
        if let (Member::Filled(found), Member::Filled(stored)) = (found, confirmed.stored)
            && found.is_same_to_older(stored)
        {
            // An agent that does not know the newer members dropped them from what it wrote back. It would do so again.
            confirmed.stored = Member::Filled(found);
            return Verdict::Same;
        }
        *confirmed = Confirmed { wanted: None, stored: found };
        if self.unanswered.take_if(|unanswered| *unanswered == found).is_some() {
            return Verdict::Unsure;
        }
        if self.before == Some(found) && self.restores < RESTORES_FORGIVEN {
            self.restores += 1;
            return Verdict::Unsure;
        }
        Verdict::Foreign
    }
}

/// A write on its way.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) number: u64,
    pub(super) part: Part,
    /// What was written; of no meaning but for [`Part::EniStatus`] and [`Part::Pool`].
    pub(super) wanted: Member,
    pub(super) replaces: bool,
    /// Whether `pre-allocate` was written, too.
    pub(super) seeds: bool,
}

/// What the answer to a write says.
#[derive(Debug, Default)]
pub(super) struct Answered {
    /// Who else was at work.
    pub(super) rivals: Vec<(RivalDeed, Option<u64>)>,
    /// Whether it was done and nothing is different.
    pub(super) is_futile: bool,
}

/// Why nothing is written.
#[derive(Debug, Default)]
pub(super) struct Restraint {
    /// The object asks for it.
    pub(super) ignored: bool,
    /// Somebody else is at work.
    pub(super) held: bool,
}

/// Whether something may have to be written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attention {
    /// No.
    #[default]
    None,
    /// Perhaps.
    Needed,
    /// Perhaps, and it waits in the queue for that.
    Queued,
}

/// What the publisher knows of one node.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// The newest state of the object that was seen.
    pub(super) observed: Option<ObservedObject>,
    /// The newest one that was seen while a write was on its way.
    arrived: Option<Box<ObservedObject>>,
    pub(super) sent: Option<Sent>,
    pub(super) eni: Owned,
    pub(super) pool: Owned,
    /// Whether a pool was published here, so that it is ours to withdraw.
    pub(super) placed_pool: bool,
    /// Whether there is a value for `pre-allocate` that the object would take.
    pub(super) seeds: bool,
    /// What the node's agent is told.
    pub(super) telling: Telling,
    pub(super) restraint: Restraint,
    pub(super) attention: Attention,
    pub(super) failures: u32,
    pub(super) not_before: Option<Tick>,
}

impl Entry {
    /// Something may have to be written.
    pub(super) fn need_attention(&mut self) {
        if self.attention == Attention::None {
            self.attention = Attention::Needed;
        }
    }

    /// Takes in a state of the object. Answers who else was at work.
    pub(super) fn on_observed(&mut self, object: ObservedObject) -> Vec<(RivalDeed, Option<u64>)> {
        if self.observed.as_ref().is_some_and(|known| !is_newer(&object, known)) {
            return vec![];
        }
        if self.sent.is_some() {
            self.arrived = Some(Box::new(object));
            return vec![];
        }
        self.take(object)
    }

    fn take(&mut self, object: ObservedObject) -> Vec<(RivalDeed, Option<u64>)> {
        if self.observed.as_ref().is_none_or(|known| known.uid != object.uid) {
            // Another object under the same name: nothing in it is ours yet.
            self.eni = Owned::default();
            self.pool = Owned::default();
            self.placed_pool = false;
            self.seeds = true;
            self.telling = Telling::default();
        }
        let verdicts = [
            (self.eni.judge(object.eni), RivalDeed::WroteEniStatus),
            (self.pool.judge(object.pool), RivalDeed::WrotePool),
        ];
        if verdicts.iter().any(|(verdict, _)| *verdict != Verdict::Same)
            || self.seeds && object.pre_allocate_unset
            || self.observed.as_ref().is_some_and(|known| known.told != object.told)
        {
            self.need_attention();
        }
        let version = object.version;
        self.observed = Some(object);
        let foreign = verdicts.into_iter().filter(|(verdict, _)| *verdict == Verdict::Foreign);
        let foreign: Vec<_> = foreign.map(|(_, deed)| (deed, version)).collect();
        self.restraint.held |= !foreign.is_empty();
        foreign
    }

    /// Takes in the answer to the write that was on its way.
    pub(super) fn on_written(&mut self, result: &WriteResult) -> Answered {
        let Some(sent) = self.sent.take() else { return Answered::default() };
        let arrived = self.arrived.take().map(|object| *object);
        // What the machine has seen is still about the object before: this one counts when the watch shows it.
        let is_same = |object: &&ObservedObject| {
            self.observed.as_ref().is_none_or(|known| known.uid == object.uid)
        };
        let written = match result {
            WriteResult::Written(object) => Some(object).filter(is_same),
            _ => None,
        };
        let Some(object) = written else {
            self.doubt(&sent);
            let rivals = arrived.into_iter().flat_map(|object| self.take(object)).collect();
            return Answered { rivals, is_futile: false };
        };
        // What came in between is not the echo of our own write.
        let (before, after) = match arrived {
            Some(arrived) if is_newer(object, &arrived) => (Some(arrived), None),
            arrived => (None, arrived.filter(|arrived| is_newer(arrived, object))),
        };
        let mut rivals: Vec<_> = before.into_iter().flat_map(|object| self.take(object)).collect();
        let is_futile = self.observed.as_ref().is_some_and(|before| {
            (before.eni, before.pool, before.pre_allocate_unset, &before.told)
                == (object.eni, object.pool, object.pre_allocate_unset, &object.told)
                && before.releases == object.releases
        });
        self.confirm(&sent, object);
        rivals.extend(self.take(object.clone()));
        rivals.extend(after.into_iter().flat_map(|object| self.take(object)));
        Answered { rivals, is_futile }
    }

    fn confirm(&mut self, sent: &Sent, object: &ObservedObject) {
        let before = self.observed.as_ref();
        match sent.part {
            Part::EniStatus => {
                self.eni.on_written(sent, before.map(|before| before.eni), object.eni);
            }
            Part::Pool => {
                self.pool.on_written(sent, before.map(|before| before.pool), object.pool);
            }
            Part::PreAllocate | Part::Releases => {}
            Part::Error => {
                self.telling.on_written(before.is_some_and(|before| before.told == object.told));
            }
        }
        // A value that the API server does not take is not offered again.
        self.seeds &= !(sent.seeds && object.pre_allocate_unset);
    }

    /// Nobody knows whether a write was done that was not confirmed.
    fn doubt(&mut self, sent: &Sent) {
        match sent.part {
            Part::EniStatus => self.eni.doubt(sent.wanted),
            Part::Pool => self.pool.doubt(sent.wanted),
            Part::PreAllocate | Part::Error | Part::Releases => {}
        }
    }
}

/// Whether `one` is a later state than `other`. Where that cannot be told, it is taken to be.
fn is_newer(one: &ObservedObject, other: &ObservedObject) -> bool {
    one.version.zip(other.version).is_none_or(|(one, other)| other < one)
}

//! Answers that were decided and have not left yet.

use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::attachment::Attachment;
use super::call::{Answer, CallId};
use super::record::RecordId;
use crate::pool::GrantId;

/// What an answer rests on, and what becomes of that when the answer cannot leave.
#[derive(Debug, Clone)]
pub(super) enum Stake {
    /// Nothing: it leaves as it is.
    Nothing,
    /// What was true before, such as an earlier grant: it cannot leave, and nothing is taken back.
    Standing,
    /// What was granted to an interface. Only the first of several answers about it takes it back.
    Attachment(Arc<Attachment>, First),
    /// What was granted to a caller.
    Grants(Vec<(IpAddr, GrantId)>),
    /// One of these that another answer tells of first, or has told of.
    Repeats((IpAddr, GrantId)),
}

/// Whether an answer tells of a grant first, or repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    Yes,
    Repeats,
}

/// An answer that has not left yet.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) call: CallId,
    pub(super) answer: Answer,
    pub(super) stake: Stake,
}

impl Pending {
    fn attachment(&self) -> Option<&Arc<Attachment>> {
        match &self.stake {
            Stake::Attachment(attachment, _) => Some(attachment),
            _ => None,
        }
    }
}

/// Answers that have not left yet.
#[derive(Debug, Default)]
pub(super) struct Answers {
    ready: VecDeque<Pending>,
    /// In the order of the records that they wait for.
    held: VecDeque<(RecordId, Pending)>,
    /// How many answers there are about each interface.
    about: BTreeMap<Arc<Attachment>, usize>,
}

impl Answers {
    /// An answer that may leave when a record is on disk, or now.
    pub(super) fn push(&mut self, after: Option<RecordId>, pending: Pending) {
        if let Some(attachment) = pending.attachment() {
            *self.about.entry(Arc::clone(attachment)).or_default() += 1;
        }
        match after {
            None => self.ready.push_back(pending),
            Some(record) => {
                let index = self.held.partition_point(|(other, _)| *other <= record);
                self.held.insert(index, (record, pending));
            }
        }
    }

    pub(super) fn poll(&mut self) -> Option<(CallId, Answer)> {
        let pending = self.ready.pop_front()?;
        self.uncount(&pending);
        Some((pending.call, pending.answer))
    }

    /// Lets those leave that wait for records up to this one.
    pub(super) fn on_durable(&mut self, durable: RecordId) {
        while let Some((_, pending)) = self.held.pop_front_if(|(record, _)| *record <= durable) {
            self.ready.push_back(pending);
        }
    }

    /// Takes out all that wait for a record.
    pub(super) fn take_held(&mut self) -> Vec<Pending> {
        let held: Vec<Pending> = self.held.drain(..).map(|(_, pending)| pending).collect();
        for pending in &held {
            self.uncount(pending);
        }
        held
    }

    /// Takes out the answer to a call.
    pub(super) fn take_call(&mut self, call: CallId) -> Option<Pending> {
        let ready = self.ready.iter().position(|pending| pending.call == call);
        let held = self.held.iter().position(|(_, pending)| pending.call == call);
        let taken = match (ready, held) {
            (Some(index), _) => self.ready.remove(index),
            (None, Some(index)) => self.held.remove(index).map(|(_, pending)| pending),
            (None, None) => None,
        };
        taken.inspect(|pending| self.uncount(pending))
    }

    /// Takes out all answers that tell a caller of a grant.
    pub(super) fn take_grant(&mut self, grant: (IpAddr, GrantId)) -> Vec<Pending> {
        let tells = |pending: &Pending| match &pending.stake {
            Stake::Grants(grants) => grants.contains(&grant),
            Stake::Repeats(repeated) => *repeated == grant,
            _ => false,
        };
        let held = self.held.iter().map(|(_, pending)| pending);
        let told = self.ready.iter().chain(held).filter(|pending| tells(pending)).cloned();
        let told = told.collect();
        self.ready.retain(|pending| !tells(pending));
        self.held.retain(|(_, pending)| !tells(pending));
        told
    }

    /// Takes out all answers about an interface.
    pub(super) fn take_attachment(&mut self, attachment: &Attachment) -> Vec<CallId> {
        if !self.are_about(attachment) {
            return Vec::new();
        }
        let is_about = |pending: &Pending| {
            pending.attachment().is_some_and(|about| about.as_ref() == attachment)
        };
        let all = self.ready.iter().chain(self.held.iter().map(|(_, pending)| pending));
        let calls = all.filter(|pending| is_about(pending)).map(|pending| pending.call).collect();
        self.ready.retain(|pending| !is_about(pending));
        self.held.retain(|(_, pending)| !is_about(pending));
        self.about.remove(attachment);
        calls
    }

    /// Whether any is about an interface.
    pub(super) fn are_about(&self, attachment: &Attachment) -> bool {
        self.about.contains_key(attachment)
    }

    /// The record that the first answer about an interface waits for.
    pub(super) fn awaited_for(&self, attachment: &Attachment) -> Option<RecordId> {
        if !self.are_about(attachment) {
            return None;
        }
        let mut held = self.held.iter();
        held.find(|(_, pending)| pending.attachment().is_some_and(|it| it.as_ref() == attachment))
            .map(|(record, _)| *record)
    }

    /// Makes another answer about an interface the first one; false when there is none.
    pub(super) fn hand_on(&mut self, attachment: &Attachment) -> bool {
        let held = self.held.iter_mut().map(|(_, pending)| pending);
        for pending in self.ready.iter_mut().chain(held) {
            if let Stake::Attachment(about, first) = &mut pending.stake
                && about.as_ref() == attachment
            {
                *first = First::Yes;
                return true;
            }
        }
        false
    }

    /// Makes another answer about a caller's grant the first one; false when there is none.
    pub(super) fn hand_on_grant(&mut self, grant: (IpAddr, GrantId)) -> bool {
        let held = self.held.iter_mut().map(|(_, pending)| pending);
        let mut all = self.ready.iter_mut().chain(held);
        let repeats =
            all.find(|it| matches!(it.stake, Stake::Repeats(repeated) if repeated == grant));
        match repeats {
            Some(pending) => {
                pending.stake = Stake::Grants(Vec::from([grant]));
                true
            }
            None => false,
        }
    }

    fn uncount(&mut self, pending: &Pending) {
        let Some(attachment) = pending.attachment() else { return };
        if let Entry::Occupied(mut count) = self.about.entry(Arc::clone(attachment)) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

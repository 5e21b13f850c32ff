//! What is done about each call.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::Agent;
use super::answers::{First, Pending, Stake};
use super::attachment::{Attachment, Sandbox};
use super::call::{Answer, Call, CallId, Refused};
use super::event::Event;
use super::record::{Ground, Record};
use super::waiting::Waiter;
use crate::pool::{By, Claim, Family, GrantId, Owner, Refusal};

/// An unmet request without somebody who waits counts as demand for so long (Cilium's agents do the same).
pub(super) const UNMET_FOR: Duration = Duration::from_mins(5);

impl Agent {
    pub(super) fn handle(&mut self, id: CallId, call: Call) {
        match call {
            Call::Add { attachment, pod, uid, wait } => {
                let until = self.now + wait.unwrap_or(Duration::MAX).min(self.settings.wait_max);
                let attachment = Arc::new(attachment);
                self.add(Waiter { call: id, attachment, pod, uid, since: self.now, until });
            }
            Call::Del { attachment } => self.del(id, attachment),
            Call::Check { attachment, addresses } => self.check(id, &attachment, &addresses),
            Call::Gc { network, valid } => self.gc(id, &network, &valid),
            Call::Status => self.say_whether_served(id),
            Call::Allocate { families, owner, claim } => {
                self.allocate(id, &families, &owner, claim);
            }
            Call::AllocateExact { address, owner } => self.allocate_exact(id, address, &owner),
            Call::Claim { address, id: grant } => self.claim(id, address, grant),
            Call::Release { address } => self.release(id, address),
        }
    }

    fn add(&mut self, waiter: Waiter) {
        if self.book.attachments.contains_key(&waiter.attachment) {
            return self.repeat(&waiter);
        }
        if self.missing().is_none() && self.waiting.len() == 0 && self.shortage().is_none() {
            return self.grant_to(waiter);
        }
        if waiter.until <= self.now {
            let refused = self.why_not(Duration::ZERO);
            return self.refuse(waiter.call, refused);
        }
        let waiting = self.waiting.len();
        if waiting >= self.settings.waiting_max {
            return self.refuse(waiter.call, Refused::TooManyWait { waiting });
        }
        self.waiting.push(waiter);
        self.counts.waited += 1;
        self.events.push_back(Event::Waits { waiting: waiting + 1 });
        self.publisher.hurry(self.now);
        self.reconsider();
    }

    /// Answers what the interface was granted before.
    fn repeat(&mut self, waiter: &Waiter) {
        let attachment = &waiter.attachment;
        let answer = self.leases_of(attachment).map_or_else(Answer::Refused, Answer::Granted);
        let after = self.answers.awaited_for(attachment);
        let stake = Stake::Attachment(Arc::clone(attachment), First::Repeats);
        self.answers.push(after, Pending { call: waiter.call, answer, stake });
    }

    /// Grants an address of each enabled family, of which there are some.
    pub(super) fn grant_to(&mut self, waiter: Waiter) {
        let Waiter { call, attachment, pod, uid, since, .. } = waiter;
        let took = self.now.since(since);
        let owner = Owner::Pod(pod);
        let mut grants = Vec::with_capacity(Family::ALL.len());
        for family in self.settings.families() {
            let ground =
                Ground::Attachment { attachment: Arc::clone(&attachment), uid: uid.clone() };
            match self.grant(family, &owner, Claim::NotNeeded, ground, took) {
                Ok(grant) => grants.push(grant),
                Err(refusal) => {
                    self.take_back_all(grants);
                    return self.refuse(call, Refused::Ledger(refusal));
                }
            }
        }
        let answer = self.leases(&grants).map_or_else(Answer::Refused, Answer::Granted);
        self.tell(call, answer, Stake::Attachment(attachment, First::Yes));
    }

    /// Serves those who wait, in order, as far as there are addresses.
    pub(super) fn serve(&mut self) {
        if self.missing().is_some() {
            return;
        }
        while let Some(first) = self.waiting.first() {
            let is_held = self.book.attachments.contains_key(&first.attachment);
            if !is_held && self.shortage().is_some() {
                return;
            }
            let Some(waiter) = self.waiting.pop() else { return };
            if is_held {
                self.repeat(&waiter);
                continue;
            }
            let attachment = Arc::clone(&waiter.attachment);
            self.grant_to(waiter);
            for other in self.waiting.remove_attachment(&attachment) {
                self.repeat(&other);
            }
        }
    }

    /// Refuses those who have waited long enough.
    pub(super) fn end_waits(&mut self) {
        while let Some(waiter) = self.waiting.pop_ended(self.now) {
            let refused = self.why_not(self.now.since(waiter.since));
            self.refuse(waiter.call, refused);
            self.publisher.mark(self.now);
        }
    }

    /// Why an ADD is not served.
    fn why_not(&self, waited: Duration) -> Refused {
        if let Some(missing) = self.missing() {
            return Refused::NotReady { missing };
        }
        match self.shortage().or_else(|| self.settings.families().next()) {
            Some(family) => self.no_address(family, waited),
            None => Refused::FamilyDisabled { family: Family::Ipv4 },
        }
    }

    fn no_address(&self, family: Family, waited: Duration) -> Refused {
        let tally = self.book.ledger.tally(family);
        let (blocked, host) = (self.blocked().cloned(), self.host_problem());
        Refused::NoAddress { family, tally, waited, blocked, host }
    }

    /// The first enabled family of which no address can be handed out.
    pub(super) fn shortage(&self) -> Option<Family> {
        self.settings.families().find(|family| !self.has_room(*family))
    }

    pub(super) fn has_room(&self, family: Family) -> bool {
        let tally = self.book.ledger.tally(family);
        tally.free + tally.cooling > 0
    }

    fn del(&mut self, call: CallId, attachment: Attachment) {
        let attachment = Arc::new(attachment);
        let waiting = self.waiting.remove_attachment(&attachment).into_iter();
        let unanswered = self.answers.take_attachment(&attachment).into_iter();
        let ended: Vec<CallId> = waiting.map(|waiter| waiter.call).chain(unanswered).collect();
        for call in ended {
            self.refuse(call, Refused::Deleted);
            self.publisher.mark(self.now);
        }
        self.release_attachment(&attachment);
        self.tell(call, Answer::Done, Stake::Nothing);
        self.serve();
    }

    fn check(&mut self, call: CallId, attachment: &Attachment, addresses: &[IpAddr]) {
        let attached = self.book.attachments.get(attachment);
        let held: Vec<IpAddr> =
            attached.into_iter().flat_map(|it| &it.addresses).map(|it| it.0).collect();
        match addresses.iter().find(|address| !held.contains(&address.to_canonical())) {
            Some(address) => self.refuse(call, Refused::NotHeld { address: *address, held }),
            None => self.say(call, Answer::Done),
        }
    }

    fn gc(&mut self, call: CallId, network: &str, valid: &BTreeSet<Sandbox>) {
        let is_left = |attachment: &Attachment| {
            let Attachment { container, interface, .. } = attachment.clone();
            attachment.network == network && !valid.contains(&Sandbox { container, interface })
        };
        let all = self.book.attachments.keys();
        let left = all.filter(|it| is_left(it) && !self.answers.are_about(it));
        for attachment in left.cloned().collect::<Vec<_>>() {
            self.release_attachment(&attachment);
            let attachment = Attachment::clone(&attachment);
            self.events.push_back(Event::Collected { attachment });
        }
        self.tell(call, Answer::Done, Stake::Nothing);
        self.serve();
    }

    /// Probes ask again and again: what they hear is no event.
    fn say_whether_served(&mut self, call: CallId) {
        let unwritten =
            self.journal.problem().map(|problem| Refused::NotDurable { problem: problem.clone() });
        let unserved = || {
            let served = self.missing().is_none() && self.shortage().is_none();
            (!served).then(|| self.why_not(Duration::ZERO))
        };
        let answer = unwritten.or_else(unserved).map_or(Answer::Done, Answer::Refused);
        self.say(call, answer);
    }

    fn allocate(&mut self, call: CallId, families: &[Family], owner: &Owner, claim: Claim) {
        let families: Vec<Family> =
            Family::ALL.into_iter().filter(|family| families.contains(family)).collect();
        if let Err(refused) = self.check_allocate(&families) {
            if let Refused::NoAddress { family, .. } = refused {
                self.note_unmet(owner, family);
            }
            return self.refuse(call, refused);
        }
        let mut grants: Vec<(IpAddr, GrantId)> = Vec::new();
        for family in families {
            match self.grant(family, owner, claim, Ground::Caller, Duration::ZERO) {
                Ok(grant) => grants.push(grant),
                Err(refusal) => {
                    self.take_back_all(grants);
                    return self.refuse(call, Refused::Ledger(refusal));
                }
            }
            self.unmet.remove(&(owner.clone(), family));
        }
        self.tell_grants(call, grants);
    }

    fn check_allocate(&self, families: &[Family]) -> Result<(), Refused> {
        if let Some(&family) = families.iter().find(|family| !self.settings.serves(**family)) {
            return Err(Refused::FamilyDisabled { family });
        }
        if let Some(missing) = self.missing() {
            return Err(Refused::NotReady { missing });
        }
        match families.iter().find(|family| !self.has_room(**family)) {
            Some(family) => Err(self.no_address(*family, Duration::ZERO)),
            None => Ok(()),
        }
    }

    /// Who got nothing and does not wait will ask again. There are not more of them than may wait.
    fn note_unmet(&mut self, owner: &Owner, family: Family) {
        let key = (owner.clone(), family);
        if self.unmet.len() < self.settings.waiting_max || self.unmet.contains_key(&key) {
            self.unmet.insert(key, self.now + UNMET_FOR);
            self.publisher.hurry(self.now);
            self.reconsider();
        }
    }

    fn allocate_exact(&mut self, call: CallId, address: IpAddr, owner: &Owner) {
        let family = Family::of(address.to_canonical());
        if !self.settings.serves(family) {
            return self.refuse(call, Refused::FamilyDisabled { family });
        }
        if let Some(missing) = self.missing() {
            return self.refuse(call, Refused::NotReady { missing });
        }
        let standing = self.book.ledger.holding(address).map(|held| held.id);
        match self.grant_exact(address, owner, Ground::Caller) {
            Err(refusal) => self.refuse(call, Refused::Ledger(refusal)),
            Ok(grant) if standing == Some(grant.1) => {
                let answer = self.leases(&[grant]).map_or_else(Answer::Refused, Answer::Granted);
                self.tell(call, answer, Stake::Repeats(grant));
            }
            Ok(grant) => self.tell_grants(call, Vec::from([grant])),
        }
    }

    fn tell_grants(&mut self, call: CallId, grants: Vec<(IpAddr, GrantId)>) {
        let answer = self.leases(&grants).map_or_else(Answer::Refused, Answer::Granted);
        self.tell(call, answer, Stake::Grants(grants));
    }

    fn claim(&mut self, call: CallId, address: IpAddr, id: GrantId) {
        let address = address.to_canonical();
        if let Err(refusal) = self.book.ledger.claim(address, id) {
            return self.refuse(call, Refused::Ledger(refusal));
        }
        self.journal.note(Record::Claimed { address, id });
        self.tell(call, Answer::Done, Stake::Standing);
    }

    fn release(&mut self, call: CallId, address: IpAddr) {
        let address = address.to_canonical();
        let Some(id) = self.book.ledger.holding(address).map(|held| held.id) else {
            // The ledger knows why best: nobody uses it, or it is not this node's.
            let refused = self.book.ledger.release(address, By::Anyone, self.now);
            let refusal = refused.err().unwrap_or(Refusal::NotUsed { address });
            return self.refuse(call, Refused::Ledger(refusal));
        };
        if let Some(attachment) = self.book.holder(id) {
            let attachment = attachment.clone();
            return self.refuse(call, Refused::HeldByAttachment { address, attachment });
        }
        if self.book.found.contains_key(&id) {
            return self.refuse(call, Refused::FoundInUse { address });
        }
        self.take_back((address, id));
        self.tell(call, Answer::Done, Stake::Nothing);
        self.serve();
    }

    /// Answers at once.
    fn say(&mut self, call: CallId, answer: Answer) {
        self.answers.push(None, Pending { call, answer, stake: Stake::Nothing });
    }

    /// Answers when all that has changed is on disk.
    fn tell(&mut self, call: CallId, answer: Answer, stake: Stake) {
        self.answers.push(self.journal.awaited(), Pending { call, answer, stake });
    }

    pub(super) fn refuse(&mut self, call: CallId, refused: Refused) {
        self.counts.refused += 1;
        self.events.push_back(Event::Refused(refused.clone()));
        self.say(call, Answer::Refused(refused));
    }

    /// Takes back what answers rest on that cannot leave, and refuses those.
    pub(super) fn refuse_held(&mut self, refused: &Refused) {
        for Pending { call, answer, stake } in self.answers.take_held() {
            match stake {
                Stake::Nothing => {
                    self.say(call, answer);
                    continue;
                }
                Stake::Standing | Stake::Attachment(_, First::Repeats) | Stake::Repeats(_) => {}
                Stake::Attachment(attachment, First::Yes) => self.release_attachment(&attachment),
                Stake::Grants(grants) => self.take_back_all(grants),
            }
            self.refuse(call, refused.clone());
        }
    }

    /// Whoever made the call is gone.
    pub(super) fn abandon(&mut self, call: CallId) {
        if self.waiting.remove_call(call).is_some() {
            self.publisher.mark(self.now);
            return;
        }
        let Some(pending) = self.answers.take_call(call) else { return };
        match pending.stake {
            Stake::Attachment(attachment, First::Yes) => {
                if !self.answers.hand_on(&attachment) {
                    self.release_attachment(&attachment);
                }
            }
            Stake::Grants(mut grants) => {
                grants.retain(|grant| !self.answers.hand_on_grant(*grant));
                self.take_back_all(grants);
            }
            Stake::Nothing
            | Stake::Standing
            | Stake::Attachment(_, First::Repeats)
            | Stake::Repeats(_) => {}
        }
    }
}

//! What the agent sees: which addresses are its, and who is known to use them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::IpAddr;

use ipnet::IpNet;

use super::Agent;
use super::book::shared;
use super::event::Event;
use super::give_back::GiveBack;
use super::handshake::Handshake;
use super::listing::{attached, by_metadata, by_word, facts};
use super::record::Ground;
use super::status::Problems;
use super::word::{Found, HostView, ShownEni, Word, WordEni};
use crate::ids::{EniId, PodKey};
use crate::pool::{ListedCidr, Owner, Refusal, SyncReport};
use crate::time::Tick;
use crate::view::Contract;

/// What the agent has seen.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub(super) metadata: Vec<ShownEni>,
    /// How the host's network is, once that was said.
    pub(super) host: Option<HostView>,
    /// The last word about this instance, and when it was heard.
    pub(super) word: Option<(Word, Tick)>,
    /// A word that came before it was known which instance this is.
    unattributed: Option<Word>,
    /// What was listed last, as far as it could be used or not.
    listed: Option<BTreeSet<ListedCidr>>,
    pub(super) problems: Problems,
}

impl Agent {
    pub(super) fn see_word(&mut self, word: Word) {
        let said = word.instance.as_ref();
        let own = self.book.instance.as_ref().filter(|_| !self.doubtful);
        match (said, own) {
            (Some(_), None) => {
                self.sight.unattributed = Some(word);
                return;
            }
            (Some(said), Some(own)) if said != own => {
                self.events.push_back(Event::WordOfAnother { instance: said.clone() });
                return;
            }
            _ => {}
        }
        self.sight.unattributed = None;
        if self.sight.word.as_ref().is_none_or(|(last, _)| *last != word) {
            self.events.push_back(Event::WordHeard);
        }
        self.sight.word = Some((word, self.now));
        self.list();
        self.follow_word();
        self.regain_trust();
        if let Some((word, _)) = &self.sight.word {
            self.publisher.on_word(self.now, word);
        }
        self.serve();
    }

    /// A word that could not be attributed may be about this instance.
    pub(super) fn see_unattributed(&mut self) {
        if let Some(word) = self.sight.unattributed.take() {
            self.see_word(word);
        }
    }

    /// Lists what may be handed out, by the word if it says something, otherwise by the metadata.
    pub(super) fn list(&mut self) {
        self.learn_facts();
        if self.awaits_host() {
            return;
        }
        // An operator writes the interfaces before the pool: until that is there, it has not spoken.
        let speaks = |word: &&Word| match self.settings.contract {
            Contract::PerIp => word.pool.is_some(),
            Contract::Cidr => !word.enis.is_empty(),
        };
        let word = self.heard().filter(speaks);
        match word.map(|word| by_word(&self.settings, word)) {
            Some(Ok(listed)) => {
                self.sight.problems.inconsistent = None;
                self.make_listed(listed, true);
                return;
            }
            Some(Err(problem)) if self.sight.problems.inconsistent.as_ref() != Some(&problem) => {
                self.sight.problems.inconsistent = Some(problem.clone());
                self.events.push_back(Event::WordInconsistent { problem });
            }
            _ => {}
        }
        if let Some(left) = self.still_attached() {
            return self.make_listed(left, true);
        }
        let shown = &self.sight.metadata;
        if !self.book.listed_by_word && self.settings.fast_start && !shown.is_empty() {
            self.make_listed(by_metadata(&self.settings, shown), false);
        }
    }

    /// What was listed, without what the interfaces of a word that has no pool do not have: an operator takes an empty pool away.
    fn still_attached(&self) -> Option<BTreeSet<ListedCidr>> {
        let is_left = self.settings.contract == Contract::PerIp && self.book.listed_by_word;
        let word = self.heard().filter(|it| is_left && it.pool.is_none() && !it.enis.is_empty())?;
        let has = |eni: &WordEni, cidr: &IpNet| {
            eni.addresses.contains(&cidr.addr()) || eni.prefixes.iter().any(|it| it.contains(cidr))
        };
        let is_there = |listed: &ListedCidr| {
            word.enis.iter().any(|eni| eni.facts.id == listed.eni && has(eni, &listed.cidr))
        };
        let known = self.book.ledger.cidrs().filter(|usage| !usage.withdrawn);
        Some(known.map(|usage| usage.listed).filter(is_there).collect())
    }

    fn make_listed(&mut self, mut listed: BTreeSet<ListedCidr>, by_word: bool) {
        listed.retain(|listed| self.is_usable(&listed.eni));
        let was_by_word = core::mem::replace(&mut self.book.listed_by_word, by_word);
        if self.sight.listed.as_ref() == Some(&listed) && was_by_word == by_word {
            return;
        }
        let report = self.book.ledger.sync(listed.iter().cloned(), self.now);
        self.sight.listed = Some(listed);
        self.journal.note_whole();
        self.note_listed(report);
        self.adopt_all(self.book.unlisted.clone());
    }

    fn note_listed(&mut self, report: SyncReport) {
        let SyncReport { added, removed, moved, withdrawn, refused } = report;
        for invalid in refused.iter().filter(|it| !self.sight.problems.invalid.contains(it)) {
            self.events.push_back(Event::InvalidCidr(invalid.clone()));
        }
        self.sight.problems.invalid = refused;
        if [added.len(), removed.len(), moved.len(), withdrawn.len()] != [0; 4] {
            let (added, removed) = (added.len(), removed.len());
            self.events.push_back(Event::Listed { added, removed, withdrawn: withdrawn.len() });
            self.publisher.mark(self.now);
        }
    }

    /// The last word about this instance.
    pub(super) fn heard(&self) -> Option<&Word> {
        self.sight.word.as_ref().map(|(word, _)| word)
    }

    /// Keeps what is known of interfaces that are seen or used.
    fn learn_facts(&mut self) {
        let seen = facts(self.heard(), &self.sight.metadata);
        let known: BTreeSet<EniId> = self.book.ledger.cidrs().map(|it| it.listed.eni).collect();
        let mut enis = core::mem::take(&mut self.book.enis);
        let before = enis.clone();
        enis.retain(|eni, _| known.contains(eni));
        enis.extend(shared(seen));
        if enis != before {
            self.journal.note_whole();
        }
        self.book.enis = enis;
    }

    /// Does what the word asks for besides the listing.
    fn follow_word(&mut self) {
        match self.settings.contract {
            Contract::PerIp => self.shake_hands(),
            Contract::Cidr => self.see_attached(),
        }
    }

    /// Looks at what the operator asks for one by one: also without a new word, when something else has changed.
    pub(super) fn shake_hands(&mut self) {
        let Some((word, _)) = &self.sight.word else { return };
        if self.settings.contract != Contract::PerIp {
            return;
        }
        let changes = self.handshake.look(self.now, word, &mut self.book.ledger);
        let answers = !self.handshake.answers(|_| true).is_empty();
        self.events.extend(changes.kept.into_iter().map(|address| Event::Kept { address }));
        let promised: Vec<IpNet> = changes.promised.into_iter().map(IpNet::from).collect();
        self.note_promises(&promised, changes.withdrawn);
        if answers {
            self.publisher.hurry(self.now);
        }
    }

    fn see_attached(&mut self) {
        let Some((word, _)) = &self.sight.word else { return };
        if word.enis.is_empty() {
            return self.give_back.on_blank_word();
        }
        if self.sight.problems.inconsistent.is_some() {
            return;
        }
        let attached = attached(&self.settings, word);
        let ledger = &mut self.book.ledger;
        // Without the records, what is attached and not named may have been given back.
        let mut promised = Vec::new();
        if !self.trusted && word.requested.is_some() && self.give_back.attached.is_none() {
            let mine = attached.iter().map(|listed| listed.cidr);
            let out = mine.filter(|cidr| !word.allocated.contains(cidr));
            promised.extend(out.filter(|cidr| ledger.promise_cidr(*cidr).is_ok()));
        }
        let withdrawn = self.give_back.on_word(self.now, word, attached, ledger);
        self.note_promises(&promised, withdrawn);
    }

    /// Promises were made, or taken back.
    pub(super) fn note_promises(&mut self, promised: &[IpNet], withdrawn: bool) {
        if promised.is_empty() && !withdrawn {
            return;
        }
        self.journal.note_whole();
        for cidr in promised {
            self.unproven.insert(*cidr, self.journal.showing());
            self.events.push_back(Event::Promised { cidr: *cidr });
        }
        self.publisher.mark(self.now);
    }

    /// Forgets what was said and done for another instance; what the metadata shows is this one's.
    pub(super) fn forget_sight(&mut self) {
        let Sight { metadata, host, unattributed, .. } = core::mem::take(&mut self.sight);
        self.sight = Sight { metadata, host, unattributed, ..Sight::default() };
        self.handshake = Handshake::default();
        self.give_back = GiveBack::default();
        self.unproven.clear();
    }

    /// Takes all addresses that are known to be in use, and gives those back that were taken like that and no longer are.
    pub(super) fn see_found(&mut self, found: Vec<Found>) {
        let shown: BTreeSet<IpAddr> = found.iter().map(|one| one.address.to_canonical()).collect();
        let gone = self.book.found.iter().filter(|(_, address)| !shown.contains(address));
        for (id, address) in gone.map(|(id, address)| (*id, *address)).collect::<Vec<_>>() {
            self.take_back((address, id));
        }
        let found = found.into_iter().map(|one| (one.address.to_canonical(), one.pod));
        self.adopt_all(found.collect());
        self.found_told = true;
        self.regain_trust();
        // What was given back may have been promised before.
        self.shake_hands();
        self.serve();
    }

    /// After records were lost: promises may be among them, and only the operator's word tells of those.
    fn regain_trust(&mut self) {
        if !self.trusted && self.found_told && self.sight.word.is_some() {
            self.trusted = true;
            self.journal.note_whole();
        }
    }

    /// What is still in no CIDR is on disk, so that a crash does not make it free for a CIDR that comes later.
    fn adopt_all(&mut self, mut found: BTreeMap<IpAddr, Option<PodKey>>) {
        found.retain(|address, pod| !self.adopt(address, pod.as_ref()));
        if !found.keys().eq(self.book.unlisted.keys()) {
            self.journal.note_whole();
        }
        self.book.unlisted = found;
    }

    /// False when the address is not this node's, as far as it knows.
    fn adopt(&mut self, address: &IpAddr, pod: Option<&PodKey>) -> bool {
        let is_own = self.settings.own.contains(address);
        if is_own || self.book.ledger.holding(*address).is_some() {
            return true;
        }
        let owner = pod.cloned().map_or(Owner::Unknown, Owner::Pod);
        let granted = self.grant_exact(*address, &owner, Ground::Found);
        if !matches!(granted, Err(Refusal::Promised { .. })) {
            return granted.is_ok();
        }
        if self.book.ledger.withdraw_promise(*address, self.now).is_err() {
            return false;
        }
        self.note_promises(&[], true);
        let adopted = self.grant_exact(*address, &owner, Ground::Found).is_ok();
        self.shake_hands();
        adopted
    }
}

//! Giving single addresses back (the per-IP contract): [`crate::promise`] applied to the operator's word.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use super::listing::{has, is_on};
use super::publisher::SHOWN_WITHIN;
use super::word::{Release, Word};
use crate::pool::Ledger;
use crate::promise::{Entry, REASSIGNED_AFTER, Step, ends, step};
use crate::time::Tick;

/// What is known of the entries of `release-ips`.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    entries: BTreeMap<Ipv4Addr, Seen>,
    /// Promised addresses without an entry, and since when they have stood in the pool like that. Such a promise ends, but not at
    /// once: the pool can be out of date, or an answer on its way.
    orphans: BTreeMap<IpAddr, Tick>,
}

#[derive(Debug)]
struct Seen {
    release: Release,
    /// Since when, with the address in the pool and on its interface.
    since: Tick,
    left_pool: bool,
    step: Step,
    sent: Sent,
    /// Whether an answer was sent, whatever came of it.
    may_be_answered: bool,
}

/// How far the answer to an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    No,
    UnderWay,
    Written(Tick),
}

/// What a look at the word has changed in the ledger.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) promised: Vec<IpAddr>,
    /// Whether a promise was taken back.
    pub(super) withdrawn: bool,
    /// What the operator asked for and does not get.
    pub(super) kept: Vec<IpAddr>,
}

/// What is needed to look at the word.
struct Look<'a> {
    now: Tick,
    word: &'a Word,
    ledger: &'a mut Ledger,
    promises: BTreeSet<IpAddr>,
    changes: Changes,
}

impl Look<'_> {
    fn in_pool(&self, address: Ipv4Addr) -> bool {
        self.word.pool.as_ref().is_some_and(|pool| pool.contains_key(&address))
    }

    /// Whether the pool and the interface that it names have the address. There is no pool of IPv6.
    fn is_there(&self, address: IpAddr) -> bool {
        let IpAddr::V4(address) = address else {
            return self.word.enis.iter().any(|eni| has(eni, address));
        };
        let eni = self.word.pool.as_ref().and_then(|pool| pool.get(&address));
        eni.is_some_and(|eni| is_on(self.word, address, eni))
    }

    /// Whether the address is promised away now.
    fn promise(&mut self, address: IpAddr) -> bool {
        if self.promises.contains(&address) {
            return true;
        }
        let promised = self.ledger.promise(address).is_ok();
        if promised {
            self.promises.insert(address);
            self.changes.promised.push(address);
        }
        promised
    }

    /// What cannot be promised, such as an address of the node itself, is kept.
    fn take(&mut self, address: IpAddr, step: Step) -> Step {
        match step {
            Step::Promise if !self.promise(address) => return Step::Refuse,
            Step::Hold => {
                self.promise(address);
            }
            Step::LetGo => self.withdraw(address),
            // What was promised stays so until the operator has heard the refusal: the promise may be on its way to it.
            Step::Promise | Step::Refuse | Step::Remove => {}
        }
        step
    }

    fn withdraw(&mut self, address: IpAddr) {
        if self.promises.remove(&address) {
            self.changes.withdrawn |= self.ledger.withdraw_promise(address, self.now).is_ok();
        }
    }
}

impl Handshake {
    /// Does what the word asks for; the answers are in [`Handshake::answers`].
    pub(super) fn look(&mut self, now: Tick, word: &Word, ledger: &mut Ledger) -> Changes {
        let promises = ledger.promises().collect();
        let mut look = Look { now, word, ledger, promises, changes: Changes::default() };
        for (address, release) in &word.releases {
            self.look_at(*address, *release, &mut look);
        }
        self.look_at_gone(&mut look);
        self.look_at_orphans(&mut look);
        look.changes
    }

    fn look_at(&mut self, address: Ipv4Addr, release: Release, look: &mut Look<'_>) {
        let now = look.now;
        let fresh = || Seen {
            release,
            since: now,
            left_pool: false,
            step: Step::Hold,
            sent: Sent::No,
            may_be_answered: false,
        };
        let seen = self.entries.entry(address).or_insert_with(fresh);
        if seen.release != release {
            *seen = fresh();
        }
        let in_pool = look.in_pool(address);
        seen.left_pool |= !in_pool;
        if !look.is_there(address.into()) {
            seen.since = now;
        }
        let used = look.ledger.holding(address.into()).is_some();
        let (left_pool, lasts) = (seen.left_pool, now.since(seen.since));
        let step = step(Entry { release, in_pool, left_pool, lasts, used });
        let step = look.take(address.into(), step);
        let unheard = matches!(seen.sent, Sent::Written(at) if now.since(at) >= SHOWN_WITHIN);
        if seen.step != step || unheard {
            seen.sent = Sent::No;
        }
        if seen.step != step && step == Step::Refuse && used {
            look.changes.kept.push(address.into());
        }
        seen.step = step;
    }

    /// Entries that are gone, and the promises that end with them.
    fn look_at_gone(&mut self, look: &mut Look<'_>) {
        let gone =
            self.entries.extract_if(.., |address, _| !look.word.releases.contains_key(address));
        for (address, seen) in gone {
            if ends(seen.release, seen.may_be_answered, look.in_pool(address)) {
                look.withdraw(address.into());
            }
        }
    }

    fn look_at_orphans(&mut self, look: &mut Look<'_>) {
        let mut orphans = BTreeMap::new();
        let remember = look.ledger.settings().remember();
        let promised: Vec<IpAddr> = look.promises.iter().copied().collect();
        let releases = &look.word.releases;
        let has_entry = |address: &IpAddr| matches!(address, IpAddr::V4(address) if releases.contains_key(address));
        for address in promised.into_iter().filter(|address| !has_entry(address)) {
            let there = look.is_there(address);
            let since = self.orphans.get(&address).copied().filter(|_| there).unwrap_or(look.now);
            if there && look.now.since(since) >= remember {
                look.withdraw(address);
            } else {
                orphans.insert(address, since);
            }
        }
        self.orphans = orphans;
    }

    /// What is to be answered and was not yet. A promise that is not proven is not told.
    pub(super) fn answers(
        &self,
        is_proven: impl Fn(IpAddr) -> bool,
    ) -> BTreeMap<Ipv4Addr, Option<Release>> {
        let due = self.entries.iter().filter(|(_, seen)| seen.sent == Sent::No);
        let answers = due.filter_map(|(address, seen)| {
            let answer = match seen.step {
                Step::Promise if is_proven(IpAddr::V4(*address)) => Some(Release::Ready),
                Step::Refuse => Some(Release::Refused),
                Step::Remove => None,
                Step::Promise | Step::Hold | Step::LetGo => return None,
            };
            Some((*address, answer))
        });
        answers.collect()
    }

    /// Answers are on their way.
    pub(super) fn on_sent<'a>(&mut self, addresses: impl Iterator<Item = &'a Ipv4Addr>) {
        for address in addresses {
            if let Some(seen) = self.entries.get_mut(address) {
                (seen.sent, seen.may_be_answered) = (Sent::UnderWay, true);
            }
        }
    }

    /// The answers that were on their way are there, or are to be given again.
    pub(super) fn on_published(&mut self, now: Tick, written: bool) {
        for seen in self.entries.values_mut().filter(|seen| seen.sent == Sent::UnderWay) {
            seen.sent = if written { Sent::Written(now) } else { Sent::No };
        }
    }

    /// When to look again although no word has come.
    pub(super) fn deadline(&self, remember: Duration) -> Option<Tick> {
        let orphans = self.orphans.values().map(|since| *since + remember);
        let entries = self.entries.values().filter_map(|seen| match (seen.sent, seen.step) {
            (Sent::Written(at), Step::Promise | Step::Refuse | Step::Remove) => {
                Some(at + SHOWN_WITHIN)
            }
            (_, Step::Hold) if seen.release == Release::Released => {
                Some(seen.since + REASSIGNED_AFTER)
            }
            _ => None,
        });
        orphans.chain(entries).min()
    }
}

//! When something is published: not at each change, not too late, and not what is shown already.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use core::net::Ipv4Addr;
use core::time::Duration;

use ipnet::IpNet;

use super::publication::{Publication, PublicationId, Published};
use super::settings::AgentSettings;
use super::word::Word;
use crate::ids::EniId;
use crate::time::Tick;
use crate::view::Contract;

/// After a publication that failed, so long nothing is published at first ...
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// ... and after twice as long each time, up to this.
const PAUSE_LAST: Duration = Duration::from_secs(30);
/// What was written and is not shown has been overwritten, when it still is not shown so long after. Then it is written again.
pub(super) const SHOWN_WITHIN: Duration = Duration::from_secs(15);

/// What a `CiliumNode` shows of what an agent publishes, answers about releases apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// The users of addresses, and whether a request of the other contract stands there, which is to go.
    Used(BTreeMap<Ipv4Addr, String>, bool),
    Pools(Option<(u32, u32)>, BTreeSet<IpNet>),
}

impl Shown {
    fn by_word(contract: Contract, word: &Word) -> Self {
        match contract {
            Contract::PerIp => Self::Used(word.used.clone(), word.requested.is_some()),
            Contract::Cidr => Self::Pools(word.requested, word.allocated.clone()),
        }
    }

    fn by_publication(publication: &Publication) -> Self {
        match publication {
            Publication::Used { used, .. } => {
                let named = used.iter().map(|(address, (owner, _))| (*address, owner.to_string()));
                Self::Used(named.collect(), false)
            }
            Publication::Pools { requested, allocated } => {
                Self::Pools(Some(*requested), allocated.clone())
            }
        }
    }
}

/// The interfaces of used addresses.
type Resources = BTreeMap<Ipv4Addr, EniId>;

fn resources(publication: &Publication) -> Resources {
    match publication {
        Publication::Used { used, .. } => {
            used.iter().map(|(address, (_, eni))| (*address, eni.clone())).collect()
        }
        Publication::Pools { .. } => Resources::new(),
    }
}

/// When something is published.
#[derive(Debug)]
pub(super) struct Publisher {
    quiet: Duration,
    latest: Duration,
    contract: Contract,
    /// The first and the last change that is not published yet.
    changed: Option<(Tick, Tick)>,
    /// Whether somebody waits for the change to be published.
    urgent: bool,
    /// When to compare again what is shown with what should be.
    look_at: Option<Tick>,
    under_way: Option<(PublicationId, Shown, Resources)>,
    last: PublicationId,
    sent_at: Option<Tick>,
    written: Option<(Shown, Tick)>,
    written_resources: Resources,
    word: Option<Shown>,
    /// Whether the word came after what was written.
    word_is_newer: bool,
    pause: Duration,
    not_before: Tick,
    pub(super) problem: Option<String>,
}

impl Publisher {
    pub(super) fn new(settings: &AgentSettings) -> Self {
        Self {
            quiet: settings.quiet,
            latest: settings.latest,
            contract: settings.contract,
            changed: None,
            urgent: false,
            look_at: None,
            under_way: None,
            last: PublicationId(0),
            sent_at: None,
            written: None,
            written_resources: Resources::new(),
            word: None,
            word_is_newer: false,
            pause: PAUSE_FIRST,
            not_before: Tick::default(),
            problem: None,
        }
    }

    /// What is to be published has changed.
    pub(super) fn mark(&mut self, now: Tick) {
        let first = self.changed.map_or(now, |(first, _)| first);
        self.changed = Some((first, now));
    }

    /// What is to be published has changed, and somebody waits for it.
    pub(super) fn hurry(&mut self, now: Tick) {
        self.mark(now);
        self.urgent = true;
    }

    /// When there is something to look at. Those who wait are heard at once, but not more often than at every second quiet
    /// time: in a burst there is always one who waits.
    pub(super) fn due(&self) -> Option<Tick> {
        if self.under_way.is_some() || self.word.is_none() {
            return None;
        }
        let changed = self.changed.map(|(first, last)| match (self.sent_at, self.urgent) {
            (None, _) => first,
            (Some(sent), true) => first.max(sent + self.quiet * 2),
            (Some(_), false) => (last + self.quiet).min(first + self.latest),
        });
        let due = [changed, self.look_at].into_iter().flatten().min()?;
        Some(due.max(self.not_before))
    }

    /// What the word shows. With a change under way to be published there is nothing to compare it with.
    pub(super) fn on_word(&mut self, now: Tick, word: &Word) {
        self.word = Some(Shown::by_word(self.contract, word));
        self.word_is_newer = true;
        if self.changed.is_none() {
            self.look_at = Some(now);
        }
    }

    /// Whether something is to be published that is not shown. When what was written is not shown yet, it is looked at again.
    pub(super) fn wants(&mut self, now: Tick, publication: &Publication) -> bool {
        self.look_at = None;
        let target = Shown::by_publication(publication);
        if self.is_moved(publication) {
            return true;
        }
        let (shown, written) = (self.word.as_ref(), self.written.as_ref());
        match written {
            Some((written, at)) if *written == target && shown != Some(&target) => {
                let patient_until = *at + SHOWN_WITHIN;
                if self.word_is_newer && now < patient_until {
                    self.look_at = Some(patient_until);
                }
                self.word_is_newer && now >= patient_until
            }
            Some((written, _)) if !self.word_is_newer => *written != target,
            _ => shown != Some(&target),
        }
    }

    /// Whether an address that was published is on another interface now.
    fn is_moved(&self, publication: &Publication) -> bool {
        let Publication::Used { used, .. } = publication else { return false };
        used.iter().any(|(address, (_, eni))| {
            self.written_resources.get(address).is_some_and(|written| written != eni)
        })
    }

    /// What has changed is shown already.
    pub(super) const fn settle(&mut self) {
        self.changed = None;
        self.urgent = false;
    }

    pub(super) fn send(&mut self, now: Tick, publication: &Publication) -> PublicationId {
        self.settle();
        self.last.0 += 1;
        self.sent_at = Some(now);
        self.under_way =
            Some((self.last, Shown::by_publication(publication), resources(publication)));
        self.last
    }

    /// Answers what was sent, if it is about the one that is under way.
    pub(super) fn on_published(
        &mut self,
        now: Tick,
        id: PublicationId,
        published: &Published,
    ) -> Option<Shown> {
        let (_, shown, resources) = self.under_way.take_if(|(sent, ..)| *sent == id)?;
        match published {
            Published::Written => {
                self.written = Some((shown.clone(), now));
                self.written_resources = resources;
                self.word_is_newer = false;
                self.pause = PAUSE_FIRST;
                self.problem = None;
            }
            Published::Failed { problem } => {
                self.problem = Some(problem.clone());
                self.not_before = now + self.pause;
                self.pause = (self.pause * 2).min(PAUSE_LAST);
                self.hurry(now);
            }
        }
        Some(shown)
    }

    pub(super) fn under_way(&self) -> Option<PublicationId> {
        self.under_way.as_ref().map(|(id, ..)| *id)
    }
}

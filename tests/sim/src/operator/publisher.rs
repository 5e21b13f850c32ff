//! When what is written into which object: the rules of `operator/src/kubernetes/publish.rs`, without what finds rivals.
//!
//! One write at a time for a node, nothing without need; entries of `release-ips` before everything else; what leaves, leaves the pool first; what
//! comes, comes into the status first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use ipam_core::agent::Release;
use ipam_core::ids::NodeName;
use ipam_core::time::Tick;

use super::render::{Wanted, WantedError};
use crate::api::{Ask, Entries, Error, Object, Problem, Said, addresses};

/// The pause after a failed write, doubled with each in a row, and the longest one.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// How long an obstacle has to stand before it is written by itself, and how long after the last time.
const SETTLED: Duration = Duration::from_secs(5);
const APART: Duration = Duration::from_secs(15);

/// Decides what to write.
#[derive(Debug, Default)]
pub(crate) struct Publisher {
    nodes: BTreeMap<NodeName, Entry>,
    written: u64,
}

#[derive(Debug, Default)]
struct Entry {
    observed: Option<Rc<Object>>,
    /// The newest one that was seen while a write was on its way.
    arrived: Option<Rc<Object>>,
    sent: Option<u64>,
    placed_pool: bool,
    failures: u32,
    not_before: Option<Tick>,
    needs_look: bool,
    /// Since when what the agent is told is wrong, and when it was told last.
    untold_since: Option<Tick>,
    told_at: Option<Tick>,
}

impl Publisher {
    /// An object was seen.
    pub(crate) fn on_observed(&mut self, object: &Rc<Object>) {
        self.nodes.entry(object.name.clone()).or_default().on_observed(Rc::clone(object));
    }

    /// What is to be published of a node may be different.
    pub(crate) fn on_wanted(&mut self, name: &NodeName) {
        self.nodes.entry(name.clone()).or_default().needs_look = true;
    }

    /// A node is gone.
    pub(crate) fn forget(&mut self, name: &NodeName) {
        self.nodes.remove(name);
    }

    /// A write was answered, or not.
    pub(crate) fn on_written(&mut self, now: Tick, name: &NodeName, number: u64, said: Said) {
        let Some(entry) = self.nodes.get_mut(name).filter(|entry| entry.sent == Some(number))
        else {
            return;
        };
        entry.sent = None;
        let arrived = entry.arrived.take();
        match said {
            Ok(written) => {
                entry.failures = 0;
                // What the machine has seen is still about the object before: another one counts when the watch shows it.
                entry.take(written.filter(|object| entry.is_same(object)));
                entry.take(arrived);
            }
            // The watch will say so, or that there is another.
            Err(Problem::NotFound) => {
                entry.take(arrived);
            }
            Err(Problem::Stale | Problem::Away) => {
                entry.take(arrived);
                let pause = PAUSE_MIN.saturating_mul(1 << entry.failures.min(16)).min(PAUSE_MAX);
                entry.failures = entry.failures.saturating_add(1);
                (entry.not_before, entry.needs_look) = (Some(now + pause), true);
            }
        }
    }

    /// The next write to carry out, now, with its number.
    pub(crate) fn poll_write(
        &mut self,
        now: Tick,
        mut render: impl FnMut(&NodeName) -> Option<Wanted>,
    ) -> Option<(u64, Ask)> {
        for (name, entry) in &mut self.nodes {
            if !entry.is_due(now) {
                continue;
            }
            (entry.needs_look, entry.not_before) = (false, None);
            let ask = render(name).and_then(|wanted| entry.next(now, name, &wanted));
            if let Some(ask) = ask {
                self.written += 1;
                (entry.sent, entry.needs_look) = (Some(self.written), true);
                return Some((self.written, ask));
            }
        }
        None
    }

    /// When to ask again if nothing else happens.
    pub(crate) fn deadline(&self) -> Option<Tick> {
        let moments = self.nodes.values().flat_map(|entry| {
            let untold = entry.telling_due().filter(|_| entry.sent.is_none());
            [entry.not_before, untold]
        });
        moments.flatten().min()
    }
}

impl Entry {
    fn on_observed(&mut self, object: Rc<Object>) {
        if self.observed.as_ref().is_some_and(|known| !is_newer(&object, known)) {
            return;
        }
        if self.sent.is_some() {
            self.arrived = Some(object);
        } else {
            self.take(Some(object));
        }
    }

    fn take(&mut self, object: Option<Rc<Object>>) {
        let Some(object) = object else { return };
        if self.observed.as_ref().is_some_and(|known| !is_newer(&object, known)) {
            return;
        }
        if self.observed.as_ref().is_none_or(|known| known.uid != object.uid) {
            // Another object under the same name: nothing in it is ours yet.
            (self.placed_pool, self.untold_since, self.told_at) = (false, None, None);
        }
        (self.observed, self.needs_look) = (Some(object), true);
    }

    fn is_same(&self, object: &Object) -> bool {
        self.observed.as_ref().is_none_or(|known| known.uid == object.uid)
    }

    fn is_due(&self, now: Tick) -> bool {
        let is_time = self.not_before.is_none_or(|until| until <= now);
        let untold = self.telling_due().is_some_and(|due| due <= now);
        self.observed.is_some() && self.sent.is_none() && is_time && (self.needs_look || untold)
    }

    fn telling_due(&self) -> Option<Tick> {
        let settled = self.untold_since? + SETTLED;
        Some(self.told_at.map_or(settled, |told| settled.max(told + APART)))
    }

    /// What the agent is to be told and is not.
    fn lack(&mut self, now: Tick, wanted: &WantedError, told: Option<&String>) -> Option<Error> {
        let lack = match (wanted, told) {
            (WantedError::Text(text), Some(found)) if text == found => None,
            (WantedError::Text(text), _) => Some(Some(text.clone())),
            (WantedError::Absent, Some(_)) => Some(None),
            (WantedError::Absent, None) | (WantedError::AsItIs, _) => None,
        };
        self.untold_since = lack.as_ref().map(|_| self.untold_since.unwrap_or(now));
        lack
    }

    fn on_telling(&mut self, now: Tick) {
        (self.told_at, self.untold_since) = (Some(now), None);
    }

    /// The next write that brings the object to `wanted`, if one is needed.
    fn next(&mut self, now: Tick, name: &NodeName, wanted: &Wanted) -> Option<Ask> {
        let observed = Rc::clone(self.observed.as_ref()?);
        let listed = addresses(&wanted.enis);
        let lack = self.lack(now, &wanted.error, observed.error.as_ref());
        self.placed_pool |= wanted.pool.as_ref().is_some_and(|pool| !pool.is_empty());
        let leaves = observed.pool.keys().any(|address| !listed.contains(address));
        let is_left_over = wanted.pool.is_none() && !observed.pool.is_empty();
        let name = name.clone();
        let entries = different(&wanted.releases, &observed);
        if !entries.is_empty() {
            return Some(Ask::Releases { name, entries });
        }
        if leaves || is_left_over && self.placed_pool {
            // Only what was published already may stay, until the new status is.
            let published: BTreeSet<_> = observed.listed();
            let mut pool = wanted.pool.clone().unwrap_or_default();
            pool.retain(|address, _| published.contains(address));
            return Some(Ask::Pool { name, uid: observed.uid, pool });
        }
        if wanted.enis != observed.enis {
            let replaces = observed.has_status;
            let tells = lack.is_some() && (!replaces || observed.error.is_some());
            if tells {
                self.on_telling(now);
            }
            let error = lack.filter(|_| tells);
            let (uid, enis) = (observed.uid, wanted.enis.clone());
            return Some(Ask::EniStatus { name, uid, enis, replaces, error });
        }
        let pool = wanted.pool.as_ref().filter(|pool| **pool != observed.pool);
        if let Some(pool) = pool {
            return Some(Ask::Pool { name, uid: observed.uid, pool: pool.clone() });
        }
        let error = lack.filter(|_| self.telling_due().is_some_and(|due| due <= now))?;
        self.on_telling(now);
        Some(Ask::Error { name, error })
    }
}

/// The entries that do not stand as they should. An agent's answer is never replaced by the question.
fn different(wanted: &Entries, observed: &Object) -> Entries {
    let differs = |(address, wanted): &(&Ipv4Addr, &Option<Release>)| {
        let stands = observed.releases.get(*address);
        match wanted {
            None => stands.is_some(),
            Some(Release::Marked) => stands.is_none(),
            Some(wanted) => Some(wanted) != stands,
        }
    };
    wanted.iter().filter(differs).map(|(address, wanted)| (*address, *wanted)).collect()
}

/// Versions of one object are compared; another one under the same name is newer, since its number is.
fn is_newer(object: &Object, known: &Object) -> bool {
    object.version > known.version
}

//! What is written, and under which condition the API server takes it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::rc::Rc;

use ipam_core::agent::{Release, WordEni};
use ipam_core::ids::{EniId, NodeName};
use ipnet::IpNet;

use super::{Api, Change, Object};

/// A text of `operator-status.error` to write; `None` takes away what stands there.
pub(crate) type Error = Option<String>;

/// Answers in `release-ips`: what the entry must say for it, and what it says then; `None` removes it.
pub(crate) type Answers = BTreeMap<Ipv4Addr, (Release, Option<Release>)>;

/// Entries of `release-ips` as they are to be; `None` removes one.
pub(crate) type Entries = BTreeMap<Ipv4Addr, Option<Release>>;

/// A write, with what its patch tests.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    /// The operator's `status.eni`, of that very object (RFC 6902). Where there was a `status` the member is put into it; where there
    /// was none it is made, unless somebody else was faster.
    EniStatus { name: NodeName, uid: u64, enis: Vec<WordEni>, replaces: bool, error: Option<Error> },
    /// The operator's `spec.ipam.pool`, of that very object.
    Pool { name: NodeName, uid: u64, pool: BTreeMap<Ipv4Addr, EniId> },
    /// The operator's entries in `status.ipam.release-ips`. Neither what they say already nor whose object it is can be tested in what
    /// is merged into a status.
    Releases { name: NodeName, entries: Entries },
    /// The operator's word on what keeps the node from more, likewise.
    Error { name: NodeName, error: Error },
    /// The agent's `status.ipam`, of that very object.
    Used { name: NodeName, uid: u64, used: BTreeMap<Ipv4Addr, (String, EniId)>, answers: Answers },
    /// The agent's `spec.ipam.pools`, of that very object while its lists are as they were seen.
    Pools {
        name: NodeName,
        uid: u64,
        seen: (Option<(u32, u32)>, BTreeSet<IpNet>),
        requested: (u32, u32),
        allocated: BTreeSet<IpNet>,
    },
    /// A new object.
    Create(Box<Object>),
    /// The end of that very object.
    Delete { name: NodeName, uid: u64 },
    /// Nothing: the object is read.
    Get { name: NodeName },
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// There is no such object.
    NotFound,
    /// It is another object than was expected, or it says something else: 409 or 422.
    Stale,
    /// Nobody answered in time. Whether it was done nobody knows.
    Away,
}

/// What comes of a write: the object as it is then, none if it was deleted.
pub(crate) type Said = Result<Option<Rc<Object>>, Problem>;

impl Ask {
    /// Whose object it is about.
    pub(crate) fn name(&self) -> &NodeName {
        match self {
            Self::EniStatus { name, .. }
            | Self::Pool { name, .. }
            | Self::Releases { name, .. }
            | Self::Error { name, .. }
            | Self::Used { name, .. }
            | Self::Pools { name, .. }
            | Self::Delete { name, .. }
            | Self::Get { name } => name,
            Self::Create(object) => &object.name,
        }
    }

    fn uid(&self) -> Option<u64> {
        match self {
            Self::EniStatus { uid, .. }
            | Self::Pool { uid, .. }
            | Self::Used { uid, .. }
            | Self::Pools { uid, .. }
            | Self::Delete { uid, .. } => Some(*uid),
            Self::Releases { .. } | Self::Error { .. } | Self::Create(_) | Self::Get { .. } => None,
        }
    }
}

impl Api {
    /// Carries out what was asked. Answers what came of it, and what watchers will hear.
    pub(crate) fn handle(&mut self, ask: Ask) -> (Said, Option<Change>) {
        let found = self.object(ask.name()).cloned();
        let before = match (found, ask) {
            (Some(_), Ask::Create(_)) => return (Err(Problem::Stale), None),
            (None, Ask::Create(object)) => {
                let uid = self.number();
                let object = self.put(Object { uid, ..*object });
                return (Ok(Some(Rc::clone(&object))), Some(Change::Seen(object)));
            }
            (None, Ask::Get { .. }) => return (Ok(None), None),
            (None, _) => return (Err(Problem::NotFound), None),
            (Some(before), ask) if ask.uid().is_some_and(|uid| uid != before.uid) => {
                return (Err(Problem::Stale), None);
            }
            (Some(before), Ask::Delete { name, .. }) => {
                drop(before);
                let gone = self.remove(&name);
                return (Ok(None), gone);
            }
            (Some(before), ask) => (before, ask),
        };
        let (before, ask) = before;
        let Some(after) = changed(&before, ask) else { return (Err(Problem::Stale), None) };
        if after == *before {
            return (Ok(Some(before)), None);
        }
        let object = self.put(after);
        (Ok(Some(Rc::clone(&object))), Some(Change::Seen(object)))
    }
}

/// The object after a write; `None` when a test of its patch does not hold.
fn changed(before: &Object, ask: Ask) -> Option<Object> {
    let mut after = before.clone();
    match ask {
        Ask::EniStatus { enis, replaces, error, .. } => {
            if replaces != before.has_status {
                return None;
            }
            (after.enis, after.has_status) = (enis, true);
            if let Some(error) = error {
                after.error = error;
            }
        }
        Ask::Pool { pool, .. } => after.pool = pool,
        Ask::Releases { entries, .. } => {
            put_all(&mut after.releases, entries);
            after.has_status = true;
        }
        Ask::Error { error, .. } => (after.error, after.has_status) = (error, true),
        Ask::Used { used, answers, .. } => {
            let holds = |(address, (from, _)): (&Ipv4Addr, &(Release, _))| {
                before.releases.get(address) == Some(from)
            };
            if !answers.iter().all(holds) {
                return None;
            }
            put_all(&mut after.releases, answers.into_iter().map(|(at, (_, to))| (at, to)));
            (after.used, after.has_status) = (used, true);
        }
        Ask::Pools { seen, requested, allocated, .. } => {
            if seen != (before.requested, before.allocated.clone()) {
                return None;
            }
            (after.requested, after.allocated) = (Some(requested), allocated);
        }
        Ask::Create(_) | Ask::Delete { .. } | Ask::Get { .. } => {}
    }
    Some(after)
}

/// Puts entries in, and takes those out that are to be removed.
fn put_all(
    releases: &mut BTreeMap<Ipv4Addr, Release>,
    entries: impl IntoIterator<Item = (Ipv4Addr, Option<Release>)>,
) {
    for (address, release) in entries {
        match release {
            Some(release) => drop(releases.insert(address, release)),
            None => drop(releases.remove(&address)),
        }
    }
}

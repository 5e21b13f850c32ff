//! What must hold of an agent whatever happens, told from what goes in and comes out alone.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipam_core::agent::{Answer, Attachment, CallId, Lease, Publication, Release};
use ipam_core::pool::{Claim, GrantId, Owner};
use ipam_core::time::Tick;

/// Who has an address by an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum User {
    Sandbox(Attachment),
    Caller(Owner, GrantId),
}

/// A call that was not answered yet.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    Add(Attachment),
    /// What cannot be refused: DEL, GC, and CHECK of what was answered.
    Done,
    Caller(Owner, Option<IpAddr>),
    Claim(Lease, Owner),
    Other,
}

/// Who was told what, and what was published.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    /// By answers that have left, and whose end nobody asked for.
    pub(crate) live: BTreeMap<IpAddr, BTreeSet<User>>,
    /// What each sandbox was answered.
    pub(crate) told: BTreeMap<Attachment, Vec<IpAddr>>,
    asked: BTreeMap<CallId, Asked>,
    /// Addresses whose claim was not answered with success: it may stand all the same.
    pub(crate) maybe_claimed: BTreeSet<IpAddr>,
    /// Allocations that wait for their claim.
    pub(crate) unclaimed: Vec<(Lease, Owner)>,
    /// What the agent, its records lost, cannot know to be the node's.
    pub(crate) unlisted: BTreeSet<IpAddr>,
    /// Since when an answered address has been missing in what is published, while nothing kept it from being published.
    missing_since: BTreeMap<Ipv4Addr, Tick>,
    /// How often what was met: a property that meets nothing proves nothing.
    pub(crate) met: BTreeMap<&'static str, u32>,
}

impl Oracle {
    pub(crate) fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    pub(crate) fn ask(&mut self, id: CallId, asked: Asked) {
        assert!(self.asked.insert(id, asked).is_none());
    }

    /// From now on the sandbox has nothing that counts.
    pub(crate) fn end_sandbox(&mut self, attachment: &Attachment) {
        self.told.remove(attachment);
        self.end(|user| matches!(user, User::Sandbox(it) if it == attachment));
    }

    pub(crate) fn end_callers_of(&mut self, address: IpAddr) {
        let users = self.live.remove(&address).into_iter().flatten();
        let stay: BTreeSet<User> = users.filter(|user| matches!(user, User::Sandbox(_))).collect();
        if !stay.is_empty() {
            self.live.insert(address, stay);
        }
    }

    fn end(&mut self, is_over: impl Fn(&User) -> bool) {
        self.live.values_mut().for_each(|users| users.retain(|user| !is_over(user)));
        self.live.retain(|_, users| !users.is_empty());
    }

    /// Whoever made the call is gone, or the agent was killed.
    pub(crate) fn abandon(&mut self, id: CallId) {
        if let Some(Asked::Claim(lease, _)) = self.asked.remove(&id) {
            self.maybe_claimed.insert(lease.address);
        }
    }

    /// The agent was killed. After a boot only the node's own roles go on; a disk that was lost takes those along.
    pub(crate) fn crash(&mut self, reboot: bool, lost: bool) {
        self.asked.clear();
        self.missing_since.clear();
        self.unclaimed.clear();
        if reboot || lost {
            self.told.clear();
        }
        if reboot {
            let is_role = |user: &User| match user {
                User::Caller(owner, _) => !matches!(owner, Owner::Pod(_) | Owner::Unknown),
                User::Sandbox(_) => false,
            };
            self.end(|user| lost || !is_role(user));
        }
        if lost {
            self.forget_roles();
        }
    }

    /// With the records it is lost who has a role: whoever used an address is somebody unknown.
    fn forget_roles(&mut self) {
        for users in self.live.values_mut() {
            let former = std::mem::take(users).into_iter();
            users.extend(former.map(|user| match user {
                User::Caller(_, id) => User::Caller(Owner::Unknown, id),
                User::Sandbox(_) => user,
            }));
        }
    }

    pub(crate) fn open_calls(&self) -> Vec<CallId> {
        self.asked.keys().copied().collect()
    }

    pub(crate) fn has_open_callers(&self) -> bool {
        self.asked.values().any(|asked| matches!(asked, Asked::Caller(..) | Asked::Claim(..)))
    }

    pub(crate) fn answer(&mut self, id: CallId, answer: &Answer) {
        let asked = self.asked.remove(&id);
        let asked = asked.unwrap_or_else(|| panic!("{id:?} has no answer to get: {answer:?}"));
        match (&asked, answer) {
            (Asked::Add(attachment), Answer::Granted(leases)) => {
                self.granted_to(attachment, leases);
            }
            (Asked::Caller(owner, exact), Answer::Granted(leases)) => {
                for lease in leases {
                    assert!(exact.is_none_or(|exact| exact == lease.address));
                    self.meet("caller granted");
                    match lease.claim {
                        Claim::NotNeeded => {
                            self.use_by(lease, User::Caller(owner.clone(), lease.id));
                        }
                        Claim::Expected => self.unclaimed.push((lease.clone(), owner.clone())),
                    }
                }
            }
            (Asked::Claim(lease, owner), Answer::Done) => {
                self.meet("claimed");
                self.use_by(lease, User::Caller(owner.clone(), lease.id));
            }
            (Asked::Add(_) | Asked::Caller(..), Answer::Done)
            | (Asked::Claim(..), Answer::Granted(_)) => panic!("{asked:?}: {answer:?}"),
            (Asked::Done, answer) => assert_eq!(*answer, Answer::Done),
            (asked, Answer::Refused(refused)) => {
                self.meet(refused.label());
                if let Asked::Claim(lease, _) = asked {
                    self.maybe_claimed.insert(lease.address);
                }
            }
            (Asked::Other, _) => {}
        }
    }

    fn granted_to(&mut self, attachment: &Attachment, leases: &[Lease]) {
        let addresses: Vec<IpAddr> = leases.iter().map(|lease| lease.address).collect();
        if let Some(told) = self.told.get(attachment) {
            assert_eq!(*told, addresses, "{attachment} asked again");
            self.meet("repeated");
        }
        for lease in leases {
            self.use_by(lease, User::Sandbox(attachment.clone()));
        }
        self.meet("granted");
        self.told.insert(attachment.clone(), addresses);
    }

    fn use_by(&mut self, lease: &Lease, user: User) {
        let users = self.live.entry(lease.address).or_default();
        users.insert(user);
        assert!(users.len() < 2, "{} has two users: {users:?}", lease.address);
    }

    /// What leaves for the `CiliumNode`.
    pub(crate) fn publish(&mut self, publication: &Publication) {
        match publication {
            Publication::Used { used, releases } => {
                for address in self.live_ipv4() {
                    assert!(used.contains_key(&address), "{address} is used and not published");
                }
                let ready = releases.iter().filter(|(_, it)| **it == Some(Release::Ready));
                for (address, _) in ready {
                    self.meet("ready");
                    assert!(!self.live.contains_key(&IpAddr::V4(*address)), "{address} is used");
                }
            }
            Publication::Pools { allocated, .. } => {
                for address in self.live.keys() {
                    let named = allocated.iter().any(|cidr| cidr.contains(address));
                    assert!(named, "{address} is used and given back: {allocated:?}");
                }
            }
        }
    }

    pub(crate) fn live_ipv4(&self) -> Vec<Ipv4Addr> {
        let listed = self.live.keys().filter(|address| !self.unlisted.contains(*address));
        let live = listed.filter_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        });
        live.collect()
    }

    /// Something keeps what is used from being published.
    pub(crate) fn excuse(&mut self) {
        self.missing_since.clear();
    }

    /// With nothing in the way, what was answered does not stay out of what is `published` for longer than `latest`.
    pub(crate) fn check_published(
        &mut self,
        now: Tick,
        published: &BTreeMap<Ipv4Addr, String>,
        latest: Duration,
    ) {
        let live = self.live_ipv4();
        let missing: BTreeSet<Ipv4Addr> =
            live.into_iter().filter(|address| !published.contains_key(address)).collect();
        self.missing_since.retain(|address, _| missing.contains(address));
        for address in missing {
            let since = *self.missing_since.entry(address).or_insert(now);
            assert!(now.since(since) <= latest, "{address} unpublished since {since:?}, {now:?}");
        }
    }
}

//! Interfaces that Berth made and that no node claims: which of them are deleted, and when.
//!
//! They are left behind when a creation is answered after its node is gone, or never, and when an instance ends without
//! them. Nobody asks for them by name any more, so they are looked for: a [`Look`] lists what is attached to nothing and
//! carries Berth's tags, and a [`Rule`] says of each why it stays, or that it goes. The operator and
//! `berth-operator gc` go by the same rule.
//!
//! **What makes it safe.** An interface that was made a moment ago looks like one that was left behind. So it has to be
//! older than its way to an instance may take, by its tag; and since wall clocks jump and readings lag, it has to be
//! seen attached to nothing by two looks that are apart by a clock that does not jump. EC2 has the last word: it deletes nothing that is attached.

mod judgement;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;

use crate::call::{EniPage, ListedEni, PageToken};
use crate::ids::{EniId, InstanceId};
use crate::managed::{has_all, made_for};
use crate::policy::{CLUSTER_TAG, MANAGED_TAG, Policy};
use crate::time::Tick;
use crate::view::{EniKind, Tags};

pub use judgement::Judgement;

/// How such interfaces are cleaned up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanUpSettings {
    /// How often they are looked for; `None`: never.
    pub interval: Option<Duration>,
    /// How old an interface has to be: longer than a creation may be on its way to its attachment.
    pub grace: Duration,
    /// How many are deleted after one look, at most.
    pub per_pass: u32,
}

impl Default for CleanUpSettings {
    fn default() -> Self {
        Self {
            interval: Some(Duration::from_mins(5)),
            grace: Duration::from_mins(10),
            per_pass: 25,
        }
    }
}

/// One listing of what is attached to nothing, page by page.
#[derive(Debug)]
pub struct Look {
    sent: Tick,
    enis: BTreeMap<EniId, ListedEni>,
    is_whole: bool,
}

impl Look {
    /// A look whose first page is asked for at `sent`.
    #[must_use]
    pub const fn new(sent: Tick) -> Self {
        Self { sent, enis: BTreeMap::new(), is_whole: false }
    }

    /// Adds a page. Answers with where the next one starts; `None`: the look is whole.
    ///
    /// What could not be read of it is nothing that could be deleted, and keeps nothing else from it.
    pub fn add(&mut self, page: EniPage) -> Option<PageToken> {
        self.enis.extend(page.items.into_iter().map(|listed| (listed.eni.id.clone(), listed)));
        self.is_whole = page.next.is_none();
        page.next
    }
}

/// When interfaces were first seen left behind, by complete looks that have shown them ever since.
#[derive(Debug, Default)]
pub struct Sights {
    first: BTreeMap<EniId, Sight>,
}

#[derive(Debug, Clone, Copy)]
struct Sight {
    /// When the look was complete.
    at: Tick,
    /// How old it was then, by its tag.
    age: Option<Duration>,
}

impl Sights {
    /// Forgets an interface, so that two more looks have to show it. To be done when it is asked to be deleted: whatever
    /// comes of that, the next looks tell.
    pub fn forget(&mut self, eni: &EniId) {
        self.first.remove(eni);
    }
}

/// What is to become of one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// The interface, as it was listed.
    pub listed: &'a ListedEni,
    /// The instance that it was made for, if its description names one.
    pub instance: Option<InstanceId>,
    /// The least time for which it has existed, by its tag as far as the clock that does not jump bears that out. `None` without a tag that can be read.
    pub age: Option<Duration>,
    /// What is to become of it, and why.
    pub judgement: Judgement,
}

/// Which interfaces are deleted.
#[derive(Debug, Clone)]
pub struct Rule {
    policy: Policy,
    ours: Tags,
    grace: Duration,
    apart: Duration,
    per_pass: usize,
}

impl Rule {
    /// The rule of a cluster; `None` when it has no name: what belongs to which cluster cannot be told then.
    ///
    /// `apart` is the time between the first and the last of the looks that have to agree; not less than readings may
    /// lag behind changes.
    #[must_use]
    pub fn new(policy: &Policy, settings: &CleanUpSettings, apart: Duration) -> Option<Self> {
        let named = (CLUSTER_TAG.to_string(), policy.cluster()?.to_string());
        Some(Self {
            policy: policy.clone(),
            ours: [(MANAGED_TAG.to_string(), "true".to_string()), named].into(),
            grace: settings.grace,
            apart,
            per_pass: usize::try_from(settings.per_pass).unwrap_or(usize::MAX),
        })
    }

    /// The tags by which interfaces are listed.
    #[must_use]
    pub const fn tags(&self) -> &Tags {
        &self.ours
    }

    /// Judges every interface of a look that is complete at `now`, oldest first. A look that is not whole shows nothing.
    ///
    /// `is_node` says whether an instance is a node's, which sees to its interfaces itself.
    pub fn judge<'a>(
        &self,
        look: &'a Look,
        sights: &mut Sights,
        now: Tick,
        is_node: impl Fn(&InstanceId) -> bool,
    ) -> Vec<Verdict<'a>> {
        if !look.is_whole {
            return Vec::new();
        }
        let before = core::mem::take(&mut sights.first);
        let mut verdicts = Vec::new();
        for (id, listed) in &look.enis {
            let instance = made_for(&listed.eni);
            let (mut age, mut watched) = (listed.age, Duration::ZERO);
            let stays = self.stays(listed, instance.as_ref(), &is_node);
            let judgement = stays.unwrap_or_else(|| {
                let known = before.get(id).copied();
                let sight = known.unwrap_or(Sight { at: now, age });
                sights.first.insert(id.clone(), sight);
                (age, watched) = (sight.age_of(listed, now), look.sent.since(sight.at));
                self.ripeness(age, watched, known.is_none())
            });
            verdicts.push((watched, Verdict { listed, instance, age, judgement }));
        }
        verdicts.sort_by_key(|(watched, verdict)| Reverse(verdict.age.unwrap_or(*watched)));
        let due = verdicts.iter_mut().filter(|(_, it)| it.judgement == Judgement::Due);
        for (_, verdict) in due.skip(self.per_pass) {
            verdict.judgement = Judgement::Later;
        }
        verdicts.into_iter().map(|(_, verdict)| verdict).collect()
    }

    /// Why an interface stays whatever its age; `None`: it was left behind.
    fn stays(
        &self,
        listed: &ListedEni,
        instance: Option<&InstanceId>,
        is_node: impl Fn(&InstanceId) -> bool,
    ) -> Option<Judgement> {
        let eni = &listed.eni;
        if !has_all(&eni.tags, &self.ours) {
            return Some(Judgement::NotOurs);
        }
        if self.policy.is_foreign(&eni.tags, false) {
            return Some(Judgement::Foreign);
        }
        if eni.kind != EniKind::Ordinary {
            return Some(Judgement::Special);
        }
        if listed.instance.is_some() || eni.attachment.is_some() {
            return Some(Judgement::Attached);
        }
        match instance {
            None => Some(Judgement::NotMadeForInstance),
            Some(instance) => is_node(instance).then_some(Judgement::Claimed),
        }
    }

    /// Whether what was left behind may go. `watched` is for how long that has been seen.
    fn ripeness(&self, age: Option<Duration>, watched: Duration, is_new: bool) -> Judgement {
        #[cfg(feature = "planted")]
        if crate::planted::is(crate::planted::Bug::GcWithoutAge) {
            return Judgement::Due;
        }
        match age {
            Some(age) if age < self.grace => Judgement::Young,
            None if watched < self.grace => Judgement::AgeUnknown,
            _ if is_new => Judgement::SeenOnce,
            _ if watched < self.apart => Judgement::SeenBriefly,
            _ => Judgement::Due,
        }
    }
}

impl Sight {
    /// The least age of an interface at `now`. A wall clock that has jumped since the first sight makes none older.
    fn age_of(self, listed: &ListedEni, now: Tick) -> Option<Duration> {
        let by_sight = self.age?.saturating_add(now.since(self.at));
        Some(listed.age?.min(by_sight))
    }
}

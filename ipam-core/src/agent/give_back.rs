//! Giving whole CIDRs back (the CIDR contract): what the agent does not name as allocated, the operator unassigns.
//!
//! A CIDR is promised away before it is left out. When more addresses are needed again, one that was never left out is
//! taken back at once. One that was, or may have been, is named again first, and handed out only when a later word shows it both
//! attached and allocated: until then the operator may be unassigning it.
//!
//! **Later.** A word may be older than what was written. So a CIDR is not named again before a word has shown it left out: words come in
//! the order of the object's versions, and one that shows it allocated after that is younger than the omission. What a publication
//! that failed, or one of a former process, has done is not known either, and is found out in the same way. What the operator hides
//! and shows again is promised still, and is found out anew.
//!
//! **Named first.** An operator cannot tell who has nothing to say of a CIDR from who cannot say it, and takes nothing of which its agent
//! has not written anything since it is shown. So what is shown anew is named before it is given back, also what was given back before.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::IpAddr;

use ipnet::IpNet;

use super::word::Word;
use crate::pool::{CidrUsage, Family, Ledger, ListedCidr};
use crate::time::Tick;

/// What is given back.
#[derive(Debug, Default)]
pub(super) struct GiveBack {
    /// The CIDRs of the last word that made sense, in the order of the interfaces. None until there was one.
    pub(super) attached: Option<Vec<ListedCidr>>,
    /// What the last word showed as allocated.
    named: BTreeSet<IpNet>,
    /// What is promised and was certainly not left out yet.
    kept_so_far: BTreeSet<IpNet>,
    /// What else is promised.
    left_out: BTreeMap<IpNet, LeftOut>,
    /// What is wanted back.
    returning: BTreeSet<IpNet>,
    /// What is promised and was not shown for a while.
    shown_anew: BTreeSet<IpNet>,
    /// Whether the last word showed nothing at all, as that of an object that was made anew.
    is_blank: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    /// It was left out, or may have been, and no word has shown that yet. It is not named before one has.
    Out,
    /// A word has shown that it is left out: one that shows it again comes after that.
    SeenOut,
    /// A publication that names it again was sent after that.
    NamedAgain,
}

impl LeftOut {
    /// What a word, which names it or does not, makes of it; `None` when it is back. One that names it too early is older than it seems.
    const fn after(self, is_named: bool) -> Option<Self> {
        match (self, is_named) {
            (Self::NamedAgain, true) => None,
            (Self::Out | Self::SeenOut, true) => Some(Self::Out),
            (Self::Out | Self::SeenOut, false) => Some(Self::SeenOut),
            (Self::NamedAgain, false) => Some(Self::NamedAgain),
        }
    }
}

/// How many free addresses there are to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    /// With fewer, what was given back is taken back.
    pub(super) wanted: u32,
    /// With more, CIDRs are given back. What the operator would only assign again is kept.
    pub(super) kept: u32,
}

/// What a decision has changed in the ledger.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) promised: Vec<IpNet>,
    /// Whether a promise was taken back.
    pub(super) withdrawn: bool,
}

/// Whether nothing but promises is in a CIDR.
const fn is_given_back(usage: &CidrUsage) -> bool {
    usage.free == 0 && usage.used == 0 && usage.cooling == 0 && usage.promised > 0
}

impl GiveBack {
    /// Decides for one family what is given back and what is taken back.
    pub(super) fn decide(
        &mut self,
        now: Tick,
        ledger: &mut Ledger,
        family: Family,
        target: Target,
    ) -> Changes {
        let mut changes = Changes::default();
        let Some(attached) = self.attached.take() else { return changes };
        let usages: BTreeMap<IpNet, CidrUsage> =
            ledger.cidrs().map(|usage| (usage.listed.cidr, usage)).collect();
        let mine = attached.iter().map(|listed| listed.cidr);
        let mine = mine.filter(|cidr| Family::of(cidr.addr()) == family);
        let mine: Vec<&CidrUsage> = mine.filter_map(|cidr| usages.get(&cidr)).collect();
        self.find_out(&mine);
        let mut free = ledger.tally(family).free + self.returning_of(&mine);
        for usage in mine.iter().filter(|usage| usage.promised > 0) {
            let cidr = usage.listed.cidr;
            let is_broken_into = !is_given_back(usage);
            let is_shown_anew = self.shown_anew.remove(&cidr);
            let is_wanted = free < target.wanted || is_broken_into || is_shown_anew;
            if is_wanted && !self.returning.contains(&cidr) {
                free += usage.promised;
                self.take_back(now, ledger, cidr, &mut changes);
            }
        }
        let is_named = |usage: &&&CidrUsage| self.named.contains(&usage.listed.cidr);
        for usage in mine.iter().rev().filter(|usage| is_idle(usage)).filter(is_named) {
            let rest = free.checked_sub(usage.free).filter(|rest| *rest >= target.kept);
            if let Some(rest) = rest
                && ledger.promise_cidr(usage.listed.cidr).is_ok()
            {
                free = rest;
                if !self.left_out.contains_key(&usage.listed.cidr) {
                    self.kept_so_far.insert(usage.listed.cidr);
                }
                changes.promised.push(usage.listed.cidr);
            }
        }
        self.attached = Some(attached);
        changes
    }

    /// Promises that were not made here just now: of a former process, or of what was hidden meanwhile. What somebody uses part of is
    /// named in any case.
    fn find_out(&mut self, usages: &[&CidrUsage]) {
        for usage in usages {
            let cidr = usage.listed.cidr;
            if usage.promised == 0 {
                self.kept_so_far.remove(&cidr);
            } else if !self.kept_so_far.contains(&cidr) && !self.left_out.contains_key(&cidr) {
                match (self.named.contains(&cidr), is_given_back(usage)) {
                    (false, _) => drop(self.left_out.insert(cidr, LeftOut::SeenOut)),
                    (true, true) => drop(self.left_out.insert(cidr, LeftOut::Out)),
                    (true, false) => drop(self.kept_so_far.insert(cidr)),
                }
            }
        }
    }

    /// How many addresses are on their way back.
    fn returning_of(&self, usages: &[&CidrUsage]) -> u32 {
        let returning = usages.iter().filter(|usage| self.returning.contains(&usage.listed.cidr));
        returning.map(|usage| usage.promised).sum()
    }

    fn take_back(&mut self, now: Tick, ledger: &mut Ledger, cidr: IpNet, changes: &mut Changes) {
        let is_out = !self.kept_so_far.contains(&cidr);
        #[cfg(feature = "planted")]
        let is_out = is_out && !crate::planted::is(crate::planted::Bug::TakenBackAtOnce);
        if is_out {
            self.returning.insert(cidr);
        } else {
            self.kept_so_far.remove(&cidr);
            changes.withdrawn |= withdraw(now, ledger, cidr);
        }
    }

    /// What to name as allocated: all that is attached and not given back, and what is used of CIDRs that are gone.
    pub(super) fn allocated(
        &self,
        ledger: &Ledger,
        is_proven: impl Fn(IpNet) -> bool,
    ) -> Option<BTreeSet<IpNet>> {
        let attached = self.attached.as_ref()?;
        let is_out = |usage: &CidrUsage| {
            let cidr = usage.listed.cidr;
            let is_named_again = self.returning.contains(&cidr)
                && self.left_out.get(&cidr).is_none_or(|it| *it != LeftOut::Out);
            is_given_back(usage) && is_proven(cidr) && !is_named_again
        };
        let (out, used): (Vec<_>, Vec<_>) = ledger
            .cidrs()
            .filter(|usage| is_out(usage) || (usage.withdrawn && usage.used > 0))
            .partition(is_out);
        let mut allocated: BTreeSet<IpNet> = attached.iter().map(|listed| listed.cidr).collect();
        for usage in out {
            allocated.remove(&usage.listed.cidr);
        }
        allocated.extend(used.into_iter().map(|usage| usage.listed.cidr));
        Some(allocated)
    }

    /// Something is left out, or named again, from now on.
    pub(super) fn on_sent(&mut self, allocated: &BTreeSet<IpNet>) {
        let attached = self.attached.iter().flatten().map(|listed| listed.cidr);
        for cidr in attached.filter(|cidr| !allocated.contains(cidr)) {
            self.kept_so_far.remove(&cidr);
            let left_out = self.left_out.entry(cidr).or_insert(LeftOut::Out);
            if *left_out == LeftOut::NamedAgain {
                *left_out = LeftOut::Out;
            }
        }
        self.name_again(allocated, |left_out| left_out == LeftOut::SeenOut);
    }

    /// A publication was written that names these: also one that could not be left out any more, since somebody uses part of it.
    pub(super) fn on_written(&mut self, allocated: &BTreeSet<IpNet>) {
        self.name_again(allocated, |_| true);
    }

    fn name_again(&mut self, allocated: &BTreeSet<IpNet>, is_meant: impl Fn(LeftOut) -> bool) {
        let named = self.left_out.iter_mut().filter(|(cidr, _)| allocated.contains(cidr));
        let named = named.map(|(_, left_out)| left_out).filter(|left_out| is_meant(**left_out));
        named.for_each(|left_out| *left_out = LeftOut::NamedAgain);
    }

    /// A word that shows nothing erases nothing; but what comes after it is shown anew.
    pub(super) const fn on_blank_word(&mut self) {
        self.is_blank = true;
    }

    /// Takes back what the operator's word shows as attached, and as allocated again; answers whether anything was.
    pub(super) fn on_word(
        &mut self,
        now: Tick,
        word: &Word,
        attached: Vec<ListedCidr>,
        ledger: &mut Ledger,
    ) -> bool {
        let is_attached = |cidr: &IpNet| attached.iter().any(|listed| listed.cidr == *cidr);
        self.left_out.retain(|cidr, _| is_attached(cidr));
        self.kept_so_far.retain(is_attached);
        self.returning.retain(is_attached);
        self.shown_anew.retain(is_attached);
        let is_blank = core::mem::take(&mut self.is_blank);
        if let Some(before) = &self.attached {
            let is_new =
                |cidr: &IpNet| is_blank || before.iter().all(|listed| listed.cidr != *cidr);
            let new = attached.iter().map(|listed| listed.cidr).filter(is_new);
            let is_promised = |cidr: &IpNet| ledger.promises().any(|it| cidr.contains(&it));
            self.shown_anew.extend(new.filter(is_promised));
        }
        let mut withdrawn = false;
        for (cidr, left_out) in core::mem::take(&mut self.left_out) {
            if let Some(after) = left_out.after(word.allocated.contains(&cidr)) {
                self.left_out.insert(cidr, after);
            } else if self.returning.remove(&cidr) {
                withdrawn |= withdraw(now, ledger, cidr);
            } else {
                self.kept_so_far.insert(cidr);
            }
        }
        self.named.clone_from(&word.allocated);
        self.attached = Some(attached);
        withdrawn
    }
}

/// Whether a CIDR can be given back: nobody uses any of it, and nothing of it rests.
const fn is_idle(usage: &CidrUsage) -> bool {
    !usage.withdrawn
        && usage.used == 0
        && usage.cooling == 0
        && usage.promised == 0
        && usage.free > 0
}

/// Takes back all promises in a CIDR.
fn withdraw(now: Tick, ledger: &mut Ledger, cidr: IpNet) -> bool {
    let promised: Vec<IpAddr> =
        ledger.promises().filter(|address| cidr.contains(address)).collect();
    let withdrawn =
        promised.into_iter().map(|address| ledger.withdraw_promise(address, now).is_ok());
    withdrawn.fold(false, |any, one| any | one)
}

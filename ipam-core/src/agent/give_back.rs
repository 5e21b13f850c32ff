//! Giving whole CIDRs back (the CIDR contract): what the agent does not name as allocated, the operator unassigns.
//!
//! A CIDR is promised away before it is left out. When more addresses are needed again, one that was never left out is
//! taken back at once. One that was is named again first, and handed out only when a later word shows it as allocated: until
//! then the operator may be unassigning it.

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
    /// What was left out of a publication.
    left_out: BTreeMap<IpNet, LeftOut>,
    /// What is wanted back.
    returning: BTreeSet<IpNet>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    /// It is not named.
    Out,
    /// A publication that names it again was written.
    NamedAgain,
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
        let mut free = ledger.tally(family).free + self.returning_of(&mine);
        for usage in mine.iter().filter(|usage| usage.promised > 0) {
            let cidr = usage.listed.cidr;
            let is_broken_into = !is_given_back(usage);
            let is_wanted = free < target.wanted || is_broken_into;
            if is_wanted && !self.returning.contains(&cidr) {
                free += usage.promised;
                self.take_back(now, ledger, cidr, &mut changes);
            }
        }
        for usage in mine.iter().rev().filter(|usage| is_idle(usage)) {
            let rest = free.checked_sub(usage.free).filter(|rest| *rest >= target.kept);
            if let Some(rest) = rest
                && ledger.promise_cidr(usage.listed.cidr).is_ok()
            {
                free = rest;
                changes.promised.push(usage.listed.cidr);
            }
        }
        self.attached = Some(attached);
        changes
    }

    /// How many addresses are on their way back.
    fn returning_of(&self, usages: &[&CidrUsage]) -> u32 {
        let returning = usages.iter().filter(|usage| self.returning.contains(&usage.listed.cidr));
        returning.map(|usage| usage.promised).sum()
    }

    fn take_back(&mut self, now: Tick, ledger: &mut Ledger, cidr: IpNet, changes: &mut Changes) {
        if self.left_out.contains_key(&cidr) {
            self.returning.insert(cidr);
        } else {
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
            is_given_back(usage) && is_proven(cidr) && !self.returning.contains(&cidr)
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

    /// Something is left out from now on.
    pub(super) fn on_sent(&mut self, allocated: &BTreeSet<IpNet>) {
        let attached = self.attached.iter().flatten().map(|listed| listed.cidr);
        let out = attached.filter(|cidr| !allocated.contains(cidr));
        self.left_out.extend(out.map(|cidr| (cidr, LeftOut::Out)));
    }

    /// A publication was written that names these.
    pub(super) fn on_written(&mut self, allocated: &BTreeSet<IpNet>) {
        let named = self.left_out.iter_mut().filter(|(cidr, _)| allocated.contains(cidr));
        named.for_each(|(_, left_out)| *left_out = LeftOut::NamedAgain);
    }

    /// Takes back what the operator's word shows as allocated again; answers whether anything was. The first word says what was
    /// left out before a restart.
    pub(super) fn on_word(
        &mut self,
        now: Tick,
        word: &Word,
        attached: Vec<ListedCidr>,
        ledger: &mut Ledger,
    ) -> bool {
        if self.attached.is_none() {
            let broken_into = ledger.cidrs().filter(|usage| usage.promised > 0);
            let given_back = broken_into.map(|usage| usage.listed.cidr);
            let out = given_back.filter(|cidr| !word.allocated.contains(cidr));
            self.left_out.extend(out.map(|cidr| (cidr, LeftOut::Out)));
        }
        let is_back = |cidr: &IpNet, left_out: &mut LeftOut| {
            *left_out == LeftOut::NamedAgain && word.allocated.contains(cidr)
        };
        let mut withdrawn = false;
        for (cidr, _) in self.left_out.extract_if(.., is_back) {
            if self.returning.remove(&cidr) {
                withdrawn |= withdraw(now, ledger, cidr);
            }
        }
        let is_attached = |cidr: &IpNet| attached.iter().any(|listed| listed.cidr == *cidr);
        self.left_out.retain(|cidr, _| is_attached(cidr));
        self.returning.retain(|cidr| is_attached(cidr));
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

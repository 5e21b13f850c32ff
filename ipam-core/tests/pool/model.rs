//! What a ledger does, written down a second time: ordered maps, whole searches, nothing kept that
//! can be found out anew. It shares no code with the ledger but the types of its answers.

mod listing;
mod snapshot;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use ipam_core::ids::EniId;
use ipam_core::pool::{
    By, Claim, Expired, Family, Grant, GrantId, LedgerSettings, Owner, UsedAddress,
};
use ipam_core::time::Tick;
use ipnet::IpNet;

use listing::addresses_of;

/// A CIDR of the model.
#[derive(Clone)]
struct Range {
    eni: EniId,
    withdrawn: bool,
    addresses: Vec<IpAddr>,
}

/// What an address is that is not free.
#[derive(Clone, PartialEq)]
pub(crate) enum Is {
    /// By which grant, and since when it waits for its claim.
    Used(GrantId, Owner, Option<Tick>),
    /// Since when, and its turn among those of the same moment.
    Cooling(Tick, u64),
    Promised(Option<Tick>),
}

/// What is remembered of an address that is gone from the listing.
#[derive(Clone)]
struct Gone {
    eni: EniId,
    since: Tick,
    promised: bool,
    cooling: Option<Tick>,
}

pub(crate) struct Model {
    settings: LedgerSettings,
    now: Tick,
    next_grant: u64,
    cut_short: u64,
    turns: u64,
    ranges: BTreeMap<IpNet, Range>,
    /// Withdrawn, no longer used and not yet reported as removed.
    drained: BTreeMap<IpNet, EniId>,
    gone: BTreeMap<IpAddr, Gone>,
    pub(crate) taken: BTreeMap<IpAddr, Is>,
}

/// A refusal is known by its label.
pub(crate) type Outcome<T> = Result<T, &'static str>;

impl Model {
    pub(crate) fn new(settings: LedgerSettings) -> Self {
        Self {
            settings,
            now: Tick::default(),
            next_grant: 1,
            cut_short: 0,
            turns: 0,
            ranges: BTreeMap::new(),
            drained: BTreeMap::new(),
            gone: BTreeMap::new(),
            taken: BTreeMap::new(),
        }
    }

    pub(crate) fn pass(&mut self, now: Tick) {
        self.now = self.now.max(now);
        let (now, cool_down) = (self.now, self.settings.cool_down());
        self.taken
            .retain(|_, is| !matches!(is, Is::Cooling(since, _) if now >= *since + cool_down));
    }

    /// A restart: the clock goes on, or begins anew and every age stays.
    pub(crate) fn restart(&mut self, now: Tick) {
        let back = self.now.since(now);
        self.line_up();
        let taken = self.taken.values_mut().filter_map(|is| match is {
            Is::Used(_, _, since) | Is::Promised(since) => since.as_mut(),
            Is::Cooling(since, _) => Some(since),
        });
        let gone =
            self.gone.values_mut().map(|gone| [Some(&mut gone.since), gone.cooling.as_mut()]);
        for moment in taken.chain(gone.flatten().flatten()) {
            *moment = Tick::default() + moment.since(Tick::default() + back);
        }
        self.now = now;
        self.pass(now);
    }

    /// Gives every cooling address the turn that its moment gave it, so that those keep their order
    /// whose moments become the same.
    fn line_up(&mut self) {
        let mut turns: Vec<_> = self
            .taken
            .values_mut()
            .filter_map(|is| match is {
                Is::Cooling(since, turn) => Some((*since, turn)),
                _ => None,
            })
            .collect();
        turns.sort_by_key(|(since, turn)| (*since, **turn));
        for (_, turn) in turns {
            self.turns += 1;
            *turn = self.turns;
        }
    }

    pub(crate) fn allocate(
        &mut self,
        family: Family,
        owner: &Owner,
        claim: Claim,
    ) -> Outcome<Grant> {
        self.check_role(family, owner)?;
        let of_family = |address: &IpAddr| Family::of(*address) == family;
        let fullest = self.ranges.values().filter_map(|range| {
            let free = self.free(range).find(of_family)?;
            let used = range.addresses.iter().filter(|address| self.is_used(address)).count();
            // Of untouched ones the smallest, of equals the lowest.
            let untouched = if used == 0 { range.addresses.len() } else { 0 };
            Some((Reverse(used), untouched, free))
        });
        let cooling = self.taken.iter().filter_map(|(address, is)| match is {
            Is::Cooling(since, turn) if of_family(address) => Some((*since, *turn, *address)),
            _ => None,
        });
        let next = fullest.min().map(|(.., free)| free);
        if let Some(address) = next.or_else(|| cooling.min().map(|(.., address)| address)) {
            return Ok(self.grant(address, owner, claim));
        }
        let leaves_one = |one: &Expired| of_family(&one.address) && self.is_listed(one.address);
        let expired = self.overdue().into_iter().find(leaves_one).ok_or("exhausted")?;
        self.take_back(expired.address);
        let grant = self.grant(expired.address, owner, claim);
        Ok(Grant { expired: Some(expired), ..grant })
    }

    pub(crate) fn allocate_exact(
        &mut self,
        address: IpAddr,
        owner: &Owner,
        claim: Claim,
    ) -> Outcome<Grant> {
        self.look_up(address)?;
        match self.taken.get(&address) {
            Some(Is::Used(id, holder, waits))
                if holder == owner && !matches!(owner, Owner::Pod(_)) =>
            {
                let claim = if waits.is_some() { Claim::Expected } else { Claim::NotNeeded };
                let eni = self.range_of(address).unwrap().1.eni.clone();
                return Ok(Grant { address, eni, id: *id, claim, cut_short: false, expired: None });
            }
            Some(Is::Used(..)) => return Err("in_use"),
            Some(Is::Promised(_)) => return Err("promised"),
            Some(Is::Cooling(..)) | None => self.check_role(Family::of(address), owner)?,
        }
        Ok(self.grant(address, owner, claim))
    }

    fn grant(&mut self, address: IpAddr, owner: &Owner, claim: Claim) -> Grant {
        let id = GrantId::from_u64(self.next_grant);
        self.next_grant += 1;
        let unclaimed = (claim == Claim::Expected).then_some(self.now);
        let former = self.taken.insert(address, Is::Used(id, owner.clone(), unclaimed));
        let cut_short = matches!(former, Some(Is::Cooling(..)));
        self.cut_short += u64::from(cut_short);
        let (_, range) = self.range_of(address).unwrap();
        Grant { address, eni: range.eni.clone(), id, claim, cut_short, expired: None }
    }

    pub(crate) fn release(&mut self, address: IpAddr, by: By<'_>) -> Outcome<Owner> {
        if self.range_of(address).is_none() {
            return Err("unknown");
        }
        match self.taken.get(&address) {
            Some(Is::Used(id, holder, _)) => match by {
                By::Grant(given) if given != *id => Err("another_grant"),
                By::Owner(owner) if owner != holder => Err("held_by_another"),
                _ => {
                    let holder = holder.clone();
                    self.take_back(address);
                    Ok(holder)
                }
            },
            _ => Err("not_used"),
        }
    }

    fn take_back(&mut self, address: IpAddr) {
        self.taken.remove(&address);
        let (&cidr, range) = self.range_of(address).unwrap();
        if !range.withdrawn {
            self.rest(address);
            return;
        }
        let (eni, since) = (range.eni.clone(), self.now);
        let drained = !range.addresses.iter().any(|address| self.is_used(address));
        if !self.settings.cool_down().is_zero() {
            let cooling = Some(since);
            self.gone.insert(address, Gone { eni: eni.clone(), since, promised: false, cooling });
        }
        if drained {
            self.ranges.remove(&cidr);
            self.drained.insert(cidr, eni);
        }
    }

    fn rest(&mut self, address: IpAddr) {
        if !self.settings.cool_down().is_zero() {
            self.turns += 1;
            self.taken.insert(address, Is::Cooling(self.now, self.turns));
        }
    }

    pub(crate) fn claim(&mut self, address: IpAddr, id: GrantId) -> Outcome<()> {
        if self.range_of(address).is_none() {
            return Err("unknown");
        }
        match self.taken.get_mut(&address) {
            Some(Is::Used(standing, ..)) if *standing != id => Err("another_grant"),
            Some(Is::Used(_, _, unclaimed)) => {
                unclaimed.take().map(|_| ()).ok_or("no_claim_expected")
            }
            _ => Err("not_used"),
        }
    }

    pub(crate) fn expire(&mut self) -> Vec<Expired> {
        let expired = self.overdue();
        for expired in &expired {
            self.take_back(expired.address);
        }
        expired
    }

    /// What was not claimed in time, the oldest first.
    fn overdue(&self) -> Vec<Expired> {
        let overdue = |since: &Tick| self.now >= *since + self.settings.claim_within();
        let used = self.used().into_iter();
        let mut expired: Vec<Expired> = used
            .filter_map(|UsedAddress { address, id, owner, unclaimed_since }| {
                unclaimed_since.filter(overdue)?;
                Some(Expired { address, owner, id })
            })
            .collect();
        expired.sort_by_key(|expired| expired.id);
        expired
    }

    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        let deadlines = self.taken.values().filter_map(|is| match is {
            Is::Used(_, _, Some(since)) => Some(*since + self.settings.claim_within()),
            Is::Cooling(since, _) => Some(*since + self.settings.cool_down()),
            _ => None,
        });
        deadlines.min()
    }

    pub(crate) fn promise(&mut self, addresses: &[IpAddr]) -> Outcome<()> {
        for address in addresses {
            self.look_up(*address)?;
            if self.is_used(address) {
                return Err("in_use");
            }
        }
        for address in addresses {
            let cooling_since = match self.taken.get(address) {
                Some(Is::Promised(since)) => *since,
                Some(Is::Cooling(since, _)) => Some(*since),
                _ => None,
            };
            self.taken.insert(*address, Is::Promised(cooling_since));
        }
        Ok(())
    }

    pub(crate) fn withdraw_promise(&mut self, addresses: &[IpAddr]) -> Outcome<()> {
        for address in addresses {
            if self.range_of(*address).is_none() {
                return Err("unknown");
            }
            if !matches!(self.taken.get(address), Some(Is::Promised(_))) {
                return Err("not_promised");
            }
        }
        for address in addresses {
            let Some(Is::Promised(since)) = self.taken.remove(address) else { unreachable!() };
            let cool_down = self.settings.cool_down();
            if since.is_some_and(|since| self.now < since + cool_down) {
                self.rest(*address);
            }
        }
        Ok(())
    }

    /// Whether promises of vanished addresses were ended, all of a CIDR.
    pub(crate) fn end_vanished(&mut self, cidr: IpNet) -> bool {
        let inside = self.gone.iter_mut().filter(|(address, _)| cidr.contains(*address));
        let promised: Vec<_> = inside.filter(|(_, gone)| gone.promised).collect();
        let any = !promised.is_empty();
        for (_, gone) in promised {
            gone.promised = false;
        }
        any
    }

    /// The addresses of a CIDR that is one of the ranges, or part of one.
    pub(crate) fn within(&self, cidr: IpNet) -> Outcome<Vec<IpAddr>> {
        let around = self.range_of(cidr.network());
        match around.is_some_and(|(range, _)| range.contains(&cidr)) {
            _ if cidr != cidr.trunc() => Err("host_bits"),
            true => Ok(addresses_of(cidr)),
            false if self.ranges.keys().any(|range| cidr.contains(range)) => Err("in_pieces"),
            false => Err("unknown_cidr"),
        }
    }

    fn check_role(&self, family: Family, owner: &Owner) -> Outcome<()> {
        let holds = |(address, is): (&IpAddr, &Is)| {
            Family::of(*address) == family
                && matches!(is, Is::Used(_, holder, _) if holder == owner)
        };
        match owner {
            Owner::Pod(_) => Ok(()),
            _ if self.taken.iter().any(holds) => Err("holds_another"),
            _ => Ok(()),
        }
    }

    /// Whether an address is there, used or not.
    fn look_up(&self, address: IpAddr) -> Outcome<()> {
        match self.range_of(address) {
            None => Err("unknown"),
            Some((_, range)) if range.withdrawn && !self.is_used(&address) => Err("withdrawn"),
            Some(_) => Ok(()),
        }
    }

    fn range_of(&self, address: IpAddr) -> Option<(&IpNet, &Range)> {
        self.ranges
            .iter()
            .find(|(cidr, range)| cidr.contains(&address) && range.addresses.contains(&address))
    }

    /// Whether new addresses may come from the CIDR of this one.
    pub(crate) fn is_listed(&self, address: IpAddr) -> bool {
        self.range_of(address).is_some_and(|(_, range)| !range.withdrawn)
    }

    pub(crate) fn has_free(&self, family: Family) -> bool {
        let mut free = self.ranges.values().flat_map(|range| self.free(range));
        free.any(|address| Family::of(address) == family)
    }

    pub(crate) fn attached(&self, family: Family) -> u32 {
        let listed = self.ranges.values().filter(|range| !range.withdrawn);
        let addresses = listed.flat_map(|range| &range.addresses);
        addresses.filter(|address| Family::of(**address) == family).map(|_| 1).sum()
    }

    fn is_used(&self, address: &IpAddr) -> bool {
        matches!(self.taken.get(address), Some(Is::Used(..)))
    }

    fn free<'a>(&'a self, range: &'a Range) -> impl Iterator<Item = IpAddr> + 'a {
        let there = range.addresses.iter().filter(|_| !range.withdrawn);
        there.filter(|address| !self.taken.contains_key(address)).copied()
    }
}

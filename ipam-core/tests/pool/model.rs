//! What a ledger does, written down a second time: ordered maps, whole searches, nothing kept that
//! can be found out anew. It shares no code with the ledger but the types of its answers.

mod listing;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::IpAddr;

use ipam_core::ids::EniId;
use ipam_core::pool::{
    Claim, ClaimId, CoolingAddress, Expired, Family, Grant, LedgerSettings, ListedCidr, Owner,
    PendingClaim, PromisedAddress, Snapshot, SnapshotCidr, UsedAddress,
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
    Used(Owner, Option<PendingClaim>),
    /// Since when, and its turn among those of the same moment.
    Cooling(Tick, u64),
    Promised(Option<Tick>),
}

pub(crate) struct Model {
    settings: LedgerSettings,
    now: Tick,
    next_claim: u64,
    cut_short: u64,
    turns: u64,
    ranges: BTreeMap<IpNet, Range>,
    pub(crate) taken: BTreeMap<IpAddr, Is>,
}

/// A refusal is known by its label.
pub(crate) type Outcome<T> = Result<T, &'static str>;

impl Model {
    pub(crate) fn new(settings: LedgerSettings) -> Self {
        Self {
            settings,
            now: Tick::default(),
            next_claim: 1,
            cut_short: 0,
            turns: 0,
            ranges: BTreeMap::new(),
            taken: BTreeMap::new(),
        }
    }

    pub(crate) fn pass(&mut self, now: Tick) {
        self.now = self.now.max(now);
        let (now, cool_down) = (self.now, self.settings.cool_down());
        self.taken
            .retain(|_, is| !matches!(is, Is::Cooling(since, _) if now >= *since + cool_down));
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
        let address = next.or_else(|| cooling.min().map(|(.., address)| address));
        Ok(self.grant(address.ok_or("exhausted")?, owner, claim))
    }

    pub(crate) fn allocate_exact(
        &mut self,
        address: IpAddr,
        owner: &Owner,
        claim: Claim,
    ) -> Outcome<Grant> {
        self.look_up(address)?;
        match self.taken.get(&address) {
            Some(Is::Used(..)) => return Err("in_use"),
            Some(Is::Promised(_)) => return Err("promised"),
            Some(Is::Cooling(..)) | None => self.check_role(Family::of(address), owner)?,
        }
        Ok(self.grant(address, owner, claim))
    }

    fn grant(&mut self, address: IpAddr, owner: &Owner, claim: Claim) -> Grant {
        let claim = (claim == Claim::Expected).then(|| {
            self.next_claim += 1;
            let id = ClaimId::from_u64(self.next_claim - 1);
            PendingClaim { id, since: self.now }
        });
        let former = self.taken.insert(address, Is::Used(owner.clone(), claim));
        let cut_short = matches!(former, Some(Is::Cooling(..)));
        self.cut_short += u64::from(cut_short);
        let (_, range) = self.range_of(address).unwrap();
        let (eni, claim) = (range.eni.clone(), claim.map(|claim| claim.id));
        Grant { address, eni, claim, cut_short }
    }

    pub(crate) fn release(&mut self, address: IpAddr, owner: Option<&Owner>) -> Outcome<Owner> {
        if self.range_of(address).is_none() {
            return Err("unknown");
        }
        match self.taken.get(&address) {
            Some(Is::Used(holder, _)) if owner.is_some_and(|owner| owner != holder) => {
                Err("held_by_another")
            }
            Some(Is::Used(holder, _)) => {
                let holder = holder.clone();
                self.take_back(address);
                Ok(holder)
            }
            _ => Err("not_used"),
        }
    }

    fn take_back(&mut self, address: IpAddr) {
        self.taken.remove(&address);
        let (&cidr, range) = self.range_of(address).unwrap();
        if !range.withdrawn {
            self.rest(address);
        } else if !range.addresses.iter().any(|address| self.is_used(address)) {
            self.ranges.remove(&cidr);
        }
    }

    fn rest(&mut self, address: IpAddr) {
        if !self.settings.cool_down().is_zero() {
            self.turns += 1;
            self.taken.insert(address, Is::Cooling(self.now, self.turns));
        }
    }

    pub(crate) fn claim(&mut self, address: IpAddr, id: ClaimId) -> Outcome<()> {
        if self.range_of(address).is_none() {
            return Err("unknown");
        }
        match self.taken.get_mut(&address) {
            Some(Is::Used(_, claim)) => match claim {
                Some(expected) if expected.id == id => {
                    *claim = None;
                    Ok(())
                }
                Some(_) => Err("wrong_claim"),
                None => Err("no_claim_expected"),
            },
            _ => Err("not_used"),
        }
    }

    pub(crate) fn expire(&mut self) -> Vec<Expired> {
        let overdue = |claim: &PendingClaim| self.now >= claim.since + self.settings.claim_within();
        let used = self.used().into_iter();
        let mut expired: Vec<Expired> = used
            .filter_map(|UsedAddress { address, owner, claim }| {
                let claim = claim.filter(overdue)?.id;
                Some(Expired { address, owner, claim })
            })
            .collect();
        expired.sort_by_key(|expired| expired.claim);
        for expired in &expired {
            self.take_back(expired.address);
        }
        expired
    }

    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        let deadlines = self.taken.values().filter_map(|is| match is {
            Is::Used(_, Some(claim)) => Some(claim.since + self.settings.claim_within()),
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

    /// The addresses of a CIDR that is one of the ranges, or part of one.
    pub(crate) fn within(&self, cidr: IpNet) -> Outcome<Vec<IpAddr>> {
        let around = self.range_of(cidr.network());
        let inside = around.is_some_and(|(range, _)| range.contains(&cidr));
        if inside && cidr == cidr.trunc() { Ok(addresses_of(cidr)) } else { Err("unknown_cidr") }
    }

    fn check_role(&self, family: Family, owner: &Owner) -> Outcome<()> {
        let holds = |(address, is): (&IpAddr, &Is)| {
            Family::of(*address) == family && matches!(is, Is::Used(holder, _) if holder == owner)
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

    fn used(&self) -> Vec<UsedAddress> {
        let used = self.taken.iter().filter_map(|(address, is)| match is {
            Is::Used(owner, claim) => {
                Some(UsedAddress { address: *address, owner: owner.clone(), claim: *claim })
            }
            _ => None,
        });
        used.collect()
    }

    /// What the snapshot of the ledger must be.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let cidrs = self.ranges.iter().map(|(cidr, range)| SnapshotCidr {
            listed: ListedCidr { cidr: *cidr, eni: range.eni.clone() },
            withdrawn: range.withdrawn,
        });
        let promised = self.taken.iter().filter_map(|(&address, is)| match *is {
            Is::Promised(cooling_since) => Some(PromisedAddress { address, cooling_since }),
            _ => None,
        });
        let cooling = self.taken.iter().filter_map(|(&address, is)| match *is {
            Is::Cooling(since, turn) => Some((Family::of(address), since, turn, address)),
            _ => None,
        });
        let mut cooling: Vec<_> = cooling.collect();
        cooling.sort_unstable();
        let cooling =
            cooling.into_iter().map(|(_, since, _, address)| CoolingAddress { address, since });
        Snapshot {
            at: self.now,
            next_claim: ClaimId::from_u64(self.next_claim),
            cooling_cut_short: self.cut_short,
            cidrs: cidrs.collect(),
            used: self.used(),
            cooling: cooling.collect(),
            promised: promised.collect(),
        }
    }
}

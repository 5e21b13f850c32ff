//! The agent's ledger: every address of a node, who holds it, and which one is next.
//!
//! A [`Ledger`] is told which CIDRs are on the node ([`Ledger::sync`]), hands addresses out, takes them
//! back and promises them away. An address is free, used, cooling down or promised, never two of
//! these. Whoever calls says when it is; time does not go backwards, and a call with an earlier
//! moment than one before counts as made at that one, until a restart ([`Ledger::restore`]).
//!
//! * **Which address is next**: the first free one of the CIDR of which most is used, so that the others
//!   drain and can be given back whole. Where nothing is used, a single address comes before a
//!   prefix; of equals the lowest.
//! * **Cooling down**: a released address rests before it is handed out again. When nothing is free,
//!   the one that has rested longest is taken all the same, and counted: a pod that starts is worth
//!   more than the rest of a rest (aws/amazon-vpc-cni-k8s#2896).
//! * **Promised away**: never handed out by any call. The operator unassigns it, or the promise is
//!   withdrawn. It is about an address on one interface: on another one the address is free.
//! * **Vanished**: what is gone from the listing is remembered for a while
//!   ([`LedgerSettings::remember`]) and comes back as it was, promised or cooling down, since one
//!   listing can be out of date or incomplete. What comes back later is free: no address is lost to a
//!   finished release (cilium/cilium#39981).
//! * **Withdrawn**: a CIDR that is gone from the listing while somebody uses it keeps what is used.
//!   Nothing new comes from it, and what is released of it is gone at once.
//! * **Claims**: an allocation whose asker may be gone by now waits for its claim, and is given
//!   back without it ([`Ledger::expire`]).
//!
//! To hand out or take back costs the same however many addresses there are, but for a search among
//! the CIDRs that takes a step more for twice as many. Ended cool-downs are noticed by the next call
//! that says when it is, each once.

mod beyond;
mod cidr;
mod free_set;
mod fullest;
mod holdings;
mod owner;
mod promises;
mod queue;
mod range;
mod refusal;
mod report;
mod restore;
mod room;
mod settings;
mod slot;
mod snapshot;
mod sync;
mod vanished;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

pub use self::cidr::{ADDRESSES_MAX, ADDRESSES_PER_CIDR_MAX, Family, InvalidCidr, ListedCidr};
use self::holdings::{Holdings, Place};
pub use self::owner::{By, Claim, GrantId, Owner};
pub use self::refusal::Refusal;
pub use self::report::{CidrUsage, Expired, Grant, Holding, SyncReport, Tally};
pub use self::restore::RestoreError;
pub use self::settings::{InvalidLedgerSettings, LedgerSettings};
use self::slot::{Kind, State, Use};
pub use self::snapshot::{CoolingAddress, PromisedAddress, Snapshot, SnapshotCidr, UsedAddress};
pub use self::vanished::VanishedAddress;
use crate::time::Tick;

/// The addresses of a node, of both families.
///
/// ```
/// use ipam_core::pool::{By, Claim, Family, Ledger, LedgerSettings, ListedCidr, Owner};
/// use ipam_core::time::Tick;
///
/// let mut ledger = Ledger::new(LedgerSettings::default());
/// let now = Tick::from_millis(0);
/// ledger.sync([ListedCidr { cidr: "10.0.0.16/28".parse()?, eni: "eni-1".parse()? }], now);
///
/// let owner: Owner = "shop/cart-0".parse()?;
/// let grant = ledger.allocate(Family::Ipv4, owner, Claim::NotNeeded, now)?;
/// assert_eq!(grant.address.to_string(), "10.0.0.16");
/// ledger.release(grant.address, By::Grant(grant.id), now)?;
/// assert_eq!(ledger.tally(Family::Ipv4).cooling, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ledger {
    settings: LedgerSettings,
    /// The latest moment it was told of.
    clock: Tick,
    /// The id that the next allocation gets.
    next_grant: GrantId,
    cooling_cut_short: u64,
    /// In the order of [`Family`].
    families: [Holdings; 2],
}

impl Ledger {
    /// A ledger without addresses.
    #[must_use]
    pub fn new(settings: LedgerSettings) -> Self {
        Self {
            settings,
            clock: Tick::default(),
            next_grant: GrantId::FIRST,
            cooling_cut_short: 0,
            families: Family::ALL.map(|family| Holdings::new(family, Vec::new())),
        }
    }

    /// Makes `listed` the CIDRs of the node: all of them, since what is missing is withdrawn. An entry
    /// that cannot be used is reported and hides no other; the same entry twice counts once.
    ///
    /// A CIDR that is listed in other pieces than before, as a prefix or as its single addresses,
    /// keeps what its addresses are. A used address that no piece covers is kept by itself. Promises
    /// and cool-downs of what is gone are remembered for [`LedgerSettings::remember`].
    pub fn sync(&mut self, listed: impl IntoIterator<Item = ListedCidr>, now: Tick) -> SyncReport {
        self.advance(now);
        let listed: BTreeSet<ListedCidr> = listed.into_iter().collect();
        let (entries, refused) = sync::sort_out(listed.into_iter().map(|listed| (listed, false)));
        let mut report = SyncReport { refused, ..SyncReport::default() };
        for (holdings, entries) in self.families.iter_mut().zip(entries) {
            holdings.sync(entries, self.clock, &self.settings, &mut report);
        }
        report
    }

    /// Hands out the next address of a family. When nothing is free nor cooling, that of the oldest
    /// allocation that was not claimed in time, as [`Ledger::expire`] would have given it back by now;
    /// the answer names it.
    ///
    /// # Errors
    /// [`Refusal::Exhausted`] when there is none of these, [`Refusal::HoldsAnother`] when the
    /// owner can hold one address of the family and does.
    pub fn allocate(
        &mut self,
        family: Family,
        owner: Owner,
        claim: Claim,
        now: Tick,
    ) -> Result<Grant, Refusal> {
        self.advance(now);
        let holdings = &self.families[family as usize];
        holdings.check_role(&owner)?;
        let oldest = || holdings.oldest_cooling().map(|(_, place)| place);
        if let Some(place) = holdings.next_free().or_else(oldest) {
            return Ok(self.grant(family, place, owner, claim));
        }
        let (tally, overdue) = (holdings.tally(), self.first_overdue(family));
        let (id, place) = overdue.ok_or(Refusal::Exhausted { family, tally })?;
        let expired = self.expire_one(family, id, place);
        Ok(Grant { expired, ..self.grant(family, place, owner, claim) })
    }

    /// The oldest allocation of a family that was not claimed in time and leaves an address behind.
    fn first_overdue(&self, family: Family) -> Option<(GrantId, Place)> {
        let holdings = &self.families[family as usize];
        let overdue = holdings.unclaimed().map_while(|(place, state)| match state {
            State::Used(Use { id, unclaimed_since: Some(since), .. }) => {
                (self.clock.since(*since) >= self.settings.claim_within()).then_some((*id, place))
            }
            _ => None,
        });
        overdue.into_iter().find(|(_, place)| !holdings.range(*place).entry.withdrawn)
    }

    fn expire_one(&mut self, family: Family, id: GrantId, place: Place) -> Option<Expired> {
        let owner = self.take_back(family, place)?;
        Some(Expired { address: self.families[family as usize].address(place), owner, id })
    }

    /// Hands out an address that somebody had before, such as one found on disk. It is taken even if
    /// it is still cooling down, whoever held it last, and counted like any other cool-down that was
    /// cut short. One behind the first addresses of a large CIDR is kept by itself, and is gone when it
    /// is released. A role that asks for the address it holds is answered the grant that stands.
    ///
    /// # Errors
    /// Anything that keeps the address from being handed out: it is used, promised, withdrawn or
    /// not this node's, or [`Refusal::HoldsAnother`]. [`Refusal::Beyond`] only when the ledger has
    /// [`ADDRESSES_MAX`] addresses of the family already.
    pub fn allocate_exact(
        &mut self,
        address: IpAddr,
        owner: Owner,
        claim: Claim,
        now: Tick,
    ) -> Result<Grant, Refusal> {
        self.advance(now);
        let address = address.to_canonical();
        let family = Family::of(address);
        let (now, cool_down) = (self.clock, self.settings.cool_down());
        let holdings = &mut self.families[family as usize];
        let place = match holdings.locate(address) {
            Err(Refusal::Beyond { cidr, .. }) => {
                holdings.check_beyond(address, cidr)?;
                holdings.check_role(&owner)?;
                holdings.add_beyond(address, cidr, now, cool_down)?
            }
            found => {
                let place = found?;
                if let Some(standing) = holdings.grant_of_role(place, &owner) {
                    return Ok(standing);
                }
                holdings.check_open(place)?;
                holdings.check_role(&owner)?;
                place
            }
        };
        Ok(self.grant(family, place, owner, claim))
    }

    fn grant(&mut self, family: Family, place: Place, owner: Owner, claim: Claim) -> Grant {
        let id = self.next_grant;
        self.next_grant = id.next();
        let unclaimed_since = (claim == Claim::Expected).then_some(self.clock);
        let holdings = &mut self.families[family as usize];
        let former = holdings.put(place, State::Used(Use { id, owner, unclaimed_since }));
        let cut_short = former.kind() == Kind::Cooling;
        self.cooling_cut_short = self.cooling_cut_short.saturating_add(cut_short.into());
        Grant {
            address: holdings.address(place),
            eni: holdings.range(place).entry.listed.eni.clone(),
            id,
            claim,
            cut_short,
            expired: None,
        }
    }

    /// Takes an address back, and answers who held it. It is taken back only from whom `by` names: a
    /// request that comes late or twice must not cut off the next sandbox (cilium/cilium#10065).
    ///
    /// # Errors
    /// [`Refusal::AnotherGrant`] and [`Refusal::HeldByAnother`] for that, [`Refusal::NotUsed`] when nobody holds it, and the
    /// refusals of an address that is not this node's.
    pub fn release(&mut self, address: IpAddr, by: By<'_>, now: Tick) -> Result<Owner, Refusal> {
        self.advance(now);
        let address = address.to_canonical();
        let family = Family::of(address);
        let holdings = &self.families[family as usize];
        let place = holdings.locate(address)?;
        if let State::Used(held) = holdings.state(place) {
            held.check_by(by, address)?;
        }
        self.take_back(family, place).ok_or(Refusal::NotUsed { address })
    }

    /// Takes back an address that is used.
    fn take_back(&mut self, family: Family, place: Place) -> Option<Owner> {
        let holdings = &mut self.families[family as usize];
        if holdings.state(place).kind() != Kind::Used {
            return None;
        }
        let rests = !self.settings.cool_down().is_zero();
        #[cfg(feature = "planted")]
        let rests = rests && !crate::planted::is(crate::planted::Bug::CoolDownIgnored);
        let state = match (holdings.range(place).entry.withdrawn, rests) {
            (true, _) => State::Absent,
            (false, true) => State::Cooling { since: self.clock },
            (false, false) => State::Free,
        };
        if rests && state.kind() == Kind::Absent {
            holdings.remember_released(place, self.clock);
        }
        match holdings.put(place, state) {
            State::Used(held) => Some(held.owner),
            _ => None,
        }
    }

    /// Confirms an allocation, which then stands. It counts even when it comes too late, as long as
    /// [`Ledger::expire`] has not given the address back.
    ///
    /// # Errors
    /// [`Refusal::AnotherGrant`]: the asker confirms another allocation than the one that stands.
    /// [`Refusal::NoClaimExpected`], [`Refusal::NotUsed`] and the refusals of an address that is not
    /// this node's.
    pub fn claim(&mut self, address: IpAddr, id: GrantId) -> Result<(), Refusal> {
        let address = address.to_canonical();
        let holdings = self.family_of(address);
        let place = holdings.locate(address)?;
        let State::Used(held) = holdings.state(place) else {
            return Err(Refusal::NotUsed { address });
        };
        held.check_by(By::Grant(id), address)?;
        if held.claim() == Claim::NotNeeded {
            return Err(Refusal::NoClaimExpected { address });
        }
        holdings.settle_claim(place);
        Ok(())
    }

    /// Gives back what was not claimed in time, in the order in which it was handed out. Such an
    /// address cools down from now on, like one that was released.
    pub fn expire(&mut self, now: Tick) -> Vec<Expired> {
        self.advance(now);
        let mut expired = Vec::new();
        while let Some((id, since, family, place)) = self.oldest_claim()
            && self.clock.since(since) >= self.settings.claim_within()
            && let Some(one) = self.expire_one(family, id, place)
        {
            expired.push(one);
        }
        expired
    }

    fn oldest_claim(&self) -> Option<(GrantId, Tick, Family, Place)> {
        let oldest = Family::ALL.into_iter().filter_map(|family| {
            let (id, since, place) = self.families[family as usize].oldest_claim()?;
            Some((id, since, family, place))
        });
        oldest.min_by_key(|(id, ..)| *id)
    }

    /// When [`Ledger::expire`] has something to do next: a claim is overdue, or a cool-down is over.
    /// None also when the clock cannot show that moment any more.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Tick> {
        let claim = self.oldest_claim().map(|(_, since, ..)| (since, self.settings.claim_within()));
        let cooling = self.families.iter().filter_map(Holdings::oldest_cooling);
        let cooling = cooling.map(|(since, _)| (since, self.settings.cool_down()));
        let due = |(since, wait): (Tick, Duration)| {
            Some(since + wait).filter(|due| due.since(since) == wait)
        };
        cooling.chain(claim).filter_map(due).min()
    }

    fn family_of(&mut self, address: IpAddr) -> &mut Holdings {
        &mut self.families[Family::of(address) as usize]
    }

    /// Notes that it is `now`, unless it has been later before.
    fn advance(&mut self, now: Tick) {
        self.clock = self.clock.max(now);
        self.finish_cool_downs();
    }

    fn finish_cool_downs(&mut self) {
        for holdings in &mut self.families {
            while let Some((since, place)) = holdings.oldest_cooling()
                && self.clock.since(since) >= self.settings.cool_down()
            {
                holdings.put(place, State::Free);
            }
        }
    }
}

/// Ledgers are equal when they know the same and go by the same times.
impl PartialEq for Ledger {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings && self.snapshot() == other.snapshot()
    }
}

impl Eq for Ledger {}

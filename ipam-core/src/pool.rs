//! The agent's ledger: every address of a node, who holds it, and which one is next.
//!
//! A [`Ledger`] is told which CIDRs are on the node ([`Ledger::sync`]), hands addresses out, takes them
//! back and promises them away. An address is free, used, cooling down or promised, never two of
//! these. Whoever calls says when it is; time does not go backwards, and a call with an earlier
//! moment than one before counts as made at that one.
//!
//! * **Which address is next**: the first free one of the CIDR of which most is used, so that the others
//!   drain and can be given back whole. Where nothing is used, a single address comes before a
//!   prefix; of equals the lowest.
//! * **Cooling down**: a released address rests before it is handed out again. When nothing is free,
//!   the one that has rested longest is taken all the same, and counted: a pod that starts is worth
//!   more than the rest of a rest (aws/amazon-vpc-cni-k8s#2896).
//! * **Promised away**: never handed out by any call. The operator unassigns it, or the promise is
//!   withdrawn. When it is gone from the listing it is forgotten, and if it comes back it is free: no
//!   address is lost to a finished release (cilium/cilium#39981).
//! * **Withdrawn**: a CIDR that is gone from the listing while somebody uses it keeps what is used.
//!   Nothing new comes from it, and what is released of it is gone at once.
//! * **Claims**: an allocation whose asker may be gone by now waits for its claim, and is given
//!   back without it ([`Ledger::expire`]).
//!
//! To hand out or take back costs the same however many addresses there are, but for a search among
//! the CIDRs that takes a step more for twice as many. Ended cool-downs are noticed by the next call
//! that says when it is, each once.

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
mod settings;
mod slot;
mod snapshot;
mod sync;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;

pub use self::cidr::{ADDRESSES_MAX, ADDRESSES_PER_CIDR_MAX, Family, InvalidCidr, ListedCidr};
use self::holdings::{Holdings, Place};
pub use self::owner::{Claim, ClaimId, Owner, PendingClaim};
pub use self::refusal::Refusal;
pub use self::report::{CidrUsage, Expired, Grant, Holding, SyncReport, Tally};
pub use self::restore::RestoreError;
pub use self::settings::{InvalidLedgerSettings, LedgerSettings};
use self::slot::{Kind, State, Use};
pub use self::snapshot::{CoolingAddress, PromisedAddress, Snapshot, SnapshotCidr, UsedAddress};
use crate::time::Tick;

/// The addresses of a node, of both families.
///
/// ```
/// use ipam_core::pool::{Claim, Family, Ledger, LedgerSettings, ListedCidr, Owner};
/// use ipam_core::time::Tick;
///
/// let mut ledger = Ledger::new(LedgerSettings::default());
/// ledger.sync([ListedCidr { cidr: "10.0.0.16/28".parse()?, eni: "eni-1".parse()? }]);
///
/// let owner: Owner = "shop/cart-0".parse()?;
/// let now = Tick::from_millis(0);
/// let grant = ledger.allocate(Family::Ipv4, owner.clone(), Claim::NotNeeded, now)?;
/// assert_eq!(grant.address.to_string(), "10.0.0.16");
/// ledger.release(grant.address, Some(&owner), now)?;
/// assert_eq!(ledger.tally(Family::Ipv4).cooling, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ledger {
    settings: LedgerSettings,
    /// The latest moment it was told of.
    clock: Tick,
    /// The claim that the next allocation gets.
    next_claim: ClaimId,
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
            next_claim: ClaimId::FIRST,
            cooling_cut_short: 0,
            families: Family::ALL.map(|family| Holdings::new(family, Vec::new())),
        }
    }

    /// Makes `listed` the CIDRs of the node: all of them, since what is missing is withdrawn. An entry
    /// that cannot be used is reported and hides no other; the same entry twice counts once.
    ///
    /// A CIDR that is listed in other pieces than before, as a prefix or as its single addresses,
    /// keeps what its addresses are. A used address that no piece covers is kept by itself. Of what
    /// is gone only the used addresses are remembered, neither promises nor cool-downs.
    pub fn sync(&mut self, listed: impl IntoIterator<Item = ListedCidr>) -> SyncReport {
        let listed: BTreeSet<ListedCidr> = listed.into_iter().collect();
        let (entries, refused) = sync::sort_out(listed.into_iter().map(|listed| (listed, false)));
        let mut report = SyncReport { refused, ..SyncReport::default() };
        for (holdings, entries) in self.families.iter_mut().zip(entries) {
            holdings.sync(entries, &mut report);
        }
        report
    }

    /// Hands out the next address of a family.
    ///
    /// # Errors
    /// [`Refusal::Exhausted`] when nothing is free nor cooling, [`Refusal::HoldsAnother`] when the
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
        match holdings.next_free().or_else(oldest) {
            Some(place) => Ok(self.grant(family, place, owner, claim)),
            None => Err(Refusal::Exhausted { family, tally: holdings.tally() }),
        }
    }

    /// Hands out an address that somebody had before, such as one found on disk. It is taken even if
    /// it is still cooling down, since it goes back to whom it came from, and counted like any other
    /// cool-down that was cut short.
    ///
    /// # Errors
    /// Anything that keeps the address from being handed out: it is used, promised, withdrawn or
    /// not this node's, or [`Refusal::HoldsAnother`].
    pub fn allocate_exact(
        &mut self,
        address: IpAddr,
        owner: Owner,
        claim: Claim,
        now: Tick,
    ) -> Result<Grant, Refusal> {
        self.advance(now);
        let family = Family::of(address);
        let holdings = &self.families[family as usize];
        let place = holdings.locate(address)?;
        if holdings.state(place).kind() == Kind::Promised {
            return Err(Refusal::Promised { address });
        }
        holdings.check_unused(place)?;
        holdings.check_role(&owner)?;
        Ok(self.grant(family, place, owner, claim))
    }

    fn grant(&mut self, family: Family, place: Place, owner: Owner, claim: Claim) -> Grant {
        let claim = match claim {
            Claim::Expected => Some(PendingClaim { id: self.next_claim, since: self.clock }),
            Claim::NotNeeded => None,
        };
        if claim.is_some() {
            self.next_claim = self.next_claim.next();
        }
        let holdings = &mut self.families[family as usize];
        let former = holdings.put(place, State::Used(Use { owner, claim }));
        let cut_short = former.kind() == Kind::Cooling;
        self.cooling_cut_short = self.cooling_cut_short.saturating_add(cut_short.into());
        Grant {
            address: holdings.address(place),
            eni: holdings.range(place).entry.listed.eni.clone(),
            claim: claim.map(|claim| claim.id),
            cut_short,
        }
    }

    /// Takes an address back, and answers who held it. With `owner` it is taken back only from that
    /// one: a request that comes late or twice must not cut off the next pod
    /// (cilium/cilium#10065).
    ///
    /// # Errors
    /// [`Refusal::HeldByAnother`] for that, [`Refusal::NotUsed`] when nobody holds it, and the
    /// refusals of an address that is not this node's.
    pub fn release(
        &mut self,
        address: IpAddr,
        owner: Option<&Owner>,
        now: Tick,
    ) -> Result<Owner, Refusal> {
        self.advance(now);
        let family = Family::of(address);
        let holdings = &self.families[family as usize];
        let place = holdings.locate(address)?;
        if let (State::Used(Use { owner: holder, .. }), Some(owner)) =
            (holdings.state(place), owner)
            && holder != owner
        {
            let (holder, owner) = (holder.clone(), owner.clone());
            return Err(Refusal::HeldByAnother { address, holder, owner });
        }
        self.take_back(family, place).ok_or(Refusal::NotUsed { address })
    }

    /// Takes back an address that is used.
    fn take_back(&mut self, family: Family, place: Place) -> Option<Owner> {
        let holdings = &mut self.families[family as usize];
        if holdings.state(place).kind() != Kind::Used {
            return None;
        }
        let state = if holdings.range(place).entry.withdrawn {
            State::Absent
        } else if self.settings.cool_down().is_zero() {
            State::Free
        } else {
            State::Cooling { since: self.clock }
        };
        match holdings.put(place, state) {
            State::Used(held) => Some(held.owner),
            _ => None,
        }
    }

    /// Confirms an allocation, which then stands. It counts even when it comes too late, as long as
    /// [`Ledger::expire`] has not given the address back.
    ///
    /// # Errors
    /// [`Refusal::WrongClaim`] or [`Refusal::NoClaimExpected`]: the asker confirms another allocation
    /// than the one that stands. [`Refusal::NotUsed`] and the refusals of an address that is not
    /// this node's.
    pub fn claim(&mut self, address: IpAddr, id: ClaimId) -> Result<(), Refusal> {
        let holdings = self.family_of(address);
        let place = holdings.locate(address)?;
        let State::Used(held) = holdings.state(place) else {
            return Err(Refusal::NotUsed { address });
        };
        let expected = held.claim.ok_or(Refusal::NoClaimExpected { address })?.id;
        if expected != id {
            return Err(Refusal::WrongClaim { address, expected, given: id });
        }
        holdings.settle_claim(place);
        Ok(())
    }

    /// Gives back what was not claimed in time, in the order in which it was handed out. Such an
    /// address cools down from now on, like one that was released.
    pub fn expire(&mut self, now: Tick) -> Vec<Expired> {
        self.advance(now);
        let mut expired = Vec::new();
        while let Some((claim, family, place)) = self.oldest_claim()
            && self.clock.since(claim.since) >= self.settings.claim_within()
            && let Some(owner) = self.take_back(family, place)
        {
            let address = self.families[family as usize].address(place);
            expired.push(Expired { address, owner, claim: claim.id });
        }
        expired
    }

    fn oldest_claim(&self) -> Option<(PendingClaim, Family, Place)> {
        let oldest = Family::ALL.into_iter().filter_map(|family| {
            let (claim, place) = self.families[family as usize].oldest_claim()?;
            Some((claim, family, place))
        });
        oldest.min_by_key(|(claim, ..)| claim.id)
    }

    /// When [`Ledger::expire`] has something to do next: a claim is overdue, or a cool-down is over.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Tick> {
        let claim =
            self.oldest_claim().map(|(claim, ..)| claim.since + self.settings.claim_within());
        let cooling = self.families.iter().filter_map(Holdings::oldest_cooling);
        cooling.map(|(since, _)| since + self.settings.cool_down()).chain(claim).min()
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

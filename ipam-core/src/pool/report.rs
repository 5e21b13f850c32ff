//! What the ledger answers.

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use ipnet::IpNet;

use super::Ledger;
use super::cidr::{Family, InvalidCidr, ListedCidr};
use super::holdings::{Holdings, Place};
use super::owner::{Claim, GrantId, Owner};
use super::settings::LedgerSettings;
use super::slot::{Kind, State};
use crate::audit::LedgerCounts;
use crate::ids::EniId;

/// An address that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The address.
    pub address: IpAddr,
    /// The interface it is on.
    pub eni: EniId,
    /// What its claim and its release name.
    pub id: GrantId,
    /// Whether it must still be claimed.
    pub claim: Claim,
    /// Whether it had not finished cooling down.
    pub cut_short: bool,
    /// The allocation that was given up for it, overdue and the last resort.
    pub expired: Option<Expired>,
}

/// An address that was given back because its claim did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// The address.
    pub address: IpAddr,
    /// Who held it.
    pub owner: Owner,
    /// The grant whose claim did not come.
    pub id: GrantId,
}

/// An address in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding<'a> {
    /// The address.
    pub address: IpAddr,
    /// Who holds it.
    pub owner: &'a Owner,
    /// The CIDR it is part of.
    pub cidr: IpNet,
    /// The interface it is on; the last known one if it was withdrawn.
    pub eni: &'a EniId,
    /// By which grant.
    pub id: GrantId,
    /// Whether it must still be claimed.
    pub claim: Claim,
}

/// Where the addresses of one family are: attached = free + used + cooling + promised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Addresses of the CIDRs that were listed last, as far as they can be handed out.
    pub attached: u32,
    /// Can be handed out.
    pub free: u32,
    /// Held by an owner.
    pub used: u32,
    /// Resting between two owners; handed out only when nothing is free.
    pub cooling: u32,
    /// Promised away.
    pub promised: u32,
    /// Held by an owner although their CIDR was withdrawn, or behind the first addresses of a large one.
    /// Not among the attached, nor the used.
    pub withdrawn: u32,
}

/// What the ledger says of itself, for the audit.
impl From<Tally> for LedgerCounts {
    fn from(tally: Tally) -> Self {
        let Tally { attached, free, used, cooling, promised, withdrawn: _ } = tally;
        let [attached, free, used, cooling, promised] =
            [attached, free, used, cooling, promised].map(u64::from);
        Self { attached, free, used, cooling, promised }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attached, free, used, cooling, promised, withdrawn } = self;
        write!(
            formatter,
            "{attached} attached, {free} free, {used} used, {cooling} cooling, \
             {promised} promised, {withdrawn} withdrawn"
        )
    }
}

/// How much of one CIDR is used, in addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrUsage {
    /// The CIDR and the interface it is on.
    pub listed: ListedCidr,
    /// Whether it was withdrawn: nothing new comes from it, and it goes with its last used address.
    pub withdrawn: bool,
    /// Can be handed out.
    pub free: u32,
    /// Held by an owner.
    pub used: u32,
    /// Resting between two owners.
    pub cooling: u32,
    /// Promised away.
    pub promised: u32,
}

/// What a listing changed, each list in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// CIDRs that are handed out from now on: new ones, and withdrawn ones that came back.
    pub added: Vec<IpNet>,
    /// CIDRs that are no longer in the ledger, withdrawn ones that are not used any more included.
    pub removed: Vec<IpNet>,
    /// CIDRs that are on another interface than before.
    pub moved: Vec<IpNet>,
    /// CIDRs that are kept although they are not listed, because somebody uses an address of them, and
    /// used addresses by themselves behind the first ones of a large CIDR.
    /// They are named in every report until they are gone.
    pub withdrawn: Vec<IpNet>,
    /// Entries that cannot be used. The others are.
    pub refused: Vec<InvalidCidr>,
}

impl Ledger {
    /// Where the addresses of a family are, at the latest moment that the ledger was told of.
    #[must_use]
    pub const fn tally(&self, family: Family) -> Tally {
        self.families[family as usize].tally()
    }

    /// How much of each CIDR is used, in ascending order, IPv4 before IPv6.
    pub fn cidrs(&self) -> impl Iterator<Item = CidrUsage> {
        self.families.iter().flat_map(Holdings::usage)
    }

    /// The addresses in use, in ascending order, IPv4 before IPv6.
    pub fn holdings(&self) -> impl Iterator<Item = Holding<'_>> {
        self.families.iter().flat_map(Holdings::in_use)
    }

    /// The use of an address, if it is used.
    #[must_use]
    pub fn holding(&self, address: IpAddr) -> Option<Holding<'_>> {
        let address = address.to_canonical();
        let holdings = &self.families[Family::of(address) as usize];
        holdings.holding(holdings.find(address)?)
    }

    /// How often an address was handed out before it had finished cooling down.
    #[must_use]
    pub const fn cooling_cut_short(&self) -> u64 {
        self.cooling_cut_short
    }

    /// The id that the next allocation gets.
    #[must_use]
    pub const fn next_grant(&self) -> GrantId {
        self.next_grant
    }

    /// The times by which it goes.
    #[must_use]
    pub const fn settings(&self) -> LedgerSettings {
        self.settings
    }
}

impl Holdings {
    /// The grant by which a role holds an address, if the owner is one and it does.
    pub(super) fn grant_of_role(&self, place: Place, owner: &Owner) -> Option<Grant> {
        owner.role()?;
        let held = self.holding(place).filter(|held| held.owner == owner)?;
        let Holding { address, id, claim, .. } = held;
        Some(Grant { address, eni: held.eni.clone(), id, claim, cut_short: false, expired: None })
    }

    fn usage(&self) -> impl Iterator<Item = CidrUsage> {
        self.ranges().map(|range| CidrUsage {
            listed: range.entry.listed.clone(),
            withdrawn: range.entry.withdrawn,
            free: range.counts.of(Kind::Free),
            used: range.counts.of(Kind::Used),
            cooling: range.counts.of(Kind::Cooling),
            promised: range.counts.of(Kind::Promised),
        })
    }

    fn in_use(&self) -> impl Iterator<Item = Holding<'_>> {
        self.states().filter_map(|(place, _)| self.holding(place))
    }

    fn holding(&self, place: Place) -> Option<Holding<'_>> {
        let State::Used(held) = self.state(place) else {
            return None;
        };
        Some(Holding {
            address: self.address(place),
            owner: &held.owner,
            cidr: self.range(place).cidr(),
            eni: &self.range(place).entry.listed.eni,
            id: held.id,
            claim: held.claim(),
        })
    }
}

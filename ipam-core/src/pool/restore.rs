//! A ledger from plain values, which are believed only as far as they make sense.

use alloc::vec::Vec;
use core::net::IpAddr;

use ipnet::IpNet;

use super::Ledger;
use super::cidr::{Family, InvalidCidr};
use super::holdings::Holdings;
use super::owner::{ClaimId, Owner, PendingClaim};
use super::settings::LedgerSettings;
use super::slot::{Kind, State, Use};
use super::snapshot::{CoolingAddress, PromisedAddress, Snapshot, SnapshotCidr, UsedAddress};
use super::sync::{sort_out, within_limit};
use crate::time::Tick;

/// Why a snapshot is not one of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// A CIDR that no ledger would have accepted.
    #[error(transparent)]
    Cidr(InvalidCidr),
    /// A withdrawn CIDR is kept only as long as it is used.
    #[error("{cidr} is withdrawn and nobody uses it")]
    WithdrawnUnused {
        /// The CIDR.
        cidr: IpNet,
    },
    /// An address that no CIDR of the snapshot has.
    #[error("{address} is in none of the CIDRs")]
    NoCidr {
        /// The address.
        address: IpAddr,
    },
    /// An address of a withdrawn CIDR is used or not there.
    #[error("{address} is not used, and its CIDR is withdrawn")]
    Withdrawn {
        /// The address.
        address: IpAddr,
    },
    /// An address is named more than once.
    #[error("{address} is named twice")]
    Twice {
        /// The address.
        address: IpAddr,
    },
    /// An owner that can hold one address of a family holds two.
    #[error("{owner} holds both {first} and {second}")]
    HoldsTwo {
        /// The owner.
        owner: Owner,
        /// One of the addresses.
        first: IpAddr,
        /// The other one.
        second: IpAddr,
    },
    /// Something happened later than the snapshot was taken.
    #[error("{address}: {} ms is later than the snapshot, {} ms", since.as_millis(), at.as_millis())]
    Later {
        /// The address.
        address: IpAddr,
        /// When it happened.
        since: Tick,
        /// The latest moment of the snapshot.
        at: Tick,
    },
    /// A cooling address is named behind one that was given back later.
    #[error("{address} cools down since before the one that is named in front of it")]
    CoolingOrder {
        /// The address.
        address: IpAddr,
    },
    /// A claim that was never handed out, or one that is not later than another with a lower id.
    #[error("{address}: claim {claim} does not fit to the other claims")]
    ClaimOrder {
        /// The address that waits for it.
        address: IpAddr,
        /// The claim.
        claim: ClaimId,
    },
}

impl Ledger {
    /// The ledger that a snapshot was taken of; it goes on as that one would have, if moments are
    /// counted from the same start as before. The settings may be others: they count from now on.
    ///
    /// # Errors
    /// [`RestoreError`] names the entry that cannot have been in a ledger. Nothing is repaired.
    pub fn restore(snapshot: Snapshot, settings: LedgerSettings) -> Result<Self, RestoreError> {
        let mut ledger = Self {
            clock: snapshot.at,
            next_claim: snapshot.next_claim,
            cooling_cut_short: snapshot.cooling_cut_short,
            families: restore_cidrs(snapshot.cidrs)?,
            ..Self::new(settings)
        };
        ledger.restore_used(snapshot.used)?;
        ledger.restore_cooling(&snapshot.cooling)?;
        ledger.restore_promised(&snapshot.promised)?;
        ledger.families.iter().try_for_each(Holdings::check_withdrawn)?;
        ledger.finish_cool_downs();
        Ok(ledger)
    }

    /// In the order of their claims, so that they wait in it.
    fn restore_used(&mut self, mut used: Vec<UsedAddress>) -> Result<(), RestoreError> {
        used.sort_by_key(|used| used.claim.map(|claim| claim.id));
        let mut last: Option<PendingClaim> = None;
        for UsedAddress { address, owner, claim } in used {
            if let Some(claim) = claim {
                self.check_time(address, claim.since)?;
                let fits = claim.id < self.next_claim
                    && last.is_none_or(|last| last.id < claim.id && last.since <= claim.since);
                if !fits {
                    return Err(RestoreError::ClaimOrder { address, claim: claim.id });
                }
                last = Some(claim);
            }
            let holdings = self.family_of(address);
            if let Some(first) = holdings.held_by_role(&owner) {
                return Err(RestoreError::HoldsTwo { owner, first, second: address });
            }
            holdings.enter(address, State::Used(Use { owner, claim }))?;
        }
        Ok(())
    }

    fn restore_cooling(&mut self, cooling: &[CoolingAddress]) -> Result<(), RestoreError> {
        let mut newest = [Tick::default(); 2];
        for &CoolingAddress { address, since } in cooling {
            self.check_time(address, since)?;
            let newest = &mut newest[Family::of(address) as usize];
            if since < *newest {
                return Err(RestoreError::CoolingOrder { address });
            }
            *newest = since;
            self.family_of(address).enter(address, State::Cooling { since })?;
        }
        Ok(())
    }

    fn restore_promised(&mut self, promised: &[PromisedAddress]) -> Result<(), RestoreError> {
        for &PromisedAddress { address, cooling_since } in promised {
            self.check_time(address, cooling_since.unwrap_or_default())?;
            self.family_of(address).enter(address, State::Promised { cooling_since })?;
        }
        Ok(())
    }

    fn check_time(&self, address: IpAddr, since: Tick) -> Result<(), RestoreError> {
        if since <= self.clock {
            return Ok(());
        }
        Err(RestoreError::Later { address, since, at: self.clock })
    }
}

fn restore_cidrs(mut cidrs: Vec<SnapshotCidr>) -> Result<[Holdings; 2], RestoreError> {
    cidrs.sort();
    let cidrs = cidrs.into_iter().map(|cidr| (cidr.listed, cidr.withdrawn));
    let (mut entries, mut refused) = sort_out(cidrs);
    for entries in &mut entries {
        refused.extend(within_limit(entries, 0, |_| false));
    }
    if let Some(invalid) = refused.into_iter().next() {
        return Err(RestoreError::Cidr(invalid));
    }
    let [ipv4, ipv6] = entries;
    Ok([Holdings::new(Family::Ipv4, ipv4), Holdings::new(Family::Ipv6, ipv6)])
}

impl Holdings {
    /// Puts into an address what it is; only once, and only what it can be.
    pub(super) fn enter(&mut self, address: IpAddr, state: State) -> Result<(), RestoreError> {
        let place = self.find(address).ok_or(RestoreError::NoCidr { address })?;
        match (self.state(place), state.kind()) {
            (State::Free, _) | (State::Absent, Kind::Used) => {
                self.put(place, state);
                Ok(())
            }
            (State::Absent, _) => Err(RestoreError::Withdrawn { address }),
            _ => Err(RestoreError::Twice { address }),
        }
    }

    fn check_withdrawn(&self) -> Result<(), RestoreError> {
        match self.all_ranges().find(|range| range.is_gone()) {
            Some(range) => Err(RestoreError::WithdrawnUnused { cidr: range.cidr() }),
            None => Ok(()),
        }
    }
}

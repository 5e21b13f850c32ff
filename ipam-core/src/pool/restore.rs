//! A ledger from plain values, which are believed only as far as they make sense.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::Ledger;
use super::cidr::{ADDRESSES_MAX, Family, InvalidCidr, key_of};
use super::holdings::Holdings;
use super::owner::{GrantId, Owner};
use super::room::Room;
use super::settings::LedgerSettings;
use super::slot::{Kind, State, Use};
use super::snapshot::{CoolingAddress, PromisedAddress, Snapshot, SnapshotCidr, UsedAddress};
use super::sync::sort_out;
use super::vanished::VanishedAddress;
use crate::time::Tick;

/// Why a snapshot is not one of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// A CIDR that no ledger would have accepted.
    #[error(transparent)]
    Cidr(InvalidCidr),
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
    /// An address that is there cannot have vanished.
    #[error("{address} is there and cannot have vanished")]
    NotVanished {
        /// The address.
        address: IpAddr,
    },
    /// More vanished addresses than are remembered.
    #[error("{address} is one too many: expected at most {ADDRESSES_MAX} vanished addresses")]
    TooManyVanished {
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
    /// A grant that was never made, one that is named twice, or one that waits for its claim and was
    /// made earlier than another such one with a lower id.
    #[error("{address}: grant {id} does not fit to the other grants")]
    GrantOrder {
        /// The address.
        address: IpAddr,
        /// The grant.
        id: GrantId,
    },
    /// Ids would come round again one day, or be changed on their way through JSON.
    #[error("the next grant is {next}: expected a number below {}", GrantId::END)]
    GrantsUsedUp {
        /// The id that the next allocation would get.
        next: GrantId,
    },
}

impl Ledger {
    /// The ledger that a snapshot was taken of, at the moment `now`. The settings may be others: they
    /// count from now on.
    ///
    /// When it is not earlier than the snapshot, the clock is taken for the same as before, and the
    /// time in between has passed. When it is earlier, the clock has begun anew, as after a reboot, or
    /// was ahead once: how long the process was down cannot be known then and does not count. Every
    /// moment is moved back so that its age stays, or to the start of the clock if that is nearer:
    /// what rests or waits does so rather longer than too short.
    ///
    /// # Errors
    /// [`RestoreError`] names the entry that cannot have been in a ledger. Nothing is repaired.
    pub fn restore(
        snapshot: Snapshot,
        settings: LedgerSettings,
        now: Tick,
    ) -> Result<Self, RestoreError> {
        if snapshot.next_grant >= GrantId::END {
            return Err(RestoreError::GrantsUsedUp { next: snapshot.next_grant });
        }
        let mut ledger = Self {
            clock: snapshot.at,
            next_grant: snapshot.next_grant,
            cooling_cut_short: snapshot.cooling_cut_short,
            families: restore_cidrs(snapshot.cidrs)?,
            ..Self::new(settings)
        };
        ledger.restore_used(snapshot.used)?;
        ledger.restore_cooling(&snapshot.cooling)?;
        ledger.restore_promised(&snapshot.promised)?;
        ledger.restore_vanished(snapshot.vanished)?;
        ledger.go_on_at(now);
        Ok(ledger)
    }

    fn go_on_at(&mut self, now: Tick) {
        let back = self.clock.since(now);
        if !back.is_zero() {
            self.families.iter_mut().for_each(|holdings| holdings.turn_back(back));
        }
        self.clock = now;
        self.finish_cool_downs();
    }

    /// In the order of their grants, so that they wait for their claims in it.
    fn restore_used(&mut self, mut used: Vec<UsedAddress>) -> Result<(), RestoreError> {
        used.sort_by_key(|used| used.id);
        let (mut last, mut newest) = (None, Tick::default());
        for UsedAddress { address, id, owner, unclaimed_since } in used {
            let since = unclaimed_since.unwrap_or(newest);
            self.check_time(address, since)?;
            if id >= self.next_grant || last >= Some(id) || since < newest {
                return Err(RestoreError::GrantOrder { address, id });
            }
            (last, newest) = (Some(id), since);
            let holdings = self.family_of(address);
            if let Some(first) = holdings.held_by_role(&owner) {
                return Err(RestoreError::HoldsTwo { owner, first, second: address });
            }
            holdings.enter(address, State::Used(Use { id, owner, unclaimed_since }))?;
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

    fn restore_vanished(&mut self, vanished: Vec<VanishedAddress>) -> Result<(), RestoreError> {
        for one in vanished {
            let address = one.address;
            self.check_time(address, one.since)?;
            self.check_time(address, one.cooling_since.unwrap_or_default())?;
            let holdings = self.family_of(address);
            let there = holdings.find(address).map(|place| holdings.state(place).kind());
            if there.is_some_and(|kind| kind != Kind::Absent) {
                return Err(RestoreError::NotVanished { address });
            }
            if holdings.vanished.contains_key(&key_of(address)) {
                return Err(RestoreError::Twice { address });
            }
            if holdings.vanished.len() >= ADDRESSES_MAX {
                return Err(RestoreError::TooManyVanished { address });
            }
            holdings.remember(one);
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
        refused.extend(Room::default().admit(entries, &BTreeSet::new()));
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
}

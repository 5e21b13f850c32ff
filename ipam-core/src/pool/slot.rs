//! What one address is at the moment.

use core::net::IpAddr;
use core::time::Duration;

use super::owner::{By, Claim, GrantId, Owner};
use super::queue::Line;
use super::refusal::Refusal;
use crate::time::Tick;

/// The state of one address. It is in exactly one, which is why attached = free + used + cooling +
/// promised can not fail to hold.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Not there: it belongs to a withdrawn CIDR and nobody uses it.
    Absent,
    /// Can be handed out.
    Free,
    /// Held by an owner.
    Used(Use),
    /// Was given back a moment ago.
    Cooling {
        /// When that was.
        since: Tick,
    },
    /// Promised away: never handed out.
    Promised {
        /// When it was given back, if it had not finished cooling down when it was promised.
        cooling_since: Option<Tick>,
    },
}

/// The use of an address.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) id: GrantId,
    pub(super) owner: Owner,
    /// When it was handed out, if its claim is expected and has not come yet.
    pub(super) unclaimed_since: Option<Tick>,
}

impl Use {
    /// Whether its claim is still to come.
    pub(super) const fn claim(&self) -> Claim {
        if self.unclaimed_since.is_some() { Claim::Expected } else { Claim::NotNeeded }
    }

    /// Refuses whoever does not hold the address.
    pub(super) fn check_by(&self, by: By<'_>, address: IpAddr) -> Result<(), Refusal> {
        match by {
            By::Grant(given) if given != self.id => {
                Err(Refusal::AnotherGrant { address, standing: self.id, given })
            }
            By::Owner(owner) if *owner != self.owner => {
                let (holder, owner) = (self.owner.clone(), owner.clone());
                Err(Refusal::HeldByAnother { address, holder, owner })
            }
            _ => Ok(()),
        }
    }
}

/// Makes a moment so much earlier, but not earlier than the start of the clock.
pub(super) fn turn_back(moment: &mut Tick, by: Duration) {
    *moment = Tick::default() + moment.since(Tick::default() + by);
}

/// A state without what belongs to it, in the order of [`Counts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Absent,
    Free,
    Used,
    Cooling,
    Promised,
}

impl State {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Absent => Kind::Absent,
            Self::Free => Kind::Free,
            Self::Used(_) => Kind::Used,
            Self::Cooling { .. } => Kind::Cooling,
            Self::Promised { .. } => Kind::Promised,
        }
    }

    /// The moment from which something is counted, if there is one.
    const fn moment_mut(&mut self) -> Option<&mut Tick> {
        match self {
            Self::Used(Use { unclaimed_since: since, .. })
            | Self::Promised { cooling_since: since } => since.as_mut(),
            Self::Cooling { since } => Some(since),
            Self::Absent | Self::Free => None,
        }
    }

    /// Makes all that has happened so much earlier, but not earlier than the start of the clock.
    pub(super) fn turn_back(&mut self, by: Duration) {
        if let Some(moment) = self.moment_mut() {
            turn_back(moment, by);
        }
    }

    /// The line that an address in this state stands in, if any.
    pub(super) const fn line(&self) -> Option<Line> {
        match self {
            Self::Cooling { .. } => Some(Line::Cooling),
            Self::Used(Use { unclaimed_since: Some(_), .. }) => Some(Line::Unclaimed),
            _ => None,
        }
    }

    /// The role that an address in this state is held by, if any.
    pub(super) const fn role(&self) -> Option<usize> {
        match self {
            Self::Used(held) => held.owner.role(),
            _ => None,
        }
    }
}

/// How many addresses are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts([u32; 5]);

impl Counts {
    pub(super) const fn of(&self, kind: Kind) -> u32 {
        self.0[kind as usize]
    }

    /// Counts an address that was never counted before.
    pub(super) const fn add(&mut self, kind: Kind) {
        self.0[kind as usize] += 1;
    }

    /// Counts all that `others` has counted.
    pub(super) fn merge(&mut self, others: Self) {
        for (count, other) in self.0.iter_mut().zip(others.0) {
            *count += other;
        }
    }

    /// Counts an address as `to` that was counted as `from`.
    pub(super) const fn shift(&mut self, from: Kind, to: Kind) {
        self.0[from as usize] -= 1;
        self.0[to as usize] += 1;
    }
}

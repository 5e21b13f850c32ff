//! Which units leave.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use ipnet::Ipv4Net;

use super::{Holding, Look, Releases, State, size};
use crate::time::Tick;

impl Releases {
    /// The units that a node has to spare: first those that are on their way already, the furthest first, so that a look changes
    /// nothing unless something has changed.
    pub(super) fn wanted<'a>(&self, look: Look<'a>) -> BTreeMap<Ipv4Net, &'a Holding> {
        let mut left = look.spare.saturating_sub(self.uncertain(look));
        let mut candidates: Vec<_> = look.held.iter().enumerate().collect();
        candidates.retain(|(_, it)| {
            let is_spared = look.usage.spares(look.contract, it.net);
            is_spared && self.is_free(it.net) && self.is_given_up(look.now, it.net)
        });
        candidates.sort_by_key(|(position, it)| {
            let unit = self.units.get(&it.net);
            (Reverse(unit.map(|it| it.state)), unit.map(|it| it.since), *position)
        });
        let mut wanted = BTreeMap::new();
        for (_, holding) in candidates {
            if self.is_stranded(look, holding.net) {
                left = left.saturating_sub(size(holding.net));
                wanted.insert(holding.net, holding);
            } else if let Some(rest) = left.checked_sub(size(holding.net)) {
                left = rest;
                wanted.insert(holding.net, holding);
            }
        }
        wanted
    }

    /// Whether the agent has named a unit, and does not take it although it needs one and is shown it. What it is not shown, because
    /// it was one too many, it cannot take.
    fn is_stranded(&self, look: Look<'_>, net: Ipv4Net) -> bool {
        let is_begun = self.units.get(&net).is_none_or(|unit| unit.is_stranded);
        look.is_stranded && self.named.contains(&net) && is_begun
    }

    /// Whether a unit is not on its way, or can still be called off.
    fn is_free(&self, net: Ipv4Net) -> bool {
        let state = self.units.get(&net).map(|unit| unit.state);
        matches!(state, None | Some(State::Waiting | State::Asked | State::Agreed))
    }

    /// Whether the agent, if it could take a unit for its own by being shown it, has had the time to say so. It is not shown what it is asked
    /// for.
    fn is_given_up(&self, now: Tick, net: Ipv4Net) -> bool {
        let state = self.units.get(&net).map(|unit| unit.state);
        !matches!(state, None | Some(State::Waiting)) || self.is_heard_of(now, net)
    }

    /// Addresses that are seen and may be gone.
    fn uncertain(&self, look: Look<'_>) -> u32 {
        let may_be_gone = |net: &Ipv4Net| {
            let state = self.units.get(net).map(|unit| unit.state);
            matches!(state, Some(State::Doubtful | State::Gone | State::Told))
        };
        look.held.iter().map(|it| it.net).filter(may_be_gone).map(size).sum()
    }
}

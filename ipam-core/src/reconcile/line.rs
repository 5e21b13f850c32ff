//! Who is next: for each action of EC2 the nodes that wait for a call of it.

use alloc::collections::{BTreeMap, BTreeSet};

use super::record::Slot;
use crate::call::Api;
use crate::time::Tick;

/// How urgent it is, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// The node has no free address.
    NoAddress,
    /// More pods wait than addresses are free.
    WaitingPods,
    /// The node is below its watermarks.
    Warm,
    /// The node has addresses to spare.
    Release,
    /// What no pod waits for.
    CleanUp,
}

/// One node in the line of one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) class: Class,
    /// Since when it waits.
    pub(super) since: Tick,
}

/// The nodes that wait, by action.
#[derive(Debug)]
pub(super) struct Line {
    lanes: BTreeMap<Api, Lane>,
    /// Calls made of all actions if they share a bucket; `None`: each has its own only.
    served: Option<u32>,
}

#[derive(Debug, Default)]
struct Lane {
    by_class: BTreeSet<(Place, Slot)>,
    by_age: BTreeSet<(Tick, Slot)>,
    /// Calls made.
    served: u32,
}

/// Every so many calls go to whoever has waited longest, so that nobody starves.
const BY_AGE_EVERY: u32 = 8;

impl Line {
    /// An empty one. `shares` says whether all actions take from one bucket beside their own.
    pub(super) fn new(shares: bool) -> Self {
        Self { lanes: BTreeMap::new(), served: shares.then_some(0) }
    }

    /// Moves a node from one place to another; `None`: not in the line.
    pub(super) fn set(&mut self, api: Api, slot: Slot, from: Option<Place>, to: Option<Place>) {
        if from == to {
            return;
        }
        let lane = self.lanes.entry(api).or_default();
        if let Some(place) = from {
            lane.by_class.remove(&(place, slot));
            lane.by_age.remove(&(place.since, slot));
        }
        if let Some(place) = to {
            lane.by_class.insert((place, slot));
            lane.by_age.insert((place.since, slot));
        }
    }

    /// Whose turn it is, with the class by which it competes with other actions.
    pub(super) fn first(&self, api: Api) -> Option<(Place, Slot)> {
        let lane = self.lanes.get(&api)?;
        let &(place, slot) = lane.by_class.first()?;
        let goes_by_age = |served: u32| (served + 1).is_multiple_of(BY_AGE_EVERY);
        if (goes_by_age(lane.served) || self.served.is_some_and(goes_by_age))
            && let Some(&(since, oldest)) = lane.by_age.first()
        {
            return Some((Place { class: Class::NoAddress, since }, oldest));
        }
        Some((place, slot))
    }

    pub(super) fn is_empty(&self, api: Api) -> bool {
        self.lanes.get(&api).is_none_or(|lane| lane.by_class.is_empty())
    }

    /// A call of the action was made.
    pub(super) fn served(&mut self, api: Api) {
        let lane = self.lanes.entry(api).or_default();
        lane.served = (lane.served + 1) % BY_AGE_EVERY;
        self.served = self.served.map(|served| (served + 1) % BY_AGE_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: Api = Api::CreateNetworkInterface;

    fn place(class: Class, since: u64) -> Place {
        Place { class, since: Tick::from_millis(since) }
    }

    #[test]
    fn urgent_first_then_oldest_and_every_eighth_call_by_age() {
        let mut line = Line::new(false);
        line.set(API, Slot(1), None, Some(place(Class::Warm, 1)));
        line.set(API, Slot(2), None, Some(place(Class::NoAddress, 9)));
        line.set(API, Slot(3), None, Some(place(Class::NoAddress, 8)));
        let mut turns = alloc::vec::Vec::new();
        for _ in 0..9 {
            turns.push(line.first(API).unwrap().1.0);
            line.served(API);
        }
        assert_eq!(turns, [3, 3, 3, 3, 3, 3, 3, 1, 3]);
        line.set(API, Slot(3), Some(place(Class::NoAddress, 8)), None);
        assert_eq!(line.first(API).unwrap().1, Slot(2));
    }

    #[test]
    fn every_eighth_call_from_a_shared_bucket_goes_to_the_oldest_of_all() {
        let delete = Api::DeleteNetworkInterface;
        let mut line = Line::new(true);
        line.set(API, Slot(1), None, Some(place(Class::NoAddress, 9)));
        line.set(delete, Slot(2), None, Some(place(Class::CleanUp, 1)));
        let mut turns = alloc::vec::Vec::new();
        for _ in 0..9 {
            let (_, api) = [API, delete].map(|api| (line.first(api).unwrap(), api))[..]
                .iter()
                .min()
                .copied()
                .unwrap();
            turns.push(api == delete);
            line.served(api);
        }
        assert_eq!(turns.iter().filter(|is_delete| **is_delete).count(), 1, "{turns:?}");
    }
}

//! What an agent of the CIDR contract can know of, by what it has said since.
//!
//! Such an agent gives a CIDR up by not naming it. One that it was not shown, or has not written anything since it was shown, is not named
//! either, and may be full of pods: the agent's writes may fail while it reads, or ours may be stale. So the first word after a CIDR was shown
//! counts, whatever it says. A new operator has not seen when that was: it waits for a word about what it finds shown and not named, but not
//! for ever, since an agent on whose node nothing happens has none.

use alloc::collections::BTreeSet;
use core::time::Duration;

use ipnet::Ipv4Net;

use super::Usage;
use crate::addresses::AddressSet;
use crate::prefix::addresses_of;
use crate::time::Tick;

/// For how long a new operator waits for a word.
const AWAITED_FOR: Duration = Duration::from_mins(10);

/// What an agent was shown and said, as it was watched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Heard {
    /// Its last word: how many addresses it asks for, and what it names.
    requested: u32,
    allocated: BTreeSet<Ipv4Net>,
    /// What it is shown.
    shown: AddressSet,
    /// What of that it was shown since its last word.
    since: AddressSet,
    /// What it was shown already, and did not name, when it was seen for the first time; and until when a word about that is awaited.
    found: AddressSet,
    until: Tick,
}

impl Heard {
    /// An agent that is seen for the first time. What it names it knows of.
    pub(super) fn begin(now: Tick, usage: &Usage) -> Self {
        let Usage { requested, allocated, listed, .. } = usage;
        let named: AddressSet = allocated.iter().copied().flat_map(addresses_of).collect();
        Self {
            requested: *requested,
            allocated: allocated.clone(),
            shown: listed.clone(),
            since: AddressSet::default(),
            found: listed.without(&named),
            until: now + AWAITED_FOR,
        }
    }

    /// Takes note of what it says and is shown now.
    pub(super) fn note(&mut self, usage: &Usage) {
        if self.requested != usage.requested || self.allocated != usage.allocated {
            self.requested = usage.requested;
            self.allocated.clone_from(&usage.allocated);
            (self.since, self.found) = (AddressSet::default(), AddressSet::default());
        }
        if self.shown != usage.listed {
            // What came along with the word may be younger than it.
            self.since = self.since.and(&usage.listed.without(&self.shown));
            self.shown.clone_from(&usage.listed);
        }
    }

    /// Whether it is shown a unit, and has said something since.
    pub(super) fn is_about(&self, now: Tick, net: Ipv4Net) -> bool {
        let is_found = now < self.until && self.found.touches(net);
        self.shown.touches(net) && !self.since.touches(net) && !is_found
    }

    /// Whether it was shown something of which it has said nothing yet.
    pub(super) fn is_awaited(&self, now: Tick) -> bool {
        !self.since.is_empty() || self.deadline(now).is_some()
    }

    /// When no word about what was found is awaited any more.
    pub(super) fn deadline(&self, now: Tick) -> Option<Tick> {
        (now < self.until && !self.found.is_empty()).then_some(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(last: u8) -> Ipv4Net {
        Ipv4Net::new([10, 0, 0, last].into(), 28).expect("a prefix")
    }

    fn usage(requested: u32, listed: &[u8]) -> Usage {
        let listed = listed.iter().flat_map(|last| addresses_of(net(*last)));
        Usage { requested, listed: listed.collect(), ..Usage::default() }
    }

    /// Whether a word about each of two prefixes was heard.
    fn heard_of(heard: &Heard, minutes: u64) -> [bool; 2] {
        [16, 32].map(|last| heard.is_about(Tick::from_millis(minutes * 60_000), net(last)))
    }

    #[test]
    fn what_comes_along_with_a_word_may_be_younger() {
        let mut heard = Heard::begin(Tick::default(), &usage(8, &[]));
        for (requested, listed, expected) in [
            (8, &[16][..], [false, false]),
            (7, &[16], [true, false]),
            (9, &[16, 32], [true, false]),
            (9, &[16, 32], [true, false]),
            (8, &[16, 32], [true, true]),
            (8, &[16], [true, false]),
            (8, &[16, 32], [true, false]),
        ] {
            heard.note(&usage(requested, listed));
            assert_eq!(heard_of(&heard, 600), expected, "{requested} {listed:?}");
        }
    }

    #[test]
    fn a_new_operator_waits_for_a_word_and_not_for_ever() {
        let mut before = usage(8, &[16, 32]);
        before.allocated = [net(32)].into();
        let mut heard = Heard::begin(Tick::default(), &before);
        assert_eq!(heard_of(&heard, 9), [false, true]);
        assert_eq!(heard_of(&heard, 10), [true, true]);
        heard.note(&usage(8, &[16, 32]));
        assert_eq!(heard_of(&heard, 0), [true, true]);
    }
}

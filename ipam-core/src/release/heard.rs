//! What an agent of the CIDR contract can know of, by what it has said since.
//!
//! Such an agent gives a CIDR up by not naming it. One that it was not shown, or has not written anything since it was shown, is not named
//! either, and may be full of pods: the agent's writes may fail while it reads, or ours may be stale. So the first word after a CIDR was shown
//! counts, whatever it says. What was shown before an operator was there was shown long ago.

use alloc::collections::BTreeSet;

use ipnet::Ipv4Net;

use super::Usage;
use crate::addresses::AddressSet;

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
}

impl Heard {
    /// What is taken for granted when an agent is seen for the first time.
    pub(super) fn begin(usage: &Usage) -> Self {
        let Usage { requested, allocated, listed, .. } = usage;
        Self {
            requested: *requested,
            allocated: allocated.clone(),
            shown: listed.clone(),
            since: AddressSet::default(),
        }
    }

    /// Takes note of what it says and is shown now.
    pub(super) fn note(&mut self, usage: &Usage) {
        if self.requested != usage.requested || self.allocated != usage.allocated {
            self.requested = usage.requested;
            self.allocated.clone_from(&usage.allocated);
            self.since = AddressSet::default();
        }
        if self.shown != usage.listed {
            // What came along with the word may be younger than it.
            self.since = self.since.and(&usage.listed.without(&self.shown));
            self.shown.clone_from(&usage.listed);
        }
    }

    /// Whether it is shown a unit, and has said something since.
    pub(super) fn is_about(&self, net: Ipv4Net) -> bool {
        self.shown.touches(net) && !self.since.touches(net)
    }

    /// Whether it was shown something of which it has said nothing yet.
    pub(super) fn is_awaited(&self) -> bool {
        !self.since.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(last: u8) -> Ipv4Net {
        Ipv4Net::new([10, 0, 0, last].into(), 28).expect("a prefix")
    }

    fn usage(requested: u32, listed: &[u8]) -> Usage {
        let listed = listed.iter().flat_map(|last| crate::prefix::addresses_of(net(*last)));
        Usage { requested, listed: listed.collect(), ..Usage::default() }
    }

    #[test]
    fn what_comes_along_with_a_word_may_be_younger() {
        let mut heard = Heard::begin(&usage(8, &[16]));
        let mut check = |usage: &Usage, about: [bool; 2]| {
            heard.note(usage);
            assert_eq!([16, 32].map(|last| heard.is_about(net(last))), about, "{usage:?}");
            assert_eq!(heard.is_awaited(), usage.listed.touches(net(32)) && !about[1]);
        };
        check(&usage(9, &[16, 32]), [true, false]);
        check(&usage(9, &[16, 32]), [true, false]);
        check(&usage(8, &[16, 32]), [true, true]);
        check(&usage(8, &[16]), [true, false]);
        check(&usage(8, &[16, 32]), [true, false]);
    }
}

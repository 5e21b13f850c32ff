//! What was exercised: a run that finds nothing because nothing happened would prove nothing.

use std::collections::BTreeMap;

macro_rules! counters {
    ($($name:ident: $floor:literal, $text:literal;)*) => {
        /// Something that is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Counter {
            $(#[doc = $text] $name,)*
        }

        impl Counter {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What is counted.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How often it has to happen in 300 seeds.
            #[must_use]
            pub const fn floor(self) -> u64 {
                match self { $(Self::$name => $floor,)* }
            }
        }
    };
}

counters! {
    Steps: 100_000, "things that happened";
    Granted: 3_000, "pods that got an address";
    Refused: 100, "ADDs that were refused";
    Abandoned: 20, "ADDs that were given up by who asked";
    CutShort: 1, "addresses handed out before they had cooled down";
    Dels: 3_000, "DELs that were answered";
    Changes: 1_000, "changes that EC2 made";
    Prefixes: 100, "prefixes that were assigned or came with an interface";
    Creations: 100, "interfaces that were made";
    Throttled: 50, "calls that EC2 throttled";
    Unanswered: 50, "calls whose answer was lost";
    LateAnswers: 1, "calls that were given up before they were answered";
    RefusedByCloud: 50, "calls that EC2 refused";
    Terms: 300, "terms of operators";
    FailOvers: 100, "terms that took over from another operator";
    Fenced: 1, "changes that did not leave because the Lease had run out";
    Beaten: 5, "rounds of the election in which another operator was faster";
    Writes: 3_000, "writes that the API server took";
    Stale: 0, "writes that met another object than expected";
    WritesLost: 50, "writes without an answer";
    WatchesBroken: 20, "watches that broke";
    AgentStarts: 300, "starts of agents";
    Reboots: 10, "machines that were booted anew";
    LedgersLost: 5, "ledgers that could not be read";
    WritesFailed: 20, "writes to disk that failed";
    Adopted: 5, "addresses that were found in use by somebody unknown";
    Replaced: 10, "instances that were replaced under the same name";
    ObjectsDeleted: 3, "objects that somebody deleted";
    ReleasedByOthers: 8, "addresses and prefixes that another operator gave back, since agents had given them up";
    TakenBack: 3, "addresses that somebody took from a node";
    Reasons: 20, "obstacles that agents were told";
    Faults: 500, "faults";
}

/// How often each thing happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<Counter, u64>);

impl Counters {
    /// Counts some more.
    pub(crate) fn add(&mut self, counter: Counter, count: u64) {
        *self.0.entry(counter).or_default() += count;
    }

    /// How often it happened.
    #[must_use]
    pub fn get(&self, counter: Counter) -> u64 {
        self.0.get(&counter).copied().unwrap_or_default()
    }

    /// Counts what another run counted, too.
    pub fn merge(&mut self, other: &Self) {
        for (counter, count) in &other.0 {
            self.add(*counter, *count);
        }
    }

    /// Those that did not happen often enough in so many seeds: all floors are for 300.
    pub fn below_floor(&self, seeds: u64) -> impl Iterator<Item = Counter> + '_ {
        let is_below = move |counter: &Counter| self.get(*counter) * 300 < counter.floor() * seeds;
        Counter::ALL.iter().copied().filter(is_below)
    }
}

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

            /// How often it has to happen in 10,000 seeds.
            #[must_use]
            pub const fn floor(self) -> u64 {
                match self { $(Self::$name => $floor,)* }
            }
        }
    };
}

counters! {
    Steps: 81_000_000, "things that happened";
    Granted: 140_000, "pods that got an address";
    Refused: 340_000, "ADDs that were refused";
    Abandoned: 11_000, "ADDs that were given up by who asked";
    CutShort: 16_000, "addresses handed out before they had cooled down";
    Dels: 490_000, "DELs that were answered";
    Changes: 81_000, "changes that EC2 made";
    Prefixes: 4_100, "prefixes that were assigned or came with an interface";
    Creations: 10_000, "interfaces that were made";
    Throttled: 7_800, "calls that EC2 throttled";
    Unanswered: 1_900, "calls whose answer was lost";
    LateAnswers: 310, "calls that were given up before they were answered";
    RefusedByCloud: 7_400, "calls that EC2 refused";
    Terms: 8_200, "terms of operators";
    FailOvers: 1_000, "terms that took over from another operator";
    LeasesGivenBack: 470, "Leases that were given back";
    Fenced: 33, "changes that did not leave because the Lease had run out";
    Beaten: 450, "rounds of the election in which another operator was faster";
    Writes: 470_000, "writes that the API server took";
    Conflicts: 33, "writes that met another object than expected";
    WritesLost: 7_000, "writes without an answer";
    WatchesBroken: 3_900, "watches that broke";
    AgentStarts: 15_000, "starts of agents";
    Reboots: 350, "machines that were booted anew";
    LedgersLost: 370, "ledgers that could not be read";
    WritesFailed: 10_000, "writes to disk that failed";
    Adopted: 2_400, "addresses that were found in use by somebody unknown";
    Replaced: 180, "instances that were replaced under the same name";
    ObjectsDeleted: 370, "objects that somebody deleted";
    Marked: 34_000, "addresses that agents were asked for";
    Promised: 33_000, "addresses that agents promised away";
    KeptByAgents: 120, "addresses that agents did not give back";
    CalledOff: 2_500, "addresses that agents were not asked for any more";
    ToldReleased: 32_000, "addresses of which agents were told that they are gone";
    Released: 59_000, "addresses that were given back, those of prefixes included";
    PrefixesReturned: 1_000, "prefixes that were given back";
    Detached: 2_000, "interfaces that were detached since they held nothing";
    Deleted: 2_000, "interfaces that were deleted";
    CleanedUp: 24, "interfaces that no node claimed and that were deleted";
    Repaired: 120, "security groups that were repaired";
    GroupsDrifted: 120, "interfaces that somebody put behind another security group";
    NodesGone: 110, "nodes that went for good";
    Doubtful: 700, "calls to give something back of which nobody heard what became";
    Resumed: 99, "addresses given back that another term had begun to give back";
    ReleasedByOthers: 210, "addresses and prefixes that another operator gave back, since agents had given them up";
    TakenBack: 82, "addresses that somebody took from a node";
    Reasons: 2_900, "obstacles that agents were told";
    Faults: 30_000, "faults";
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

    /// Those that did not happen often enough in so many seeds: all floors are for 10,000, rounded down.
    pub fn below_floor(&self, seeds: u64) -> impl Iterator<Item = Counter> + '_ {
        let is_below =
            move |counter: &Counter| self.get(*counter) < counter.floor() * seeds / 10_000;
        Counter::ALL.iter().copied().filter(is_below)
    }
}

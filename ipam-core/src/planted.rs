//! Bugs that can be switched on one by one, to prove that the simulation (`tests/sim`) finds them. Here by the feature `planted` alone, which nothing that ships is
//! built with: each has one or two places in the core, under `#[cfg(feature = "planted")]`, or in the simulation where that stands for a shell.

use core::sync::atomic::{AtomicU8, Ordering};

macro_rules! bugs {
    ($($name:ident = $number:literal: $text:literal;)*) => {
        /// A bug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Bug {
            $(#[doc = $text] $name = $number,)*
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

bugs! {
    DoubleCreate = 1: "A `CreateNetworkInterface` without an answer is sent again with another client token.";
    UndoByStaleRead = 2: "A reading that is older than a change undoes it.";
    CoolDownIgnored = 3: "An address that was given back is handed out again at once.";
    LimitsOffByOne = 4: "An interface counts as having a slot more than it has.";
    LeaderNotFenced = 5: "A change leaves although the Lease has run out.";
    BudgetIgnoresThrottles = 6: "That EC2 throttles slows nothing down.";
    AnswerBeforeDurable = 7: "An answer leaves before its record is on disk.";
    AgreementSkipped = 8: "An address leaves a node whose agent was not asked for it.";
    DoubtForgotten = 9: "A change to give something back that was not answered counts as not made.";
    PromiseNotPersisted = 10: "What an agent promised away is not in its ledger on disk.";
    BusyPrefixReleased = 11: "A prefix leaves when its first address is free, whatever the others are.";
    GcWithoutAge = 12: "An interface that no node claims is deleted however young it is.";
    TakenBackAtOnce = 13: "An agent hands out again what it gave up, before that is seen.";
    FloorForgotten = 14: "More is given back than a node keeps.";
    SilenceIsConsent = 15: "A CIDR of which an agent has said nothing since it is shown counts as given up.";
}

/// The bug that is planted; 0: none.
static PLANTED: AtomicU8 = AtomicU8::new(0);

/// Plants a bug in all machines of this process, or none.
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(0, |bug| bug as u8), Ordering::Relaxed);
}

/// Whether a bug is planted.
#[must_use]
pub fn is(bug: Bug) -> bool {
    PLANTED.load(Ordering::Relaxed) == bug as u8
}

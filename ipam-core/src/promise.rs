//! The node's side of giving single addresses back: what it answers to the operator in `status.ipam.release-ips`.
//!
//! | the entry says | the address is | the node |
//! |---|---|---|
//! | marked | not in the pool, or used | keeps it: `do-not-release` |
//! | marked | unused | promises it away: `ready-for-release` |
//! | ready | unused | keeps its promise |
//! | ready | used | takes its word back, since a pod that has it counts for more |
//! | refused | in any state | may hand it out |
//! | released | in the pool | does not hand it out |
//! | released | not in the pool | removes the entry |
//! | released | in the pool again after it had left it, or for [`REASSIGNED_AFTER`] although its interface has it | removes the entry |
//! | nothing any more | in the pool | takes its promise back, if [`ends`] says so |
//!
//! The last row but one is what Cilium's agents lack: an address that EC2 gives to the interface anew before the entry is removed stays
//! out of use for ever there (cilium/cilium#39981). Removing the entry does not free the address at once: the ledger keeps a
//! promise for a while, since the pool can be out of date.

use core::time::Duration;

use crate::agent::Release;

/// How long an address that is said to be released may stand in the pool, with its interface having it, until it counts as
/// assigned anew. Cilium's operators read the interfaces of a node at least each minute and write the pool milliseconds after the
/// release.
pub const REASSIGNED_AFTER: Duration = Duration::from_mins(5);

/// An entry of `status.ipam.release-ips`, and what is known of its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What the entry says.
    pub release: Release,
    /// Whether the address is in `spec.ipam.pool`.
    pub in_pool: bool,
    /// Whether the address has been gone from the pool since the entry says that it is released.
    pub left_pool: bool,
    /// How long the entry has said this while the address was in the pool and on its interface.
    pub lasts: Duration,
    /// Whether somebody uses the address.
    pub used: bool,
}

/// What the node does about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Promise the address away, and answer `ready-for-release`.
    Promise,
    /// Keep the address, and answer `do-not-release`.
    Refuse,
    /// Promise the address away, or keep the promise. There is nothing to answer.
    Hold,
    /// Take back a promise if there is one. There is nothing to answer.
    LetGo,
    /// Remove the entry.
    Remove,
}

/// What the node does about an entry.
#[must_use]
pub const fn step(entry: Entry) -> Step {
    let Entry { release, in_pool, left_pool, used, lasts } = entry;
    match release {
        Release::Marked if in_pool && !used => Step::Promise,
        Release::Ready if !used => Step::Hold,
        Release::Marked | Release::Ready => Step::Refuse,
        Release::Refused => Step::LetGo,
        Release::Released if !in_pool || left_pool => Step::Remove,
        Release::Released if lasts.as_millis() >= REASSIGNED_AFTER.as_millis() => Step::Remove,
        Release::Released => Step::Hold,
    }
}

/// Whether a promise ends at once when its entry is gone: the operator has given up what it asked for.
///
/// `release`: what the entry said last. `may_be_answered`: whether an answer to it was sent, whatever came of it. One that is on its
/// way would be taken for a new promise as soon as the operator asks again.
#[must_use]
pub const fn ends(release: Release, may_be_answered: bool, in_pool: bool) -> bool {
    in_pool
        && match release {
            Release::Marked => !may_be_answered,
            Release::Ready => true,
            Release::Refused | Release::Released => false,
        }
}

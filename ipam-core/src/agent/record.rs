//! What must outlive the process.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::attachment::Attachment;
use super::lease::EniFacts;
use crate::ids::{EniId, InstanceId, PodKey};
use crate::pool::{GrantId, Owner, Snapshot};
use crate::time::Tick;

/// Records are numbered in the order in which they come out; numbers may be left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u64);

/// All that an agent must know after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The instance whose addresses these are. Those of another mean nothing here.
    pub instance: Option<InstanceId>,
    /// The boot of the machine: no sandbox outlives it.
    pub boot: String,
    /// The addresses.
    pub ledger: Snapshot,
    /// Which interfaces hold which of them.
    pub attachments: BTreeMap<Attachment, Attached>,
    /// The grants of addresses that are held only because they were found to be in use.
    pub found: BTreeSet<GrantId>,
    /// Addresses that were found to be in use and that no CIDR has so far. One that a CIDR has later is used from then on.
    pub unlisted: BTreeSet<IpAddr>,
    /// What is known of the interfaces of the listed and the used addresses.
    pub enis: BTreeMap<EniId, EniFacts>,
    /// Whether the CIDRs of the ledger are from the operator's word, not from the metadata.
    pub listed_by_word: bool,
}

/// What an interface of a sandbox holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The pod.
    pub pod: PodKey,
    /// Its uid, if the runtime says it.
    pub uid: Option<String>,
    /// Its addresses, each with its grant.
    pub addresses: Vec<(IpAddr, GrantId)>,
}

/// On what ground somebody holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// A CNI ADD asked for it.
    Attachment {
        /// For which interface.
        attachment: Arc<Attachment>,
        /// The uid of the pod, if the runtime says it.
        uid: Option<String>,
    },
    /// A caller of `/v1/ipam` did.
    Caller,
    /// It was found to be in use.
    Found,
}

/// A change of a [`State`]. All of them in order, from a [`Record::Whole`] on, make the state that they were made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Everything anew.
    Whole(State),
    /// An address was handed out.
    Granted {
        /// When.
        at: Tick,
        /// Which.
        address: IpAddr,
        /// By which grant.
        id: GrantId,
        /// To whom.
        owner: Owner,
        /// Whether its claim is waited for.
        unclaimed: bool,
        /// On what ground.
        ground: Ground,
    },
    /// An address was given back.
    Released {
        /// When.
        at: Tick,
        /// Which.
        address: IpAddr,
        /// Of which grant.
        id: GrantId,
    },
    /// An allocation was confirmed.
    Claimed {
        /// Which address.
        address: IpAddr,
        /// Of which grant.
        id: GrantId,
    },
}

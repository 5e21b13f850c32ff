//! What happened that somebody may want to know.

use alloc::string::String;
use core::net::IpAddr;
use core::time::Duration;

use ipnet::IpNet;

use super::attachment::Attachment;
use super::call::Refused;
use crate::ids::{EniId, InstanceId};
use crate::pool::{Expired, InvalidCidr, Owner};

/// What happened, for logs and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An address was handed out.
    Granted {
        /// Which.
        address: IpAddr,
        /// To whom.
        owner: Owner,
        /// Whether it had not finished cooling down.
        cut_short: bool,
        /// How long the call waited.
        waited: Duration,
    },
    /// An address was given back.
    Released {
        /// Which.
        address: IpAddr,
        /// By whom.
        owner: Owner,
    },
    /// An allocation was given back because nobody claimed it.
    Expired(Expired),
    /// A call was refused.
    Refused(Refused),
    /// A call waits for an address.
    Waits {
        /// How many wait now.
        waiting: usize,
    },
    /// The listing of CIDRs changed.
    Listed {
        /// What is new.
        added: usize,
        /// What is gone.
        removed: usize,
        /// What is gone and still used.
        withdrawn: usize,
    },
    /// An entry of the listing cannot be used.
    InvalidCidr(InvalidCidr),
    /// The operator's word came for the first time, or changed.
    WordHeard,
    /// What the `CiliumNode` says is of another instance.
    WordOfAnother {
        /// Which.
        instance: InstanceId,
    },
    /// The word contradicts itself and is not followed until it does not.
    WordInconsistent {
        /// How.
        problem: String,
    },
    /// An address was promised away.
    Promised {
        /// Which.
        cidr: IpNet,
    },
    /// The operator asked for an address that is used: it is kept.
    Kept {
        /// Which.
        address: IpAddr,
    },
    /// The state on disk is of another instance, or of another boot: its sandboxes are gone.
    StartedClean {
        /// Why.
        because: &'static str,
        /// What was given back.
        attachments: usize,
    },
    /// GC gave back what an attachment held.
    Collected {
        /// Which.
        attachment: Attachment,
    },
    /// Somebody uses an address that the ledger did not know as used.
    Adopted {
        /// Which.
        address: IpAddr,
        /// Who.
        owner: Owner,
    },
    /// The host's network is ready for an interface.
    HostReady {
        /// Which.
        eni: EniId,
    },
    /// Something is wrong with the host's network for an interface.
    HostProblem {
        /// Which.
        eni: EniId,
        /// Whether it carries pods all the same.
        carries: bool,
        /// What.
        problem: String,
    },
    /// The record could not be written.
    NotDurable {
        /// Why.
        problem: String,
    },
}

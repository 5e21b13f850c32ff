//! What an agent is asked, and what it answers.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use super::attachment::{Attachment, Sandbox};
use super::lease::Lease;
use crate::ids::PodKey;
use crate::pool::{Claim, Family, GrantId, Owner, Refusal};

/// Tells the calls of one agent apart. The shell chooses it, and never twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// What an agent is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// CNI ADD: an address of every enabled family for an interface of a pod. Asked again for the same attachment, the answer is the same.
    Add {
        /// For which interface.
        attachment: Attachment,
        /// Of which pod.
        pod: PodKey,
        /// The uid of the pod, if the runtime says it.
        uid: Option<String>,
        /// How long to wait for a free address; at most [`super::AgentSettings::wait_max`], and that where it is not said.
        wait: Option<Duration>,
    },
    /// CNI DEL: the addresses of an interface, given back. Unknown ones are no error.
    Del {
        /// Of which interface.
        attachment: Attachment,
    },
    /// CNI CHECK: whether these addresses are held by the interface.
    Check {
        /// Of which interface.
        attachment: Attachment,
        /// Which, of `prevResult`.
        addresses: Vec<IpAddr>,
    },
    /// CNI GC: gives back what no valid sandbox of the network holds.
    Gc {
        /// The name of the network.
        network: String,
        /// What stays.
        valid: BTreeSet<Sandbox>,
    },
    /// CNI STATUS: whether an ADD could be served.
    Status,
    /// Cilium's `POST /ipam`: the next address of each family. Does not wait.
    Allocate {
        /// Of which families.
        families: Vec<Family>,
        /// For whom.
        owner: Owner,
        /// Whether it will be claimed; if it is not in time, it is given back.
        claim: Claim,
    },
    /// Cilium's `POST /ipam/{ip}`.
    AllocateExact {
        /// Which address.
        address: IpAddr,
        /// For whom.
        owner: Owner,
    },
    /// Confirms an allocation that waits for its claim.
    Claim {
        /// Which address.
        address: IpAddr,
        /// Of which grant.
        id: GrantId,
    },
    /// Cilium's `DELETE /ipam/{ip}`: whoever holds it, unless that is an attachment.
    Release {
        /// Which address.
        address: IpAddr,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These addresses, IPv4 before IPv6.
    Granted(Vec<Lease>),
    /// It is done: DEL, GC, CHECK, STATUS, claim and release.
    Done,
    /// It is not.
    Refused(Refused),
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// No address was free within the wait. Worth trying again.
    NoAddress {
        /// Of which family.
        family: Family,
        /// How many there are, and where.
        tally: crate::pool::Tally,
        /// How long the call waited.
        waited: Duration,
        /// What the operator says that keeps it from giving more.
        blocked: Option<String>,
        /// What keeps an interface of the node from carrying pods.
        host: Option<String>,
    },
    /// Too many calls wait already. Worth trying again.
    TooManyWait {
        /// How many.
        waiting: usize,
    },
    /// The record could not be written to the disk. Worth trying again.
    NotDurable {
        /// What went wrong.
        problem: String,
    },
    /// Which addresses are in use is not known yet. Worth trying again.
    NotReady {
        /// What is waited for.
        missing: &'static str,
    },
    /// The family is not enabled here.
    FamilyDisabled {
        /// Which.
        family: Family,
    },
    /// CHECK: the interface does not hold this address.
    NotHeld {
        /// Which.
        address: IpAddr,
        /// What it holds.
        held: Vec<IpAddr>,
    },
    /// The address is held by an attachment, and only its DEL gives it back.
    HeldByAttachment {
        /// Which.
        address: IpAddr,
        /// By which.
        attachment: Attachment,
    },
    /// The address was found in use on the node, by nobody who asked for it here. It is given back when it is so no longer.
    FoundInUse {
        /// Which.
        address: IpAddr,
    },
    /// A DEL for the same interface came before the ADD was answered.
    Deleted,
    /// The host's network does not carry the address yet, which is held until its DEL. Worth trying again. The shell says it, never the machine.
    HostNetwork {
        /// What is wrong there.
        problem: String,
    },
    /// The agent is stopping. Worth trying again. The shell says it, never the machine.
    Stopping,
    /// The ledger says why.
    Ledger(Refusal),
}

impl Refused {
    /// Whether the same call can succeed later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::NoAddress { .. }
                | Self::TooManyWait { .. }
                | Self::NotDurable { .. }
                | Self::NotReady { .. }
                | Self::HostNetwork { .. }
                | Self::Stopping
                | Self::Ledger(Refusal::Exhausted { .. })
        )
    }

    /// A short name of the reason, for metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::NoAddress { .. } => "no_address",
            Self::TooManyWait { .. } => "too_many_wait",
            Self::NotDurable { .. } => "not_durable",
            Self::NotReady { .. } => "not_ready",
            Self::FamilyDisabled { .. } => "family_disabled",
            Self::NotHeld { .. } => "not_held",
            Self::HeldByAttachment { .. } => "held_by_attachment",
            Self::FoundInUse { .. } => "found_in_use",
            Self::Deleted => "deleted",
            Self::HostNetwork { .. } => "host_network",
            Self::Stopping => "stopping",
            Self::Ledger(refusal) => refusal.label(),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress { family, tally, waited, blocked, host } => {
                write!(out, "no free {family} address")?;
                if !waited.is_zero() {
                    write!(out, " within {waited:?}")?;
                }
                write!(out, " ({tally})")?;
                if let Some(host) = host {
                    write!(out, "; {host}")?;
                }
                match blocked {
                    Some(blocked) => write!(out, "; the operator says: {blocked}"),
                    None => Ok(()),
                }
            }
            Self::TooManyWait { waiting } => {
                write!(out, "{waiting} calls wait for an address already")
            }
            Self::NotDurable { problem } => {
                write!(out, "the ledger cannot be written to disk: {problem}")
            }
            Self::NotReady { missing } => write!(out, "not ready: waiting for {missing}"),
            Self::FamilyDisabled { family } => write!(out, "{family} is not enabled on this node"),
            Self::NotHeld { address, held } => {
                write!(out, "{address} is not held by this interface: it holds {held:?}")
            }
            Self::FoundInUse { address } => {
                write!(
                    out,
                    "{address} was found in use on this node, and is until it is found unused"
                )
            }
            Self::HeldByAttachment { address, attachment } => {
                write!(out, "{address} is held by {attachment}: its DEL gives it back")
            }
            Self::Deleted => out.write_str("a DEL for the same interface came first"),
            Self::HostNetwork { problem } => {
                write!(out, "the host's network is not ready for the address: {problem}")
            }
            Self::Stopping => out.write_str("the agent is stopping"),
            Self::Ledger(refusal) => fmt::Display::fmt(refusal, out),
        }
    }
}

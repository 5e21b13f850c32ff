//! What a person or a metric wants to know of an agent.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use super::Agent;
use super::attachment::Attachment;
use super::lease::EniFacts;
use super::publication::PublicationId;
use crate::ids::{EniId, InstanceId};
use crate::pool::{CidrUsage, Claim, Family, GrantId, InvalidCidr, Owner, Tally};
use crate::time::Tick;

/// What an agent has, and how it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The instance, once it is known.
    pub instance: Option<InstanceId>,
    /// Where the addresses of each enabled family are.
    pub families: Vec<(Family, Tally)>,
    /// How much of each CIDR is used, with the interface it is on; IPv4 before IPv6, in ascending order.
    pub cidrs: Vec<CidrUsage>,
    /// The interfaces that carry pods or are to, in the order of their ids, and the primary one, whether it does or not.
    pub enis: Vec<EniStanding>,
    /// The addresses in use, in the same order.
    pub holdings: Vec<Held>,
    /// How many calls wait for an address.
    pub waiting: usize,
    /// How many interfaces of sandboxes hold addresses.
    pub attachments: usize,
    /// Whether pods can be served, or what is missing.
    pub ready: Result<(), &'static str>,
    /// What the operator said last, once it has said something about this instance.
    pub word: Option<LastWord>,
    /// The publication that is under way, if one is.
    pub publishing: Option<PublicationId>,
    /// What is wrong.
    pub problems: Problems,
    /// What has happened since the agent started.
    pub counts: Counts,
}

/// An interface that carries pods, or is to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EniStanding {
    /// What is known of it.
    pub facts: Arc<EniFacts>,
    /// Its primary address, where it is known and not a pod's.
    pub primary: Option<Ipv4Addr>,
    /// Whether its addresses may be handed out, as far as the host's network goes ([`super::HostView`]).
    pub carries: bool,
    /// What is wrong with the host's network for it: what keeps it from carrying pods, if it does not.
    pub problem: Option<String>,
}

/// An address in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The address.
    pub address: IpAddr,
    /// Who holds it.
    pub owner: Owner,
    /// The interface of the instance that it is on.
    pub eni: EniId,
    /// By which grant.
    pub id: GrantId,
    /// Whether it must still be claimed.
    pub claim: Claim,
    /// The interface of the sandbox, if one holds it.
    pub attachment: Option<Attachment>,
}

/// The operator's last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWord {
    /// How long ago it was heard.
    pub age: Duration,
    /// What keeps the operator from giving more.
    pub blocked: Option<String>,
}

/// What is wrong, as far as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// Entries of the listing that cannot be used.
    pub invalid: Vec<InvalidCidr>,
    /// How the word contradicts itself; what was listed before it did is still handed out.
    pub inconsistent: Option<String>,
    /// Why the last record could not be written.
    pub not_durable: Option<String>,
    /// Why the last publication failed.
    pub not_published: Option<String>,
}

/// How often something has happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Addresses handed out.
    pub granted: u64,
    /// Addresses given back, by whatever way.
    pub released: u64,
    /// Addresses handed out before they had finished cooling down, since the ledger was begun.
    pub cut_short: u64,
    /// Calls that had to wait.
    pub waited: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Publications that were written.
    pub published: u64,
    /// Publications that failed.
    pub failed: u64,
}

impl Agent {
    /// What it has, and how it does.
    #[must_use]
    pub fn status(&self, now: Tick) -> Status {
        let families = self.settings.families();
        Status {
            instance: self.book.instance.clone(),
            families: families.map(|family| (family, self.book.ledger.tally(family))).collect(),
            cidrs: self.book.ledger.cidrs().collect(),
            enis: self.standings(),
            holdings: self.held().collect(),
            waiting: self.waiting.len(),
            attachments: self.book.attachments.len(),
            ready: self.readiness(),
            word: self.sight.word.as_ref().map(|(word, heard)| LastWord {
                age: now.since(*heard),
                blocked: word.blocked.clone(),
            }),
            publishing: self.publisher.under_way(),
            problems: Problems {
                not_durable: self.journal.problem().cloned(),
                not_published: self.publisher.problem.clone(),
                ..self.sight.problems.clone()
            },
            counts: Counts { cut_short: self.book.ledger.cooling_cut_short(), ..self.counts },
        }
    }

    fn held(&self) -> impl Iterator<Item = Held> {
        self.book.ledger.holdings().map(|held| Held {
            address: held.address,
            owner: held.owner.clone(),
            eni: held.eni.clone(),
            id: held.id,
            claim: held.claim,
            attachment: self.book.holder(held.id).cloned(),
        })
    }

    /// Pods can be served, or there is a reason why not that is nobody's fault here: the operator has said one, or all addresses
    /// of the node are used.
    fn readiness(&self) -> Result<(), &'static str> {
        if let Some(missing) = self.missing() {
            return Err(missing);
        }
        let is_full = |family| self.book.ledger.tally(family).used > 0;
        match self.shortage() {
            Some(family) if self.blocked().is_none() && !is_full(family) => Err("a free address"),
            _ => Ok(()),
        }
    }

    /// What keeps the operator from giving more.
    pub(super) fn blocked(&self) -> Option<&String> {
        self.heard().and_then(|word| word.blocked.as_ref())
    }
}

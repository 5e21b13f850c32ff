//! What is published: use or demand, and what becomes of addresses that the operator wants back.

use alloc::collections::BTreeMap;
use core::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::give_back::Target;
use super::publication::{Publication, PublicationId, Published};
use super::publisher::Shown;
use super::{Agent, AgentSettings};
use crate::demand::kept;
use crate::ids::EniId;
use crate::pool::{Family, Owner};
use crate::time::Tick;
use crate::view::Contract;

impl Agent {
    pub(super) fn next_publication(&mut self) -> Option<(PublicationId, Publication)> {
        if self.publication_due()? > self.now {
            return None;
        }
        self.reconsider();
        // A promise that was made just now is about to be on disk: it is published with the rest.
        if self.awaits_proof() {
            return None;
        }
        let publication = self.publication();
        let answers =
            matches!(&publication, Publication::Used { releases, .. } if !releases.is_empty());
        if !self.publisher.wants(self.now, &publication) && !answers {
            self.publisher.settle();
            return None;
        }
        match &publication {
            Publication::Used { releases, .. } => self.handshake.on_sent(releases.keys()),
            Publication::Pools { allocated, .. } => self.give_back.on_sent(allocated),
        }
        Some((self.publisher.send(self.now, &publication), publication))
    }

    /// When there is something to publish, or to look whether there is. Not while it is unknown what is in use.
    pub(super) fn publication_due(&self) -> Option<Tick> {
        if self.missing().is_some() || self.awaits_proof() || self.knows_users_alone() {
            return None;
        }
        self.publisher.due()
    }

    /// Whether addresses are known to be in use, but not which ones are the node's: after records were lost, until something is
    /// listed. What stands in `status.ipam.used` may be right then.
    fn knows_users_alone(&self) -> bool {
        self.settings.contract == Contract::PerIp
            && !self.book.unlisted.is_empty()
            && self.book.ledger.cidrs().next().is_none()
    }

    /// Whether a promise is on its way to the disk.
    fn awaits_proof(&self) -> bool {
        !self.unproven.is_empty() && self.journal.problem().is_none()
    }

    fn publication(&self) -> Publication {
        match self.settings.contract {
            Contract::PerIp => {
                let is_proven = |address: IpAddr| !self.unproven.contains_key(&address.into());
                let releases = self.handshake.answers(is_proven);
                Publication::Used { used: self.used(), releases }
            }
            Contract::Cidr => {
                let is_proven = |cidr: IpNet| !self.unproven.contains_key(&cidr);
                let allocated = self.give_back.allocated(&self.book.ledger, is_proven);
                // Without an interface in any word so far, what stands there is not to be erased.
                let stands = || self.sight.word.as_ref().map(|(word, _)| word.allocated.clone());
                Publication::Pools {
                    requested: (self.requested(Family::Ipv4), self.requested(Family::Ipv6)),
                    allocated: allocated.or_else(stands).unwrap_or_default(),
                }
            }
        }
    }

    fn used(&self) -> BTreeMap<Ipv4Addr, (Owner, EniId)> {
        let held = self.book.ledger.holdings().filter_map(|held| match held.address {
            IpAddr::V4(address) => Some((address, (held.owner.clone(), held.eni.clone()))),
            IpAddr::V6(_) => None,
        });
        held.collect()
    }

    /// All that is to be on the node of a family.
    fn requested(&self, family: Family) -> u32 {
        if !self.settings.serves(family) {
            return 0;
        }
        let tally = self.book.ledger.tally(family);
        tally.used.saturating_add(tally.withdrawn).saturating_add(self.wanted(family))
    }

    /// How many free addresses of a family there are to be.
    fn wanted(&self, family: Family) -> u32 {
        let unmet = self.unmet.keys().filter(|(_, of)| *of == family).count();
        let waiting = u32::try_from(self.waiting.len().saturating_add(unmet)).unwrap_or(u32::MAX);
        self.settings.pre_allocate.saturating_add(waiting)
    }

    /// How many free addresses of a family are not given back: the operator would only assign as many again. Its watermarks
    /// are about IPv4.
    fn kept(&self, family: Family) -> u32 {
        let wanted = self.wanted(family);
        if family == Family::Ipv6 {
            return wanted;
        }
        let AgentSettings { pre_allocate, min_allocate, max_above_watermark, .. } = &self.settings;
        let used = self.book.ledger.tally(family).used;
        let in_all = used.saturating_add(wanted - pre_allocate);
        let pre_allocate = i64::from(*pre_allocate);
        kept(in_all, pre_allocate, *min_allocate, *max_above_watermark).saturating_sub(used)
    }

    /// Decides anew which CIDRs are given back.
    pub(super) fn reconsider(&mut self) {
        if self.settings.contract != Contract::Cidr || self.missing().is_some() {
            return;
        }
        let mut withdrawn = false;
        for family in self.settings.families() {
            let target = Target { wanted: self.wanted(family), kept: self.kept(family) };
            let ledger = &mut self.book.ledger;
            let changes = self.give_back.decide(self.now, ledger, family, target);
            self.note_promises(&changes.promised, changes.withdrawn);
            withdrawn |= changes.withdrawn;
        }
        if withdrawn {
            self.serve();
        }
    }

    pub(super) fn end_publication(&mut self, id: PublicationId, published: &Published) {
        let Some(sent) = self.publisher.on_published(self.now, id, published) else { return };
        let written = *published == Published::Written;
        self.handshake.on_published(self.now, written);
        if written {
            self.counts.published += 1;
            if let Shown::Pools(_, allocated) = &sent {
                self.give_back.on_written(allocated);
            }
        } else {
            self.counts.failed += 1;
        }
    }
}

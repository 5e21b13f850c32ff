//! Addresses handed out and taken back, with a record and an event of each.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::Agent;
use super::answers::{Pending, Stake};
use super::attachment::Attachment;
use super::call::Refused;
use super::event::Event;
use super::lease::Lease;
use super::record::{Ground, Record};
use crate::pool::{By, Claim, Expired, Family, Grant, GrantId, Owner, Refusal};
use crate::view::Contract;

impl Agent {
    /// Hands out the next address of a family.
    pub(super) fn grant(
        &mut self,
        family: Family,
        owner: &Owner,
        claim: Claim,
        ground: Ground,
        waited: Duration,
    ) -> Result<(IpAddr, GrantId), Refusal> {
        let grant = self.book.ledger.allocate(family, owner.clone(), claim, self.now)?;
        if let Some(expired) = grant.expired.clone() {
            self.note_expired(expired);
        }
        self.note_granted(&grant, owner, ground, waited);
        Ok((grant.address, grant.id))
    }

    /// Hands out this address, or answers the grant by which the owner holds it.
    pub(super) fn grant_exact(
        &mut self,
        address: IpAddr,
        owner: &Owner,
        ground: Ground,
    ) -> Result<(IpAddr, GrantId), Refusal> {
        let next = self.book.ledger.next_grant();
        let claim = Claim::NotNeeded;
        let grant = self.book.ledger.allocate_exact(address, owner.clone(), claim, self.now)?;
        if grant.id == next {
            self.note_granted(&grant, owner, ground, Duration::ZERO);
        }
        Ok((grant.address, grant.id))
    }

    fn note_granted(&mut self, grant: &Grant, owner: &Owner, ground: Ground, waited: Duration) {
        let (address, id, cut_short) = (grant.address, grant.id, grant.cut_short);
        self.book.enter(address, id, owner, &ground);
        let event = match ground {
            Ground::Found => Event::Adopted { address, owner: owner.clone() },
            _ => Event::Granted { address, owner: owner.clone(), cut_short, waited },
        };
        self.journal.note(Record::Granted {
            at: self.now,
            address,
            id,
            owner: owner.clone(),
            unclaimed: grant.claim == Claim::Expected,
            ground,
        });
        self.counts.granted += 1;
        self.events.push_back(event);
        self.publisher.mark(self.now);
    }

    fn note_released(&mut self, address: IpAddr, id: GrantId) {
        self.book.forget(id);
        self.journal.note(Record::Released { at: self.now, address, id });
        self.counts.released += 1;
        self.publisher.mark(self.now);
    }

    /// Whoever was not told of the grant yet, since its record is not on disk, is not told of it any more.
    pub(super) fn note_expired(&mut self, expired: Expired) {
        let grant = (expired.address, expired.id);
        self.note_released(expired.address, expired.id);
        self.events.push_back(Event::Expired(expired));
        for Pending { call, stake, .. } in self.answers.take_grant(grant) {
            if let Stake::Grants(grants) = stake {
                self.take_back_all(grants);
            }
            let problem = "no record was on disk within the time for the claim".into();
            self.refuse(call, Refused::NotDurable { problem });
        }
    }

    /// Takes an address back, if it is still held by this grant.
    pub(super) fn take_back(&mut self, (address, id): (IpAddr, GrantId)) {
        if let Ok(owner) = self.book.ledger.release(address, By::Grant(id), self.now) {
            self.note_released(address, id);
            self.events.push_back(Event::Released { address, owner });
            self.promise_with_its_cidr(address);
        }
    }

    /// What was used of a CIDR that is given back otherwise is given back with it.
    fn promise_with_its_cidr(&mut self, address: IpAddr) {
        let ledger = &mut self.book.ledger;
        if self.settings.contract == Contract::PerIp
            || ledger.tally(Family::of(address)).promised == 0
        {
            return;
        }
        let is_given_back =
            ledger.cidrs().any(|usage| usage.promised > 0 && usage.listed.cidr.contains(&address));
        if is_given_back && ledger.promise(address).is_ok() {
            self.note_promises(&[address.into()], false);
        }
    }

    pub(super) fn take_back_all(&mut self, grants: Vec<(IpAddr, GrantId)>) {
        for grant in grants {
            self.take_back(grant);
        }
    }

    /// Takes back all that an interface holds.
    pub(super) fn release_attachment(&mut self, attachment: &Attachment) {
        let Some(attached) = self.book.attachments.get(attachment) else { return };
        self.take_back_all(attached.addresses.clone());
    }

    pub(super) fn leases_of(&self, attachment: &Arc<Attachment>) -> Result<Vec<Lease>, Refused> {
        let attached = self.book.attachments.get(attachment);
        attached.map_or(Ok(Vec::new()), |attached| self.leases(&attached.addresses))
    }

    /// What to know of addresses that are held.
    pub(super) fn leases(&self, grants: &[(IpAddr, GrantId)]) -> Result<Vec<Lease>, Refused> {
        let leases = grants.iter().map(|&(address, id)| {
            let held = self.book.ledger.holding(address)?;
            let eni = self.book.enis.get(held.eni)?.clone();
            Some(Lease { address, id, claim: held.claim, cidr: held.cidr, eni })
        });
        let missing = "what to know of an interface";
        leases.collect::<Option<_>>().ok_or(Refused::NotReady { missing })
    }
}

//! What an agent must know after a restart, as it works with it: the same for the machine and for the replay of its records.

use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::attachment::Attachment;
use super::lease::EniFacts;
use super::record::{Attached, Ground, State};
use super::start::StateError;
use crate::ids::{EniId, InstanceId, PodKey};
use crate::pool::{GrantId, Ledger, LedgerSettings, Owner};
use crate::time::Tick;

/// A [`State`] that can be worked with.
#[derive(Debug, Clone)]
pub(super) struct Book {
    pub(super) instance: Option<InstanceId>,
    pub(super) boot: String,
    pub(super) ledger: Ledger,
    pub(super) attachments: BTreeMap<Arc<Attachment>, Attached>,
    /// The interface of each grant that is one's.
    holders: BTreeMap<GrantId, Arc<Attachment>>,
    /// What is held only because it was found to be in use.
    pub(super) found: BTreeMap<GrantId, IpAddr>,
    /// What was found to be in use and is in no CIDR so far.
    pub(super) unlisted: BTreeMap<IpAddr, Option<PodKey>>,
    pub(super) enis: BTreeMap<EniId, Arc<EniFacts>>,
    pub(super) listed_by_word: bool,
}

impl Book {
    /// One without addresses.
    pub(super) fn new(
        instance: Option<InstanceId>,
        boot: String,
        settings: LedgerSettings,
    ) -> Self {
        Self {
            instance,
            boot,
            ledger: Ledger::new(settings),
            attachments: BTreeMap::new(),
            holders: BTreeMap::new(),
            found: BTreeMap::new(),
            unlisted: BTreeMap::new(),
            enis: BTreeMap::new(),
            listed_by_word: false,
        }
    }

    /// The one that a state was made of. It is believed only as far as it makes sense.
    pub(super) fn restore(
        state: State,
        settings: LedgerSettings,
        now: Tick,
    ) -> Result<Self, StateError> {
        let mut book = Self {
            ledger: Ledger::restore(state.ledger, settings, now)?,
            enis: shared(state.enis),
            unlisted: state.unlisted.into_iter().map(|address| (address, None)).collect(),
            listed_by_word: state.listed_by_word,
            ..Self::new(state.instance, state.boot, settings)
        };
        for (attachment, attached) in state.attachments {
            book.restore_attached(attachment, attached)?;
        }
        book.restore_found(&state.found)?;
        let unknown = book.ledger.cidrs().find(|cidr| !book.enis.contains_key(&cidr.listed.eni));
        match unknown {
            Some(cidr) => Err(StateError::NoFacts { eni: cidr.listed.eni }),
            None => Ok(book),
        }
    }

    fn restore_attached(
        &mut self,
        attachment: Attachment,
        attached: Attached,
    ) -> Result<(), StateError> {
        let attachment = Arc::new(attachment);
        for &(address, id) in &attached.addresses {
            let holding = self.ledger.holding(address).filter(|held| {
                held.id == id && matches!(held.owner, Owner::Pod(pod) if *pod == attached.pod)
            });
            let taken = self.holders.insert(id, Arc::clone(&attachment));
            if holding.is_none() || taken.is_some() {
                let attachment = Attachment::clone(&attachment);
                return Err(StateError::NotHeld { attachment, address, id });
            }
        }
        self.attachments.insert(attachment, attached);
        Ok(())
    }

    fn restore_found(&mut self, found: &BTreeSet<GrantId>) -> Result<(), StateError> {
        let held = self.ledger.holdings().filter(|held| found.contains(&held.id));
        self.found = held.map(|held| (held.id, held.address)).collect();
        let lost = |id: &&GrantId| !self.found.contains_key(id) || self.holders.contains_key(id);
        match found.iter().find(lost) {
            Some(id) => Err(StateError::NotFound { id: *id }),
            None => Ok(()),
        }
    }

    pub(super) fn state(&self) -> State {
        let attachments = self.attachments.iter();
        State {
            instance: self.instance.clone(),
            boot: self.boot.clone(),
            ledger: self.ledger.snapshot(),
            attachments: attachments
                .map(|(attachment, attached)| (Attachment::clone(attachment), attached.clone()))
                .collect(),
            found: self.found.keys().copied().collect(),
            unlisted: self.unlisted.keys().copied().collect(),
            enis: self
                .enis
                .iter()
                .map(|(id, facts)| (id.clone(), EniFacts::clone(facts)))
                .collect(),
            listed_by_word: self.listed_by_word,
        }
    }

    /// Notes on what ground a grant was made. False when the interface is another pod's.
    pub(super) fn enter(
        &mut self,
        address: IpAddr,
        id: GrantId,
        owner: &Owner,
        ground: &Ground,
    ) -> bool {
        match (ground, owner) {
            (Ground::Caller, _) => {}
            (Ground::Found, _) => {
                self.found.insert(id, address);
            }
            (Ground::Attachment { attachment, uid }, Owner::Pod(pod)) => {
                self.attach(attachment, pod, uid.as_ref(), (address, id));
            }
            (Ground::Attachment { .. }, _) => return false,
        }
        true
    }

    /// Notes what an interface holds.
    pub(super) fn attach(
        &mut self,
        attachment: &Arc<Attachment>,
        pod: &PodKey,
        uid: Option<&String>,
        grant: (IpAddr, GrantId),
    ) {
        self.holders.insert(grant.1, Arc::clone(attachment));
        let attached = self.attachments.entry(Arc::clone(attachment)).or_insert_with(|| Attached {
            pod: pod.clone(),
            uid: uid.cloned(),
            addresses: Vec::with_capacity(2),
        });
        attached.addresses.push(grant);
    }

    /// Forgets on what ground a grant was made: it is none any more.
    pub(super) fn forget(&mut self, id: GrantId) {
        self.found.remove(&id);
        let Some(attachment) = self.holders.remove(&id) else { return };
        let Entry::Occupied(mut attached) = self.attachments.entry(attachment) else { return };
        attached.get_mut().addresses.retain(|(_, held)| *held != id);
        if attached.get().addresses.is_empty() {
            attached.remove();
        }
    }

    /// The interface that holds something by a grant.
    pub(super) fn holder(&self, id: GrantId) -> Option<&Attachment> {
        self.holders.get(&id).map(AsRef::as_ref)
    }
}

/// Facts that the leases of an interface have in common.
pub(super) fn shared(
    facts: impl IntoIterator<Item = (EniId, EniFacts)>,
) -> BTreeMap<EniId, Arc<EniFacts>> {
    facts.into_iter().map(|(id, facts)| (id, Arc::new(facts))).collect()
}

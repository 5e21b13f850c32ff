//! With what an agent begins.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::Agent;
use super::attachment::Attachment;
use super::book::Book;
use super::call::Refused;
use super::event::Event;
use super::record::State;
use crate::ids::{EniId, InstanceId};
use crate::pool::{GrantId, Owner, RestoreError};

/// With what an agent begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// What was on disk.
    pub state: Option<State>,
    /// Whether that is all there was. When records were lost, no address is handed out until [`super::Agent::on_found`] has
    /// said which ones are in use.
    pub trusted: bool,
    /// The instance, if it is known already; otherwise [`super::Agent::on_instance`] says it.
    pub instance: Option<InstanceId>,
    /// What tells this boot of the machine from all others.
    pub boot: String,
}

/// Why a state is not one of an agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Its ledger is not one.
    #[error(transparent)]
    Ledger(#[from] RestoreError),
    /// An interface holds what the ledger does not know as used by this grant and pod, or what another one holds.
    #[error("{attachment} does not hold {address} by grant {id}")]
    NotHeld {
        /// Which interface.
        attachment: Attachment,
        /// What it was to hold.
        address: IpAddr,
        /// By which grant.
        id: GrantId,
    },
    /// Nothing is known of the interface of a CIDR.
    #[error("nothing is known of {eni}, which has addresses")]
    NoFacts {
        /// Which.
        eni: EniId,
    },
    /// A grant that was found in use is none, or an interface's.
    #[error("grant {id} is not one of an address that was found in use")]
    NotFound {
        /// Which.
        id: GrantId,
    },
}

impl Agent {
    /// Goes on with what was on disk, as far as it is about this instance and this boot.
    pub(super) fn go_on_with(&mut self, found: Book, instance: Option<InstanceId>, boot: String) {
        if found.instance.is_some() && instance.is_some() && found.instance != instance {
            return self.note_clean("another instance", found.attachments.len());
        }
        self.book = found;
        if self.book.boot != boot {
            self.doubtful = instance.is_none();
            self.book.boot = boot;
            self.release_pods();
        }
        self.book.instance = instance.or(self.book.instance.take());
    }

    /// No sandbox outlives a boot: what pods and unknown users hold is given back. The node's own roles keep theirs.
    fn release_pods(&mut self) {
        let attachments = self.book.attachments.len();
        let is_role = |owner: &Owner| !matches!(owner, Owner::Pod(_) | Owner::Unknown);
        let held = self.book.ledger.holdings().filter(|held| !is_role(held.owner));
        for grant in held.map(|held| (held.address, held.id)).collect::<Vec<_>>() {
            self.take_back(grant);
        }
        self.book.unlisted.clear();
        self.note_clean("another boot", attachments);
    }

    fn note_clean(&mut self, because: &'static str, attachments: usize) {
        self.events.push_back(Event::StartedClean { because, attachments });
    }

    /// Which instance this is. When it is another one than that of the state, nothing of the state means anything.
    pub(super) fn learn_instance(&mut self, instance: InstanceId) {
        if self.book.instance.as_ref().is_some_and(|known| *known != instance) {
            self.refuse_held(&Refused::NotReady { missing: "the id of the instance" });
            self.note_clean("another instance", self.book.attachments.len());
            let boot = self.book.boot.clone();
            self.book = Book::new(None, boot, self.settings.ledger);
            self.forget_sight();
        }
        if self.doubtful || self.book.instance.is_none() {
            self.doubtful = false;
            self.book.instance = Some(instance);
            self.journal.note_whole();
            self.list();
        }
    }
}

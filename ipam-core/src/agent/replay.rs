//! From records to the state that they were made of.

use core::net::IpAddr;

use super::attachment::Attachment;
use super::book::Book;
use super::record::{Ground, Record, State};
use super::start::StateError;
use crate::pool::{By, Claim, GrantId, LedgerSettings, Owner, Refusal};

/// Makes a state out of records.
#[derive(Debug, Clone)]
pub struct Replay {
    book: Book,
    settings: LedgerSettings,
}

/// Why a record is not the next one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The whole state is not one.
    #[error(transparent)]
    State(#[from] StateError),
    /// The ledger cannot have done this.
    #[error(transparent)]
    Ledger(#[from] Refusal),
    /// The ledger gives another grant.
    #[error("{address} is granted by {given}, the record says {recorded}")]
    AnotherGrant {
        /// Of which address.
        address: IpAddr,
        /// What the ledger gives.
        given: GrantId,
        /// What the record says.
        recorded: GrantId,
    },
    /// The interface is another pod's, or the owner is no pod.
    #[error("{attachment} does not belong to {owner}")]
    AnotherPod {
        /// Which interface.
        attachment: Attachment,
        /// For whom the address was to be.
        owner: Owner,
    },
}

impl Replay {
    /// Begins with a whole state: that of the first record. The settings are those of the agent that goes on with it.
    ///
    /// # Errors
    /// [`StateError`] when it is not one.
    pub fn new(state: State, settings: LedgerSettings) -> Result<Self, StateError> {
        let at = state.ledger.at;
        Ok(Self { book: Book::restore(state, settings, at)?, settings })
    }

    /// Applies the next record.
    ///
    /// # Errors
    /// [`ReplayError`] when it cannot be the next one. It has changed nothing then.
    pub fn apply(&mut self, record: &Record) -> Result<(), ReplayError> {
        match record {
            Record::Whole(state) => *self = Self::new(state.clone(), self.settings)?,
            Record::Granted { .. } => self.grant(record)?,
            Record::Released { at, address, id } => {
                self.book.ledger.release(*address, By::Grant(*id), *at)?;
                self.book.forget(*id);
            }
            Record::Claimed { address, id } => self.book.ledger.claim(*address, *id)?,
        }
        Ok(())
    }

    fn grant(&mut self, record: &Record) -> Result<(), ReplayError> {
        let Record::Granted { at, address, id, owner, unclaimed, ground } = record else {
            return Ok(());
        };
        let (address, recorded) = (*address, *id);
        let given = self.book.ledger.next_grant();
        if given != recorded {
            return Err(ReplayError::AnotherGrant { address, given, recorded });
        }
        self.check_pod(owner, ground)?;
        let claim = if *unclaimed { Claim::Expected } else { Claim::NotNeeded };
        let granted = self.book.ledger.allocate_exact(address, owner.clone(), claim, *at)?;
        if granted.id != recorded {
            return Err(ReplayError::AnotherGrant { address, given: granted.id, recorded });
        }
        self.book.enter(address, recorded, owner, ground);
        Ok(())
    }

    fn check_pod(&self, owner: &Owner, ground: &Ground) -> Result<(), ReplayError> {
        let Ground::Attachment { attachment, .. } = ground else { return Ok(()) };
        let fits = match (owner, self.book.attachments.get(attachment)) {
            (Owner::Pod(pod), Some(attached)) => attached.pod == *pod,
            (Owner::Pod(_), None) => true,
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(ReplayError::AnotherPod {
            attachment: Attachment::clone(attachment),
            owner: owner.clone(),
        })
    }

    /// The state after all of them.
    #[must_use]
    pub fn finish(self) -> State {
        self.book.state()
    }
}

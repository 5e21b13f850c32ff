//! The ledger on a disk: what a new process finds there.
//!
//! `agent/src/journal` has its own tests for bytes that are torn or flipped. Here a batch of records is there as a whole or not at all, as it is read back
//! there, and one that was not confirmed may be there all the same.

use ipam_core::agent::{Record, Replay, State};
use ipam_core::pool::LedgerSettings;

/// What the disk has.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    replay: Option<Replay>,
    /// Whether that is all there was.
    trusted: bool,
    /// Whether anything was ever written here.
    is_used: bool,
}

impl Disk {
    /// Writes a batch.
    ///
    /// # Errors
    /// The records do not follow from what is there: the agent's own mistake.
    pub(crate) fn write(
        &mut self,
        records: &[Record],
        trusted: bool,
        settings: LedgerSettings,
    ) -> Result<(), String> {
        for record in records {
            match (&mut self.replay, record) {
                (_, Record::Whole(state)) => {
                    let replay = Replay::new(state.clone(), settings);
                    self.replay = Some(replay.map_err(|problem| problem.to_string())?);
                    self.trusted = trusted;
                }
                (Some(replay), record) => {
                    replay.apply(record).map_err(|problem| problem.to_string())?;
                }
                (None, record) => return Err(format!("the first record is {record:?}")),
            }
        }
        self.is_used = true;
        Ok(())
    }

    /// The ledger cannot be read any more.
    pub(crate) fn lose(&mut self) {
        self.replay = None;
        self.trusted = false;
    }

    /// What a new process finds: the state, and whether that is all there was.
    pub(crate) fn read(&self) -> (Option<State>, bool) {
        let state = self.replay.clone().map(Replay::finish);
        (state, self.trusted || !self.is_used)
    }
}

//! The ledger on disk.
//!
//! A file of lines: a header, the whole state, then what changed since ([`decode()`] reads it). What changes is appended, durable before it is
//! answered; when there is no room any more, or when something went wrong, the file is written anew beside the old one and takes its place.
//!
//! * **Room is made beforehand**, filled with zeros, so that an append changes nothing but data: the disk has one thing to write instead of the
//!   journal of the file system too, and a full disk is noticed before its last record.
//! * **After a failed write nothing is appended.** What the failed one left behind is cut off, and the next write is a new file: a record that
//!   is half there would hide all that come after it, and after a failed sync nobody knows what is on the disk.
//! * **Damage is kept.** What cannot be read stays aside, under `ledger.damaged-1` to `-3`, the latest first.

mod decode;
mod frame;
pub mod storage;
mod wire;

use std::io;

use ipam_core::agent::{Record, State};
use ipam_core::pool::LedgerSettings;
use rustix::io::Errno;

pub use self::decode::{Damage, Recovered, decode};
use self::frame::Batch;
pub use self::frame::LineProblem;
use self::storage::{Storage, StoredFile};
pub use self::wire::WireError;

/// The file.
const LEDGER: &str = "ledger";
/// The file that is to take its place.
const NEW: &str = "ledger.new";
/// Where damaged ones are kept, the latest first.
const DAMAGED: [&str; 3] = ["ledger.damaged-1", "ledger.damaged-2", "ledger.damaged-3"];
/// Room for changes, in bytes: some 3,500 of them ...
const ROOM_LEAST: usize = 1 << 20;
/// ... or so many times the whole state, so that writing it anew stays the smaller part of what is written.
const ROOM_TIMES: usize = 4;
const ZEROS: [u8; 1 << 14] = [0; 1 << 14];

/// Why a ledger was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It may be whole: who reads it is not permitted to, say. It is left as it is.
    #[error("the ledger cannot be read, and may be whole: see to it, or move it away")]
    Unread(#[source] io::Error),
    /// Its format is of a later version. It is left as it is.
    #[error("{0}: use that version, or move the ledger away")]
    Newer(Damage),
}

/// Why something could not be made durable.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk says so.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the disk says.
        #[source]
        source: io::Error,
    },
    /// It cannot be written as JSON.
    #[error("a record cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

fn while_doing(doing: &'static str) -> impl FnOnce(io::Error) -> WriteError {
    move |source| WriteError::Io { doing, source }
}

/// How a write was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Behind what was there.
    Appended,
    /// As a new file.
    Anew,
}

/// The ledger on disk, written to by one process.
#[derive(Debug)]
pub struct Journal<S: Storage> {
    storage: S,
    /// None: the next write is a new file.
    file: Option<S::File>,
    /// Up to where it is written.
    length: usize,
    /// From where on it has changes.
    whole: usize,
    /// Up to where there is room.
    end: usize,
    trusted: bool,
    buffer: Vec<u8>,
}

impl<S: Storage> Journal<S> {
    /// Reads what is there, with the times that the ledger goes on with. The first write is a new file.
    ///
    /// # Errors
    /// [`OpenError`]: it must not be used. Damage is no error, nor is a disk that does not give it.
    pub fn open(mut storage: S, settings: LedgerSettings) -> Result<(Self, Recovered), OpenError> {
        // If it stays it is in nobody's way.
        let _ = storage.remove(NEW);
        let recovered = match storage.read(LEDGER) {
            Ok(None) => Recovered { state: None, trusted: true, damage: None },
            Ok(Some(bytes)) => decode(&bytes, settings),
            Err(error) if !is_lost(&error) => return Err(OpenError::Unread(error)),
            Err(error) => {
                let damage = Some(Damage::Unreadable(error));
                Recovered { state: None, trusted: false, damage }
            }
        };
        match recovered.damage {
            Some(damage @ Damage::Newer { .. }) => return Err(OpenError::Newer(damage)),
            Some(ref damage) if damage.loses() => put_aside(&mut storage),
            _ => {}
        }
        let trusted = recovered.trusted;
        let (file, buffer) = (None, Vec::new());
        Ok((Self { storage, file, length: 0, whole: 0, end: 0, trusted, buffer }, recovered))
    }

    /// What it says cannot be used: it is kept aside.
    pub fn refuse(&mut self) {
        put_aside(&mut self.storage);
        self.trusted = false;
    }

    /// Whether it should be written anew when there is time for it: half of the room is used.
    #[must_use]
    pub const fn is_long(&self) -> bool {
        self.file.is_some() && self.length - self.whole > (self.end - self.whole) / 2
    }

    /// Whether changes can be appended.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// What the next new file says about whether anything can be missing from it.
    pub const fn set_trusted(&mut self, trusted: bool) {
        self.trusted = trusted;
    }

    /// Makes `records` durable. `state` is what they lead to.
    ///
    /// # Errors
    /// [`WriteError`]: they are not durable. They may be on the disk all the same, until the next write.
    pub fn append(
        &mut self,
        records: &[Record],
        state: impl FnOnce() -> State,
    ) -> Result<Way, WriteError> {
        self.buffer.clear();
        for (record, left) in records.iter().zip((0..records.len()).rev()) {
            let batch = if left == 0 { Batch::Ends } else { Batch::GoesOn };
            frame::put(&mut self.buffer, batch, |out| wire::write(record, self.trusted, out))?;
        }
        let is_whole = records.iter().any(|record| matches!(record, Record::Whole(_)));
        let fits = self.length + self.buffer.len() <= self.end;
        let Some(file) = self.file.as_mut().filter(|_| fits && !is_whole) else {
            return self.write_anew(&state()).map(|()| Way::Anew);
        };
        let written = file.write_durably(self.length as u64, &self.buffer);
        if let Err(source) = written {
            // What stays of it is a change that was refused: it is gone with the next write.
            let _ = file.cut(self.length as u64);
            self.file = None;
            return Err(WriteError::Io { doing: "appending to the ledger", source });
        }
        self.length += self.buffer.len();
        Ok(Way::Appended)
    }

    /// Writes a new file that takes the place of the old one.
    ///
    /// # Errors
    /// [`WriteError`]: while the journal [is open](Self::is_open) the old one goes on; otherwise nobody knows which of the two is there after a
    /// crash.
    pub fn write_anew(&mut self, state: &State) -> Result<(), WriteError> {
        self.buffer.clear();
        decode::write_header(&mut self.buffer)?;
        frame::put(&mut self.buffer, Batch::Ends, |out| {
            wire::write_whole(state, self.trusted, out)
        })?;
        let length = self.buffer.len();
        let end = length + ROOM_LEAST.max(ROOM_TIMES * length);
        let file = self.new_file(end).inspect_err(|_| {
            // It only takes room.
            let _ = self.storage.remove(NEW);
        })?;
        self.file = None;
        self.storage.rename(NEW, LEDGER).map_err(while_doing("renaming the ledger"))?;
        self.storage.sync().map_err(while_doing("syncing the folder of the ledger"))?;
        (self.file, self.length, self.whole, self.end) = (Some(file), length, length, end);
        self.buffer.clear();
        self.buffer.shrink_to(ZEROS.len());
        Ok(())
    }

    fn new_file(&mut self, end: usize) -> Result<S::File, WriteError> {
        let mut file = self.storage.create(NEW).map_err(while_doing("making a new ledger"))?;
        let failed = while_doing("writing a new ledger");
        file.write(0, &self.buffer).map_err(failed)?;
        let mut at = self.buffer.len();
        while at < end {
            let zeros = &ZEROS[..ZEROS.len().min(end - at)];
            file.write(at as u64, zeros).map_err(while_doing("making room for the ledger"))?;
            at += zeros.len();
        }
        file.sync().map_err(while_doing("syncing a new ledger"))?;
        Ok(file)
    }
}

/// Whether a ledger that cannot be read is damaged, and not in the way of something that passes or can be mended: its place on the disk is broken,
/// the file system is, or it is longer than any ledger.
fn is_lost(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|errno| matches!(errno, Errno::IO | Errno::UCLEAN | Errno::BADMSG))
        || error.kind() == io::ErrorKind::FileTooLarge
}

/// Keeps the ledger for whoever wants to know what happened to it. The name `ledger` stays until a new one takes it: otherwise a crash in
/// between would leave what looks like a node that was never used.
fn put_aside<S: Storage>(storage: &mut S) {
    let [first, second, third] = DAMAGED;
    // Each of them may not be there, and none is worth not to start for.
    let _ = storage.rename(second, third);
    let _ = storage.rename(first, second);
    let _ = storage.keep(LEDGER, first);
}

//! Where a ledger is kept: a folder of a file system, or whatever a test puts in its place.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};

/// A folder that nobody else writes to. Names are those of files in it.
pub trait Storage: Send + 'static {
    /// An open file.
    type File: StoredFile;

    /// What a file holds; None if there is none.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>>;
    /// Makes an empty file, in the place of one that is there.
    ///
    /// # Errors
    /// It cannot be made.
    fn create(&mut self, name: &str) -> io::Result<Self::File>;
    /// Gives a file a second name, in the place of what has it.
    ///
    /// # Errors
    /// It cannot be done. The file is as it was.
    fn keep(&mut self, name: &str, as_well: &str) -> io::Result<()>;
    /// Gives a file another name, in the place of what has it: at once, or not at all.
    ///
    /// # Errors
    /// It cannot be done.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// It cannot be removed.
    fn remove(&mut self, name: &str) -> io::Result<()>;
    /// Makes names durable.
    ///
    /// # Errors
    /// Nobody knows which names outlive a crash.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is written to.
pub trait StoredFile: Send + 'static {
    /// Writes all of `bytes` at an offset, not yet durable.
    ///
    /// # Errors
    /// Any part of them may have been written.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Writes all of `bytes` at an offset, durable.
    ///
    /// # Errors
    /// Any part of them may have been written.
    fn write_durably(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts it off.
    ///
    /// # Errors
    /// It is as it was.
    fn cut(&mut self, length: u64) -> io::Result<()>;
    /// Makes all of it durable.
    ///
    /// # Errors
    /// Nobody knows what outlives a crash.
    fn sync(&mut self) -> io::Result<()>;
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is not there and cannot be made, or not be opened.
    #[error("the folder {} cannot be used", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Somebody else could put files into it, and have other files of the machine overwritten through links.
    #[error("the folder {} can be written to by others: make it root's or the agent's own, without write permission for group and others (mode {mode:o}, owner {owner})", folder.display())]
    Open {
        /// The folder.
        folder: PathBuf,
        /// Its permissions.
        mode: u32,
        /// The user whom it belongs to.
        owner: u32,
    },
    /// Another process has it.
    #[error("the folder {} is used by another agent{}", folder.display(), process(*.pid))]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// Which process, if it left word.
        pid: Option<u32>,
    },
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// No ledger is longer; what is cannot be one.
const READ_MAX: u64 = 256 << 20;

/// The permission of group and others to write.
const OTHERS_WRITE: u32 = 0o022;

/// A folder of a file system, locked for as long as this is there.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The folder itself, to make names durable.
    names: File,
    _lock: File,
}

impl Folder {
    const LOCK: &str = "lock";

    /// Makes the folder, for its owner alone, if it is not there, and locks it.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let failed = |source| FolderError::Io { folder: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let names = File::open(path).map_err(failed)?;
        let found = names.metadata().map_err(failed)?;
        check_owner(path, found.mode(), found.uid())?;
        let mut lock = opened(&path.join(Self::LOCK), false).map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut pid = String::new();
                // Without it the message says less.
                let _ = lock.read_to_string(&mut pid);
                let pid = pid.trim().parse().ok();
                return Err(FolderError::Locked { folder: path.to_owned(), pid });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        leave_word(&mut lock);
        Ok(Self { path: path.to_owned(), names, _lock: lock })
    }
}

/// Nobody else may put files there.
fn check_owner(folder: &Path, mode: u32, owner: u32) -> Result<(), FolderError> {
    let is_own = [0, rustix::process::geteuid().as_raw()].contains(&owner);
    if is_own && mode & OTHERS_WRITE == 0 {
        return Ok(());
    }
    Err(FolderError::Open { folder: folder.to_owned(), mode: mode & 0o7777, owner })
}

/// Says who has the lock. On a full disk nobody does.
fn leave_word(lock: &mut File) {
    let word = format!("{}\n", std::process::id());
    let _ = lock.set_len(0);
    let _ = lock.seek(SeekFrom::Start(0)).and_then(|_| lock.write_all(word.as_bytes()));
}

fn opened(path: &Path, empty: bool) -> io::Result<File> {
    without_links().write(true).create(true).truncate(empty).mode(0o600).open(path)
}

/// A link is no file of the ledger, whoever put it there.
fn without_links() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

impl Storage for Folder {
    type File = File;

    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match without_links().open(self.path.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.take(READ_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > READ_MAX {
            return Err(ErrorKind::FileTooLarge.into());
        }
        Ok(Some(bytes))
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        opened(&self.path.join(name), true)
    }

    fn keep(&mut self, name: &str, as_well: &str) -> io::Result<()> {
        self.remove(as_well)?;
        fs::hard_link(self.path.join(name), self.path.join(as_well))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.names.sync_all()
    }
}

impl StoredFile for File {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    /// One call instead of a write and a sync, so that a disk that can write through its cache need not flush all of it.
    fn write_durably(&mut self, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match pwritev2(&*self, &[IoSlice::new(bytes)], offset, ReadWriteFlags::DSYNC) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    offset += written as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                    self.write_all_at(bytes, offset)?;
                    return self.sync_data();
                }
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

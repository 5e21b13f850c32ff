//! DELs on disk, for an agent that is away: the plugin writes them, the agent carries them out when it starts.
//!
//! A folder with one file for each attachment, named by a digest of its key, so that a DEL that comes twice is there once. Both
//! sides lock the file `lock` in it: the plugin shared while it looks whether somebody listens and then writes, the agent
//! exclusively while it drains. An agent that binds its socket first, then drains, then serves misses none.

mod digest;
mod error;

pub use error::QueueError;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::protocol::{Attachment, DEL, DelRequest, Request};

/// Files in a queue at most; a node has 110 pods, 250 at most in practice.
pub const ENTRIES_MAX: usize = 4096;
/// Bytes of a queued DEL at most: three texts of 256 bytes, escaped.
const ENTRY_MAX: u64 = 16 << 10;
/// What the name of a queued DEL ends with.
const SUFFIX: &str = ".delete";
/// What the name of one that could not be read is given.
const ASIDE: &str = ".unreadable";
/// What the name of a file ends with that is being written.
const TEMPORARY: &str = ".tmp";
/// How long a lock is waited for until it is tried again.
const LOCK_PAUSE: Duration = Duration::from_millis(5);
/// How long the agent waits for plugins that are about to write. Each holds the lock for as long as one DEL takes at the very most.
const DRAIN_PATIENCE: Duration = Duration::from_secs(30);

/// A folder of queued DELs.
#[derive(Debug, Clone)]
pub struct Queue {
    folder: PathBuf,
}

/// What came of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drained {
    /// DELs carried out and removed.
    pub done: usize,
    /// Why others stay in the queue, one line each.
    pub kept: Vec<String>,
    /// Files that are no DELs, one line each. They are put aside under a name that ends with `.unreadable`.
    pub unreadable: Vec<String>,
}

/// Whether a DEL is queued, said by who looked for the agent under the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// The DEL is on disk.
    Written,
    /// The agent is there, and it is not.
    NotNeeded,
}

/// The lock of a queue, until it is dropped.
struct Lock {
    _file: File,
}

impl Queue {
    /// The queue in a folder, which need not exist.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Writes a DEL unless `attempt`, made under the lock, says that the agent is there. The folder is made where there is none, for its
    /// owner alone. Durable when it returns.
    ///
    /// # Errors
    /// `attempt`'s own; the queue is full, is locked until `deadline`, or cannot be written.
    pub fn enqueue<E: From<QueueError>>(
        &self,
        request: &DelRequest,
        deadline: Instant,
        attempt: impl FnOnce() -> Result<Enqueued, E>,
    ) -> Result<Enqueued, E> {
        self.create()?;
        let _lock = self.lock(FlockOperation::NonBlockingLockShared, deadline)?;
        if attempt()? == Enqueued::NotNeeded {
            return Ok(Enqueued::NotNeeded);
        }
        self.write(request)?;
        Ok(Enqueued::Written)
    }

    /// Carries out all queued DELs: each that `delete` succeeds with is removed, each other stays for the next time. Nobody
    /// queues another meanwhile. No folder is an empty queue.
    ///
    /// # Errors
    /// The folder cannot be read or locked.
    pub fn drain(
        &self,
        mut delete: impl FnMut(DelRequest) -> Result<(), String>,
    ) -> Result<Drained, QueueError> {
        let mut drained = Drained::default();
        if !self.exists()? {
            return Ok(drained);
        }
        let deadline = Instant::now() + DRAIN_PATIENCE;
        let _lock = self.lock(FlockOperation::NonBlockingLockExclusive, deadline)?;
        let mut names = self.names()?;
        names.sort_unstable();
        for name in names {
            if name.ends_with(TEMPORARY) {
                // Its plugin ended before it was whole, and so without success: the runtime says DEL again.
                self.remove(&name)?;
            } else if name.ends_with(SUFFIX) {
                self.drain_one(&name, &mut delete, &mut drained)?;
            }
        }
        Ok(drained)
    }

    fn drain_one(
        &self,
        name: &str,
        delete: &mut impl FnMut(DelRequest) -> Result<(), String>,
        drained: &mut Drained,
    ) -> Result<(), QueueError> {
        match self.read(name) {
            Ok(request) => match delete(request) {
                Ok(()) => {
                    drained.done += 1;
                    self.remove(name)
                }
                Err(why) => {
                    drained.kept.push(format!("{name}: {why}"));
                    Ok(())
                }
            },
            Err(why) => {
                drained.unreadable.push(format!("{name}: {why}"));
                let (from, to) =
                    (self.folder.join(name), self.folder.join(format!("{name}{ASIDE}")));
                fs::rename(&from, to).map_err(QueueError::at("put aside", &from))
            }
        }
    }

    fn exists(&self) -> Result<bool, QueueError> {
        self.folder.try_exists().map_err(QueueError::at("look at", &self.folder))
    }

    fn create(&self) -> Result<(), QueueError> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&self.folder);
        made.map_err(QueueError::at("make", &self.folder))
    }

    fn lock(&self, how: FlockOperation, deadline: Instant) -> Result<Lock, QueueError> {
        let path = self.folder.join("lock");
        let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = opened.map_err(QueueError::at("open", &path))?;
        loop {
            match flock(&file, how) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => sleep(LOCK_PAUSE),
                Err(Errno::WOULDBLOCK) => return Err(QueueError::Locked { path }),
                Err(error) => return Err(QueueError::at("lock", &path)(error.into())),
            }
        }
    }

    fn write(&self, request: &DelRequest) -> Result<(), QueueError> {
        let name = name(&request.attachment);
        let path = self.folder.join(&name);
        let names = self.names()?;
        if names.len() > ENTRIES_MAX && !names.contains(&name) {
            return Err(QueueError::Full { folder: self.folder.clone() });
        }
        let temporary = self.folder.join(format!("{}-{name}{TEMPORARY}", std::process::id()));
        let text = serde_json::to_vec(request).map_err(QueueError::Encode)?;
        let written = whole(&temporary, &text).and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        let durable = written.and_then(|()| File::open(&self.folder)?.sync_all());
        durable.map_err(QueueError::at("write", &path))
    }

    fn read(&self, name: &str) -> Result<DelRequest, String> {
        let mut text = Vec::new();
        // What is no file is not waited for, such as a pipe.
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(self.folder.join(name));
        let file = opened.map_err(|error| error.to_string())?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err("not a file".to_owned());
        }
        file.take(ENTRY_MAX).read_to_end(&mut text).map_err(|error| error.to_string())?;
        match Request::decode(DEL, &text) {
            Ok(Request::Del(request)) => Ok(request),
            Ok(_) => Err("not a DEL".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn remove(&self, name: &str) -> Result<(), QueueError> {
        let path = self.folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(QueueError::at("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// The names of all files, the lock's among them.
    fn names(&self) -> Result<Vec<String>, QueueError> {
        let failed = QueueError::at("list", &self.folder);
        let entries = fs::read_dir(&self.folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.map_err(failed)?;
        Ok(entries.iter().map(|it| it.file_name().to_string_lossy().into_owned()).collect())
    }
}

fn whole(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

fn name(attachment: &Attachment) -> String {
    let Attachment { network, container_id, interface } = attachment;
    let digest = digest::of([network, container_id, interface].map(String::as_bytes));
    format!("{digest:032x}{SUFFIX}")
}

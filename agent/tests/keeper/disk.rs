//! A disk in memory that can crash at any operation, and lose then what was not made durable.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use berth_agent::journal::storage::{Storage, StoredFile};

/// A disk. A clone is the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    /// The names that programs see.
    names: BTreeMap<String, usize>,
    /// What is not durable yet of them, in order.
    renamed: Vec<BTreeMap<String, usize>>,
    durable_names: BTreeMap<String, usize>,
    files: Vec<Content>,
    operations: usize,
    /// At this operation it stops for good.
    crash_at: Option<usize>,
    /// Whether writes fail for now, or only the syncs.
    failing: Failing,
    /// Why nothing can be read.
    unread: Option<io::ErrorKind>,
    crashed: bool,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Failing {
    #[default]
    Nothing,
    /// There is no room: half of what is to be written is.
    Full,
    /// There is no room for more: what is there already can be written over.
    Grown,
    /// What was written may be on the disk or not.
    Syncs,
}

#[derive(Debug, Clone, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Writes since the last sync.
    pending: Vec<(usize, Vec<u8>)>,
}

impl Content {
    fn put(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
        if bytes.len() < at + part.len() {
            bytes.resize(at + part.len(), 0);
        }
        bytes[at..at + part.len()].copy_from_slice(part);
    }

    fn write(&mut self, at: usize, part: &[u8]) {
        Self::put(&mut self.live, at, part);
        self.pending.push((at, part.to_vec()));
    }

    fn sync(&mut self) {
        self.durable.clone_from(&self.live);
        self.pending.clear();
    }
}

impl Disk {
    /// One with a ledger on it.
    pub(crate) fn with_ledger(bytes: &[u8]) -> Self {
        let disk = Self::default();
        {
            let mut inside = disk.lock();
            let content =
                Content { live: bytes.to_vec(), durable: bytes.to_vec(), pending: Vec::new() };
            inside.files.push(content);
            inside.names.insert("ledger".to_owned(), 0);
            inside.durable_names.insert("ledger".to_owned(), 0);
        }
        disk
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    /// Whoever reads or writes waits until this is dropped.
    pub(crate) fn busy(&self) -> impl Drop {
        self.lock()
    }

    /// Stops for good in the middle of an operation, counted from 0.
    pub(crate) fn crash_at(&self, operation: usize) {
        self.lock().crash_at = Some(operation);
    }

    pub(crate) fn fail(&self, failing: Failing) {
        self.lock().failing = failing;
    }

    pub(crate) fn refuse_reads(&self, kind: io::ErrorKind) {
        self.lock().unread = Some(kind);
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.lock().crashed
    }

    pub(crate) fn operations(&self) -> usize {
        self.lock().operations
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.lock().names.keys().cloned().collect()
    }

    /// What a file holds for programs.
    pub(crate) fn content(&self, name: &str) -> Vec<u8> {
        let inside = self.lock();
        inside.files[inside.names[name]].live.clone()
    }

    /// What is there when the process was killed: all that was written.
    pub(crate) fn after_kill(&self) -> Self {
        let inside = self.lock();
        let files = inside.files.iter().map(|file| file.live.clone()).collect();
        Self::of(inside.names.clone(), files)
    }

    /// What is there when the power failed: what was made durable, and of the rest what chance wants. Names in order, the parts of files in none.
    pub(crate) fn after_power_failure(&self, random: &mut fastrand::Rng) -> Self {
        let inside = self.lock();
        let of_names = random.usize(..=inside.renamed.len());
        let names = of_names.checked_sub(1).map_or(&inside.durable_names, |at| &inside.renamed[at]);
        let mut files: Vec<Vec<u8>> =
            inside.files.iter().map(|file| file.durable.clone()).collect();
        for (bytes, file) in files.iter_mut().zip(&inside.files) {
            for (at, part) in &file.pending {
                if random.bool() {
                    let part = &part[..random.usize(..=part.len())];
                    Content::put(bytes, *at, part);
                }
            }
        }
        Self::of(names.clone(), files)
    }

    fn of(names: BTreeMap<String, usize>, files: Vec<Vec<u8>>) -> Self {
        let files = files.into_iter().map(|bytes| Content {
            live: bytes.clone(),
            durable: bytes,
            pending: Vec::new(),
        });
        let durable_names = names.clone();
        let inside = Inside { names, durable_names, files: files.collect(), ..Inside::default() };
        Self(Arc::new(Mutex::new(inside)))
    }
}

/// What an operation writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writes {
    Nothing,
    /// In the place of what is there.
    Over,
    /// Behind it.
    More,
}

/// What becomes of an operation.
enum Fate {
    Done,
    /// A part of it is done, and then it fails.
    Half,
    Fails,
}

impl Inside {
    fn next(&mut self, writes: Writes, syncs: bool) -> Fate {
        if self.crashed {
            return Fate::Fails;
        }
        self.operations += 1;
        if self.crash_at == Some(self.operations - 1) {
            self.crashed = true;
            return Fate::Half;
        }
        match self.failing {
            Failing::Full if writes != Writes::Nothing => Fate::Half,
            Failing::Grown if writes == Writes::More => Fate::Half,
            Failing::Syncs if syncs => Fate::Half,
            _ => Fate::Done,
        }
    }

    fn renames(&mut self, change: impl FnOnce(&mut BTreeMap<String, usize>)) -> io::Result<()> {
        // A change of names happens or does not: in the middle of a crash it has happened.
        let fate = self.next(Writes::Nothing, false);
        if matches!(fate, Fate::Fails) {
            return Err(error());
        }
        change(&mut self.names);
        self.renamed.push(self.names.clone());
        if matches!(fate, Fate::Half) { Err(error()) } else { Ok(()) }
    }
}

fn error() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

/// An open file of a [`Disk`].
#[derive(Debug)]
pub(crate) struct Open {
    disk: Disk,
    file: usize,
}

impl Storage for Disk {
    type File = Open;

    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let inside = self.lock();
        if let Some(kind) = inside.unread {
            return Err(kind.into());
        }
        Ok(inside.names.get(name).map(|file| inside.files[*file].live.clone()))
    }

    fn create(&mut self, name: &str) -> io::Result<Open> {
        let mut inside = self.lock();
        let file = inside.files.len();
        inside.files.push(Content::default());
        inside.renames(|names| {
            names.insert(name.to_owned(), file);
        })?;
        drop(inside);
        Ok(Open { disk: self.clone(), file })
    }

    fn keep(&mut self, name: &str, as_well: &str) -> io::Result<()> {
        self.lock().renames(|names| {
            if let Some(file) = names.get(name).copied() {
                names.insert(as_well.to_owned(), file);
            }
        })
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut inside = self.lock();
        if !inside.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        inside.renames(|names| {
            if let Some(file) = names.remove(from) {
                names.insert(to.to_owned(), file);
            }
        })
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.lock().renames(|names| {
            names.remove(name);
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inside = self.lock();
        if !matches!(inside.next(Writes::Nothing, true), Fate::Done) {
            return Err(error());
        }
        inside.durable_names = inside.names.clone();
        inside.renamed.clear();
        Ok(())
    }
}

impl Open {
    fn put(&mut self, offset: u64, bytes: &[u8], durably: bool) -> io::Result<()> {
        let mut inside = self.disk.lock();
        let at = usize::try_from(offset).unwrap();
        let grows = at + bytes.len() > inside.files[self.file].live.len();
        let fate = inside.next(if grows { Writes::More } else { Writes::Over }, durably);
        let file = &mut inside.files[self.file];
        match fate {
            Fate::Fails => return Err(error()),
            Fate::Half => {
                file.write(at, &bytes[..bytes.len() / 2]);
                return Err(error());
            }
            Fate::Done => file.write(at, bytes),
        }
        if durably {
            file.sync();
        }
        Ok(())
    }
}

impl StoredFile for Open {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.put(offset, bytes, false)
    }

    fn write_durably(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.put(offset, bytes, true)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut inside = self.disk.lock();
        if matches!(inside.next(Writes::Nothing, false), Fate::Fails) {
            return Err(error());
        }
        let length = usize::try_from(length).unwrap();
        let file = &mut inside.files[self.file];
        file.live.truncate(length);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inside = self.disk.lock();
        if !matches!(inside.next(Writes::Nothing, true), Fate::Done) {
            return Err(error());
        }
        inside.files[self.file].sync();
        Ok(())
    }
}

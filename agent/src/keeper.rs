//! The thread that owns the machine and the journal.
//!
//! Whoever wants something of the machine holds a [`Keeper`]. All calls that came while the disk was written are handed to the machine
//! together, all their records are made durable by one write, and then their answers leave.

mod observer;
mod queue;
mod work;

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use ipam_core::agent::{
    AgentSettings, Answer, Call, CallId, Event, Found, HostView, Publication, PublicationId,
    Published, Refused, ShownEni, StateError, Status, Word,
};
use ipam_core::ids::InstanceId;
use tokio::sync::{mpsc, oneshot, watch};

pub use self::observer::{CallKind, NoObserver, Observer, Write, outcome};
pub use self::queue::IN_FLIGHT_MAX;
use self::queue::Queue;
use self::work::Work;
use crate::clock::Clock;
use crate::journal::storage::{Folder, FolderError, Storage};
use crate::journal::{Journal, OpenError};

/// So many events wait to be taken; more are dropped and counted.
pub const EVENTS_MAX: usize = 4096;

/// What a keeper is made of.
pub struct KeeperOptions {
    /// How the machine behaves.
    pub settings: AgentSettings,
    /// The folder of the ledger. Made if it is not there.
    pub state_dir: PathBuf,
    /// The instance this is, if it is known.
    pub instance: Option<InstanceId>,
    /// Which boot of the machine this is.
    pub boot: String,
    /// The time.
    pub clock: Clock,
    /// Who counts; [`NoObserver`] for nobody.
    pub observer: Arc<dyn Observer>,
}

/// What comes out of a keeper by itself.
#[derive(Debug)]
pub struct Outputs {
    /// What is to be written into the `CiliumNode`. One at a time: the next one comes after [`Keeper::on_published`].
    pub publications: mpsc::Receiver<(PublicationId, Publication)>,
    /// What happened.
    pub events: mpsc::Receiver<Event>,
}

/// Why a keeper could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The machine does not start, not even without what is on disk.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is no thread.
    #[error("no thread for the ledger")]
    Thread(#[source] std::io::Error),
}

/// The way to the keeper's thread. Clones are cheap. When the last one is dropped, the thread ends as if it had been told to.
#[derive(Debug, Clone)]
pub struct Keeper(Arc<Asking>);

/// What all clones of a [`Keeper`] have together, and the thread has not.
#[derive(Debug)]
struct Asking(Arc<Shared>);

impl Deref for Asking {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // Otherwise the folder would stay locked by a thread that nobody can reach.
        self.0.queue.stop();
    }
}

#[derive(Debug)]
struct Shared {
    queue: Queue,
    status: watch::Sender<Arc<Status>>,
    /// How many addresses have changed hands.
    changes: AtomicU64,
    /// How many had when what was written last was sent.
    published: watch::Sender<u64>,
}

impl Shared {
    fn new(status: Status) -> Self {
        let (changes, published) = (AtomicU64::new(changes(&status)), watch::Sender::new(0));
        let status = watch::Sender::new(Arc::new(status));
        Self { queue: Queue::default(), status, changes, published }
    }

    fn show(&self, status: Status) {
        self.status.send_replace(Arc::new(status));
    }
}

/// How many addresses have changed hands.
const fn changes(status: &Status) -> u64 {
    status.counts.granted.saturating_add(status.counts.released)
}

impl Keeper {
    /// Opens the ledger, restores what it knows, and starts the thread. It blocks until that is done.
    ///
    /// # Errors
    /// [`StartError`]: the folder cannot be used, another agent uses it, or its ledger is of a later format. Damage is no error: what can
    /// be recovered is.
    pub fn start(options: KeeperOptions) -> Result<(Self, Outputs, KeeperThread), StartError> {
        let folder = Folder::open(&options.state_dir)?;
        Self::start_on(folder, options)
    }

    /// Like [`Keeper::start`], with another storage than [`KeeperOptions::state_dir`].
    ///
    /// # Errors
    /// Like [`Keeper::start`].
    pub fn start_on(
        storage: impl Storage,
        options: KeeperOptions,
    ) -> Result<(Self, Outputs, KeeperThread), StartError> {
        let (journal, recovered) = Journal::open(storage, options.settings.ledger)?;
        let (publish, publications) = mpsc::channel(1);
        let (tell, events) = mpsc::channel(EVENTS_MAX);
        let mut work = Work::new(journal, recovered, options, publish, tell)?;
        let shared = Arc::new(Shared::new(work.begin()));
        let keeper = Self(Arc::new(Asking(Arc::clone(&shared))));
        let (end, ended) = oneshot::channel();
        let run = move || {
            let end_of_queue = CloseAtEnd(shared);
            work.run(&end_of_queue.0);
            drop(end_of_queue);
            // Nobody may want to know.
            let _ = end.send(());
        };
        let handle = thread::Builder::new().name("keeper".to_owned()).spawn(run);
        handle.map_err(StartError::Thread)?;
        Ok((keeper, Outputs { publications, events }, KeeperThread { ended }))
    }

    /// Asks the machine something. Dropping the future abandons the call: what it would have been granted is given back.
    pub async fn call(&self, call: Call) -> Answer {
        let (reply, answer) = oneshot::channel();
        let id = match self.0.queue.ask(call, reply) {
            Ok(id) => id,
            Err(refused) => return Answer::Refused(refused),
        };
        let mut abandon = Abandon { queue: &self.0.queue, id: Some(id) };
        let answer = answer.await;
        abandon.id = None;
        answer.unwrap_or(Answer::Refused(Refused::Stopping))
    }

    /// Which instance this is, when that was not known at the start.
    pub fn on_instance(&self, instance: InstanceId) {
        self.0.queue.put(|inbox| inbox.instance = Some(instance));
    }

    /// What the metadata of the instance shows. Replaces what was not looked at yet.
    pub fn on_metadata(&self, shown: Vec<ShownEni>) {
        self.0.queue.put(|inbox| inbox.metadata = Some(shown));
    }

    /// How the host's network is. Replaces what was not looked at yet.
    pub fn on_host(&self, host: HostView) {
        self.0.queue.put(|inbox| inbox.host = Some(host));
    }

    /// What the `CiliumNode` says. Replaces what was not looked at yet.
    pub fn on_word(&self, word: Word) {
        self.0.queue.put(|inbox| inbox.word = Some(word));
    }

    /// The addresses in use that others know of. Replaces what was not looked at yet.
    pub fn on_found(&self, found: Vec<Found>) {
        self.0.queue.put(|inbox| inbox.found = Some(found));
    }

    /// What became of a publication.
    pub fn on_published(&self, id: PublicationId, published: Published) {
        self.0.queue.put(|inbox| inbox.published.push((id, published)));
    }

    /// How it stands: renewed after each change, at most every 100 ms, and each second.
    #[must_use]
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.0.status.borrow())
    }

    /// Follows [`Keeper::status`].
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Status>> {
        self.0.status.subscribe()
    }

    /// How many addresses have changed hands since the start: what an answer says has, is counted before it leaves.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// How many of [`Keeper::changes`] the publication shows at least that was written last: those from before it was sent.
    #[must_use]
    pub fn published(&self) -> watch::Receiver<u64> {
        self.0.published.subscribe()
    }

    /// Lets the thread end: what is in flight is refused, the ledger written anew.
    pub fn stop(&self) {
        self.0.queue.stop();
    }
}

/// Says that nobody waits for an answer any more, unless it has come.
struct Abandon<'a> {
    queue: &'a Queue,
    id: Option<CallId>,
}

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.queue.put(|inbox| inbox.abandoned.push(id));
        }
    }
}

/// However the thread ends, nobody waits for it.
struct CloseAtEnd(Arc<Shared>);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        self.0.queue.close();
    }
}

/// The keeper's thread, to wait for its end.
#[derive(Debug)]
pub struct KeeperThread {
    ended: oneshot::Receiver<()>,
}

/// The keeper's thread ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the thread of the ledger ended by an error of its own")]
pub struct Panicked;

impl KeeperThread {
    /// Waits until the thread has ended.
    ///
    /// # Errors
    /// [`Panicked`]: it ended without having been stopped. The process should end too: nothing is answered any more.
    pub async fn ended(self) -> Result<(), Panicked> {
        self.ended.await.map_err(|_| Panicked)
    }
}

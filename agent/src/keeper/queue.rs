//! What waits for the keeper's thread. All that came is taken at once, and the thread is woken only when it sleeps.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipam_core::agent::{
    Answer, Call, CallId, Found, HostView, PublicationId, Published, Refused, ShownEni, Word,
};
use ipam_core::ids::InstanceId;
use tokio::sync::oneshot;

/// So many calls may be in flight. It bounds a batch too.
pub const IN_FLIGHT_MAX: usize = 4096;

/// A call that was not handed to the machine yet.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: CallId,
    pub(super) call: Call,
    pub(super) reply: oneshot::Sender<Answer>,
    pub(super) began: Instant,
}

/// All that came since the thread looked last. Of what replaces the one before, the latest.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) instance: Option<InstanceId>,
    pub(super) metadata: Option<Vec<ShownEni>>,
    pub(super) host: Option<HostView>,
    pub(super) word: Option<Word>,
    pub(super) found: Option<Vec<Found>>,
    pub(super) published: Vec<(PublicationId, Published)>,
    pub(super) calls: Vec<Asked>,
    pub(super) abandoned: Vec<CallId>,
}

impl Inbox {
    fn is_empty(&self) -> bool {
        let Self { instance, metadata, host, word, found, published, calls, abandoned } = self;
        instance.is_none()
            && metadata.is_none()
            && host.is_none()
            && word.is_none()
            && found.is_none()
            && published.is_empty()
            && calls.is_empty()
            && abandoned.is_empty()
    }
}

#[derive(Debug, Default)]
struct Inside {
    inbox: Inbox,
    last_id: u64,
    /// Calls that the thread has taken.
    waiting: usize,
    sleeps: bool,
    stopping: bool,
}

/// The way to the keeper's thread.
#[derive(Debug, Default)]
pub(super) struct Queue {
    inside: Mutex<Inside>,
    wake: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Nothing in here can be half done: every change is one step.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something in, and wakes the thread if it sleeps.
    pub(super) fn put(&self, change: impl FnOnce(&mut Inbox)) {
        let mut inside = self.lock();
        if inside.stopping {
            return;
        }
        change(&mut inside.inbox);
        self.wake_up(inside);
    }

    /// Puts a call in.
    pub(super) fn ask(
        &self,
        call: Call,
        reply: oneshot::Sender<Answer>,
    ) -> Result<CallId, Refused> {
        let began = Instant::now();
        let mut inside = self.lock();
        if inside.stopping {
            return Err(Refused::Stopping);
        }
        let waiting = inside.waiting + inside.inbox.calls.len();
        if waiting >= IN_FLIGHT_MAX {
            return Err(Refused::TooManyWait { waiting });
        }
        inside.last_id += 1;
        let id = CallId(inside.last_id);
        inside.inbox.calls.push(Asked { id, call, reply, began });
        self.wake_up(inside);
        Ok(id)
    }

    fn wake_up(&self, mut inside: MutexGuard<'_, Inside>) {
        let slept = mem::take(&mut inside.sleeps);
        drop(inside);
        if slept {
            self.wake.notify_one();
        }
    }

    /// Nothing is taken in from now on.
    pub(super) fn stop(&self) {
        let mut inside = self.lock();
        inside.stopping = true;
        self.wake_up(inside);
    }

    /// The thread is gone: who waits for an answer learns so by the end of its channel.
    pub(super) fn close(&self) {
        let mut inside = self.lock();
        inside.stopping = true;
        let left = mem::take(&mut inside.inbox);
        drop(inside);
        drop(left);
    }

    /// Exchanges what came for an empty `inbox`. Sleeps until something comes, for at most `patience`. So many calls are still `waiting`. False: the
    /// keeper is to stop.
    pub(super) fn take(&self, inbox: &mut Inbox, patience: Duration, waiting: usize) -> bool {
        let mut inside = self.lock();
        let idle = |inside: &mut Inside| inside.inbox.is_empty() && !inside.stopping;
        inside.waiting = waiting;
        if idle(&mut inside) && !patience.is_zero() {
            inside.sleeps = true;
            let waited = self.wake.wait_timeout_while(inside, patience, idle);
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
            inside.sleeps = false;
        }
        mem::swap(&mut inside.inbox, inbox);
        inside.waiting += inbox.calls.len();
        !inside.stopping
    }
}

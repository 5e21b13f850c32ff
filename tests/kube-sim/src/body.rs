//! Bodies of answers: pieces that are there, and watches whose events are yet to come.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::api::Watching;
use crate::service::BoxError;
use crate::sim::KubeSim;
use crate::watchers::{Delivery, Next};

/// Every how long a watch without events gets a bookmark, as a real server has it.
const BOOKMARK_EVERY: Duration = Duration::from_mins(1);

/// How long before its end a watch gets a last bookmark, as a real server has it.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

/// When a watch ends that does not say so itself. A real server takes between 30 and 60 minutes.
const TIMEOUT: Duration = Duration::from_mins(30);

/// How often a watch of a client that is cut off looks whether it still is.
const SEPARATED: Duration = Duration::from_millis(100);

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// Everything, in pieces.
    Pieces(VecDeque<Bytes>),
    /// Events.
    Watch(Box<WatchBody>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Pieces(VecDeque::new())
    }
}

impl Body {
    pub(crate) fn pieces(pieces: Vec<Bytes>) -> Self {
        Self::Pieces(pieces.into_iter().filter(|piece| !piece.is_empty()).collect())
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match self.get_mut() {
            Self::Pieces(pieces) => Poll::Ready(pieces.pop_front()),
            Self::Watch(watch) => watch.poll(context),
        };
        frame.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Pieces(pieces) if pieces.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Pieces(pieces) => {
                SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum())
            }
            Self::Watch(_) => SizeHint::default(),
        }
    }
}

/// The events of one watch.
#[derive(Debug)]
pub struct WatchBody {
    sim: KubeSim,
    client: String,
    watching: Watching,
    /// Events until the watch is cut; `None` for never.
    left: Option<u64>,
    ends: Instant,
    bookmark: Instant,
    owes_bookmark: bool,
    /// Wakes at whichever of the two comes first, or to look whether the client is still cut off.
    alarm: Pin<Box<Sleep>>,
}

impl WatchBody {
    pub(crate) fn new(sim: KubeSim, client: String, watching: Watching, left: Option<u64>) -> Self {
        let now = Instant::now();
        let ends = now + watching.timeout.unwrap_or(TIMEOUT);
        let bookmark = (now + BOOKMARK_EVERY).min(ends.checked_sub(LAST_BOOKMARK).unwrap_or(ends));
        let alarm = Box::pin(sleep_until(ends.min(bookmark)));
        Self { sim, client, watching, left, ends, bookmark, owes_bookmark: false, alarm }
    }

    /// The next event as a line; `None` when the watch is over.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(answer) = self.poll_event(context) {
                return answer;
            }
            if self.alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if self.ends <= now {
                return Poll::Ready(None);
            }
            if self.bookmark <= now {
                self.bookmark = now + BOOKMARK_EVERY;
                self.owes_bookmark = self.watching.bookmarks;
            }
            self.alarm.as_mut().reset(self.ends.min(self.bookmark));
        }
    }

    /// What the store has for the watch; `None` when that is nothing at present.
    fn poll_event(&mut self, context: &mut Context<'_>) -> Option<Poll<Option<Bytes>>> {
        let elapsed = self.sim.elapsed();
        let mut state = self.sim.lock();
        if state.faults.separates(&self.client, elapsed) {
            self.alarm = Box::pin(sleep(SEPARATED));
            return None;
        }
        if self.left == Some(0) {
            return Some(Poll::Ready(None));
        }
        match state.store.next_event(self.watching.id) {
            Next::Event(delivery) => {
                drop(state);
                self.left = self.left.map(|left| left - 1);
                Some(Poll::Ready(Some(self.line(&delivery))))
            }
            Next::End => Some(Poll::Ready(None)),
            Next::Nothing if self.owes_bookmark => {
                self.owes_bookmark = false;
                let version = state.store.version();
                drop(state);
                let bookmark = Delivery::Bookmark { version, initial_end: false };
                Some(Poll::Ready(Some(self.line(&bookmark))))
            }
            Next::Nothing => {
                if let Some(listener) = state.listeners.get_mut(&self.watching.id) {
                    listener.waker = Some(context.waker().clone());
                }
                None
            }
        }
    }

    fn line(&mut self, delivery: &Delivery) -> Bytes {
        self.watching.line(delivery, self.sim.now())
    }
}

impl Drop for WatchBody {
    fn drop(&mut self) {
        let mut state = self.sim.lock();
        state.store.close_watch(self.watching.id);
        state.listeners.remove(&self.watching.id);
    }
}

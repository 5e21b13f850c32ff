//! DEL, which is put on disk when the agent is away.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::agent::{ANSWER_WITHIN, Agent, NotDone};
use crate::client::{ClientError, is_listening};
use crate::protocol::{Attachment, DelRequest, Problem, Request};
use crate::queue::{Enqueued, Queue, QueueError};

/// How long it takes until an agent that ended while it was asked is asked again: as long as none needs to start.
const PAUSE: Duration = Duration::from_millis(20);

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        error.problem()
    }
}

impl Agent<'_> {
    /// Gives back what an interface holds, now or when the agent is there again. Agents that end while they are asked are no
    /// answer: the next one is asked, or finds the DEL on disk.
    pub(super) fn del(&self, attachment: Attachment) -> Result<(), Problem> {
        let deadline = Instant::now() + ANSWER_WITHIN;
        let request = DelRequest { attachment };
        let asked = Request::Del(request.clone());
        loop {
            match self.exchange(&asked, deadline.saturating_duration_since(Instant::now())) {
                Ok(_) => return Ok(()),
                Err(NotDone::Unheard(error @ ClientError::Away { .. })) => {
                    self.log.debug(error);
                    if self.enqueue(&request, deadline)? == Enqueued::Written {
                        return Ok(());
                    }
                }
                Err(NotDone::Unheard(error @ ClientError::Closed { .. }))
                    if Instant::now() + PAUSE < deadline =>
                {
                    self.log.debug(error);
                    sleep(PAUSE);
                }
                Err(not_done) => return Err(not_done.into()),
            }
        }
    }

    /// Queues a DEL if the agent is still away once nobody can drain the queue. An agent that listens by then is not asked
    /// here: it may wait for the queue itself.
    fn enqueue(&self, request: &DelRequest, deadline: Instant) -> Result<Enqueued, Problem> {
        let queue = Queue::new(&self.settings.queue);
        let enqueued = queue.enqueue::<Problem>(request, deadline, || {
            let there = is_listening(&self.settings.socket, deadline);
            Ok(if there { Enqueued::NotNeeded } else { Enqueued::Written })
        })?;
        if enqueued == Enqueued::Written {
            self.log.warn(format_args!("queued in {}", self.settings.queue.display()));
        }
        Ok(enqueued)
    }
}

//! Answering pods, and the end of it.

use std::time::Duration;

use berth_shell::signals::Stop;
use kube::Client;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tracing::{info, warn};

use super::host::HostDesk;
use super::node::{self, Listener};
use super::{Listening, Parts, RunError, Started, add, leftovers, report};
use crate::keeper::{Keeper, Panicked};
use crate::kubernetes::{self, NodeOptions, Tasks};
use crate::socket;

/// How long answers that are being read may take at the end, and the rest of them once the ledger is closed.
const ANSWERS: Duration = Duration::from_millis(500);
/// How long the last publication may take: a second for nothing to have changed, and the write.
const LAST_PUBLICATION: Duration = Duration::from_secs(3);
/// How long the ledger may take to be written anew.
const LEDGER: Duration = Duration::from_secs(3);

/// An agent that answers.
pub(super) struct Serving {
    keeper: Keeper,
    thread: JoinHandle<Result<(), Panicked>>,
    parts: Parts,
    sockets: Parts,
    /// Tells the sockets to take no more.
    close: watch::Sender<bool>,
    tasks: Tasks,
}

impl Started {
    /// Gives back what was queued, and answers from then on. What speaks to others does not wait for that.
    pub(super) async fn serve(self, client: Client, mut parts: Parts) -> Serving {
        let Self {
            settings,
            conf,
            tuning,
            metrics,
            imds,
            facts,
            keeper,
            outputs,
            thread,
            listening,
        } = self;
        add(&mut parts, "the reporting of events", report::report(outputs.events, metrics.clone()));
        let (tell_facts, facts) = watch::channel(facts);
        let listener = Listener::new(keeper.clone(), metrics.clone());
        let options = NodeOptions {
            name: settings.node.name.clone(),
            own: settings.node.keeps_cilium_node.then_some(tuning),
            facts,
            routes: node::ROUTES.into(),
        };
        let tasks = kubernetes::start(client.clone(), options, listener, outputs.publications);
        let metadata = node::follow_metadata(imds, keeper.clone(), conf, tell_facts, tasks.heard());
        add(&mut parts, "the following of the instance metadata", metadata);
        let host = settings.host.networking;
        let desk = HostDesk::start(keeper.clone(), metrics.clone(), host, &mut parts);
        leftovers::replay(&settings.plugins.queue_dir, &keeper, &metrics).await;
        let (sockets, close) = listening.serve(&desk);
        let untaint = node::untaint(client, settings.node, keeper.clone());
        add(&mut parts, "the removal of the taint", untaint);
        let thread = tokio::spawn(thread.ended());
        Serving { keeper, thread, parts, sockets, close, tasks }
    }
}

impl Listening {
    /// Answers what comes, until it is told not to.
    fn serve(self, desk: &HostDesk) -> (Parts, watch::Sender<bool>) {
        let Self { socket, cilium_socket, options } = self;
        let (close, closed) = watch::channel(false);
        let mut sockets = Parts::new();
        info!(path = %socket.path().display(), "serving");
        let served = socket::serve_berth(socket, desk.clone(), options, until(&closed));
        add(&mut sockets, "Berth's socket", served);
        if let Some(socket) = cilium_socket {
            info!(path = %socket.path().display(), "serving calls of Cilium's API");
            let served = socket::serve_cilium(socket, desk.clone(), options, until(&closed));
            add(&mut sockets, "the socket of Cilium's calls", served);
        }
        (sockets, close)
    }
}

/// Until the sockets are to take no more.
fn until(closed: &watch::Receiver<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut closed = closed.clone();
    async move {
        // Without a sender nobody answers any more either.
        let _closed = closed.wait_for(|closed| *closed).await;
    }
}

impl Serving {
    /// Serves until `stop`, and ends in good order.
    pub(super) async fn until(mut self, stop: &Stop) -> Result<(), RunError> {
        let broken = tokio::select! {
            () = stop.asked() => None,
            broken = self.broken() => Some(broken),
        };
        let ended = self.end(broken.is_none()).await;
        match broken {
            Some(broken) => Err(broken),
            None => ended,
        }
    }

    /// What ends by itself.
    async fn broken(&mut self) -> RunError {
        tokio::select! {
            Some(ended) = self.parts.join_next() => part_ended(ended),
            Some(ended) = self.sockets.join_next() => part_ended(ended),
            ended = self.tasks.ended() => self.task_ended(ended).await,
            ended = &mut self.thread => thread_ended(ended),
        }
    }

    /// When the thread of the ledger breaks, the writer of publications ends too, and perhaps first.
    async fn task_ended(&mut self, ended: Result<(), JoinError>) -> RunError {
        if let Err(error) = ended {
            return RunError::PartBroke(error);
        }
        match timeout(ANSWERS, &mut self.thread).await {
            Ok(ended) => thread_ended(ended),
            Err(_) => RunError::PartEnded { part: "a task that speaks to the API server" },
        }
    }

    async fn end(mut self, publish: bool) -> Result<(), RunError> {
        self.close.send_replace(true);
        let answered = async { while self.sockets.join_next().await.is_some() {} };
        let all = timeout(ANSWERS, answered).await.is_ok();
        if publish {
            self.publish_last().await;
        }
        self.keeper.stop();
        let ended = if self.thread.is_finished() { Ok(()) } else { self.ledger_ended().await };
        if !all {
            let answered = async { while self.sockets.join_next().await.is_some() {} };
            if timeout(ANSWERS, answered).await.is_err() {
                info!("clients do not read their answers: they are cut off");
            }
        }
        self.tasks.stop().await;
        self.parts.shutdown().await;
        info!("stopped");
        ended
    }

    async fn ledger_ended(&mut self) -> Result<(), RunError> {
        match timeout(LEDGER, &mut self.thread).await {
            Ok(Ok(ended)) => Ok(ended?),
            Ok(Err(error)) => Err(RunError::PartBroke(error)),
            Err(_) => {
                warn!("the ledger is not written anew in time: the next start replays its changes");
                Ok(())
            }
        }
    }

    /// Lets what changed last be written into the `CiliumNode`, if that is possible in time.
    async fn publish_last(&self) {
        if !*self.tasks.heard().borrow() {
            return;
        }
        let (changes, mut published) = (self.keeper.changes(), self.keeper.published());
        let published = published.wait_for(|published| *published >= changes);
        if timeout(LAST_PUBLICATION, published).await.is_err() {
            info!("what changed last is not in the CiliumNode: it is written at the next start");
        }
    }
}

fn thread_ended(ended: Result<Result<(), Panicked>, JoinError>) -> RunError {
    match ended {
        Ok(Ok(())) => RunError::PartEnded { part: "the thread of the ledger" },
        Ok(Err(panicked)) => RunError::Ledger(panicked),
        Err(error) => RunError::PartBroke(error),
    }
}

fn part_ended(ended: Result<&'static str, JoinError>) -> RunError {
    match ended {
        Ok(part) => RunError::PartEnded { part },
        Err(error) => RunError::PartBroke(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it is said when `work`, a part of the agent, ends.
    async fn check(work: impl Future<Output = ()> + Send + 'static, expected: &str) {
        let mut parts = Parts::new();
        add(&mut parts, "the work", work);
        let ended = part_ended(parts.join_next().await.unwrap());
        assert_eq!(ended.to_string(), expected);
    }

    #[tokio::test]
    async fn a_part_that_ends_is_named() {
        check(async {}, "the work ended by itself").await;
        check(async { panic!("by design") }, "a part of the agent broke").await;
    }
}

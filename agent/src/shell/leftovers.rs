//! What plugins could not give back while the agent was away.

use std::path::Path;
use std::time::Duration;

use berth_cni::protocol::DelRequest;
use berth_cni::queue::{Drained, Queue, QueueError};
use ipam_core::agent::{Answer, Attachment, Call};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::keeper::Keeper;
use crate::metrics::Metrics;

/// How long this may take: somewhat longer than the queue itself waits for plugins that are about to write. A disk that hangs must not keep pods
/// from addresses: those in the queue stay used, and nobody else gets them.
const PATIENCE: Duration = Duration::from_secs(40);

/// Gives back what is queued in `folder`. To be done before an ADD is answered: its address may be among them.
///
/// What is wrong with one DEL, or with the folder, is said and keeps nothing else from being done.
pub(super) async fn replay(folder: &Path, keeper: &Keeper, metrics: &Metrics) {
    let queue = Queue::new(folder.to_owned());
    let (keeper, runtime) = (keeper.clone(), Handle::current());
    let delete = move |request: DelRequest| runtime.block_on(delete(&keeper, request));
    match timeout(PATIENCE, spawn_blocking(move || queue.drain(delete))).await {
        Ok(Ok(Ok(drained))) => on_drained(&drained, metrics),
        Ok(Ok(Err(problem))) => on_failure(&problem),
        Ok(Err(problem)) => warn!(%problem, "queued DELs were not read"),
        Err(_) => warn!(
            folder = %folder.display(),
            "queued DELs take too long, perhaps the disk hangs: pods are served, and the addresses of those DELs stay used until they are done"
        ),
    }
}

async fn delete(keeper: &Keeper, request: DelRequest) -> Result<(), String> {
    let berth_cni::protocol::Attachment { network, container_id: container, interface } =
        request.attachment;
    let attachment = Attachment { network, container, interface };
    match keeper.call(Call::Del { attachment }).await {
        Answer::Granted(_) | Answer::Done => Ok(()),
        Answer::Refused(refused) => Err(refused.to_string()),
    }
}

fn on_drained(drained: &Drained, metrics: &Metrics) {
    let Drained { done, kept, unreadable } = drained;
    metrics.on_replayed("done", *done);
    metrics.on_replayed("kept", kept.len());
    metrics.on_replayed("unreadable", unreadable.len());
    if *done > 0 {
        info!(count = done, "DELs that were queued while the agent was away are done");
    }
    for problem in kept {
        warn!("a queued DEL is not done yet, and stays: {problem}");
    }
    for problem in unreadable {
        warn!("a queued DEL cannot be read: {problem}");
    }
}

fn on_failure(problem: &QueueError) {
    warn!("queued DELs cannot be read: {}", berth_shell::problem::chain(problem));
}

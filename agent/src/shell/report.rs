//! What happened, for the log and for counting.

use ipam_core::agent::{Event, Refused};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::metrics::Metrics;

/// Reports what the keeper tells, until it ends.
pub(super) async fn report(mut events: mpsc::Receiver<Event>, metrics: Metrics) {
    while let Some(event) = events.recv().await {
        metrics.on_event(&event);
        log(&event);
    }
}

/// `info` has what changes of the node, `warn` what somebody may have to do something about, `debug` each address.
fn log(event: &Event) {
    match event {
        Event::Granted { address, owner, cut_short, waited } => {
            debug!(%address, %owner, cut_short, ?waited, "handed out");
        }
        Event::Released { address, owner } => debug!(%address, %owner, "given back"),
        Event::Expired(expired) => {
            info!(address = %expired.address, owner = %expired.owner, "taken back: it was not claimed");
        }
        Event::Refused(refused) => log_refusal(refused),
        Event::Waits { waiting } => debug!(waiting, "a call waits for an address"),
        Event::Listed { added, removed, withdrawn } => {
            info!(added, removed, withdrawn, "the addresses of the node changed: CIDRs");
        }
        Event::InvalidCidr(invalid) => warn!("a CIDR is not used: {invalid}"),
        Event::WordHeard => debug!("the operator's word was heard"),
        Event::WordOfAnother { instance } => {
            warn!(%instance, "the CiliumNode is of another instance: it counts for nothing here");
        }
        Event::WordInconsistent { problem } => {
            warn!(problem, "the CiliumNode contradicts itself: what it said before still counts");
        }
        Event::Promised { cidr } => debug!(%cidr, "promised away"),
        Event::Kept { address } => {
            info!(%address, "asked back by the operator and kept: it is used");
        }
        Event::StartedClean { because, attachments } => {
            info!(because, attachments, "what the ledger held counts no more");
        }
        Event::Collected { attachment } => info!(%attachment, "given back by GC"),
        Event::Adopted { address, owner } => {
            info!(%address, %owner, "in use, and unknown to the ledger until now");
        }
        Event::HostReady { eni } => info!(%eni, "the host's network is ready for an interface"),
        Event::HostProblem { eni, carries: false, problem } => {
            // For half a second this is so with every new interface. Pods that it costs an address are warned about.
            info!(%eni, problem, "an interface carries no pods: the host's network is not ready for it");
        }
        Event::HostProblem { eni, carries: true, problem } => {
            warn!(%eni, problem, "something is wrong with the host's network for an interface, which carries pods all the same");
        }
        // Who tried has said so, with what to do.
        Event::NotDurable { problem } => debug!(problem, "the ledger cannot be written"),
    }
}

/// A node without addresses says so with every pod that it refuses.
fn log_refusal(refused: &Refused) {
    match refused {
        Refused::NoAddress { .. } | Refused::NotDurable { .. } | Refused::TooManyWait { .. } => {
            warn!("refused: {refused}");
        }
        _ => info!("refused: {refused}"),
    }
}

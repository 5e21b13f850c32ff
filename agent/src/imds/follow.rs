//! Reading the metadata again and again.

use std::time::Duration;

use ipam_core::agent::ShownEni;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use super::{Imds, ImdsError, InstanceFacts, LeftOut};
use crate::backoff::Backoff;

/// How often the interfaces are read until the operator has said what there is.
const UNHEARD: Duration = Duration::from_mins(1);

/// How often they are read then: what the operator says counts more, and is newer.
const HEARD: Duration = Duration::from_mins(5);

/// The pauses after failures, and while something is left out.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(1));

/// Who and where the instance is, however long it takes to learn.
pub async fn facts_at_last(imds: &Imds) -> InstanceFacts {
    let mut pauses = PAUSES;
    let mut said = None;
    loop {
        match imds.facts().await {
            Ok(facts) => return facts,
            Err(problem) => say(&mut said, problem),
        }
        sleep(pauses.pause()).await;
    }
}

/// Reads the interfaces for ever and hands on what there is whenever that is different: each minute, and more rarely once
/// `heard` says that the operator has spoken. What is left out is asked for sooner.
pub async fn follow(imds: Imds, tell: impl Fn(Vec<ShownEni>), heard: watch::Receiver<bool>) {
    let mut pauses = PAUSES;
    let mut said = None;
    let mut left_out: Vec<LeftOut> = Vec::new();
    let mut told = None;
    loop {
        let pause = match imds.interfaces().await {
            Ok(found) => {
                said = None;
                for new in found.left_out.iter().filter(|it| !left_out.contains(it)) {
                    info!("instance metadata: {new}");
                }
                left_out = found.left_out;
                if told.as_ref() != Some(&found.shown) {
                    tell(found.shown.clone());
                    told = Some(found.shown);
                }
                if left_out.is_empty() {
                    pauses.reset();
                    if *heard.borrow() { HEARD } else { UNHEARD }
                } else {
                    pauses.pause()
                }
            }
            Err(problem) => {
                say(&mut said, problem);
                pauses.pause()
            }
        };
        sleep(pause).await;
    }
}

/// Logs a problem unless it is the one that was said last.
fn say(said: &mut Option<ImdsError>, problem: ImdsError) {
    if said.as_ref() != Some(&problem) {
        warn!("instance metadata: {problem}");
        *said = Some(problem);
    }
}

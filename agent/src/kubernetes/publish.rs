//! Carrying publications out, one after the other.

use std::time::Duration;

use cilium_node::CiliumNode;
use ipam_core::agent::{Publication, PublicationId, Published};
use ipam_core::ids::NodeName;
use kube::{Client, Resource};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::Machine;
use super::board::{Board, Sight};
use super::publication::{Part, parts};
use super::write::{self, WriteProblem};
use crate::backoff::Backoff;
use crate::imds::InstanceFacts;

/// How long the own object is waited for before a publication counts as failed: by then there is a newer one.
const SIGHT_PATIENCE: Duration = Duration::from_secs(15);

/// How often a part is written: again only after what is there was read anew, and is different.
const ATTEMPTS: usize = 2;

/// The pauses after publications that failed.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));

/// Where publications go.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) client: Client,
    pub(super) name: NodeName,
    pub(super) board: Board,
    /// Who publishes, once that is known.
    pub(super) facts: watch::Receiver<Option<InstanceFacts>>,
}

/// Carries out publications for ever, and says what became of each.
pub(super) async fn follow(
    place: Place,
    machine: impl Machine,
    mut publications: mpsc::Receiver<(PublicationId, Publication)>,
) {
    let mut pauses = PAUSES;
    let mut said = String::new();
    while let Some((id, publication)) = publications.recv().await {
        match place.publish(&publication).await {
            Ok(()) => {
                pauses.reset();
                said.clear();
                machine.on_published(id, Published::Written);
            }
            Err(problem) => {
                if said != problem {
                    warn!("what is used cannot be published: {problem}");
                }
                said.clone_from(&problem);
                machine.on_published(id, Published::Failed { problem });
                sleep(pauses.pause()).await;
            }
        }
    }
}

impl Place {
    async fn publish(&self, publication: &Publication) -> Result<(), String> {
        let mut sights = self.board.subscribe();
        let there = sights.wait_for(|sight| matches!(sight, Sight::There(_)));
        if !matches!(timeout(SIGHT_PATIENCE, there).await, Ok(Ok(_))) {
            return Err("there is no CiliumNode, or it cannot be read".to_owned());
        }
        for part in parts(publication) {
            self.write(part).await?;
        }
        Ok(())
    }

    /// Writes what of `part` is not there yet.
    async fn write(&self, part: Part<'_>) -> Result<(), String> {
        let path = object_path(&self.name);
        let target = if part.is_status() { format!("{path}/status") } else { path.clone() };
        let mut last: Option<WriteProblem> = None;
        for _ in 0..ATTEMPTS {
            let sight = self.board.sight();
            let Some(object) = sight.object() else {
                return Err("the CiliumNode is gone".to_owned());
            };
            if let Some(other) = self.other_instance(object) {
                return Err(format!("the CiliumNode is of another instance, {other}"));
            }
            let Some(body) = part.body(object) else { return Ok(()) };
            match write::patch(&self.client, &target, &body).await {
                Ok(object) => {
                    self.board.offer(object);
                    return Ok(());
                }
                Err(problem) if problem.kind.is_stale() => last = Some(problem),
                Err(problem) => return Err(problem.to_string()),
            }
            let before = self.board.sight();
            let object = write::get(&self.client, &path).await;
            self.board.listed(&before, object.map_err(|problem| problem.to_string())?);
        }
        Err(last.map(|problem| problem.to_string()).unwrap_or_default())
    }

    /// The instance that the object is of, if it is another one: what is used here is no use of its addresses, and what its agent publishes would
    /// be overwritten.
    fn other_instance(&self, object: &Value) -> Option<String> {
        let said = object.pointer("/spec/instance-id").and_then(Value::as_str)?;
        let facts = self.facts.borrow();
        let own = facts.as_ref()?.instance.as_str();
        (!said.is_empty() && said != own).then(|| said.to_owned())
    }
}

/// The path of the object of a node.
pub(super) fn object_path(name: &NodeName) -> String {
    format!("{}/{name}", CiliumNode::url_path(&(), None))
}

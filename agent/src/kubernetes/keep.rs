//! Creating the own object, and keeping it current.

use std::time::Duration;

use cilium_node::CiliumNode;
use ipam_core::ids::NodeName;
use kube::{Client, Resource};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::info;

use super::board::{Board, Sight};
use super::own::{Decision, NodeSeen, OwnNode, Wanted, decide};
use super::publish::object_path;
use super::watching::say_once;
use super::write::{self, WriteProblem};
use crate::backoff::Backoff;
use crate::imds::InstanceFacts;

/// The pauses between writes that follow each other: whoever changes the object back, or a definition that drops a member, is
/// written against at this pace and not faster.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(5));

/// After this time without a write, the next one counts as the first.
const CALM: Duration = Duration::from_mins(10);

/// What it takes to keep the own object current.
pub(super) struct Keeper {
    pub(super) client: Client,
    pub(super) name: NodeName,
    pub(super) own: OwnNode,
    pub(super) board: Board,
}

/// The next change of what is told; none comes when nobody is there to tell any more.
async fn change<T>(told: &mut watch::Receiver<T>) {
    if told.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Keeper {
    /// Creates the object and keeps it current, for ever, as soon as the Node and the instance are known.
    pub(super) async fn follow(
        self,
        mut node: watch::Receiver<Option<NodeSeen>>,
        mut facts: watch::Receiver<Option<InstanceFacts>>,
    ) {
        let mut sights = self.board.subscribe();
        let mut pauses = PAUSES;
        let mut written: Option<Instant> = None;
        let mut said = String::new();
        loop {
            let decision = self.decision(&node, &facts);
            if decision == Decision::Nothing {
                tokio::select! {
                    () = change(&mut sights) => {}
                    () = change(&mut node) => {}
                    () = change(&mut facts) => {}
                }
                continue;
            }
            if written.is_some_and(|before| before.elapsed() >= CALM) {
                pauses.reset();
            }
            // What is to be done may be something else after the pause.
            let decision = match written {
                Some(_) => {
                    sleep(pauses.pause()).await;
                    self.decision(&node, &facts)
                }
                None => decision,
            };
            written = Some(Instant::now());
            match self.carry_out(decision).await {
                Ok(()) => said.clear(),
                Err(problem) => {
                    say_once(
                        &mut said,
                        "the CiliumNode cannot be kept current",
                        &problem.to_string(),
                    );
                    self.read_again(&problem).await;
                }
            }
        }
    }

    fn decision(
        &self,
        node: &watch::Receiver<Option<NodeSeen>>,
        facts: &watch::Receiver<Option<InstanceFacts>>,
    ) -> Decision {
        let (node, facts) = (node.borrow(), facts.borrow());
        let (Some(node), Some(facts)) = (&*node, &*facts) else { return Decision::Nothing };
        let wanted = Wanted::new(&self.name, node, facts, &self.own);
        match self.board.sight() {
            Sight::Unknown => Decision::Nothing,
            Sight::Absent => decide(None, &wanted),
            Sight::There(object) => decide(Some(&object), &wanted),
        }
    }

    async fn carry_out(&self, decision: Decision) -> Result<(), WriteProblem> {
        let path = object_path(&self.name);
        match decision {
            Decision::Nothing => {}
            Decision::Create(object) => {
                let objects = CiliumNode::url_path(&(), None);
                let object = write::create(&self.client, &objects, &object).await?;
                info!("the CiliumNode {} is created", self.name);
                self.board.offer(object);
            }
            Decision::Patch(difference) => {
                let body = write::Body::Merge(difference);
                self.board.offer(write::patch(&self.client, &path, &body).await?);
            }
            Decision::Replace { uid } => {
                write::delete(&self.client, &path, &uid).await?;
                info!("the CiliumNode {} was of another instance, and is deleted", self.name);
                let before = self.board.sight();
                self.board.listed(&before, write::get(&self.client, &path).await?);
            }
        }
        Ok(())
    }

    /// Looks at what is there, when the write was made for something else.
    async fn read_again(&self, problem: &WriteProblem) {
        if !problem.kind.is_stale() {
            return;
        }
        let before = self.board.sight();
        if let Ok(object) = write::get(&self.client, &object_path(&self.name)).await {
            self.board.listed(&before, object);
        }
    }
}

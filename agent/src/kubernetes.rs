//! What the agent has to do with the API server: its own `CiliumNode`, its Node, and the pods of that.
//!
//! Nothing of it is needed to serve a pod. Each task goes on by itself, whatever fails, ever more slowly while nothing works, and the
//! machine hears of what is seen when it is seen.
//!
//! * [`own`] decides what the own object should say, [`publication`] what is to be written of a publication. Both are functions
//!   of what was seen, and neither writes what others own.
//! * Every write is a patch that names the object by its uid and no resource version: it is never refused because somebody else
//!   was faster with something else, and it never lands in an object that took the place of the one it was made for. What
//!   another one may have changed meanwhile is tested in the patch itself.

mod board;
mod found;
mod keep;
mod node;
pub mod own;
mod pods;
pub mod publication;
mod publish;
pub mod routes;
pub mod taint;
mod watching;
mod words;
mod write;

use std::path::PathBuf;

use ipam_core::agent::{Found, Publication, PublicationId, Published, Word};
use ipam_core::ids::NodeName;
use kube::Client;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::imds::InstanceFacts;
use board::Board;
pub use own::OwnNode;
pub use write::{Kind, WriteProblem};

/// Who is told what is seen: the keeper of the machine.
pub trait Machine: Clone + Send + Sync + 'static {
    /// What the `CiliumNode` says.
    fn on_word(&self, word: Word);
    /// Addresses that are in use as far as others know.
    fn on_found(&self, found: Vec<Found>);
    /// What became of a publication.
    fn on_published(&self, id: PublicationId, published: Published);
}

/// What the tasks are to do.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// The name of the Node, and of its `CiliumNode`.
    pub name: NodeName,
    /// What the `CiliumNode` is to ask for; `None` where somebody else creates it and keeps it current.
    pub own: Option<OwnNode>,
    /// Who and where the instance is, once that is known. Nothing is created before.
    pub facts: watch::Receiver<Option<InstanceFacts>>,
    /// Where the kernel shows its routes: `/proc/net`.
    pub routes: PathBuf,
}

/// The tasks. Dropped, they end.
#[derive(Debug)]
pub struct Tasks {
    tasks: JoinSet<()>,
    heard: watch::Receiver<bool>,
}

impl Tasks {
    /// Whether the `CiliumNode` has ever been read.
    #[must_use]
    pub fn heard(&self) -> watch::Receiver<bool> {
        self.heard.clone()
    }

    /// Waits until one of them ends, which none does by itself but the writer of publications, when no more can come.
    ///
    /// # Errors
    /// It panicked.
    pub async fn ended(&mut self) -> Result<(), JoinError> {
        self.tasks.join_next().await.unwrap_or(Ok(()))
    }

    /// Ends them.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Starts everything. Needs no API server: what cannot be done yet is done when it can be.
pub fn start(
    client: Client,
    options: NodeOptions,
    machine: impl Machine,
    publications: mpsc::Receiver<(PublicationId, Publication)>,
) -> Tasks {
    let NodeOptions { name, own, facts, routes } = options;
    let board = Board::default();
    let (tell_heard, heard) = watch::channel(false);
    let (tell_node, node) = watch::channel(None);
    let mut tasks = JoinSet::new();
    tasks.spawn(watching::follow(client.clone(), name.clone(), board.clone()));
    tasks.spawn(words::tell(board.clone(), machine.clone(), tell_heard));
    tasks.spawn(node::follow(client.clone(), name.clone(), tell_node));
    tasks.spawn(found::follow(client.clone(), name.clone(), routes, node.clone(), machine.clone()));
    let place = publish::Place {
        client: client.clone(),
        name: name.clone(),
        board: board.clone(),
        facts: facts.clone(),
    };
    tasks.spawn(publish::follow(place, machine, publications));
    if let Some(own) = own {
        let keeper = keep::Keeper { client, name, own, board };
        tasks.spawn(keeper.follow(node, facts));
    }
    Tasks { tasks, heard }
}

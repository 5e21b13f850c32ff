//! What is watched, brought to the loop.

use std::pin::pin;

use futures::{Stream, StreamExt};
use ipam_core::ids::NodeName;
use ipam_core::reconcile::Rival;
use kube::Client;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::kubernetes::nodes::{self, NodeChange};
use crate::kubernetes::pods::{self, PodsChange};

/// What the watches say.
#[derive(Debug)]
pub(super) enum Input {
    /// Of nodes.
    Node(NodeChange),
    /// Of waiting pods.
    Pods(PodsChange),
    /// Of somebody else at work.
    Rival(NodeName, Rival),
}

/// As many as the loop may be behind before the watches wait for it.
pub(super) const BACKLOG: usize = 1024;

/// Watches for as long as the set is there.
pub(super) fn start(client: &Client, with_pods: bool, inputs: &mpsc::Sender<Input>) -> JoinSet<()> {
    let mut feeds = JoinSet::new();
    feeds.spawn(forward(nodes::watch(client.clone()).map(Input::Node), inputs.clone()));
    if with_pods {
        feeds.spawn(forward(pods::watch(client.clone()).map(Input::Pods), inputs.clone()));
    }
    feeds
}

async fn forward(stream: impl Stream<Item = Input> + Send, inputs: mpsc::Sender<Input>) {
    let mut stream = pin!(stream);
    while let Some(input) = stream.next().await {
        if inputs.send(input).await.is_err() {
            return;
        }
    }
}

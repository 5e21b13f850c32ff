//! The Node of this agent: what its `CiliumNode` copies of it.

use std::pin::pin;

use berth_shell::problem::chain;
use berth_shell::watching::watch;
use futures::StreamExt;
use ipam_core::ids::NodeName;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::watcher::Event;
use kube::{Api, Client, Resource};
use serde::Deserialize;
use tokio::sync::watch as channel;

use super::own::NodeSeen;
use super::watching::{named, say_once};

/// What of a Node is read.
#[derive(Debug, Clone, Resource, Deserialize)]
#[resource(inherit = Node)]
struct NodeObject {
    metadata: ObjectMeta,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Status {
    #[serde(default)]
    addresses: Option<Vec<Address>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Address {
    #[serde(rename = "type")]
    kind: String,
    address: String,
}

impl NodeObject {
    fn seen(self) -> NodeSeen {
        let addresses = self.status.addresses.into_iter().flatten();
        NodeSeen {
            uid: self.metadata.uid.unwrap_or_default(),
            labels: self.metadata.labels.unwrap_or_default(),
            addresses: addresses.map(|Address { kind, address }| (kind, address)).collect(),
        }
    }
}

/// Tells what the Node says, for ever: nothing while it is gone, because what belongs to it is collected then.
pub(super) async fn follow(
    client: Client,
    name: NodeName,
    tell: channel::Sender<Option<NodeSeen>>,
) {
    let mut events = pin!(watch(Api::<NodeObject>::all(client), Some(&named(&name))));
    let mut listed = None;
    let mut said = String::new();
    while let Some(event) = events.next().await {
        let seen = match event {
            Ok(Event::Init) => {
                listed = None;
                continue;
            }
            Ok(Event::InitApply(node)) => {
                listed = Some(node.seen());
                continue;
            }
            Ok(Event::InitDone) => listed.take(),
            Ok(Event::Apply(node)) => Some(node.seen()),
            Ok(Event::Delete(_)) => None,
            Err(error) => {
                say_once(&mut said, "the Node cannot be watched", &chain(&error));
                continue;
            }
        };
        said.clear();
        tell.send_if_modified(|told| {
            let is_new = *told != seen;
            *told = seen;
            is_new
        });
    }
}

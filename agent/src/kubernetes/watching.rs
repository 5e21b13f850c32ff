//! The watch of the own `CiliumNode`, and of no other.

use std::pin::pin;

use berth_shell::problem::chain;
use berth_shell::watching::watch;
use cilium_node::CiliumNode;
use futures::StreamExt;
use ipam_core::ids::NodeName;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::watcher::Event;
use kube::{Api, Client, Resource};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tracing::warn;

use super::board::{Board, Sight};

/// An object as it comes, which can always be decoded.
#[derive(Debug, Clone, Resource)]
#[resource(inherit = CiliumNode)]
struct OwnObject {
    metadata: ObjectMeta,
    whole: Value,
}

impl<'de> Deserialize<'de> for OwnObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let whole = Value::deserialize(deserializer)?;
        let text = |name: &str| Some(whole.get("metadata")?.get(name)?.as_str()?.to_owned());
        let metadata = ObjectMeta {
            name: text("name"),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        Ok(Self { metadata, whole })
    }
}

/// The field selector of one object.
pub(super) fn named(name: &NodeName) -> String {
    format!("metadata.name={name}")
}

/// Keeps the board current, for ever.
pub(super) async fn follow(client: Client, name: NodeName, board: Board) {
    let mut events = pin!(watch(Api::<OwnObject>::all(client), Some(&named(&name))));
    let mut listing = Listing::default();
    let mut said = String::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                said.clear();
                on(event, &board, &mut listing);
            }
            Err(error) => say_once(&mut said, "the CiliumNode cannot be watched", &chain(&error)),
        }
    }
}

/// A listing under way.
#[derive(Default)]
struct Listing {
    /// What was seen when it was asked for.
    before: Sight,
    object: Option<Value>,
}

fn on(event: Event<OwnObject>, board: &Board, listing: &mut Listing) {
    match event {
        Event::Init => *listing = Listing { before: board.sight(), object: None },
        Event::InitApply(object) => listing.object = Some(object.whole),
        Event::InitDone => board.listed(&listing.before, listing.object.take()),
        Event::Apply(object) => board.offer(object.whole),
        Event::Delete(object) => board.gone(&object.whole),
    }
}

/// Logs a problem unless it is the one that was said last.
pub(super) fn say_once(said: &mut String, what: &str, problem: &str) {
    if said != problem {
        warn!("{what}: {problem}");
        problem.clone_into(said);
    }
}

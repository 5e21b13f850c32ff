//! The watch of the `CiliumNode`s.
//!
//! Nothing of an object is kept here but its name, to tell which ones are gone when the watch was broken off.

use std::collections::HashMap;

use berth_shell::problem::chain;
use berth_shell::watching;
use futures::{Stream, StreamExt, stream};
use ipam_core::ids::NodeName;
use kube::runtime::watcher::Event;
use kube::{Api, Client};

use super::observed::NodeObject;
pub use super::observed::{Member, ObservedNode, ObservedObject};

/// What happened to a node.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeChange {
    /// It is there, as it is now. Said again for each change, and for every node after a break of the watch.
    Seen(Box<ObservedNode>),
    /// It is not there any more.
    Gone(NodeName),
    /// All nodes that exist have been said. Again after each break that needed a new listing.
    Listed,
    /// An object cannot be read. What was known of it is out of date.
    Unreadable {
        /// Which one, as far as that can be read.
        name: Option<NodeName>,
        /// What is wrong with it.
        problem: String,
    },
    /// The API server cannot be asked, or the watch broke. It goes on by itself.
    Away {
        /// Why.
        problem: String,
    },
}

/// Seconds after which a watch is asked for anew. What agents write must not go unseen for as long as it takes to give something back
/// (180 s and 20 s unless set).
const WATCH_LASTS: u32 = 60;

/// Watches all `CiliumNode`s. The stream never ends, and must be polled for the watch to go on.
pub fn watch(client: Client) -> impl Stream<Item = NodeChange> + Send + 'static {
    let mut known = Known::default();
    let events = watching::watch_anew_after(Api::<NodeObject>::all(client), WATCH_LASTS);
    events.flat_map(move |event| {
        stream::iter(match event {
            Ok(event) => known.on(event),
            Err(error) => vec![NodeChange::Away { problem: chain(&error) }],
        })
    })
}

/// The names that were said, each with the listing in which it was there last.
#[derive(Default)]
struct Known {
    names: HashMap<NodeName, u32>,
    listing: u32,
}

impl Known {
    fn on(&mut self, event: Event<NodeObject>) -> Vec<NodeChange> {
        match event {
            Event::Init => {
                self.listing = self.listing.wrapping_add(1);
                vec![]
            }
            Event::InitApply(object) | Event::Apply(object) => vec![self.seen(object)],
            Event::Delete(object) => {
                let name = object.name();
                name.map(|name| self.gone(name)).into_iter().collect()
            }
            Event::InitDone => {
                let gone = self.names.extract_if(|_, listing| *listing != self.listing);
                let gone = gone.map(|(name, _)| NodeChange::Gone(name));
                gone.collect::<Vec<_>>().into_iter().chain([NodeChange::Listed]).collect()
            }
        }
    }

    fn seen(&mut self, object: NodeObject) -> NodeChange {
        let name = object.name();
        if let Some(name) = &name {
            self.names.insert(name.clone(), self.listing);
        }
        match object.content {
            Ok(node) => NodeChange::Seen(node),
            Err(problem) => NodeChange::Unreadable { name, problem },
        }
    }

    fn gone(&mut self, name: NodeName) -> NodeChange {
        self.names.remove(&name);
        NodeChange::Gone(name)
    }
}

//! Addresses that are in use as far as others know: the pods that the API server lists, and the routes of the host.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use berth_shell::problem::chain;
use berth_shell::watching::watch;
use futures::StreamExt;
use ipam_core::agent::Found;
use ipam_core::ids::{NodeName, PodKey};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, Resource};
use tokio::sync::watch as channel;
use tokio::time::{MissedTickBehavior, interval};

use super::Machine;
use super::own::NodeSeen;
use super::pods::{PodObject, Pods, of_node};
use super::routes;
use super::watching::say_once;

/// How often everything is looked at again. What the agent itself gives out it need not be told.
const EVERY: Duration = Duration::from_mins(3);

/// Tells which addresses are in use, for ever: when the pods have been listed, and every few minutes from then on.
///
/// Nothing is told before the pods are known: an address without its pod, from a route, would be held for nobody.
pub(super) async fn follow(
    client: Client,
    name: NodeName,
    routes: PathBuf,
    node: channel::Receiver<Option<NodeSeen>>,
    machine: impl Machine,
) {
    let api = Api::<PodObject>::all_with(client, &<Pod as Resource>::DynamicType::default());
    let mut events = pin!(watch(api, Some(&of_node(&name))));
    let mut pods = Pods::default();
    let mut said = String::new();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_time = tokio::select! {
            event = events.next() => match event {
                Some(Ok(event)) => {
                    said.clear();
                    pods.on(event)
                }
                Some(Err(error)) => {
                    say_once(&mut said, "the pods of this node cannot be watched", &chain(&error));
                    false
                }
                None => return,
            },
            _ = ticks.tick() => pods.are_known,
        };
        if is_time {
            let own = node.borrow().as_ref().map(own_addresses).unwrap_or_default();
            machine.on_found(found(pods.addresses(), routed(&routes), &own));
        }
    }
}

fn own_addresses(node: &NodeSeen) -> Vec<IpAddr> {
    node.addresses.iter().filter_map(|(_, text)| text.parse().ok()).collect()
}

/// What the kernel routes to one address alone. What cannot be read is not there: hosts without IPv6 have no such file.
fn routed(folder: &Path) -> Vec<IpAddr> {
    let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    let mut all = routes::ipv4(&text("route"));
    all.extend(routes::ipv6(&text("ipv6_route")));
    all
}

/// Each address once, with its pod where that is known; those of the node itself are left out.
fn found(pods: BTreeMap<IpAddr, PodKey>, routed: Vec<IpAddr>, own: &[IpAddr]) -> Vec<Found> {
    let mut all: BTreeMap<IpAddr, Option<PodKey>> =
        routed.into_iter().map(|address| (address, None)).collect();
    all.extend(pods.into_iter().map(|(address, pod)| (address, Some(pod))));
    let others = all.into_iter().filter(|(address, _)| !own.contains(address));
    others.map(|(address, pod)| Found { address, pod }).collect()
}

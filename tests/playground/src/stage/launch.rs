//! Nodes: launched, joined, and taken away.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ec2_sim::id::InstanceId;
use futures::StreamExt;
use futures::stream;
use ipam_core::view::Contract;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde_json::Value;

use super::agent::{Agent, Places};
use super::cluster::write_private;
use super::objects::NodeObject;
use super::world::{Launch, Launched};
use super::{Scene, StageError, flags};
use crate::book::Book;
use crate::nodes::NodeAt;
use crate::plan::{NodeGroup, Served};
use crate::scenario::replace_subnets;

/// Nodes that join at once.
const JOINING: usize = 16;
/// The length of an overlay node's prefix.
const OVERLAY_LENGTH: u8 = 24;

/// What a node is made of.
#[derive(Debug, Clone)]
pub(super) struct Blueprint {
    pub(super) name: String,
    pub(super) group: Arc<NodeGroup>,
    /// Which one of its group it is, from 0; another one in its place is the same.
    ordinal: usize,
}

impl Blueprint {
    fn instance_type(&self) -> &str {
        turn(&self.group.instance_types, self.ordinal)
    }

    fn subnet(&self) -> &str {
        turn(&self.group.subnets, self.ordinal)
    }

    /// Its block, if somebody else than Berth gives its pods addresses.
    fn block(&self) -> Option<Ipv4Net> {
        match &self.group.served {
            Served::Berth { .. } => None,
            Served::Overlay { pod_cidr } => Some(block(*pod_cidr, self.ordinal)),
        }
    }
}

fn turn(of: &[String], ordinal: usize) -> &str {
    of.get(ordinal % of.len().max(1)).map_or("", String::as_str)
}

/// The /24 of that number, or all of a block that has no more.
fn block(all: Ipv4Net, ordinal: usize) -> Ipv4Net {
    let mut blocks = all.subnets(OVERLAY_LENGTH.max(all.prefix_len())).into_iter().flatten();
    blocks.nth(ordinal).unwrap_or(all)
}

/// The nodes that the stage made, and their agents.
#[derive(Debug, Default)]
pub(super) struct Crew(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    /// How many nodes of each group there have been.
    named: BTreeMap<String, u32>,
    made: BTreeMap<String, Made>,
}

/// A node that was made.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) blueprint: Blueprint,
    pub(super) instance: InstanceId,
    /// None where somebody else gives its pods addresses.
    pub(super) agent: Option<Arc<Agent>>,
}

impl Crew {
    /// The first nodes of a group.
    pub(super) fn blueprints(&self, group: &Arc<NodeGroup>) -> Vec<Blueprint> {
        let count = usize::try_from(group.count).unwrap_or(usize::MAX);
        (0..count).map(|ordinal| self.blueprint(group, ordinal)).collect()
    }

    /// A node in the place of another one.
    pub(super) fn in_place_of(&self, old: &Blueprint) -> Blueprint {
        self.blueprint(&old.group, old.ordinal)
    }

    fn blueprint(&self, group: &Arc<NodeGroup>, ordinal: usize) -> Blueprint {
        let number = self.with(|inside| {
            let named = inside.named.entry(group.name.clone()).or_default();
            *named += 1;
            *named
        });
        let name = format!("{}-{number}", group.name);
        Blueprint { name, group: Arc::clone(group), ordinal }
    }

    /// The nodes with an agent, of one group or all, by name.
    pub(super) fn of_group(&self, group: Option<&str>) -> Vec<Made> {
        let is_meant = |made: &&Made| {
            made.agent.is_some() && group.is_none_or(|name| made.blueprint.group.name == name)
        };
        self.with(|inside| inside.made.values().filter(is_meant).cloned().collect())
    }

    fn put(&self, made: Made) {
        self.with(|inside| inside.made.insert(made.blueprint.name.clone(), made));
    }

    fn remove(&self, name: &str) {
        self.with(|inside| inside.made.remove(name));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inside) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Scene {
    /// Launches an instance. It is no node yet.
    pub(super) fn launch(&self, blueprint: &Blueprint) -> Result<Launched, StageError> {
        let launched = self.world.launch(Launch {
            name: &blueprint.name,
            group: &blueprint.group,
            instance_type: blueprint.instance_type(),
            subnet: blueprint.subnet(),
        });
        launched.map_err(|error| StageError::Launch {
            node: blueprint.name.clone(),
            source: Box::new(error),
        })
    }

    /// Lets instances join, some at a time. Answers what went wrong.
    pub(super) async fn join_all(
        self: &Arc<Self>,
        launched: Vec<(Blueprint, Launched)>,
    ) -> Vec<StageError> {
        let joining = launched.into_iter().map(|(blueprint, launched)| {
            let scene = Arc::clone(self);
            async move { scene.join(blueprint, launched).await.err() }
        });
        stream::iter(joining)
            .buffer_unordered(JOINING)
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    /// Makes a node of an instance: its objects, its agent, its place among the nodes.
    pub(super) async fn join(
        &self,
        blueprint: Blueprint,
        launched: Launched,
    ) -> Result<(), StageError> {
        let name = blueprint.name.clone();
        let places = Places::of(&self.folder, &name)?;
        let overlay = blueprint.block();
        let object = NodeObject {
            name: &name,
            run: &self.cluster.run,
            group: &blueprint.group.name,
            instance: launched.instance.as_str(),
            instance_type: blueprint.instance_type(),
            region: &self.world.region,
            zone: &launched.zone,
            address: launched.address,
            pods: self.plan.pods.per_node,
            is_tainted: overlay.is_none(),
            now: &Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        };
        self.cluster.register(object, overlay).await?;
        let agent = match &blueprint.group.served {
            Served::Overlay { .. } => None,
            Served::Berth { contract, prefixes, cni_conf } => {
                let conf = cni_conf.as_ref();
                let flags =
                    self.agent_flags(&launched, &places, &name, (*contract, *prefixes, conf))?;
                let socket = places.socket.clone();
                Some(Arc::new(Agent::new(&name, flags, socket, self.troubles.clone())))
            }
        };
        if let Some(agent) = &agent {
            agent.start().await?;
        }
        self.nodes.put(NodeAt {
            name,
            group: blueprint.group.name.clone(),
            instance: launched.instance.clone(),
            instance_type: blueprint.instance_type().to_owned(),
            zone: launched.zone,
            socket: agent.is_some().then_some(places.socket),
            queue: places.queue,
            pods_at_most: self.plan.pods.per_node,
            is_draining: false,
        });
        self.crew.put(Made { blueprint, instance: launched.instance, agent });
        Ok(())
    }

    /// The flags of a node's agent. Its CNI configuration is written on the way.
    fn agent_flags(
        &self,
        launched: &Launched,
        places: &Places,
        name: &str,
        (contract, prefixes, cni_conf): (Contract, bool, Option<&Value>),
    ) -> Result<Vec<String>, StageError> {
        let contract = match contract {
            Contract::PerIp => "per-ip",
            Contract::Cidr => "cidr",
        };
        let mut own = vec![
            format!("--node-name={name}"),
            format!("--contract={contract}"),
            format!("--imds-endpoint={}", self.world.metadata(&launched.instance)),
            format!("--state-dir={}", places.folder.join("state").display()),
            format!("--socket-path={}", places.socket.display()),
            format!("--queue-dir={}", places.queue.display()),
            format!("--kubeconfig={}", self.cluster.kubeconfig("agent").display()),
            "--serve-address=127.0.0.1:0".to_owned(),
            // All nodes are on one host, whose network is not theirs.
            "--host-networking=off".to_owned(),
        ];
        if !prefixes {
            own.push("--eni-disable-prefix-delegation=true".to_owned());
        }
        if let Some(conf) = cni_conf {
            let mut conf = conf.clone();
            replace_subnets(&mut conf, &mut |name| self.world.id_or_name(name));
            make_folder(&places.folder)?;
            write_private(&places.cni_conf, conf.to_string().as_bytes())?;
            own.push(format!("--read-cni-conf={}", places.cni_conf.display()));
        }
        Ok(flags::joined(own, &self.plan.agent, &self.cluster.url))
    }

    /// Takes a node away: its agent, its instance with the pods on it, its objects, its folder.
    pub(super) async fn take_away(
        &self,
        made: &Made,
        book: &Book,
        within: Duration,
    ) -> Result<(), StageError> {
        let name = &made.blueprint.name;
        if let Some(agent) = &made.agent
            && !agent.end(within).await
        {
            self.news
                .warn(format!("the agent of {name} did not end within {within:?}: it is killed"));
        }
        // Together, so that nobody sees pods on an instance that is gone, or an instance without its pods.
        self.world.terminate(&made.instance)?;
        self.nodes.remove(name);
        book.node_ended(name);
        self.crew.remove(name);
        let _may_not_be_there = std::fs::remove_dir_all(self.folder.join(name));
        self.cluster.remove(name).await
    }
}

fn make_folder(path: &Path) -> Result<(), StageError> {
    let failed = |source| StageError::Folder { path: path.to_owned(), source };
    std::fs::create_dir_all(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(all: &str, ordinal: usize, expected: &str) {
        let found = block(all.parse().expect("a block"), ordinal);
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn overlay_nodes_have_a_block_each() {
        check("10.0.0.0/8", 0, "10.0.0.0/24");
        check("10.0.0.0/8", 258, "10.1.2.0/24");
        check("10.0.0.0/24", 0, "10.0.0.0/24");
        check("10.0.0.0/25", 0, "10.0.0.0/25");
    }

    #[test]
    fn what_is_less_than_the_nodes_is_taken_in_turn() {
        let types = ["m5.large".to_owned(), "c5.large".to_owned()];
        let taken: Vec<_> = (0..3).map(|ordinal| turn(&types, ordinal)).collect();
        assert_eq!(taken, ["m5.large", "c5.large", "m5.large"]);
        assert_eq!(turn(&[], 1), "");
    }
}

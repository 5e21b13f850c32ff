//! The nodes that are there, for all who place pods, look and count.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ec2_sim::id::InstanceId;

/// The nodes that are there, by name. A clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Nodes(Arc<Mutex<BTreeMap<String, NodeAt>>>);

/// A node and where its parts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAt {
    /// Its name.
    pub name: String,
    /// The group of the plan that it is of.
    pub group: String,
    /// Its instance.
    pub instance: InstanceId,
    /// Its instance type.
    pub instance_type: String,
    /// Its zone.
    pub zone: String,
    /// Where its agent listens for the plugin; none where somebody else serves its pods.
    pub socket: Option<PathBuf>,
    /// Where the plugin keeps DELs that find no agent.
    pub queue: PathBuf,
    /// How many pods it takes.
    pub pods_at_most: u32,
    /// Whether it is about to go, and gets no more pods.
    pub is_draining: bool,
}

impl Nodes {
    /// Adds a node, or replaces the one of its name.
    pub fn put(&self, node: NodeAt) {
        self.with(|nodes| nodes.insert(node.name.clone(), node));
    }

    /// Takes a node out.
    pub fn remove(&self, name: &str) {
        self.with(|nodes| nodes.remove(name));
    }

    /// Changes a node, if it is there.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut NodeAt)) {
        self.with(|nodes| nodes.get_mut(name).map(change));
    }

    /// One node.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<NodeAt> {
        self.with(|nodes| nodes.get(name).cloned())
    }

    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> Vec<NodeAt> {
        self.with(|nodes| nodes.values().cloned().collect())
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, NodeAt>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

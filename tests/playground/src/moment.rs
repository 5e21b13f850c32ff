//! What is seen at one moment: what the view draws, what is kept for the report, and what the summary counts from.

use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that is seen at one moment.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// Since the start.
    pub at: Duration,
    /// The nodes, by name.
    pub nodes: Vec<Node>,
    /// How many pods there are.
    pub pods: PodCounts,
    /// Pods without an address, those that have waited longest first.
    pub waiting: Vec<Waiting>,
    /// The calls to EC2, by action.
    pub calls: BTreeMap<&'static str, Calls>,
    /// What went back to EC2 since the start.
    pub given_back: GivenBack,
    /// What the operator says of itself, such as `ready`.
    pub operator: String,
    /// Promises that are broken now, in words.
    pub findings: Vec<String>,
}

/// A node.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its instance type.
    pub instance_type: String,
    /// Its zone.
    pub zone: String,
    /// Where it is in its life.
    pub state: NodeState,
    /// Addresses that can be handed out.
    pub free: u32,
    /// Addresses in use.
    pub used: u32,
    /// Addresses that rest between two users.
    pub cooling: u32,
    /// Addresses that were promised away to the operator.
    pub promised: u32,
    /// Interfaces that are attached.
    pub enis: u32,
    /// Prefixes on them.
    pub prefixes: u32,
    /// Addresses for pods that it could have at most.
    pub capacity: u32,
    /// Why it does not get what it wants, by the label of the reason, with the operator's words.
    pub blocked: Vec<(String, String)>,
}

/// Where a node is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NodeState {
    /// Its agent cannot serve pods yet.
    #[default]
    Joining,
    /// Pods can be placed there.
    Ready,
    /// It gets no more pods, and is about to go.
    Draining,
    /// Its agent does not answer.
    Silent,
    /// Somebody else gives its pods addresses.
    Foreign,
}

/// How many pods there are, and have been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PodCounts {
    /// That were made since the start.
    pub made: u64,
    /// That got an address since the start.
    pub started: u64,
    /// That were ended since the start, whether they had an address or not.
    pub ended: u64,
    /// That have an address now.
    pub running: u64,
    /// That have none yet.
    pub waiting: u64,
    /// Whose plugin failed, and was tried again, since the start.
    pub refused: u64,
}

/// A pod without an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Namespace and name.
    pub pod: String,
    /// Its node, once it has one.
    pub node: Option<String>,
    /// For how long it has waited.
    pub since: Duration,
    /// Why, in words.
    pub why: String,
}

/// The calls of one action to EC2 since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Calls {
    /// All of them.
    pub made: u64,
    /// Refused because a bucket was empty.
    pub throttled: u64,
    /// Refused for another reason.
    pub failed: u64,
    /// The account's bucket, where there is one.
    pub bucket: Option<Bucket>,
}

/// What instances had and EC2 took back, by calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GivenBack {
    /// Secondary addresses of interfaces, 16 for each prefix.
    pub addresses: u64,
    /// Interfaces that were detached.
    pub interfaces: u64,
}

/// How often an action may be called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Calls at once.
    pub capacity: f64,
    /// Calls per second in the long run.
    pub refill_per_second: f64,
}

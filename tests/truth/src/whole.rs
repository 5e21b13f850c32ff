//! The truth of one moment, owned, as an audit borrows it.

use std::time::Duration;

use ec2_sim::id::InstanceId;
use ec2_sim::world::World;
use ipam_core::audit::{InUse, LedgerCounts, LooseEni, NodeTruth, Truth, Violation, audit};
use ipam_core::ids::{InvalidId, NodeName, VpcId};
use ipam_core::time::Tick;
use ipam_core::view::EniView;
use limits::Limits;

use crate::words::{made_by_berth, tick, view};

/// What is true of one node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// The VPC it is in.
    pub vpc: VpcId,
    /// What its type can hold, if anybody knows.
    pub limits: Option<Limits>,
    /// The interfaces that are attached to it, or on their way to or from it.
    pub enis: Vec<EniView>,
    /// The addresses that its pods use.
    pub in_use: Vec<InUse>,
    /// How many addresses it is short of its demand.
    pub short: u32,
    /// Whether it has steps under way or reports a reason.
    pub explained: bool,
    /// What its agent's ledger says of itself, family by family.
    pub ledgers: Vec<LedgerCounts>,
}

impl Node {
    /// What EC2 knows of a node: its pods, its demand and its ledger are as in a node that has none. Nothing when the instance is unknown.
    ///
    /// # Errors
    /// Its name or an id of it is none to the core.
    pub fn of(name: &str, instance: &InstanceId, world: &World) -> Result<Option<Self>, InvalidId> {
        let Some(found) = world.truth().instance(instance) else { return Ok(None) };
        let enis = world.truth().interfaces_of(instance).map(|interface| view(interface));
        Ok(Some(Self {
            name: name.parse()?,
            vpc: found.vpc.as_str().parse()?,
            limits: limits::find(&found.instance_type),
            enis: enis.collect::<Result<_, _>>()?,
            in_use: Vec::new(),
            short: 0,
            explained: false,
            ledgers: Vec::new(),
        }))
    }

    /// As an audit borrows it.
    #[must_use]
    pub fn borrowed(&self) -> NodeTruth<'_> {
        NodeTruth {
            name: &self.name,
            vpc: &self.vpc,
            limits: self.limits,
            enis: &self.enis,
            in_use: &self.in_use,
            short: self.short,
            explained: self.explained,
            ledgers: &self.ledgers,
        }
    }
}

/// An interface of Berth's that is attached to nothing.
#[derive(Debug, Clone)]
pub struct Loose {
    /// The interface.
    pub eni: EniView,
    /// Since when.
    pub since: Tick,
}

/// Every interface that Berth made and that is attached to nothing, since its last attachment ended or since it was made.
///
/// # Errors
/// An id of one of them is none to the core.
pub fn loose(world: &World) -> Result<Vec<Loose>, InvalidId> {
    let unattached = made_by_berth(world).filter(|interface| interface.attachment.is_none());
    let loose = unattached
        .map(|interface| Ok(Loose { eni: view(interface)?, since: tick(interface.loose_since) }));
    loose.collect()
}

/// The truth of one moment.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The moment.
    pub now: Tick,
    /// All nodes.
    pub nodes: Vec<Node>,
    /// Interfaces that Berth made and that are attached to nothing.
    pub loose: Vec<Loose>,
    /// How long an interface may stay loose before it counts as leaked.
    pub grace: Duration,
}

impl Whole {
    /// Every promise that is broken.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let nodes: Vec<NodeTruth<'_>> = self.nodes.iter().map(Node::borrowed).collect();
        let loose = self.loose.iter().map(|loose| LooseEni { eni: &loose.eni, since: loose.since });
        let loose: Vec<LooseEni<'_>> = loose.collect();
        audit(&Truth { now: self.now, nodes: &nodes, loose: &loose, grace: self.grace })
    }
}

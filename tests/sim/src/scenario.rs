//! What happens in a run, drawn from its seed before it begins: the network, the nodes, the pods, and what goes wrong.
//!
//! Everything that can be left out of a scenario has a number, so that a failing one can be made smaller and still be named by its seed
//! ([`Keep`]).

mod draw;

use std::collections::BTreeSet;
use std::time::Duration;

use ec2_sim::fault::Effect;
use ec2_sim::request::Action;
use ec2_sim::staleness;
use ipam_core::view::Contract;

/// How many operators there are.
pub const OPERATORS: usize = 2;

/// A run, as its seed has it.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The seed: also of the chances that are taken while it runs.
    pub seed: u64,
    /// How long things go wrong.
    pub busy: Duration,
    /// How long nothing goes wrong any more, before all has to be settled.
    pub calm: Duration,
    /// The network and how EC2 behaves.
    pub region: Region,
    /// The nodes.
    pub nodes: Vec<NodePlan>,
    /// The pods.
    pub pods: Vec<PodPlan>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What of all that there is.
    pub keep: Keep,
}

/// The network and how EC2 behaves.
#[derive(Debug, Clone)]
pub struct Region {
    /// The lengths of the subnets' prefixes, 24 to 27. All of them are in one zone.
    pub subnets: Vec<u8>,
    /// Whether the operator asks for prefixes.
    pub prefixes: bool,
    /// How many items a page of a listing may have.
    pub page: u16,
    /// How far EC2's readings lag behind.
    pub staleness: staleness::Mode,
    /// What the published buckets of EC2 are multiplied with.
    pub generosity: f64,
    /// By how much the clock on the wall of the second operator is fast.
    pub fast: Duration,
    /// How many addresses may be given back per hour.
    pub per_hour: Option<u32>,
}

/// A node.
#[derive(Debug, Clone)]
pub struct NodePlan {
    /// Its instance type.
    pub instance_type: &'static str,
    /// How its agent speaks.
    pub contract: Contract,
    /// `pre-allocate`.
    pub pre_allocate: u8,
    /// `min-allocate`.
    pub min_allocate: u8,
    /// `max-above-watermark`.
    pub max_above_watermark: u8,
    /// Whether it gets single addresses where others get prefixes.
    pub disable_prefix_delegation: bool,
    /// `first-interface-index`.
    pub first_interface_index: u8,
    /// When it joins.
    pub joins: Duration,
}

/// A pod.
#[derive(Debug, Clone, Copy)]
pub struct PodPlan {
    /// The number of its node.
    pub node: usize,
    /// When it is scheduled there.
    pub begins: Duration,
    /// How long it runs once it has an address; `None`: to the end.
    pub runs: Option<Duration>,
}

/// Something that goes wrong.
#[derive(Debug, Clone)]
pub struct Fault {
    /// When.
    pub begins: Duration,
    /// For how long, if it lasts.
    pub lasts: Duration,
    /// What.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub enum FaultKind {
    /// An operator's process is killed, and started when the fault ends.
    OperatorCrash(usize),
    /// An operator's process ends in good order, gives the Lease back, and is started when the fault ends.
    OperatorStops(usize),
    /// An operator's process stands still: its clock goes on.
    OperatorPause(usize),
    /// An operator does not reach the API server, nor hear of it.
    OperatorWithoutApi(usize),
    /// An operator does not reach EC2.
    OperatorWithoutEc2(usize),
    /// An agent's process is killed, and started when the fault ends.
    AgentCrash(usize),
    /// An agent's process is killed, and starts at once where nothing of the API server is heard.
    AgentAlone(usize),
    /// The machine of a node ends, and boots when the fault ends.
    Reboot(usize),
    /// The agent's process is killed, and its ledger cannot be read afterwards.
    LedgerLost(usize),
    /// Nothing can be written to the disk of a node.
    DiskFull(usize),
    /// Writes to the disk of a node take seconds.
    DiskSlow(usize),
    /// A node does not reach the API server, nor hear of it.
    NodeWithoutApi(usize),
    /// An agent sees its object and cannot write it.
    AgentCannotWrite(usize),
    /// The clock of a node leaps forward by the length of the fault.
    ClockLeap(usize),
    /// EC2's wall clock jumps: back at the end.
    WallClock(i64),
    /// The API server is away, and all watches break.
    ApiAway,
    /// Requests to the API server take seconds, so that they overtake one another.
    ApiSlow,
    /// Requests to the API server and their answers get lost.
    ApiLossy,
    /// Watches lag.
    WatchLag,
    /// All watches break, and list again.
    WatchesBreak,
    /// Calls to EC2 are on their way for many seconds.
    CloudSlow,
    /// EC2 does something to one call of three, or to this many of one kind in a row.
    Cloud(Option<Action>, Effect),
    /// EC2 does all that it is asked, and no answer arrives.
    AnswersLost,
    /// Somebody takes so many addresses of a subnet, and gives them back at the end.
    TakeAddresses(usize, usize),
    /// Somebody fragments a subnet, and stops it at the end.
    Fragment(usize),
    /// Somebody attaches an interface of their own to a node, under this index.
    TakeIndex(usize, u32),
    /// Somebody takes addresses from a node that no pod uses at that moment.
    TakeBack(usize),
    /// The instance of a node stops, and starts at the end.
    InstanceStops(usize),
    /// The instance of a node is replaced by another one under the same name.
    InstanceReplaced(usize),
    /// The operators are started anew with prefixes switched on or off.
    OtherPolicy,
    /// Another operator leads, such as Cilium's, and unassigns what agents gave up.
    OthersRelease,
    /// Somebody puts an interface that Berth made behind another security group.
    GroupsDrift(usize),
    /// A node goes for good: its instance is terminated and its object deleted.
    NodeGoes(usize),
    /// A node goes for good just when an interface was made for it.
    GoesWhileGrowing(usize),
    /// Somebody deletes the object of a node.
    ObjectDeleted(usize),
}

/// What of a scenario there is; `None`: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keep {
    /// The numbers of the nodes.
    pub nodes: Option<BTreeSet<usize>>,
    /// The numbers of the pods.
    pub pods: Option<BTreeSet<usize>>,
    /// The numbers of the faults.
    pub faults: Option<BTreeSet<usize>>,
}

impl Keep {
    fn has(kept: Option<&BTreeSet<usize>>, number: usize) -> bool {
        kept.is_none_or(|kept| kept.contains(&number))
    }
}

impl Scenario {
    /// The numbers of the nodes that there are.
    pub fn kept_nodes(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.nodes.len()).filter(|number| Keep::has(self.keep.nodes.as_ref(), *number))
    }

    /// The numbers of the pods that there are: none of a node that there is not.
    pub fn kept_pods(&self) -> impl Iterator<Item = usize> + '_ {
        let kept = |number: &usize| {
            Keep::has(self.keep.pods.as_ref(), *number)
                && Keep::has(self.keep.nodes.as_ref(), self.pods[*number].node)
        };
        (0..self.pods.len()).filter(kept)
    }

    /// The numbers of the faults that there are: none of a node that there is not.
    pub fn kept_faults(&self) -> impl Iterator<Item = usize> + '_ {
        let kept = |number: &usize| {
            let node = self.faults[*number].kind.node();
            Keep::has(self.keep.faults.as_ref(), *number)
                && node.is_none_or(|node| Keep::has(self.keep.nodes.as_ref(), node))
        };
        (0..self.faults.len()).filter(kept)
    }
}

impl FaultKind {
    /// The node that it is about, if it is about one.
    #[must_use]
    pub const fn node(&self) -> Option<usize> {
        match self {
            Self::AgentCrash(node)
            | Self::AgentAlone(node)
            | Self::Reboot(node)
            | Self::LedgerLost(node)
            | Self::DiskFull(node)
            | Self::DiskSlow(node)
            | Self::NodeWithoutApi(node)
            | Self::AgentCannotWrite(node)
            | Self::ClockLeap(node)
            | Self::TakeIndex(node, _)
            | Self::TakeBack(node)
            | Self::GroupsDrift(node)
            | Self::NodeGoes(node)
            | Self::GoesWhileGrowing(node)
            | Self::InstanceStops(node)
            | Self::InstanceReplaced(node)
            | Self::ObjectDeleted(node) => Some(*node),
            _ => None,
        }
    }
}

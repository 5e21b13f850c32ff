//! What the machine reports to people and to metrics. Nothing depends on anybody reading it.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::time::Duration;

use crate::action::Action;
use crate::call::{Api, CallId};
use crate::failure::Failure;
use crate::ids::{EniId, InstanceId, InstanceType, NodeName, SecurityGroupId, SubnetId};
use crate::reason::Blocked;

/// Something worth a line, an event or a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Everything that must be known before anything is changed is known.
    ViewComplete {
        /// How many nodes are known.
        nodes: usize,
        /// How many interfaces they have.
        enis: usize,
        /// How long it took.
        took: Duration,
    },
    /// A call was handed out.
    Sent {
        /// Which one.
        call: CallId,
        /// Its action at EC2.
        api: Api,
        /// What is changed for which node; `None` for a reading, and for the deletion of an interface that no node claims.
        change: Option<(NodeName, Action)>,
        /// How long it waited for the budget, zero if it did not.
        waited: Duration,
    },
    /// A change was carried out.
    Changed {
        /// For which node.
        node: NodeName,
        /// What.
        action: Action,
        /// The subnet the interface is in.
        subnet: Option<SubnetId>,
        /// Addresses for pods it brought, 16 for each prefix. What it took off an interface is in the action.
        addresses: u32,
        /// From the call to the reply.
        took: Duration,
    },
    /// A call failed.
    Failed {
        /// Its action at EC2.
        api: Api,
        /// What was to be changed for which node; `None` for a reading.
        change: Option<(NodeName, Action)>,
        /// The subnet it was about.
        subnet: Option<SubnetId>,
        /// Why.
        failure: Failure,
        /// From the call to the failure.
        took: Duration,
    },
    /// A node has its first address for pods.
    FirstAddress {
        /// The node.
        node: NodeName,
        /// Since it was seen first.
        took: Duration,
    },
    /// What keeps a node from what it wants is different from before.
    Blocked {
        /// The node.
        node: NodeName,
        /// What it is now; empty when nothing does any more.
        blocked: Vec<Blocked>,
    },
    /// In [`Mode::Observe`](super::Mode::Observe): a change that would be made now.
    WouldChange {
        /// For which node.
        node: NodeName,
        /// What.
        action: Action,
    },
    /// An interface that no node claimed was deleted.
    CleanedUp {
        /// The interface.
        eni: EniId,
        /// The instance that it was made for.
        instance: InstanceId,
        /// How long it existed; `None` when no tag says when it was made.
        age: Option<Duration>,
        /// From the call to the reply.
        took: Duration,
    },
    /// An interface that no node claims was not deleted, or nobody knows. The next looks tell.
    CleanUpFailed {
        /// The interface.
        eni: EniId,
        /// The instance that it was made for.
        instance: InstanceId,
        /// Why.
        failure: Failure,
        /// From the call to the failure.
        took: Duration,
    },
    /// In [`Mode::Observe`](super::Mode::Observe): an interface that no node claims would be deleted now. Said once of each.
    WouldCleanUp {
        /// The interface.
        eni: EniId,
        /// The instance that it was made for.
        instance: InstanceId,
        /// How long it has existed; `None` when no tag says when it was made.
        age: Option<Duration>,
    },
    /// Interfaces that no node claims are not looked for: without the name of the cluster they cannot be told from those of
    /// other clusters. Said once.
    CleanUpOff,
    /// An observation differs from what was known, and no change of the machine's own explains it.
    Found {
        /// Which node it is about.
        node: NodeName,
        /// What it is.
        finding: Finding,
    },
    /// Something in a listing could not be read. The rest of the listing was.
    Unreadable {
        /// The action at EC2.
        api: Api,
        /// What it was.
        what: String,
    },
    /// EC2 said something about an instance type that cannot be right.
    LimitsRefused {
        /// The type.
        instance_type: InstanceType,
        /// What is wrong with it.
        problem: String,
    },
    /// A permission is missing, and what it is for is done without.
    PermissionMissing {
        /// The action that is not allowed.
        api: Api,
    },
    /// A permission that was missing is there.
    PermissionBack {
        /// The action.
        api: Api,
    },
    /// Somebody else does the same work: nothing is changed any more for a node, or for all.
    RivalFound {
        /// The node; `None` for all.
        node: Option<NodeName>,
        /// Who.
        rival: Rival,
    },
    /// The grace period passed without the rival.
    RivalGone {
        /// The node; `None` for all.
        node: Option<NodeName>,
    },
    /// Everything known of a node was dropped.
    NodeForgotten {
        /// The node.
        node: NodeName,
    },
}

/// A difference between what was known and what was observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An interface is attached that nobody here attached.
    EniAppeared {
        /// The interface.
        eni: EniId,
    },
    /// An interface is gone.
    EniVanished {
        /// The interface.
        eni: EniId,
    },
    /// Addresses, those of whole prefixes included, came that nobody here asked for.
    AddressesAppeared {
        /// The interface.
        eni: EniId,
        /// How many.
        count: u32,
        /// The first of them.
        first: Ipv4Addr,
    },
    /// Addresses are gone that nobody here gave back.
    AddressesVanished {
        /// The interface.
        eni: EniId,
        /// How many.
        count: u32,
        /// The first of them.
        first: Ipv4Addr,
    },
    /// An interface that Berth made is behind other security groups than it would be made with now.
    GroupsDrifted {
        /// The interface.
        eni: EniId,
        /// Those it is behind, sorted.
        found: Vec<SecurityGroupId>,
        /// Those it would be made with, sorted.
        wanted: Vec<SecurityGroupId>,
    },
    /// The same, after Berth had put it right: somebody else keeps changing them. It is put right again, ever more rarely.
    GroupsContested {
        /// The interface.
        eni: EniId,
        /// Those it is behind, sorted.
        found: Vec<SecurityGroupId>,
        /// Those it would be made with, sorted.
        wanted: Vec<SecurityGroupId>,
        /// The time until then.
        pause: Duration,
    },
}

impl Finding {
    /// The interface it is about.
    #[must_use]
    pub const fn eni(&self) -> &EniId {
        match self {
            Self::EniAppeared { eni }
            | Self::EniVanished { eni }
            | Self::AddressesAppeared { eni, .. }
            | Self::AddressesVanished { eni, .. }
            | Self::GroupsDrifted { eni, .. }
            | Self::GroupsContested { eni, .. } => eni,
        }
    }

    /// Whether something is gone.
    pub(super) const fn is_loss(&self) -> bool {
        matches!(self, Self::EniVanished { .. } | Self::AddressesVanished { .. })
    }

    /// A short fixed name, fit for a metric label.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::EniAppeared { .. } => "EniAppeared",
            Self::EniVanished { .. } => "EniVanished",
            Self::AddressesAppeared { .. } => "AddressesAppeared",
            Self::AddressesVanished { .. } => "AddressesVanished",
            Self::GroupsDrifted { .. } => "GroupsDrifted",
            Self::GroupsContested { .. } => "GroupsContested",
        }
    }
}

/// Somebody else who does the operator's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// Who, as far as the Kubernetes API tells: a field manager. Empty when it does not.
    pub who: String,
    /// What was seen.
    pub did: RivalDeed,
}

/// By what a rival was noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RivalDeed {
    /// `status.eni` of the node was written.
    WroteEniStatus,
    /// `spec.ipam.pool` of the node was written.
    WrotePool,
    /// An interface with Berth's tag was changed at EC2.
    ChangedEni {
        /// The interface.
        eni: EniId,
    },
}

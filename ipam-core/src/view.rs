//! What was observed: of a node, of its interfaces, and of the network around it.
//!
//! Everything here may be stale. Addresses are kept as EC2 knows them: the primary address, single
//! secondary addresses, and delegated prefixes, never expanded, each family apart.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use limits::Limits;

use crate::action::Action;
use crate::ids::{
    AttachmentId, EniId, InstanceId, InstanceType, MacAddress, NodeName, RouteTableId,
    SecurityGroupId, SubnetId, VpcId, ZoneName,
};
use crate::policy::Watermarks;
use crate::prefix::FreeBlocks;

/// EC2 tags: key and value.
pub type Tags = BTreeMap<String, String>;

/// One node and the network it lives in.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The node.
    pub node: &'a NodeView,
    /// What is around it, shared by all nodes.
    pub network: &'a NetworkView,
}

/// What was observed of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Which instance it is and where.
    pub identity: NodeIdentity,
    /// What its owner asked for.
    pub settings: NodeSettings,
    /// What its agent uses or asks for.
    pub demand: Demand,
    /// Pods scheduled to it that need an address and have none yet. Host-network pods are not among them.
    pub waiting_pods: u32,
    /// What its instance type can hold, `None` for a type nobody knows.
    pub limits: Option<Limits>,
    /// Whether EC2 would accept an attachment now. Interfaces attach to running and stopped instances only.
    pub running: bool,
    /// Its interfaces, attached or made for it. None attached means that the instance was never
    /// observed, since every instance has a primary interface.
    pub enis: Vec<EniView>,
    /// Actions that were sent for it and not answered yet. Planning counts on their effect.
    pub in_flight: Vec<Action>,
    /// What is remembered of it that no observation shows.
    pub marks: Marks,
}

/// What EC2 said of a node in answers to changes, and observations do not show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Device indexes of card 0 that EC2 says are taken, although nothing that was seen has them.
    pub taken_indexes: Vec<u16>,
    /// Interfaces whose last change was not answered: nothing more is asked of them for now.
    pub in_doubt: Vec<EniId>,
    /// Interfaces made for the node that are deleted: EC2 refuses to attach them, nobody attached them for long, or they are being
    /// detached because they hold nothing.
    pub doomed: Vec<EniId>,
}

/// Which instance a node is and where it runs. Facts, not wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeIdentity {
    /// Name of the Kubernetes Node.
    pub name: NodeName,
    /// The instance.
    pub instance: InstanceId,
    /// Its type, the key to its limits.
    pub instance_type: InstanceType,
    /// The VPC it is in.
    pub vpc: VpcId,
    /// The zone it is in. Interfaces attach within one zone only.
    pub zone: ZoneName,
    /// The subnet of its primary interface, if known.
    pub subnet: Option<SubnetId>,
}

/// What the owner of a node asked for: the tuning members of `spec.eni` and `spec.ipam`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// How many addresses to keep.
    pub watermarks: Watermarks,
    /// Interfaces with a lower device index are left alone. `None`: not said.
    pub first_interface_index: Option<u16>,
    /// Where new interfaces may be made.
    pub subnets: Selector<SubnetId>,
    /// The groups of new interfaces.
    pub security_groups: Selector<SecurityGroupId>,
    /// An interface that carries all of these tags is left alone. Empty excludes nothing.
    pub exclude_interface_tags: Tags,
    /// Whether interfaces made for the node end with its instance. True unless said otherwise.
    pub delete_on_termination: bool,
    /// Whether the primary address of an interface is for pods too. False unless said otherwise.
    pub use_primary_address: bool,
    /// Whether this node wants single addresses although prefixes are enabled.
    pub disable_prefix_delegation: bool,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            watermarks: Watermarks::default(),
            first_interface_index: None,
            subnets: Selector::default(),
            security_groups: Selector::default(),
            exclude_interface_tags: Tags::new(),
            delete_on_termination: true,
            use_primary_address: false,
            disable_prefix_delegation: false,
        }
    }
}

/// A choice by id, or else by tags of which all must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector<Id> {
    /// Explicit ids; they come before the tags.
    pub ids: Vec<Id>,
    /// Tags that must all be there.
    pub tags: Tags,
}

impl<Id> Default for Selector<Id> {
    fn default() -> Self {
        Self { ids: Vec::new(), tags: Tags::new() }
    }
}

/// The two ways in which an agent and an operator speak through a `CiliumNode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contract {
    /// Agents up to Cilium 1.19: single addresses in `spec.ipam.pool`, use in `status.ipam.used`.
    PerIp,
    /// Agents from Cilium 1.20: CIDRs from `status.eni.enis`, demand in `spec.ipam.pools.requested`.
    Cidr,
}

/// What an agent uses or asks for, in the words of its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// [`Contract::PerIp`].
    PerIp {
        /// Addresses in `status.ipam.used`.
        used: u32,
    },
    /// [`Contract::Cidr`]: what the agent wants to have in all, its pre-allocation included.
    Cidr {
        /// `needed.ipv4-addrs` of the pool `default`.
        ipv4: u32,
        /// `needed.ipv6-addrs` of the pool `default`.
        ipv6: u32,
    },
}

impl Demand {
    /// The contract in whose words the demand was given.
    #[must_use]
    pub const fn contract(self) -> Contract {
        match self {
            Self::PerIp { .. } => Contract::PerIp,
            Self::Cidr { .. } => Contract::Cidr,
        }
    }

    /// The IPv4 addresses that an agent of the CIDR contract asks for in all; 0 for others.
    #[must_use]
    pub const fn requested(self) -> u32 {
        match self {
            Self::PerIp { .. } => 0,
            Self::Cidr { ipv4, .. } => ipv4,
        }
    }
}

/// What was observed of one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EniView {
    /// Its id.
    pub id: EniId,
    /// Whether it is one of the ordinary kind, or a trunk, branch or EFA interface.
    pub kind: EniKind,
    /// Its hardware address, if known.
    pub mac: Option<MacAddress>,
    /// Free text given at creation.
    pub description: String,
    /// Where it is attached, if it is.
    pub attachment: Option<Attachment>,
    /// The subnet it was made in.
    pub subnet: SubnetId,
    /// The VPC of that subnet.
    pub vpc: VpcId,
    /// What it holds of IPv4.
    pub ipv4: Ipv4Held,
    /// What it holds of IPv6.
    pub ipv6: Ipv6Held,
    /// Its security groups.
    pub security_groups: Vec<SecurityGroupId>,
    /// Its tags.
    pub tags: Tags,
    /// The public address associated with its primary address.
    pub public_ip: Option<Ipv4Addr>,
}

impl EniView {
    /// The state of its attachment; `None` when it is attached to nothing.
    #[must_use]
    pub fn state(&self) -> Option<AttachmentState> {
        self.attachment.as_ref().map(|at| at.state)
    }

    /// Whether it holds no address beside its primary one.
    #[must_use]
    pub const fn holds_nothing(&self) -> bool {
        self.ipv4.addresses.is_empty()
            && self.ipv4.prefixes.is_empty()
            && self.ipv6.addresses.is_empty()
            && self.ipv6.prefixes.is_empty()
    }
}

/// Kinds of interfaces that matter here (`InterfaceType` of EC2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EniKind {
    /// `interface`: the ordinary kind, the only one that is ever managed.
    #[default]
    Ordinary,
    /// Everything else: `trunk`, `branch`, `efa`, `efa-only` and whatever comes.
    Special,
}

/// How an interface is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// EC2's name of the attachment; `None` where only a `CiliumNode` was read.
    pub id: Option<AttachmentId>,
    /// Index on its network card; 0 on card 0 is the primary interface.
    pub device_index: u16,
    /// The network card; pods use card 0 only.
    pub network_card: u16,
    /// Whether it is coming or going.
    pub state: AttachmentState,
    /// Whether the interface ends with the instance; `None`: not known.
    pub delete_on_termination: Option<bool>,
}

/// How far an attachment is (`attachment.status` of EC2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentState {
    /// Asked for; its slot is taken and its addresses are coming.
    Attaching,
    /// In use.
    Attached,
    /// Going; its slot is still taken, its addresses no longer count.
    Detaching,
}

/// The IPv4 addresses of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipv4Held {
    /// The address the interface was made with. It cannot be taken away.
    pub primary: Ipv4Addr,
    /// Single secondary addresses: neither the primary nor inside a prefix.
    pub addresses: Vec<Ipv4Addr>,
    /// Delegated /28 blocks.
    pub prefixes: Vec<Ipv4Net>,
}

/// The IPv6 addresses of an interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ipv6Held {
    /// Single addresses.
    pub addresses: Vec<Ipv6Addr>,
    /// Delegated /80 blocks.
    pub prefixes: Vec<Ipv6Net>,
}

/// What was observed of the network, shared by all nodes of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkView {
    /// VPCs by id.
    pub vpcs: BTreeMap<VpcId, VpcView>,
    /// Subnets by id.
    pub subnets: BTreeMap<SubnetId, SubnetView>,
    /// Security groups by id.
    pub security_groups: BTreeMap<SecurityGroupId, SecurityGroupView>,
    /// Route tables by id; empty where the permission to read them is missing.
    pub route_tables: BTreeMap<RouteTableId, RouteTableView>,
}

/// A VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcView {
    /// The CIDR it was made with.
    pub primary_cidr: Ipv4Net,
    /// Further CIDRs, without the primary.
    pub cidrs: Vec<Ipv4Net>,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubnetView {
    /// The VPC it is part of.
    pub vpc: VpcId,
    /// The zone it is in.
    pub zone: ZoneName,
    /// Its IPv4 range, /16 to /28.
    pub cidr: Ipv4Net,
    /// Its IPv6 range, if it has one.
    pub ipv6_cidr: Option<Ipv6Net>,
    /// Addresses that EC2 counts as free. It says nothing of free /28 blocks.
    pub free_addresses: u32,
    /// The free /28 blocks, `None` while not everything attached in the subnet is known.
    pub free_blocks: Option<FreeBlocks>,
    /// What EC2 refused there a short while ago.
    pub refused: Refused,
    /// What was asked for there and is not in the figures above yet, by all nodes.
    pub planned: Planned,
    /// Its tags.
    pub tags: Tags,
    /// Whether new addresses may come from it: true unless operator-wide filters keep it out.
    pub usable: bool,
}

/// What EC2 refused in a subnet a short while ago, and is not asked for again until the caller
/// forgets it. Two different facts: addresses may be left where no whole block is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refused {
    /// Single addresses: `InsufficientFreeAddressesInSubnet`.
    pub addresses: bool,
    /// Prefixes: `InsufficientCidrBlocks`.
    pub prefixes: bool,
}

/// What was planned in a subnet, or sent and not answered yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Planned {
    /// Addresses, those inside planned prefixes included.
    pub addresses: u32,
    /// Prefixes.
    pub prefixes: u32,
}

impl NetworkView {
    /// Takes what `actions` ask for off what is left, so that nodes planned one after the other in
    /// the same round do not count on the same addresses. Single addresses are not taken to break
    /// free blocks here: EC2 may refuse a prefix now and then, which costs one call, while counting
    /// the worst case for many nodes would leave them without prefixes for no reason.
    pub fn reserve(&mut self, actions: &[Action]) {
        for action in actions {
            if let Some((subnet, asked)) = action.asks_of_subnet()
                && let Some(subnet) = self.subnets.get_mut(subnet)
            {
                subnet.planned.addresses += asked.addresses;
                subnet.planned.prefixes += asked.prefixes;
            }
        }
    }

    /// Takes back what [`Self::reserve`] noted for an action that is over.
    pub(crate) fn unreserve(&mut self, action: &Action) {
        if let Some((subnet, asked)) = action.asks_of_subnet()
            && let Some(subnet) = self.subnets.get_mut(subnet)
        {
            subnet.planned.addresses = subnet.planned.addresses.saturating_sub(asked.addresses);
            subnet.planned.prefixes = subnet.planned.prefixes.saturating_sub(asked.prefixes);
        }
    }
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroupView {
    /// The VPC it is part of.
    pub vpc: VpcId,
    /// Its tags.
    pub tags: Tags,
}

/// A route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTableView {
    /// The VPC it is part of.
    pub vpc: VpcId,
    /// Subnets with an explicit association in state `associated`.
    pub subnets: BTreeSet<SubnetId>,
}

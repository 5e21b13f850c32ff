//! The resources, as plain values. They are at once what the machine keeps, what a reader at some moment sees, and what replies carry:
//! an object is shared (`Arc`) until it changes.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::id::{
    AddressAssociationId, AllocationId, AttachmentId, GroupId, InstanceId, InterfaceId,
    ReservationId, RouteAssociationId, RouteTableId, SubnetId, VpcId,
};
use crate::time::Moment;

/// Tags, by key.
pub type Tags = BTreeMap<String, String>;

/// A virtual network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// Its identifier.
    pub id: VpcId,
    /// The primary CIDR first, then the secondary ones; never empty.
    pub ipv4_cidrs: Vec<Ipv4Net>,
    /// The /56 blocks, if it has any.
    pub ipv6_cidrs: Vec<Ipv6Net>,
    /// Its tags.
    pub tags: Tags,
}

/// A subnet: one availability zone's part of a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its identifier.
    pub id: SubnetId,
    /// The VPC it is part of.
    pub vpc: VpcId,
    /// The name of its zone, such as `eu-west-1a`.
    pub zone: String,
    /// The identifier of its zone, such as `euw1-az1`.
    pub zone_id: String,
    /// /16 to /28, inside a CIDR of the VPC.
    pub ipv4_cidr: Ipv4Net,
    /// A /64 inside a CIDR of the VPC.
    pub ipv6_cidr: Option<Ipv6Net>,
    /// How many single IPv4 addresses are unused: `AvailableIpAddressCount`, as a reader sees it.
    pub available_ipv4: u32,
    /// Its tags.
    pub tags: Tags,
}

/// What a CIDR reservation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservationKind {
    /// EC2 picks prefixes there.
    Prefix,
    /// Only addresses that a caller names come from there.
    Explicit,
}

/// A part of a subnet from which EC2 picks no single addresses by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Its identifier.
    pub id: ReservationId,
    /// Where it lies.
    pub subnet: SubnetId,
    /// What is reserved.
    pub cidr: Ipv4Net,
    /// What for.
    pub kind: ReservationKind,
    /// As its creator said.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
}

/// A route table and the subnets that use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    /// Its identifier.
    pub id: RouteTableId,
    /// The VPC it is part of.
    pub vpc: VpcId,
    /// The identifier of the association that makes it the VPC's main table, if it is that.
    pub main: Option<RouteAssociationId>,
    /// The subnets that are associated with it.
    pub subnets: Vec<(RouteAssociationId, SubnetId)>,
    /// Destination and target, such as `0.0.0.0/0` and `igw-0123456789abcdef0`.
    pub routes: Vec<(String, String)>,
    /// Its tags.
    pub tags: Tags,
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroup {
    /// Its identifier.
    pub id: GroupId,
    /// The VPC it is part of.
    pub vpc: VpcId,
    /// Its name; `default` for the one every VPC has.
    pub name: String,
    /// As its creator said.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
}

/// Where an instance is in its life.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Starting.
    Pending,
    /// Running.
    Running,
    /// On its way to stopped.
    Stopping,
    /// Stopped; its addresses stay its own.
    Stopped,
    /// On its way to terminated.
    ShuttingDown,
    /// Gone, and still listed for a while.
    Terminated,
}

impl InstanceState {
    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }

    /// Its number in the API.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Running => 16,
            Self::ShuttingDown => 32,
            Self::Terminated => 48,
            Self::Stopping => 64,
            Self::Stopped => 80,
        }
    }
}

/// A virtual machine. Its interfaces are found by their attachments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its identifier.
    pub id: InstanceId,
    /// Its type, such as `m5.large`.
    pub instance_type: String,
    /// Where it is in its life.
    pub state: InstanceState,
    /// The subnet of its primary interface.
    pub subnet: SubnetId,
    /// The VPC of that subnet.
    pub vpc: VpcId,
    /// The zone of that subnet.
    pub zone: String,
    /// The address of its primary interface.
    pub private_ip: Ipv4Addr,
    /// When it was launched.
    pub launched_at: Moment,
    /// Its tags.
    pub tags: Tags,
}

/// Where a network interface is in its life, as `Status` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InterfaceStatus {
    /// Made, and not yet usable.
    Pending,
    /// Attached to nothing.
    Available,
    /// On its way to an instance.
    Attaching,
    /// Attached.
    InUse,
    /// On its way from an instance.
    Detaching,
}

impl InterfaceStatus {
    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Available => "available",
            Self::Attaching => "attaching",
            Self::InUse => "in-use",
            Self::Detaching => "detaching",
        }
    }
}

/// What kind of network interface it is, as `InterfaceType` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InterfaceKind {
    /// An ordinary one: `interface`.
    Interface,
    /// One that carries branch interfaces: `trunk`.
    Trunk,
    /// One of a managed service, under the name that EC2 gives it, such as `nat_gateway`.
    Other(String),
}

impl InterfaceKind {
    /// Its name in the API.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Interface => "interface",
            Self::Trunk => "trunk",
            Self::Other(name) => name,
        }
    }
}

/// Where an attachment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttachmentStatus {
    /// On its way to the instance.
    Attaching,
    /// There.
    Attached,
    /// On its way from the instance.
    Detaching,
    /// Gone.
    Detached,
}

impl AttachmentStatus {
    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attaching => "attaching",
            Self::Attached => "attached",
            Self::Detaching => "detaching",
            Self::Detached => "detached",
        }
    }
}

/// The attachment of a network interface to an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its identifier.
    pub id: AttachmentId,
    /// The instance; none when a managed service holds the interface.
    pub instance: Option<InstanceId>,
    /// The account that owns the instance, or the name of the service, such as `amazon-elb`.
    pub instance_owner: String,
    /// The index of the interface on its network card.
    pub device_index: u32,
    /// The network card.
    pub network_card: u32,
    /// Where it is in its life.
    pub status: AttachmentStatus,
    /// Whether the interface is deleted with its instance.
    pub delete_on_termination: bool,
    /// When it was asked for.
    pub attached_at: Moment,
}

/// The public address of a private one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// Its identifier.
    pub id: AddressAssociationId,
    /// Which Elastic IP address.
    pub allocation: AllocationId,
    /// That address.
    pub public_ip: Ipv4Addr,
}

/// A network interface (ENI).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its identifier.
    pub id: InterfaceId,
    /// The subnet it is in.
    pub subnet: SubnetId,
    /// The VPC of that subnet.
    pub vpc: VpcId,
    /// The zone of that subnet.
    pub zone: String,
    /// As its creator said.
    pub description: String,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// What kind it is.
    pub kind: InterfaceKind,
    /// Where it is in its life.
    pub status: InterfaceStatus,
    /// Its security groups, in the order given.
    pub groups: Vec<GroupId>,
    /// The primary private address: slot one.
    pub primary_ip: Ipv4Addr,
    /// The secondary private addresses, in the order they came.
    pub secondary_ips: Vec<Ipv4Addr>,
    /// The /28 prefixes, in the order they came.
    pub ipv4_prefixes: Vec<Ipv4Net>,
    /// The IPv6 addresses, in the order they came.
    pub ipv6_addresses: Vec<Ipv6Addr>,
    /// The /80 prefixes, in the order they came.
    pub ipv6_prefixes: Vec<Ipv6Net>,
    /// Public addresses, by the private one they stand for.
    pub associations: BTreeMap<Ipv4Addr, Association>,
    /// What it is attached to.
    pub attachment: Option<Attachment>,
    /// Whether it drops what is not addressed to it.
    pub source_dest_check: bool,
    /// The account or service that made it on somebody's behalf, such as `amazon-elb`.
    pub requester: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// Since when it was attached to nothing the last time: since it was made, or since its last attachment ended.
    pub loose_since: Moment,
    /// Its tags.
    pub tags: Tags,
}

impl Interface {
    /// How many IPv4 slots are taken: one for each address and one for each prefix.
    #[must_use]
    pub fn ipv4_slots(&self) -> usize {
        1 + self.secondary_ips.len() + self.ipv4_prefixes.len()
    }

    /// How many IPv6 slots are taken.
    #[must_use]
    pub fn ipv6_slots(&self) -> usize {
        self.ipv6_addresses.len() + self.ipv6_prefixes.len()
    }

    /// The instance it is attached to, or on its way to or from.
    #[must_use]
    pub fn instance(&self) -> Option<&InstanceId> {
        self.attachment.as_ref()?.instance.as_ref()
    }
}

/// A public address of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElasticIp {
    /// Its identifier.
    pub allocation: AllocationId,
    /// The address.
    pub public_ip: Ipv4Addr,
    /// What it stands for now.
    pub association: Option<ElasticIpTarget>,
    /// Its tags.
    pub tags: Tags,
}

/// What an Elastic IP address stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElasticIpTarget {
    /// Identifies the association.
    pub id: AddressAssociationId,
    /// The interface of the private address.
    pub interface: InterfaceId,
    /// The instance of that interface.
    pub instance: Option<InstanceId>,
    /// The private address.
    pub private_ip: Ipv4Addr,
}

/// A hardware address as EC2 writes it: lower-case, with colons.
#[must_use]
pub fn mac(octets: [u8; 6]) -> impl Display {
    std::fmt::from_fn(move |formatter| {
        for (position, octet) in octets.iter().enumerate() {
            let colon = if position == 0 { "" } else { ":" };
            write!(formatter, "{colon}{octet:02x}")?;
        }
        Ok(())
    })
}

/// The host name that a VPC's resolver has for a private address (EC2 user guide, instance hostname types).
#[must_use]
pub fn private_dns_name(region: &str, address: Ipv4Addr) -> impl Display {
    let [a, b, c, d] = address.octets();
    let domain = private_domain(region);
    std::fmt::from_fn(move |formatter| write!(formatter, "ip-{a}-{b}-{c}-{d}{}", domain.concat()))
}

/// What follows the host in such a name, in parts, the dot between them included.
pub(crate) fn private_domain(region: &str) -> [&str; 3] {
    match region {
        "us-east-1" => [".", "ec2", ".internal"],
        region => [".", region, ".compute.internal"],
    }
}

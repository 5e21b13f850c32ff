//! What is to be built: plain values, with defaults for all that is seldom said.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::id::{
    AllocationId, GroupId, InstanceId, InterfaceId, ReservationId, RouteTableId, SubnetId, VpcId,
};
use crate::model::{InstanceState, InterfaceKind, ReservationKind, Tags};

/// A VPC to build. Its `default` security group and its main route table come with it.
#[derive(Debug, Clone)]
pub struct NewVpc {
    /// Its id; a new one if not said.
    pub id: Option<VpcId>,
    /// The primary CIDR, /16 to /28.
    pub cidr: Ipv4Net,
    /// The secondary CIDRs.
    pub secondary_cidrs: Vec<Ipv4Net>,
    /// The IPv6 CIDRs, /44 to /60.
    pub ipv6_cidrs: Vec<Ipv6Net>,
    /// The id of its `default` security group; a new one if not said.
    pub default_group: Option<GroupId>,
    /// The id of its main route table; a new one if not said.
    pub main_route_table: Option<RouteTableId>,
    /// Its tags.
    pub tags: Tags,
}

impl NewVpc {
    /// A VPC of one CIDR.
    #[must_use]
    pub const fn new(cidr: Ipv4Net) -> Self {
        Self {
            id: None,
            cidr,
            secondary_cidrs: Vec::new(),
            ipv6_cidrs: Vec::new(),
            default_group: None,
            main_route_table: None,
            tags: Tags::new(),
        }
    }
}

/// A subnet to build.
#[derive(Debug, Clone)]
pub struct NewSubnet {
    /// Its id; a new one if not said.
    pub id: Option<SubnetId>,
    /// The VPC.
    pub vpc: VpcId,
    /// The zone's name: the Region's and a letter, such as `eu-west-1a`.
    pub zone: String,
    /// The zone's identifier, such as `euw1-az1`; made from the zone's name if not said.
    pub zone_id: Option<String>,
    /// /16 to /28, inside a CIDR of the VPC, beside its other subnets.
    pub ipv4_cidr: Ipv4Net,
    /// A /64 inside an IPv6 CIDR of the VPC.
    pub ipv6_cidr: Option<Ipv6Net>,
    /// Its tags.
    pub tags: Tags,
}

impl NewSubnet {
    /// A subnet without IPv6.
    #[must_use]
    pub fn new(vpc: VpcId, zone: &str, ipv4_cidr: Ipv4Net) -> Self {
        let zone = zone.to_owned();
        Self { id: None, vpc, zone, zone_id: None, ipv4_cidr, ipv6_cidr: None, tags: Tags::new() }
    }
}

/// A CIDR reservation to build.
#[derive(Debug, Clone)]
pub struct NewReservation {
    /// Its id; a new one if not said.
    pub id: Option<ReservationId>,
    /// The subnet.
    pub subnet: SubnetId,
    /// A part of the subnet that no other reservation covers.
    pub cidr: Ipv4Net,
    /// What for.
    pub kind: ReservationKind,
    /// Any text.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
}

/// A route table to build.
#[derive(Debug, Clone)]
pub struct NewRouteTable {
    /// Its id; a new one if not said.
    pub id: Option<RouteTableId>,
    /// The VPC.
    pub vpc: VpcId,
    /// The subnets that use it; they leave the table they used before.
    pub subnets: Vec<SubnetId>,
    /// Destination and target.
    pub routes: Vec<(String, String)>,
    /// Its tags.
    pub tags: Tags,
}

impl NewRouteTable {
    /// A table that no subnet uses yet.
    #[must_use]
    pub const fn new(vpc: VpcId) -> Self {
        Self { id: None, vpc, subnets: Vec::new(), routes: Vec::new(), tags: Tags::new() }
    }
}

/// A security group to build.
#[derive(Debug, Clone)]
pub struct NewSecurityGroup {
    /// Its id; a new one if not said.
    pub id: Option<GroupId>,
    /// The VPC.
    pub vpc: VpcId,
    /// Its name, unique in the VPC.
    pub name: String,
    /// Any text.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
}

impl NewSecurityGroup {
    /// A group without a description.
    #[must_use]
    pub fn new(vpc: VpcId, name: &str) -> Self {
        Self { id: None, vpc, name: name.to_owned(), description: String::new(), tags: Tags::new() }
    }
}

/// Addresses or prefixes of one family: these, and that many more that EC2 picks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding<Address, Prefix> {
    /// These single addresses.
    pub addresses: Vec<Address>,
    /// That many more.
    pub address_count: usize,
    /// These prefixes.
    pub prefixes: Vec<Prefix>,
    /// That many more.
    pub prefix_count: usize,
}

impl<Address, Prefix> Default for Holding<Address, Prefix> {
    fn default() -> Self {
        Self { addresses: Vec::new(), address_count: 0, prefixes: Vec::new(), prefix_count: 0 }
    }
}

/// The attachment of an interface to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttachment {
    /// The instance; none when a managed service holds the interface.
    pub instance: Option<InstanceId>,
    /// The account or service that owns the instance; the Region's account if not said.
    pub instance_owner: Option<String>,
    /// The index on the card.
    pub device_index: u32,
    /// The network card.
    pub network_card: u32,
    /// Whether the interface is deleted with its instance.
    pub delete_on_termination: bool,
}

/// An interface to build: attached at once, if it is to be attached.
#[derive(Debug, Clone)]
pub struct NewInterface {
    /// Its id; a new one if not said.
    pub id: Option<InterfaceId>,
    /// The subnet.
    pub subnet: SubnetId,
    /// Any text.
    pub description: String,
    /// What kind it is.
    pub kind: InterfaceKind,
    /// Groups of the VPC; its default group when there are none.
    pub groups: Vec<GroupId>,
    /// The primary address; picked if not said.
    pub primary_ip: Option<Ipv4Addr>,
    /// What it holds beside the primary address.
    pub ipv4: Holding<Ipv4Addr, Ipv4Net>,
    /// What it holds of IPv6.
    pub ipv6: Holding<Ipv6Addr, Ipv6Net>,
    /// What it is attached to.
    pub attachment: Option<NewAttachment>,
    /// Whether it drops what is not addressed to it.
    pub source_dest_check: bool,
    /// Who made it on somebody's behalf: such interfaces are detached and deleted by nobody else.
    pub requester: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

impl NewInterface {
    /// An ordinary interface with a primary address, attached to nothing.
    #[must_use]
    pub fn new(subnet: SubnetId) -> Self {
        Self {
            id: None,
            subnet,
            description: String::new(),
            kind: InterfaceKind::Interface,
            groups: Vec::new(),
            primary_ip: None,
            ipv4: Holding::default(),
            ipv6: Holding::default(),
            attachment: None,
            source_dest_check: true,
            requester: None,
            tags: Tags::new(),
        }
    }
}

/// An instance to build, with its primary interface. Further interfaces are built behind it, with an attachment that names it.
#[derive(Debug, Clone)]
pub struct NewInstance {
    /// Its id; a new one if not said.
    pub id: Option<InstanceId>,
    /// A type that the catalogue has.
    pub instance_type: String,
    /// `Pending` turns into `Running` in time; `Running` and `Stopped` stay.
    pub state: InstanceState,
    /// The primary interface; its attachment is made here (card 0, index 0, deleted with the instance) if not said.
    pub primary: NewInterface,
    /// Its tags.
    pub tags: Tags,
}

impl NewInstance {
    /// A running instance whose primary interface is in `subnet`.
    #[must_use]
    pub fn new(instance_type: &str, subnet: SubnetId) -> Self {
        Self {
            id: None,
            instance_type: instance_type.to_owned(),
            state: InstanceState::Running,
            primary: NewInterface::new(subnet),
            tags: Tags::new(),
        }
    }
}

/// An Elastic IP address to build.
#[derive(Debug, Clone)]
pub struct NewElasticIp {
    /// Its id; a new one if not said.
    pub allocation: Option<AllocationId>,
    /// The public address.
    pub public_ip: Ipv4Addr,
    /// The interface and private address it stands for.
    pub target: Option<(InterfaceId, Ipv4Addr)>,
    /// Its tags.
    pub tags: Tags,
}

impl NewElasticIp {
    /// An address that stands for nothing yet.
    #[must_use]
    pub const fn new(public_ip: Ipv4Addr) -> Self {
        Self { allocation: None, public_ip, target: None, tags: Tags::new() }
    }
}

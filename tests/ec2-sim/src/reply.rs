//! What the machine answers: a reply for each action, and how and when it reaches the caller.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::error::ApiError;
use crate::id::{AddressAssociationId, AttachmentId, InterfaceId};
use crate::instance_types::InstanceType;
use crate::model::{
    ElasticIp, Instance, Interface, Reservation, RouteTable, SecurityGroup, Subnet, Vpc,
};
use crate::time::Moment;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Identifies the request (`requestId`), in the form of a UUID.
    pub request_id: String,
    /// The reply or the refusal. What it says is true even where `delivery` keeps it from the caller.
    pub outcome: Result<Reply, ApiError>,
    /// When the answer reaches the caller.
    pub ready_at: Moment,
    /// How it does.
    pub delivery: Delivery,
}

/// How an answer reaches the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// As it is.
    Whole,
    /// Not at all: the connection is cut at `ready_at`.
    Cut,
    /// The status and this body take the answer's place: what a broken load balancer says, or cut-off XML.
    Replaced {
        /// The HTTP status.
        status: u16,
        /// The body, as `text/xml` or `text/html` by its first character's look.
        body: String,
    },
    /// The answer's own XML, cut off after so many bytes, with status 200.
    Truncated {
        /// How many bytes are left.
        bytes: usize,
    },
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<Item> {
    /// The items, ordered by id.
    pub items: Vec<Item>,
    /// Where the next page begins, if there is one.
    pub next_token: Option<String>,
}

/// A tag and what it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedResource {
    /// The id of what carries it.
    pub resource: String,
    /// The kind of resource, such as `network-interface`.
    pub resource_type: &'static str,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// An instance with its interfaces, ordered by network card and device index.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceView {
    /// The instance.
    pub instance: Arc<Instance>,
    /// What is attached to it.
    pub interfaces: Vec<InterfaceView>,
    /// The groups of its primary interface, with their names.
    pub groups: Vec<Arc<SecurityGroup>>,
}

/// An interface with the names of its groups, which the interface itself does not know.
#[derive(Debug, Clone, PartialEq)]
pub struct InterfaceView {
    /// The interface.
    pub interface: Arc<Interface>,
    /// The names of its groups, in the same order.
    pub group_names: Arc<[String]>,
}

/// A reply of any action.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The new ones only.
    AssignIpv6Addresses {
        /// To which interface.
        interface: InterfaceId,
        /// New addresses.
        addresses: Vec<Ipv6Addr>,
        /// New prefixes.
        prefixes: Vec<Ipv6Net>,
    },
    /// The new ones only.
    AssignPrivateIpAddresses {
        /// To which interface.
        interface: InterfaceId,
        /// New addresses.
        addresses: Vec<Ipv4Addr>,
        /// New prefixes.
        prefixes: Vec<Ipv4Net>,
    },
    /// The association that was made.
    AssociateAddress(AddressAssociationId),
    /// The attachment that was made.
    AttachNetworkInterface {
        /// Its identifier.
        attachment: AttachmentId,
        /// On which card.
        network_card: u32,
    },
    /// The interface that was made, and the client token if one was given.
    CreateNetworkInterface {
        /// The interface.
        interface: InterfaceView,
        /// The token that was given.
        client_token: Option<String>,
    },
    /// The reservation that was made.
    CreateSubnetCidrReservation(Arc<Reservation>),
    /// Done.
    CreateTags,
    /// Done.
    DeleteNetworkInterface,
    /// All that match.
    DescribeAddresses(Vec<Arc<ElasticIp>>),
    /// A page.
    DescribeInstanceTypes(Listed<&'static InstanceType>),
    /// A page.
    DescribeInstances(Listed<InstanceView>),
    /// A page.
    DescribeNetworkInterfaces(Listed<InterfaceView>),
    /// A page.
    DescribeRouteTables(Listed<Arc<RouteTable>>),
    /// A page.
    DescribeSecurityGroups(Listed<Arc<SecurityGroup>>),
    /// A page.
    DescribeSubnets(Listed<Arc<Subnet>>),
    /// A page.
    DescribeTags(Listed<TaggedResource>),
    /// A page.
    DescribeVpcs(Listed<Arc<Vpc>>),
    /// Done, or on its way.
    DetachNetworkInterface,
    /// A page.
    GetSecurityGroupsForVpc(Listed<Arc<SecurityGroup>>),
    /// Done.
    ModifyNetworkInterfaceAttribute,
    /// What was taken.
    UnassignIpv6Addresses {
        /// From which interface.
        interface: InterfaceId,
        /// These addresses.
        addresses: Vec<Ipv6Addr>,
        /// These prefixes.
        prefixes: Vec<Ipv6Net>,
    },
    /// Done.
    UnassignPrivateIpAddresses,
}

//! What a caller may ask: one value for each action, with the parameters that the EC2 API names.
//!
//! Values are parsed as far as their own form goes (an id looks like an id, an address is one); whether they fit together and
//! to the world is decided by the machine.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::id::{AllocationId, AttachmentId, GroupId, InstanceId, InterfaceId, SubnetId, VpcId};
use crate::model::{ReservationKind, Tags};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The access key of the signature: which principal it is, hence which account and permissions, is said in the world.
    pub access_key: String,
    /// The Region that the signature names.
    pub region: String,
    /// What the client says of itself.
    pub user_agent: String,
}

/// A request of any action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whether only permissions are checked (`DryRun`).
    pub dry_run: bool,
    /// What is asked.
    pub operation: Operation,
}

macro_rules! operations {
    ($($name:ident: $doc:literal,)*) => {
        /// The actions that the machine knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = $doc] $name,)*
        }

        impl Action {
            /// All of them, in the order of the API's reference.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name that the API uses.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The action of that name.
            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.name() == name)
            }
        }

        /// What is asked, with the parameters of the action.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Operation {
            $(#[doc = $doc] $name($name),)*
        }

        impl Operation {
            /// Which action it is.
            #[must_use]
            pub const fn action(&self) -> Action {
                match self {
                    $(Self::$name(_) => Action::$name,)*
                }
            }
        }
    };
}

operations! {
    AssignIpv6Addresses: "Gives a network interface IPv6 addresses or prefixes.",
    AssignPrivateIpAddresses: "Gives a network interface secondary private addresses or prefixes.",
    AssociateAddress: "Lets an Elastic IP address stand for a private one.",
    AttachNetworkInterface: "Attaches a network interface to an instance.",
    CreateNetworkInterface: "Makes a network interface.",
    CreateSubnetCidrReservation: "Reserves a part of a subnet.",
    CreateTags: "Adds or overwrites tags.",
    DeleteNetworkInterface: "Deletes a network interface that is attached to nothing.",
    DescribeAddresses: "Lists Elastic IP addresses.",
    DescribeInstanceTypes: "Lists instance types and what they can hold.",
    DescribeInstances: "Lists instances.",
    DescribeNetworkInterfaces: "Lists network interfaces.",
    DescribeRouteTables: "Lists route tables.",
    DescribeSecurityGroups: "Lists security groups.",
    DescribeSubnets: "Lists subnets.",
    DescribeTags: "Lists tags.",
    DescribeVpcs: "Lists VPCs.",
    DetachNetworkInterface: "Detaches a network interface from its instance.",
    GetSecurityGroupsForVpc: "Lists the security groups that can be used in a VPC.",
    ModifyNetworkInterfaceAttribute: "Changes one attribute of a network interface.",
    UnassignIpv6Addresses: "Takes IPv6 addresses or prefixes from a network interface.",
    UnassignPrivateIpAddresses: "Takes secondary private addresses or prefixes from a network interface.",
}

impl serde::Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown =
            || serde::de::Error::custom(format!("`{name}` is no action of this simulator"));
        Self::find(&name).ok_or_else(unknown)
    }
}

/// `Filter.N`: a name and the values of which one must match; `*` and `?` are wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Its name, such as `vpc-id` or `tag:team`.
    pub name: String,
    /// What may match.
    pub values: Vec<String>,
}

/// How a listing is cut into pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// `MaxResults`.
    pub max_results: Option<i64>,
    /// `NextToken`.
    pub next_token: Option<String>,
}

/// Filters and paging, and the ids by which most listings can be asked instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<Id> {
    /// The ids that are asked for; all when empty.
    pub ids: Vec<Id>,
    /// All must match.
    pub filters: Vec<Filter>,
    /// How the answer is cut.
    pub page: Page,
}

/// Addresses to give: either by name or by number, singly or as prefixes. At most one of the four may be said; the machine checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<Address, Prefix> {
    /// These addresses.
    pub addresses: Vec<Address>,
    /// That many addresses, which EC2 picks.
    pub address_count: Option<i64>,
    /// These prefixes.
    pub prefixes: Vec<Prefix>,
    /// That many prefixes, which EC2 picks.
    pub prefix_count: Option<i64>,
}

/// `TagSpecification.N`: the kind of resource and the tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagSpecification {
    /// `ResourceType`, such as `network-interface`.
    pub resource_type: String,
    /// The tags.
    pub tags: Tags,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignIpv6Addresses {
    /// `NetworkInterfaceId`.
    pub interface: InterfaceId,
    /// `Ipv6Addresses`, `Ipv6AddressCount`, `Ipv6Prefix`, `Ipv6PrefixCount`.
    pub wanted: Wanted<Ipv6Addr, Ipv6Net>,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignPrivateIpAddresses {
    /// `NetworkInterfaceId`.
    pub interface: InterfaceId,
    /// `PrivateIpAddress`, `SecondaryPrivateIpAddressCount`, `Ipv4Prefix`, `Ipv4PrefixCount`.
    pub wanted: Wanted<Ipv4Addr, Ipv4Net>,
    /// `AllowReassignment`.
    pub allow_reassignment: bool,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociateAddress {
    /// `AllocationId`.
    pub allocation: Option<AllocationId>,
    /// `PublicIp`.
    pub public_ip: Option<Ipv4Addr>,
    /// `InstanceId`.
    pub instance: Option<InstanceId>,
    /// `NetworkInterfaceId`.
    pub interface: Option<InterfaceId>,
    /// `PrivateIpAddress`.
    pub private_ip: Option<Ipv4Addr>,
    /// `AllowReassociation`; EC2 takes it as true when it is not said.
    pub allow_reassociation: Option<bool>,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachNetworkInterface {
    /// `NetworkInterfaceId`.
    pub interface: InterfaceId,
    /// `InstanceId`.
    pub instance: InstanceId,
    /// `DeviceIndex`.
    pub device_index: i64,
    /// `NetworkCardIndex`.
    pub network_card: Option<i64>,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateNetworkInterface {
    /// `SubnetId`.
    pub subnet: SubnetId,
    /// `Description`.
    pub description: String,
    /// `PrivateIpAddress`, or the one of `PrivateIpAddresses` that is `Primary`.
    pub primary_ip: Option<Ipv4Addr>,
    /// `PrivateIpAddresses` that are not primary, `SecondaryPrivateIpAddressCount`, `Ipv4Prefix`, `Ipv4PrefixCount`.
    pub ipv4: Wanted<Ipv4Addr, Ipv4Net>,
    /// `Ipv6Addresses`, `Ipv6AddressCount`, `Ipv6Prefix`, `Ipv6PrefixCount`.
    pub ipv6: Wanted<Ipv6Addr, Ipv6Net>,
    /// `SecurityGroupId`.
    pub groups: Vec<GroupId>,
    /// `InterfaceType`.
    pub kind: Option<String>,
    /// `TagSpecification`.
    pub tag_specifications: Vec<TagSpecification>,
    /// `ClientToken`.
    pub client_token: Option<String>,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSubnetCidrReservation {
    /// `SubnetId`.
    pub subnet: SubnetId,
    /// `Cidr`.
    pub cidr: Ipv4Net,
    /// `ReservationType`.
    pub kind: ReservationKind,
    /// `Description`.
    pub description: String,
    /// `TagSpecification`.
    pub tag_specifications: Vec<TagSpecification>,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTags {
    /// `ResourceId`: ids of any kind.
    pub resources: Vec<String>,
    /// `Tag`.
    pub tags: Tags,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteNetworkInterface {
    /// `NetworkInterfaceId`.
    pub interface: InterfaceId,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeAddresses {
    /// `AllocationId`.
    pub allocations: Vec<AllocationId>,
    /// `PublicIp`.
    pub public_ips: Vec<Ipv4Addr>,
    /// `Filter`.
    pub filters: Vec<Filter>,
}

/// Parameters of the action. The ids are names of types (`InstanceType`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeInstanceTypes(pub Listing<String>);

/// Parameters of the action (`InstanceId`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeInstances(pub Listing<InstanceId>);

/// Parameters of the action (`NetworkInterfaceId`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeNetworkInterfaces(pub Listing<InterfaceId>);

/// Parameters of the action (`RouteTableId`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeRouteTables(pub Listing<crate::id::RouteTableId>);

/// Parameters of the action (`GroupId`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeSecurityGroups {
    /// Ids, filters and page.
    pub listing: Listing<GroupId>,
    /// `GroupName`.
    pub names: Vec<String>,
}

/// Parameters of the action (`SubnetId`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeSubnets(pub Listing<SubnetId>);

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeTags {
    /// `Filter`.
    pub filters: Vec<Filter>,
    /// How the answer is cut.
    pub page: Page,
}

/// Parameters of the action (`VpcId`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeVpcs(pub Listing<VpcId>);

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachNetworkInterface {
    /// `AttachmentId`.
    pub attachment: AttachmentId,
    /// `Force`.
    pub force: bool,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetSecurityGroupsForVpc {
    /// `VpcId`.
    pub vpc: VpcId,
    /// `Filter`.
    pub filters: Vec<Filter>,
    /// How the answer is cut.
    pub page: Page,
}

/// Parameters of the action: the call takes one attribute at a time; the machine checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModifyNetworkInterfaceAttribute {
    /// `NetworkInterfaceId`.
    pub interface: InterfaceId,
    /// `Attachment.AttachmentId` and `Attachment.DeleteOnTermination`.
    pub delete_on_termination: Option<(Option<AttachmentId>, Option<bool>)>,
    /// `Description.Value`.
    pub description: Option<String>,
    /// `SecurityGroupId`; none when it was not said.
    pub groups: Option<Vec<GroupId>>,
    /// `SourceDestCheck.Value`.
    pub source_dest_check: Option<bool>,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnassignIpv6Addresses {
    /// `NetworkInterfaceId`.
    pub interface: InterfaceId,
    /// `Ipv6Addresses`.
    pub addresses: Vec<Ipv6Addr>,
    /// `Ipv6Prefix`.
    pub prefixes: Vec<Ipv6Net>,
}

/// Parameters of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnassignPrivateIpAddresses {
    /// `NetworkInterfaceId`.
    pub interface: InterfaceId,
    /// `PrivateIpAddress`.
    pub addresses: Vec<Ipv4Addr>,
    /// `Ipv4Prefix`.
    pub prefixes: Vec<Ipv4Net>,
}

//! What is said to EC2 and what it answers, in the words of the core. One [`Call`] is one request.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv4Addr;
use core::time::Duration;

use ipnet::{Ipv4Net, Ipv6Net};
use limits::Reported;

use crate::action::Action;
use crate::ids::{
    AttachmentId, EniId, InstanceId, InstanceType, NodeName, RouteTableId, SecurityGroupId,
    SubnetId, VpcId,
};
use crate::time::Tick;
use crate::view::{EniView, RouteTableView, SecurityGroupView, SubnetView, Tags, VpcView};

macro_rules! apis {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The actions of EC2 that Berth calls. Each has a token bucket of its own at EC2, and one in
        /// [`budget`](crate::budget) (EC2 API reference, request throttling).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Api {
            $($(#[$doc])* $name,)*
        }

        impl Api {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name of the action at EC2, which is also what policies and metrics call it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

apis! {
    /// Single addresses and /28 prefixes for an interface.
    AssignPrivateIpAddresses,
    /// Single addresses and /28 prefixes off an interface.
    UnassignPrivateIpAddresses,
    /// A /80 prefix for an interface.
    AssignIpv6Addresses,
    /// A new interface with all that it is to hold.
    CreateNetworkInterface,
    /// An interface to an instance.
    AttachNetworkInterface,
    /// An interface from its instance.
    DetachNetworkInterface,
    /// Whether an interface ends with its instance, and its security groups.
    ModifyNetworkInterfaceAttribute,
    /// The end of an interface that is attached to nothing.
    DeleteNetworkInterface,
    /// Interfaces and what they hold.
    DescribeNetworkInterfaces,
    /// Subnets and how many addresses are free.
    DescribeSubnets,
    /// CIDRs of a VPC.
    DescribeVpcs,
    /// Security groups with all of their rules, which nobody here reads.
    DescribeSecurityGroups,
    /// Security groups without their rules.
    GetSecurityGroupsForVpc,
    /// Which subnets share a route table.
    DescribeRouteTables,
    /// What instance types can hold.
    DescribeInstanceTypes,
}

impl Api {
    /// Whether it changes anything.
    #[must_use]
    pub const fn is_mutation(self) -> bool {
        matches!(
            self,
            Self::AssignPrivateIpAddresses
                | Self::UnassignPrivateIpAddresses
                | Self::AssignIpv6Addresses
                | Self::CreateNetworkInterface
                | Self::AttachNetworkInterface
                | Self::DetachNetworkInterface
                | Self::ModifyNetworkInterfaceAttribute
                | Self::DeleteNetworkInterface
        )
    }
}

impl fmt::Display for Api {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Names one call, never used twice by one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// One request to EC2, complete: who carries it out has nothing to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which call it is; its answer names it.
    pub id: CallId,
    /// What is asked.
    pub request: Request,
}

/// What is asked of EC2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Something is to change.
    Mutate(Mutation),
    /// Something is to be observed.
    Read(Read),
}

impl Request {
    /// The action of EC2 that carries it out.
    #[must_use]
    pub const fn api(&self) -> Api {
        match self {
            Self::Mutate(mutation) => mutation.action.api(),
            Self::Read(read) => read.api(),
        }
    }
}

/// A change for one node, or of an interface that no node claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// The node; `None` for an interface that is cleaned up.
    pub node: Option<NodeName>,
    /// Its instance, or the one that the interface was made for.
    pub instance: InstanceId,
    /// The change.
    pub action: Action,
    /// With this a `CreateNetworkInterface` that is sent again makes nothing twice and answers with what
    /// was made (`ClientToken`). The other actions have none at EC2.
    pub token: String,
    /// When the change was sent first. A repeated `CreateNetworkInterface` must be the same to the
    /// letter, so its tag with the time of creation comes from here.
    pub first_sent: Tick,
}

impl fmt::Display for Mutation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(node) = &self.node {
            write!(out, "{node}: ")?;
        }
        self.action.fmt(out)
    }
}

/// The place where the next page starts, as EC2 named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(pub String);

/// Something to be observed. All of them are filtered, and what has pages is paged, so that EC2 takes
/// them from its larger bucket and none is refused for its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Interfaces.
    Enis {
        /// Which ones.
        scope: EniScope,
        /// Where to start; `None` at the beginning.
        page: Option<PageToken>,
    },
    /// The subnets of a VPC.
    Subnets {
        /// The VPC.
        vpc: VpcId,
        /// Where to start; `None` at the beginning.
        page: Option<PageToken>,
    },
    /// A VPC and its CIDRs.
    Vpc {
        /// The VPC.
        vpc: VpcId,
    },
    /// The security groups of a VPC.
    SecurityGroups {
        /// The VPC.
        vpc: VpcId,
        /// `GetSecurityGroupsForVpc`, which leaves the rules out; else `DescribeSecurityGroups`.
        without_rules: bool,
        /// Where to start; `None` at the beginning.
        page: Option<PageToken>,
    },
    /// The route tables of a VPC.
    RouteTables {
        /// The VPC.
        vpc: VpcId,
        /// Where to start; `None` at the beginning.
        page: Option<PageToken>,
    },
    /// What instance types can hold.
    InstanceTypes {
        /// The types, at least 1 and at most 100.
        types: Vec<InstanceType>,
    },
}

impl Read {
    /// The action of EC2 that carries it out.
    #[must_use]
    pub const fn api(&self) -> Api {
        match self {
            Self::Enis { .. } => Api::DescribeNetworkInterfaces,
            Self::Subnets { .. } => Api::DescribeSubnets,
            Self::Vpc { .. } => Api::DescribeVpcs,
            Self::SecurityGroups { without_rules: true, .. } => Api::GetSecurityGroupsForVpc,
            Self::SecurityGroups { .. } => Api::DescribeSecurityGroups,
            Self::RouteTables { .. } => Api::DescribeRouteTables,
            Self::InstanceTypes { .. } => Api::DescribeInstanceTypes,
        }
    }
}

/// Which interfaces are to be observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EniScope {
    /// All in a VPC, attached or not.
    Vpc(VpcId),
    /// Those attached to instances: at least 1 and at most 200, the values one filter takes.
    Instances(Vec<InstanceId>),
    /// Those that are attached to nothing and have all of these tags, by filter.
    Unattached {
        /// The VPC; `None`: all of the Region.
        vpc: Option<VpcId>,
        /// At least one tag.
        tags: Tags,
    },
    /// Those with one of these ids, by filter, so that one that is gone is missing in the answer and no
    /// error. At least 1 and at most 200.
    Ids(Vec<EniId>),
}

/// What EC2 answered to a call that it carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To an assignment: what is new, and nothing else. May hold less than was asked for.
    Assigned(Assigned),
    /// To `CreateNetworkInterface`: the interface, attached to nothing.
    Created(EniView),
    /// To `AttachNetworkInterface`.
    Attached(AttachmentId),
    /// To a change that has nothing to say.
    Done,
    /// A page of interfaces.
    Enis(EniPage),
    /// A page of subnets. `free_blocks`, `refused` and `planned` are empty: EC2 does not know them.
    Subnets(Page<(SubnetId, SubnetView)>),
    /// A VPC; `None` when EC2 does not know it.
    Vpc(Option<VpcView>),
    /// A page of security groups.
    SecurityGroups(Page<(SecurityGroupId, SecurityGroupView)>),
    /// A page of route tables.
    RouteTables(Page<(RouteTableId, RouteTableView)>),
    /// What the types that EC2 knows can hold.
    InstanceTypes(Vec<(InstanceType, Reported)>),
}

/// What an assignment brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assigned {
    /// Single addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// /28 prefixes.
    pub prefixes: Vec<Ipv4Net>,
    /// /80 prefixes.
    pub ipv6_prefixes: Vec<Ipv6Net>,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What could be read of it.
    pub items: Vec<T>,
    /// What could not be read, for people: which item, what was found and what was expected.
    pub unreadable: Vec<String>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<PageToken>,
}

/// One page of interfaces.
pub type EniPage = Page<ListedEni>;

/// One interface of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEni {
    /// The interface.
    pub eni: EniView,
    /// The instance it is attached to; `None` when it is attached to nothing.
    pub instance: Option<InstanceId>,
    /// How long ago it was made, by the tag with the time of its creation, when the listing was answered; zero
    /// where that is to come. `None` without a tag that can be read.
    pub age: Option<Duration>,
}

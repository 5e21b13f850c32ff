//! Why a node does not get what it wants. One enum for events, conditions, metric labels, CNI errors
//! and the command line, so that all of them say the same.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::call::Api;
use crate::ids::{EniId, InstanceId, InstanceType, NodeName, SubnetId};
use crate::view::Tags;

/// Why something was held back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// No interface of the instance was ever seen, so nothing is known about it.
    InstanceNotObserved {
        /// The instance.
        instance: InstanceId,
    },
    /// The instance is starting or ending; EC2 refuses attachments.
    InstanceNotRunning {
        /// The instance.
        instance: InstanceId,
    },
    /// Nobody knows what the instance type can hold. Never guessed.
    LimitsUnknown {
        /// The type.
        instance_type: InstanceType,
    },
    /// Every slot of the instance that pods may use is taken.
    InstanceFull {
        /// The type, which says how many slots there are.
        instance_type: InstanceType,
    },
    /// An interface is being attached or detached. When it has arrived or gone there is more room.
    InterfaceInTransit {
        /// The interface.
        eni: EniId,
    },
    /// An interface that was made for the node cannot be attached to it: it holds more than the type
    /// takes or than `max-allocate` allows, or it is left alone. It is deleted if Berth made it and nothing keeps it.
    InterfaceUnusable {
        /// The interface.
        eni: EniId,
    },
    /// EC2 has been detaching an interface for minutes: the instance does not let go of it.
    InterfaceStuck {
        /// The interface.
        eni: EniId,
    },
    /// Interfaces that are made for the node would be left alone by its own `exclude-interface-tags`.
    NewInterfacesExcluded {
        /// The tags as given.
        tags: Tags,
    },
    /// `max-allocate` of the node is reached.
    MaxAllocateReached {
        /// Its value.
        max_allocate: u32,
    },
    /// `subnet-ids` of the node name no subnet in its VPC and zone.
    NoSubnetWithId {
        /// The ids as given.
        ids: Vec<SubnetId>,
    },
    /// No subnet in the VPC and zone of the node has all of its `subnet-tags`.
    NoSubnetWithTags {
        /// The tags as given.
        tags: Tags,
    },
    /// There is no known subnet in the VPC and zone of the node.
    NoSubnet,
    /// The subnets that the node may use have nothing left for it, or refused a short while ago.
    SubnetsExhausted {
        /// The subnets, those of its attached interfaces first.
        subnets: Vec<SubnetId>,
    },
    /// A subnet has no free /28 block, or too few to return to prefixes: single addresses are used there.
    NoFreePrefix {
        /// The subnet.
        subnet: SubnetId,
    },
    /// The subnet of an interface is not known, so nothing is taken from it.
    SubnetUnknown {
        /// The interface.
        eni: EniId,
        /// The subnet.
        subnet: SubnetId,
    },
    /// No security group in the VPC of the node has all of its `security-group-tags`.
    NoSecurityGroupWithTags {
        /// The tags as given.
        tags: Tags,
    },
    /// The node names no security groups and its primary interface shows none.
    NoSecurityGroup,
    /// IPv6 was asked for and no subnet that the node may use has an IPv6 range with a slot to put it in.
    NoIpv6Subnet,
    /// IPv6 was asked for and the instance type takes no IPv6 prefixes.
    NoIpv6OnType {
        /// The type.
        instance_type: InstanceType,
    },
    /// What the node's owner asked for cannot be read for certain, so nothing is planned for it.
    SettingsUnreadable,
    /// The node does not say which instance it is.
    InstanceNotNamed,
    /// Another `CiliumNode` names the same instance: whose its interfaces are cannot be told.
    InstanceShared {
        /// The other one.
        other: NodeName,
    },
    /// An action of EC2 that the node needs is not allowed to the operator.
    MissingPermission {
        /// The action.
        api: Api,
    },
    /// What the node needs waits for its turn: as many calls are made as EC2 allows.
    Throttled {
        /// The action.
        api: Api,
    },
    /// EC2 does not answer, or could not be asked.
    NoAnswer {
        /// The action.
        api: Api,
    },
    /// EC2 refuses what the node needs, and only a person can change that.
    Refused {
        /// The action.
        api: Api,
        /// EC2's error code.
        code: String,
    },
    /// Nobody knows yet what the last change of an interface did: it is being observed.
    InterfaceInDoubt {
        /// The interface.
        eni: EniId,
    },
    /// As many interfaces were made in the last hour as may be.
    CreationCapReached {
        /// How many that is.
        per_hour: u32,
    },
    /// The account's quota of interfaces in the Region is used up.
    InterfaceQuotaReached,
    /// Somebody else does the operator's work for the node, so the operator does nothing.
    RivalOperator {
        /// Who, as far as it is known.
        who: String,
    },
    /// The operator only observes: it says what it would do and changes nothing.
    OnlyObserved,
    /// The subnet of an interface is kept out by the operator-wide subnet filters.
    SubnetFilteredOut {
        /// The interface.
        eni: EniId,
        /// The subnet.
        subnet: SubnetId,
    },
}

impl Reason {
    /// A short fixed name, fit for a metric label and for the reason of an event.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::InstanceNotObserved { .. } => "InstanceNotObserved",
            Self::InstanceNotRunning { .. } => "InstanceNotRunning",
            Self::LimitsUnknown { .. } => "LimitsUnknown",
            Self::InstanceFull { .. } => "InstanceFull",
            Self::MaxAllocateReached { .. } => "MaxAllocateReached",
            Self::NoSubnetWithId { .. } => "NoSubnetWithId",
            Self::NoSubnetWithTags { .. } => "NoSubnetWithTags",
            Self::NoSubnet => "NoSubnet",
            Self::SubnetsExhausted { .. } => "SubnetsExhausted",
            Self::InterfaceInTransit { .. } => "InterfaceInTransit",
            Self::InterfaceUnusable { .. } => "InterfaceUnusable",
            Self::InterfaceStuck { .. } => "InterfaceStuck",
            Self::NewInterfacesExcluded { .. } => "NewInterfacesExcluded",
            Self::NoFreePrefix { .. } => "NoFreePrefix",
            Self::SubnetUnknown { .. } => "SubnetUnknown",
            Self::NoSecurityGroupWithTags { .. } => "NoSecurityGroupWithTags",
            Self::NoSecurityGroup => "NoSecurityGroup",
            Self::NoIpv6Subnet => "NoIpv6Subnet",
            Self::NoIpv6OnType { .. } => "NoIpv6OnType",
            Self::SettingsUnreadable => "SettingsUnreadable",
            Self::InstanceNotNamed => "InstanceNotNamed",
            Self::InstanceShared { .. } => "InstanceShared",
            Self::MissingPermission { .. } => "MissingPermission",
            Self::Throttled { .. } => "Throttled",
            Self::NoAnswer { .. } => "NoAnswer",
            Self::Refused { .. } => "Refused",
            Self::InterfaceInDoubt { .. } => "InterfaceInDoubt",
            Self::CreationCapReached { .. } => "CreationCapReached",
            Self::InterfaceQuotaReached => "InterfaceQuotaReached",
            Self::RivalOperator { .. } => "RivalOperator",
            Self::OnlyObserved => "OnlyObserved",
            Self::SubnetFilteredOut { .. } => "SubnetFilteredOut",
        }
    }
}

impl Reason {
    /// Whether IPv4 addresses are missing for this reason, and not only their form or IPv6.
    pub(crate) const fn is_about_addresses(&self) -> bool {
        !matches!(
            self,
            Self::NoFreePrefix { .. }
                | Self::InterfaceUnusable { .. }
                | Self::InterfaceStuck { .. }
                | Self::NoIpv6Subnet
                | Self::NoIpv6OnType { .. }
        )
    }

    /// Whether it ends by itself, mostly within seconds.
    pub(crate) const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::InterfaceInTransit { .. }
                | Self::InterfaceInDoubt { .. }
        )
    }

    /// Whether the node has all that it may have, which is no trouble as long as no pod waits.
    pub(crate) const fn is_fullness(&self) -> bool {
        matches!(self, Self::InstanceFull { .. } | Self::MaxAllocateReached { .. })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InstanceNotObserved { instance } => {
                write!(
                    out,
                    "no interface of {instance} was seen: it is new to EC2's answers, or gone"
                )
            }
            Self::InstanceNotRunning { instance } => {
                write!(out, "{instance} is not running: interfaces cannot be attached now")
            }
            Self::LimitsUnknown { instance_type } => write!(
                out,
                "the limits of {instance_type} are unknown: give them as an override, or allow DescribeInstanceTypes"
            ),
            Self::InstanceFull { instance_type } => {
                write!(out, "every slot for pods of this {instance_type} is taken")
            }
            Self::MaxAllocateReached { max_allocate } => {
                write!(out, "max-allocate {max_allocate} is reached")
            }
            Self::NoSubnetWithId { ids } => {
                write!(out, "subnet-ids {ids:?} name no subnet in the node's VPC and zone")
            }
            Self::NoSubnetWithTags { tags } => {
                write!(out, "no subnet in the node's VPC and zone has all of {tags:?}")
            }
            Self::NoSubnet => out.write_str("no subnet is known in the node's VPC and zone"),
            Self::SubnetsExhausted { subnets } => {
                write!(out, "nothing is left in {}", FirstOf(subnets))
            }
            Self::InterfaceInTransit { eni } => {
                write!(out, "{eni} is being attached or detached: there is more room afterwards")
            }
            Self::InterfaceUnusable { eni } => write!(
                out,
                "{eni} was made for this node and cannot be attached to it: Berth deletes it if Berth made it and no tag keeps it; otherwise delete it or its tag"
            ),
            Self::InterfaceStuck { eni } => write!(
                out,
                "EC2 has been detaching {eni} for minutes: look on the instance at what keeps it, or detach it by force (aws ec2 detach-network-interface --force)"
            ),
            Self::NewInterfacesExcluded { tags } => {
                write!(
                    out,
                    "exclude-interface-tags {tags:?} exclude the interfaces made for the node: change them, or --eni-tags"
                )
            }
            Self::NoFreePrefix { subnet } => {
                write!(out, "{subnet} has too few free /28 blocks: single addresses are used")
            }
            Self::SubnetUnknown { eni, subnet } => {
                write!(out, "{subnet} of {eni} is not known: nothing is taken from it")
            }
            Self::NoSecurityGroupWithTags { tags } => {
                write!(out, "no security group in the node's VPC has all of {tags:?}")
            }
            Self::NoSecurityGroup => {
                out.write_str("no security groups are named and the primary interface shows none: name them in spec.eni.security-groups")
            }
            Self::NoIpv6Subnet => out.write_str(
                "IPv6 is asked for, and no usable subnet with an IPv6 range has a slot for it",
            ),
            Self::NoIpv6OnType { instance_type } => {
                write!(out, "IPv6 is asked for, and {instance_type} takes no IPv6 prefixes")
            }
            _ => self.fmt_of_operator(out),
        }
    }
}

impl Reason {
    /// The reasons that lie with the operator, and not with the node or its network.
    fn fmt_of_operator(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SettingsUnreadable => out.write_str(
                "what the node asks for cannot be read: correct its spec.eni and spec.ipam",
            ),
            Self::InstanceShared { other } => write!(
                out,
                "the CiliumNode {other} names the same instance: delete the one that is not the instance's"
            ),
            Self::InstanceNotNamed => out.write_str(
                "the node does not say which instance it is: its agent has to fill spec.instance-id and spec.eni",
            ),
            Self::MissingPermission { api } => {
                let tags = match api {
                    Api::CreateNetworkInterface => ", or ec2:CreateTags along with it,",
                    _ => "",
                };
                write!(out, "ec2:{api}{tags} is not allowed: `berth-operator check` says what to grant")
            }
            Self::Throttled { api } => {
                write!(out, "waits for its turn: {api} is called as often as EC2 and the settings allow")
            }
            Self::NoAnswer { api } => write!(out, "EC2 does not answer to {api}"),
            Self::Refused { api, code } => write!(out, "EC2 refuses {api} with {code}: the log has the rest"),
            Self::InterfaceInDoubt { eni } => {
                write!(out, "the last change of {eni} was not answered: it is being observed")
            }
            Self::CreationCapReached { per_hour } => {
                write!(out, "{per_hour} interfaces were made within an hour, which is --max-eni-creations-per-hour")
            }
            Self::InterfaceQuotaReached => out.write_str(
                "the quota of network interfaces in the Region is used up: delete some or raise it",
            ),
            Self::RivalOperator { who } => write!(
                out,
                "somebody else does the operator's work{}{who}: one of the two has to stop",
                if who.is_empty() { "" } else { ": " }
            ),
            Self::OnlyObserved => {
                out.write_str("--mode=observe changes nothing: the log says what would be done")
            }
            Self::SubnetFilteredOut { eni, subnet } => {
                write!(out, "{subnet} of {eni} is kept out by --subnet-ids-filter or --subnet-tags-filter")
            }
            _ => out.write_str(self.label()),
        }
    }
}

/// The first few of many subnets.
struct FirstOf<'a>(&'a [SubnetId]);

impl fmt::Display for FirstOf<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        for (position, subnet) in self.0.iter().take(SHOWN).enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(out, "{separator}{subnet}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(out, " and {more} more"),
        }
    }
}

/// Something the node wants and does not get by the plan, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Why.
    pub reason: Reason,
    /// How many IPv4 addresses short of its demand the node stays for this reason and those beside it
    /// in the plan. 0 where no address is missing, but their form, IPv6 or an interface; and where
    /// too little is known of the node to tell.
    pub short: u32,
}

/// A text for people who read plans. Tools read the fields.
impl fmt::Display for Blocked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.short {
            0 => write!(out, "{}", self.reason),
            short => write!(out, "{} (short by {short})", self.reason),
        }
    }
}

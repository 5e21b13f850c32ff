//! The actions of EC2 that Berth uses, and what each is good for.

use serde::Serialize;

/// Whether Berth works without an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needed {
    /// It does not.
    Required,
    /// It does, with less.
    Optional,
}

impl Needed {
    /// One word for a table.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
        }
    }
}

macro_rules! probes {
    ($($name:ident $needed:ident $without:literal;)*) => {
        /// An action of EC2 that Berth uses, as policies call it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Probe {
            $(#[doc = concat!("Without it: ", $without, ".")] $name,)*
        }

        impl Probe {
            /// All of them, in the order in which they are tried and shown.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name at EC2.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// Whether Berth works without it.
            #[must_use]
            pub const fn needed(self) -> Needed {
                match self {
                    $(Self::$name => Needed::$needed,)*
                }
            }

            /// What its absence costs, in one line.
            #[must_use]
            pub const fn without(self) -> &'static str {
                match self {
                    $(Self::$name => $without,)*
                }
            }
        }
    };
}

probes! {
    DescribeNetworkInterfaces Required "nothing is known of what nodes have, and nothing is done";
    DescribeSubnets Required "no interface can be made, because no subnet is known";
    CreateNetworkInterface Required "nodes have the interfaces they were launched with, and no more";
    CreateTags Required "no interface can be made, because each is tagged where it is made";
    AttachNetworkInterface Required "interfaces are made and cannot be used";
    ModifyNetworkInterfaceAttribute Required "interfaces stay behind when their instances end, and behind other security groups";
    AssignPrivateIpAddresses Required "interfaces hold what they were made with, and no more";
    DeleteNetworkInterface Required "interfaces that no node can use or claims stay and cost addresses";
    UnassignPrivateIpAddresses Optional "nodes keep the addresses that they do not need";
    DetachNetworkInterface Optional "interfaces that hold nothing stay attached";
    AssignIpv6Addresses Optional "interfaces that exist get no IPv6 prefix";
    DescribeVpcs Optional "the CIDRs of the VPC are missing in status.eni of each node";
    DescribeRouteTables Optional "a subnet is chosen without regard to its route table";
    GetSecurityGroupsForVpc Optional "DescribeSecurityGroups is used, which sends all rules along";
    DescribeSecurityGroups Optional "security-group-tags work only where GetSecurityGroupsForVpc is allowed";
    DescribeInstanceTypes Optional "types that are newer than this release get no addresses unless their limits are set";
}

impl Probe {
    /// Whether the action takes `DryRun` (EC2 API reference).
    pub(super) const fn takes_dry_run(self) -> bool {
        !matches!(
            self,
            Self::AssignPrivateIpAddresses
                | Self::UnassignPrivateIpAddresses
                | Self::AssignIpv6Addresses
        )
    }
}

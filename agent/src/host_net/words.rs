//! What there is in the host's network, as far as it matters to pods on secondary interfaces.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipam_core::ids::EniId;
use ipam_core::pool::Family;
use ipnet::{IpNet, Ipv4Net};

/// The numbers that tell Berth's rules and routes from everybody else's (reference: agent section 4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// `rtm_protocol` of all that Berth makes, and of nothing else.
    pub protocol: u8,
    /// The priority of rules that deliver to pods of this node.
    pub to_pods: u32,
    /// The priority of the rule for traffic that is masqueraded: it leaves by the primary interface.
    pub masqueraded: u32,
    /// The priority of rules by which traffic of pods leaves by the interface that holds their address.
    pub from_pods: u32,
    /// The routing table of an interface is this and its device index.
    pub first_table: u32,
    /// The mark of packets that are masqueraded, value and mask alike.
    pub mark: u32,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            protocol: 66,
            to_pods: 20,
            masqueraded: 110,
            from_pods: 111,
            first_table: 10,
            mark: 0x0100,
        }
    }
}

impl Numbers {
    /// The routing table of the interface with a device index.
    #[must_use]
    pub const fn table(&self, number: u32) -> u32 {
        self.first_table.saturating_add(number)
    }
}

/// What is to be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The interfaces of the instance that carry pods, the primary one included if it does.
    pub enis: BTreeMap<EniId, WantedEni>,
    /// CIDRs of which an address is in use, with the interface that each is on.
    pub used: BTreeMap<IpNet, EniId>,
    /// The MTU of secondary interfaces; that of the primary one's device where it is not said.
    pub mtu: Option<u32>,
    /// Whether traffic of pods that leaves the VPC is masqueraded.
    pub masquerade: bool,
}

/// An interface that carries pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedEni {
    /// Its MAC, in lower case with colons.
    pub mac: String,
    /// Its device index; 0 is the primary interface, whose device is the host's own business.
    pub number: u32,
    /// Its primary address, where it is known and not a pod's.
    pub primary: Option<Ipv4Addr>,
    /// Its subnet, where it is known.
    pub subnet: Option<Ipv4Net>,
    /// The CIDRs of its VPC.
    pub vpc: BTreeSet<IpNet>,
}

/// What the kernel has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kernel {
    /// Its network devices, by their index.
    pub links: BTreeMap<u32, Link>,
    /// The addresses on them.
    pub addresses: BTreeSet<(u32, IpNet)>,
    /// The rules with Berth's protocol number.
    pub rules: BTreeSet<Rule>,
    /// The routes in tables that are not the kernel's own (local, main, default), with those of Berth's protocol number.
    pub routes: BTreeSet<Route>,
    /// `net.ipv4.conf.all.rp_filter`.
    pub reverse_path_of_all: u8,
    /// What is masqueraded now, if Berth's table is there; nothing of nothing where the table is not as Berth makes it.
    pub masquerade: Option<Masquerade>,
}

/// A network device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name, which may change.
    pub name: String,
    /// Its MAC, in lower case with colons.
    pub mac: String,
    /// The largest packet, in bytes.
    pub mtu: u32,
    /// Whether it is up, by configuration.
    pub up: bool,
    /// Whether it is the lower part of a bond or a team, so that its MAC stands twice and its upper part is meant.
    pub enslaved: bool,
    /// `net.ipv4.conf.DEVICE.rp_filter`; none where it cannot be read.
    pub reverse_path: Option<u8>,
}

/// A rule of Berth.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Its priority.
    pub priority: u32,
    /// For which packets.
    pub selector: Selector,
    /// Which table is asked.
    pub table: u32,
}

/// Which packets a rule is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// Those with a source in it.
    From(IpNet),
    /// Those with a destination in it.
    To(IpNet),
    /// Those of a family with this mark.
    Mark {
        /// Of which family.
        family: Family,
        /// Value and mask.
        mark: u32,
    },
    /// Anything else: not something that Berth makes, though it has its number.
    Other {
        /// Of which family.
        family: Family,
        /// Its text, for whoever looks for it.
        text: String,
    },
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// In which table.
    pub table: u32,
    /// To where; the default route is to all of its family.
    pub destination: IpNet,
    /// By which gateway, if not directly.
    pub gateway: Option<IpAddr>,
    /// Over which device, by its index.
    pub device: u32,
    /// Its `rtm_protocol`: whose it is.
    pub protocol: u8,
    /// Its metric; 0 is the kernel's default for IPv4, 1024 for IPv6.
    pub metric: u32,
}

/// What is masqueraded: what goes from the pods to anywhere but the VPC. Made by [`Masquerade::new`], it is never empty
/// in what [`Wanted`] leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Masquerade {
    /// Pods' CIDRs.
    pub from: BTreeSet<IpNet>,
    /// The VPC's.
    pub except: BTreeSet<IpNet>,
}

impl Masquerade {
    /// Of CIDRs that may contain each other: each set becomes the fewest CIDRs that hold the same addresses, so that two
    /// that mean the same are equal.
    #[must_use]
    pub fn new(from: &[IpNet], except: &[IpNet]) -> Self {
        let fewest = |cidrs: &[IpNet]| IpNet::aggregate(&cidrs.to_vec()).into_iter().collect();
        Self { from: fewest(from), except: fewest(except) }
    }

    /// Whether anything of a family is masqueraded.
    #[must_use]
    pub fn has(&self, family: Family) -> bool {
        self.from.iter().any(|cidr| Family::of(cidr.addr()) == family)
    }
}

/// One change, which another does not need unless it comes later in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Sets the MTU of a device.
    SetMtu {
        /// Its index.
        device: u32,
        /// In bytes.
        mtu: u32,
    },
    /// Sets a device up.
    SetUp {
        /// Its index.
        device: u32,
    },
    /// Sets `rp_filter` of a device.
    SetReversePath {
        /// Its index.
        device: u32,
        /// The value.
        value: u8,
    },
    /// Gives a device an address without the route that the kernel would make for it.
    AddAddress {
        /// Its index.
        device: u32,
        /// The address with the prefix length of its subnet.
        address: IpNet,
    },
    /// Makes a route, in place of one of Berth's in the same table with the same destination and metric.
    AddRoute(Route),
    /// Removes a route, one of Berth's.
    DeleteRoute(Route),
    /// Makes a rule.
    AddRule(Rule),
    /// Removes a rule, one of Berth's.
    DeleteRule(Rule),
    /// Replaces what is masqueraded; none removes Berth's table.
    SetMasquerade(Option<Masquerade>),
}

/// What is to be done, and what is not as it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be changed, in this order. Nothing when all is as wanted.
    pub steps: Vec<Step>,
    /// What keeps an interface from carrying pods. The others are ready once the steps are done.
    pub problems: BTreeMap<EniId, Problem>,
}

/// What keeps an interface from carrying pods.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The kernel shows no such device.
    #[error("no device with the MAC {mac} (yet)")]
    NoDevice {
        /// Which.
        mac: String,
    },
    /// The kernel shows several.
    #[error("several devices have the MAC {mac}: {}", names.join(", "))]
    SeveralDevices {
        /// Which.
        mac: String,
        /// Their names.
        names: Vec<String>,
    },
    /// Another interface has its device index, and so its table.
    #[error("{eni} has the device index {number} too: one of them is expected to go")]
    SharedNumber {
        /// The index.
        number: u32,
        /// The other, which the table is for.
        eni: EniId,
    },
    /// Which routes it needs is not known.
    #[error("its subnet is not known yet")]
    NoSubnet,
    /// Somebody else's route is where Berth's has to be.
    #[error(
        "table {table} has a route to {destination} of protocol {protocol}: choose other tables with --host-first-table"
    )]
    ForeignRoute {
        /// Which table.
        table: u32,
        /// To where.
        destination: IpNet,
        /// Whose.
        protocol: u8,
    },
    /// The kernel refused a change.
    #[error("{step} failed: {error}")]
    Refused {
        /// What was to be done.
        step: String,
        /// What the kernel said.
        error: String,
    },
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "rule {}: {} table {}", self.priority, self.selector, self.table)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(cidr) => write!(out, "from {cidr}"),
            Self::To(cidr) => write!(out, "to {cidr}"),
            Self::Mark { family, mark } => write!(out, "{family} mark {mark:#x}"),
            Self::Other { family, text } => write!(out, "{family} {text}"),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "route {} table {}", self.destination, self.table)?;
        if let Some(gateway) = self.gateway {
            write!(out, " via {gateway}")?;
        }
        write!(out, " device {}", self.device)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetMtu { device, mtu } => write!(out, "set MTU {mtu} of device {device}"),
            Self::SetUp { device } => write!(out, "set device {device} up"),
            Self::SetReversePath { device, value } => {
                write!(out, "set rp_filter {value} of device {device}")
            }
            Self::AddAddress { device, address } => {
                write!(out, "add address {address} to device {device}")
            }
            Self::AddRoute(route) => write!(out, "add {route}"),
            Self::DeleteRoute(route) => write!(out, "delete {route}"),
            Self::AddRule(rule) => write!(out, "add {rule}"),
            Self::DeleteRule(rule) => write!(out, "delete {rule}"),
            Self::SetMasquerade(None) => out.write_str("masquerade nothing"),
            Self::SetMasquerade(Some(Masquerade { from, except })) => {
                write!(out, "masquerade {} CIDRs except to {} CIDRs", from.len(), except.len())
            }
        }
    }
}

//! What the VPC is to be, what the kernel has of it, and the steps between.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// Where instances find their metadata.
pub const IMDS: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// Where EC2 answers.
pub const EC2: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
/// A host on the internet.
pub const INTERNET: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// What a packet may have inside a VPC, as EC2 says by DHCP.
pub const MTU: u32 = 9001;
/// What the names of the router's ends begin with. All such devices in the router's namespace are this program's.
pub const END: &str = "f-";

/// What is to be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vpc {
    /// The addresses of the subnets' routers.
    pub routers: BTreeSet<Ipv4Addr>,
    /// The interfaces that instances show, by the names of the devices at the router's end.
    pub cables: BTreeMap<String, Cable>,
}

impl Vpc {
    /// The instances with an interface.
    #[must_use]
    pub fn instances(&self) -> BTreeSet<&str> {
        self.cables.values().map(|cable| cable.instance.as_str()).collect()
    }
}

/// An attached interface: a pair of devices, one at the router and one in the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cable {
    /// The instance, by its id.
    pub instance: String,
    /// The name of the device when it appears there.
    pub name: String,
    /// Its MAC, in lower case with colons.
    pub mac: String,
    /// The interface's primary address.
    pub primary: Ipv4Addr,
    /// Its secondary addresses and prefixes.
    pub others: BTreeSet<Ipv4Net>,
    /// Whether packets with a foreign source are dropped.
    pub source_check: bool,
    /// How the host sets it up when it boots, which is what DHCP tells it. The primary interface's only.
    pub host: Option<Host>,
}

/// What DHCP tells an instance about its primary interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host {
    /// Its address, with the length of the subnet's prefix.
    pub address: Ipv4Net,
    /// The subnet's router.
    pub gateway: Ipv4Addr,
}

/// What the kernel has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// The addresses of the router itself, the loopback network's left out.
    pub routers: BTreeSet<Ipv4Addr>,
    /// The devices at the router's end.
    pub ends: BTreeMap<String, End>,
    /// The routes over them.
    pub routes: BTreeSet<Route>,
    /// The permanent neighbours on them: device, address, and MAC.
    pub neighbours: BTreeSet<(String, Ipv4Addr, String)>,
    /// What the instances have: devices by their MAC. An instance that could not be looked at is not among them.
    pub hosts: BTreeMap<String, BTreeMap<String, Device>>,
}

/// A device at the router's end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    /// Whether it is up.
    pub up: bool,
    /// Whether it drops foreign sources; none when some setting of it is neither for the one nor for the other.
    pub source_check: Option<bool>,
}

/// A route over a router's end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// Where packets go.
    pub to: Ipv4Net,
    /// Whose MAC they are sent to; the destination's own if none.
    pub via: Option<Ipv4Addr>,
    /// Over which device.
    pub device: String,
}

/// A device of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// Its name, which is the host's business.
    pub name: String,
    /// Whether it is up.
    pub up: bool,
    /// Its IPv4 addresses.
    pub addresses: BTreeSet<Ipv4Net>,
    /// The routers of default routes over it.
    pub gateways: BTreeSet<Ipv4Addr>,
}

/// A step from what is there to what is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Takes a device away, at both ends, with all that goes over it.
    Unplug {
        /// The router's end.
        device: String,
    },
    /// Delivers no more.
    Withdraw(Route),
    /// Gives the router an address.
    Router(Ipv4Addr),
    /// Makes both ends. Both are down, and nothing is delivered yet.
    Plug {
        /// The router's end.
        device: String,
        /// In whose namespace the other end appears.
        instance: String,
        /// The name it has there.
        name: String,
        /// Its MAC there.
        mac: String,
    },
    /// Sets what the router lets through from a device, and that it answers ARP there.
    Guard {
        /// The router's end.
        device: String,
        /// Whether foreign sources are dropped.
        source_check: bool,
    },
    /// Brings the router's end up.
    Up {
        /// The router's end.
        device: String,
    },
    /// Tells the router the MAC of an interface: EC2 does not ask for it.
    Introduce {
        /// The router's end.
        device: String,
        /// The primary address.
        address: Ipv4Addr,
        /// The interface's MAC.
        mac: String,
    },
    /// Delivers to an address or prefix over a device, and over no other.
    Deliver(Route),
    /// Sets a primary interface up, as the host would by DHCP.
    Boot {
        /// In whose namespace.
        instance: String,
        /// The name of the device there.
        name: String,
        /// What DHCP says.
        host: Host,
    },
}

//! What ADD prints: addresses, gateways and routes, in the form of the version that is asked for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use serde::Serialize;
use thiserror::Error;

use crate::netconf::{Gateway, NetConf, Prefix, Settings};
use crate::protocol::{AddReply, Address, Problem, code};
use crate::version::CniVersion;

/// The gateway of a pod that is none of the network's addresses.
const LINK_LOCAL_IPV4: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 1, 1));
/// The same for IPv6.
const LINK_LOCAL_IPV6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1));
/// From the router of a subnet, its second address, to its fourth.
const ROUTER_TO_RESERVED: u32 = 2;
/// The prefix of the largest subnet that there can be (Amazon VPC user guide, "Subnet CIDR blocks").
const LARGEST_SUBNET: u8 = 16;

/// Why the agent's reply gives no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResultError {
    /// The configuration names a gateway by the subnet's router, which the agent does not know.
    #[error("the router of the subnet of {address} is not known")]
    NoRouter {
        /// The pod's address.
        address: IpAddr,
    },
    /// They are in no subnet together.
    #[error("no prefix covers both {address} and its gateway {gateway}: choose another `gateway`")]
    NoPrefix {
        /// The pod's address.
        address: IpAddr,
        /// The gateway.
        gateway: IpAddr,
    },
}

impl ResultError {
    /// How it is reported.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let code = match self {
            Self::NoRouter { .. } => code::TRY_AGAIN,
            Self::NoPrefix { .. } => code::INVALID_CONFIG,
        };
        Problem::of(code, self)
    }
}

/// The result of ADD: an abbreviated one, as the CNI specification has it for IPAM plugins, unless interfaces are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddResult {
    cni_version: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interfaces: Vec<Interface>,
    ips: Vec<Ip>,
    routes: Vec<Route>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Interface {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    mac: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Ip {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    address: IpNet,
    gateway: IpAddr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Route {
    dst: IpNet,
    gw: IpAddr,
}

/// Makes the result of a reply. `name_of` finds the host's interface that has a MAC.
///
/// # Errors
/// The gateway that the configuration wants cannot be named.
pub fn result(
    conf: &NetConf,
    reply: &AddReply,
    name_of: impl Fn(&str) -> Option<String>,
) -> Result<AddResult, ResultError> {
    let ips: Result<Vec<Ip>, ResultError> =
        reply.addresses.iter().map(|it| ip(conf.version, &conf.settings, it)).collect();
    let ips = ips?;
    let mut interfaces: Vec<Interface> = Vec::new();
    for Address { mac, .. } in reply.addresses.iter().filter(|_| conf.settings.interfaces) {
        if interfaces.iter().all(|it| it.mac != *mac) {
            interfaces.push(Interface { name: name_of(mac), mac: mac.clone() });
        }
    }
    let routes = routes(&conf.settings, &ips);
    Ok(AddResult { cni_version: conf.version.name(), interfaces, ips, routes })
}

fn ip(version: CniVersion, settings: &Settings, given: &Address) -> Result<Ip, ResultError> {
    let gateway = gateway(settings.gateway, given)?;
    let address = match (given.address, gateway, settings.prefix) {
        (IpAddr::V4(address), IpAddr::V4(gateway), Prefix::Gateway) => covering(address, gateway)?,
        (address, _, _) => IpNet::from(address),
    };
    let family = if given.address.is_ipv4() { "4" } else { "6" };
    let version = (version < CniVersion::V1_0_0).then_some(family);
    Ok(Ip { version, address, gateway })
}

fn gateway(wanted: Gateway, given: &Address) -> Result<IpAddr, ResultError> {
    let is_ipv4 = given.address.is_ipv4();
    let link_local = if is_ipv4 { LINK_LOCAL_IPV4 } else { LINK_LOCAL_IPV6 };
    let router = given.gateway.filter(|router| router.is_ipv4() == is_ipv4);
    let router = router.ok_or(ResultError::NoRouter { address: given.address });
    match wanted {
        Gateway::Address(address) if address.is_ipv4() == is_ipv4 => Ok(address),
        Gateway::Subnet => router,
        Gateway::Reserved if is_ipv4 => router.map(reserved),
        Gateway::LinkLocal | Gateway::Address(_) | Gateway::Reserved => Ok(link_local),
    }
}

fn reserved(router: IpAddr) -> IpAddr {
    match router {
        IpAddr::V4(router) => {
            Ipv4Addr::from_bits(router.to_bits().wrapping_add(ROUTER_TO_RESERVED)).into()
        }
        IpAddr::V6(_) => router,
    }
}

/// The address with the prefix of the largest subnet that there can be, which covers the gateway too.
///
/// Linux takes the first and the last address of a prefix for the network's and the broadcast address: pods with those could not be
/// reached by their neighbours. The first and the last of a /16 are the first and the last of whichever subnet has them, and so reserved by AWS;
/// of any longer prefix they may be those of pods.
fn covering(address: Ipv4Addr, gateway: Ipv4Addr) -> Result<IpNet, ResultError> {
    let none = ResultError::NoPrefix { address: address.into(), gateway: gateway.into() };
    let Ok(net) = Ipv4Net::new(address, LARGEST_SUBNET) else { return Err(none) };
    let is_inside = net.network() != address && net.broadcast() != address;
    if is_inside && net.contains(&gateway) { Ok(IpNet::V4(net)) } else { Err(none) }
}

/// A default route for each family, then those of the configuration whose family there is.
fn routes(settings: &Settings, ips: &[Ip]) -> Vec<Route> {
    let default = |ip: &Ip| Route { dst: everything(ip.gateway), gw: ip.gateway };
    let extra = settings.routes.iter().filter_map(|route| {
        let ip = ips.iter().find(|ip| ip.gateway.is_ipv4() == route.dst.addr().is_ipv4())?;
        Some(Route { dst: route.dst, gw: route.gateway.unwrap_or(ip.gateway) })
    });
    ips.iter().map(default).chain(extra).collect()
}

fn everything(like: IpAddr) -> IpNet {
    match like {
        IpAddr::V4(_) => IpNet::V4(Ipv4Net::default()),
        IpAddr::V6(_) => IpNet::V6(ipnet::Ipv6Net::default()),
    }
}

//! The interfaces of the instance, with what they hold.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipam_core::agent::{EniFacts, ShownEni};
use ipam_core::ids::MacAddress;
use ipam_core::prefix::{is_ipv6_prefix, is_prefix};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::path_of;
use super::problem::ImdsError;
use super::texts::Texts;

/// Where the interfaces are, each in a directory named after its hardware address.
pub(super) const MACS: &str = "network/interfaces/macs/";

/// What of an interface is read.
const LEAVES: [&str; 11] = [
    "interface-id",
    "device-number",
    "network-card",
    "local-ipv4s",
    "ipv4-prefix",
    "ipv6s",
    "ipv6-prefix",
    "subnet-ipv4-cidr-block",
    "vpc-ipv4-cidr-block",
    "vpc-ipv4-cidr-blocks",
    "vpc-ipv6-cidr-blocks",
];

/// The interfaces of the instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interfaces {
    /// Those of which everything is known.
    pub shown: Vec<ShownEni>,
    /// The others, which are to be asked for again.
    pub left_out: Vec<LeftOut>,
}

/// An interface that is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("interface {mac} is left out: {problem}")]
pub struct LeftOut {
    /// Which.
    pub mac: MacAddress,
    /// Why: something is missing, as while it is attached or detached, or makes no sense.
    pub problem: ImdsError,
}

impl Interfaces {
    pub(super) fn leave_out(&mut self, mac: MacAddress, problem: ImdsError) {
        self.left_out.push(LeftOut { mac, problem });
    }

    /// Adds what the service said of an interface.
    pub(super) fn add(&mut self, mac: MacAddress, texts: &Texts) {
        match parse(mac, texts) {
            Ok(eni) => self.shown.push(eni),
            Err(problem) => self.leave_out(mac, problem),
        }
    }
}

/// What is read of one interface.
pub(super) fn paths_of(mac: MacAddress) -> [String; LEAVES.len()] {
    LEAVES.map(|leaf| path_of(mac, leaf))
}

/// The name of a directory: a hardware address with a slash behind it.
struct Directory(MacAddress);

impl FromStr for Directory {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.trim_end_matches('/').parse().map(Self).map_err(|_| ())
    }
}

/// Which interfaces there are.
pub(super) fn macs(texts: &Texts) -> Result<BTreeSet<MacAddress>, ImdsError> {
    let expected = "a list of MAC addresses";
    let listed: Vec<Directory> = texts.list(MACS, expected)?;
    if listed.is_empty() {
        return Err(ImdsError::Missing { path: MACS.to_owned(), expected });
    }
    Ok(listed.into_iter().map(|Directory(mac)| mac).collect())
}

/// A prefix that an interface can have.
struct Delegated<T>(T);

impl FromStr for Delegated<Ipv4Net> {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse().ok().filter(is_prefix).map(Self).ok_or(())
    }
}

impl FromStr for Delegated<Ipv6Net> {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse().ok().filter(is_ipv6_prefix).map(Self).ok_or(())
    }
}

fn parse(mac: MacAddress, texts: &Texts) -> Result<ShownEni, ImdsError> {
    let at = |leaf| path_of(mac, leaf);
    let singles: Vec<Ipv4Addr> = texts.list(&at("local-ipv4s"), "a list of IPv4 addresses")?;
    let ipv6: Vec<Ipv6Addr> = texts.list(&at("ipv6s"), "a list of IPv6 addresses")?;
    let blocks: Vec<Delegated<Ipv4Net>> = texts.list(&at("ipv4-prefix"), "a list of /28")?;
    let blocks_ipv6: Vec<Delegated<Ipv6Net>> =
        texts.list(&at("ipv6-prefix"), "a list of IPv6 /80")?;
    let has_ipv4 = !singles.is_empty() || !blocks.is_empty();
    let primary = singles.first().copied();
    let addresses = singles.into_iter().map(IpAddr::V4);
    let prefixes = blocks.into_iter().map(|Delegated(block)| IpNet::V4(block));
    Ok(ShownEni {
        facts: facts(mac, texts, has_ipv4)?,
        // Only types with several cards have it.
        network_card: texts.optional(&at("network-card"), "a network card")?.unwrap_or(0),
        primary,
        addresses: addresses.chain(ipv6.into_iter().map(IpAddr::V6)).collect(),
        prefixes: prefixes
            .chain(blocks_ipv6.into_iter().map(|Delegated(block)| IpNet::V6(block)))
            .collect(),
    })
}

/// What users of the addresses have to know. With IPv4 addresses, that takes the blocks they come from: without, there is no
/// router.
fn facts(mac: MacAddress, texts: &Texts, has_ipv4: bool) -> Result<EniFacts, ImdsError> {
    const CIDR: &str = "an IPv4 CIDR";
    let at = |leaf| path_of(mac, leaf);
    let subnet: Option<Ipv4Net> = texts.optional(&at("subnet-ipv4-cidr-block"), CIDR)?;
    let first: Option<Ipv4Net> = texts.optional(&at("vpc-ipv4-cidr-block"), CIDR)?;
    let all: Vec<Ipv4Net> = texts.list(&at("vpc-ipv4-cidr-blocks"), "a list of IPv4 CIDRs")?;
    let ipv6: Vec<Ipv6Net> = texts.list(&at("vpc-ipv6-cidr-blocks"), "a list of IPv6 CIDRs")?;
    for (leaf, is_there) in
        [("subnet-ipv4-cidr-block", subnet.is_some()), ("vpc-ipv4-cidr-blocks", !all.is_empty())]
    {
        if has_ipv4 && !is_there {
            return Err(ImdsError::Missing { path: at(leaf), expected: CIDR });
        }
    }
    let rest = all.into_iter().filter(|cidr| Some(*cidr) != first);
    let ipv4 = first.into_iter().chain(rest).map(IpNet::V4);
    Ok(EniFacts {
        id: texts.required(&at("interface-id"), "an ENI id")?,
        mac: mac.to_string(),
        number: texts.required(&at("device-number"), "a device index")?,
        subnet,
        vpc: ipv4.chain(ipv6.into_iter().map(IpNet::V6)).collect(),
    })
}

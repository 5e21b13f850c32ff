//! What `ip -json` prints, as far as it matters.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::vpc::{Device, END, Route};

#[cfg(test)]
mod tests;

/// What [`router`] reads the answers of. `address` comes first: behind `link`, it prints no addresses.
pub const ROUTER: &str =
    "address show dev lo\nlink show\nroute show\nneighbour show nud permanent\n";
/// What [`host`] reads the answers of.
pub const HOST: &str = "address show\nroute show default\n";

/// A device as `ip address show` and `ip link show` have it.
#[derive(Debug, Deserialize)]
struct Shown {
    ifname: String,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    address: String,
    #[serde(default)]
    addr_info: Vec<Address>,
}

#[derive(Debug, Deserialize)]
struct Address {
    family: String,
    local: Option<IpAddr>,
    prefixlen: u8,
}

#[derive(Debug, Deserialize)]
struct ShownRoute {
    dst: String,
    gateway: Option<IpAddr>,
    dev: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Neighbour {
    dst: IpAddr,
    dev: String,
    lladdr: Option<String>,
}

/// What `ip` said is not what it says.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Some answer is missing.
    #[error("expected {expected} answers of ip, found {found}")]
    Count {
        /// As many as were asked for.
        expected: usize,
        /// As many as there are.
        found: usize,
    },
    /// An answer has another form.
    #[error("ip's answer cannot be read")]
    Form(#[source] serde_json::Error),
}

/// What the router has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Router {
    /// Its own addresses.
    pub addresses: BTreeSet<Ipv4Addr>,
    /// Its ends, and whether they are up.
    pub ends: BTreeMap<String, bool>,
    /// The routes over them.
    pub routes: BTreeSet<Route>,
    /// The permanent neighbours on them.
    pub neighbours: BTreeSet<(String, Ipv4Addr, String)>,
}

/// Reads the answers to [`ROUTER`].
///
/// # Errors
///
/// When they are not what `ip` says.
pub fn router(text: &str) -> Result<Router, Unreadable> {
    let [loopback, links, routes, neighbours] = answers(text)?;
    let loopback: Vec<Shown> = read(loopback)?;
    let links: Vec<Shown> = read(links)?;
    let routes: Vec<ShownRoute> = read(routes)?;
    let neighbours: Vec<Neighbour> = read(neighbours)?;
    let addresses = loopback.iter().flat_map(addresses).map(|net| net.addr());
    let ends = links.into_iter().filter(|link| is_end(&link.ifname));
    let neighbours = neighbours.into_iter().filter(|neighbour| is_end(&neighbour.dev));
    Ok(Router {
        addresses: addresses.filter(|address| !address.is_loopback()).collect(),
        ends: ends.map(|link| (link.ifname.clone(), is_up(&link))).collect(),
        routes: routes.into_iter().filter_map(route).collect(),
        neighbours: neighbours.filter_map(neighbour).collect(),
    })
}

/// Reads the answers to [`HOST`]: devices by their MAC.
///
/// # Errors
///
/// When they are not what `ip` says.
pub fn host(text: &str) -> Result<BTreeMap<String, Device>, Unreadable> {
    let [devices, routes] = answers(text)?;
    let (devices, routes): (Vec<Shown>, Vec<ShownRoute>) = (read(devices)?, read(routes)?);
    let device = |shown: Shown| {
        let over = routes.iter().filter(|route| route.dev.as_ref() == Some(&shown.ifname));
        let device = Device {
            up: is_up(&shown),
            addresses: addresses(&shown).collect(),
            gateways: over.filter_map(|route| v4(route.gateway?)).collect(),
            name: shown.ifname,
        };
        (shown.address, device)
    };
    // What lies on a device may have its MAC, and comes behind it.
    Ok(devices.into_iter().map(device).rev().collect())
}

/// The documents of a batch.
fn answers<const COUNT: usize>(text: &str) -> Result<[Value; COUNT], Unreadable> {
    let documents = serde_json::Deserializer::from_str(text).into_iter();
    let documents = documents.collect::<Result<Vec<Value>, _>>().map_err(Unreadable::Form)?;
    let wrong = |found: Vec<Value>| Unreadable::Count { expected: COUNT, found: found.len() };
    documents.try_into().map_err(wrong)
}

/// An answer's entries. Some are empty: devices that another question leaves out.
fn read<Entry: DeserializeOwned>(answer: Value) -> Result<Vec<Entry>, Unreadable> {
    let Value::Array(entries) = answer else {
        return serde_json::from_value(answer).map_err(Unreadable::Form);
    };
    let entries =
        entries.into_iter().filter(|entry| *entry != Value::Object(serde_json::Map::new()));
    entries.map(serde_json::from_value).collect::<Result<_, _>>().map_err(Unreadable::Form)
}

fn is_end(device: &str) -> bool {
    device.starts_with(END)
}

fn is_up(shown: &Shown) -> bool {
    shown.flags.iter().any(|flag| flag == "UP")
}

const fn v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

fn addresses(shown: &Shown) -> impl Iterator<Item = Ipv4Net> {
    let inet = shown.addr_info.iter().filter(|info| info.family == "inet");
    inet.filter_map(|info| Ipv4Net::new(v4(info.local?)?, info.prefixlen).ok())
}

/// A route over an end. A single address stands there without a length.
fn route(shown: ShownRoute) -> Option<Route> {
    let device = shown.dev.filter(|device| is_end(device))?;
    let single = || shown.dst.parse::<Ipv4Addr>().map(Ipv4Net::from).ok();
    let everything = || (shown.dst == "default").then(Ipv4Net::default);
    let to = shown.dst.parse().ok().or_else(single).or_else(everything)?;
    Some(Route { to, via: shown.gateway.and_then(v4), device })
}

fn neighbour(shown: Neighbour) -> Option<(String, Ipv4Addr, String)> {
    Some((shown.dev, v4(shown.dst)?, shown.lladdr?))
}

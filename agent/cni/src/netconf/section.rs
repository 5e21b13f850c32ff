//! Reads the section `ipam`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::{Gateway, LogLevel, NetConfError, Prefix, Route, Settings};
use crate::protocol::{QUEUE_DEFAULT, SOCKET_DEFAULT};

/// The members that are the plugin's.
const OWN: [&str; 10] = [
    "agent-socket",
    "gateway",
    "interfaces",
    "log-file",
    "log-level",
    "prefix",
    "queue-dir",
    "routes",
    "type",
    "wait",
];
/// The members that Cilium puts into the same section, for the agent.
const CILIUM: [&str; 5] =
    ["max-above-watermark", "max-allocate", "min-allocate", "pre-allocate", "static-ip-tags"];
/// More waiting than any container runtime grants.
const WAIT_MAX: Duration = Duration::from_mins(10);
/// Edits that make a known member of a misspelt one, at most.
const EDITS_MAX: usize = 3;
/// Routes at most.
const ROUTES_MAX: usize = 256;

/// Reads the section of a configuration whose main plugin is `main`.
pub(super) fn read(section: &Map<String, Value>, main: &str) -> Result<Settings, NetConfError> {
    if let Some((member, value)) = section.iter().find(|(member, _)| !is_known(member)) {
        return Err(NetConfError::unknown(member, value, nearest(member)));
    }
    // ptp cannot make a gateway reachable that the address's own prefix does not cover: see README.md.
    let (gateway, prefix) = match main {
        "ptp" => (Gateway::Reserved, Prefix::Gateway),
        _ => (Gateway::LinkLocal, Prefix::Host),
    };
    Ok(Settings {
        socket: path(section, "agent-socket")?.unwrap_or_else(|| SOCKET_DEFAULT.into()),
        queue: path(section, "queue-dir")?.unwrap_or_else(|| QUEUE_DEFAULT.into()),
        wait: of(section, "wait", "a duration such as 10s, 10 minutes at most", wait)?,
        log_file: path(section, "log-file")?,
        log_level: of(section, "log-level", "error, warn, info or debug", log_level)?
            .unwrap_or(LogLevel::Warn),
        gateway: of(
            section,
            "gateway",
            "link-local, reserved, subnet or an address",
            self::gateway,
        )?
        .unwrap_or(gateway),
        prefix: of(section, "prefix", "host or gateway", self::prefix)?.unwrap_or(prefix),
        interfaces: of(section, "interfaces", "true or false", Value::as_bool)?.unwrap_or(false),
        routes: routes(section)?,
    })
}

fn is_known(member: &str) -> bool {
    OWN.contains(&member) || CILIUM.contains(&member)
}

fn nearest(member: &str) -> Option<&'static str> {
    let known = OWN.into_iter().chain(CILIUM);
    let near = known.map(|known| (strsim::osa_distance(known, member), known));
    let most = EDITS_MAX.min(member.len() / 2);
    near.filter(|(edits, _)| *edits <= most).min().map(|(_, known)| known)
}

/// A member of the section, read by `read`, which knows nothing else but what is expected.
fn of<T>(
    section: &Map<String, Value>,
    member: &str,
    expected: &'static str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, NetConfError> {
    section.get(member).map_or(Ok(None), |value| match read(value) {
        Some(read) => Ok(Some(read)),
        None => Err(NetConfError::value(&format!("ipam.{member}"), value, expected)),
    })
}

fn path(section: &Map<String, Value>, member: &str) -> Result<Option<PathBuf>, NetConfError> {
    of(section, member, "an absolute path", |value| {
        let path = PathBuf::from(value.as_str().filter(|path| !path.contains('\0'))?);
        path.is_absolute().then_some(path)
    })
}

fn wait(value: &Value) -> Option<Duration> {
    let wait = value.as_str()?.parse::<SignedDuration>().ok()?;
    Duration::try_from(wait).ok().filter(|wait| *wait <= WAIT_MAX)
}

fn log_level(value: &Value) -> Option<LogLevel> {
    match value.as_str()? {
        "error" => Some(LogLevel::Error),
        "warn" => Some(LogLevel::Warn),
        "info" => Some(LogLevel::Info),
        "debug" => Some(LogLevel::Debug),
        _ => None,
    }
}

fn gateway(value: &Value) -> Option<Gateway> {
    match value.as_str()? {
        "link-local" => Some(Gateway::LinkLocal),
        "reserved" => Some(Gateway::Reserved),
        "subnet" => Some(Gateway::Subnet),
        address => {
            let address: IpAddr = address.parse().ok()?;
            let is_one = !address.is_unspecified() && !address.is_multicast();
            is_one.then_some(Gateway::Address(address))
        }
    }
}

fn prefix(value: &Value) -> Option<Prefix> {
    match value.as_str()? {
        "host" => Some(Prefix::Host),
        "gateway" => Some(Prefix::Gateway),
        _ => None,
    }
}

fn routes(section: &Map<String, Value>) -> Result<Vec<Route>, NetConfError> {
    let expected = "a list of {dst, gw}, dst a CIDR, gw an address of the same family or left out";
    let all = |value: &Value| -> Option<Vec<Route>> {
        let routes = value.as_array().filter(|routes| routes.len() <= ROUTES_MAX)?;
        routes.iter().map(route).collect()
    };
    Ok(of(section, "routes", expected, all)?.unwrap_or_default())
}

fn route(value: &Value) -> Option<Route> {
    let object = value.as_object()?;
    let dst: IpNet = object.get("dst")?.as_str()?.parse().ok()?;
    let gateway: Option<IpAddr> = match object.get("gw") {
        None => None,
        Some(gateway) => Some(gateway.as_str()?.parse().ok()?),
    };
    let is_known = object.keys().all(|key| key == "dst" || key == "gw");
    let fits = gateway.is_none_or(|gateway| gateway.is_ipv4() == dst.addr().is_ipv4());
    (is_known && fits && dst.trunc() == dst).then_some(Route { dst, gateway })
}

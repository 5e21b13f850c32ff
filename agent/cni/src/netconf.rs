//! The network configuration: what the plugin reads of the object of its main plugin, and its own section `ipam` of it.

mod error;
mod section;
mod settings;

pub use error::NetConfError;
pub use settings::{Gateway, LogLevel, Prefix, Route, Settings};

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value};

use crate::invocation::is_identifier;
use crate::protocol::Sandbox;
use crate::version::CniVersion;

/// Bytes of a configuration at most. A GC names every sandbox of a node: 110 pods take 12 kB.
pub const BYTES_MAX: usize = 1 << 20;
/// Bytes in the name of a network at most.
const NAME_MAX: usize = 255;

/// A configuration, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct NetConf {
    /// What it is written in, and what is answered in.
    pub version: CniVersion,
    /// The name of the network.
    pub name: String,
    /// The section `ipam`.
    pub settings: Settings,
    previous: Option<Value>,
    valid: Option<Value>,
}

/// Reads a configuration. What belongs to the main plugin is not looked at; the section `ipam` is, to its last member.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(text: &[u8]) -> Result<NetConf, NetConfError> {
    if text.len() > BYTES_MAX {
        return Err(NetConfError::TooLong);
    }
    let mut object = object(text)?;
    let version = match object.get("cniVersion") {
        Some(Value::String(version)) => version.parse().map_err(NetConfError::Version)?,
        Some(other) => return Err(NetConfError::value("cniVersion", other, "a text")),
        None => return Err(NetConfError::Missing { member: "cniVersion" }),
    };
    let name = name(&object)?;
    let main = match object.get("type") {
        Some(Value::String(main)) => main.as_str(),
        Some(other) => return Err(NetConfError::value("type", other, "a text")),
        None => "",
    };
    let section = match object.get("ipam") {
        Some(Value::Object(section)) => section,
        Some(other) => return Err(NetConfError::value("ipam", other, "an object")),
        None => return Err(NetConfError::Missing { member: "ipam" }),
    };
    let settings = section::read(section, main)?;
    let previous = object.remove("prevResult");
    let valid = object.remove("cni.dev/valid-attachments");
    Ok(NetConf { version, name, settings, previous, valid })
}

/// The version that a text is written in, as far as it can be told: errors are answered in it.
#[must_use]
pub fn version_of(text: &[u8]) -> Option<CniVersion> {
    if text.len() > BYTES_MAX {
        return None;
    }
    object(text).ok()?.get("cniVersion")?.as_str()?.parse().ok()
}

fn object(text: &[u8]) -> Result<Map<String, Value>, NetConfError> {
    match serde_json::from_slice(text).map_err(NetConfError::Json)? {
        Value::Object(object) => Ok(object),
        _ => Err(NetConfError::NoObject),
    }
}

fn name(object: &Map<String, Value>) -> Result<String, NetConfError> {
    let expected = "a letter or digit, then letters, digits, '_', '.' and '-', 255 at most";
    match object.get("name") {
        Some(Value::String(name)) if is_identifier(name) && name.len() <= NAME_MAX => {
            Ok(name.clone())
        }
        Some(other) => Err(NetConfError::value("name", other, expected)),
        None => Err(NetConfError::Missing { member: "name" }),
    }
}

impl NetConf {
    /// The addresses of `prevResult`, for CHECK.
    ///
    /// # Errors
    /// There is none, or one that is no result with addresses.
    pub fn previous_addresses(&self) -> Result<Vec<IpAddr>, NetConfError> {
        let previous =
            self.previous.as_ref().ok_or(NetConfError::Missing { member: "prevResult" })?;
        let misfit = || NetConfError::value("prevResult", previous, "a result with addresses");
        let ips = previous.get("ips").and_then(Value::as_array).ok_or_else(misfit)?;
        let addresses = ips.iter().map(|ip| {
            let address = ip.get("address").and_then(Value::as_str)?;
            address.parse::<IpNet>().ok().map(|it| it.addr())
        });
        let addresses: Vec<IpAddr> = addresses.collect::<Option<_>>().ok_or_else(misfit)?;
        if addresses.is_empty() { Err(misfit()) } else { Ok(addresses) }
    }

    /// What a GC leaves: `cni.dev/valid-attachments`. `null` is an empty list, as Go writes one.
    ///
    /// # Errors
    /// It is missing, which would give back everything, or not understood.
    pub fn valid_attachments(&self) -> Result<Vec<Sandbox>, NetConfError> {
        let member = "cni.dev/valid-attachments";
        let list = match &self.valid {
            None => return Err(NetConfError::Missing { member }),
            Some(Value::Null) => return Ok(Vec::new()),
            Some(list) => list,
        };
        let misfit = || NetConfError::value(member, list, "a list of {containerID, ifname}");
        let sandboxes = list.as_array().ok_or_else(misfit)?.iter().map(|entry| {
            let text =
                |key| entry.get(key)?.as_str().filter(|it| !it.is_empty()).map(str::to_owned);
            Some(Sandbox { container_id: text("containerID")?, interface: text("ifname")? })
        });
        sandboxes.collect::<Option<_>>().ok_or_else(misfit)
    }
}

//! World files: what a Region is like, in YAML or JSON.
//!
//! Every error says where it stands, by file, line, column and field: also what only the builder finds, such as a subnet outside of its
//! VPC. Fields that nobody knows are refused.

mod behaviour;
mod place;
mod resources;
mod said;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;
#[cfg(feature = "server")]
use serde::de::DeserializeOwned;

use crate::build::BuildError;
use crate::fault::Rule;
use crate::machine::Ec2;
use crate::settings::Settings;

pub use self::behaviour::Buckets;
#[cfg(feature = "server")]
pub(crate) use self::behaviour::{Assumed, Latency, Quotas, Staleness};
pub use self::place::{Source, suggestion};
#[cfg(feature = "server")]
pub(crate) use self::resources::Reservation;
pub(crate) use self::resources::{
    ElasticIp, Instance, Interface, Principal, Resource, RouteTable, SecurityGroup, Subnet, Vpc,
};
pub use self::said::{Expected, Said};

/// What is wrong with a world file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.shown())]
pub struct SpecError {
    /// The file.
    pub file: String,
    /// Line and column, from 1.
    pub at: Option<(u64, u64)>,
    /// The field, such as `subnets[1].cidr`; empty for the whole.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl SpecError {
    fn shown(&self) -> String {
        let Self { file, at, field, message } = self;
        let place = at.map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
        let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
        format!("{file}{place}: {field}{message}")
    }
}

/// What is wrong with a part of a file; where the part stands is known to whoever reads the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field inside of the part; empty when it is not known.
    field: String,
    /// The value that is wrong, by which its field is found.
    value: Option<String>,
    /// What is wrong.
    message: String,
}

impl Problem {
    /// Something wrong with a field that is known; empty for the whole of the part.
    pub fn of(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), value: None, message: message.into() }
    }

    /// The same problem of one of `count` things that are alike, when `built` others are there already.
    #[must_use]
    pub fn after(self, built: usize, count: usize) -> Self {
        if built == 0 {
            return self;
        }
        Self { message: format!("{built} of {count} were made: {}", self.message), ..self }
    }

    /// The same problem, of a part that is the field `outer` of something larger.
    fn within(self, outer: &str) -> Self {
        Self { field: format!("{outer}.{}", self.field), ..self }
    }
}

impl From<BuildError> for Problem {
    fn from(error: BuildError) -> Self {
        let message = match &error {
            BuildError::Unfit { value, expected, .. } => format!("`{value}`: expected {expected}"),
            BuildError::Refused { error, .. } => error.message.clone(),
            other => other.to_string(),
        };
        let value = match error {
            // The API's texts name what they refuse, if it is an address or a block.
            BuildError::Refused { error, .. } => {
                return Self { value: address_in(&error.message), ..Self::of("", message) };
            }
            BuildError::Unknown { id: value, .. }
            | BuildError::Exists { id: value, .. }
            | BuildError::Unfit { value, .. }
            | BuildError::State { id: value, .. } => value,
        };
        Self { field: String::new(), value: Some(value), message }
    }
}

/// The first address or block in a text.
fn address_in(text: &str) -> Option<String> {
    let mut words = text.split_whitespace().map(|word| word.trim_matches(['.', ',', '\'']));
    let is_address = |word: &&str| word.parse::<IpAddr>().is_ok() || word.parse::<IpNet>().is_ok();
    words.find(is_address).map(str::to_owned)
}

/// What a file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct World {
    #[serde(rename = "settings")]
    behaviour: behaviour::Behaviour,
    vpcs: Vec<Vpc>,
    security_groups: Vec<SecurityGroup>,
    subnets: Vec<Subnet>,
    route_tables: Vec<RouteTable>,
    instances: Vec<Instance>,
    interfaces: Vec<Interface>,
    elastic_ips: Vec<ElasticIp>,
    principals: Vec<Principal>,
    faults: Vec<Rule>,
}

/// A world file that has been read.
#[derive(Debug)]
pub struct Spec {
    source: Source,
    world: World,
}

impl Spec {
    /// Reads the text of a file; `file` is its name in errors.
    ///
    /// # Errors
    ///
    /// [`SpecError`] for what is neither YAML nor JSON, or says what no world file can say.
    pub fn parse(file: &str, text: &str) -> Result<Self, SpecError> {
        let source = Source::new(file, text);
        Ok(Self { world: source.read()?, source })
    }

    /// How the Region behaves.
    ///
    /// # Errors
    ///
    /// [`SpecError`] for an assumption or a bucket that does not exist.
    pub fn settings(&self) -> Result<Settings, SpecError> {
        let settings = self.world.behaviour.settings();
        settings.map_err(|problem| self.source.error("settings", &problem))
    }

    /// Builds what the file lists, and arms its faults last.
    ///
    /// # Errors
    ///
    /// [`SpecError`] for the first thing that cannot be built.
    pub fn populate(&self, ec2: &mut Ec2) -> Result<(), SpecError> {
        let world = &self.world;
        self.build(ec2, "vpcs", &world.vpcs)?;
        self.build(ec2, "security_groups", &world.security_groups)?;
        self.build(ec2, "subnets", &world.subnets)?;
        self.build(ec2, "route_tables", &world.route_tables)?;
        self.build(ec2, "instances", &world.instances)?;
        self.build(ec2, "interfaces", &world.interfaces)?;
        self.build(ec2, "elastic_ips", &world.elastic_ips)?;
        self.build(ec2, "principals", &world.principals)?;
        for rule in &world.faults {
            ec2.build().faults().add(rule.clone());
        }
        Ok(())
    }

    fn build<R: Resource>(&self, ec2: &mut Ec2, list: &str, items: &[R]) -> Result<(), SpecError> {
        for (position, item) in items.iter().enumerate() {
            let built = item.build(&mut ec2.build());
            built.map_err(|problem| self.source.error(&format!("{list}[{position}]"), &problem))?;
        }
        Ok(())
    }
}

/// Reads one thing that `name` describes, and does something with it, such as building it.
///
/// # Errors
///
/// [`SpecError`] for what cannot be read or done.
#[cfg(feature = "server")]
pub(crate) fn one<Value: DeserializeOwned, Made>(
    name: &str,
    text: &str,
    make: impl FnOnce(Value) -> Result<Made, Problem>,
) -> Result<Made, SpecError> {
    let source = Source::new(name, text);
    make(source.read()?).map_err(|problem| source.error("", &problem))
}

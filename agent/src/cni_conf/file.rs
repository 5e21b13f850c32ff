//! What the file says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use cilium_node::Tags;
use ipam_core::ids::{SecurityGroupId, SubnetId};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::CniConfError;

/// Settings of a CNI configuration. Empty texts, lists and maps and the number 0 say nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CniConf {
    pub(super) eni: EniSection,
    pub(super) ipam: IpamSection,
}

/// A list of plugins, or a plugin.
#[derive(Deserialize)]
struct File {
    plugins: Option<Vec<Plugin>>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    eni: EniSection,
    #[serde(default)]
    ipam: IpamSection,
}

#[derive(Deserialize)]
struct Plugin {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    eni: EniSection,
    #[serde(default)]
    ipam: IpamSection,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct EniSection {
    pub(super) first_interface_index: Option<u32>,
    pub(super) use_primary_address: Option<bool>,
    pub(super) disable_prefix_delegation: Option<bool>,
    pub(super) delete_on_termination: Option<bool>,
    #[serde(deserialize_with = "ids::<_, SubnetId>")]
    pub(super) subnet_ids: Vec<String>,
    pub(super) subnet_tags: Tags,
    #[serde(deserialize_with = "ids::<_, SecurityGroupId>")]
    pub(super) security_groups: Vec<String>,
    pub(super) security_group_tags: Tags,
    pub(super) exclude_interface_tags: Tags,
    pub(super) vpc_id: String,
    pub(super) instance_type: String,
    pub(super) availability_zone: String,
    pub(super) node_subnet_id: String,
    #[serde(flatten, deserialize_with = "names")]
    pub(super) unknown: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct IpamSection {
    #[serde(rename = "type")]
    kind: String,
    pub(super) min_allocate: u32,
    pub(super) pre_allocate: u32,
    pub(super) max_allocate: u32,
    pub(super) max_above_watermark: u32,
    pub(super) static_ip_tags: Tags,
}

/// The names of members whose values count for nothing.
fn names<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<String>, D::Error> {
    BTreeMap::<String, Value>::deserialize(from).map(|members| members.into_keys().collect())
}

/// Texts that are ids of one kind.
fn ids<'de, D, T>(from: D) -> Result<Vec<String>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    let texts = Vec::<String>::deserialize(from)?;
    match texts.iter().find_map(|text| text.parse::<T>().err()) {
        Some(problem) => Err(D::Error::custom(problem)),
        None => Ok(texts),
    }
}

impl CniConf {
    /// Reads what the file at `path` says.
    ///
    /// # Errors
    /// What is wrong with it, with the path and the line.
    pub fn parse(path: &Path, text: &str) -> Result<Self, CniConfError> {
        let file: File = serde_json::from_str(text).map_err(|error| malformed(path, &error))?;
        let File { plugins, kind, eni, ipam } = file;
        let Some(plugins) = plugins else {
            let plugin = Plugin { kind: kind.unwrap_or_default(), eni, ipam };
            return one_of(path, vec![plugin]);
        };
        one_of(path, plugins)
    }
}

fn one_of(path: &Path, plugins: Vec<Plugin>) -> Result<CniConf, CniConfError> {
    let kinds: Vec<String> = plugins.iter().map(|plugin| format!("{:?}", plugin.kind)).collect();
    let meant = plugins.into_iter().find(is_meant);
    let conf = meant.map(|Plugin { kind: _, eni, ipam }| CniConf { eni, ipam });
    conf.ok_or_else(|| CniConfError::NoPlugin {
        path: path.to_owned(),
        found: match kinds.as_slice() {
            [] => "no plugin".to_owned(),
            kinds => format!("the type {}", kinds.join(", ")),
        },
    })
}

fn is_meant(plugin: &Plugin) -> bool {
    plugin.kind == "cilium-cni" || plugin.ipam.kind == "berth-cni"
}

fn malformed(path: &Path, error: &serde_json::Error) -> CniConfError {
    let text = error.to_string();
    // The line is said by itself.
    let problem = text.split(" at line ").next().unwrap_or(&text).to_owned();
    CniConfError::Malformed { path: path.to_owned(), line: error.line(), problem }
}

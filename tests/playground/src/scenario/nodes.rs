//! `nodes`: groups of nodes that are alike.

mod foreign;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use berth_agent::cni_conf::CniConf;
use ipam_core::view::Contract;
use ipnet::Ipv4Net;
use serde_json::Value;

use super::format;
use super::values::instance_type;
use super::{Checked, NODES_MAX, number, wrong};
use crate::plan::{Network, NodeGroup, Served};

/// The name of a group where none is said.
const NAME: &str = "node";
/// The types of the default playground, of which there is one node each.
const USUAL_TYPES: [&str; 5] = ["m5.large", "c5.xlarge", "t3.large", "m6i.xlarge", "r5.xlarge"];
/// The type of a group where none is said.
const TYPE: &str = "m5.large";
/// The block of each node of an overlay (default of Cilium's cluster-pool IPAM).
const OVERLAY_LENGTH: u8 = 24;

/// The groups, named once each.
pub(super) fn check(
    said: Option<&[format::NodeGroup]>,
    network: &Network,
    length: Duration,
) -> Checked<Vec<NodeGroup>> {
    let usual = [format::NodeGroup::usual()];
    let said = said.unwrap_or(&usual);
    let mut groups: Vec<NodeGroup> = Vec::with_capacity(said.len());
    for (position, said) in said.iter().enumerate() {
        let field = Field(format!("nodes[{position}]"));
        let group = field.group(said, network, length)?;
        if groups.iter().any(|other| other.name == group.name) {
            let message = format!("`{}`: expected a name that no other group has", group.name);
            return Err(wrong(field.of("name"), message));
        }
        groups.push(group);
    }
    let count = groups.iter().fold(0_u32, |sum, group| sum.saturating_add(group.count));
    if count == 0 {
        return Err(wrong("nodes", "expected at least one node"));
    }
    if count > NODES_MAX {
        let message = format!("{count} nodes: expected no more than {NODES_MAX}");
        return Err(wrong("nodes", message));
    }
    Ok(groups)
}

impl format::NodeGroup {
    /// The nodes of the default playground.
    pub(super) fn usual() -> Self {
        Self {
            count: u32::try_from(USUAL_TYPES.len()).ok(),
            instance_types: Some(USUAL_TYPES.map(str::to_owned).to_vec()),
            ..Self::default()
        }
    }
}

/// The field of a group, such as `nodes[1]`.
struct Field(String);

impl Field {
    fn of(&self, member: &str) -> String {
        format!("{}.{member}", self.0)
    }

    fn group(
        &self,
        said: &format::NodeGroup,
        network: &Network,
        length: Duration,
    ) -> Checked<NodeGroup> {
        let prefixes = said.prefix_delegation.unwrap_or(false);
        let count = said.count.unwrap_or(1);
        let instance_types = self.instance_types(said.instance_types.as_deref(), prefixes)?;
        let subnets = self.subnets(said.subnets.as_deref(), network)?;
        Ok(NodeGroup {
            foreign: foreign::check(&self.of("foreign"), said, network, &instance_types, &subnets)?,
            name: said.name.as_ref().map_or(NAME, |name| name.0.0.as_str()).to_owned(),
            count: number(&self.of("count"), count, 0, NODES_MAX)?,
            instance_types,
            subnets,
            joins_at: self.joins_at(said, length)?,
            served: self.served(said, count, network)?,
        })
    }

    fn instance_types(&self, said: Option<&[String]>, prefixes: bool) -> Checked<Vec<String>> {
        let said = said.map_or_else(|| vec![TYPE.to_owned()], <[String]>::to_vec);
        if said.is_empty() {
            let message = "expected at least one instance type, such as m5.large";
            return Err(wrong(self.of("instance_types"), message));
        }
        for (position, name) in said.iter().enumerate() {
            let field = || self.of(&format!("instance_types[{position}]"));
            let limits = instance_type(name).map_err(|error| wrong(field(), error.to_string()))?;
            if prefixes && !limits.supports_prefixes() {
                let message = format!(
                    "`{name}`: expected a type that takes prefixes, which those built on Nitro do, such as m5.large"
                );
                return Err(wrong(field(), message));
            }
        }
        Ok(said)
    }

    /// The subnets that are said, or all.
    fn subnets(&self, said: Option<&[String]>, network: &Network) -> Checked<Vec<String>> {
        let Some(said) = said else {
            return Ok(network.subnets.iter().map(|subnet| subnet.name.clone()).collect());
        };
        if said.is_empty() {
            return Err(wrong(self.of("subnets"), "expected at least one subnet"));
        }
        let named = said.iter().enumerate().map(|(position, name)| {
            network.check_subnet(&self.of(&format!("subnets[{position}]")), name)
        });
        named.collect()
    }

    fn joins_at(&self, said: &format::NodeGroup, length: Duration) -> Checked<Duration> {
        let at = said.joins_at.map_or(Duration::ZERO, |said| said.0.0);
        super::timeline::before_end(&self.of("joins_at"), at, length)
    }

    fn served(&self, said: &format::NodeGroup, count: u32, network: &Network) -> Checked<Served> {
        if let Some(block) = said.overlay {
            return self.overlay(said, block.0, count);
        }
        Ok(Served::Berth {
            contract: match said.contract.unwrap_or(format::Contract::PerIp) {
                format::Contract::PerIp => Contract::PerIp,
                format::Contract::Cidr => Contract::Cidr,
            },
            prefixes: said.prefix_delegation.unwrap_or(false),
            cni_conf: said.cni_conf.as_ref().map(|it| self.cni_conf(it, network)).transpose()?,
        })
    }

    fn overlay(&self, said: &format::NodeGroup, pod_cidr: Ipv4Net, count: u32) -> Checked<Served> {
        let beside = [
            ("contract", said.contract.is_some()),
            ("prefix_delegation", said.prefix_delegation == Some(true)),
            ("cni_conf", said.cni_conf.is_some()),
        ];
        if let Some((member, _)) = beside.into_iter().find(|(_, said)| *said) {
            let message = "expected nothing beside `overlay`: no agent of Berth is there";
            return Err(wrong(self.of(member), message));
        }
        let blocks = 1_u64 << OVERLAY_LENGTH.saturating_sub(pod_cidr.prefix_len());
        if u64::from(count) > blocks {
            let message = format!("`{pod_cidr}`: expected a block with a /24 for each of {count}");
            return Err(wrong(self.of("overlay"), message));
        }
        Ok(Served::Overlay { pod_cidr })
    }

    /// A CNI configuration that the agent can read once it has ids for names.
    fn cni_conf(&self, said: &Value, network: &Network) -> Checked<Value> {
        let mut filled = said.clone();
        let mut names = BTreeSet::new();
        replace_subnets(&mut filled, &mut |name| {
            names.insert(name.to_owned());
            format!("subnet-{:08x}", names.len())
        });
        for name in &names {
            network.check_subnet(&self.of("cni_conf"), name)?;
        }
        let parsed = CniConf::parse(Path::new("cni_conf"), &filled.to_string());
        parsed.map_err(|error| {
            let text = error.to_string();
            let text = text.split_once(": ").map_or(text.as_str(), |(_, text)| text);
            wrong(self.of("cni_conf"), text)
        })?;
        Ok(said.clone())
    }
}

/// Puts something else for every name of a subnet in a CNI configuration: the members of lists that are called `subnet-ids`.
pub fn replace_subnets(configuration: &mut Value, replacement: &mut impl FnMut(&str) -> String) {
    match configuration {
        Value::Array(items) => {
            for item in items {
                replace_subnets(item, replacement);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if let (true, Value::Array(ids)) = (name == "subnet-ids", &mut *member) {
                    for id in ids {
                        if let Value::String(text) = id {
                            *text = replacement(text);
                        }
                    }
                } else {
                    replace_subnets(member, replacement);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

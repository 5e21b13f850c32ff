//! What the own `CiliumNode` is to say, and how it comes to say it.
//!
//! The agent owns the labels, the owner reference, and of `spec` the instance id, the addresses that come from the Node, the settings
//! in `eni` and the numbers in `ipam`. Everything else is left as it is: annotations, `ipam.pool`, `ipam.pools`, `status`, what a Cilium
//! agent writes there (`health`, `ingress`, `encryption`, `bootid`, its own address), and whatever nobody knows.
//!
//! **Of another instance.** An object that names another instance is of a node that is dead: its pool, its interfaces and its
//! used addresses mean nothing here, and the operator must not think that they do. It is deleted, by its uid, and made
//! anew. Clearing its members would take two writes, of `spec` and of `status`, with an object in between that is
//! half of one instance and half of another.

use std::collections::BTreeMap;

use cilium_node::{CiliumNode, EniSpec, IpamSpec};
use ipam_core::ids::NodeName;
use kube::Resource;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::board::uid;
use crate::imds::InstanceFacts;

/// What the owner of the node asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OwnNode {
    /// Settings of `spec.eni`. What the instance says of itself is put in its place here, whatever they say of it.
    pub eni: EniSpec,
    /// Settings of `spec.ipam`: the watermarks and `static-ip-tags`. Nothing else of it is written.
    pub ipam: IpamSpec,
}

/// What the Node says of itself, as far as it is copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSeen {
    /// Its uid.
    pub uid: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its addresses: type and address, in the order of the Node.
    pub addresses: Vec<(String, String)>,
}

/// What the own object is to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    name: NodeName,
    instance: String,
    owner: Value,
    labels: Value,
    addresses: Vec<Value>,
    eni: Map<String, Value>,
    ipam: Map<String, Value>,
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing: it says so already, or is about to go.
    Nothing,
    /// It is to be made.
    Create(Value),
    /// It is to be changed, by a merge patch (RFC 7396).
    Patch(Value),
    /// It is of another instance: it is to be deleted, and then made.
    Replace {
        /// Which object.
        uid: String,
    },
}

/// The types of addresses that come from the Node. Others are somebody else's.
const ADDRESS_TYPES: [&str; 3] = ["InternalIP", "ExternalIP", "Hostname"];

/// The members of `spec.eni` that the agent decides about. Its obsolete ones stay as they are.
const ENI_MEMBERS: [&str; 13] = [
    "availability-zone",
    "delete-on-termination",
    "disable-prefix-delegation",
    "exclude-interface-tags",
    "first-interface-index",
    "instance-type",
    "node-subnet-id",
    "security-group-tags",
    "security-groups",
    "subnet-ids",
    "subnet-tags",
    "use-primary-address",
    "vpc-id",
];

/// The members of `spec.ipam` that the agent decides about: one that is not asked for is taken out.
const IPAM_MEMBERS: [&str; 3] = ["max-allocate", "min-allocate", "static-ip-tags"];

/// Those that are written only when they are asked for: the operator fills in the first, and users the second.
const IPAM_MEMBERS_IF_SET: [&str; 2] = ["max-above-watermark", "pre-allocate"];

impl Wanted {
    /// What the object of the node `name` is to say.
    #[must_use]
    pub fn new(name: &NodeName, node: &NodeSeen, facts: &InstanceFacts, own: &OwnNode) -> Self {
        let eni = EniSpec {
            instance_type: Some(facts.instance_type.to_string()),
            vpc_id: Some(facts.vpc.to_string()),
            availability_zone: Some(facts.zone.to_string()),
            node_subnet_id: Some(facts.subnet.to_string()),
            ..own.eni.clone()
        };
        let addresses = node.addresses.iter().filter(|(kind, _)| is_of_node(kind));
        let names = [IPAM_MEMBERS.as_slice(), &IPAM_MEMBERS_IF_SET].concat();
        let ipam = members(&own.ipam, &names);
        Self {
            name: name.clone(),
            instance: facts.instance.to_string(),
            owner: json!({"apiVersion": "v1", "kind": "Node", "name": name.as_str(), "uid": node.uid}),
            labels: json!(node.labels),
            addresses: addresses.map(|(kind, ip)| json!({"type": kind, "ip": ip})).collect(),
            eni: members(&eni, &ENI_MEMBERS),
            // 0 means that it is not asked for.
            ipam: ipam.into_iter().filter(|(_, value)| *value != json!(0)).collect(),
        }
    }

    /// A new object that says so.
    fn object(&self) -> Value {
        json!({
            "apiVersion": CiliumNode::api_version(&()),
            "kind": CiliumNode::kind(&()),
            "metadata": {
                "name": self.name.as_str(), "labels": self.labels, "ownerReferences": [self.owner],
            },
            "spec": {
                "instance-id": self.instance, "addresses": self.addresses,
                "eni": self.eni, "ipam": self.ipam,
            },
        })
    }

    /// What an object that says otherwise is to be changed by.
    fn patch(&self, existing: &Value) -> Option<Value> {
        let at = |path: &str| existing.pointer(path).cloned().unwrap_or(Value::Null);
        let object =
            |path| if let Value::Object(members) = at(path) { members } else { Map::new() };
        let ipam = kept(object("/spec/ipam"), |name| {
            IPAM_MEMBERS.contains(&name) || self.ipam.contains_key(name)
        });
        let eni = kept(object("/spec/eni"), |name| ENI_MEMBERS.contains(&name));
        let labels = difference(&Value::Object(object("/metadata/labels")), &self.labels);
        let addresses = self.addresses_beside(&at("/spec/addresses"));
        let owners = at("/metadata/ownerReferences");
        let metadata = [
            ("labels", labels),
            ("ownerReferences", (!self.is_owned(&owners)).then(|| json!([self.owner]))),
        ];
        let spec = [
            ("instance-id", difference(&at("/spec/instance-id"), &json!(self.instance))),
            ("addresses", difference(&at("/spec/addresses"), &addresses)),
            ("eni", difference(&Value::Object(eni), &json!(self.eni))),
            ("ipam", difference(&Value::Object(ipam), &json!(self.ipam))),
        ];
        let mut metadata = there(metadata);
        let spec = there(spec);
        if metadata.is_empty() && spec.is_empty() {
            return None;
        }
        // Without effect, but for another object of the same name: there it is a conflict.
        metadata.insert("uid".to_owned(), json!(uid(existing)));
        let spec = Some(Value::Object(spec)).filter(|spec| *spec != json!({}));
        Some(Value::Object(there([("metadata", Some(Value::Object(metadata))), ("spec", spec)])))
    }

    /// The addresses of the node, and behind them those of others.
    fn addresses_beside(&self, existing: &Value) -> Value {
        let others = existing.as_array().into_iter().flatten().filter(|address| {
            let kind = address.get("type").and_then(Value::as_str);
            kind.is_none_or(|kind| !is_of_node(kind))
        });
        let all: Vec<Value> = self.addresses.iter().chain(others).cloned().collect();
        // An absent list and an empty one are the same.
        if all.is_empty() && existing.is_null() { Value::Null } else { Value::Array(all) }
    }

    /// Whether the Node, as it is now, is the one owner.
    fn is_owned(&self, owners: &Value) -> bool {
        let one = owners.as_array().filter(|owners| owners.len() == 1);
        let Some(Value::Object(owner)) = one.and_then(|owners| owners.first()) else {
            return false;
        };
        let same = |name: &&str| owner.get(*name) == self.owner.get(*name);
        ["apiVersion", "kind", "name", "uid"].iter().all(same)
    }
}

/// What is to be done so that the own object says what it is to say.
#[must_use]
pub fn decide(existing: Option<&Value>, wanted: &Wanted) -> Decision {
    let Some(existing) = existing else { return Decision::Create(wanted.object()) };
    if existing.pointer("/metadata/deletionTimestamp").is_some() {
        return Decision::Nothing;
    }
    let instance = existing.pointer("/spec/instance-id").and_then(Value::as_str);
    if instance.is_some_and(|instance| !instance.is_empty() && instance != wanted.instance) {
        return Decision::Replace { uid: uid(existing).to_owned() };
    }
    wanted.patch(existing).map_or(Decision::Nothing, Decision::Patch)
}

fn is_of_node(kind: &str) -> bool {
    ADDRESS_TYPES.contains(&kind)
}

/// The members of a struct with these names, but for those without content: like Cilium's agents, lists and maps that are
/// empty are not written.
fn members(of: &impl Serialize, names: &[&str]) -> Map<String, Value> {
    let Ok(Value::Object(all)) = serde_json::to_value(of) else { return Map::new() };
    let empty = |value: &Value| *value == json!({}) || *value == json!([]);
    kept(all, |name| names.contains(&name)).into_iter().filter(|(_, value)| !empty(value)).collect()
}

fn kept(members: Map<String, Value>, keep: impl Fn(&str) -> bool) -> Map<String, Value> {
    members.into_iter().filter(|(name, _)| keep(name)).collect()
}

/// The members that are there.
fn there<'a>(members: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> Map<String, Value> {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    there.collect()
}

/// The merge patch that makes `wanted` of `existing`; `None` when they are the same.
fn difference(existing: &Value, wanted: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (existing, wanted) else {
        return (existing != wanted).then(|| wanted.clone());
    };
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let gone = gone.map(|name| (name.clone(), Value::Null));
    let new = after.iter().filter_map(|(name, value)| {
        let before = before.get(name).unwrap_or(&Value::Null);
        Some((name.clone(), difference(before, value)?))
    });
    let patch: Map<String, Value> = gone.chain(new).collect();
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests;

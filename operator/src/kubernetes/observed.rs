//! A `CiliumNode` as the operator reads it: what others write of it in the words of the core, what the operator itself
//! writes as digests, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use cilium_node::{CiliumNode, IGNORE_ANNOTATION, convert, is_ignored};
use ipam_core::addresses::AddressSet;
use ipam_core::ids::{EniId, NodeName};
use ipam_core::reconcile::NodeSeen;
use ipam_core::release::Usage;
use ipam_core::view::Contract;
use ipnet::{IpNet, Ipv4Net};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::digest::Digest;

/// A node that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedNode {
    /// What it says, as the machine takes it.
    pub seen: NodeSeen,
    /// What the operator publishes there, as the publisher takes it.
    pub object: ObservedObject,
    /// What in it makes no sense, each with its place.
    pub problems: Vec<String>,
}

/// What an object holds of what the operator writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedObject {
    /// Which object it is: one that is made anew under the same name has another.
    pub uid: Box<str>,
    /// Its resource version. Greater means later (Kubernetes API conventions, since 1.35); `None` where it is no number.
    pub version: Option<u64>,
    /// Whether there is a `status`: an operation can add a member to none that is not there.
    pub has_status: bool,
    /// `status.eni`.
    pub eni: Member,
    /// `spec.ipam.pool`.
    pub pool: Member,
    /// The interfaces in `status.eni`.
    pub shown: BTreeSet<EniId>,
    /// The addresses in `status.eni`.
    pub listed: AddressSet,
    /// The addresses in `spec.ipam.pool`.
    pub pooled: AddressSet,
    /// Whether `spec.ipam.pre-allocate` is absent or 0.
    pub pre_allocate_unset: bool,
    /// `status.ipam.operator-status`.
    pub told: Told,
    /// `status.ipam.release-ips`, as it stands.
    pub releases: BTreeMap<Ipv4Addr, String>,
}

/// What the operator told the node's agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Nothing: there is no member to hold it.
    Nowhere,
    /// Nothing: the member is without an error.
    Nothing,
    /// Why the node gets nothing more.
    Error(Box<str>),
}

/// What is in a member that the operator writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// Nothing: it is absent, or without entries.
    Empty,
    /// Entries.
    Filled(Digest),
}

/// An object of a list or of a watch, which can always be decoded: what is wrong with it is in it.
#[derive(Debug, Clone, Resource)]
#[resource(inherit = CiliumNode)]
pub(crate) struct NodeObject {
    metadata: ObjectMeta,
    /// What was read, or why it cannot be.
    pub(crate) content: Result<Box<ObservedNode>, String>,
}

impl NodeObject {
    /// Its name, if it has a proper one.
    pub(crate) fn name(&self) -> Option<NodeName> {
        self.metadata.name.as_ref()?.parse().ok()
    }
}

impl<'de> Deserialize<'de> for NodeObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        Ok(read(text.get()))
    }
}

/// An object whose outermost members stand as they are.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    metadata: &'a RawValue,
    #[serde(borrow, default)]
    spec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
}

/// What tells one object, and one state of it, from another.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Identity {
    name: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
}

/// The one annotation that matters.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotated {
    annotations: Option<BTreeMap<String, Value>>,
}

/// Members of an object, as they stand.
type Members<'a> = BTreeMap<String, &'a RawValue>;

fn read(text: &str) -> NodeObject {
    let envelope: Envelope<'_> = match serde_json::from_str(text) {
        Ok(envelope) => envelope,
        Err(error) => {
            return NodeObject { metadata: ObjectMeta::default(), content: Err(error.to_string()) };
        }
    };
    let identity: Identity = serde_json::from_str(envelope.metadata.get()).unwrap_or_default();
    let content = node(&envelope, &identity).map(Box::new);
    let metadata = ObjectMeta {
        name: identity.name,
        uid: identity.uid,
        resource_version: identity.resource_version,
        ..ObjectMeta::default()
    };
    NodeObject { metadata, content }
}

/// What an object holds of what the operator writes; `None` when it is no object.
pub(crate) fn object_of(text: &str) -> Option<ObservedObject> {
    let envelope: Envelope<'_> = serde_json::from_str(text).ok()?;
    let identity: Identity = serde_json::from_str(envelope.metadata.get()).ok()?;
    let spec = Reduced::of(envelope.spec, "ipam", "pool");
    let status = Reduced::of(envelope.status, "eni", "");
    Some(object(&identity, &spec, &status))
}

fn node(envelope: &Envelope<'_>, identity: &Identity) -> Result<ObservedNode, String> {
    let spec = Reduced::of(envelope.spec, "ipam", "pool");
    let status = Reduced::of(envelope.status, "eni", "");
    let object = object(identity, &spec, &status);
    let annotated: Annotated = serde_json::from_str(envelope.metadata.get()).unwrap_or_default();
    let ignore = annotated.annotations.and_then(|mut all| all.remove(IGNORE_ANNOTATION));
    let annotations: Map<String, Value> =
        ignore.map(|value| (IGNORE_ANNOTATION.to_owned(), value)).into_iter().collect();
    let node = json!({
        "metadata": {"name": identity.name, "annotations": annotations},
        "spec": spec.rest,
        "status": status.rest,
    });
    let node: CiliumNode = serde_json::from_value(node).map_err(|error| error.to_string())?;
    let name = identity.name.as_deref().unwrap_or_default();
    let name: NodeName = name.parse().map_err(|error| format!("metadata.name: {error}"))?;
    let conversion = convert(&node);
    let facts = conversion.node;
    let seen = NodeSeen {
        name,
        identity: facts.identity,
        settings: facts.settings,
        demand: facts.demand,
        usage: Usage {
            is_certain: facts.use_is_certain,
            used: facts.used.into_keys().collect(),
            releases: facts.releases,
            requested: facts.demand.requested(),
            allocated: facts.allocated.into_iter().filter_map(of_ipv4).collect(),
            listed: published(&object, facts.demand.contract()).clone(),
            shown: object.shown.clone(),
        },
        ignored: is_ignored(&node),
    };
    let problems = conversion.problems.iter().map(ToString::to_string).collect();
    Ok(ObservedNode { seen, object, problems })
}

/// What was published for an agent: what of it the agent hands out.
const fn published(object: &ObservedObject, contract: Contract) -> &AddressSet {
    match contract {
        Contract::PerIp => &object.pooled,
        Contract::Cidr => &object.listed,
    }
}

const fn of_ipv4(net: IpNet) -> Option<Ipv4Net> {
    match net {
        IpNet::V4(net) => Some(net),
        IpNet::V6(_) => None,
    }
}

fn object(identity: &Identity, spec: &Reduced<'_>, status: &Reduced<'_>) -> ObservedObject {
    let version = identity.resource_version.as_deref();
    let pre_allocate = spec.rest.pointer("/ipam/pre-allocate");
    let (eni, enis) = interfaces(status.taken);
    let addresses = enis.values().flat_map(|eni| &eni.addresses);
    let (pool, pooled) = pool(spec.taken);
    ObservedObject {
        uid: identity.uid.as_deref().unwrap_or_default().into(),
        version: version.and_then(|text| text.parse().ok()),
        has_status: status.rest.is_object(),
        eni,
        pool,
        shown: enis.keys().filter_map(|id| id.parse().ok()).collect(),
        listed: addresses.filter_map(|text| text.parse::<Ipv4Addr>().ok()).collect(),
        pooled,
        pre_allocate_unset: pre_allocate.is_none_or(|value| value.is_null() || *value == json!(0)),
        told: told(&status.rest),
        releases: releases(&status.rest),
    }
}

fn told(status: &Value) -> Told {
    let Some(said) = status.pointer("/ipam/operator-status").and_then(Value::as_object) else {
        return Told::Nowhere;
    };
    match said.get("error").and_then(Value::as_str) {
        None | Some("") => Told::Nothing,
        Some(error) => Told::Error(error.into()),
    }
}

fn releases(status: &Value) -> BTreeMap<Ipv4Addr, String> {
    let entries = status.pointer("/ipam/release-ips").and_then(Value::as_object);
    let read = |(address, says): (&String, &Value)| {
        Some((address.parse().ok()?, says.as_str().unwrap_or_default().to_owned()))
    };
    entries.into_iter().flatten().filter_map(read).collect()
}

/// A part of an object, one member taken out of it unread.
struct Reduced<'a> {
    taken: Option<&'a RawValue>,
    rest: Value,
}

impl<'a> Reduced<'a> {
    /// Takes the member `inner` of the member `outer`, or `outer` itself where `inner` is empty.
    fn of(part: Option<&'a RawValue>, outer: &str, inner: &str) -> Self {
        let mut reduced = Self { taken: None, rest: Value::Null };
        let Some(part) = part else { return reduced };
        let Some(members) = members(part) else {
            reduced.rest = value(part);
            return reduced;
        };
        let mut rest = Map::new();
        for (name, member) in members {
            if name != outer {
                rest.insert(name, value(member));
            } else if inner.is_empty() {
                reduced.taken = Some(member);
            } else {
                let reduced_member = Self::of(Some(member), inner, "");
                reduced.taken = reduced_member.taken;
                rest.insert(name, reduced_member.rest);
            }
        }
        reduced.rest = Value::Object(rest);
        reduced
    }
}

fn members(part: &RawValue) -> Option<Members<'_>> {
    serde_json::from_str(part.get()).ok()
}

/// The value of a text. What is too deep to be followed becomes a text, which fits nowhere and is said to be a problem.
fn value(part: &RawValue) -> Value {
    serde_json::from_str(part.get()).unwrap_or_else(|_| Value::String(part.get().to_owned()))
}

/// The interfaces and their addresses, as far as they have the shape that the schema gives them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Interfaces {
    enis: BTreeMap<String, Interface>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Interface {
    addresses: Vec<String>,
}

fn interfaces(part: Option<&RawValue>) -> (Member, BTreeMap<String, Interface>) {
    let Some(part) = part else { return (Member::Empty, BTreeMap::new()) };
    let members = members(part);
    let enis = members.as_ref().and_then(|members| members.get("enis").copied());
    if members.as_ref().is_some_and(|members| members.len() <= usize::from(enis.is_some()))
        && enis.is_none_or(is_empty)
    {
        return (Member::Empty, BTreeMap::new());
    }
    let filled = Member::Filled(Digest::of_text(part.get()));
    let read = serde_json::from_str(part.get()).map(|Interfaces { enis }| enis);
    (filled, read.unwrap_or_else(|_| enis.map(each_interface).unwrap_or_default()))
}

/// The interfaces one by one: what is wrong with one of them hides no other, and that it is shown is certain in any case.
fn each_interface(enis: &RawValue) -> BTreeMap<String, Interface> {
    let enis = members(enis).unwrap_or_default().into_iter();
    enis.map(|(id, eni)| (id, serde_json::from_str(eni.get()).unwrap_or_default())).collect()
}

fn pool(part: Option<&RawValue>) -> (Member, AddressSet) {
    let Some(part) = part.filter(|part| !is_empty(part)) else {
        return (Member::Empty, AddressSet::default());
    };
    let entries = members(part).unwrap_or_default();
    let addresses = entries.keys().filter_map(|text| text.parse::<Ipv4Addr>().ok()).collect();
    (Member::Filled(Digest::of_text(part.get())), addresses)
}

/// Whether it is `null`, or an object without members.
fn is_empty(part: &RawValue) -> bool {
    part.get() == "null" || members(part).is_some_and(|members| members.is_empty())
}

#[cfg(test)]
mod tests;

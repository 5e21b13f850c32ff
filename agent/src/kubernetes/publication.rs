//! What of a publication is not in the own object yet, as patches.
//!
//! * `status.ipam.used` is the agent's alone and replaced whole, so that it is right whatever was seen of it before.
//! * An entry of `status.ipam.release-ips` is answered only while it says what was answered: the patch tests that it is still marked (or
//!   promised, where the promise is taken back, or released, where the entry is to go). When the operator was faster, the whole patch is refused, the object is read again, and the
//!   rest is written. What the operator says next is heard by the watch, and answered by the next publication.
//! * In `spec.ipam.pools`, the entries of the pool of ENI mode are replaced and those of other pools stay. The patch tests that
//!   the lists are what was seen.
//! * Which contract an agent speaks is judged by what it wrote last (see [`cilium_node::contract`]). So an agent of either takes away
//!   what one of the other left behind: `status.ipam.used`, or the request and the CIDRs of the pool of ENI mode.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use cilium_node::DEFAULT_POOL;
use ipam_core::agent::{Publication, Release};
use ipam_core::ids::EniId;
use ipam_core::pool::Owner;
use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::board::uid;
pub use super::write::Body;

/// A part of a publication: what one patch writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// `status.ipam.used`, and answers in `status.ipam.release-ips`.
    Used(&'a BTreeMap<Ipv4Addr, (Owner, EniId)>, &'a BTreeMap<Ipv4Addr, Option<Release>>),
    /// `spec.ipam.pools`.
    Pools((u32, u32), &'a BTreeSet<IpNet>),
    /// `status.ipam.used` is left to nobody.
    NothingUsed,
    /// The pool of ENI mode is left without a request in `spec.ipam.pools`.
    NothingRequested,
}

/// The parts of a publication, in the order in which they are to be written.
#[must_use]
pub fn parts(publication: &Publication) -> Vec<Part<'_>> {
    match publication {
        Publication::Used { used, releases } => {
            vec![Part::Used(used, releases), Part::NothingRequested]
        }
        Publication::Pools { requested, allocated } => {
            vec![Part::Pools(*requested, allocated), Part::NothingUsed]
        }
    }
}

impl Part<'_> {
    /// Whether it is written to the subresource `status`.
    #[must_use]
    pub const fn is_status(&self) -> bool {
        matches!(self, Self::Used(..) | Self::NothingUsed)
    }

    /// What is to be written to an object that was seen as `seen`; `None` when it says so already.
    #[must_use]
    pub fn body(&self, seen: &Value) -> Option<Body> {
        match self {
            Self::Used(used, releases) => used_body(seen, used, releases),
            Self::Pools(requested, allocated) => pools_body(seen, Some(*requested), allocated),
            Self::NothingRequested => pools_body(seen, None, &BTreeSet::new()),
            Self::NothingUsed => nothing_used_body(seen),
        }
    }
}

fn used_body(
    seen: &Value,
    used: &BTreeMap<Ipv4Addr, (Owner, EniId)>,
    releases: &BTreeMap<Ipv4Addr, Option<Release>>,
) -> Option<Body> {
    let entries = used.iter().map(|(address, (owner, eni))| {
        let entry = json!({"owner": owner.to_string(), "resource": eni.as_str()});
        (address.to_string(), entry)
    });
    let wanted: Map<String, Value> = entries.collect();
    let Some(Value::Object(ipam)) = seen.pointer("/status/ipam") else {
        // Without the member there are no releases to answer either.
        let patch = json!({"metadata": {"uid": uid(seen)}, "status": {"ipam": {"used": wanted}}});
        return (!wanted.is_empty()).then_some(Body::Merge(patch));
    };
    let nothing = Map::new();
    let now = ipam.get("used").and_then(Value::as_object).unwrap_or(&nothing);
    let mut operations = Vec::new();
    if *now != wanted {
        operations.push(json!({"op": "add", "path": "/status/ipam/used", "value": wanted}));
    }
    let asked = ipam.get("release-ips").and_then(Value::as_object).unwrap_or(&nothing);
    for (address, answer) in releases {
        let address = address.to_string();
        let state = asked.get(&address).and_then(Value::as_str);
        operations.extend(
            state.and_then(|state| answered(&address, state, *answer)).into_iter().flatten(),
        );
    }
    for_object(seen, operations)
}

/// The operations that answer an entry which says `state`; `None` when there is nothing to answer.
fn answered(address: &str, state: &str, answer: Option<Release>) -> Option<[Value; 2]> {
    let path = format!("/status/ipam/release-ips/{address}");
    let say = |word| json!({"op": "replace", "path": path, "value": word});
    let change = match (state, answer) {
        ("released", None) => json!({"op": "remove", "path": path}),
        ("marked-for-release", Some(Release::Ready)) => say("ready-for-release"),
        // A promise is taken back while the operator has made nothing of it.
        ("marked-for-release" | "ready-for-release", Some(Release::Refused)) => {
            say("do-not-release")
        }
        _ => return None,
    };
    Some([json!({"op": "test", "path": path, "value": state}), change])
}

/// The lists of `spec.ipam.pools` with a request for the pool of ENI mode, or without one.
fn pools_body(
    seen: &Value,
    requested: Option<(u32, u32)>,
    allocated: &BTreeSet<IpNet>,
) -> Option<Body> {
    let at = |list: &str| seen.pointer(&format!("/spec/ipam/pools/{list}"));
    let wanted = [
        ("requested", requested_list(at("requested"), requested)),
        ("allocated", allocated_list(at("allocated"), allocated)),
    ];
    let wanted = wanted.into_iter().filter_map(|(name, list)| Some((name, list?)));
    if seen.pointer("/spec/ipam/pools").is_none_or(|pools| !pools.is_object()) {
        let pools: Map<String, Value> =
            wanted.map(|(name, list)| (name.to_owned(), Value::Array(list))).collect();
        let patch = json!({"metadata": {"uid": uid(seen)}, "spec": {"ipam": {"pools": pools}}});
        return (!pools.is_empty()).then_some(Body::Merge(patch));
    }
    let mut operations = Vec::new();
    for (name, list) in wanted {
        let path = format!("/spec/ipam/pools/{name}");
        if let Some(before) = at(name) {
            operations.push(json!({"op": "test", "path": path, "value": before}));
        }
        operations.push(json!({"op": "add", "path": path, "value": list}));
    }
    for_object(seen, operations)
}

/// `requested` as it is to be; `None` when it is so already. Also a request of nothing is one: it says which contract the
/// agent speaks.
fn requested_list(before: Option<&Value>, counts: Option<(u32, u32)>) -> Option<Vec<Value>> {
    let entry = counts.map(|(ipv4, ipv6)| {
        let counts = [("ipv4-addrs", ipv4), ("ipv6-addrs", ipv6)].into_iter();
        let needed = counts.filter(|(_, count)| *count != 0);
        let needed = needed.map(|(name, count)| (name.to_owned(), json!(count)));
        json!({"pool": DEFAULT_POOL, "needed": needed.collect::<Map<String, Value>>()})
    });
    with_default(before, entry.as_ref(), |now| Some(now) == entry.as_ref())
}

/// `allocated` as it is to be; `None` when it is so already.
fn allocated_list(before: Option<&Value>, cidrs: &BTreeSet<IpNet>) -> Option<Vec<Value>> {
    let cidrs: Vec<String> = cidrs.iter().map(ToString::to_string).collect();
    let entry =
        json!({"pool": DEFAULT_POOL, "cidrs": cidrs, "allowFirstIP": true, "allowLastIP": true});
    // A definition of Cilium 1.19 drops the two flags. Written again, they would be dropped again.
    let same = |now: &Value| {
        let flag = |name| now.get(name) != Some(&json!(false));
        now.get("cidrs") == entry.get("cidrs") && flag("allowFirstIP") && flag("allowLastIP")
    };
    with_default(before, (!cidrs.is_empty()).then_some(&entry), same)
}

/// The entries of `before` for other pools, in their places, and `entry` in the place of the first one for the pool of ENI
/// mode. `None` when the only such entry is the same.
fn with_default(
    before: Option<&Value>,
    entry: Option<&Value>,
    same: impl Fn(&Value) -> bool,
) -> Option<Vec<Value>> {
    let before = before.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_default = |entry: &&Value| entry.get("pool") == Some(&json!(DEFAULT_POOL));
    let now: Vec<&Value> = before.iter().filter(is_default).collect();
    let is_same = match (now.as_slice(), entry) {
        ([], None) => true,
        ([now], Some(_)) => same(now),
        _ => false,
    };
    if is_same {
        return None;
    }
    let place = before.iter().position(|entry| is_default(&entry)).unwrap_or(before.len());
    let mut list: Vec<Value> = before.iter().filter(|entry| !is_default(entry)).cloned().collect();
    if let Some(entry) = entry {
        list.insert(place.min(list.len()), entry.clone());
    }
    Some(list)
}

fn nothing_used_body(seen: &Value) -> Option<Body> {
    let used = seen.pointer("/status/ipam/used")?.as_object()?;
    let remove = json!({"op": "remove", "path": "/status/ipam/used"});
    if used.is_empty() { None } else { for_object(seen, vec![remove]) }
}

/// The operations, for this object alone; `None` when there are none.
fn for_object(seen: &Value, operations: Vec<Value>) -> Option<Body> {
    if operations.is_empty() {
        return None;
    }
    let test = json!({"op": "test", "path": "/metadata/uid", "value": uid(seen)});
    Some(Body::Operations([test].into_iter().chain(operations).collect()))
}

#[cfg(test)]
mod tests;

//! A node's own object as its agent hears it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipam_core::agent::{EniFacts, Word, WordEni};
use ipam_core::managed::is_excluded;
use ipam_core::view::{EniView, NodeSettings};
use ipnet::IpNet;

use super::{Conversion, Fault, NodeFacts, Problem, convert};
use crate::{CiliumNode, Eni, Needed, Pools};

/// What an object tells the agent of its node, and what in it makes no sense.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// What it says; `None` when it is not certain which interfaces carry pods, which is worse than to know nothing new.
    pub word: Option<Word>,
    /// What of it cannot be used, each with its place.
    pub problems: Vec<Problem>,
}

/// Reads what the object of a node tells the agent there. One bad entry never hides the others.
///
/// Left out are the interfaces that carry no pods by the object's own `spec.eni` (`first-interface-index`,
/// `exclude-interface-tags`), and one whose MAC is not known: its addresses cannot be routed.
///
/// ```
/// let node = serde_json::from_value(serde_json::json!({
///     "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": "n"},
///     "spec": {"instance-id": "i-1", "ipam": {"pool": {"10.0.0.1": {"resource": "eni-1"}}}},
/// }))?;
/// let word = cilium_node::convert::word(&node).word.unwrap();
/// assert_eq!(word.instance.unwrap().as_str(), "i-1");
/// assert_eq!(word.pool.unwrap().len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn word(node: &CiliumNode) -> Heard {
    let Conversion { node: facts, mut problems } = convert(node);
    let word = facts.settings.clone().map(|settings| {
        let enis = enis(node, &facts, &settings, &mut problems);
        said(node, facts, enis)
    });
    Heard { word, problems }
}

fn said(node: &CiliumNode, facts: NodeFacts, enis: Vec<WordEni>) -> Word {
    let spec = node.spec.ipam.as_ref();
    let status = node.status.as_ref().and_then(|status| status.ipam.as_ref());
    let error = status.and_then(|ipam| ipam.operator_status.as_ref()?.error.clone());
    Word {
        instance: node.spec.instance_id.as_deref().and_then(|text| text.parse().ok()),
        enis,
        pool: spec.is_some_and(|ipam| ipam.pool.is_some()).then_some(facts.pool),
        releases: facts.releases,
        used: facts.used.into_iter().map(|(at, used)| (at, used.owner)).collect(),
        requested: spec.and_then(|ipam| ipam.pools.as_ref()).and_then(requested),
        allocated: facts.allocated,
        blocked: error.filter(|error| !error.is_empty()),
    }
}

/// What the pool of ENI mode was asked for: IPv4 and IPv6. A number that makes no sense is 0.
fn requested(pools: &Pools) -> Option<(u32, u32)> {
    let (_, request) = pools.default_request()?;
    let none = Needed::default();
    let needed = request.needed.as_ref().unwrap_or(&none);
    let count = |value: Option<i64>| value.and_then(|it| u32::try_from(it).ok()).unwrap_or(0);
    Some((count(needed.ipv4_addrs), count(needed.ipv6_addrs)))
}

/// The interfaces that carry pods.
fn enis(
    node: &CiliumNode,
    facts: &NodeFacts,
    settings: &NodeSettings,
    problems: &mut Vec<Problem>,
) -> Vec<WordEni> {
    let status = node.status.as_ref().and_then(|status| status.eni.as_ref());
    let absent = BTreeMap::new();
    let listed = status.and_then(|eni| eni.enis.as_ref()).unwrap_or(&absent);
    let first = settings.first_interface_index.unwrap_or(0);
    let mut enis = Vec::new();
    for view in &facts.enis {
        let index = view.attachment.as_ref().map_or(0, |at| at.device_index);
        if index < first || is_excluded(&view.tags, &settings.exclude_interface_tags) {
            continue;
        }
        let Some(mac) = view.mac else {
            let path = format!("status.eni.enis[{:?}].mac", view.id.as_str());
            if !problems.iter().any(|problem| problem.path == path) {
                problems
                    .push(Problem { path, fault: Fault::Missing { expected: "a MAC address" } });
            }
            continue;
        };
        let vpc = facts.vpcs.get(&view.vpc).into_iter();
        let facts = EniFacts {
            id: view.id.clone(),
            mac: mac.to_string(),
            number: index.into(),
            subnet: facts.subnets.get(&view.subnet).copied(),
            vpc: vpc
                .flat_map(|vpc| std::iter::once(&vpc.primary_cidr).chain(&vpc.cidrs))
                .map(|cidr| IpNet::V4(*cidr))
                .collect(),
        };
        let addresses = listed.get(view.id.as_str()).map(addresses).unwrap_or_default();
        enis.push(WordEni {
            facts,
            primary: Some(view.ipv4.primary),
            addresses,
            prefixes: prefixes(view),
        });
    }
    enis
}

/// All that is listed in `addresses`, with what it repeats of the prefixes.
fn addresses(eni: &Eni) -> BTreeSet<IpAddr> {
    let texts = eni.addresses.iter().flatten();
    texts.filter_map(|text| text.parse().ok()).collect()
}

fn prefixes(view: &EniView) -> BTreeSet<IpNet> {
    let ipv4 = view.ipv4.prefixes.iter().copied().map(IpNet::V4);
    ipv4.chain(view.ipv6.prefixes.iter().copied().map(IpNet::V6)).collect()
}

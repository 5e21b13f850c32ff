//! What agents know of the addresses that pods use.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use berth_agent::status::Report;
use tokio::time::Instant;

use super::Said;
use crate::book::Use;

/// An address, and who uses it: the pod by its name and the moment at which it was made.
type Key = (Instant, String, IpAddr);

/// Uses that an agent's ledger does not know, and since when.
#[derive(Debug, Default)]
pub(super) struct Ledgers {
    missing: BTreeMap<Key, Duration>,
}

impl Ledgers {
    /// What ledgers do not know although it was so for longer than `lag`, in words: an agent's answer may be that old.
    ///
    /// Only uses count that the book showed before the agents were asked and shows now: they lasted all the while. Where no agent answers
    /// nothing is learned: what was missing before stays so.
    pub(super) fn look(
        &mut self,
        used: &[(Instant, Use)],
        said: &Said<'_>,
        lag: Duration,
    ) -> Vec<String> {
        let before: BTreeSet<Key> = said.used_before.iter().map(key).collect();
        let now: BTreeSet<Key> = used.iter().map(key).collect();
        self.missing.retain(|key, _| now.contains(key));
        let by_node: BTreeMap<&str, BTreeMap<IpAddr, &str>> =
            said.reports.iter().map(|(node, report)| (node.as_str(), owners(report))).collect();
        let mut unknown = Vec::new();
        for one in used {
            let (key, Use { node, pod, address }) = (key(one), &one.1);
            let Some(owners) = by_node.get(node.as_str()) else { continue };
            let owner = owners.get(address).copied();
            // The ledger need not know which pod it was.
            if owner == Some(pod) || owner.is_some_and(|owner| !owner.contains('/')) {
                self.missing.remove(&key);
                continue;
            }
            if !before.contains(&key) {
                continue;
            }
            let since = *self.missing.entry(key).or_insert(said.at);
            if said.at.saturating_sub(since) >= lag {
                let owner = owner.unwrap_or("nobody");
                unknown.push(format!(
                    "{pod} uses {address}, which by the ledger of {node} is {owner}'s"
                ));
            }
        }
        unknown
    }
}

fn key((since, used): &(Instant, Use)) -> Key {
    (*since, used.pod.clone(), used.address)
}

fn owners(report: &Report) -> BTreeMap<IpAddr, &str> {
    report.addresses.iter().map(|it| (it.address, it.owner.as_str())).collect()
}

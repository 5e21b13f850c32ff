//! What the agents say of themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use berth_agent::status::{Report, fetch};
use futures::StreamExt;
use tokio::time::timeout;

use crate::audit::IPV4;
use crate::nodes::NodeAt;

/// An agent that lives answers within milliseconds.
const WITHIN: Duration = Duration::from_secs(1);
/// Agents that are asked at once: each takes a socket and the memory of its answer.
const AT_ONCE: usize = 64;

/// IPv4 addresses of a node, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) free: u32,
    pub(super) used: u32,
    pub(super) cooling: u32,
    pub(super) promised: u32,
}

/// The agents, as they answered last.
#[derive(Debug, Default)]
pub(super) struct Agents {
    answers: BTreeMap<String, Report>,
    /// What those had that answered at some time.
    known: BTreeMap<String, Addresses>,
}

impl Agents {
    /// Asks the agents of these nodes, and forgets all others.
    pub(super) async fn ask(&mut self, nodes: &[NodeAt]) {
        let sockets =
            nodes.iter().filter_map(|node| Some((node.name.clone(), node.socket.clone()?)));
        let asked = sockets.collect::<Vec<_>>().into_iter().map(ask);
        let answers = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
        self.heard(nodes, answers.filter_map(async |answer| answer).collect().await);
    }

    /// What those answered that did.
    pub(super) fn heard(&mut self, nodes: &[NodeAt], answers: BTreeMap<String, Report>) {
        let names: BTreeSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        self.known.retain(|name, _| names.contains(name.as_str()));
        let known = answers.iter().map(|(name, report)| (name.clone(), addresses(report)));
        self.known.extend(known);
        self.answers = answers;
    }

    /// The answers to the last question, by node.
    pub(super) const fn answers(&self) -> &BTreeMap<String, Report> {
        &self.answers
    }

    /// What a node had when its agent answered last, if it ever did.
    pub(super) fn known(&self, name: &str) -> Option<Addresses> {
        self.known.get(name).copied()
    }
}

async fn ask((name, socket): (String, PathBuf)) -> Option<(String, Report)> {
    let answer = timeout(WITHIN, fetch(&socket)).await;
    // Who gives no answer in time, or none that can be read, is silent: why is in its own log.
    Some((name, answer.ok()?.ok()?))
}

fn addresses(report: &Report) -> Addresses {
    let ipv4 = report.families.iter().find(|family| family.family == IPV4);
    ipv4.map_or_else(Addresses::default, |ipv4| Addresses {
        free: ipv4.free,
        used: ipv4.used + ipv4.withdrawn,
        cooling: ipv4.cooling,
        promised: ipv4.promised,
    })
}

//! One line for each node, of what everybody says of it.

use std::collections::BTreeMap;

use berth_operator::summaries::Row;

use super::agents::Agents;
use super::cloud::Cloud;
use crate::moment::{Node, NodeState};
use crate::nodes::NodeAt;

/// All nodes. Where nobody answers any more it stays as it was: the addresses are still there.
pub(super) fn all(
    nodes: &[NodeAt],
    agents: &Agents,
    cloud: &Cloud,
    rows: Option<&BTreeMap<String, Row>>,
    before: &[Node],
) -> Vec<Node> {
    let before: BTreeMap<&str, &Node> =
        before.iter().map(|node| (node.name.as_str(), node)).collect();
    let line = |at: &NodeAt| {
        let row = rows.and_then(|rows| rows.get(&at.name));
        let capacity = row.and_then(|row| row.capacity);
        let capacity = capacity.or_else(|| before.get(at.name.as_str()).map(|node| node.capacity));
        let addresses = agents.known(&at.name).unwrap_or_default();
        let attached = cloud.attached.get(&at.name).copied().unwrap_or_default();
        Node {
            name: at.name.clone(),
            instance_type: at.instance_type.clone(),
            zone: at.zone.clone(),
            state: state(at, agents),
            free: addresses.free,
            used: addresses.used,
            cooling: addresses.cooling,
            promised: addresses.promised,
            enis: attached.enis,
            prefixes: attached.prefixes,
            capacity: capacity.unwrap_or_default(),
            blocked: row.map(blocked).unwrap_or_default(),
        }
    };
    nodes.iter().map(line).collect()
}

fn state(at: &NodeAt, agents: &Agents) -> NodeState {
    let answer = agents.answers().get(&at.name);
    match answer {
        _ if at.socket.is_none() => NodeState::Foreign,
        _ if at.is_draining => NodeState::Draining,
        Some(report) if report.ready => NodeState::Ready,
        None if agents.known(&at.name).is_some() => NodeState::Silent,
        // It answers for the first time when it listens.
        Some(_) | None => NodeState::Joining,
    }
}

fn blocked(row: &Row) -> Vec<(String, String)> {
    row.blocked.iter().map(|it| (it.reason.to_owned(), it.text.clone())).collect()
}

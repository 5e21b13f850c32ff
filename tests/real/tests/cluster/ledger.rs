//! What the agent of a node has written down, beside what others see.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use real::cluster::Node;

use crate::bed::{same, until};
use crate::crowd::Pod;
use crate::runtime;

#[cfg(test)]
#[path = "../agent/report.rs"]
mod report;

pub(crate) use report::Report;

/// What the agent says.
pub(crate) fn report(node: &Node) -> Result<Report, String> {
    node.status().map(Report).map_err(|error| error.to_string())
}

/// Waits until the ledger has the addresses of these pods and no others, each for a sandbox that the runtime runs, and none that it does not.
#[track_caller]
pub(crate) fn agrees(node: &Node, pods: &[Pod]) {
    let owners: BTreeMap<Ipv4Addr, String> =
        pods.iter().map(|pod| (pod.address, format!("default/{}", pod.name))).collect();
    until(&format!("the ledger of {} does not agree", node.name()), || {
        let report = report(node)?;
        if !report.is_ready() {
            return Err(format!("the agent is not ready: {report:#?}"));
        }
        same(&report.owners(), &owners)?;
        same(&report.sandboxes().into_values().collect(), &runtime::sandboxes(node))
    });
}

/// Waits until all addresses of the node are free, or promised to the operator as they are by CIDR.
#[track_caller]
pub(crate) fn is_empty(node: &Node) {
    until(&format!("addresses of {} are not free", node.name()), || {
        let report = report(node)?;
        same(&report.owners(), &BTreeMap::new())?;
        let back = report.count("free") + report.count("promised");
        same(&back, &report.count("attached"))?;
        same(&report.0["attachments"].as_u64(), &Some(0))
    });
}

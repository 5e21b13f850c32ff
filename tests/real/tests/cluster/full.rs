//! Subnets without a free address.

use real::cluster::Node;
use serde_json::json;

use crate::bed::{Bed, until};
use crate::crowd;
use crate::ledger;
use crate::truth::Truth;

/// More pods than a new node has addresses, when there are no further ones: the event of a pod says which subnet is full.
pub(crate) fn is_said(bed: &mut Bed) {
    let added = bed.cluster.add_node().unwrap();
    let (bed, node) = (&*bed, bed.cluster.node(added));
    until("the new node has no addresses", || match attached(node)? {
        0 => Err("none yet".to_owned()),
        _ => Ok(()),
    });
    bed.say(&format!("{} was added", node.name()));
    let truth = Truth::of(&bed.cluster);
    let subnets = truth.subnets();
    leave_nothing(bed, &subnets);
    // What was assigned before that may still be on its way to the node.
    let pods = usize::try_from(attached(node).unwrap()).unwrap() + 10;
    crowd::scale_on(bed, pods, node);
    let said = until("no event names a subnet that is full", || {
        // The other nodes have addresses to spare, and give them back.
        leave_nothing(bed, &subnets);
        event_with(bed, |message| subnets.iter().any(|subnet| says_full(message, subnet)))
    });
    bed.say(&format!("the event of a pod: {said}"));
    let (running, others) = until("no pod runs", || match crowd::running(&bed.cluster) {
        (running, others) if running.is_empty() => Err(format!("{others:#?}")),
        seen => Ok(seen),
    });
    assert!(!others.is_empty(), "as if there were room for all: {running:#?}");
    crowd::gone(bed);
}

/// Lets others take everything that is free.
fn leave_nothing(bed: &Bed, subnets: &[&str]) {
    for subnet in subnets {
        let path = format!("/_sim/subnets/{subnet}/leave");
        bed.cluster.ec2_post(&path, &json!({"addresses": 0})).unwrap();
    }
}

/// Whether the subnet is among those that are said to be full.
fn says_full(message: &str, subnet: &str) -> bool {
    message.split_once("nothing is left in ").is_some_and(|(_, named)| named.contains(subnet))
}

fn attached(node: &Node) -> Result<u64, String> {
    ledger::report(node).map(|report| report.count("attached"))
}

/// What is said of a pod that has no sandbox, if it is of this kind.
fn event_with(bed: &Bed, is_meant: impl Fn(&str) -> bool) -> Result<String, String> {
    let query = ["get", "events", "--field-selector", "reason=FailedCreatePodSandBox"];
    let events = bed.cluster.json(&query).map_err(|error| error.to_string())?;
    let events = events["items"].as_array().unwrap().iter();
    let messages: Vec<&str> = events.filter_map(|event| event["message"].as_str()).collect();
    let found = messages.iter().find(|message| is_meant(message));
    found.map(|message| (*message).to_owned()).ok_or_else(|| messages.join("\n"))
}

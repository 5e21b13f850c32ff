//! What Berth would ask of EC2 if it took over the recorded nodes as they stood. A node that had what
//! it needed gets no call, whoever made its interfaces.

use cilium_node::convert::NodeFacts;
use cilium_node::{CiliumNode, convert, is_ignored};
use ipam_core::plan::plan;
use ipam_core::policy::{Policy, PolicySettings};
use ipam_core::view::{
    Demand, Marks, NetworkView, NodeView, Planned, Refused, SubnetView, Tags, View,
};

use crate::recorded;

/// Recordings in which the operator ran with prefix delegation.
fn uses_prefixes(name: &str) -> bool {
    name.contains("prefix")
}

/// The subnet of the node with room in plenty, and the subnets of its ENIs.
fn network(facts: &NodeFacts) -> NetworkView {
    let Some(identity) = &facts.identity else {
        return NetworkView::default();
    };
    let subnets = facts.subnets.iter().map(|(id, cidr)| {
        let view = SubnetView {
            vpc: identity.vpc.clone(),
            zone: identity.zone.clone(),
            cidr: *cidr,
            ipv6_cidr: "2400:6500:6a80:3100::/64".parse().ok(),
            free_addresses: 1000,
            free_blocks: None,
            refused: Refused::default(),
            planned: Planned::default(),
            tags: Tags::from([("pods".into(), "yes".into())]),
            usable: true,
        };
        (id.clone(), view)
    });
    NetworkView { subnets: subnets.collect(), ..NetworkView::default() }
}

fn node(facts: &NodeFacts) -> Option<NodeView> {
    let identity = facts.identity.clone()?;
    Some(NodeView {
        limits: limits::find(identity.instance_type.as_str()),
        identity,
        settings: facts.settings.clone()?,
        demand: facts.demand,
        waiting_pods: 0,
        running: true,
        enis: facts.enis.clone(),
        in_flight: vec![],
        marks: Marks::default(),
    })
}

/// One line for a plan: `nothing`, or its actions and reasons.
fn line(name: &str, node: &NodeView, network: &NetworkView) -> String {
    let prefix_delegation = uses_prefixes(name);
    let settings = PolicySettings { prefix_delegation, ..PolicySettings::default() };
    let policy = Policy::new(settings).expect("a policy");
    let plan = plan(View { node, network }, &policy);
    let actions = plan.actions.iter().map(ToString::to_string);
    let blocked = plan.blocked.iter().map(|it| format!("blocked: {it}"));
    let parts: Vec<String> = actions.chain(blocked).collect();
    if parts.is_empty() { "nothing".into() } else { parts.join("; ") }
}

#[test]
fn recorded_nodes_get_the_calls_they_need_and_no_others() {
    let mut lines: Vec<String> = Vec::new();
    for (name, object) in recorded::objects() {
        let object: CiliumNode = serde_json::from_value(object).expect("a node");
        let facts = convert(&object).node;
        let planned = match node(&facts) {
            _ if is_ignored(&object) => "ignored".into(),
            Some(node) => line(&name, &node, &network(&facts)),
            None => "not a node of ENI mode".into(),
        };
        lines.push(format!("{name}: {planned}\n"));
    }
    assert_eq!(lines.concat(), recorded::text("planned.txt"));
}

/// The demand of every recorded node is met or capped; asked for a little more, each says what it does.
#[test]
fn recorded_nodes_react_to_demand() {
    for (name, object) in recorded::objects() {
        let object: CiliumNode = serde_json::from_value(object).expect("a node");
        let facts = convert(&object).node;
        let Some(mut node) = node(&facts) else { continue };
        node.demand = Demand::PerIp { used: 500 };
        let line = line(&name, &node, &network(&facts));
        assert_ne!(line, "nothing", "{name}");
    }
}

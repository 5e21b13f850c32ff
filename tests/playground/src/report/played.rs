//! What was played, in words.

use ec2_sim::Action;
use ec2_sim::throttle;
use ipam_core::view::Contract;

use super::page::{Cell, Page};
use super::unit::{counted, number};
use crate::plan::{Ec2, Left, Network, NodeGroup, Plan, Pods, Served, What};
use crate::summary::span;

/// Puts in what the plan says.
pub(super) fn put(page: &mut Page, plan: &Plan) {
    page.open("section", &[("class", "facts")]);
    page.tag("h2", "What was played");
    let mut rows = vec![
        row("Length", &span(plan.length)),
        row("Seed", &plan.seed.to_string()),
        row("Network", &network(&plan.network)),
    ];
    for subnet in &plan.network.subnets {
        let left =
            subnet.left.map_or_else(String::new, |left| format!("; others leave {}", of(left)));
        rows.push(row(
            &format!("Subnet {}", subnet.name),
            &format!("{} in {}{left}", subnet.cidr, subnet.zone),
        ));
    }
    for group in &plan.nodes {
        rows.push(row(&format!("Nodes {}", group.name), &nodes(group)));
    }
    rows.push(row("Pods", &pods(plan.pods)));
    rows.extend(ec2(&plan.ec2));
    for (who, flags) in [("Operator's flags", &plan.operator), ("Agents' flags", &plan.agent)] {
        let flags = if flags.is_empty() { "none".to_owned() } else { flags.join(" ") };
        rows.push(row(who, &flags));
    }
    page.table(&[], &rows);
    page.close("section");
}

fn row(what: &str, how: &str) -> Vec<Cell> {
    vec![Cell::text(what), Cell::text(how)]
}

fn network(network: &Network) -> String {
    let blocks = std::iter::once(network.cidr).chain(network.secondary_cidrs.iter().copied());
    blocks.map(|block| block.to_string()).collect::<Vec<_>>().join(", ")
}

fn nodes(group: &NodeGroup) -> String {
    let served = match &group.served {
        Served::Berth { contract, prefixes, cni_conf } => {
            let contract = match contract {
                Contract::PerIp => "single addresses in spec.ipam.pool",
                Contract::Cidr => "CIDRs of status.eni.enis",
            };
            let prefixes = if *prefixes { "prefixes" } else { "no prefixes" };
            let conf = if cni_conf.is_some() { ", a CNI configuration of its own" } else { "" };
            format!("{contract}, {prefixes}{conf}")
        }
        Served::Overlay { pod_cidr } => format!("served by somebody else out of {pod_cidr}"),
    };
    let (count, types) = (group.count, group.instance_types.join(", "));
    let mut said = vec![format!("{count} × {types} in {}", group.subnets.join(", ")), served];
    if !group.joins_at.is_zero() {
        said.push(format!("from {} on", span(group.joins_at)));
    }
    if !group.foreign.is_empty() {
        let interfaces = counted(group.foreign.len(), "interface");
        said.push(format!("{interfaces} of somebody else on each"));
    }
    said.join("; ")
}

fn pods(pods: Pods) -> String {
    let (rate, lifetime) = (number(pods.per_second), span(pods.lifetime));
    let (at_start, per_node) = (pods.at_start, pods.per_node);
    format!(
        "{at_start} at the start, {rate} each second, each for {lifetime} on average; up to {per_node} on a node"
    )
}

fn ec2(ec2: &Ec2) -> Vec<Vec<Cell>> {
    let mut rows = vec![
        row("EC2: time of calls", &format!("{:?}", ec2.latency).to_lowercase()),
        row("EC2: how reads lag", &format!("{:?}", ec2.staleness).to_lowercase()),
        row("EC2: buckets", &buckets(&ec2.buckets)),
    ];
    for rule in &ec2.faults {
        let text = serde_json::to_string(rule).unwrap_or_else(|error| error.to_string());
        rows.push(row("EC2: fault", &text));
    }
    if !ec2.denied.is_empty() {
        let denied: Vec<_> = ec2.denied.iter().copied().map(Action::name).collect();
        rows.push(row("EC2: the operator may not", &denied.join(", ")));
    }
    rows
}

fn buckets(settings: &throttle::Settings) -> String {
    if settings.unlimited {
        return "unlimited".to_owned();
    }
    let published = format!("as published, × {}", number(settings.multiplier));
    let own = settings.overrides.iter().map(|(bucket, size)| {
        let (capacity, refill) = (number(size.capacity), number(size.refill_per_second));
        format!("{bucket}: {capacity} at once, {refill} per second")
    });
    std::iter::once(published).chain(own).collect::<Vec<_>>().join("; ")
}

/// A happening, as a sentence.
pub(super) fn words(what: &What) -> String {
    let group_of = |group: &Option<String>| {
        group.as_ref().map_or_else(String::new, |group| format!(" of the group {group}"))
    };
    match what {
        What::Burst { pods, over } if over.is_zero() => {
            format!("{} more at once", counted(pods, "pod"))
        }
        What::Burst { pods, over } => {
            format!("{} more within {}", counted(pods, "pod"), span(*over))
        }
        What::Drain { group, pause } => {
            let (group, pause) = (group_of(group), span(*pause));
            format!("the nodes{group} are replaced one by one, {pause} apart")
        }
        What::Ec2Outage { length } => format!("every call to EC2 fails for {}", span(*length)),
        What::ApiOutage { length } => {
            format!("the API server answers nobody for {}", span(*length))
        }
        What::OperatorAway { length } => {
            format!("the operator is killed, and started again after {}", span(*length))
        }
        What::AgentsAway { length, group } => {
            let (group, length) = (group_of(group), span(*length));
            format!("the agents{group} are killed, and started again after {length}")
        }
        What::SubnetTaken { subnet, left } => {
            format!(
                "somebody else takes addresses of the subnet {subnet}, and leaves {}",
                of(*left)
            )
        }
        What::Buckets { multiplier } => {
            format!("the account's buckets become {} times as large", number(*multiplier))
        }
    }
}

fn of(left: Left) -> String {
    match left {
        Left::Addresses(1) => "1 address".to_owned(),
        Left::Addresses(count) => format!("{count} addresses"),
        Left::Blocks(count) => format!("{} of 16 addresses", counted(count, "whole block")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(what: &What, expected: &str) {
        assert_eq!(words(what), expected);
    }

    #[test]
    fn what_happens_is_a_sentence() {
        let (length, over, none) = (Duration::from_secs(20), Duration::ZERO, None);
        let group = Some("web".to_owned());
        let subnet = || "a".to_owned();
        check(&What::Burst { pods: 1, over }, "1 pod more at once");
        check(&What::Burst { pods: 40, over: length }, "40 pods more within 20 s");
        check(
            &What::Drain { group: group.clone(), pause: length },
            "the nodes of the group web are replaced one by one, 20 s apart",
        );
        check(&What::Ec2Outage { length }, "every call to EC2 fails for 20 s");
        check(&What::ApiOutage { length }, "the API server answers nobody for 20 s");
        check(
            &What::OperatorAway { length },
            "the operator is killed, and started again after 20 s",
        );
        check(
            &What::AgentsAway { length, group: none },
            "the agents are killed, and started again after 20 s",
        );
        let taken = |left| What::SubnetTaken { subnet: subnet(), left };
        let begin = "somebody else takes addresses of the subnet a, and leaves";
        check(&taken(Left::Addresses(1)), &format!("{begin} 1 address"));
        check(&taken(Left::Blocks(2)), &format!("{begin} 2 whole blocks of 16 addresses"));
        let halved = What::Buckets { multiplier: 0.5 };
        check(&halved, "the account's buckets become 0.5 times as large");
    }
}

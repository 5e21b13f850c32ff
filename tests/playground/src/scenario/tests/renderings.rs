//! Plans as text.

use std::fmt::Write;

use ec2_sim::model::Tags;

use crate::plan::{Ec2, Expected, NodeGroup, Plan, Served, Subnet};

/// A plan, without its name and description.
pub(super) fn rendered(plan: &Plan) -> String {
    let subnets: Vec<String> = plan.network.subnets.iter().map(subnet).collect();
    let mut text = format!("{:?}, seed {}\nvpc {}", plan.length, plan.seed, plan.network.cidr);
    for cidr in &plan.network.secondary_cidrs {
        write!(text, " {cidr}").unwrap();
    }
    write!(text, ": {}", subnets.join(", ")).unwrap();
    for one in &plan.nodes {
        write!(text, "\n{}", group(one)).unwrap();
    }
    let pods = plan.pods;
    write!(
        text,
        "\n{} pods/s live {:?}, {} at start, {} per node\n{}",
        pods.per_second,
        pods.lifetime,
        pods.at_start,
        pods.per_node,
        ec2(&plan.ec2),
    )
    .unwrap();
    for happening in &plan.timeline {
        write!(text, "\n{:?} {:?}", happening.at, happening.what).unwrap();
    }
    for (program, flags) in [("operator", &plan.operator), ("agent", &plan.agent)] {
        if !flags.is_empty() {
            write!(text, "\n{program} {}", flags.join(" ")).unwrap();
        }
    }
    text + &expected(&plan.expected)
}

fn tags(tags: &Tags) -> String {
    let mut text = String::new();
    for (key, value) in tags {
        write!(text, " {key}={value}").unwrap();
    }
    text
}

fn subnet(subnet: &Subnet) -> String {
    let Subnet { name, zone, cidr, tags: said, left } = subnet;
    let left = left.map_or_else(String::new, |left| format!(" {left:?}"));
    format!("{name} {zone} {cidr}{}{left}", tags(said))
}

/// A group of nodes.
pub(super) fn group(group: &NodeGroup) -> String {
    let NodeGroup { name, count, instance_types, subnets, joins_at, served, foreign } = group;
    let mut text = format!("{count} {name} {} in {}", instance_types.join(","), subnets.join(","));
    if !joins_at.is_zero() {
        write!(text, " at {joins_at:?}").unwrap();
    }
    match served {
        Served::Overlay { pod_cidr } => write!(text, ": overlay {pod_cidr}").unwrap(),
        Served::Berth { contract, prefixes, cni_conf } => {
            write!(text, ": {contract:?}").unwrap();
            text.push_str(if *prefixes { " prefixes" } else { "" });
            if let Some(conf) = cni_conf {
                write!(text, " {conf}").unwrap();
            }
        }
    }
    for one in foreign {
        let subnet = one.subnet.as_deref().unwrap_or("-");
        let said = tags(&one.tags);
        write!(text, "; foreign {} {subnet} {}{said}", one.device_index, one.addresses).unwrap();
    }
    text
}

fn ec2(ec2: &Ec2) -> String {
    let mut text = format!("ec2 {:?} {:?}", ec2.latency, ec2.staleness);
    if ec2.buckets.unlimited {
        text.push_str(" unlimited");
    }
    if (ec2.buckets.multiplier - 1.0).abs() > f64::EPSILON {
        write!(text, " x{}", ec2.buckets.multiplier).unwrap();
    }
    for (bucket, size) in &ec2.buckets.overrides {
        write!(text, " {bucket}={},{}", size.capacity, size.refill_per_second).unwrap();
    }
    if !ec2.faults.is_empty() {
        write!(text, " {} faults", ec2.faults.len()).unwrap();
    }
    for action in &ec2.denied {
        write!(text, ", denied {}", action.name()).unwrap();
    }
    text
}

fn expected(expected: &Expected) -> String {
    let Expected { waiting_at_end, wait_p99, reasons, ec2_calls, ec2_changes, given_back } =
        expected;
    let mut parts = Vec::new();
    parts.extend(waiting_at_end.map(|count| format!("waiting {count}")));
    parts.extend(wait_p99.map(|length| format!("p99 {length:?}")));
    parts.extend((!reasons.is_empty()).then(|| format!("reasons {}", reasons.join(","))));
    parts.extend(ec2_calls.map(|count| format!("calls {count}")));
    parts.extend(ec2_changes.map(|count| format!("changes {count}")));
    parts.extend(given_back.map(|count| format!("given back {count}")));
    if parts.is_empty() { String::new() } else { format!("\nexpected: {}", parts.join(", ")) }
}

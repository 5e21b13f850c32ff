//! What is said of scenarios that cannot be played.

use std::time::Duration;

use super::{check, check_with};
use crate::scenario::Overrides;

#[test]
fn unknown_fields_are_named() {
    check(
        "nods: []",
        "scenario.yaml:1:1: nods: unknown field `nods`, expected one of description, length, seed, network, nodes, pods, timeline, ec2, operator, agent, expect; did you mean `nodes`?",
    );
    check(
        "network:\n  cidrs: 10.0.0.0/16\n",
        "scenario.yaml:2:3: network.cidrs: unknown field `cidrs`, expected one of cidr, secondary_cidrs, subnets; did you mean `cidr`?",
    );
    check(
        "nodes:\n  - instance_type: m5.large\n",
        "scenario.yaml:2:5: nodes[0].instance_type: unknown field `instance_type`, expected one of name, count, instance_types, subnets, joins_at, contract, prefix_delegation, cni_conf, overlay, foreign; did you mean `instance_types`?",
    );
    check(
        "timeline:\n  - {at: 1s, brust: {pods: 1}}\n",
        "scenario.yaml:2:14: timeline[0].brust: unknown field `brust`, expected one of at, burst, drain, ec2_outage, api_outage, operator_away, agents_away, subnet_taken, buckets; did you mean `burst`?",
    );
    check(
        "network: {subnets: [{name: a, zone: eu-west-1a, cidr: 10.200.0.0/24, left: {adresses: 1}}]}",
        "scenario.yaml:1:77: network.subnets[0].left: unknown variant `adresses`, expected one of addresses, blocks; did you mean `addresses`?",
    );
    check(
        "ec2: {faults: [{effect: {delya: 1}}]}",
        "scenario.yaml:1:26: ec2.faults[0].effect: unknown variant `delya`, expected one of error, delay, commit-then-drop, drop-before-commit, throttle-burst, stale-read, truncated-page, repeated-page, token-expired, malformed-xml, html, foreign; did you mean `delay`?",
    );
}

#[test]
fn values_have_their_form() {
    check(
        "length: 60",
        "scenario.yaml:1:9: length: `60`: expected a length of time from 1s to 24h, such as 15s or 1m30s",
    );
    check(
        "length: -5s",
        "scenario.yaml:1:9: length: `-5s`: expected a length of time from 1s to 24h, such as 15s or 1m30s",
    );
    check(
        "length: 25h",
        "scenario.yaml:1:9: length: `25h`: expected a length of time from 1s to 24h, such as 15s or 1m30s",
    );
    check(
        "length: 500ms",
        "scenario.yaml:1:9: length: `500ms`: expected a length of time from 1s to 24h, such as 15s or 1m30s",
    );
    check(
        "length: soon",
        "scenario.yaml:1:9: length: `soon`: expected a length of time from 1s to 24h, such as 15s or 1m30s",
    );
    check("seed: -1", "scenario.yaml:1:7: seed: expected a whole number, 0 or more");
    check(
        "pods:\n  per_second: many\n",
        "scenario.yaml:2:15: pods.per_second: `many`: expected a number of pods each second, from 0 to 1000, such as 0.5",
    );
    check(
        "pods: {per_second: -1}",
        "scenario.yaml:1:20: pods.per_second: `-1`: expected a number of pods each second, from 0 to 1000, such as 0.5",
    );
}

#[test]
fn pods_nodes_and_ec2_have_their_form() {
    check(
        "pods: {per_second: .nan}",
        "scenario.yaml:1:20: pods.per_second: `.nan`: expected a number of pods each second, from 0 to 1000, such as 0.5",
    );
    check(
        "pods: {per_second: 1e9}",
        "scenario.yaml:1:20: pods.per_second: `1e9`: expected a number of pods each second, from 0 to 1000, such as 0.5",
    );
    check(
        "pods: {lifetime: 0s}",
        "scenario.yaml:1:18: pods.lifetime: `0s`: expected a length of time from 1s to 24h, such as 15s or 1m30s",
    );
    check(
        "pods: {per_node: 0}",
        "scenario.yaml:1:18: pods.per_node: `0`: expected a number from 1 to 1000",
    );
    check(
        "nodes: [{contract: ip}]",
        "scenario.yaml:1:20: nodes[0].contract: unknown variant `ip`, expected one of per-ip, cidr",
    );
    check("nodes: {count: 1}", "scenario.yaml:1:8: nodes: expected a list");
    check(
        "ec2: {latency: fast}",
        "scenario.yaml:1:16: ec2.latency: unknown variant `fast`, expected one of zero, typical, slow",
    );
    check(
        "ec2: {staleness: old}",
        "scenario.yaml:1:18: ec2.staleness: unknown variant `old`, expected one of strong, typical, adversarial",
    );
    check("- a\n", "scenario.yaml:1:1: expected fields with values");
    check("nodes: [\n", "scenario.yaml:1:8: nodes: unclosed bracket '['");
    check("length: 1s\nlength: 2s\n", "scenario.yaml:2:1: duplicate mapping key: length");
}

#[test]
fn networks_fit_together() {
    check(
        "network: {cidr: 10.0.0.0}",
        "scenario.yaml:1:17: network.cidr: `10.0.0.0`: expected an IPv4 block, such as 10.0.0.0/16",
    );
    check(
        "network: {cidr: 10.0.0.0/8}",
        "scenario.yaml:1:17: network.cidr: `10.0.0.0/8`: expected /16 to /28, without host bits",
    );
    check(
        "network: {cidr: 10.0.0.0/28}\nnodes: [{count: 20}]",
        "scenario.yaml:1:10: network.subnets[0]: `10.0.0.0/29`: expected /16 to /28 inside of 10.0.0.0/28",
    );
    check(
        "network: {secondary_cidrs: [10.200.1.0/24]}",
        "scenario.yaml:1:29: network.secondary_cidrs[0]: `10.200.1.0/24`: expected no overlap with 10.200.0.0/16",
    );
    check(
        "network: {subnets: []}",
        "scenario.yaml:1:20: network.subnets: expected at least one subnet",
    );
    let subnets = |text: &str| format!("network:\n  subnets:\n{text}");
    let one = "    - {name: a, zone: eu-west-1a, cidr: 10.200.0.0/24}\n";
    check(
        &subnets("    - {name: a, zone: eu-west-1a, cidr: 10.9.0.0/24}\n"),
        "scenario.yaml:3:41: network.subnets[0].cidr: `10.9.0.0/24`: expected /16 to /28 inside of 10.200.0.0/16",
    );
    check(
        &subnets("    - {name: a, zone: us-east-1a, cidr: 10.200.0.0/24}\n"),
        "scenario.yaml:3:23: network.subnets[0].zone: `us-east-1a`: expected a zone of eu-west-1, such as eu-west-1a",
    );
    check(
        &subnets("    - {name: A b, zone: eu-west-1a, cidr: 10.200.0.0/24}\n"),
        "scenario.yaml:3:14: network.subnets[0].name: `A b`: expected a name of lower-case letters, digits and `-` between them, at most 40, such as web",
    );
    check(
        &subnets("    - {name: a, zone: eu-west-1a}\n"),
        "scenario.yaml:3:17: network.subnets[0]: missing field `cidr`",
    );
    check(
        &subnets(&format!("{one}    - {{name: b, zone: eu-west-1a, cidr: 10.200.0.128/25}}\n")),
        "scenario.yaml:4:41: network.subnets[1].cidr: `10.200.0.128/25`: expected no overlap with a (10.200.0.0/24)",
    );
    check(
        &subnets(&format!("{one}    - {{name: a, zone: eu-west-1a, cidr: 10.200.1.0/24}}\n")),
        "scenario.yaml:4:14: network.subnets[1].name: `a`: expected a name that no other subnet has",
    );
}

#[test]
fn nodes_fit_their_network_and_their_type() {
    check("nodes: []", "scenario.yaml:1:8: nodes: expected at least one node");
    check("nodes: [{count: 0}]", "scenario.yaml:1:8: nodes: expected at least one node");
    check(
        "nodes: [{count: 3000}]",
        "scenario.yaml:1:17: nodes[0].count: `3000`: expected a number from 0 to 2000",
    );
    check(
        "nodes: [{count: 1500}, {name: b, count: 1500}]",
        "scenario.yaml:1:8: nodes: 3000 nodes: expected no more than 2000",
    );
    check(
        "nodes: [{count: 3}, {count: 3}]",
        "scenario.yaml:1:21: nodes[1].name: `node`: expected a name that no other group has",
    );
    check(
        "nodes:\n  - name: Web.1\n",
        "scenario.yaml:2:11: nodes[0].name: `Web.1`: expected a name of lower-case letters, digits and `-` between them, at most 40, such as web",
    );
    check(
        "nodes:\n  - instance_types: [m5.large, m5.larg]\n",
        "scenario.yaml:2:32: nodes[0].instance_types[1]: `m5.larg`: expected an instance type, such as m5.large; did you mean `m5.large`?",
    );
    check(
        "nodes: [{instance_types: []}]",
        "scenario.yaml:1:26: nodes[0].instance_types: expected at least one instance type, such as m5.large",
    );
    check(
        "nodes: [{instance_types: [t2.small], prefix_delegation: true}]",
        "scenario.yaml:1:27: nodes[0].instance_types[0]: `t2.small`: expected a type that takes prefixes, which those built on Nitro do, such as m5.large",
    );
    check(
        "nodes:\n  - subnets: [a, pods]\n",
        "scenario.yaml:2:18: nodes[0].subnets[1]: `pods`: expected the name of a subnet, one of a, b",
    );
    check(
        "nodes: [{subnets: []}]",
        "scenario.yaml:1:19: nodes[0].subnets: expected at least one subnet",
    );
    check(
        "nodes: [{joins_at: 60s}]",
        "scenario.yaml:1:20: nodes[0].joins_at: `60s`: expected a time before the end of the run, which is at 60s",
    );
    check(
        "network: {cidr: 10.0.0.0/27}\nnodes:\n  - {count: 40}\n",
        "scenario.yaml:3:5: nodes[0]: 22 of 40 were made: The specified subnet does not have enough free addresses to satisfy the request.",
    );
}

#[test]
fn other_peoples_interfaces_and_nodes() {
    check(
        "nodes: [{overlay: 10.0.0.0/8, contract: cidr}]",
        "scenario.yaml:1:41: nodes[0].contract: expected nothing beside `overlay`: no agent of Berth is there",
    );
    check(
        "nodes: [{overlay: 10.0.0.0/8, prefix_delegation: true}]",
        "scenario.yaml:1:50: nodes[0].prefix_delegation: expected nothing beside `overlay`: no agent of Berth is there",
    );
    check(
        "nodes: [{overlay: 10.0.0.0/23, count: 3}]",
        "scenario.yaml:1:19: nodes[0].overlay: `10.0.0.0/23`: expected a block with a /24 for each of 3",
    );
    check(
        "nodes: [{foreign: [{device_index: 0}]}]",
        "scenario.yaml:1:35: nodes[0].foreign[0].device_index: `0`: expected 1 or more, and no index that another interface has",
    );
    check(
        "nodes: [{foreign: [{device_index: 1}, {device_index: 2}, {device_index: 3}]}]",
        "scenario.yaml:1:58: nodes[0].foreign[2]: Interface count 4 exceeds the limit for m5.large",
    );
    check(
        "nodes: [{foreign: [{device_index: 1}, {device_index: 1}]}]",
        "scenario.yaml:1:54: nodes[0].foreign[1].device_index: `1`: expected 1 or more, and no index that another interface has",
    );
    check(
        "nodes: [{foreign: [{device_index: 1, addresses: 20}]}]",
        "scenario.yaml:1:49: nodes[0].foreign[0].addresses: `20`: expected a number from 0 to 9",
    );
    check(
        "nodes: [{foreign: [{device_index: 1, addresses: 100}]}]",
        "scenario.yaml:1:49: nodes[0].foreign[0].addresses: `100`: expected a number from 0 to 9",
    );
    check(
        "nodes: [{foreign: [{device_index: 1, subnet: c}]}]",
        "scenario.yaml:1:46: nodes[0].foreign[0].subnet: `c`: expected the name of a subnet, one of a, b",
    );
    let network = "network:\n  subnets:\n    - {name: a, zone: eu-west-1a, cidr: 10.200.0.0/24}\n    - {name: b, zone: eu-west-1b, cidr: 10.200.1.0/24}\n";
    check(
        &format!("{network}nodes: [{{subnets: [a], foreign: [{{device_index: 1, subnet: b}}]}}]"),
        "scenario.yaml:5:60: nodes[0].foreign[0].subnet: `b`: expected a subnet in the zone of the instances, and a is in eu-west-1a",
    );
    check(
        "nodes: [{cni_conf: {type: cilium-cni, eni: {subnet-ids: [pods-a]}}}]",
        "scenario.yaml:1:20: nodes[0].cni_conf: `pods-a`: expected the name of a subnet, one of a, b",
    );
    check(
        "nodes: [{cni_conf: {type: bridge}}]",
        "scenario.yaml:1:20: nodes[0].cni_conf: found the type \"bridge\": expected a plugin of type cilium-cni, or one with ipam.type berth-cni",
    );
    check(
        "nodes: [{cni_conf: {type: cilium-cni, eni: {first-interface-index: one}}}]",
        "scenario.yaml:1:20: nodes[0].cni_conf: invalid type: string \"one\", expected u32: expected a CNI configuration with a plugin of type cilium-cni, or one with ipam.type berth-cni",
    );
    check(
        "nodes: [{cni_conf: text}]",
        "scenario.yaml:1:20: nodes[0].cni_conf: invalid type: string \"text\", expected struct File: expected a CNI configuration with a plugin of type cilium-cni, or one with ipam.type berth-cni",
    );
}

#[test]
fn happenings_can_happen() {
    check("timeline: [{burst: {pods: 1}}]", "scenario.yaml:1:13: timeline[0]: missing field `at`");
    check(
        "timeline: [{at: 1s}]",
        "scenario.yaml:1:12: timeline[0]: expected one of burst, drain, ec2_outage, api_outage, operator_away, agents_away, subnet_taken, buckets beside `at`",
    );
    check(
        "timeline: [{at: 1s, drain: {}, burst: {pods: 1}}]",
        "scenario.yaml:1:12: timeline[0]: expected only one of burst, drain, ec2_outage, api_outage, operator_away, agents_away, subnet_taken, buckets: give each its own `at`",
    );
    check(
        "length: 30s\ntimeline:\n  - {at: 5s, burst: {pods: 1}}\n  - {at: 30s, burst: {pods: 1}}\n",
        "scenario.yaml:4:10: timeline[1].at: `30s`: expected a time before the end of the run, which is at 30s",
    );
    check(
        "timeline: [{at: 1s, burst: {pods: 0}}]",
        "scenario.yaml:1:35: timeline[0].burst.pods: `0`: expected a number from 1 to 20000",
    );
    check(
        "timeline: [{at: 1s, burst: {pods: 1000000}}]",
        "scenario.yaml:1:35: timeline[0].burst.pods: `1000000`: expected a number from 1 to 20000",
    );
    check(
        "timeline: [{at: 1s, burst: {}}]",
        "scenario.yaml:1:28: timeline[0].burst: missing field `pods`",
    );
    check(
        "timeline: [{at: 1s, drain: {group: web}}]",
        "scenario.yaml:1:36: timeline[0].drain.group: `web`: expected the name of a group of nodes, one of node",
    );
    check(
        "timeline: [{at: 1s, agents_away: {length: 1s, group: nodes}}]",
        "scenario.yaml:1:54: timeline[0].agents_away.group: `nodes`: expected the name of a group of nodes, one of node; did you mean `node`?",
    );
    check(
        "timeline: [{at: 1s, ec2_outage: {}}]",
        "scenario.yaml:1:33: timeline[0].ec2_outage: missing field `length`",
    );
    check(
        "timeline: [{at: 1s, ec2_outage: {length: long}}]",
        "scenario.yaml:1:42: timeline[0].ec2_outage.length: `long`: expected a length of time from 1s to 24h, such as 15s or 1m30s",
    );
    check(
        "timeline: [{at: 1s, subnet_taken: {subnet: z, left: {addresses: 1}}}]",
        "scenario.yaml:1:44: timeline[0].subnet_taken.subnet: `z`: expected the name of a subnet, one of a, b",
    );
    check(
        "timeline: [{at: 1s, buckets: {multiplier: 0}}]",
        "scenario.yaml:1:43: timeline[0].buckets.multiplier: `0`: expected a number above 0, such as 0.1",
    );
}

#[test]
fn flags_are_those_that_the_programs_take() {
    check(
        "operator:\n  cluster-nam: a\n",
        "scenario.yaml:2:16: operator.cluster-nam: unexpected argument '--cluster-nam' found; a similar argument exists: '--cluster-name'",
    );
    check(
        "operator:\n  mode: fast\n",
        "scenario.yaml:2:9: operator.mode: invalid value 'fast' for '--mode <MODE>'; expected one of normal, no-release, observe",
    );
    check(
        "operator:\n  audit-interval: 1s\n",
        "scenario.yaml:2:19: operator.audit-interval: --audit-interval \"1s\": expected 1m to 8760h",
    );
    check(
        "operator: {leader-election-lease-duration: 2s}",
        "scenario.yaml:1:44: operator.leader-election-lease-duration: --leader-election-renew-deadline 10s must be less than --leader-election-lease-duration 2s: the leader has to stop before another one may start",
    );
    check(
        "operator: {leader-election-lease-duration: 5s, leader-election-renew-deadline: 6s}",
        "scenario.yaml:1:11: operator: --leader-election-renew-deadline 6s must be less than --leader-election-lease-duration 5s: the leader has to stop before another one may start",
    );
    check(
        "operator: {ec2-api-endpoint: 'http://a'}",
        "scenario.yaml:1:30: operator.ec2-api-endpoint: expected a flag that the playground does not give itself",
    );
    check(
        "operator: {aws-enable-prefix-delegation: true}",
        "scenario.yaml:1:42: operator.aws-enable-prefix-delegation: expected a flag that the playground does not give itself; say `prefix_delegation` of a group of nodes",
    );
    check(
        "agent:\n  address-wait: 3m\n",
        "scenario.yaml:2:17: agent.address-wait: --address-wait \"180s\": expected 0s to 2m",
    );
    check(
        "agent: {contract: cidr}",
        "scenario.yaml:1:19: agent.contract: expected a flag that the playground does not give itself; say `contract` of a group of nodes",
    );
    check(
        "agent: {enable-ipv4: false}",
        "scenario.yaml:1:22: agent.enable-ipv4: --enable-ipv4 false and --enable-ipv6 false contradict each other: no pod could have an address",
    );
    check("agent: [a]", "scenario.yaml:1:8: agent: expected fields with values");
}

#[test]
fn ec2_and_expectations() {
    check(
        "ec2: {denied: [DescribeEverything]}",
        "scenario.yaml:1:16: ec2.denied[0]: `DescribeEverything`: expected an action of EC2 that is simulated; did you mean `DescribeSubnets`?",
    );
    check(
        "ec2:\n  buckets: {multiplier: -1}\n",
        "scenario.yaml:2:25: ec2.buckets.multiplier: `-1`: expected a number above 0",
    );
    check(
        "ec2:\n  buckets:\n    overrides:\n      RunInstances: {capacity: 1, refill_per_second: 1}\n",
        "scenario.yaml:4:21: ec2.buckets.overrides.RunInstances: `RunInstances` is no bucket: expected an action, with `:unfiltered` behind it where listing everything has a bucket of its own",
    );
    check(
        "ec2: {faults: [{probability: 2, effect: throttle-burst}]}",
        "scenario.yaml:1:30: ec2.faults[0].probability: `2` is not a chance from 0 to 1",
    );
    check(
        "expect:\n  reasons: [InstanceFull, SubnetExhausted]\n",
        "scenario.yaml:2:27: expect.reasons[1]: `SubnetExhausted`: expected the label of a reason; did you mean `SubnetsExhausted`?",
    );
    check(
        "expect: {wait_p99: never}",
        "scenario.yaml:1:20: expect.wait_p99: `never`: expected a length of time up to 24h, such as 500ms, 15s or 1m30s",
    );
    check(
        "expect: {ec2_calls: -1}",
        "scenario.yaml:1:21: expect.ec2_calls: expected a whole number, 0 or more",
    );
}

#[test]
fn what_the_command_line_says_has_to_fit_as_well() {
    let length = Some(Duration::from_secs(10));
    let short = Overrides { length, ..Overrides::default() };
    check_with(
        &short,
        "timeline: [{at: 10s, burst: {pods: 1}}]",
        "scenario.yaml:1:17: timeline[0].at: `10s`: expected a time before the end of the run, which is at 10s",
    );
    let prefixes = Overrides { prefix_delegation: true, ..Overrides::default() };
    check_with(
        &prefixes,
        "nodes: [{instance_types: [t2.small]}]",
        "scenario.yaml:1:27: nodes[0].instance_types[0]: `t2.small`: expected a type that takes prefixes, which those built on Nitro do, such as m5.large",
    );
    let many = Overrides { nodes: Some(100), ..Overrides::default() };
    check_with(
        &many,
        "network: {cidr: 10.0.0.0/26}",
        "scenario.yaml:1:1: nodes[0]: 54 of 100 were made: The specified subnet does not have enough free addresses to satisfy the request.",
    );
}

//! Scenarios that are right, as plans, and what is said of those that are not.

mod renderings;
mod table;
mod wrong;

use std::collections::BTreeSet;

use super::{BUILT_IN, Overrides, Scenario, behaviour};
use renderings::rendered;

/// `text`, and the plan that it makes, or the error that it gives.
#[track_caller]
fn check(text: &str, expected: &str) {
    check_with(&Overrides::default(), text, expected);
}

/// The same with a command line.
#[track_caller]
fn check_with(overrides: &Overrides, text: &str, expected: &str) {
    let planned = Scenario::parse("scenario.yaml", text).and_then(|it| it.plan(overrides));
    let found = planned.map_or_else(|error| error.to_string(), |plan| rendered(&plan));
    assert_eq!(found, expected, "of {text}");
}

/// The default, as far as it does not depend on anything else.
const DEFAULT: &str = "\
60s, seed 0
vpc 10.200.0.0/16: a eu-west-1a 10.200.0.0/20, b eu-west-1b 10.200.16.0/20
5 node m5.large,c5.xlarge,t3.large,m6i.xlarge,r5.xlarge in a,b: PerIp
2 pods/s live 20s, 0 at start, 110 per node
ec2 Typical Typical";

#[test]
fn nothing_said_is_the_default_playground() {
    check("{}", DEFAULT);
    check("", DEFAULT);
    check("# nothing\n", DEFAULT);
}

#[test]
fn networks() {
    check(
        "network: {cidr: 10.0.0.0/24}",
        &DEFAULT.replace(
            "vpc 10.200.0.0/16: a eu-west-1a 10.200.0.0/20, b eu-west-1b 10.200.16.0/20",
            "vpc 10.0.0.0/24: a eu-west-1a 10.0.0.0/25, b eu-west-1b 10.0.0.128/25",
        ),
    );
    let text = "\
network:
  secondary_cidrs: [100.64.0.0/16]
  subnets:
    - {name: one, zone: eu-west-1a, cidr: 10.200.1.0/24, tags: {team: web}}
    - {name: two, zone: eu-west-1a, cidr: 100.64.1.0/24, left: {blocks: 3}}
    - {name: three, zone: eu-west-1c, cidr: 100.64.2.0/24, left: {addresses: 4}}
nodes: [{}]
";
    check(
        text,
        "\
60s, seed 0
vpc 10.200.0.0/16 100.64.0.0/16: one eu-west-1a 10.200.1.0/24 team=web, two eu-west-1a 100.64.1.0/24 Blocks(3), three eu-west-1c 100.64.2.0/24 Addresses(4)
1 node m5.large in one,two,three: PerIp
2 pods/s live 20s, 0 at start, 110 per node
ec2 Typical Typical",
    );
}

/// The lines of a plan that are about its nodes.
#[track_caller]
fn check_nodes(text: &str, expected: &str) {
    let scenario = Scenario::parse("scenario.yaml", text).unwrap();
    let plan = scenario.plan(&Overrides::default()).unwrap();
    let groups: Vec<String> = plan.nodes.iter().map(renderings::group).collect();
    assert_eq!(groups.join("\n"), expected, "of {text}");
}

#[test]
fn nodes() {
    check_nodes("nodes: [{count: 3}]", "3 node m5.large in a,b: PerIp");
    check_nodes(
        "nodes: [{name: x, instance_types: [c5.xlarge, t2.small], subnets: [b], joins_at: 1m, contract: cidr}]\nlength: 2m",
        "1 x c5.xlarge,t2.small in b at 60s: Cidr",
    );
    check_nodes("nodes: [{prefix_delegation: true}]", "1 node m5.large in a,b: PerIp prefixes");
    check_nodes(
        "nodes: [{count: 300, overlay: 10.0.0.0/8}]",
        "300 node m5.large in a,b: overlay 10.0.0.0/8",
    );
    check_nodes(
        "nodes: [{foreign: [{device_index: 2, subnet: b, addresses: 3, tags: {a: true}}], subnets: [b]}]",
        "1 node m5.large in b: PerIp; foreign 2 b 3 a=true",
    );
    check_nodes(
        "nodes: [{cni_conf: {type: cilium-cni, eni: {subnet-ids: [a], first-interface-index: 1}}}]",
        "1 node m5.large in a,b: PerIp {\"eni\":{\"first-interface-index\":1,\"subnet-ids\":[\"a\"]},\"type\":\"cilium-cni\"}",
    );
}

/// The lines of a plan that are about what happens, how EC2 is, flags, and what is expected.
#[track_caller]
fn check_rest(text: &str, expected: &str) {
    let scenario = Scenario::parse("scenario.yaml", text).unwrap();
    let plan = scenario.plan(&Overrides::default()).unwrap();
    let lines = rendered(&plan);
    let lines: Vec<&str> = lines.lines().skip(4).collect();
    assert_eq!(lines.join("\n"), expected, "of {text}");
}

#[test]
fn what_happens_is_in_the_order_of_its_time() {
    check_rest(
        "\
timeline:
  - {at: 9s, buckets: {multiplier: 0.5}}
  - {at: 8s, subnet_taken: {subnet: a, left: {addresses: 7}}}
  - {at: 7s, agents_away: {length: 3s, group: node}}
  - {at: 6s, operator_away: {length: 2s}}
  - {at: 5s, api_outage: {length: 2500ms}}
  - {at: 4s, ec2_outage: {length: 1s}}
  - {at: 3s, drain: {}}
  - {at: 3s, drain: {group: node, pause: 1m30s}}
  - {at: 2s, burst: {pods: 10, over: 500ms}}
  - {at: 0s, burst: {pods: 9}}
",
        "\
ec2 Typical Typical
0ns Burst { pods: 9, over: 0ns }
2s Burst { pods: 10, over: 500ms }
3s Drain { group: None, pause: 2s }
3s Drain { group: Some(\"node\"), pause: 90s }
4s Ec2Outage { length: 1s }
5s ApiOutage { length: 2.5s }
6s OperatorAway { length: 2s }
7s AgentsAway { length: 3s, group: Some(\"node\") }
8s SubnetTaken { subnet: \"a\", left: Addresses(7) }
9s Buckets { multiplier: 0.5 }",
    );
}

#[test]
fn ec2_flags_and_expectations() {
    check_rest(
        "\
ec2:
  latency: slow
  staleness: adversarial
  buckets: {unlimited: true, multiplier: 2, overrides: {CreateNetworkInterface: {capacity: 3, refill_per_second: 1}}}
  faults: [{action: CreateNetworkInterface, nth: 1, effect: {commit-then-drop: cut}}]
  denied: [DescribeTags]
",
        "ec2 Slow Adversarial unlimited x2 CreateNetworkInterface=3,1 1 faults, denied DescribeTags",
    );
    check_rest(
        "operator: {k8s-api-server: '{api-server}', update-ec2-adapter-limit-via-api: false}\nagent: {address-cool-down: 5s, ipam-pre-allocate: 2}",
        "ec2 Typical Typical\n\
         operator --k8s-api-server={api-server} --update-ec2-adapter-limit-via-api=false\n\
         agent --address-cool-down=5s --ipam-pre-allocate=2",
    );
    check_rest(
        "expect: {waiting_at_end: 1, wait_p99: 2s, reasons: [InstanceFull], ec2_calls: 3, ec2_changes: 0, given_back: 4}",
        "ec2 Typical Typical\n\
         expected: waiting 1, p99 2s, reasons InstanceFull, calls 3, changes 0, given back 4",
    );
}

/// The playground's own scenarios.
fn planned(name: &str, text: &str) -> crate::plan::Plan {
    Scenario::parse(name, text).unwrap().plan(&Overrides::default()).unwrap()
}

#[test]
fn what_comes_along_can_be_played() {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios")).unwrap();
    let stem = |entry: std::fs::DirEntry| entry.path().file_stem().unwrap().to_owned();
    let mut there: BTreeSet<_> = files.map(|entry| stem(entry.unwrap())).collect();
    there.insert("default".into());
    let known: BTreeSet<_> = BUILT_IN.iter().map(|it| std::ffi::OsString::from(it.name)).collect();
    assert_eq!(known, there);
    for known in BUILT_IN {
        let plan = planned(&known.file(), known.text);
        assert_eq!(plan.name, known.name);
        assert!(plan.description.ends_with('.'), "{}: {:?}", known.name, plan.description);
        assert!(known.name == "default" || known.text.starts_with("# "), "{}", known.name);
        let last = plan.timeline.last().map_or(plan.nodes[0].joins_at, |happening| happening.at);
        assert!(last < plan.length, "{}", known.name);
    }
}

#[test]
fn reasons_are_those_of_the_core() {
    let source = include_str!("../../../../ipam-core/src/reason.rs");
    let label = |line: &str| {
        let (variant, label) = line.trim().strip_prefix("Self::")?.split_once("=> \"")?;
        let label = label.trim_end_matches("\",");
        variant.starts_with(label).then(|| label.to_owned())
    };
    let mut labels: Vec<String> = source.lines().filter_map(label).collect();
    labels.sort_unstable();
    assert_eq!(behaviour::REASONS, labels);
}

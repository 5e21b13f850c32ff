//! Runs that never were, of all sizes. The same shape is the same run.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use ec2_sim::model::Tags;
use ec2_sim::staleness::Mode;
use ec2_sim::throttle;
use ec2_sim::{Action, latency};
use fastrand::Rng;
use ipam_core::view::Contract;
use ipnet::Ipv4Net;
use playground::moment::{Bucket, Calls, GivenBack, Moment, Node, NodeState, PodCounts};
use playground::news;
use playground::plan::{
    Ec2, Expected, Happening, Left, Network, NodeGroup, Plan, Pods, Served, Subnet, What,
};
use playground::record::{Reason, Record};
use playground::summary::{Summary, Waits};

/// How large a run is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) moments: u32,
    pub(crate) nodes: u32,
    /// Pods that got an address.
    pub(crate) waits: u32,
    /// Whether promises are broken.
    pub(crate) is_broken: bool,
}

/// A run of that shape.
pub(crate) fn run(shape: Shape) -> (Plan, Record, Summary) {
    let mut rng = Rng::with_seed(7);
    let record = record(shape, &mut rng);
    let summary = summary(shape, &record);
    (plan(shape), record, summary)
}

fn record(shape: Shape, rng: &mut Rng) -> Record {
    let median_ms = |rng: &mut Rng| 40.0 * (rng.f64() * 6.0 - 2.0).exp2() * (rng.f64() * 4.0).exp();
    let wait = |rng: &mut Rng| Duration::from_secs_f64(median_ms(rng) / 1_000.0);
    let line = |at: u32| news::Line {
        at: Duration::from_secs(at.into()),
        text: format!("node web-{} got an interface", at % shape.nodes.max(1) + 1),
        is_trouble: at % 17 == 5,
    };
    Record {
        begun: Duration::ZERO,
        moments: (0..shape.moments).map(|second| moment(shape, second, rng)).collect(),
        waits: (0..shape.waits).map(|_| wait(rng)).collect(),
        news: (0..shape.moments).map(line).collect(),
        findings: Vec::new(),
        reasons: reason(shape, "<script>alert(1)</script> has no free address & no room"),
        blocked: reason(shape, "SubnetsExhausted"),
    }
}

fn reason(shape: Shape, why: &str) -> Vec<Reason> {
    let first = Duration::from_secs(12);
    let reason = Reason { why: why.to_owned(), most: 3, first, last: first * 2 };
    if shape.moments < 30 { Vec::new() } else { vec![reason] }
}

/// How far a run has come, from 0 to 1.
fn progress(shape: Shape, second: u32) -> f64 {
    f64::from(second) / f64::from(shape.moments.max(2) - 1)
}

fn moment(shape: Shape, second: u32, rng: &mut Rng) -> Moment {
    let progress = progress(shape, second);
    let nodes: Vec<Node> =
        (0..shape.nodes).map(|index| node(shape, index, progress, rng)).collect();
    let running: u64 = nodes.iter().map(|node| u64::from(node.used)).sum();
    let waiting = match (progress * 10.0).rem_euclid(10.0) {
        tenth if (2.0..3.0).contains(&tenth) => rng.u64(0..=u64::from(shape.nodes) * 3),
        _ => rng.u64(0..3),
    };
    let made = running + waiting + u64::from(second) * 2;
    let started = running + u64::from(second) * 2;
    let pods =
        PodCounts { made, started, ended: u64::from(second) * 2, running, waiting, refused: 3 };
    Moment {
        at: Duration::from_secs(second.into()),
        nodes,
        pods,
        calls: calls(second, progress),
        operator: "ready".to_owned(),
        ..Moment::default()
    }
}

fn node(shape: Shape, index: u32, progress: f64, rng: &mut Rng) -> Node {
    let types = ["m5.large", "c5.xlarge", "m5.2xlarge", "made-up.large"];
    let grown = (progress * 6.0).min(3.0 + f64::from(index % 3));
    let used = (4.0 + 7.0 * grown + rng.f64() * 4.0).floor();
    let count =
        |number: f64| (0_u32..100).find(|next| f64::from(*next) >= number).unwrap_or_default();
    let is_stuck = index == 1 && (0.2..0.4).contains(&progress);
    let words = "3 addresses wanted, subnet-0a1b has 2 <free> & no block".to_owned();
    Node {
        name: format!("web-{}", index + 1),
        instance_type: types[index as usize % types.len()].to_owned(),
        zone: ["eu-west-1a", "eu-west-1b"][index as usize % 2].to_owned(),
        state: if index == 2 && shape.is_broken { NodeState::Silent } else { NodeState::Ready },
        free: 8 + rng.u32(0..6),
        used: count(used),
        cooling: rng.u32(0..5),
        promised: if progress > 0.8 { 2 } else { 0 },
        enis: count(1.0 + grown / 2.0),
        prefixes: if index.is_multiple_of(2) { count(grown) } else { 0 },
        capacity: 58,
        blocked: if is_stuck { vec![("SubnetsExhausted".to_owned(), words)] } else { Vec::new() },
    }
}

fn calls(second: u32, progress: f64) -> BTreeMap<&'static str, Calls> {
    let second = u64::from(second);
    let burst = if progress > 0.2 { 60 } else { 0 };
    let of = |made, throttled, capacity, refill_per_second| Calls {
        made,
        throttled,
        failed: made / 50,
        bucket: Some(Bucket { capacity, refill_per_second }),
    };
    BTreeMap::from([
        (Action::AssignPrivateIpAddresses.name(), of(second * 2 + burst, burst / 3, 100.0, 5.0)),
        (Action::CreateNetworkInterface.name(), of(second / 4 + burst / 6, 0, 100.0, 5.0)),
        (Action::AttachNetworkInterface.name(), of(second / 4 + burst / 6, burst / 6, 50.0, 5.0)),
        (Action::DescribeNetworkInterfaces.name(), of(second / 10 + 1, 0, 100.0, 20.0)),
        (
            Action::DescribeSubnets.name(),
            Calls { bucket: None, ..of(second / 30 + 1, 0, 0.0, 0.0) },
        ),
        (Action::DeleteNetworkInterface.name(), Calls::default()),
    ])
}

fn summary(shape: Shape, record: &Record) -> Summary {
    let last = record.moments.last();
    let calls = last.map(|moment| moment.calls.iter().map(|(action, calls)| (*action, *calls)));
    let finding = |text: &str| (Duration::from_millis(12_345), text.to_owned());
    let broken = ["10.0.1.17 is held by two pods: default/web-1 and default/web-2"];
    Summary {
        scenario: "made-up".to_owned(),
        length: Duration::from_secs(shape.moments.into()),
        pods_made: u64::from(shape.waits) + 2,
        pods_started: shape.waits.into(),
        pods_waiting: 2,
        waits: Waits::of(&record.waits),
        calls: calls.into_iter().flatten().collect(),
        idle_mean: 41.25,
        idle_at_end: 40,
        given_back: GivenBack { addresses: 96, interfaces: 2 },
        findings: if shape.is_broken { broken.map(finding).to_vec() } else { Vec::new() },
        unmet: if shape.is_broken {
            vec!["2 pods wait at the end, at most 0 expected".to_owned()]
        } else {
            Vec::new()
        },
        ..Summary::default()
    }
}

fn plan(shape: Shape) -> Plan {
    let length = Duration::from_secs(shape.moments.into());
    let subnet = |name: &str, third: u8, left| Subnet {
        name: name.to_owned(),
        zone: format!("eu-west-1{name}"),
        cidr: Ipv4Net::new_assert(Ipv4Addr::new(10, 0, third, 0), 20),
        tags: Tags::default(),
        left,
    };
    Plan {
        name: "made-up".to_owned(),
        description: "Pods come and go on a handful of nodes; a burst comes, EC2 fails for a while, and somebody takes addresses.".to_owned(),
        length,
        seed: 7,
        network: Network {
            cidr: Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 16),
            secondary_cidrs: vec![Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 16)],
            subnets: vec![
                subnet("a", 0, None),
                subnet("b", 16, Some(Left::Blocks(3))),
            ],
        },
        nodes: vec![nodes(shape)],
        pods: Pods { per_second: 2.5, lifetime: Duration::from_secs(30), at_start: 20, per_node: 58 },
        timeline: timeline(length),
        ec2: Ec2 {
            latency: latency::Profile::Typical,
            staleness: Mode::Typical,
            buckets: throttle::Settings::default(),
            faults: Vec::new(),
            denied: vec![Action::DeleteNetworkInterface],
        },
        operator: vec!["--excess-ip-release-delay=5".to_owned()],
        agent: Vec::new(),
        expected: Expected::default(),
    }
}

fn nodes(shape: Shape) -> NodeGroup {
    NodeGroup {
        name: "web".to_owned(),
        count: shape.nodes,
        instance_types: vec!["m5.large".to_owned(), "c5.xlarge".to_owned()],
        subnets: vec!["a".to_owned(), "b".to_owned()],
        joins_at: Duration::ZERO,
        served: Served::Berth { contract: Contract::PerIp, prefixes: true, cni_conf: None },
        foreign: Vec::new(),
    }
}

fn timeline(length: Duration) -> Vec<Happening> {
    let at = |tenths: u32, what: What| Happening { at: length / 10 * tenths, what };
    let away = Duration::from_secs(3);
    vec![
        at(2, What::Burst { pods: 40, over: Duration::ZERO }),
        at(5, What::Ec2Outage { length: away }),
        at(5, What::OperatorAway { length: away }),
        at(8, What::SubnetTaken { subnet: "a".to_owned(), left: Left::Addresses(9) }),
    ]
}

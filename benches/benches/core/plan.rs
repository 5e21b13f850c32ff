//! Planning nodes of eight ENIs with 30 addresses each.

use std::hint::black_box;
use std::net::Ipv4Addr;

use criterion::{BatchSize, Criterion};
use ipam_core::ids::SubnetId;
use ipam_core::plan::plan;
use ipam_core::policy::{Policy, PolicySettings, Watermarks};
use ipam_core::prefix::FreeBlocks;
use ipam_core::view::{
    Attachment, AttachmentState, Demand, EniKind, EniView, Ipv4Held, Ipv6Held, Marks, NetworkView,
    NodeIdentity, NodeSettings, NodeView, Planned, Refused, RouteTableView, SubnetView, Tags, View,
};
use ipnet::Ipv4Net;

const NODES: u16 = 5_000;
/// m5.4xlarge: eight interfaces, 29 slots beside the primary address.
const ENIS: u16 = 8;
const SLOTS: u16 = 29;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    let network = network(6);
    let (large, policy) = (network_with_tables(), Policy::default());
    let fresh = node(0, false, Growth::Fresh);
    group.bench_function("among 200 subnets and route tables, one fresh node", |bencher| {
        bencher.iter(|| plan(black_box(View { node: &fresh, network: &large }), &policy));
    });
    for prefix_delegation in [false, true] {
        let mode = if prefix_delegation { "prefixes" } else { "single" };
        let settings = PolicySettings { prefix_delegation, ..PolicySettings::default() };
        let policy = Policy::new(settings).expect("a valid policy");
        let growing = node(0, prefix_delegation, Growth::LastEniHalfFull);
        let fresh = node(0, prefix_delegation, Growth::Fresh);
        let settled = node(0, prefix_delegation, Growth::Settled);
        for (name, node) in [("growing", &growing), ("fresh", &fresh), ("settled", &settled)] {
            let view = View { node, network: &network };
            group.bench_function(format!("one {name} node, {mode}"), |bencher| {
                bencher.iter(|| plan(black_box(view), &policy));
            });
        }
        let nodes: Vec<NodeView> = (0..NODES)
            .map(|number| node(number, prefix_delegation, Growth::LastEniHalfFull))
            .collect();
        group.sample_size(20);
        group.bench_function(format!("{NODES} growing nodes in one round, {mode}"), |bencher| {
            bencher.iter_batched(
                || network.clone(),
                |mut network| {
                    for node in &nodes {
                        let plan = plan(View { node, network: &network }, &policy);
                        network.reserve(&plan.actions);
                    }
                    network
                },
                BatchSize::LargeInput,
            );
        });
        group.sample_size(100);
    }
    group.finish();
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// One interface without addresses for pods, and 100 pods that wait.
    Fresh,
    /// Seven full interfaces and half of the eighth, all in use.
    LastEniHalfFull,
    /// The same, with the watermark met.
    Settled,
}

fn node(number: u16, prefixes: bool, growth: Growth) -> NodeView {
    let enis: Vec<EniView> = match growth {
        Growth::Fresh => vec![eni(number, 0, 0, prefixes)],
        _ => (0..ENIS)
            .map(|index| {
                eni(number, index, if index == ENIS - 1 { SLOTS / 2 } else { SLOTS }, prefixes)
            })
            .collect(),
    };
    let held: u32 = enis
        .iter()
        .map(|it| it.ipv4.addresses.len() + it.ipv4.prefixes.len() * 16)
        .map(|count| u32::try_from(count).expect("a small number"))
        .sum();
    let used = if growth == Growth::Settled { held - 8 } else { held };
    NodeView {
        identity: NodeIdentity {
            name: format!("ip-10-0-{number}.ec2.internal").parse().expect("a name"),
            instance: format!("i-{number:017x}").parse().expect("an id"),
            instance_type: "m5.4xlarge".parse().expect("a type"),
            vpc: "vpc-0a1b2c3d4e5f60718".parse().expect("an id"),
            zone: "eu-west-1a".parse().expect("a zone"),
            subnet: Some("subnet-0a1b2c3d4e5f60718".parse().expect("an id")),
        },
        settings: NodeSettings {
            watermarks: Watermarks::new(8, 0, 0, 0).expect("valid watermarks"),
            first_interface_index: Some(0),
            ..NodeSettings::default()
        },
        demand: Demand::PerIp { used },
        waiting_pods: if growth == Growth::Fresh { 100 } else { 0 },
        limits: limits::find("m5.4xlarge"),
        running: true,
        enis,
        in_flight: vec![],
        marks: Marks::default(),
    }
}

/// An interface with that many slots taken, each node and interface in a range of its own.
fn eni(node: u16, index: u16, slots: u16, prefixes: bool) -> EniView {
    let first = Ipv4Addr::new(10, 0, 0, 0).to_bits()
        + (u32::from(node) % 16 * u32::from(ENIS) + u32::from(index)) * 512;
    let address = |number: u16| Ipv4Addr::from_bits(first + 16 + u32::from(number));
    let block = |number: u16| {
        Ipv4Net::new_assert(Ipv4Addr::from_bits(first + 16 * (1 + u32::from(number))), 28)
    };
    let (addresses, prefixes) = if prefixes {
        (vec![], (0..slots).map(block).collect())
    } else {
        ((0..slots).map(address).collect(), vec![])
    };
    EniView {
        id: format!("eni-{node:013x}{index:04x}").parse().expect("an id"),
        kind: EniKind::Ordinary,
        mac: None,
        description: format!("Cilium-CNI (i-{node:017x})"),
        attachment: Some(Attachment {
            id: Some(format!("eni-attach-{node:013x}{index:04x}").parse().expect("an id")),
            device_index: index,
            network_card: 0,
            state: AttachmentState::Attached,
            delete_on_termination: Some(true),
        }),
        subnet: "subnet-0a1b2c3d4e5f60718".parse().expect("an id"),
        vpc: "vpc-0a1b2c3d4e5f60718".parse().expect("an id"),
        ipv4: Ipv4Held { primary: Ipv4Addr::from_bits(first), addresses, prefixes },
        ipv6: Ipv6Held::default(),
        security_groups: vec!["sg-0a1b2c3d4e5f60718".parse().expect("an id")],
        tags: Tags::from([("berth/managed".into(), "true".into())]),
        public_ip: None,
    }
}

/// As many subnets as a VPC has by default (AWS quota), each with a route table that the subnet of the
/// node shares with it.
fn network_with_tables() -> NetworkView {
    let mut network = network(200);
    let own: SubnetId = "subnet-0a1b2c3d4e5f60718".parse().expect("an id");
    let table = |(number, subnet): (usize, &SubnetId)| {
        let view = RouteTableView {
            vpc: "vpc-0a1b2c3d4e5f60718".parse().expect("an id"),
            subnets: [own.clone(), subnet.clone()].into(),
        };
        (format!("rtb-{number}").parse().expect("an id"), view)
    };
    network.route_tables = network.subnets.keys().enumerate().map(table).collect();
    network
}

/// /16 subnets of one zone.
fn network(subnets: u8) -> NetworkView {
    let subnet = |number: u8| {
        let cidr = Ipv4Net::new_assert([10, number, 0, 0].into(), 16);
        let view = SubnetView {
            vpc: "vpc-0a1b2c3d4e5f60718".parse().expect("an id"),
            zone: "eu-west-1a".parse().expect("a zone"),
            cidr,
            ipv6_cidr: None,
            free_addresses: 60_000,
            free_blocks: FreeBlocks::new(cidr, &[]).ok(),
            refused: Refused::default(),
            planned: Planned::default(),
            tags: Tags::new(),
            usable: true,
        };
        let id = format!("subnet-{number}a1b2c3d4e5f60718").parse().expect("an id");
        (id, view)
    };
    NetworkView { subnets: (0..subnets).map(subnet).collect(), ..NetworkView::default() }
}

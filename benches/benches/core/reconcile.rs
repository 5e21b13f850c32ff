//! One event of one node, in clusters of different sizes: what it costs must not depend on the size.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use ipam_core::action::Action;
use ipam_core::budget::{BudgetSettings, Rate};
use ipam_core::call::{
    Api, Assigned, Call, EniPage, ListedEni, Page, PageToken, Read, Reply, Request,
};
use ipam_core::ids::SubnetId;
use ipam_core::policy::Watermarks;
use ipam_core::reconcile::{NodeSeen, ReconcileSettings, Reconciler};
use ipam_core::release::Usage;
use ipam_core::time::Tick;
use ipam_core::view::{
    Attachment, AttachmentState, Demand, EniKind, EniView, Ipv4Held, Ipv6Held, NodeIdentity,
    NodeSettings, Planned, Refused, SubnetView, Tags, VpcView,
};

/// m5.24xlarge: 49 slots beside the primary address, on one interface.
const INSTANCE_TYPE: &str = "m5.24xlarge";
const VPC: &str = "vpc-0a";
const ZONE: &str = "eu-west-1a";
/// Nodes of one subnet, a /16 each, so that none runs out.
const NODES_PER_SUBNET: usize = 1_000;
/// Most interfaces of one page.
const PAGE: usize = 1_000;
/// A node of the bench grows from 8 addresses to 48, one by one.
const MOST_USED: u32 = 40;
const PRE_ALLOCATED: u32 = 8;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reconcile");
    for nodes in [100, 1_000, 10_000] {
        let mut cluster = Cluster::settled(nodes);
        group.bench_function(BenchmarkId::new("one event, nothing to do", nodes), |bencher| {
            bencher.iter(|| cluster.changes_in_vain());
        });
        group.bench_function(BenchmarkId::new("one event, call, answer", nodes), |bencher| {
            bencher.iter_custom(|iterations| {
                let mut spent = Duration::ZERO;
                for _ in 0..iterations {
                    if cluster.is_full() {
                        cluster = Cluster::settled(nodes);
                    }
                    let began = Instant::now();
                    cluster.grows();
                    spent += began.elapsed();
                }
                spent
            });
        });
    }
    group.finish();
}

/// A machine with a view of so many nodes, and the EC2 that it asks.
struct Cluster {
    machine: Reconciler,
    enis: Vec<ListedEni>,
    used: Vec<u32>,
    now: Tick,
    /// The node of the next event. They are taken far apart, so that none is in the processor's cache by chance.
    turn: usize,
    next_address: u32,
}

impl Cluster {
    fn settled(nodes: usize) -> Self {
        let now = Tick::from_millis(0);
        let plenty = Rate { capacity: 1e6, refill: 1e6 };
        let rates: BTreeMap<Api, Rate> = Api::ALL.iter().map(|api| (*api, plenty)).collect();
        let budget = BudgetSettings::new(rates, 1.0, None).expect("a valid budget");
        let settings =
            ReconcileSettings { budget, learn_limits: false, ..ReconcileSettings::default() };
        let mut cluster = Self {
            machine: Reconciler::new(settings, now),
            enis: (0..nodes).map(eni).collect(),
            used: vec![0; nodes],
            now,
            turn: 0,
            next_address: Ipv4Addr::new(11, 0, 0, 0).to_bits(),
        };
        for number in 0..nodes {
            cluster.machine.on_node(now, cluster.seen(number));
        }
        cluster.machine.on_nodes_listed(now);
        cluster.drain();
        assert!(cluster.machine.is_view_complete(), "the bench measures a machine at work");
        cluster
    }

    /// The demand of a node changes and its watermark stays met.
    fn changes_in_vain(&mut self) {
        let number = self.next();
        let mut seen = self.seen(number);
        seen.demand = Demand::PerIp { used: self.used[number].saturating_sub(1) };
        self.machine.on_node(self.now, seen);
        self.drain();
        self.machine.on_node(self.now, self.seen(number));
        self.drain();
    }

    /// A pod more, so an address more: asked for and answered.
    fn grows(&mut self) {
        let number = self.next();
        self.used[number] += 1;
        let seen = self.seen(number);
        self.machine.on_node(self.now, seen);
        let calls = self.drain();
        assert_eq!(calls, 1, "one address is asked for in one call");
    }

    fn is_full(&self) -> bool {
        self.used[self.turn] >= MOST_USED
    }

    fn next(&mut self) -> usize {
        let number = self.turn;
        // Coprime to every number of nodes here.
        self.turn = (self.turn + 7_919) % self.used.len();
        number
    }

    /// Answers everything that the machine asks, and takes out what it says. How many calls there were.
    fn drain(&mut self) -> usize {
        let mut calls = 0;
        self.now = self.now + Duration::from_millis(1);
        while let Some(call) = self.machine.poll_call(self.now) {
            calls += 1;
            let (id, reply) = (call.id, self.answer(call));
            self.machine.on_answer(self.now, id, Ok(reply));
        }
        while let Some(node) = self.machine.poll_publication() {
            black_box(node);
        }
        while let Some(node) = self.machine.poll_summary() {
            black_box(self.machine.summary(&node));
        }
        while let Some(event) = self.machine.poll_event() {
            black_box(event);
        }
        black_box(self.machine.deadline());
        calls
    }

    fn answer(&mut self, call: Call) -> Reply {
        match call.request {
            Request::Mutate(mutation) => {
                let count = match mutation.action {
                    Action::AssignAddresses { count, .. } => Some(count),
                    _ => None,
                };
                let count = count.expect("only single addresses are missing");
                let first = self.next_address;
                self.next_address += u32::from(count);
                let addresses = (first..self.next_address).map(Ipv4Addr::from_bits).collect();
                Reply::Assigned(Assigned { addresses, ..Assigned::default() })
            }
            Request::Read(Read::Enis { page, .. }) => Reply::Enis(self.page(page)),
            Request::Read(Read::Subnets { .. }) => {
                let count = self.enis.len().div_ceil(NODES_PER_SUBNET);
                Reply::Subnets(whole((0..count).map(subnet).collect()))
            }
            Request::Read(Read::Vpc { .. }) => Reply::Vpc(Some(VpcView {
                primary_cidr: "10.0.0.0/8".parse().expect("a CIDR"),
                cidrs: Vec::new(),
            })),
            Request::Read(Read::SecurityGroups { .. }) => Reply::SecurityGroups(whole(Vec::new())),
            Request::Read(Read::RouteTables { .. }) => Reply::RouteTables(whole(Vec::new())),
            Request::Read(Read::InstanceTypes { .. }) => Reply::InstanceTypes(Vec::new()),
        }
    }

    fn page(&self, from: Option<PageToken>) -> EniPage {
        let from = from.map_or(0, |PageToken(text)| text.parse().expect("a token of this bench"));
        let to = (from + PAGE).min(self.enis.len());
        let next = (to < self.enis.len()).then(|| PageToken(to.to_string()));
        Page { items: self.enis[from..to].to_vec(), unreadable: Vec::new(), next }
    }

    fn seen(&self, number: usize) -> NodeSeen {
        let name = format!("ip-10-0-{number}.ec2.internal").parse().expect("a name");
        let identity = NodeIdentity {
            name,
            instance: instance(number),
            instance_type: INSTANCE_TYPE.parse().expect("a type"),
            vpc: VPC.parse().expect("an id"),
            zone: ZONE.parse().expect("a zone"),
            subnet: Some(subnet_id(number / NODES_PER_SUBNET)),
        };
        NodeSeen {
            name: identity.name.clone(),
            identity: Some(identity),
            settings: Some(NodeSettings {
                watermarks: Watermarks::new(8, 0, 0, 0).expect("valid watermarks"),
                first_interface_index: Some(0),
                ..NodeSettings::default()
            }),
            demand: Demand::PerIp { used: self.used[number] },
            usage: Usage::default(),
            ignored: false,
        }
    }
}

fn whole<T>(items: Vec<T>) -> Page<T> {
    Page { items, unreadable: Vec::new(), next: None }
}

fn instance(number: usize) -> ipam_core::ids::InstanceId {
    format!("i-{number:017x}").parse().expect("an id")
}

fn subnet_id(number: usize) -> SubnetId {
    format!("subnet-{number:017x}").parse().expect("an id")
}

fn subnet(number: usize) -> (SubnetId, SubnetView) {
    let network = Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + (small(number) << 16));
    let view = SubnetView {
        vpc: VPC.parse().expect("an id"),
        zone: ZONE.parse().expect("a zone"),
        cidr: ipnet::Ipv4Net::new_assert(network, 16),
        ipv6_cidr: None,
        free_addresses: 60_000,
        free_blocks: None,
        refused: Refused::default(),
        planned: Planned::default(),
        tags: Tags::new(),
        usable: true,
    };
    (subnet_id(number), view)
}

/// The primary interface of a node, with the addresses that its watermark asks for.
fn eni(number: usize) -> ListedEni {
    let (subnet, place) = (number / NODES_PER_SUBNET, number % NODES_PER_SUBNET);
    let first = Ipv4Addr::new(10, 0, 0, 16).to_bits() + (small(subnet) << 16) + small(place) * 64;
    let addresses = (1..=PRE_ALLOCATED).map(|offset| Ipv4Addr::from_bits(first + offset));
    let eni = EniView {
        id: format!("eni-{number:017x}").parse().expect("an id"),
        kind: EniKind::Ordinary,
        mac: None,
        description: String::new(),
        attachment: Some(Attachment {
            id: Some(format!("eni-attach-{number:017x}").parse().expect("an id")),
            device_index: 0,
            network_card: 0,
            state: AttachmentState::Attached,
            delete_on_termination: Some(true),
        }),
        subnet: subnet_id(subnet),
        vpc: VPC.parse().expect("an id"),
        ipv4: Ipv4Held {
            primary: Ipv4Addr::from_bits(first),
            addresses: addresses.collect(),
            prefixes: Vec::new(),
        },
        ipv6: Ipv6Held::default(),
        security_groups: vec!["sg-0a".parse().expect("an id")],
        tags: Tags::new(),
        public_ip: None,
    };
    ListedEni { eni, instance: Some(instance(number)), age: None }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("a small number")
}

//! The text that a cluster and its EC2 are made from.
//!
//! One line a thing; what is not said has a plain default:
//! ```text
//! operator prefixes cap 5
//! subnet subnet-1 10.0.0.0/24 free 200
//! node node-1 m5.large pre 8 used 7 first 1 addresses 8
//! nodes 100 m5.xlarge pre 8
//! eni eni-2 of node-1 at 1 addresses 8
//! strangers 1000 in subnet-1
//! ```
//! A node comes with an instance and its primary interface, `eni-NAME` without the dash, in subnet-1 unless it
//! says otherwise.

use std::str::{FromStr, SplitWhitespace};
use std::time::Duration;

use ipam_core::action::{Ipv4Ask, eni_description};
use ipam_core::ids::{EniId, InstanceId, NodeName, SubnetId};
use ipam_core::policy::{MANAGED_TAG, Policy, PolicySettings, Unmatched, Watermarks};
use ipam_core::reconcile::{Mode, NodeSeen, ReconcileSettings};
use ipam_core::release::Usage;
use ipam_core::view::{
    Demand, EniKind, EniView, Ipv4Held, Ipv6Held, NodeIdentity, NodeSettings, Planned, Refused,
    RouteTableView, SecurityGroupView, SubnetView, Tags, VpcView,
};
use limits::{Hypervisor, Limits};

use crate::cloud::{Cloud, Instance, Subnet};
use crate::rig::Rig;

/// The rest of a line, word by word.
pub(crate) struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Self(line.split_whitespace())
    }

    pub(crate) fn word(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    pub(crate) fn value<T: FromStr<Err: std::fmt::Debug>>(&mut self) -> T {
        let word = self.word().expect("a value");
        word.parse().unwrap_or_else(|error| panic!("{word}: {error:?}"))
    }

    /// `a=b,c=d`.
    fn tags(&mut self) -> Tags {
        let pairs = self.word().expect("tags").split(',');
        let pairs = pairs.map(|pair| pair.split_once('=').expect("key=value"));
        pairs.map(|(key, value)| (String::from(key), String::from(value))).collect()
    }

    /// `a,b`.
    fn list<T: FromStr<Err: std::fmt::Debug>>(&mut self) -> Vec<T> {
        self.word().expect("a list").split(',').map(|it| it.parse().unwrap()).collect()
    }
}

/// A cluster that has not been handed in yet.
pub(crate) fn rig(text: &str) -> Rig {
    rig_with(text, ReconcileSettings::default())
}

/// A cluster whose operator behaves by `settings` where the text says nothing.
pub(crate) fn rig_with(text: &str, mut settings: ReconcileSettings) -> Rig {
    let mut cloud = Cloud::default();
    cloud.page_size = 1000;
    let vpc = VpcView { primary_cidr: "10.0.0.0/16".parse().unwrap(), cidrs: Vec::new() };
    cloud.vpcs.insert("vpc-1".parse().unwrap(), vpc);
    let group = SecurityGroupView { vpc: "vpc-1".parse().unwrap(), tags: Tags::new() };
    cloud.groups.insert("sg-1".parse().unwrap(), group);
    let mut nodes = Vec::new();
    let mut served: Vec<NodeName> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut words = Words::new(line);
        match words.word() {
            Some("operator") => operator(&mut settings, words),
            Some("cloud") => ec2(&mut cloud, words),
            Some("type") => instance_type(&mut cloud, words),
            Some("subnet") => subnet(&mut cloud, words),
            Some("group") => group_line(&mut cloud, words),
            Some("table") => table(&mut cloud, words),
            Some("agents") => served = words.list(),
            Some("node") => nodes.push(node(&mut cloud, words.value(), words)),
            Some("nodes") => {
                let rest = line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ");
                for number in 1..=words.value::<u32>() {
                    let name = format!("node-{number:04}").parse().unwrap();
                    nodes.push(node(&mut cloud, name, Words::new(&rest)));
                }
            }
            Some("eni") => eni(&mut cloud, words),
            Some("strangers") => strangers(&mut cloud, words),
            other => panic!("a line starts with {other:?}"),
        }
    }
    let mut rig = Rig::over(cloud, settings);
    rig.nodes.extend(nodes.into_iter().map(|node| (node.name.clone(), node)));
    for name in served {
        rig.give_agent(&name);
    }
    rig
}

fn operator(settings: &mut ReconcileSettings, mut words: Words<'_>) {
    let mut policy = PolicySettings { cluster: Some("c".into()), ..PolicySettings::default() };
    while let Some(word) = words.word() {
        match word {
            "prefixes" => policy.prefix_delegation = true,
            "fall-through" => policy.unmatched = Unmatched::FallThrough,
            "return-at" => policy.return_to_prefixes_at = words.value(),
            "observe" => settings.mode = Mode::Observe,
            "no-release" => settings.mode = Mode::NoRelease,
            "idle" => settings.eni_idle_delay = Some(Duration::from_secs(words.value())),
            "keeps-interfaces" => settings.eni_idle_delay = None,
            "keeps-groups" => settings.repair_security_groups = false,
            "keeps" => settings.release.is_on = false,
            "releases" => settings.release.per_hour = Some(words.value()),
            "cap" => settings.creations_per_hour = Some(words.value()),
            "unlearned" => settings.learn_limits = false,
            "only" => settings.subnet_filter.ids = words.list().into_iter().collect(),
            other => panic!("an operator has no {other:?}"),
        }
    }
    settings.policy = Policy::new(policy).unwrap();
}

fn ec2(cloud: &mut Cloud, mut words: Words<'_>) {
    while let Some(word) = words.word() {
        match word {
            "lag" => cloud.lag = Duration::from_millis(words.value()),
            "detaching" => cloud.detaching_takes = Duration::from_secs(words.value()),
            "pages" => cloud.page_size = words.value(),
            "part" => cloud.buckets.part = words.value(),
            "unreadable" => cloud.unreadable = words.list().into_iter().collect(),
            other => panic!("EC2 has no {other:?}"),
        }
    }
}

fn instance_type(cloud: &mut Cloud, mut words: Words<'_>) {
    let name = words.value();
    let limits = Limits {
        enis: words.value(),
        ipv4_per_eni: words.value(),
        ipv6_per_eni: words.value(),
        hypervisor: Hypervisor::Nitro,
    };
    cloud.types.insert(name, limits);
}

fn subnet(cloud: &mut Cloud, mut words: Words<'_>) {
    let id: SubnetId = words.value();
    let mut view = SubnetView {
        vpc: "vpc-1".parse().unwrap(),
        zone: "a".parse().unwrap(),
        cidr: words.value(),
        ipv6_cidr: None,
        free_addresses: 0,
        free_blocks: None,
        refused: Refused::default(),
        planned: Planned::default(),
        tags: Tags::new(),
        usable: true,
    };
    let (mut free, mut scattered) = (None, false);
    while let Some(word) = words.word() {
        match word {
            "free" => free = Some(words.value()),
            "scattered" => scattered = true,
            "vpc" => view.vpc = words.value(),
            "zone" => view.zone = words.value(),
            "tags" => view.tags = words.tags(),
            "ipv6" => view.ipv6_cidr = Some("2001:db8::/64".parse().unwrap()),
            other => panic!("a subnet has no {other:?}"),
        }
    }
    cloud.subnets.insert(id.clone(), Subnet::new(view));
    if let Some(free) = free {
        cloud.others_take(id.as_str(), free, scattered);
    }
}

fn group_line(cloud: &mut Cloud, mut words: Words<'_>) {
    let id = words.value();
    let mut view = SecurityGroupView { vpc: "vpc-1".parse().unwrap(), tags: Tags::new() };
    while let Some(word) = words.word() {
        match word {
            "tags" => view.tags = words.tags(),
            "vpc" => view.vpc = words.value(),
            other => panic!("a group has no {other:?}"),
        }
    }
    cloud.groups.insert(id, view);
}

fn table(cloud: &mut Cloud, mut words: Words<'_>) {
    let id = words.value();
    let vpc = words.value();
    let subnets = words.list().into_iter().collect();
    cloud.tables.insert(id, RouteTableView { vpc, subnets });
}

/// `node-1` runs on `i-1`.
pub(crate) fn instance_of(name: &NodeName) -> InstanceId {
    format!("i-{}", name.as_str().replace("node-", "").replace('-', "")).parse().unwrap()
}

pub(crate) fn node(cloud: &mut Cloud, name: NodeName, mut words: Words<'_>) -> NodeSeen {
    let identity = NodeIdentity {
        instance: instance_of(&name),
        name: name.clone(),
        instance_type: words.value(),
        vpc: "vpc-1".parse().unwrap(),
        zone: "a".parse().unwrap(),
        subnet: Some("subnet-1".parse().unwrap()),
    };
    let settings = NodeSettings { first_interface_index: Some(0), ..NodeSettings::default() };
    let (demand, usage) = (Demand::PerIp { used: 0 }, Usage::default());
    let mut draft = Draft {
        seen: NodeSeen { name, identity: None, settings: None, demand, usage, ignored: false },
        identity,
        settings,
        watermarks: [0; 4],
        primary: primary(),
        asks: Vec::new(),
        is_there: true,
        running: true,
    };
    while let Some(word) = words.word() {
        if !draft.take_setting(word, &mut words) {
            draft.take_fact(word, &mut words);
        }
    }
    draft.finish(cloud)
}

/// A node while its line is read.
struct Draft {
    seen: NodeSeen,
    identity: NodeIdentity,
    settings: NodeSettings,
    watermarks: [i32; 4],
    primary: EniView,
    asks: Vec<Ipv4Ask>,
    is_there: bool,
    running: bool,
}

impl Draft {
    /// What the owner of the node asks for.
    fn take_setting(&mut self, word: &str, words: &mut Words<'_>) -> bool {
        let settings = &mut self.settings;
        match word {
            "pre" => self.watermarks[0] = words.value(),
            "min" => self.watermarks[1] = words.value(),
            "max" => self.watermarks[2] = words.value(),
            "above" => self.watermarks[3] = words.value(),
            "first" => settings.first_interface_index = Some(words.value()),
            "subnets" => settings.subnets.ids = words.list(),
            "subnet-tags" => settings.subnets.tags = words.tags(),
            "groups" => settings.security_groups.ids = words.list(),
            "group-tags" => settings.security_groups.tags = words.tags(),
            "exclude" => settings.exclude_interface_tags = words.tags(),
            "single" => settings.disable_prefix_delegation = true,
            "use-primary" => settings.use_primary_address = true,
            "outlive" => settings.delete_on_termination = false,
            _ => return false,
        }
        true
    }

    /// What the node is.
    fn take_fact(&mut self, word: &str, words: &mut Words<'_>) {
        match word {
            "used" => self.seen.demand = Demand::PerIp { used: words.value() },
            "cidr" => self.seen.demand = Demand::Cidr { ipv4: words.value(), ipv6: 0 },
            "cidr6" => {
                self.seen.demand = Demand::Cidr { ipv4: words.value(), ipv6: words.value() };
            }
            "in" => self.identity.subnet = Some(words.value()),
            "zone" => self.identity.zone = words.value(),
            "addresses" => self.asks.push(Ipv4Ask::Addresses(words.value())),
            "prefixes" => self.asks.push(Ipv4Ask::Prefixes(words.value())),
            "tags" => self.primary.tags = words.tags(),
            "certain" => self.seen.usage.is_certain = true,
            "ignored" => self.seen.ignored = true,
            "unseen" => self.is_there = false,
            "stopped" => self.running = false,
            other => panic!("a node has no {other:?}"),
        }
    }

    fn finish(self, cloud: &mut Cloud) -> NodeSeen {
        let Self { mut seen, identity, mut settings, watermarks, mut primary, asks, .. } = self;
        let [pre, min, max, above] = watermarks;
        let count = |it: i32| u32::try_from(it).unwrap();
        settings.watermarks = Watermarks::new(pre, count(min), count(max), count(above)).unwrap();
        if self.is_there {
            let (kind, zone) = (identity.instance_type.clone(), identity.zone.clone());
            let instance = Instance { kind, zone, running: self.running };
            cloud.instances.insert(identity.instance.clone(), instance);
            primary.id =
                format!("eni-{}", identity.name.as_str().replace('-', "")).parse().unwrap();
            primary.subnet = identity.subnet.clone().expect("a subnet");
            cloud.put_attached(primary, &identity.instance, 0, &asks);
        }
        seen.identity = Some(identity);
        seen.settings = Some(settings);
        seen
    }
}

fn primary() -> EniView {
    EniView {
        id: "eni-0".parse().unwrap(),
        kind: EniKind::Ordinary,
        mac: None,
        description: String::new(),
        attachment: None,
        subnet: "subnet-1".parse().unwrap(),
        vpc: "vpc-1".parse().unwrap(),
        ipv4: Ipv4Held { primary: [10, 0, 0, 0].into(), addresses: vec![], prefixes: vec![] },
        ipv6: Ipv6Held::default(),
        security_groups: vec!["sg-1".parse().unwrap()],
        tags: Tags::new(),
        public_ip: None,
    }
}

/// An interface that is there: the rest of its line.
pub(crate) fn eni(cloud: &mut Cloud, mut words: Words<'_>) {
    let mut eni = EniView { id: words.value::<EniId>(), ..primary() };
    assert_eq!(words.word(), Some("of"));
    let instance = instance_of(&words.value());
    let (mut index, mut asks) = (None, Vec::new());
    let mut own = false;
    while let Some(word) = words.word() {
        match word {
            "at" => index = Some(words.value()),
            "in" => eni.subnet = words.value(),
            "addresses" => asks.push(Ipv4Ask::Addresses(words.value())),
            "prefixes" => asks.push(Ipv4Ask::Prefixes(words.value())),
            "tags" => eni.tags.extend(words.tags()),
            "special" => eni.kind = EniKind::Special,
            "own" => own = true,
            other => panic!("an interface has no {other:?}"),
        }
    }
    if own {
        eni.description = eni_description(&instance);
        eni.tags.insert(MANAGED_TAG.into(), "true".into());
    }
    match index {
        Some(index) => cloud.put_attached(eni, &instance, index, &asks),
        None => cloud.put_loose(eni, &asks),
    }
}

/// Interfaces that have nothing to do with the cluster.
fn strangers(cloud: &mut Cloud, mut words: Words<'_>) {
    let count: u32 = words.value();
    assert_eq!(words.word(), Some("in"));
    let subnet: SubnetId = words.value();
    for number in 0..count {
        let id = format!("eni-stranger{number:04}").parse().unwrap();
        cloud.put_loose(EniView { id, subnet: subnet.clone(), ..primary() }, &[]);
    }
}

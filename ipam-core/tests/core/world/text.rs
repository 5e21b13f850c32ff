//! The text a world is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::str::{FromStr, SplitWhitespace};

use ipam_core::action::{Ipv4Ask, eni_description};
use ipam_core::audit::InUse;
use ipam_core::ids::SubnetId;
use ipam_core::policy::{Policy, PolicySettings, Unmatched, Watermarks};
use ipam_core::prefix::addresses_of;
use ipam_core::time::Tick;
use ipam_core::view::{
    Attachment, AttachmentState, Demand, EniKind, EniView, Ipv4Held, Ipv6Held, Marks, NetworkView,
    NodeIdentity, NodeSettings, NodeView, Planned, Refused, RouteTableView, SecurityGroupView,
    SubnetView, Tags,
};

use super::World;

/// The rest of a line, word by word.
struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn word(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn value<T: FromStr<Err: std::fmt::Debug>>(&mut self) -> T {
        let word = self.word().expect("a value");
        word.parse().unwrap_or_else(|error| panic!("{word}: {error:?}"))
    }

    /// `a=b,c=d`.
    fn tags(&mut self) -> Tags {
        let pairs = self.word().expect("tags").split(',');
        pairs.map(|pair| pair.split_once('=').expect("key=value")).map(owned).collect()
    }

    /// `a,b`.
    fn list<T: FromStr<Err: std::fmt::Debug>>(&mut self) -> Vec<T> {
        self.word().expect("a list").split(',').map(|it| it.parse().unwrap()).collect()
    }
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_string(), value.to_string())
}

pub(super) fn parse(text: &str) -> World {
    let mut world = empty();
    world.text = text.into();
    let mut watermarks = [0_i32; 4];
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut words = Words(line.split_whitespace());
        match words.word() {
            Some("node") => node(&mut world, &mut watermarks, words),
            Some("policy") => policy(&mut world, words),
            Some("subnet") => subnet(&mut world, words),
            Some("group") => group(&mut world, words),
            Some("table") => table(&mut world, words),
            Some("eni") => eni(&mut world, words),
            other => panic!("a line starts with {other:?}"),
        }
    }
    world
}

fn empty() -> World {
    let identity = NodeIdentity {
        name: "node-1".parse().unwrap(),
        instance: "i-1".parse().unwrap(),
        instance_type: "m5.large".parse().unwrap(),
        vpc: "vpc-1".parse().unwrap(),
        zone: "a".parse().unwrap(),
        subnet: None,
    };
    let node = NodeView {
        identity,
        settings: NodeSettings { first_interface_index: Some(0), ..NodeSettings::default() },
        demand: Demand::PerIp { used: 0 },
        waiting_pods: 0,
        limits: None,
        running: true,
        enis: Vec::new(),
        in_flight: Vec::new(),
        marks: Marks::default(),
    };
    World {
        text: String::new(),
        node,
        network: NetworkView::default(),
        policy: Policy::default(),
        taken: BTreeMap::new(),
        blocks_known: true,
        enis_made: 0,
        made_at: BTreeMap::new(),
        now: Tick::default(),
        in_use: Vec::new(),
    }
}

fn node(world: &mut World, watermarks: &mut [i32; 4], mut words: Words<'_>) {
    let node = &mut world.node;
    node.identity.instance_type = words.value();
    node.limits = limits::find(node.identity.instance_type.as_str());
    while let Some(word) = words.word() {
        let settings = &mut node.settings;
        match word {
            "pre" => watermarks[0] = words.value(),
            "min" => watermarks[1] = words.value(),
            "max" => watermarks[2] = words.value(),
            "above" => watermarks[3] = words.value(),
            "used" => node.demand = Demand::PerIp { used: words.value() },
            "requested" => {
                node.demand = Demand::Cidr { ipv4: words.value(), ipv6: words.value() };
            }
            "waiting" => node.waiting_pods = words.value(),
            "first" => settings.first_interface_index = Some(words.value()),
            "in" => node.identity.subnet = Some(words.value()),
            "vpc" => node.identity.vpc = words.value(),
            "zone" => node.identity.zone = words.value(),
            "stopped" => node.running = false,
            "subnet-ids" => settings.subnets.ids = words.list(),
            "subnet-tags" => settings.subnets.tags = words.tags(),
            "groups" => settings.security_groups.ids = words.list(),
            "group-tags" => settings.security_groups.tags = words.tags(),
            "exclude" => settings.exclude_interface_tags = words.tags(),
            "primary" => settings.use_primary_address = true,
            "single" => settings.disable_prefix_delegation = true,
            "outlive" => settings.delete_on_termination = false,
            other => panic!("a node has no {other:?}"),
        }
    }
    let [pre, min, max, above] = *watermarks;
    let count = |it: i32| u32::try_from(it).unwrap();
    node.settings.watermarks = Watermarks::new(pre, count(min), count(max), count(above)).unwrap();
}

fn policy(world: &mut World, mut words: Words<'_>) {
    let mut settings = PolicySettings::default();
    while let Some(word) = words.word() {
        match word {
            "prefixes" => settings.prefix_delegation = true,
            "fall-through" => settings.unmatched = Unmatched::FallThrough,
            "return-at" => settings.return_to_prefixes_at = words.value(),
            "blocks-unknown" => world.blocks_known = false,
            other => panic!("a policy has no {other:?}"),
        }
    }
    world.policy = Policy::new(settings).unwrap();
}

fn subnet(world: &mut World, mut words: Words<'_>) {
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
            "refuses-prefixes" => view.refused.prefixes = true,
            "refuses-addresses" => view.refused.addresses = true,
            other => panic!("a subnet has no {other:?}"),
        }
    }
    world.network.subnets.insert(id.clone(), view);
    world.taken.insert(id.clone(), BTreeSet::new());
    let free = free.unwrap_or_else(|| world.free_addresses(&id).len());
    world.occupy(&id, free, scattered);
}

fn group(world: &mut World, mut words: Words<'_>) {
    let id = words.value();
    let mut view = SecurityGroupView { vpc: "vpc-1".parse().unwrap(), tags: Tags::new() };
    while let Some(word) = words.word() {
        match word {
            "tags" => view.tags = words.tags(),
            "vpc" => view.vpc = words.value(),
            other => panic!("a group has no {other:?}"),
        }
    }
    world.network.security_groups.insert(id, view);
}

fn table(world: &mut World, mut words: Words<'_>) {
    let id = words.value();
    let vpc = words.value();
    let subnets = words.list().into_iter().collect();
    world.network.route_tables.insert(id, RouteTableView { vpc, subnets });
}

/// The primary address and the others are taken from the subnet, lowest first, beside what
/// `free` of the subnet left.
fn eni(world: &mut World, mut words: Words<'_>) {
    let mut eni = EniView {
        id: words.value(),
        kind: EniKind::Ordinary,
        mac: None,
        description: String::new(),
        attachment: None,
        subnet: "subnet-1".parse().unwrap(),
        vpc: world.node.identity.vpc.clone(),
        ipv4: Ipv4Held { primary: [10, 0, 0, 0].into(), addresses: vec![], prefixes: vec![] },
        ipv6: Ipv6Held::default(),
        security_groups: vec!["sg-1".parse().unwrap()],
        tags: Tags::new(),
        public_ip: None,
    };
    let (mut addresses, mut prefixes) = (0, 0);
    while let Some(word) = words.word() {
        match word {
            "at" => eni.attachment = Some(attachment(words.value())),
            "in" => eni.subnet = words.value(),
            "addresses" => addresses = words.value(),
            "prefixes" => prefixes = words.value(),
            "groups" => eni.security_groups = words.list(),
            "tags" => eni.tags.extend(words.tags()),
            "special" => eni.kind = EniKind::Special,
            "own" => {
                eni.description = eni_description(&world.node.identity.instance);
                eni.tags.insert("berth/managed".into(), "true".into());
            }
            "card" => eni.attachment.as_mut().unwrap().network_card = words.value(),
            "detaching" => {
                eni.attachment.as_mut().unwrap().state = AttachmentState::Detaching;
            }
            "attaching" => {
                eni.attachment.as_mut().unwrap().state = AttachmentState::Attaching;
            }
            "outlives" => {
                eni.attachment.as_mut().unwrap().delete_on_termination = Some(false);
            }
            "ipv6" => eni.ipv6.prefixes.push("2001:db8::/80".parse().unwrap()),
            other => panic!("an interface has no {other:?}"),
        }
    }
    if world.network.subnets.contains_key(&eni.subnet) {
        let subnet = &eni.subnet;
        eni.ipv4.primary = world.pick(subnet, Ipv4Ask::Addresses(1)).unwrap().0[0];
        eni.ipv4.prefixes = world.pick(subnet, Ipv4Ask::Prefixes(prefixes)).unwrap().1;
        eni.ipv4.addresses = world.pick(subnet, Ipv4Ask::Addresses(addresses)).unwrap().0;
    }
    let stays = |at: &Attachment| at.state != AttachmentState::Detaching;
    if eni.attachment.as_ref().is_some_and(stays) {
        let prefixes = eni.ipv4.prefixes.iter().copied().flat_map(addresses_of);
        for address in eni.ipv4.addresses.iter().copied().chain(prefixes) {
            let owner = format!("pods/{address}");
            world.in_use.push(InUse { address: address.into(), owner });
        }
    }
    world.node.enis.push(eni);
}

fn attachment(device_index: u16) -> Attachment {
    Attachment {
        id: Some(format!("eni-attach-{device_index}").parse().unwrap()),
        device_index,
        network_card: 0,
        state: AttachmentState::Attached,
        delete_on_termination: None,
    }
}

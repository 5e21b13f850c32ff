//! What is true at EC2, checked against the promises, against itself, and against what the Kubernetes API shows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ec2_sim::id::{InstanceId, SubnetId};
use ec2_sim::model::{AttachmentStatus, Interface, InterfaceKind};
use ipam_core::audit::{InUse, LooseEni, NodeTruth, Truth, audit};
use ipam_core::policy::MANAGED_TAG;
use ipam_core::time::Tick;
use ipam_core::view::{Attachment, AttachmentState, EniKind, EniView, Ipv4Held, Ipv6Held};
use serde_json::Value;

use super::Rig;

/// How long an interface may be attached to nothing while a scene ends.
const GRACE: Duration = Duration::from_mins(1);

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &(impl ToString + ?Sized)) -> T {
    text.to_string().parse().unwrap()
}

/// An interface in the words of the core.
fn view(interface: &Interface) -> EniView {
    let attachment = interface.attachment.as_ref().map(|at| Attachment {
        id: Some(parsed(&at.id)),
        device_index: at.device_index.try_into().unwrap(),
        network_card: at.network_card.try_into().unwrap(),
        state: match at.status {
            AttachmentStatus::Attaching => AttachmentState::Attaching,
            AttachmentStatus::Attached => AttachmentState::Attached,
            _ => AttachmentState::Detaching,
        },
        delete_on_termination: Some(at.delete_on_termination),
    });
    let ordinary = interface.kind == InterfaceKind::Interface;
    EniView {
        id: parsed(&interface.id),
        kind: if ordinary { EniKind::Ordinary } else { EniKind::Special },
        mac: None,
        description: interface.description.clone(),
        attachment,
        subnet: parsed(&interface.subnet),
        vpc: parsed(&interface.vpc),
        ipv4: Ipv4Held {
            primary: interface.primary_ip,
            addresses: interface.secondary_ips.clone(),
            prefixes: interface.ipv4_prefixes.clone(),
        },
        ipv6: Ipv6Held {
            addresses: interface.ipv6_addresses.clone(),
            prefixes: interface.ipv6_prefixes.clone(),
        },
        security_groups: interface.groups.iter().map(parsed).collect(),
        tags: interface.tags.clone(),
        public_ip: None,
    }
}

/// The addresses that an interface has for pods.
fn for_pods(interface: &Interface) -> BTreeSet<Ipv4Addr> {
    let prefixes = interface.ipv4_prefixes.iter();
    let expanded = prefixes.flat_map(|prefix| {
        (u32::from(prefix.network())..=u32::from(prefix.broadcast())).map(Ipv4Addr::from)
    });
    interface.secondary_ips.iter().copied().chain(expanded).collect()
}

/// One node with what an audit of it borrows.
struct Owned {
    name: ipam_core::ids::NodeName,
    vpc: ipam_core::ids::VpcId,
    limits: Option<limits::Limits>,
    enis: Vec<EniView>,
    in_use: Vec<InUse>,
    short: u32,
    explained: bool,
}

impl Rig {
    /// The instance that a node's object names, if there is an object.
    fn instance_of(&self, node: &str) -> Option<InstanceId> {
        let object = self.object(node);
        Some(object["spec"]["instance-id"].as_str()?.parse().unwrap())
    }

    /// The interfaces that are attached to a node's instance, or on their way to it.
    pub(crate) fn attached(&self, node: &str) -> Vec<Arc<Interface>> {
        let Some(instance) = self.instance_of(node) else { return Vec::new() };
        self.ec2.with(|ec2, _| ec2.world().truth().interfaces_of(&instance).cloned().collect())
    }

    /// The addresses that a node's interfaces really have for pods.
    pub(crate) fn held(&self, node: &str) -> usize {
        self.attached(node).iter().map(|interface| for_pods(interface).len()).sum()
    }

    /// Every interface that carries Berth's tag.
    pub(crate) fn made_by_berth(&self) -> Vec<Arc<Interface>> {
        self.ec2.with(|ec2, _| {
            let all = ec2.world().truth().interfaces();
            all.filter(|interface| interface.tags.contains_key(MANAGED_TAG)).cloned().collect()
        })
    }

    /// How many interfaces that Berth made are in a subnet.
    pub(crate) fn made_in(&self, subnet: &SubnetId) -> usize {
        self.made_by_berth().iter().filter(|interface| interface.subnet == *subnet).count()
    }

    fn owned(&self, node: &str) -> Owned {
        let object = self.object(node);
        let agent = self.agent(node);
        let used = agent.used();
        let enis: Vec<EniView> = self.attached(node).iter().map(|one| view(one)).collect();
        let in_use =
            used.into_iter().map(|(address, owner)| InUse { address: address.into(), owner });
        Owned {
            name: parsed(node),
            vpc: parsed(object["spec"]["eni"]["vpc-id"].as_str().unwrap()),
            limits: limits::find(object["spec"]["eni"]["instance-type"].as_str().unwrap()),
            enis,
            in_use: in_use.collect(),
            short: agent.lacks(),
            explained: !self.blocked(node).is_empty(),
        }
    }

    /// Every promise that is broken now, in words.
    pub(crate) fn broken(&self) -> Vec<String> {
        let owned: Vec<Owned> = self.agents.keys().map(|node| self.owned(node)).collect();
        let nodes: Vec<NodeTruth<'_>> = owned.iter().map(truth_of).collect();
        let made = self.made_by_berth();
        let loose = made.iter().filter(|interface| interface.attachment.is_none());
        let loose: Vec<(EniView, Tick)> = loose
            .map(|one| (view(one), Tick::from_millis(one.created_at.as_micros() / 1000)))
            .collect();
        let loose: Vec<LooseEni<'_>> =
            loose.iter().map(|(eni, since)| LooseEni { eni, since: *since }).collect();
        let now = Tick::from_millis(self.ec2.now().as_micros() / 1000);
        let truth = Truth { now, nodes: &nodes, loose: &loose, grace: GRACE };
        let mut broken: Vec<String> = audit(&truth).iter().map(|it| format!("{it:?}")).collect();
        let found = self.ec2.with(|ec2, _| ec2.audit());
        broken.extend(found.iter().map(ToString::to_string));
        broken.extend(self.witness.seen());
        broken
    }

    /// Interfaces that Berth made and that lack a step: an attachment, or their end with the instance.
    pub(crate) fn half_made(&self) -> Vec<String> {
        let made = self.made_by_berth();
        let whole = |interface: &&Arc<Interface>| {
            let attachment = interface.attachment.as_ref();
            attachment.is_some_and(|at| {
                at.status == AttachmentStatus::Attached && at.delete_on_termination
            })
        };
        let half = made.iter().filter(|interface| !whole(interface));
        half.map(|interface| format!("{}: {:?}", interface.id, interface.attachment)).collect()
    }

    /// Where the object of a node says something else than EC2 knows.
    pub(crate) fn misinformed(&self, node: &str) -> Option<String> {
        let object = self.object(node);
        let shown: BTreeMap<String, BTreeSet<Ipv4Addr>> = object["status"]["eni"]["enis"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(id, eni)| (id.clone(), addresses(&eni["addresses"])))
            .collect();
        let real: BTreeMap<String, BTreeSet<Ipv4Addr>> = self
            .attached(node)
            .iter()
            .map(|interface| (interface.id.to_string(), for_pods(interface)))
            .collect();
        (shown != real).then(|| format!("{node}: shown {shown:?}, real {real:?}"))
    }

    /// What has to hold when a scene ends: every promise, no interface that is half made, and true objects.
    pub(crate) async fn finish(&self) {
        self.until(GRACE, |rig| {
            let half = rig.half_made();
            (!half.is_empty()).then(|| format!("half made: {half:?}"))
        })
        .await;
        for node in self.agents.keys() {
            self.until(GRACE, |rig| rig.misinformed(node)).await;
        }
        self.check_promises();
    }

    /// Every promise holds now.
    pub(crate) fn check_promises(&self) {
        let broken = self.broken();
        assert!(broken.is_empty(), "{}\n{}", broken.join("\n"), self.describe());
    }
}

fn addresses(list: &Value) -> BTreeSet<Ipv4Addr> {
    let list = list.as_array().into_iter().flatten();
    list.map(|address| address.as_str().unwrap().parse().unwrap()).collect()
}

fn truth_of(owned: &Owned) -> NodeTruth<'_> {
    NodeTruth {
        name: &owned.name,
        vpc: &owned.vpc,
        limits: owned.limits,
        enis: &owned.enis,
        in_use: &owned.in_use,
        short: owned.short,
        explained: owned.explained,
        ledgers: &[],
    }
}

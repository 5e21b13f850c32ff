//! What is true at EC2, checked against the promises, against itself, and against what the Kubernetes API shows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ec2_sim::id::{InstanceId, SubnetId};
use ec2_sim::model::{AttachmentStatus, Interface};
use ipam_core::audit::InUse;
use serde_json::Value;
use truth::{Node, Whole, for_pods, loose, made_by_berth, tick, view};

use super::Rig;
use super::cluster::id;

/// How long an interface may be attached to nothing while a scene ends.
const GRACE: Duration = Duration::from_mins(1);

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
        self.ec2.with(|ec2, _| made_by_berth(ec2.world()).cloned().collect())
    }

    /// How many interfaces that Berth made are in a subnet.
    pub(crate) fn made_in(&self, subnet: &SubnetId) -> usize {
        self.made_by_berth().iter().filter(|interface| interface.subnet == *subnet).count()
    }

    /// How many addresses of a subnet are free.
    pub(crate) fn free_in(&self, subnet: &str) -> u32 {
        let subnet: SubnetId = id("subnet-", subnet);
        self.ec2.with(|ec2, _| ec2.world().truth().subnet(&subnet).unwrap().available_ipv4)
    }

    /// A node by what its object says of it, what EC2 has attached to it and what its agent uses.
    fn node(&self, name: &str) -> Node {
        let object = self.object(name);
        let (eni, agent) = (&object["spec"]["eni"], self.agent(name));
        let in_use = agent.used().into_iter();
        let in_use = in_use.map(|(address, owner)| InUse { address: address.into(), owner });
        Node {
            name: name.parse().unwrap(),
            vpc: eni["vpc-id"].as_str().unwrap().parse().unwrap(),
            limits: limits::find(eni["instance-type"].as_str().unwrap()),
            enis: self.attached(name).iter().map(|one| view(one).unwrap()).collect(),
            in_use: in_use.collect(),
            short: agent.lacks(),
            explained: !self.blocked(name).is_empty(),
            ledgers: Vec::new(),
        }
    }

    /// Every promise that is broken now, in words.
    pub(crate) fn broken(&self) -> Vec<String> {
        let whole = Whole {
            now: tick(self.ec2.now()),
            nodes: self.agents.keys().map(|name| self.node(name)).collect(),
            loose: self.ec2.with(|ec2, _| loose(ec2.world()).unwrap()),
            grace: GRACE,
        };
        let violations = whole.violations();
        let mut broken: Vec<String> = violations.iter().map(|it| format!("{it:?}")).collect();
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

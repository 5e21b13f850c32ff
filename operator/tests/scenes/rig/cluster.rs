//! What a cluster is made of: subnets, groups, instances, and the objects of the Kubernetes API that go with them.

use ec2_sim::build::{
    NewAttachment, NewInstance, NewInterface, NewRouteTable, NewSecurityGroup, NewSubnet, NewVpc,
};
use ec2_sim::id::{GroupId, InstanceId, InterfaceId, RouteTableId, SubnetId, VpcId};
use ec2_sim::instance_types;
use ec2_sim::model::{InterfaceKind, Tags};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::Rig;
use super::agent::{Agent, Generation};

/// The Region of scenes that do not say another one.
pub(super) const REGION: &str = "eu-west-1";

/// An id of EC2 from the short name that scenes give a thing: `a` is `subnet-0000000a`.
pub(crate) fn id<Id: std::str::FromStr<Err: std::fmt::Debug>>(prefix: &str, name: &str) -> Id {
    let full =
        if name.starts_with(prefix) { name.to_owned() } else { format!("{prefix}{name:0>8}") };
    full.parse().unwrap()
}

/// The VPC of all scenes.
pub(crate) fn vpc() -> VpcId {
    id("vpc-", "a")
}

/// The instance of a node: that of `node-1` is `i-00000001`.
pub(crate) fn instance(node: &str) -> InstanceId {
    let number = node.rsplit('-').next().unwrap();
    let number: u64 = number.parse().unwrap_or_else(|_| panic!("{node}: expected a name-NUMBER"));
    format!("i-{number:08x}").parse().unwrap()
}

/// An interface that somebody else attached, with two addresses.
fn foreign(node: &str, subnet: &str, index: u32) -> NewInterface {
    let mut new = NewInterface::new(id("subnet-", subnet));
    new.description = "somebody else's".to_owned();
    new.ipv4.address_count = 2;
    new.attachment = Some(NewAttachment {
        instance: Some(instance(node)),
        instance_owner: None,
        device_index: index,
        network_card: 0,
        delete_on_termination: true,
    });
    new
}

impl Rig {
    pub(super) fn add_vpc(&self) {
        let new = NewVpc {
            id: Some(vpc()),
            secondary_cidrs: vec!["100.64.0.0/16".parse().unwrap()],
            default_group: Some(id("sg-", "a")),
            main_route_table: Some(id("rtb-", "a")),
            ..NewVpc::new("10.0.0.0/16".parse().unwrap())
        };
        self.ec2.with(|ec2, _| ec2.build().vpc(new)).unwrap();
    }

    /// A subnet in the zone of that letter.
    pub(crate) fn add_subnet(&self, name: &str, zone: &str, cidr: &str, tags: Tags) {
        let new = NewSubnet {
            id: Some(id::<SubnetId>("subnet-", name)),
            tags,
            ..NewSubnet::new(vpc(), &format!("{REGION}{zone}"), cidr.parse().unwrap())
        };
        self.ec2.with(|ec2, _| ec2.build().subnet(new)).unwrap();
    }

    /// A security group.
    pub(crate) fn add_group(&self, name: &str, tags: Tags) {
        let new = NewSecurityGroup {
            id: Some(id::<GroupId>("sg-", name)),
            tags,
            ..NewSecurityGroup::new(vpc(), name)
        };
        self.ec2.with(|ec2, _| ec2.build().security_group(new)).unwrap();
    }

    /// A route table of its own for these subnets.
    pub(crate) fn add_route_table(&self, name: &str, subnets: &[&str]) {
        let new = NewRouteTable {
            id: Some(id::<RouteTableId>("rtb-", name)),
            subnets: subnets.iter().map(|subnet| id("subnet-", subnet)).collect(),
            ..NewRouteTable::new(vpc())
        };
        self.ec2.with(|ec2, _| ec2.build().route_table(new)).unwrap();
    }

    /// A running instance. One whose type EC2 does not have either is an m5.large there.
    pub(crate) fn add_instance(
        &self,
        node: &str,
        instance_type: &str,
        subnet: &str,
        groups: &[&str],
    ) {
        let known = instance_types::find(instance_type).map_or("m5.large", |_| instance_type);
        let mut new = NewInstance {
            id: Some(instance(node)),
            ..NewInstance::new(known, id("subnet-", subnet))
        };
        new.primary.groups = groups.iter().map(|group| id("sg-", group)).collect();
        self.ec2.with(|ec2, _| ec2.build().instance(new)).unwrap();
    }

    /// An interface that somebody else attached.
    pub(crate) fn add_foreign(
        &self,
        node: &str,
        subnet: &str,
        index: u32,
        tags: Tags,
    ) -> InterfaceId {
        let mut new = foreign(node, subnet, index);
        new.tags = tags;
        self.ec2.with(|ec2, _| ec2.build().interface(new)).unwrap()
    }

    /// An interface that is attached to nothing.
    pub(crate) fn add_loose(&self, subnet: &str, description: &str, tags: Tags) -> InterfaceId {
        let mut new = NewInterface::new(id("subnet-", subnet));
        (new.description, new.tags) = (description.to_owned(), tags);
        self.ec2.with(|ec2, _| ec2.build().interface(new)).unwrap()
    }

    /// The instance of a node ends.
    pub(crate) fn terminate(&self, node: &str) {
        self.ec2.with(|ec2, _| ec2.build().terminate_instance(&instance(node))).unwrap();
    }

    /// An attached interface of another kind than the ordinary one.
    pub(crate) fn add_trunk(&self, node: &str, subnet: &str, index: u32) {
        let mut new = foreign(node, subnet, index);
        new.kind = InterfaceKind::Trunk;
        self.ec2.with(|ec2, _| ec2.build().interface(new)).unwrap();
    }

    /// An instance, its Node, and an agent on it that creates the `CiliumNode`, with `members` merged into it.
    pub(crate) fn add_node(
        &mut self,
        node: &str,
        instance_type: &str,
        subnet: &str,
        generation: Generation,
        members: &Value,
    ) {
        if self.ec2.with(|ec2, _| ec2.world().truth().instance(&instance(node)).is_none()) {
            self.add_instance(node, instance_type, subnet, &[]);
        }
        let mut object = self.cilium_node(node, instance_type, subnet);
        json_patch::merge(&mut object, members);
        self.start_agent(node, generation, &object);
    }

    /// Starts an agent, which creates the object if it is not there.
    pub(crate) fn start_agent(&mut self, node: &str, generation: Generation, object: &Value) {
        let client = self.kube.client(&format!("agent-{node}"));
        self.agents.insert(node.to_owned(), Agent::start(client, generation, object));
    }

    /// Ends an agent.
    pub(crate) fn stop_agent(&mut self, node: &str) {
        self.agents.remove(node);
    }

    /// The object that an agent creates at its start.
    pub(crate) fn cilium_node(&self, node: &str, instance_type: &str, subnet: &str) -> Value {
        let instance = instance(node);
        let (zone, address) = self.ec2.with(|ec2, _| {
            let found = ec2.world().truth().instance(&instance).unwrap();
            (found.zone.clone(), found.private_ip)
        });
        json!({
            "apiVersion": "cilium.io/v2",
            "kind": "CiliumNode",
            "metadata": {"name": node, "labels": {"kubernetes.io/hostname": node}},
            "spec": {
                "addresses": [{"type": "InternalIP", "ip": address}],
                "alibaba-cloud": {}, "azure": {}, "encryption": {}, "health": {}, "ingress": {},
                "instance-id": instance.as_str(),
                "eni": {
                    "availability-zone": zone,
                    "delete-on-termination": true,
                    "disable-prefix-delegation": false,
                    "first-interface-index": 0,
                    "instance-type": instance_type,
                    "node-subnet-id": id::<SubnetId>("subnet-", subnet).as_str(),
                    "use-primary-address": false,
                    "vpc-id": vpc().as_str(),
                },
                "ipam": {"pools": {}},
            },
        })
    }

    /// Pods that the scheduler put on a node and that have no address.
    pub(crate) async fn add_pods(
        &self,
        node: &str,
        prefix: &str,
        count: usize,
        host_network: bool,
    ) {
        let client = self.kube.client("scheduler");
        let namespace = json!({"metadata": {"name": "default"}});
        let namespace: Namespace = serde_json::from_value(namespace).unwrap();
        let namespaces: Api<Namespace> = Api::all(client.clone());
        // It may be there already.
        drop(namespaces.create(&PostParams::default(), &namespace).await);
        let pods: Api<Pod> = Api::namespaced(client, "default");
        for number in 0..count {
            let pod = json!({
                "metadata": {"name": format!("{prefix}-{number}")},
                "spec": {
                    "nodeName": node, "hostNetwork": host_network,
                    "containers": [{"name": "main", "image": "main"}],
                },
                "status": {"phase": "Pending"},
            });
            let pod: Pod = serde_json::from_value(pod).unwrap();
            pods.create(&PostParams::default(), &pod).await.unwrap();
            let status = json!({"status": {"phase": "Pending"}});
            let patch = Patch::Merge(&status);
            let name = format!("{prefix}-{number}");
            pods.patch_status(&name, &PatchParams::default(), &patch).await.unwrap();
        }
    }

    /// The pods of a prefix have got their addresses.
    pub(crate) async fn pods_run(&self, prefix: &str, count: usize) {
        let pods: Api<Pod> = Api::namespaced(self.kube.client("kubelet"), "default");
        for number in 0..count {
            let status = json!({"status": {"phase": "Running", "podIP": "10.0.0.250",
                "podIPs": [{"ip": "10.0.0.250"}]}});
            let patch = Patch::Merge(&status);
            let name = format!("{prefix}-{number}");
            pods.patch_status(&name, &PatchParams::default(), &patch).await.unwrap();
        }
    }

    /// Deletes a `CiliumNode`.
    pub(crate) async fn delete_node(&mut self, node: &str) {
        self.stop_agent(node);
        let api = super::agent::nodes(self.kube.client("kubectl"));
        api.delete(node, &DeleteParams::default()).await.unwrap();
    }
}

//! One instance at a simulated EC2, and its node at a simulated Kubernetes API.

use ec2_sim::Ec2;
use ec2_sim::face::shared::Shared;
use ec2_sim::journal::Entry;
use ec2_sim::spec::Spec;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, PostParams};
use kube_sim::KubeSim;
use serde_json::{Value, json};

/// EC2 with one m5.large, and a Kubernetes API without anything.
pub(crate) struct Bed {
    pub(crate) ec2: Shared,
    pub(crate) kube: KubeSim,
}

impl Bed {
    pub(crate) fn new() -> Self {
        let spec = Spec::parse("world.yaml", include_str!("world.yaml")).unwrap();
        let mut ec2 = Ec2::new(spec.settings().unwrap());
        spec.populate(&mut ec2).unwrap();
        Self { ec2: Shared::new(ec2), kube: KubeSim::default() }
    }

    /// The agent of the node has come: it creates the object, once the API server knows what that is.
    pub(crate) async fn create_node(&self) {
        let kind = GroupVersionKind::gvk("cilium.io", "v2", "CiliumNode");
        let resource = ApiResource::from_gvk_with_plural(&kind, "ciliumnodes");
        let nodes: Api<DynamicObject> = Api::all_with(self.kube.client("agent"), &resource);
        let node: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "cilium.io/v2",
            "kind": "CiliumNode",
            "metadata": {"name": "node-1"},
            "spec": {
                "instance-id": "i-00000001",
                "eni": {
                    "instance-type": "m5.large",
                    "vpc-id": "vpc-0000000a",
                    "availability-zone": "eu-west-1a",
                    "node-subnet-id": "subnet-0000000a",
                    "first-interface-index": 0,
                },
                "ipam": {},
            },
        }))
        .unwrap();
        nodes.create(&PostParams::default(), &node).await.unwrap();
    }

    /// The definition as `deploy/crds` has it.
    pub(crate) fn register(&self) {
        self.kube.register(serde_json::to_value(cilium_node::crd()).unwrap()).unwrap();
    }

    /// How many addresses the node's agent may hand out.
    pub(crate) fn pool(&self) -> usize {
        let object = self.kube.object("ciliumnodes.cilium.io", "", "node-1");
        let pool = object.as_ref().and_then(|object| object["spec"]["ipam"]["pool"].as_object());
        pool.map_or(0, serde_json::Map::len)
    }

    /// Who holds the Lease.
    pub(crate) fn holder(&self) -> Option<String> {
        let lease = self.kube.object("leases.coordination.k8s.io", "default", "berth-operator")?;
        let holder = lease["spec"]["holderIdentity"].as_str().filter(|holder| !holder.is_empty());
        holder.map(str::to_owned)
    }

    /// How many calls EC2 has had.
    pub(crate) fn calls(&self) -> usize {
        self.ec2.with(|ec2, _| ec2.journal().iter().len())
    }

    /// How many calls that change something EC2 has had.
    pub(crate) fn changes(&self) -> usize {
        let is_change = |entry: &&Entry| {
            entry.action.is_some_and(|action| {
                !action.name().starts_with("Describe") && !action.name().starts_with("Get")
            })
        };
        self.ec2.with(|ec2, _| ec2.journal().iter().filter(is_change).count())
    }
}

/// The member of a row, as JSON.
pub(crate) fn member(row: &Value, name: &str) -> Value {
    row.get(name).cloned().unwrap_or_default()
}

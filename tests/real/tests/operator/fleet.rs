//! Fresh nodes: instances in a world of the simulated EC2, and the objects that their agents create.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// Nodes named `node-0`, `node-1` …, each an m5.large in one subnet.
#[derive(Clone, Copy)]
pub(crate) struct Fleet {
    nodes: usize,
    slow: bool,
}

impl Fleet {
    pub(crate) fn new(nodes: usize) -> Self {
        Self { nodes, slow: false }
    }

    /// With the latencies of a real EC2.
    pub(crate) fn slow(self) -> Self {
        Self { slow: true, ..self }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.nodes).map(|number| format!("node-{number}"))
    }

    /// The world file.
    pub(crate) fn world(&self) -> String {
        let latency = if self.slow { "typical" } else { "zero" };
        let mut world = format!(
            "settings: {{region: eu-west-1, account: '123456789012', seed: 7, latency: {latency}}}
vpcs: [{{id: vpc-0000000a, cidr: 10.0.0.0/16, default_group: sg-0000000a}}]
subnets: [{{id: subnet-0000000a, vpc: vpc-0000000a, zone: eu-west-1a, cidr: 10.0.0.0/18}}]
instances:
"
        );
        for number in 0..self.nodes {
            let _ = writeln!(
                world,
                "  - {{id: i-{number:08x}, instance_type: m5.large, subnet: subnet-0000000a, primary: {{id: eni-{number:08x}}}}}"
            );
        }
        world
    }

    /// The objects, as agents up to Cilium 1.19 create them.
    pub(crate) fn objects(&self) -> impl Iterator<Item = Value> + use<> {
        self.names().enumerate().map(|(number, name)| {
            json!({
                "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": name},
                "spec": {
                    "instance-id": format!("i-{number:08x}"),
                    "eni": {
                        "availability-zone": "eu-west-1a", "first-interface-index": 0, "instance-type": "m5.large",
                        "node-subnet-id": "subnet-0000000a", "vpc-id": "vpc-0000000a",
                    },
                    "ipam": {},
                },
            })
        })
    }
}

//! Prints what Berth would ask of EC2 to serve pods on a fresh instance.
//!
//! ```sh
//! cargo run -q -p ipam-core --example plan -- m5.large 20
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use std::process::ExitCode;

use ipam_core::ids::InvalidId;
use ipam_core::plan::plan;
use ipam_core::policy::{Policy, PolicySettings};
use ipam_core::view::{
    Attachment, AttachmentState, Demand, EniKind, EniView, Ipv4Held, Ipv6Held, Marks, NetworkView,
    NodeIdentity, NodeSettings, NodeView, Planned, Refused, SubnetView, Tags, View,
};

const USAGE: &str = "usage: plan INSTANCE_TYPE PODS, for example: plan m5.large 20";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [instance_type, pods] = arguments.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let Ok(pods) = pods.parse() else {
        eprintln!("{pods:?} is not a number of pods\n{USAGE}");
        return ExitCode::from(2);
    };
    match print_plans(instance_type, pods) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn print_plans(instance_type: &str, pods: u32) -> Result<(), InvalidId> {
    let network = network()?;
    let node = fresh_node(instance_type, pods)?;
    for (mode, prefix_delegation) in [("single addresses", false), ("prefixes", true)] {
        let settings = PolicySettings { prefix_delegation, ..PolicySettings::default() };
        let policy = Policy::new(settings).unwrap_or_default();
        println!("A fresh {instance_type} with {pods} pods, {mode}:");
        let plan = plan(View { node: &node, network: &network }, &policy);
        plan.actions.iter().for_each(|action| println!("  {action}"));
        plan.blocked.iter().for_each(|blocked| println!("  blocked: {blocked}"));
    }
    Ok(())
}

/// A node as it comes up: its primary interface, and pods that wait for their first address.
fn fresh_node(instance_type: &str, waiting_pods: u32) -> Result<NodeView, InvalidId> {
    let primary = EniView {
        id: "eni-1".parse()?,
        kind: EniKind::Ordinary,
        mac: None,
        description: String::new(),
        attachment: Some(Attachment {
            id: None,
            device_index: 0,
            network_card: 0,
            state: AttachmentState::Attached,
            delete_on_termination: Some(true),
        }),
        subnet: "subnet-1".parse()?,
        vpc: "vpc-1".parse()?,
        ipv4: Ipv4Held { primary: [10, 0, 0, 4].into(), addresses: vec![], prefixes: vec![] },
        ipv6: Ipv6Held::default(),
        security_groups: vec!["sg-1".parse()?],
        tags: Tags::new(),
        public_ip: None,
    };
    Ok(NodeView {
        identity: NodeIdentity {
            name: "node-1".parse()?,
            instance: "i-1".parse()?,
            instance_type: instance_type.parse()?,
            vpc: "vpc-1".parse()?,
            zone: "eu-west-1a".parse()?,
            subnet: Some("subnet-1".parse()?),
        },
        settings: NodeSettings { first_interface_index: Some(0), ..NodeSettings::default() },
        demand: Demand::PerIp { used: 0 },
        waiting_pods,
        limits: limits::find(instance_type),
        running: true,
        enis: vec![primary],
        in_flight: vec![],
        marks: Marks::default(),
    })
}

/// One empty /20.
fn network() -> Result<NetworkView, InvalidId> {
    let subnet = SubnetView {
        vpc: "vpc-1".parse()?,
        zone: "eu-west-1a".parse()?,
        cidr: ipnet::Ipv4Net::new_assert([10, 0, 0, 0].into(), 20),
        ipv6_cidr: None,
        free_addresses: 4090,
        free_blocks: None,
        refused: Refused::default(),
        planned: Planned::default(),
        tags: Tags::new(),
        usable: true,
    };
    let subnets = [("subnet-1".parse()?, subnet)].into();
    Ok(NetworkView { subnets, ..NetworkView::default() })
}

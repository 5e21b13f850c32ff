//! Building the Region and its instances.

use anyhow::Result;
use ec2_sim::build::{NewInstance, NewInterface, NewSecurityGroup, NewSubnet, NewVpc};
use ec2_sim::id::{GroupId, InstanceId, SubnetId};
use ec2_sim::{Ec2, Settings, latency, throttle};
use ipam_core::view::NodeIdentity;

use crate::scenario::Scenario;

const ZONE: &str = "eu-west-1a";

/// A Region with a VPC, the scenario's subnets and a security group that no node has.
///
/// # Errors
/// They cannot be built.
pub(super) fn build(scenario: &Scenario) -> Result<(Ec2, Vec<SubnetId>, GroupId)> {
    let mut ec2 = Ec2::new(Settings {
        seed: scenario.seed,
        latency: latency::Settings::of(latency::Profile::Typical),
        staleness: scenario.region.staleness,
        buckets: throttle::Settings {
            multiplier: scenario.region.generosity,
            ..throttle::Settings::default()
        },
        journal: Some(0),
        ..Settings::default()
    });
    let vpc = ec2.build().vpc(NewVpc::new("10.0.0.0/16".parse()?))?;
    let mut subnets = Vec::new();
    for (number, length) in scenario.region.subnets.iter().enumerate() {
        let cidr = format!("10.0.{}.0/{length}", 2 * number).parse()?;
        subnets.push(ec2.build().subnet(NewSubnet::new(vpc.clone(), ZONE, cidr))?);
    }
    let foreign = ec2.build().security_group(NewSecurityGroup::new(vpc, "foreign"))?;
    Ok((ec2, subnets, foreign))
}

/// An instance for a node: the `count`th under its name. None when no subnet has an address for it.
///
/// # Errors
/// Its plan asks for what EC2 does not know.
pub(super) fn instance(
    ec2: &mut Ec2,
    scenario: &Scenario,
    node: usize,
    count: u64,
    subnets: &[SubnetId],
) -> Result<Option<NodeIdentity>> {
    let plan = &scenario.nodes[node];
    let number = u64::try_from(node)? * 1_000 + count;
    for subnet in subnets {
        let new = NewInstance {
            id: Some(InstanceId::from_number(number)),
            primary: NewInterface::new(subnet.clone()),
            ..NewInstance::new(plan.instance_type, subnet.clone())
        };
        let Ok(id) = ec2.build().instance(new) else { continue };
        let Some(instance) = ec2.world().truth().instance(&id).cloned() else { continue };
        return Ok(Some(NodeIdentity {
            name: format!("n{node}").parse()?,
            instance: id.as_str().parse()?,
            instance_type: plan.instance_type.parse()?,
            vpc: instance.vpc.as_str().parse()?,
            zone: ZONE.parse()?,
            subnet: Some(subnet.as_str().parse()?),
        }));
    }
    Ok(None)
}

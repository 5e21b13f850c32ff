//! The network and the nodes, built once in a simulated EC2 that is thrown away: what EC2 refuses is wrong with the scenario.

use std::collections::BTreeMap;

use ec2_sim::build::{BuildError, NewAttachment, NewInstance, NewInterface, NewSubnet, NewVpc};
use ec2_sim::id::{InstanceId, SubnetId, VpcId};
use ec2_sim::spec::Problem;
use ec2_sim::{Ec2, Settings};

use super::{Checked, Wrong};
use crate::plan::{Foreign, Network, NodeGroup};

/// Builds everything that is there before the first second, and all that joins later.
pub(super) fn build(network: &Network, groups: &[NodeGroup]) -> Checked<()> {
    let mut trial = Trial { ec2: Ec2::new(Settings::default()), subnets: BTreeMap::new() };
    trial.network(network)?;
    for (position, group) in groups.iter().enumerate() {
        trial.group(&format!("nodes[{position}]"), group)?;
    }
    Ok(())
}

struct Trial<'a> {
    ec2: Ec2,
    subnets: BTreeMap<&'a str, SubnetId>,
}

impl<'a> Trial<'a> {
    fn network(&mut self, network: &'a Network) -> Checked<()> {
        let secondary_cidrs = network.secondary_cidrs.clone();
        let vpc = NewVpc { secondary_cidrs, ..NewVpc::new(network.cidr) };
        let vpc = self.ec2.build().vpc(vpc).map_err(|error| refused("network", error))?;
        for (position, subnet) in network.subnets.iter().enumerate() {
            let new = NewSubnet {
                tags: subnet.tags.clone(),
                ..NewSubnet::new(VpcId::clone(&vpc), &subnet.zone, subnet.cidr)
            };
            let part = format!("network.subnets[{position}]");
            let built = self.ec2.build().subnet(new).map_err(|error| refused(&part, error))?;
            self.subnets.insert(&subnet.name, built);
        }
        Ok(())
    }

    fn group(&mut self, part: &str, group: &NodeGroup) -> Checked<()> {
        let turns = group.instance_types.iter().cycle().zip(group.subnets.iter().cycle());
        let count = usize::try_from(group.count).unwrap_or(usize::MAX);
        for (number, (instance_type, subnet)) in turns.take(count).enumerate() {
            let Some(id) = self.subnets.get(subnet.as_str()).cloned() else { continue };
            let new = NewInstance::new(instance_type, id.clone());
            let built = self.ec2.build().instance(new);
            let instance = built.map_err(|error| {
                let problem = Problem::from(error).after(number, count);
                Wrong { part: part.to_owned(), problem }
            })?;
            for (position, foreign) in group.foreign.iter().enumerate() {
                let built = self.foreign(foreign, &instance, &id);
                built.map_err(|error| refused(&format!("{part}.foreign[{position}]"), error))?;
            }
        }
        Ok(())
    }

    fn foreign(
        &mut self,
        foreign: &Foreign,
        instance: &InstanceId,
        usual: &SubnetId,
    ) -> Result<(), BuildError> {
        let named = foreign.subnet.as_ref().and_then(|name| self.subnets.get(name.as_str()));
        let mut new = NewInterface::new(named.unwrap_or(usual).clone());
        new.ipv4.address_count = usize::try_from(foreign.addresses).unwrap_or(usize::MAX);
        new.tags = foreign.tags.clone();
        new.attachment = Some(NewAttachment {
            instance: Some(instance.clone()),
            instance_owner: None,
            device_index: foreign.device_index,
            network_card: 0,
            delete_on_termination: true,
        });
        self.ec2.build().interface(new).map(|_| ())
    }
}

fn refused(part: &str, error: BuildError) -> Wrong {
    Wrong { part: part.to_owned(), problem: error.into() }
}

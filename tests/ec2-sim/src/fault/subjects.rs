//! What a call is about.

use super::Rule;
use crate::id::{InstanceId, InterfaceId, SubnetId};
use crate::request::Operation;
use crate::world::World;

/// The interfaces, subnets and instances that a call names, and the subnets and instances of those interfaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subjects {
    /// Interfaces.
    pub interfaces: Vec<InterfaceId>,
    /// Subnets.
    pub subnets: Vec<SubnetId>,
    /// Instances.
    pub instances: Vec<InstanceId>,
}

impl Subjects {
    /// What `operation` is about in this world.
    #[must_use]
    pub fn of(operation: &Operation, world: &World) -> Self {
        let mut subjects = Self::named(operation, world);
        for id in &subjects.interfaces {
            if let Some(interface) = world.truth().interface(id) {
                subjects.subnets.push(interface.subnet.clone());
                subjects.instances.extend(interface.instance().cloned());
            }
        }
        subjects
    }

    fn named(operation: &Operation, world: &World) -> Self {
        let interface = |id: &InterfaceId| Self { interfaces: vec![id.clone()], ..Self::default() };
        let subnet = |id: &SubnetId| Self { subnets: vec![id.clone()], ..Self::default() };
        match operation {
            Operation::AssignIpv6Addresses(call) => interface(&call.interface),
            Operation::AssignPrivateIpAddresses(call) => interface(&call.interface),
            Operation::DeleteNetworkInterface(call) => interface(&call.interface),
            Operation::ModifyNetworkInterfaceAttribute(call) => interface(&call.interface),
            Operation::UnassignIpv6Addresses(call) => interface(&call.interface),
            Operation::UnassignPrivateIpAddresses(call) => interface(&call.interface),
            Operation::AttachNetworkInterface(call) => {
                Self { instances: vec![call.instance.clone()], ..interface(&call.interface) }
            }
            Operation::AssociateAddress(call) => Self {
                interfaces: call.interface.iter().cloned().collect(),
                instances: call.instance.iter().cloned().collect(),
                subnets: Vec::new(),
            },
            Operation::DetachNetworkInterface(call) => {
                world.attached(&call.attachment).map(interface).unwrap_or_default()
            }
            Operation::CreateNetworkInterface(call) => subnet(&call.subnet),
            Operation::CreateSubnetCidrReservation(call) => subnet(&call.subnet),
            Operation::CreateTags(call) => Self::tagged(&call.resources),
            Operation::DescribeInstances(call) => {
                Self { instances: call.0.ids.clone(), ..Self::default() }
            }
            Operation::DescribeNetworkInterfaces(call) => {
                Self { interfaces: call.0.ids.clone(), ..Self::default() }
            }
            Operation::DescribeSubnets(call) => {
                Self { subnets: call.0.ids.clone(), ..Self::default() }
            }
            Operation::DescribeAddresses(_)
            | Operation::DescribeInstanceTypes(_)
            | Operation::DescribeRouteTables(_)
            | Operation::DescribeSecurityGroups(_)
            | Operation::DescribeTags(_)
            | Operation::DescribeVpcs(_)
            | Operation::GetSecurityGroupsForVpc(_) => Self::default(),
        }
    }

    fn tagged(resources: &[String]) -> Self {
        Self {
            interfaces: resources.iter().filter_map(|id| id.parse().ok()).collect(),
            subnets: resources.iter().filter_map(|id| id.parse().ok()).collect(),
            instances: resources.iter().filter_map(|id| id.parse().ok()).collect(),
        }
    }

    /// Whether all that the rule names is among them.
    pub(super) fn include(&self, rule: &Rule) -> bool {
        rule.interface.as_ref().is_none_or(|id| self.interfaces.contains(id))
            && rule.subnet.as_ref().is_none_or(|id| self.subnets.contains(id))
            && rule.instance.as_ref().is_none_or(|id| self.instances.contains(id))
    }
}

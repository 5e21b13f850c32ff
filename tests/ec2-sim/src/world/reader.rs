//! What one reader sees of the world at some moment.

use std::ops::Bound;
use std::sync::Arc;

use super::World;
use crate::id::{
    AllocationId, GroupId, InstanceId, InterfaceId, ReservationId, RouteTableId, SubnetId, VpcId,
};
use crate::model::{
    ElasticIp, Instance, Interface, Reservation, RouteTable, SecurityGroup, Subnet, Vpc,
};
use crate::staleness::{Audience, Versioned};
use crate::time::Moment;

/// What one reader sees of the world at some moment. Everything it lists is ordered by id.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    pub(super) world: &'a World,
    pub(super) now: Moment,
    pub(super) audience: Audience,
}

impl<'a> Reader<'a> {
    /// What is visible of one object.
    fn seen<T>(self, object: &'a Versioned<T>) -> Option<&'a Arc<T>> {
        object.seen(self.now, self.audience)
    }

    /// A VPC.
    #[must_use]
    pub fn vpc(self, id: &VpcId) -> Option<&'a Arc<Vpc>> {
        self.seen(&self.world.vpcs.get(id)?.object)
    }

    /// All VPCs.
    pub fn vpcs(self) -> impl Iterator<Item = &'a Arc<Vpc>> {
        self.world.vpcs.values().filter_map(move |entry| self.seen(&entry.object))
    }

    /// A subnet, with the number of available addresses that is visible.
    #[must_use]
    pub fn subnet(self, id: &SubnetId) -> Option<Arc<Subnet>> {
        let entry = self.world.subnets.get(id)?;
        let mut subnet = Arc::clone(self.seen(&entry.object)?);
        let available = entry.available.seen(self.now);
        if subnet.available_ipv4 != available {
            Arc::make_mut(&mut subnet).available_ipv4 = available;
        }
        Some(subnet)
    }

    /// All subnets.
    pub fn subnets(self) -> impl Iterator<Item = Arc<Subnet>> {
        self.world.subnets.keys().filter_map(move |id| self.subnet(id))
    }

    /// A CIDR reservation.
    #[must_use]
    pub fn reservation(self, id: &ReservationId) -> Option<&'a Arc<Reservation>> {
        self.seen(self.world.reservations.get(id)?)
    }

    /// All CIDR reservations.
    pub fn reservations(self) -> impl Iterator<Item = &'a Arc<Reservation>> {
        self.world.reservations.values().filter_map(move |object| self.seen(object))
    }

    /// A route table.
    #[must_use]
    pub fn route_table(self, id: &RouteTableId) -> Option<&'a Arc<RouteTable>> {
        self.seen(self.world.route_tables.get(id)?)
    }

    /// All route tables.
    pub fn route_tables(self) -> impl Iterator<Item = &'a Arc<RouteTable>> {
        self.world.route_tables.values().filter_map(move |object| self.seen(object))
    }

    /// A security group.
    #[must_use]
    pub fn security_group(self, id: &GroupId) -> Option<&'a Arc<SecurityGroup>> {
        self.seen(self.world.groups.get(id)?)
    }

    /// All security groups.
    pub fn security_groups(self) -> impl Iterator<Item = &'a Arc<SecurityGroup>> {
        self.world.groups.values().filter_map(move |object| self.seen(object))
    }

    /// An instance.
    #[must_use]
    pub fn instance(self, id: &InstanceId) -> Option<&'a Arc<Instance>> {
        self.seen(&self.world.instances.get(id)?.object)
    }

    /// All instances.
    pub fn instances(self) -> impl Iterator<Item = &'a Arc<Instance>> {
        self.instances_after(None)
    }

    /// The instances whose ids come behind `after`.
    pub fn instances_after(
        self,
        after: Option<&InstanceId>,
    ) -> impl Iterator<Item = &'a Arc<Instance>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.world.instances.range((from, Bound::Unbounded));
        behind.filter_map(move |(_, entry)| self.seen(&entry.object))
    }

    /// An interface.
    #[must_use]
    pub fn interface(self, id: &InterfaceId) -> Option<&'a Arc<Interface>> {
        self.seen(&self.world.interfaces.get(id)?.object)
    }

    /// All interfaces.
    pub fn interfaces(self) -> impl Iterator<Item = &'a Arc<Interface>> {
        self.interfaces_after(None)
    }

    /// The interfaces whose ids come behind `after`.
    pub fn interfaces_after(
        self,
        after: Option<&InterfaceId>,
    ) -> impl Iterator<Item = &'a Arc<Interface>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.world.interfaces.range((from, Bound::Unbounded));
        behind.filter_map(move |(_, entry)| self.seen(&entry.object))
    }

    /// The interfaces that are seen with an attachment to `instance`, without looking at any other instance's.
    pub fn interfaces_of(self, instance: &InstanceId) -> impl Iterator<Item = &'a Arc<Interface>> {
        let entry = self.world.instances.get_key_value(instance);
        entry.into_iter().flat_map(move |(instance, entry)| {
            let seen = entry.interfaces.iter().filter_map(move |id| self.interface(id));
            seen.filter(move |interface| interface.instance() == Some(instance))
        })
    }

    /// The interfaces of a subnet, without looking at any other subnet's.
    pub fn interfaces_in(self, subnet: &SubnetId) -> impl Iterator<Item = &'a Arc<Interface>> {
        let entry = self.world.subnets.get(subnet);
        entry
            .into_iter()
            .flat_map(move |entry| entry.interfaces.iter().filter_map(move |id| self.interface(id)))
    }

    /// An Elastic IP address.
    #[must_use]
    pub fn elastic_ip(self, id: &AllocationId) -> Option<&'a Arc<ElasticIp>> {
        self.seen(self.world.elastic_ips.get(id)?)
    }

    /// All Elastic IP addresses.
    pub fn elastic_ips(self) -> impl Iterator<Item = &'a Arc<ElasticIp>> {
        self.world.elastic_ips.values().filter_map(move |object| self.seen(object))
    }
}

//! The truth of single objects: read by id, written with the visibility that readers will have of it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::entry::{InstanceEntry, InterfaceEntry, Lagging, SubnetEntry, VpcEntry};
use super::{Principal, Resource, World, Write};
use crate::id::{
    AllocationId, AttachmentId, GroupId, InstanceId, InterfaceId, ReservationId, RouteTableId,
    SubnetId, VpcId,
};
use crate::model::{
    ElasticIp, Instance, Interface, Reservation, RouteTable, SecurityGroup, Subnet, Vpc,
};
use crate::space::Space;
use crate::staleness::{Versioned, Visibility};
use crate::time::Moment;

impl World {
    pub(crate) fn vpc(&self, id: &VpcId) -> Option<&Arc<Vpc>> {
        self.vpcs.get(id)?.object.current()
    }

    pub(crate) fn vpc_entry(&self, id: &VpcId) -> Option<&VpcEntry> {
        self.vpcs.get(id)
    }

    pub(crate) fn vpc_entries(&self) -> impl Iterator<Item = (&VpcId, &VpcEntry)> {
        self.vpcs.iter()
    }

    pub(crate) fn subnet(&self, id: &SubnetId) -> Option<&Arc<Subnet>> {
        self.subnets.get(id)?.object.current()
    }

    pub(crate) fn subnet_entry(&self, id: &SubnetId) -> Option<&SubnetEntry> {
        self.subnets.get(id)
    }

    pub(crate) fn subnet_entries(&self) -> impl Iterator<Item = (&SubnetId, &SubnetEntry)> {
        self.subnets.iter()
    }

    /// The free and taken addresses of a subnet.
    pub(crate) fn space_mut(&mut self, id: &SubnetId) -> Option<&mut Space> {
        Some(&mut self.subnets.get_mut(id)?.space)
    }

    pub(crate) fn group(&self, id: &GroupId) -> Option<&Arc<SecurityGroup>> {
        self.groups.get(id)?.current()
    }

    pub(crate) fn instance(&self, id: &InstanceId) -> Option<&Arc<Instance>> {
        self.instances.get(id)?.object.current()
    }

    pub(crate) fn instance_entries(&self) -> impl Iterator<Item = (&InstanceId, &InstanceEntry)> {
        self.instances.iter()
    }

    pub(crate) fn interface(&self, id: &InterfaceId) -> Option<&Arc<Interface>> {
        self.interfaces.get(id)?.object.current()
    }

    pub(crate) fn interface_entry(&self, id: &InterfaceId) -> Option<&InterfaceEntry> {
        self.interfaces.get(id)
    }

    /// The interface that an attachment is of, while the attachment is there.
    pub(crate) fn attached(&self, id: &AttachmentId) -> Option<&InterfaceId> {
        self.attachments.get(id)
    }

    pub(crate) fn attachment_index(&self) -> impl Iterator<Item = (&AttachmentId, &InterfaceId)> {
        self.attachments.iter()
    }

    pub(crate) fn elastic_ip(&self, id: &AllocationId) -> Option<&Arc<ElasticIp>> {
        self.elastic_ips.get(id)?.current()
    }

    pub(crate) fn allocation_of(&self, public_ip: Ipv4Addr) -> Option<&AllocationId> {
        self.public_ips.get(&public_ip)
    }

    /// The interfaces that are attached to an instance, or on their way to or from it.
    pub(crate) fn interfaces_of(
        &self,
        instance: &InstanceId,
    ) -> impl Iterator<Item = &Arc<Interface>> {
        self.truth().interfaces_of(instance)
    }

    pub(crate) fn set_principal(&mut self, access_key: &str, principal: Principal) {
        self.principals.insert(access_key.to_owned(), principal);
    }

    pub(crate) fn add_vpc(&mut self, vpc: Vpc, default_group: GroupId, seen: &Visibility) {
        let id = vpc.id.clone();
        let mut object = Versioned::default();
        object.write(Some(vpc), seen);
        self.vpcs.insert(id, VpcEntry::new(object, default_group));
    }

    /// Writes a VPC. Returns when [`World::settle`] has something to do, as all writes do.
    pub(crate) fn put_vpc(&mut self, vpc: Vpc, seen: &Visibility) -> Option<Moment> {
        self.vpcs.get_mut(&vpc.id)?.object.write(Some(vpc), seen)
    }

    pub(crate) fn add_subnet(&mut self, subnet: Subnet, space: Space, seen: &Visibility) {
        let id = subnet.id.clone();
        let available = Lagging::new(space.available());
        let mut object = Versioned::default();
        object.write(Some(subnet), seen);
        self.subnets.insert(id, SubnetEntry::new(object, space, available));
    }

    pub(crate) fn put_subnet(&mut self, subnet: Subnet, seen: &Visibility) -> Option<Moment> {
        self.subnets.get_mut(&subnet.id)?.object.write(Some(subnet), seen)
    }

    /// Writes a reservation; what it leaves available shows in its subnet.
    pub(crate) fn put_reservation(
        &mut self,
        reservation: Reservation,
        write: &Write,
    ) -> Option<Moment> {
        let subnet = reservation.subnet.clone();
        let entry = self.reservations.entry(reservation.id.clone()).or_default();
        let settled = entry.write(Some(reservation), &write.seen);
        self.count_available(&subnet, write);
        settled
    }

    pub(crate) fn put_route_table(
        &mut self,
        table: RouteTable,
        seen: &Visibility,
    ) -> Option<Moment> {
        self.route_tables.entry(table.id.clone()).or_default().write(Some(table), seen)
    }

    pub(crate) fn put_group(&mut self, group: SecurityGroup, seen: &Visibility) -> Option<Moment> {
        self.groups.entry(group.id.clone()).or_default().write(Some(group), seen)
    }

    pub(crate) fn put_instance(&mut self, instance: Instance, seen: &Visibility) -> Option<Moment> {
        let entry = self.instances.entry(instance.id.clone()).or_default();
        entry.object.write(Some(instance), seen)
    }

    /// Makes an instance disappear, also for readers that lag behind. Nothing may be attached to it any more.
    pub(crate) fn forget_instance(&mut self, id: &InstanceId) {
        self.instances.remove(id);
    }

    pub(crate) fn put_elastic_ip(
        &mut self,
        address: ElasticIp,
        seen: &Visibility,
    ) -> Option<Moment> {
        self.public_ips.insert(address.public_ip, address.allocation.clone());
        let entry = self.elastic_ips.entry(address.allocation.clone()).or_default();
        entry.write(Some(address), seen)
    }

    pub(crate) fn public_ip_index(&self) -> impl Iterator<Item = (&Ipv4Addr, &AllocationId)> {
        self.public_ips.iter()
    }

    /// Forgets what no reader can see any more of something.
    pub(crate) fn settle(&mut self, now: Moment, what: &Resource) {
        fn forget<Id: Ord, T>(all: &mut BTreeMap<Id, Versioned<T>>, id: &Id, now: Moment) {
            if let Some(object) = all.get_mut(id) {
                object.settle(now);
            }
        }
        match what {
            Resource::Interface(id) => self.settle_interface(now, id),
            Resource::Vpc(id) => {
                self.vpcs.get_mut(id).map(|entry| entry.object.settle(now));
            }
            Resource::Subnet(id) => {
                self.subnets.get_mut(id).map(|entry| entry.object.settle(now));
            }
            Resource::Instance(id) => {
                self.instances.get_mut(id).map(|entry| entry.object.settle(now));
            }
            Resource::Reservation(id) => forget(&mut self.reservations, id, now),
            Resource::RouteTable(id) => forget(&mut self.route_tables, id, now),
            Resource::Group(id) => forget(&mut self.groups, id, now),
            Resource::ElasticIp(id) => forget(&mut self.elastic_ips, id, now),
        }
    }

    /// How many things there are of which readers see different versions.
    #[cfg(test)]
    pub(crate) fn unsettled(&self) -> usize {
        fn count<'a, T: 'a>(all: impl Iterator<Item = &'a Versioned<T>>) -> usize {
            all.filter(|object| !object.is_settled()).count()
        }
        count(self.vpcs.values().map(|entry| &entry.object))
            + count(self.subnets.values().map(|entry| &entry.object))
            + count(self.instances.values().map(|entry| &entry.object))
            + count(self.interfaces.values().map(|entry| &entry.object))
            + count(self.reservations.values())
            + count(self.route_tables.values())
            + count(self.groups.values())
            + count(self.elastic_ips.values())
    }

    pub(crate) fn reservation(&self, id: &ReservationId) -> Option<&Arc<Reservation>> {
        self.reservations.get(id)?.current()
    }

    pub(crate) fn route_table(&self, id: &RouteTableId) -> Option<&Arc<RouteTable>> {
        self.route_tables.get(id)?.current()
    }
}

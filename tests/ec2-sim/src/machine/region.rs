//! What actions, background changes and the control handle all work on: the world, time, chance, and what is due.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use ipnet::Ipv4Net;

use super::tokens::Tokens;
use crate::actions::{self, Ask, Primary, Taken};
use crate::assumption::Assumption;
use crate::error::ApiError;
use crate::id::{GroupId, InstanceId, InterfaceId, SubnetId, VpcId};
use crate::latency::Background;
use crate::lifecycle::{Change, Queue};
use crate::model::{ElasticIp, Instance, Interface, Reservation, Subnet};
use crate::settings::Settings;
use crate::staleness::{Audience, Visibility};
use crate::time::Moment;
use crate::world::{Reader, Resource, World, Write};

/// A generator for each purpose, so that a draw for one does not shift the others.
#[derive(Debug)]
pub(crate) struct Dice {
    pub(crate) ids: Rng,
    pub(crate) addresses: Rng,
    pub(crate) visibility: Rng,
    pub(crate) background: Rng,
    pub(crate) calls: Rng,
    pub(crate) replicas: Rng,
    pub(crate) faults: Rng,
}

impl Dice {
    fn new(seed: u64) -> Self {
        let mut seeds = Rng::with_seed(seed);
        Self {
            ids: seeds.fork(),
            addresses: seeds.fork(),
            visibility: seeds.fork(),
            background: seeds.fork(),
            calls: seeds.fork(),
            replicas: seeds.fork(),
            faults: seeds.fork(),
        }
    }
}

/// The world, time, chance, and what is due.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) now: Moment,
    /// The replica that serves the call at hand.
    pub(crate) replica: usize,
    pub(crate) settings: Settings,
    pub(crate) world: World,
    pub(crate) dice: Dice,
    pub(crate) queue: Queue,
    pub(crate) tokens: Tokens,
    /// Zones in which nothing can be changed.
    pub(crate) outages: BTreeSet<String>,
    /// By how many seconds the wall clock has jumped.
    pub(crate) clock_jump: i64,
    /// How far back readers may be shown the world.
    pub(crate) kept_for: Duration,
}

impl Region {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            now: Moment::START,
            replica: 0,
            dice: Dice::new(settings.seed),
            settings,
            world: World::default(),
            queue: Queue::default(),
            tokens: Tokens::default(),
            outages: BTreeSet::new(),
            clock_jump: 0,
            kept_for: Duration::ZERO,
        }
    }

    /// A number that no id of this run has had, as far as chance goes.
    pub(crate) fn number(&mut self) -> u64 {
        self.dice.ids.u64(..)
    }

    /// When a change at this moment becomes visible to whom.
    pub(crate) fn visibility(&mut self) -> Visibility {
        let mode = self.settings.staleness;
        Visibility::draw(mode, self.now, &mut self.dice.visibility).kept_for(self.kept_for)
    }

    /// The same, with the delay that the number of available addresses has for itself.
    fn write(&mut self) -> Write {
        let seen = self.visibility();
        let lags = self.settings.assumptions.is(Assumption::AvailableCountLags);
        let count_at =
            if lags { self.visibility().seen_at(Audience::Replica(0)) } else { self.now };
        Write { now: self.now, seen, count_at }
    }

    /// How long a background change takes; none when it never happens.
    pub(crate) fn background(&mut self, what: Background) -> Option<Duration> {
        let Settings { latency, assumptions, .. } = &self.settings;
        latency.background(what, assumptions, &mut self.dice.background)
    }

    /// Lets a change happen after `delay`.
    pub(crate) fn schedule(&mut self, delay: Duration, change: Change) {
        self.queue.push(self.now + delay, change);
    }

    /// What the reader of the call at hand sees.
    pub(crate) const fn seen(&self) -> Reader<'_> {
        self.world.reader(self.now, self.replica)
    }

    /// Writes an interface as a call or a background change leaves it.
    pub(crate) fn put_interface(&mut self, interface: Interface) {
        let write = self.write();
        let id = interface.id.clone();
        let settled = self.world.put_interface(interface, &write);
        self.settle(Resource::Interface(id), settled);
    }

    /// Deletes an interface.
    pub(crate) fn delete_interface(&mut self, id: &InterfaceId) {
        let write = self.write();
        let settled = self.world.delete_interface(id, &write);
        self.settle(Resource::Interface(id.clone()), settled);
    }

    /// Cleans up once every reader has seen the change.
    fn settle(&mut self, what: Resource, at: Option<Moment>) {
        match at {
            Some(at) if self.now < at => self.queue.push(at, Change::Settle(what)),
            Some(_) => self.world.settle(self.now, &what),
            None => {}
        }
    }

    /// Writes something that is no interface, and cleans up once every reader has seen the change.
    pub(crate) fn put(
        &mut self,
        what: Resource,
        write: impl FnOnce(&mut World, &Visibility) -> Option<Moment>,
    ) {
        let seen = self.visibility();
        let settled = write(&mut self.world, &seen);
        self.settle(what, settled);
    }

    /// Takes IPv4 addresses from a subnet: everything that is asked for, or nothing.
    ///
    /// # Errors
    ///
    /// As [`actions::take`].
    pub(crate) fn take(
        &mut self,
        subnet: &SubnetId,
        primary: Primary,
        ask: &Ask<Ipv4Addr, Ipv4Net>,
    ) -> Result<Taken, ApiError> {
        let space = self.world.space_mut(subnet);
        let space = space.ok_or_else(|| ApiError::subnet_not_found(subnet))?;
        actions::take(space, &mut self.dice.addresses, primary, ask)
    }

    /// A hardware address that no interface has.
    pub(crate) fn mac(&mut self) -> [u8; 6] {
        loop {
            let [_, _, first, second, third, fourth, fifth, sixth] =
                self.dice.ids.u64(..).to_be_bytes();
            // Locally administered and not a group's, as EC2's are.
            let mac = [(first & 0xf0) | 0x06, second, third, fourth, fifth, sixth];
            if !self.world.has_mac(mac) {
                return mac;
            }
        }
    }

    /// The groups of an interface that names none.
    pub(crate) fn default_groups(&self, vpc: &VpcId) -> Vec<GroupId> {
        let entry = self.world.vpc_entry(vpc);
        entry.map(|entry| entry.default_group.clone()).into_iter().collect()
    }

    /// Writes a reservation that the subnet's space knows of.
    pub(crate) fn put_reservation(&mut self, reservation: Reservation) {
        let write = self.write();
        let id = Resource::Reservation(reservation.id.clone());
        let settled = self.world.put_reservation(reservation, &write);
        self.settle(id, settled);
    }

    /// Writes an Elastic IP address.
    pub(crate) fn put_elastic_ip(&mut self, elastic_ip: ElasticIp) {
        let id = Resource::ElasticIp(elastic_ip.allocation.clone());
        self.put(id, |world, seen| world.put_elastic_ip(elastic_ip, seen));
    }

    /// Writes an instance.
    pub(crate) fn put_instance(&mut self, instance: Instance) {
        let id = Resource::Instance(instance.id.clone());
        self.put(id, |world, seen| world.put_instance(instance, seen));
    }

    /// Whether a call finds something of which it sees `seen`.
    fn finds<T>(&self, seen: Option<&T>) -> bool {
        seen.is_some() || !self.settings.assumptions.is(Assumption::FreshIdNotFound)
    }

    /// The interface of that id, for a call that changes it.
    ///
    /// # Errors
    ///
    /// `InvalidNetworkInterfaceID.NotFound` when it is gone, or not yet visible to this call.
    pub(crate) fn interface(&self, id: &InterfaceId) -> Result<Arc<Interface>, ApiError> {
        let found = self.world.interface(id).filter(|_| self.finds(self.seen().interface(id)));
        found.cloned().ok_or_else(|| ApiError::interface_not_found(id))
    }

    /// The same of an instance: `InvalidInstanceID.NotFound`.
    pub(crate) fn instance(&self, id: &InstanceId) -> Result<Arc<Instance>, ApiError> {
        let found = self.world.instance(id).filter(|_| self.finds(self.seen().instance(id)));
        found.cloned().ok_or_else(|| ApiError::instance_not_found(id))
    }

    /// The subnet of that id, in a zone that is in service.
    ///
    /// # Errors
    ///
    /// `InvalidSubnetID.NotFound`, and `Unavailable` during an outage of its zone.
    pub(crate) fn subnet(&self, id: &SubnetId) -> Result<Arc<Subnet>, ApiError> {
        let found = self.world.subnet(id).filter(|_| self.finds(self.seen().subnet(id).as_ref()));
        let subnet = found.cloned().ok_or_else(|| ApiError::subnet_not_found(id))?;
        if self.outages.contains(&subnet.zone) {
            return Err(ApiError::zone_unavailable(id));
        }
        Ok(subnet)
    }

    /// The interface of that id, if it is one that a caller may change: its zone is in service and no managed service holds it.
    ///
    /// # Errors
    ///
    /// As [`Region::interface`] and [`Region::subnet`]; `OperationNotPermitted` for a managed service's.
    pub(crate) fn own_interface(&self, id: &InterfaceId) -> Result<Arc<Interface>, ApiError> {
        let interface = self.interface(id)?;
        self.subnet(&interface.subnet)?;
        if interface.requester.is_some() {
            return Err(ApiError::service_managed(id));
        }
        Ok(interface)
    }
}

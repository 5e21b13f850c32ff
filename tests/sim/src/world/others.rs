//! What others do: they take addresses and indexes, and another operator gives back what agents gave up.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ec2_sim::build::{NewAttachment, NewInterface};
use ec2_sim::id::InterfaceId;
use ec2_sim::request::{ModifyNetworkInterfaceAttribute, Operation};
use ec2_sim::{Caller, Request};
use ipam_core::agent::{Release, WordEni};
use ipam_core::policy::MANAGED_TAG;
use ipam_core::prefix::addresses_of;
use ipnet::{IpNet, Ipv4Net};

use super::World;
use crate::api::{Ask, Object};
use crate::counters::Counter;

impl World {
    pub(super) fn take_index(&mut self, index: usize, device_index: u32) {
        let Some(instance) = self.instance_of(index) else { return };
        let Some(found) = self.ec2.world().truth().instance(&instance).cloned() else { return };
        let new = NewInterface {
            attachment: Some(NewAttachment {
                instance: Some(instance),
                instance_owner: None,
                device_index,
                network_card: 0,
                delete_on_termination: true,
            }),
            ..NewInterface::new(found.subnet.clone())
        };
        // Where it is taken already, nobody takes it.
        let taken = self.ec2.build().interface(new);
        self.say(|| format!("n{index}: somebody takes index {device_index}: {taken:?}"));
        self.watch.is_dirty = true;
    }

    /// Somebody unassigns what no pod uses at that moment: a prefix, or two addresses.
    pub(super) fn take_back(&mut self, index: usize) {
        let Some(instance) = self.instance_of(index) else { return };
        let used = self.in_use(index);
        let is_whole = self.rng.bool();
        let truth = self.ec2.world().truth();
        let unused = truth.interfaces_of(&instance).find_map(|interface| {
            let free = interface.secondary_ips.iter().filter(|one| !used.contains(one));
            let addresses: Vec<Ipv4Addr> = free.copied().take(2).collect();
            let is_free = |prefix: &&Ipv4Net| !used.iter().any(|one| prefix.contains(one));
            let prefix = interface.ipv4_prefixes.iter().find(is_free).copied();
            match prefix.filter(|_| is_whole) {
                Some(prefix) => Some((interface.id.clone(), Vec::new(), vec![prefix])),
                None if addresses.is_empty() => None,
                None => Some((interface.id.clone(), addresses, Vec::new())),
            }
        });
        let Some((id, addresses, prefixes)) = unused else { return };
        if self.ec2.build().unassign(&id, &addresses, &prefixes).is_ok() {
            self.say(|| format!("n{index}: somebody takes {addresses:?} {prefixes:?} from {id}"));
            let taken = prefixes.into_iter().flat_map(addresses_of).chain(addresses);
            let taken: BTreeSet<_> = taken.map(|address| (index, address)).collect();
            self.watch.once_taken.extend(&taken);
            self.watch.taken.extend(taken);
            self.watch.is_dirty = true;
            self.demand_changed(index);
            self.counters.add(Counter::TakenBack, 1);
        }
    }

    /// Somebody puts an interface that Berth made for a node behind another security group.
    pub(super) fn drift_groups(&mut self, index: usize) {
        let Some(instance) = self.instance_of(index) else { return };
        let truth = self.ec2.world().truth();
        let own = truth.interfaces_of(&instance).find(|it| it.tags.contains_key(MANAGED_TAG));
        let Some(interface) = own.map(|interface| interface.id.clone()) else { return };
        let caller = Caller {
            access_key: "somebody".to_owned(),
            region: self.ec2.settings().region.clone(),
            user_agent: "somebody".to_owned(),
        };
        let modify = ModifyNetworkInterfaceAttribute {
            interface,
            delete_on_termination: None,
            description: None,
            groups: Some(vec![self.foreign_group.clone()]),
            source_dest_check: None,
        };
        let operation = Operation::ModifyNetworkInterfaceAttribute(modify);
        let moment = crate::cloud::moment(self.now);
        let answer = self.ec2.handle(moment, &caller, Request { dry_run: false, operation });
        if answer.outcome.is_ok() {
            self.counters.add(Counter::GroupsDrifted, 1);
        }
        self.say(|| format!("n{index}: somebody changes groups: {:?}", answer.outcome.is_ok()));
    }

    /// What a node has and its agent gave up, as its object shows both; nothing while the node may not have been heard.
    pub(super) fn given_up(&self, index: usize) -> BTreeSet<Ipv4Net> {
        let nothing = BTreeSet::new;
        let Some(node) = self.nodes.get(&index) else { return nothing() };
        let cut = node.without_api.max(node.without_writes);
        let cut = cut.max(self.weather.api_away).max(self.weather.api_lossy);
        let Some(object) = self.api.object(node.name()).filter(|_| cut < self.now) else {
            return nothing();
        };
        if *object.instance() != node.identity.instance {
            return nothing();
        }
        let first = u32::from(node.settings.first_interface_index.unwrap_or(0));
        let managed = object.enis.iter().filter(|eni| eni.facts.number >= first);
        managed.flat_map(nets).filter(|net| is_given_up(object, *net)).collect()
    }

    /// Unassigns what the agent has given up for long, and says so.
    pub(super) fn release(&mut self, index: usize, given_up: &BTreeSet<Ipv4Net>) {
        let gone: BTreeSet<Ipv4Net> =
            self.given_up(index).intersection(given_up).copied().collect();
        let object = self.nodes.get(&index).and_then(|node| self.api.object(node.name()));
        let Some(object) = object.cloned() else { return };
        let mut enis = object.enis.clone();
        let mut released = BTreeSet::new();
        for eni in &mut enis {
            let held: Vec<Ipv4Net> = nets(eni).filter(|net| gone.contains(net)).collect();
            let Ok(id) = eni.facts.id.as_str().parse::<InterfaceId>() else { continue };
            for net in held {
                let single = (net.prefix_len() == 32).then(|| net.addr());
                let prefix = single.is_none().then_some(net);
                let (singles, prefixes) = (single.as_slice(), prefix.as_slice());
                if self.ec2.build().unassign(&id, singles, prefixes).is_ok() {
                    eni.addresses.retain(|address| !IpNet::V4(net).contains(address));
                    eni.prefixes.remove(&IpNet::V4(net));
                    released.extend(addresses_of(net));
                    self.counters.add(Counter::ReleasedByOthers, 1);
                }
            }
        }
        self.watch.is_dirty = true;
        self.demand_changed(index);
        self.say(|| format!("n{index}: another operator released {gone:?}"));
        self.say_released(&object, enis, &released);
    }

    /// Publishes what is left, in the order in which any operator has to: what leaves, leaves the pool first.
    fn say_released(&mut self, object: &Object, enis: Vec<WordEni>, released: &BTreeSet<Ipv4Addr>) {
        let (name, uid) = (object.name.clone(), object.uid);
        let mut asks = Vec::new();
        if object.requested.is_none() {
            let entries = released.iter().map(|address| (*address, Some(Release::Released)));
            asks.push(Ask::Releases { name: name.clone(), entries: entries.collect() });
            let mut pool = object.pool.clone();
            pool.retain(|address, _| !released.contains(address));
            asks.push(Ask::Pool { name: name.clone(), uid, pool });
        }
        asks.push(Ask::EniStatus { name, uid, enis, replaces: object.has_status, error: None });
        for ask in asks {
            if let (_, Some(change)) = self.api.handle(ask) {
                self.broadcast(&change);
            }
        }
    }
}

/// Whether all of the addresses of a node are promised away (per-IP contract), or the agent does not name them (CIDR contract).
fn is_given_up(object: &Object, net: Ipv4Net) -> bool {
    if object.requested.is_some() {
        return !object.allocated.contains(&IpNet::V4(net));
    }
    let is_ready = |address| {
        object.releases.get(&address) == Some(&Release::Ready)
            && !object.used.contains_key(&address)
    };
    addresses_of(net).all(is_ready)
}

/// What an interface has: prefixes, and addresses beside them.
fn nets(eni: &WordEni) -> impl Iterator<Item = Ipv4Net> + '_ {
    let covered = |address: &IpAddr| eni.prefixes.iter().any(|prefix| prefix.contains(address));
    let singles = eni.addresses.iter().filter(move |address| !covered(address));
    let all = eni.prefixes.iter().copied().chain(singles.copied().map(IpNet::from));
    all.filter_map(|net| match net {
        IpNet::V4(net) => Some(net),
        IpNet::V6(_) => None,
    })
}

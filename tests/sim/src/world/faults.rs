//! What goes wrong, and how it is mended.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use ec2_sim::build::{NewAttachment, NewInterface};
use ec2_sim::fault::{Effect, Rule};
use ec2_sim::id::{InstanceId, InterfaceId};
use ec2_sim::request::Action;
use ipam_core::agent::WordEni;
use ipam_core::ids::NodeName;
use ipnet::IpNet;

use super::nodes::NodeWake;
use super::{Wake, World, region};
use crate::api::Ask;
use crate::counters::Counter;
use crate::node::{Disk, Node};
use crate::scenario::FaultKind;

impl World {
    pub(super) fn begin_fault(&mut self, number: usize) {
        let fault = self.scenario.faults[number].clone();
        let until = (self.now + fault.lasts).min(self.calm_from());
        self.say(|| format!("fault {number}: {:?} for {:?}", fault.kind, fault.lasts));
        self.counters.add(Counter::Faults, 1);
        match fault.kind {
            FaultKind::OperatorCrash(index) => self.kill_operator(index),
            FaultKind::OperatorPause(index) => {
                let operator = &mut self.operators[index];
                if operator.is_up {
                    operator.paused.get_or_insert_default();
                }
            }
            FaultKind::OperatorWithoutApi(index) => self.operators[index].without_api = until,
            FaultKind::OperatorWithoutEc2(index) => self.operators[index].without_ec2 = until,
            FaultKind::ApiAway => {
                self.weather.api_away = until;
                self.break_watches();
            }
            FaultKind::ApiLossy => self.weather.api_lossy = until,
            FaultKind::WatchLag => self.weather.watch_lag = until,
            FaultKind::WatchesBreak => self.break_watches(),
            FaultKind::CloudSlow => self.weather.cloud_slow = until,
            FaultKind::WallClock(seconds) => self.ec2.build().jump_clock(seconds),
            FaultKind::Cloud(action, effect) => self.add_rule(number, action, effect),
            FaultKind::TakeAddresses(subnet, count) => self.take_addresses(number, subnet, count),
            FaultKind::Fragment(subnet) => {
                let subnet = self.subnets[subnet].clone();
                let taken = self.ec2.build().leave_blocks(&subnet, 0).ok().flatten();
                self.foreign.entry(number).or_default().extend(taken);
            }
            kind => self.begin_node_fault(&kind, until),
        }
    }

    fn begin_node_fault(&mut self, kind: &FaultKind, until: ipam_core::time::Tick) {
        let Some(index) = kind.node() else { return };
        let Some(node) = self.nodes.get_mut(&index).filter(|node| node.boots > 0) else { return };
        match kind {
            FaultKind::AgentCrash(_) => self.kill_agent(index),
            FaultKind::Reboot(_) => {
                self.counters.add(Counter::Reboots, 1);
                self.shut_down(index);
            }
            FaultKind::LedgerLost(_) => {
                node.disk.lose();
                self.watch.released.retain(|(of, _), _| *of != index);
                self.counters.add(Counter::LedgersLost, 1);
                self.kill_agent(index);
                // What was being written is not there either.
                if let Some(node) = self.nodes.get_mut(&index) {
                    node.disk.lose();
                }
            }
            FaultKind::DiskFull(_) => node.disk_full = until,
            FaultKind::DiskSlow(_) => node.disk_slow = until,
            FaultKind::NodeWithoutApi(_) => node.without_api = until,
            FaultKind::ClockLeap(_) => {
                node.leapt += until.since(self.now);
                self.watch.released.retain(|(of, _), _| *of != index);
                self.later_on(index, Duration::from_millis(1), NodeWake::Turn);
            }
            FaultKind::TakeIndex(_, device_index) => self.take_index(index, *device_index),
            FaultKind::TakeBack(_) => self.take_back(index),
            FaultKind::InstanceStops(_) => self.stop_instance(index),
            FaultKind::InstanceReplaced(_) => self.replace_instance(index),
            FaultKind::OthersRelease(_) => {
                self.watch.given_up = self.given_up(index);
                self.weather.others_lead = self.weather.others_lead.max(until);
                (0..self.operators.len()).for_each(|operator| self.kill_operator(operator));
            }
            FaultKind::ObjectDeleted(_) => {
                let name = node.name().clone();
                if let Some(change) = self.api.remove(&name) {
                    self.counters.add(Counter::ObjectsDeleted, 1);
                    self.broadcast(&change);
                }
            }
            _ => {}
        }
    }

    pub(super) fn end_fault(&mut self, number: usize) {
        let kind = self.scenario.faults[number].kind.clone();
        self.say(|| format!("fault {number} ends"));
        match kind {
            FaultKind::OperatorCrash(index) => {
                let others_lead = self.now < self.weather.others_lead;
                if !self.operators[index].is_up && !others_lead {
                    self.start_operator(index);
                }
            }
            FaultKind::OperatorPause(index) => self.resume_operator(index),
            FaultKind::AgentCrash(index) | FaultKind::LedgerLost(index) => self.start_agent(index),
            FaultKind::Reboot(index) | FaultKind::InstanceReplaced(index) => self.boot(index),
            FaultKind::OthersRelease(index) => {
                self.release(index);
                let others_lead = self.now < self.weather.others_lead;
                for operator in 0..self.operators.len() {
                    if !self.operators[operator].is_up && !others_lead {
                        self.start_operator(operator);
                    }
                }
            }
            FaultKind::InstanceStops(index) => self.start_instance(number, index),
            FaultKind::WallClock(seconds) => self.ec2.build().jump_clock(-seconds),
            FaultKind::Cloud(..) => {
                if let Some(rule) = self.rules.remove(&number) {
                    self.ec2.build().faults().remove(rule);
                }
            }
            FaultKind::TakeAddresses(..) | FaultKind::Fragment(_) => {
                for id in self.foreign.remove(&number).unwrap_or_default() {
                    // Nobody else knows of it, so it is there.
                    drop(self.ec2.build().delete_interface(&id));
                }
            }
            _ => {}
        }
    }

    fn kill_operator(&mut self, index: usize) {
        self.operators[index].kill();
        self.say(|| format!("op{index}: is killed"));
    }

    fn add_rule(&mut self, number: usize, action: Option<Action>, effect: Effect) {
        let every = Some(if action.is_some() { 2 } else { 3 });
        let rule = Rule { action, every, ..Rule::always(effect) };
        let added = self.ec2.build().faults().add(rule);
        self.rules.insert(number, added);
    }

    fn take_addresses(&mut self, number: usize, subnet: usize, count: usize) {
        let subnet = self.subnets[subnet].clone();
        let taken = match self.ec2.build().take_addresses(&subnet, count) {
            Ok(taken) => Some(taken),
            // There are fewer than that.
            Err(_) => self.ec2.build().leave_addresses(&subnet, 0).ok().flatten(),
        };
        self.foreign.entry(number).or_default().extend(taken);
    }

    fn instance_of(&self, index: usize) -> Option<InstanceId> {
        self.nodes.get(&index)?.identity.instance.as_str().parse().ok()
    }

    fn take_index(&mut self, index: usize, device_index: u32) {
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

    /// Somebody unassigns what no pod uses at that moment.
    fn take_back(&mut self, index: usize) {
        let Some(instance) = self.instance_of(index) else { return };
        let used = self.in_use(index);
        let unused = |id: &InterfaceId, ec2: &ec2_sim::Ec2| {
            let interface = ec2.world().truth().interface(id)?;
            let free = interface.secondary_ips.iter().filter(|one| !used.contains(one));
            Some(free.copied().take(2).collect::<Vec<_>>())
        };
        let of_it = self.ec2.world().truth().interfaces_of(&instance);
        let ids: Vec<InterfaceId> = of_it.map(|interface| interface.id.clone()).collect();
        for id in ids {
            let Some(addresses) = unused(&id, &self.ec2).filter(|it| !it.is_empty()) else {
                continue;
            };
            if self.ec2.build().unassign(&id, &addresses, &[]).is_ok() {
                self.say(|| format!("n{index}: somebody takes {addresses:?} from {id}"));
                self.watch.taken.extend(addresses);
                self.watch.is_dirty = true;
                return self.counters.add(Counter::TakenBack, 1);
            }
        }
    }

    /// What a node has and its agent does not claim, as its object shows both; nothing while the node may not have been heard.
    fn given_up(&self, index: usize) -> BTreeSet<IpNet> {
        let nothing = BTreeSet::new;
        let Some(node) = self.nodes.get(&index) else { return nothing() };
        let cut = node.without_api.max(self.weather.api_away).max(self.weather.api_lossy);
        let Some(object) = self.api.object(node.name()).filter(|_| cut < self.now) else {
            return nothing();
        };
        if object.requested.is_none() || *object.instance() != node.identity.instance {
            return nothing();
        }
        let first = u32::from(node.settings.first_interface_index.unwrap_or(0));
        let managed = object.enis.iter().filter(|eni| eni.facts.number >= first);
        let has = managed.flat_map(cidrs).collect::<BTreeSet<IpNet>>();
        has.difference(&object.allocated).copied().collect()
    }

    /// Unassigns what the agent has given up for long, and says so.
    fn release(&mut self, index: usize) {
        let given_up = std::mem::take(&mut self.watch.given_up);
        let gone: BTreeSet<IpNet> = self.given_up(index).intersection(&given_up).copied().collect();
        let Some(node) = self.nodes.get(&index) else { return };
        let Some(object) = self.api.object(node.name()) else { return };
        let mut enis = object.enis.clone();
        for eni in &mut enis {
            let held: BTreeSet<IpNet> = cidrs(eni).filter(|cidr| gone.contains(cidr)).collect();
            let Ok(id) = eni.facts.id.as_str().parse::<InterfaceId>() else { continue };
            for cidr in held {
                let IpNet::V4(net) = cidr else { continue };
                let single = (net.prefix_len() == 32).then(|| net.addr());
                let prefix = single.is_none().then_some(net);
                let (singles, prefixes) = (single.as_slice(), prefix.as_slice());
                if self.ec2.build().unassign(&id, singles, prefixes).is_ok() {
                    eni.addresses.retain(|address| !cidr.contains(address));
                    eni.prefixes.remove(&cidr);
                    self.counters.add(Counter::ReleasedByOthers, 1);
                }
            }
        }
        self.watch.is_dirty = true;
        self.say(|| format!("n{index}: another operator released {gone:?}"));
        let name = object_name(&self.nodes, index);
        let Some(name) = name else { return };
        let ask = Ask::EniStatus { name, enis, replaces: false, error: None };
        if let (_, Some(change)) = self.api.handle(ask) {
            self.broadcast(&change);
        }
    }

    fn stop_instance(&mut self, index: usize) {
        let Some(instance) = self.instance_of(index) else { return };
        if self.ec2.build().stop_instance(&instance).is_ok() {
            self.shut_down(index);
        }
    }

    /// A stopped instance starts; one that is still stopping, later.
    fn start_instance(&mut self, number: usize, index: usize) {
        let Some(instance) = self.instance_of(index) else { return };
        let state = self.ec2.world().truth().instance(&instance).map(|found| found.state);
        match state {
            Some(ec2_sim::model::InstanceState::Stopping) => {
                self.queue.put(self.now + Duration::from_secs(5), Wake::FaultEnds(number));
            }
            Some(ec2_sim::model::InstanceState::Stopped) => {
                drop(self.ec2.build().start_instance(&instance));
                self.queue.put(self.now + Duration::from_secs(20), Wake::Joins(index));
            }
            _ => self.boot(index),
        }
    }

    fn replace_instance(&mut self, index: usize) {
        let (Some(old), Some(node)) = (self.instance_of(index), self.nodes.get(&index)) else {
            return;
        };
        let count = node.instances + 1;
        let made = region::instance(&mut self.ec2, &self.scenario, index, count, &self.subnets);
        let Ok(Some(identity)) = made else { return };
        self.shut_down(index);
        // It may be at its end already.
        drop(self.ec2.build().terminate_instance(&old));
        if let Some(node) = self.nodes.get_mut(&index) {
            (node.identity, node.instances, node.disk) = (identity, count, Disk::default());
        }
        self.counters.add(Counter::Replaced, 1);
    }
}

fn object_name(nodes: &BTreeMap<usize, Node>, index: usize) -> Option<NodeName> {
    nodes.get(&index).map(|node| node.name().clone())
}

/// The CIDRs of an interface, as agents of the CIDR contract count them: prefixes, and addresses beside them.
fn cidrs(eni: &WordEni) -> impl Iterator<Item = IpNet> + '_ {
    let covered = |address: &IpAddr| eni.prefixes.iter().any(|prefix| prefix.contains(address));
    let singles = eni.addresses.iter().filter(move |address| !covered(address));
    eni.prefixes.iter().copied().chain(singles.copied().map(IpNet::from))
}

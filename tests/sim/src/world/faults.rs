//! What goes wrong, and how it is mended.

use std::time::Duration;

use ec2_sim::fault::{Drop, Effect, Rule};
use ec2_sim::id::InstanceId;

use super::nodes::NodeWake;
use super::{Wake, World, region};
use crate::counters::Counter;
use crate::node::Disk;
use crate::scenario::FaultKind;

impl World {
    pub(super) fn begin_fault(&mut self, number: usize) {
        let fault = self.scenario.faults[number].clone();
        let until = (self.now + fault.lasts).min(self.calm_from());
        self.say(|| format!("fault {number}: {:?} for {:?}", fault.kind, fault.lasts));
        self.counters.add(Counter::Faults, 1);
        match fault.kind {
            FaultKind::OperatorCrash(index) => self.kill_operator(index),
            FaultKind::OperatorStops(index) => self.stop_operator(index),
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
            FaultKind::ApiSlow => self.weather.api_slow = until,
            FaultKind::OtherPolicy => {
                (0..self.operators.len()).for_each(|operator| self.kill_operator(operator));
                self.change_policy();
            }
            FaultKind::WatchLag => self.weather.watch_lag = until,
            FaultKind::WatchesBreak => self.break_watches(),
            FaultKind::CloudSlow => self.weather.cloud_slow = until,
            FaultKind::WallClock(seconds) => self.ec2.build().jump_clock(seconds),
            FaultKind::Cloud(action, effect) => {
                let every = Some(if action.is_some() { 2 } else { 3 });
                self.add_rule(number, Rule { action, every, ..Rule::always(effect) });
            }
            FaultKind::AnswersLost => {
                self.add_rule(number, Rule::always(Effect::CommitThenDrop(Drop::Cut)));
            }
            FaultKind::TakeAddresses(subnet, count) => self.take_addresses(number, subnet, count),
            FaultKind::Fragment(subnet) => {
                let subnet = self.subnets[subnet].clone();
                let taken = self.ec2.build().leave_blocks(&subnet, 0).ok().flatten();
                self.foreign.entry(number).or_default().extend(taken);
            }
            FaultKind::OthersRelease => {
                self.watch.given_up =
                    self.nodes.keys().map(|index| (*index, self.given_up(*index))).collect();
                self.weather.others_lead = self.weather.others_lead.max(until);
                (0..self.operators.len()).for_each(|operator| self.kill_operator(operator));
            }
            kind => self.begin_node_fault(&kind, until),
        }
    }

    fn begin_node_fault(&mut self, kind: &FaultKind, until: ipam_core::time::Tick) {
        let Some(index) = kind.node() else { return };
        let Some(node) = self.nodes.get_mut(&index).filter(|node| node.boots > 0) else { return };
        match kind {
            FaultKind::AgentCrash(_) => self.kill_agent(index),
            FaultKind::AgentAlone(_) => {
                node.without_api = until;
                self.kill_agent(index);
                self.start_agent(index);
            }
            FaultKind::Reboot(_) => {
                self.counters.add(Counter::Reboots, 1);
                self.shut_down(index);
            }
            FaultKind::LedgerLost(_) => {
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
            FaultKind::AgentCannotWrite(_) => node.without_writes = until,
            FaultKind::ClockLeap(_) => {
                node.leapt += until.since(self.now);
                self.watch.released.retain(|(of, _), _| *of != index);
                self.later_on(index, Duration::from_millis(1), NodeWake::Turn);
            }
            FaultKind::TakeIndex(_, device_index) => self.take_index(index, *device_index),
            FaultKind::TakeBack(_) => self.take_back(index),
            FaultKind::GroupsDrift(_) => self.drift_groups(index),
            FaultKind::NodeGoes(_) => self.remove_node(index),
            FaultKind::GoesWhileGrowing(_) => drop(self.going.insert(index)),
            FaultKind::InstanceStops(_) => self.stop_instance(index),
            FaultKind::InstanceReplaced(_) => self.replace_instance(index),
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
            FaultKind::OperatorCrash(index) | FaultKind::OperatorStops(index) => {
                let others_lead = self.now < self.weather.others_lead;
                if !self.operators[index].is_up && !others_lead {
                    self.start_operator(index);
                }
            }
            FaultKind::OperatorPause(index) => self.resume_operator(index),
            FaultKind::AgentCrash(index) | FaultKind::LedgerLost(index) => self.start_agent(index),
            FaultKind::Reboot(index) | FaultKind::InstanceReplaced(index) => self.boot(index),
            FaultKind::OthersRelease => {
                for (index, given_up) in std::mem::take(&mut self.watch.given_up) {
                    self.release(index, &given_up);
                }
                self.start_operators();
            }
            FaultKind::OtherPolicy => self.start_operators(),
            FaultKind::GoesWhileGrowing(index) => drop(self.going.remove(&index)),
            FaultKind::InstanceStops(index) => self.start_instance(number, index),
            FaultKind::WallClock(seconds) => self.ec2.build().jump_clock(-seconds),
            FaultKind::Cloud(..) | FaultKind::AnswersLost => {
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

    /// Who stands still does not hear that it is to end.
    fn stop_operator(&mut self, index: usize) {
        let operator = &self.operators[index];
        let is_heard = operator.is_up && operator.paused.is_none();
        let cut = operator.without_api.max(self.weather.api_away);
        let lease = self.api.lease;
        if is_heard && lease.holder == Some(index) && cut < self.now {
            self.api.take_lease(lease.version, None);
            self.counters.add(Counter::LeasesGivenBack, 1);
        }
        self.kill_operator(index);
    }

    /// Starts all operators that do not run, unless another one leads.
    fn start_operators(&mut self) {
        let others_lead = self.now < self.weather.others_lead;
        for operator in 0..self.operators.len() {
            if !self.operators[operator].is_up && !others_lead {
                self.start_operator(operator);
            }
        }
    }

    fn add_rule(&mut self, number: usize, rule: Rule) {
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

    pub(super) fn instance_of(&self, index: usize) -> Option<InstanceId> {
        self.nodes.get(&index)?.identity.instance.as_str().parse().ok()
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

    /// A node goes, and with it, half of the time, who remembers what was made for it.
    pub(super) fn go(&mut self, index: usize) {
        self.remove_node(index);
        if self.rng.bool() {
            (0..self.operators.len()).for_each(|operator| self.kill_operator(operator));
            self.start_operators();
        }
    }

    /// The last node stays: of a VPC without one nobody looks at the interfaces.
    fn remove_node(&mut self, index: usize) {
        let Some(instance) = self.instance_of(index).filter(|_| self.nodes.len() > 1) else {
            return;
        };
        self.shut_down(index);
        // It may be at its end already.
        drop(self.ec2.build().terminate_instance(&instance));
        self.pods_gone(index);
        let change = self.nodes.get(&index).and_then(|node| self.api.remove(node.name()));
        if let Some(change) = change {
            self.broadcast(&change);
        }
        self.nodes.remove(&index);
        self.counters.add(Counter::NodesGone, 1);
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

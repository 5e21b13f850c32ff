//! What instance types can hold, as far as EC2 is asked.

use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::agenda::Timer;
use super::gate::GateKey;
use super::remedy::PERMISSION;
use super::trouble::{RETRY, longer, unfit};
use super::{Event, Reconciler};
use crate::call::{Api, Reply};
use crate::failure::{Failure, Remedy};
use crate::ids::{InstanceType, VpcId};
use crate::time::Tick;

impl Reconciler {
    /// Lets EC2 be asked what an instance type can hold, if it is to be.
    pub(super) fn want_limits(&mut self, instance_type: &InstanceType) {
        let is_known = self.catalog.lookup(instance_type.as_str()).is_some();
        let wanted = self.settings.learn_limits || !is_known;
        if wanted && self.reads.asked.insert(instance_type.clone()) {
            self.reads.types.insert(instance_type.clone());
        }
    }

    pub(super) fn types_read(
        &mut self,
        sent: Tick,
        mut types: BTreeSet<InstanceType>,
        answer: Result<Reply, Failure>,
    ) {
        let api = Api::DescribeInstanceTypes;
        self.reads.types_are_under_way = false;
        match answer {
            Ok(Reply::InstanceTypes(reported)) => {
                self.reads.types_step = None;
                self.grant(&GateKey::Permission(api), sent);
                for (instance_type, reported) in reported {
                    types.remove(&instance_type);
                    if let Err(refused) = self.catalog.learn(instance_type.as_str(), reported) {
                        let problem = refused.to_string();
                        self.out.say(Event::LimitsRefused { instance_type, problem });
                    } else {
                        self.touch_type(&instance_type);
                    }
                }
                self.reads.unlearned.extend(types);
                if !self.reads.unlearned.is_empty() {
                    let at = self.now + self.settings.audit_interval;
                    self.agenda.set_by(Timer::Types, at);
                }
            }
            Ok(_) => self.types_failed(sent, types, &unfit("reading")),
            Err(failure) => self.types_failed(sent, types, &failure),
        }
        let vpcs: Vec<VpcId> = self.vpcs.keys().cloned().collect();
        for vpc in vpcs {
            self.complete_if_listed(&vpc);
        }
    }

    fn types_failed(&mut self, sent: Tick, types: BTreeSet<InstanceType>, failure: &Failure) {
        let api = Api::DescribeInstanceTypes;
        self.say_failed(sent, api, failure);
        let mut pause = longer(self.reads.types_step);
        match failure.remedy() {
            Remedy::SlowDown => {
                self.budget.on_throttled(self.now, api);
                self.reads.types.extend(types);
                return;
            }
            Remedy::DoWithout => {
                self.miss_permission(api, sent);
                self.reads.unlearned.extend(types);
                pause = PERMISSION.0;
            }
            _ => self.reads.types.extend(types),
        }
        self.reads.types_step = Some(pause.min(RETRY.1));
        self.reads.types_pause = Some(self.now + pause);
        self.agenda.set(Timer::Types, Some(self.now + pause));
    }

    pub(super) fn retry_types(&mut self) {
        self.reads.types_pause = None;
        let unlearned = core::mem::take(&mut self.reads.unlearned);
        let in_use: BTreeSet<&InstanceType> = self.nodes.types().collect();
        let again = unlearned.into_iter().filter(|it| in_use.contains(it));
        self.reads.types.extend(again.collect::<Vec<_>>());
    }
}

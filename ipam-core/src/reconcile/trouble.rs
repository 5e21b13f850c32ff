//! What is done when a reading of a VPC fails.

use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use super::agenda::Timer;
use super::record::Slot;
use super::remedy::PERMISSION;
use super::vpc::Part;
use super::{Event, Reconciler};
use crate::call::Api;
use crate::failure::{Failure, Remedy};
use crate::ids::VpcId;
use crate::reason::Reason;
use crate::time::Tick;

/// The first pause and the longest after a reading that failed.
pub(super) const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

impl Reconciler {
    pub(super) fn say_failed(&mut self, sent: Tick, api: Api, failure: &Failure) {
        let took = self.now.since(sent);
        let failure = failure.clone();
        self.out.say(Event::Failed { api, change: None, subnet: None, failure, took });
    }

    pub(super) fn part_failed(
        &mut self,
        sent: Tick,
        api: Api,
        (vpc, part): (&VpcId, Part),
        failure: &Failure,
    ) {
        self.say_failed(sent, api, failure);
        let now = self.now;
        let Some(progress) = self.progress(vpc, part) else { return };
        let mut pause = longer(progress.step);
        match failure.remedy() {
            Remedy::SlowDown => {
                self.budget.on_throttled(now, api);
                return self.make_ready(vpc, part);
            }
            Remedy::Restart => progress.page = None,
            Remedy::DoWithout => {
                progress.page = None;
                progress.is_settled |= !part.is_required();
                pause = if part.is_required() { pause } else { PERMISSION.0 };
                let has_other_way = api == Api::GetSecurityGroupsForVpc;
                progress.is_settled &= !has_other_way;
                self.miss_permission(api, sent);
                if has_other_way {
                    return self.make_ready(vpc, part);
                }
            }
            _ => {}
        }
        if let Some(progress) = self.progress(vpc, part) {
            progress.step = Some(pause.min(RETRY.1));
        }
        self.agenda.set(Timer::Part(vpc.clone(), part), Some(now + pause));
        self.complete_if_listed(vpc);
        if part.is_required() {
            self.say_trouble(vpc, trouble(api, failure));
        }
    }

    /// Says of every node of a VPC why its first view is late.
    fn say_trouble(&mut self, vpc: &VpcId, trouble: Reason) {
        let Some(state) = self.vpcs.get_mut(vpc).filter(|state| !state.is_complete) else { return };
        if state.trouble.replace(trouble.clone()) == Some(trouble) {
            return;
        }
        let nodes: Vec<Slot> = state.nodes.iter().copied().collect();
        for slot in nodes {
            self.touch(slot);
        }
    }
}

pub(super) fn longer(step: Option<Duration>) -> Duration {
    step.map_or(RETRY.0, |step| (step * 2).min(RETRY.1))
}

pub(super) fn trouble(api: Api, failure: &Failure) -> Reason {
    match failure {
        Failure::Refused { .. } if failure.remedy() == Remedy::DoWithout => {
            Reason::MissingPermission { api }
        }
        Failure::Refused { code, .. } => Reason::Refused { api, code: code.clone() },
        Failure::Throttled => Reason::Throttled { api },
        Failure::NotSent { .. } | Failure::NoAnswer { .. } => Reason::NoAnswer { api },
    }
}

/// An answer that is none to what was asked: an `action` or a `reading`.
pub(super) fn unfit(what: &str) -> Failure {
    Failure::NoAnswer { cause: format!("the answer is not one to this {what}") }
}

//! Each call of a workload goes wrong once, in every way.

use std::collections::BTreeMap;
use std::time::Duration;

use ipam_core::call::Api;
use ipam_core::failure::Refusal;

use crate::door::{labels, take_step};
use crate::rig::{Fault, Faults, Rig, once};
use crate::text::rig;

/// A cluster of one node, and what happens to it.
struct Workload {
    text: &'static str,
    steps: &'static [&'static str],
}

const SINGLE: Workload = Workload {
    text: "subnet subnet-1 10.0.0.0/24
           node node-1 m5.large pre 8",
    steps: &["start", "used 7", "used 15"],
};

const PREFIXES: Workload = Workload {
    text: "operator prefixes
           subnet subnet-1 10.0.0.0/20
           node node-1 t3.small pre 8",
    steps: &["start", "used 12", "used 45"],
};

const DUAL_STACK: Workload = Workload {
    text: "operator prefixes
           subnet subnet-1 10.0.0.0/20 ipv6
           node node-1 t3.small pre 8 cidr6 8 1",
    steps: &["start", "cidr 55 1"],
};

impl Workload {
    fn run(&self, faults: Faults) -> Rig {
        let mut rig = rig(self.text);
        rig.faults = faults;
        rig.grace = Duration::from_mins(10);
        for step in self.steps {
            take_step(&mut rig, step);
        }
        rig.run(Duration::from_mins(20));
        rig
    }

    /// How often each action is called when nothing goes wrong.
    fn calls(&self) -> BTreeMap<Api, usize> {
        let mut rig = self.run(Box::new(|_, _| None));
        assert!(rig.are_satisfied(), "{}", rig.describe());
        rig.check_quiet();
        Api::ALL.iter().map(|api| (*api, rig.count(*api))).filter(|(_, count)| *count > 0).collect()
    }

    /// Lets each of the calls go wrong once.
    fn sweep(&self, faults: &[Fault], check: impl Fn(&mut Rig, &str, usize)) {
        let usual = self.calls();
        let changes = |count: &dyn Fn(Api) -> usize| -> usize {
            Api::ALL.iter().filter(|api| api.is_mutation()).map(|api| count(*api)).sum()
        };
        let usual_changes = changes(&|api| usual.get(&api).copied().unwrap_or(0));
        for (api, count) in &usual {
            for number in 0..(*count).min(4) {
                for fault in faults {
                    let name = format!("{fault:?} at call {number} of {api}");
                    let mut rig = self.run(once(*api, number, *fault));
                    let more = changes(&|api| rig.count(api)).saturating_sub(usual_changes);
                    check(&mut rig, &name, more);
                }
            }
        }
    }
}

/// However an answer is lost, the node gets all it wants with at most two changes more than usual.
fn check_lost(workload: &Workload) {
    let faults = [Fault::LostBefore, Fault::LostAfter, Fault::LostAndLate, Fault::NotSent];
    workload.sweep(&faults, |rig, name, more| {
        assert!(rig.are_satisfied(), "{name}\n{}", rig.describe());
        assert!(more <= 2, "{name}: {more} changes more\n{}", rig.describe());
        rig.check_quiet();
    });
}

#[test]
fn single_addresses_with_each_answer_lost() {
    check_lost(&SINGLE);
}

#[test]
fn prefixes_with_each_answer_lost() {
    check_lost(&PREFIXES);
}

#[test]
fn both_families_with_each_answer_lost() {
    check_lost(&DUAL_STACK);
}

/// Whatever EC2 refuses once, the node gets all it wants or says why not, and nothing is left behind.
fn check_refused(workload: &Workload) {
    let faults: Vec<Fault> = REFUSALS.iter().map(|it| Fault::Refused(*it)).collect();
    workload.sweep(&faults, |rig, name, more| {
        let says_why = !labels(rig, &"node-1".parse().unwrap()).is_empty();
        assert!(rig.are_satisfied() || says_why, "{name}\n{}", rig.describe());
        assert!(more <= 6, "{name}: {more} changes more\n{}", rig.describe());
        rig.check_quiet();
    });
}

#[test]
fn single_addresses_with_each_call_refused() {
    check_refused(&SINGLE);
}

#[test]
fn prefixes_with_each_call_refused() {
    check_refused(&PREFIXES);
}

#[test]
fn both_families_with_each_call_refused() {
    check_refused(&DUAL_STACK);
}

/// Everything that EC2 refuses.
pub(crate) const REFUSALS: [Refusal; 20] = [
    Refusal::Unauthorized,
    Refusal::SubnetOutOfAddresses,
    Refusal::SubnetOutOfPrefixes,
    Refusal::EniFull,
    Refusal::EniHoldsTooMuch,
    Refusal::InstanceFull,
    Refusal::IndexTaken,
    Refusal::EniInUse,
    Refusal::InstanceNotRunning,
    Refusal::EniNotFound,
    Refusal::InstanceNotFound,
    Refusal::AttachmentNotFound,
    Refusal::SubnetNotFound,
    Refusal::SecurityGroupNotFound,
    Refusal::NotPermitted,
    Refusal::EniQuota,
    Refusal::PageTokenExpired,
    Refusal::TagRace,
    Refusal::Invalid,
    Refusal::Unknown,
];

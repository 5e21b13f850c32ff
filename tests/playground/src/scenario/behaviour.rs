//! `ec2` and `expect`: how EC2 is, and what must have been so at the end.

use ec2_sim::Action;
use ec2_sim::latency::Profile;
use ec2_sim::staleness::Mode;
use ec2_sim::throttle;

use super::{Checked, Overrides, Wrong, format, unknown};
use crate::plan::{Ec2, Expected};

/// How EC2 is: as seen in the wild, where nothing is said.
pub(super) fn ec2(said: &format::Ec2, overrides: &Overrides) -> Checked<Ec2> {
    let mut buckets = throttle::Settings::default();
    let applied = said.buckets.apply(&mut buckets);
    applied.map_err(|problem| Wrong { part: "ec2.buckets".to_owned(), problem })?;
    Ok(Ec2 {
        latency: said.latency.unwrap_or(Profile::Typical),
        staleness: said.staleness.unwrap_or(Mode::Typical),
        buckets: overrides.buckets.clone().unwrap_or(buckets),
        faults: said.faults.clone(),
        denied: denied(&said.denied)?,
    })
}

/// Actions by their names.
fn denied(said: &[String]) -> Checked<Vec<Action>> {
    let find = |(position, name): (usize, &String)| {
        let known = Action::ALL.iter().map(|action| action.name());
        let field = format!("ec2.denied[{position}]");
        let unknown = || unknown(field, name, "an action of EC2 that is simulated", known);
        Action::find(name).ok_or_else(unknown)
    };
    said.iter().enumerate().map(find).collect()
}

/// What is expected.
pub(super) fn expected(said: &format::Expect) -> Checked<Expected> {
    for (position, reason) in said.reasons.iter().enumerate() {
        if !REASONS.contains(&reason.as_str()) {
            let field = format!("expect.reasons[{position}]");
            let what = "the label of a reason";
            return Err(unknown(field, reason, what, REASONS.iter().copied()));
        }
    }
    Ok(Expected {
        waiting_at_end: said.waiting_at_end,
        wait_p99: said.wait_p99.map(|said| said.0.0),
        reasons: said.reasons.clone(),
        ec2_calls: said.ec2_calls,
        ec2_changes: said.ec2_changes,
        given_back: said.given_back,
    })
}

/// The labels of [`ipam_core::reason::Reason`].
pub(super) const REASONS: &[&str] = &[
    "CreationCapReached",
    "InstanceFull",
    "InstanceNotNamed",
    "InstanceNotObserved",
    "InstanceNotRunning",
    "InstanceShared",
    "InterfaceInDoubt",
    "InterfaceInTransit",
    "InterfaceQuotaReached",
    "InterfaceStuck",
    "InterfaceUnusable",
    "LimitsUnknown",
    "MaxAllocateReached",
    "MissingPermission",
    "NewInterfacesExcluded",
    "NoAnswer",
    "NoFreePrefix",
    "NoIpv6OnType",
    "NoIpv6Subnet",
    "NoSecurityGroup",
    "NoSecurityGroupWithTags",
    "NoSubnet",
    "NoSubnetWithId",
    "NoSubnetWithTags",
    "OnlyObserved",
    "Refused",
    "RivalOperator",
    "SettingsUnreadable",
    "SubnetFilteredOut",
    "SubnetUnknown",
    "SubnetsExhausted",
    "Throttled",
];

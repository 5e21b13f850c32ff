//! Addresses are given back, and never one that a pod has.

use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::call::Api;
use ipam_core::failure::Refusal;
use ipam_core::ids::NodeName;
use ipam_core::release::Usage;

use crate::agents::Object;
use crate::door::{check, check_on, take_step};
use crate::rig::{Fault, Rig, always, once};
use crate::text::rig;

const SUBNET: &str = "subnet subnet-1 10.0.0.0/22\n";

#[track_caller]
fn check_here(text: &str, steps: &str) -> Rig {
    check(&format!("{SUBNET}{text}"), steps)
}

/// Operator reference, 12.6: 18 addresses of which 10 are used, 5 too many.
#[test]
fn m4_xlarge_gives_back_what_is_above_its_floor() {
    check_here(
        "node node-1 m4.xlarge pre 2 min 10 above 3
         agents node-1",
        "start -> 13 on 1 by assign
         pods 11 -> 13 on 1
         pods 13 -> 18 on 2 by assign create attach modify
         pods 10, wait 170 -> 18 on 2
         wait 40 -> 13 on 2 by unassign unassign
         wait 3600 -> 13 on 1 by detach delete",
    );
}

/// Operator reference, 12.6: the generic pool, 27 of which 10 are used.
#[test]
fn a_pool_of_one_interface_shrinks_to_its_floor() {
    check_here(
        "node node-1 m5.4xlarge pre 4 min 15 above 4
         agents node-1",
        "start -> 19 on 1 by assign
         pods 11 -> 19 on 1
         pods 19 -> 27 on 1 by assign
         pods 10, wait 300 -> 19 on 1 by unassign",
    );
}

/// Operator reference, 12.6: what was marked is used again before it is released.
#[test]
fn what_is_used_again_is_not_released() {
    let rig = check_here(
        "node node-1 m5.4xlarge pre 1 min 3
         agents node-1",
        "start -> 3 on 1 by assign
         pods 3 -> 4 on 1 by assign
         pods 2, wait 190 -> 4 on 1
         pods 3, wait 600 -> 4 on 1",
    );
    let agent = rig.agents.values().next().unwrap();
    assert!(agent.object.entries.is_empty(), "{agent:?}");
}

#[test]
fn whole_prefixes_are_drained_and_given_back() {
    check_here(
        "operator prefixes
         node node-1 m5.large pre 8
         agents node-1",
        "start -> 16 on 1 by prefix
         pods 40 -> 48 on 1 by prefix prefix
         pods 4, wait 170 -> 48 on 1
         wait 60 -> 16 on 1 by unprefix
         pods 0, wait 3600 -> 16 on 1",
    );
}

#[test]
fn cidrs_that_the_agent_leaves_out_are_given_back() {
    check_here(
        "operator prefixes
         node node-1 m5.large pre 8 cidr 8
         node node-2 m5.large pre 8 single cidr 8
         agents node-1,node-2",
        "start -> 16 on 1 by prefix
         pods 40 -> 48 on 1 by prefix
         pods 4, wait 170 -> 48 on 1
         wait 60 -> 16 on 1 by unprefix
         on node-2, pods 9 -> 17 on 2 by assign create attach modify
         on node-2, pods 2, wait 300 -> 10 on 2 by unassign unassign
         on node-2, wait 3600 -> 10 on 2",
    );
}

/// Agents of Cilium 1.20 know nothing of the operator's floor: they leave out what it would only assign again.
#[test]
fn the_floor_is_the_same_for_growth_and_release() {
    for (contract, grown) in [("used 0", 36), ("cidr 8", 37)] {
        check_here(
            &format!(
                "node node-1 m5.4xlarge pre 8 min 20 above 4 {contract}
                 agents node-1"
            ),
            &format!(
                "start -> 24 on 1 by assign
                 pods 25, wait 600 -> {grown} on 2 by assign create attach modify
                 pods 0, wait 600 -> 24 on 2 by unassign unassign"
            ),
        );
    }
}

#[test]
fn what_is_wanted_again_is_shown_again() {
    let rig = check_here(
        "operator prefixes
         node node-1 m5.large pre 8 cidr 8
         agents node-1",
        "start -> 16 on 1 by prefix
         pods 40 -> 48 on 1 by prefix
         pods 4, wait 195 -> 48 on 1
         pods 40, wait 600 -> 48 on 1",
    );
    assert_eq!(rig.agents.values().next().unwrap().running(), 40);
}

#[test]
fn brakes() {
    let flow = "start -> 8 on 1 by assign
                pods 7 -> 15 on 2 by assign create attach modify
                pods 0, wait 3600 -> 15 on 2";
    for operator in ["operator no-release", "operator keeps"] {
        check_here(&format!("{operator}\nnode node-1 m5.large pre 8\nagents node-1"), flow);
    }
    // An agent that does not answer is not overruled.
    check_here(
        "node node-1 m5.large pre 8
         agents node-1",
        "start -> 8 on 1 by assign
         pods 7 -> 15 on 2 by assign create attach modify
         pods 0, wait 150 -> 15 on 2
         away, wait 3600 -> 15 on 2
         back, wait 60 -> 8 on 2 by unassign unassign",
    );
}

#[test]
fn no_more_than_the_cap_of_an_hour() {
    let rig = check_here(
        "operator releases 10
         node node-1 m5.large pre 8
         node node-2 m5.large pre 8
         agents node-1,node-2",
        "start -> 8 on 1 by assign
         pods 7 -> 15 on 2 by assign create attach modify
         on node-2, pods 7 -> 15 on 2 by assign create attach modify
         pods 0, wait 1 -> 15 on 2
         on node-2, pods 0, wait 1800 -> 12 on 2 by unassign
         on node-2, wait 3600 -> 8 on 1 by unassign unassign detach delete",
    );
    assert_eq!(rig.count(Api::UnassignPrivateIpAddresses), 5);
}

#[test]
fn a_node_that_needs_addresses_gives_nothing_back() {
    let mut rig = rig(&format!("{SUBNET}node node-1 m5.large pre 8\nagents node-1"));
    check_on(
        &mut rig,
        "start -> 8 on 1 by assign
         pods 7 -> 15 on 2 by assign create attach modify
         pods 0, wait 170 -> 15 on 2
         waiting 16, wait 600 -> 18 on 2 by assign
         waiting 0, wait 600 -> 8 on 2 by unassign unassign",
    );
}

/// Every way in which the call can fail, once and for good.
#[test]
fn no_failure_takes_an_address_from_a_pod_or_blocks_the_node() {
    let refusals =
        [Refusal::Invalid, Refusal::EniNotFound, Refusal::Unauthorized, Refusal::Unknown];
    let lost =
        [Fault::LostBefore, Fault::LostAfter, Fault::LostAndLate, Fault::NotSent, Fault::Hangs];
    for fault in lost.into_iter().chain(refusals.map(Fault::Refused)) {
        let mut rig = rig(&format!("{SUBNET}node node-1 m5.large pre 8\nagents node-1"));
        rig.faults = once(Api::UnassignPrivateIpAddresses, 0, fault);
        for step in ["start", "pods 7", "pods 0, wait 190"] {
            take_step(&mut rig, step);
        }
        take_step(&mut rig, "wait 3600");
        let name = "node-1".parse().unwrap();
        assert_eq!(rig.available(&name), 8, "{fault:?}\n{}", rig.describe());
        rig.check_quiet();
        rig.faults = always(Api::UnassignPrivateIpAddresses, fault);
        for step in ["pods 7", "pods 0, wait 1800", "pods 12, wait 600"] {
            take_step(&mut rig, step);
        }
        assert_eq!(
            rig.agents[&name].running(),
            12,
            "{fault:?}: it still grows\n{}",
            rig.describe()
        );
        rig.faults = Box::new(|_, _| None);
        take_step(&mut rig, "pods 0, wait 7200");
        assert_eq!(rig.available(&name), 8, "{fault:?}\n{}", rig.describe());
        rig.check_quiet();
    }
}

/// At every half second of a release another operator takes over, and pods come at once.
#[test]
fn whenever_the_operator_is_replaced() {
    for contract in ["used 0", "cidr 8"] {
        for offset in 0..80 {
            let text = format!("{SUBNET}node node-1 m5.large pre 8 {contract}\nagents node-1");
            let mut rig = rig(&text);
            for step in ["start", "pods 7", "pods 0, wait 170"] {
                take_step(&mut rig, step);
            }
            rig.run(Duration::from_millis(500 * offset));
            rig.restart();
            let name = "node-1".parse().unwrap();
            rig.run(Duration::from_millis(700));
            if offset % 2 == 0 {
                take_step(&mut rig, "pods 14, wait 240");
                assert_eq!(rig.agents[&name].running(), 14, "{offset}\n{}", rig.describe());
            }
            take_step(&mut rig, "pods 0, wait 1200");
            assert_eq!(rig.available(&name), 8, "{contract} {offset}\n{}", rig.describe());
            let agent = &rig.agents[&name];
            assert!(agent.object.entries.is_empty(), "{contract} {offset}: {agent:?}");
            rig.check_quiet();
        }
    }
}

/// EC2 is read late, and shows what is gone.
#[test]
fn a_late_reading_brings_nothing_back() {
    let rig = check_here(
        "cloud lag 14000
         node node-1 m5.large pre 8
         agents node-1",
        "start -> 8 on 1 by assign
         pods 7 -> 15 on 2 by assign create attach modify
         pods 0, wait 208 -> 8 on 2 by unassign unassign
         pods 5, wait 2 -> 13 on 2 by assign assign
         wait 1800 -> 13 on 2",
    );
    let releases = rig.changes().filter(|(_, it)| matches!(it, Action::UnassignAddresses { .. }));
    assert_eq!(releases.count(), 2);
}

/// A node with two interfaces, where readings lag.
fn grown() -> Rig {
    check(
        &format!("cloud lag 14000\n{SUBNET}node node-1 m5.large pre 8\nagents node-1"),
        "start -> 8 on 1 by assign
         pods 7 -> 15 on 2 by assign create attach modify",
    )
}

/// Its object is deleted and made anew, while readings may be older than the call.
#[test]
fn what_was_given_back_stays_away_when_its_node_comes_anew() {
    let name: NodeName = "node-1".parse().unwrap();
    for seconds in [0, 1, 5, 13, 14, 16, 60] {
        let mut rig = grown();
        take_step(&mut rig, "pods 0, wait 1");
        rig.run_until(|rig| rig.count(Api::UnassignPrivateIpAddresses) == 2);
        rig.run(Duration::from_secs(1));
        let left = rig.available(&name);
        assert!(left < 15, "{}", rig.describe());
        let mut anew = rig.nodes[&name].clone();
        anew.usage = Usage { is_certain: true, ..Usage::default() };
        rig.remove_node(&name);
        rig.agents.get_mut(&name).unwrap().object = Object::default();
        rig.run(Duration::from_secs(seconds));
        rig.nodes.insert(name.clone(), anew);
        rig.alter(&name, |_| {});
        for _ in 0..20 {
            rig.run(Duration::from_secs(1));
            let known = rig.machine.summary(&name).unwrap().available as usize;
            assert!(known <= left, "{known} of {left}: {}", rig.describe());
        }
        rig.run(Duration::from_mins(30));
        rig.check_quiet();
    }
}

/// A reading that was asked for when it was there, and answered when it is long gone.
#[test]
fn what_was_given_back_stays_away_when_a_reading_takes_long() {
    let name: NodeName = "node-1".parse().unwrap();
    let mut late = 0;
    for seconds in (640..720).step_by(4) {
        let mut rig = grown();
        rig.run(Duration::from_secs(seconds - 240));
        take_step(&mut rig, "pods 0, wait 1");
        rig.slow_readings = Duration::from_secs(40);
        rig.run_until(|rig| rig.count(Api::UnassignPrivateIpAddresses) == 2);
        let readings = rig.count(Api::DescribeNetworkInterfaces);
        rig.run(Duration::from_secs(1));
        let left = rig.available(&name);
        rig.run(Duration::from_secs(13));
        late += rig.count(Api::DescribeNetworkInterfaces) - readings;
        for _ in 0..60 {
            rig.run(Duration::from_secs(1));
            let known = rig.machine.summary(&name).unwrap().available as usize;
            assert!(known <= left, "{known} of {left}: {}", rig.describe());
        }
        rig.slow_readings = Duration::ZERO;
        rig.run(Duration::from_mins(30));
        rig.check_quiet();
    }
    assert!(late > 0, "no reading was on its way");
}

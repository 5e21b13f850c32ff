//! Subnets that have nothing left.

use std::time::Duration;

use ipam_core::call::Api;
use ipam_core::ids::NodeName;
use ipam_core::view::Demand;

use crate::cloud::Subnet;
use crate::door::{check, check_on, labels};
use crate::rig::Rig;
use crate::text::rig;

/// Twenty nodes in a subnet of which others took the rest a moment ago.
fn exhausted(extra: &str) -> Rig {
    let mut rig = rig(&format!("{extra}\nsubnet subnet-1 10.0.0.0/22\nnodes 20 m5.xlarge pre 8"));
    rig.start();
    rig.run(Duration::from_mins(2));
    assert!(rig.are_satisfied(), "{}", rig.describe());
    rig
}

/// One node after the other needs five more, a second apart.
fn all_need_more(rig: &mut Rig) {
    let names: Vec<NodeName> = rig.nodes.keys().cloned().collect();
    for name in names {
        rig.alter(&name, |it| it.demand = Demand::PerIp { used: 5 });
        rig.run(Duration::from_secs(1));
    }
}

fn all_say(rig: &Rig, label: &str) -> bool {
    rig.nodes.keys().all(|name| labels(rig, name).iter().any(|it| it == label))
}

#[test]
fn a_refusal_is_remembered_and_shared_by_all_nodes() {
    let mut rig = exhausted("");
    let before = rig.count(Api::AssignPrivateIpAddresses) + rig.count(Api::CreateNetworkInterface);
    rig.cloud.others_take("subnet-1", 0, false);
    all_need_more(&mut rig);
    let asked =
        || rig.count(Api::AssignPrivateIpAddresses) + rig.count(Api::CreateNetworkInterface);
    let calls = asked() - before;
    assert!((1..=2).contains(&calls), "{calls} calls to learn it\n{}", rig.describe());
    assert!(all_say(&rig, "SubnetsExhausted"), "{}", rig.describe());
    let before = asked();
    rig.run(Duration::from_hours(1));
    let calls = rig.count(Api::AssignPrivateIpAddresses) + rig.count(Api::CreateNetworkInterface);
    assert!(calls - before <= 30, "{} probes in an hour", calls - before);
}

#[test]
fn a_subnet_with_room_again_is_used_again() {
    let mut rig = exhausted("");
    rig.cloud.others_take("subnet-1", 0, false);
    all_need_more(&mut rig);
    rig.run(Duration::from_mins(30));
    let before = rig.count(Api::AssignPrivateIpAddresses);
    rig.cloud.others_leave("subnet-1", 20);
    rig.run(Duration::from_mins(30));
    assert!(rig.are_satisfied(), "{}", rig.describe());
    let calls = rig.count(Api::AssignPrivateIpAddresses) - before;
    assert!(calls <= 25, "{calls} calls for 20 nodes");
    rig.check_quiet();
}

#[test]
fn prefixes_run_out_before_addresses_do() {
    let mut rig = exhausted("operator prefixes");
    let names: Vec<NodeName> = rig.nodes.keys().cloned().collect();
    rig.cloud.others_take("subnet-1", 200, true);
    for name in &names {
        rig.alter(name, |it| it.demand = Demand::PerIp { used: 10 });
        rig.run(Duration::from_secs(1));
    }
    rig.run(Duration::from_mins(2));
    assert!(rig.are_satisfied(), "single addresses are left: {}", rig.describe());
    let refused = rig.count(Api::AssignPrivateIpAddresses) - 2 * names.len();
    assert!(refused <= 2, "{refused} refusals to learn it");
    rig.check_quiet();
}

#[test]
fn a_subnet_without_addresses_still_has_room_elsewhere() {
    check(
        "subnet subnet-1 10.0.0.0/24 free 16
         subnet subnet-2 10.0.1.0/24
         table rtb-1 vpc-1 subnet-1,subnet-2
         node node-1 m5.large pre 8",
        "start -> 8 on 1 by assign
         take subnet-1 0, used 1, wait 300 -> 9 on 2 by assign create attach modify",
    );
}

#[test]
fn sibling_subnets_give_prefixes_when_one_has_none() {
    let mut rig = rig("operator prefixes
         subnet subnet-1 10.0.0.0/24 free 100 scattered
         subnet subnet-2 10.0.1.0/24
         node node-1 m5.large pre 8");
    let name = crate::door::take_step(&mut rig, "start, wait 300");
    assert!(rig.is_satisfied(&name), "{}", rig.describe());
    let node = rig.machine.node(&name).unwrap();
    let prefixes: usize = node.enis.iter().map(|eni| eni.ipv4.prefixes.len()).sum();
    assert_eq!(prefixes, 1, "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn a_new_subnet_is_found() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/28 free 1\nnode node-1 m5.large pre 8");
    check_on(&mut rig, "start, wait 300 -> 0 on 1 SubnetsExhausted");
    let mut view = rig.cloud.subnets.values().next().unwrap().view.clone();
    view.cidr = "10.0.4.0/24".parse().unwrap();
    rig.cloud.subnets.insert("subnet-2".parse().unwrap(), Subnet::new(view));
    let name = crate::door::take_step(&mut rig, "wait 900");
    assert!(rig.is_satisfied(&name), "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn a_subnet_that_is_kept_out_is_not_used() {
    let mut rig = rig("operator only subnet-2
         subnet subnet-1 10.0.0.0/24
         subnet subnet-2 10.0.1.0/24
         node node-1 m5.large pre 8");
    let name = crate::door::take_step(&mut rig, "start, wait 300");
    assert!(rig.is_satisfied(&name), "{}", rig.describe());
    let holding = rig.cloud.enis.values().filter(|it| !it.eni.ipv4.addresses.is_empty());
    let subnets: Vec<&str> = holding.map(|it| it.eni.subnet.as_str()).collect();
    assert_eq!(subnets, ["subnet-2"], "{}", rig.describe());
}

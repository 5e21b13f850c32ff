//! What the machine may do, and when it has to stop.

use std::time::Duration;

use ipam_core::call::Api;
use ipam_core::ids::NodeName;
use ipam_core::reconcile::{Event, Rival, RivalDeed};
use ipam_core::view::Demand;

use crate::door::{check, labels};
use crate::rig::Rig;
use crate::text::rig;

#[test]
fn observing_changes_nothing_and_says_what_it_would_do() {
    let rig = check(
        "operator observe
         subnet subnet-1 10.0.0.0/24
         node node-1 m5.large pre 12",
        "start -> 0 on 1 OnlyObserved
         wait 1800 -> 0 on 1 OnlyObserved",
    );
    assert!(rig.published.is_empty());
    let would = rig.events.iter().filter(|(_, it)| matches!(it, Event::WouldChange { .. })).count();
    assert!((2..=4).contains(&would), "said {would} times: {}", rig.describe());
}

#[test]
fn as_many_interfaces_are_made_in_an_hour_as_may_be() {
    let mut rig = rig("operator cap 3
         subnet subnet-1 10.0.0.0/20
         nodes 8 m5.large pre 12");
    rig.start();
    rig.run(Duration::from_mins(50));
    assert_eq!(rig.count(Api::CreateNetworkInterface), 3);
    let capped = |name: &NodeName| labels(&rig, name) == ["CreationCapReached"];
    assert_eq!(rig.nodes.keys().filter(|name| capped(name)).count(), 5, "{}", rig.describe());
    rig.run(Duration::from_mins(15));
    assert_eq!(rig.count(Api::CreateNetworkInterface), 6);
    rig.run(Duration::from_hours(2));
    assert!(rig.are_satisfied(), "{}", rig.describe());
    rig.check_quiet();
}

/// Five nodes at rest.
fn five() -> Rig {
    let mut rig = rig("subnet subnet-1 10.0.0.0/22\nnodes 5 m5.xlarge pre 8");
    rig.start();
    rig.run(Duration::from_mins(2));
    assert!(rig.are_satisfied());
    rig
}

fn write_by_other(rig: &mut Rig, number: usize) {
    let name: NodeName = format!("node-{number:04}").parse().unwrap();
    let rival = Rival { who: "cilium-operator-aws".into(), did: RivalDeed::WroteEniStatus };
    rig.machine.on_rival(rig.now, &name, rival);
    rig.step();
}

/// All nodes need two more. Answers with those that got them.
fn served(rig: &mut Rig, used: u32) -> Vec<String> {
    let names: Vec<NodeName> = rig.nodes.keys().cloned().collect();
    for name in &names {
        rig.alter(name, |it| it.demand = Demand::PerIp { used });
    }
    rig.run(Duration::from_mins(1));
    let served = names.iter().filter(|name| rig.is_satisfied(name));
    served.map(ToString::to_string).collect()
}

fn count(rig: &Rig, is: impl Fn(&Event) -> bool) -> usize {
    rig.events.iter().filter(|(_, event)| is(event)).count()
}

#[test]
fn a_node_that_somebody_else_writes_is_left_to_them() {
    let mut rig = five();
    write_by_other(&mut rig, 1);
    write_by_other(&mut rig, 1);
    let served_now = served(&mut rig, 2);
    assert_eq!(served_now.len(), 4, "{served_now:?}");
    assert_eq!(labels(&rig, &"node-0001".parse().unwrap()), ["RivalOperator"]);
    let found = |event: &Event| matches!(event, Event::RivalFound { node: Some(_), .. });
    assert_eq!(count(&rig, found), 1, "{}", rig.describe());
    rig.run(rig.settings.rival_grace);
    assert!(rig.are_satisfied(), "the grace period is over: {}", rig.describe());
    assert_eq!(count(&rig, |event| matches!(event, Event::RivalGone { node: Some(_) })), 1);
    rig.check_quiet();
}

#[test]
fn every_write_of_the_other_makes_the_grace_period_start_again() {
    let mut rig = five();
    write_by_other(&mut rig, 1);
    rig.run(rig.settings.rival_grace / 2);
    write_by_other(&mut rig, 1);
    rig.run(rig.settings.rival_grace / 2 + Duration::from_mins(1));
    assert_eq!(served(&mut rig, 2).len(), 4, "{}", rig.describe());
}

#[test]
fn when_several_nodes_are_written_by_somebody_else_all_are_left_to_them() {
    let mut rig = five();
    (1..=3).for_each(|number| write_by_other(&mut rig, number));
    let before = rig.changes().count();
    assert!(served(&mut rig, 2).is_empty(), "{}", rig.describe());
    assert_eq!(rig.changes().count(), before);
    assert_eq!(count(&rig, |event| matches!(event, Event::RivalFound { node: None, .. })), 1);
    assert_eq!(labels(&rig, &"node-0005".parse().unwrap()), ["RivalOperator"]);
    rig.run(rig.settings.rival_grace + Duration::from_mins(1));
    assert!(rig.are_satisfied(), "{}", rig.describe());
    assert_eq!(count(&rig, |event| matches!(event, Event::RivalGone { node: None })), 1);
}

#[test]
fn an_interface_on_its_way_when_a_rival_is_found_is_not_left_half_made() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/24\nnode node-0001 m5.large pre 12");
    rig.grace = rig.settings.rival_grace + Duration::from_mins(1);
    rig.start();
    rig.run_until(|rig| rig.count(Api::CreateNetworkInterface) == 1);
    write_by_other(&mut rig, 1);
    rig.run(Duration::from_mins(30));
    assert!(rig.are_satisfied(), "{}", rig.describe());
    rig.check_quiet();
}

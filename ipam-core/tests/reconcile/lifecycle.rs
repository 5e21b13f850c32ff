//! Nodes that come, go, come back, and ask to be left alone.

use std::collections::BTreeSet;
use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::call::Api;
use ipam_core::ids::{InstanceId, NodeName};
use ipam_core::policy::MANAGED_TAG;
use ipam_core::reconcile::Event;
use ipam_core::view::Demand;

use crate::door::{check_on, labels, take_step};
use crate::rig::Rig;
use crate::text::{Words, rig};

const WORLD: &str = "subnet subnet-1 10.0.0.0/24\nnode node-1 m5.large pre 8 addresses 8\n";

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

fn publications(rig: &Rig) -> usize {
    rig.published.iter().filter(|(_, name)| *name == node()).count()
}

#[test]
fn a_node_that_asks_for_it_is_left_alone_until_it_no_longer_does() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/24\nnode node-1 m5.large pre 8 ignored");
    check_on(&mut rig, "start, wait 1800 -> 0 on 1");
    assert_eq!(publications(&rig), 0);
    assert_eq!(rig.machine.totals(rig.now).nodes, 0);
    check_on(&mut rig, "heeded -> 8 on 1 by assign");
    assert!(publications(&rig) > 0);
}

#[test]
fn a_node_that_asks_for_it_later_is_left_alone_from_then_on() {
    let mut rig = rig(WORLD);
    check_on(&mut rig, "start -> 8 on 1");
    let before = publications(&rig);
    check_on(
        &mut rig,
        "ignored -> 8 on 1
         used 7, wait 1800 -> 8 on 1",
    );
    assert_eq!(publications(&rig), before);
    check_on(&mut rig, "heeded -> 15 on 2 by assign create attach modify");
}

#[test]
fn what_was_sent_for_a_node_before_it_asked_to_be_left_alone_is_not_left_behind() {
    let mut rig = rig(WORLD);
    check_on(&mut rig, "start -> 8 on 1");
    rig.alter(&node(), |it| it.demand = Demand::PerIp { used: 7 });
    rig.run_until(|rig| rig.count(Api::CreateNetworkInterface) == 1);
    rig.alter(&node(), |it| it.ignored = true);
    rig.run(Duration::from_mins(30));
    rig.check_quiet();
}

/// Deletes the node `after` its interface was asked for.
fn deleted_after(after: Duration) -> Rig {
    let mut rig = rig(WORLD);
    check_on(&mut rig, "start -> 8 on 1");
    rig.alter(&node(), |it| it.demand = Demand::PerIp { used: 7 });
    rig.run_until(|rig| rig.count(Api::CreateNetworkInterface) == 1);
    rig.run(after);
    rig.remove_node(&node());
    assert!(rig.machine.node(&node()).is_none());
    rig.run(Duration::from_mins(30));
    rig
}

#[test]
fn the_interface_of_a_node_that_went_while_it_was_made_is_deleted() {
    for after in [0, 150, 300] {
        let mut rig = deleted_after(Duration::from_millis(after));
        let deletes =
            rig.changes().filter(|(_, it)| matches!(it, Action::DeleteEni { .. })).count();
        assert_eq!(deletes, 1, "after {after} ms: {}", rig.describe());
        rig.check_quiet();
    }
}

#[test]
fn the_interface_of_a_node_that_went_while_it_was_attached_ends_with_the_instance() {
    for after in [450, 700, 1000, 1150, 1300, 2000] {
        let mut rig = deleted_after(Duration::from_millis(after));
        rig.cloud.terminate("i-1");
        let left: Vec<&str> = rig.cloud.loose().map(|it| it.eni.id.as_str()).collect();
        assert!(left.is_empty(), "after {after} ms: {left:?} {}", rig.describe());
    }
}

#[test]
fn a_node_that_is_gone_is_forgotten() {
    let mut rig = rig(WORLD);
    check_on(&mut rig, "start -> 8 on 1");
    rig.remove_node(&node());
    rig.run(Duration::from_mins(1));
    assert!(rig.machine.summary(&node()).is_none());
    assert_eq!(rig.summaries.last().map(|(_, name)| name), Some(&node()), "its row goes");
    let forgotten = |event: &Event| *event == Event::NodeForgotten { node: node() };
    assert!(rig.events.iter().any(|(_, event)| forgotten(event)), "{}", rig.describe());
    let before = rig.sent.len();
    rig.run(Duration::from_hours(1));
    let enis =
        rig.sent[before..].iter().filter(|(_, it)| it.api() == Api::DescribeNetworkInterfaces);
    assert_eq!(enis.count(), 0, "there is nobody to observe");
}

#[test]
fn a_node_made_again_on_its_instance_is_published_at_once_and_changed_no_more() {
    let mut rig = rig(WORLD);
    check_on(&mut rig, "start, used 7 -> 15 on 2 by assign create attach modify");
    let seen = rig.nodes[&node()].clone();
    rig.remove_node(&node());
    rig.run(Duration::from_secs(1));
    let before = publications(&rig);
    rig.nodes.insert(node(), seen);
    rig.alter(&node(), |_| {});
    rig.run(Duration::from_secs(30));
    assert!(publications(&rig) > before, "{}", rig.describe());
    check_on(&mut rig, "wait 600 -> 15 on 2");
}

#[test]
fn a_node_made_again_without_a_deletion_in_between_is_published_again() {
    let mut rig = rig(WORLD);
    check_on(&mut rig, "start -> 8 on 1");
    let before = publications(&rig);
    rig.alter(&node(), |_| {});
    rig.run(Duration::from_secs(1));
    assert_eq!(publications(&rig), before + 1);
    rig.machine.on_unpublished(rig.now, &node());
    rig.step();
    assert_eq!(publications(&rig), before + 2);
}

#[test]
fn a_node_on_a_new_instance_starts_anew() {
    let mut rig = rig(WORLD);
    check_on(&mut rig, "start, used 7 -> 15 on 2 by assign create attach modify");
    let other: NodeName = "node-2".parse().unwrap();
    let replacement = crate::text::node(&mut rig.cloud, other, Words::new("m5.large pre 8"));
    let instance: InstanceId = "i-2".parse().unwrap();
    rig.cloud.terminate("i-1");
    rig.is_stale = true;
    rig.alter(&node(), |it| {
        it.identity = replacement
            .identity
            .map(|identity| ipam_core::view::NodeIdentity { name: it.name.clone(), ..identity });
        it.demand = Demand::PerIp { used: 0 };
    });
    assert!(rig.machine.node(&node()).is_none_or(|it| it.identity.instance == instance));
    rig.run(Duration::from_mins(5));
    rig.is_stale = false;
    assert_eq!((rig.available(&node()), rig.interfaces(&node())), (8, 1), "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn a_node_that_turns_out_to_speak_of_cidrs_is_published_again() {
    let mut rig = rig(WORLD);
    check_on(&mut rig, "start -> 8 on 1");
    let before = publications(&rig);
    rig.alter(&node(), |it| it.demand = Demand::Cidr { ipv4: 8, ipv6: 0 });
    rig.run(Duration::from_secs(1));
    assert!(publications(&rig) > before);
    check_on(&mut rig, "cidr 15 0 -> 15 on 2 by assign create attach modify");
}

#[test]
fn each_change_of_what_a_node_holds_is_published() {
    let mut rig = rig(WORLD);
    check_on(&mut rig, "start -> 8 on 1");
    let mut before = publications(&rig);
    assert_eq!(before, 1, "as soon as it is known");
    for step in ["used 1", "waiting 15", "waiting 0, used 12"] {
        take_step(&mut rig, step);
        let after = publications(&rig);
        assert!(after > before && after <= before + 4, "{step}: {before} to {after}");
        before = after;
    }
    rig.run(Duration::from_hours(1));
    assert_eq!(publications(&rig), before, "nothing changed");
}

/// What an operator that crashed left behind of a node that is still there.
#[test]
fn a_new_machine_adopts_what_another_left() {
    let mut first = rig(WORLD);
    check_on(&mut first, "start -> 8 on 1");
    first.alter(&node(), |it| it.demand = Demand::PerIp { used: 7 });
    first.run_until(|rig| rig.count(Api::CreateNetworkInterface) == 1);
    first.run(Duration::from_millis(350));
    let mut second = Rig::over(std::mem::take(&mut first.cloud), first.settings.clone());
    second.nodes = first.nodes.clone();
    check_on(&mut second, "start -> 15 on 2 by attach modify");
    let own = second.cloud.enis.values().filter(|it| it.eni.tags.contains_key(MANAGED_TAG));
    assert_eq!(own.count(), 1);
}

/// Instances that end take their interfaces along, and nobody else is to blame for it.
#[test]
fn instances_that_end_are_no_rivals() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/22\nnodes 5 m5.large pre 8 used 7 outlive");
    rig.start();
    rig.run(Duration::from_mins(2));
    assert!(rig.are_satisfied(), "{}", rig.describe());
    rig.is_stale = true;
    rig.grace = Duration::from_hours(1);
    for number in 1..=4 {
        rig.cloud.terminate(&format!("i-{number:04}"));
    }
    rig.run(Duration::from_mins(20));
    let is_rival = |event: &Event| matches!(event, Event::RivalFound { .. });
    assert!(!rig.events.iter().any(|(_, event)| is_rival(event)), "{}", rig.describe());
    let last: NodeName = "node-0005".parse().unwrap();
    rig.alter(&last, |it| it.demand = Demand::PerIp { used: 15 });
    rig.run(Duration::from_mins(2));
    assert!(rig.is_satisfied(&last), "{}", rig.describe());
}

/// Its instance ends before its last interface was told to end with it.
#[test]
fn an_interface_that_outlived_the_instance_of_a_node_that_went_is_deleted() {
    for strangers in ["", "subnet subnet-2 10.0.8.0/21\nstrangers 1001 in subnet-2\n"] {
        for lag in [0, 10_000] {
            let mut rig = rig(&format!("cloud lag {lag}\n{WORLD}{strangers}node node-2 m5.large"));
            check_on(&mut rig, "start -> 8 on 1");
            rig.alter(&node(), |it| it.demand = Demand::PerIp { used: 7 });
            rig.run_until(|rig| rig.count(Api::ModifyNetworkInterfaceAttribute) == 1);
            rig.terminate(&node());
            rig.run(Duration::from_mins(5));
            rig.check_quiet();
            let before = rig.changes().count();
            rig.run(Duration::from_hours(1));
            assert_eq!(rig.changes().count(), before, "{}", rig.describe());
        }
    }
}

/// Two objects for one instance, as after a node was renamed: whose its addresses are cannot be told, so both keep what they have.
#[test]
fn two_nodes_of_one_instance_lose_nothing() {
    for (old, restarts) in
        [("node-0", false), ("node-0", true), ("node-2", false), ("node-2", true)]
    {
        let mut rig = rig(
            "operator prefixes\nsubnet subnet-1 10.0.0.0/22\nnode node-1 m5.large pre 8 cidr 8\nagents node-1",
        );
        check_on(&mut rig, "start -> 16 on 1 by prefix\npods 20 -> 32 on 1 by prefix");
        let before = rig.agents[&node()].pods.clone();
        // It names nothing of what came since.
        let mut twin = rig.nodes[&node()].clone();
        (twin.name, twin.usage.allocated) = (old.parse().unwrap(), BTreeSet::new());
        twin.usage.allocated.insert("10.0.0.240/28".parse().unwrap());
        twin.demand = Demand::Cidr { ipv4: 8, ipv6: 0 };
        rig.nodes.insert(twin.name.clone(), twin.clone());
        rig.alter(&twin.name, |_| ());
        if restarts {
            rig.restart();
        }
        rig.run(Duration::from_mins(30));
        for name in [&node(), &twin.name] {
            assert_eq!(labels(&rig, name), ["InstanceShared"], "{}", rig.describe());
        }
        let unassigns = rig.count(Api::UnassignPrivateIpAddresses);
        assert_eq!((unassigns, &rig.agents[&node()].pods), (0, &before), "{}", rig.describe());
        rig.remove_node(&twin.name);
        check_on(&mut rig, "pods 2, wait 600 -> 16 on 1 by unprefix\npods 20 -> 32 on 1 by prefix");
    }
}

/// EC2 shows what the former operator did last only later: that is nobody's work but ours, and is known within the minute.
#[test]
fn what_a_former_operator_did_last_is_no_rivals_work() {
    let text = "cloud lag 10000\nsubnet subnet-1 10.0.0.0/22\nnode node-1 m5.large pre 8 certain";
    for after in (0..16).map(|quarters| Duration::from_millis(quarters * 250)) {
        let mut rig = rig(text);
        check_on(&mut rig, "start -> 8 on 1 by assign");
        rig.alter(&node(), |it| it.demand = Demand::PerIp { used: 7 });
        rig.run(after);
        rig.restart();
        rig.run(Duration::from_secs(100));
        let is_rival = |event: &Event| matches!(event, Event::RivalFound { .. });
        assert!(!rig.events.iter().any(|(_, event)| is_rival(event)), "{}", rig.describe());
        let known = rig.machine.summary(&node()).unwrap().available;
        assert_eq!(usize::try_from(known).unwrap(), rig.available(&node()), "{}", rig.describe());
        assert!(known >= 15, "after {after:?}: {}", rig.describe());
    }
}

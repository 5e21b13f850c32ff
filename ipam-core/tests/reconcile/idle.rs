//! Interfaces that hold nothing go back, and come back only when they are needed.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipam_core::action::{Action, Ipv4Ask};
use ipam_core::call::Api;
use ipam_core::failure::Refusal;
use ipam_core::ids::{EniId, NodeName};
use ipam_core::reconcile::Event;
use ipam_core::release::Usage;

use crate::door::{check, check_on, labels, take_step};
use crate::rig::{Fault, Rig, always, once};
use crate::text::rig;
use crate::unanswered::REFUSALS;

const SUBNET: &str = "subnet subnet-1 10.0.0.0/22\n";
/// A node whose second interface comes and is drained.
const NODE: &str = "node node-1 m5.large pre 8\nagents node-1";
const DRAINED: &str = "start -> 8 on 1 by assign
                       pods 7 -> 15 on 2 by assign create attach modify
                       pods 0, wait 300 -> 8 on 2 by unassign unassign";

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

#[track_caller]
fn check_here(text: &str, steps: &str) -> Rig {
    check(&format!("{SUBNET}{text}"), steps)
}

/// A node whose second interface holds nothing any more.
fn drained(text: &str) -> Rig {
    let mut rig = rig(&format!("{SUBNET}{text}"));
    check_on(&mut rig, DRAINED);
    rig
}

/// The same, and the interface is not published any more.
fn hidden() -> (Rig, EniId) {
    let mut rig = drained(NODE);
    let eni: EniId = "eni-new0001".parse().unwrap();
    assert!(is_published(&rig, &eni), "{}", rig.describe());
    rig.run_until(|rig| !is_published(rig, &"eni-new0001".parse().unwrap()));
    (rig, eni)
}

fn is_published(rig: &Rig, eni: &EniId) -> bool {
    rig.agents[&node()].object.interfaces.contains(eni)
}

#[test]
fn an_interface_that_holds_nothing_is_detached_and_deleted() {
    for contract in ["used 0", "cidr 8"] {
        for cloud in ["", "cloud lag 14000\n", "cloud detaching 8\n", "cloud detaching 100\n"] {
            let mut rig = rig(&format!(
                "{cloud}{SUBNET}node node-1 m5.large pre 8 {contract}\nagents node-1"
            ));
            let free = rig.cloud.free(&"subnet-1".parse().unwrap());
            check_on(&mut rig, DRAINED);
            check_on(&mut rig, "wait 480 -> 8 on 2");
            rig.run_until(|rig| rig.count(Api::DetachNetworkInterface) == 1);
            check_on(&mut rig, "wait 180 -> 8 on 1 by delete");
            assert_eq!(rig.cloud.free(&"subnet-1".parse().unwrap()), free - 8);
            check_on(&mut rig, "wait 600 -> 8 on 1");
            let known = rig.machine.network().subnets.values().next().unwrap().free_addresses;
            assert_eq!(known, free - 8, "what is known of the subnet");
            check_on(&mut rig, "pods 7 -> 15 on 2 by assign create attach modify");
            let findings = rig.events.iter().filter(|(_, it)| matches!(it, Event::Found { .. }));
            assert_eq!(findings.count(), 0, "{cloud}\n{}", rig.describe());
        }
    }
}

/// It is published without the interface for as long as an agreement has to stand.
#[test]
fn it_is_hidden_before_it_is_detached() {
    let (mut rig, _) = hidden();
    let after = rig.run_until(|rig| rig.count(Api::DetachNetworkInterface) == 1);
    let agreed_for = rig.settings.release.agreed_for;
    assert!((agreed_for..agreed_for + Duration::from_secs(1)).contains(&after), "{after:?}");
}

#[test]
fn it_stays_while_its_object_still_shows_it() {
    let mut rig = drained(NODE);
    rig.writes_fail = Box::new(|_| true);
    check_on(&mut rig, "wait 3600 -> 8 on 2");
    rig.writes_fail = Box::new(|_| false);
    check_on(&mut rig, "wait 60 -> 8 on 1 by detach delete");
}

/// What somebody puts on it while it waits for its turn is seen before it goes.
#[test]
fn the_newest_view_counts_when_it_is_detached() {
    for minutes in [1, 5, 9] {
        let (mut rig, eni) = hidden();
        rig.faults = always(Api::DetachNetworkInterface, Fault::NotSent);
        rig.run(Duration::from_mins(minutes));
        rig.cloud.assign(&eni, Ipv4Ask::Addresses(1)).unwrap();
        rig.run(Duration::from_secs(70));
        rig.faults = Box::new(|_, _| None);
        rig.run(Duration::from_mins(5));
        assert!(rig.cloud.enis[&eni].instance.is_some(), "{}", rig.describe());
    }
}

#[test]
fn what_the_node_needs_meanwhile_comes_on_the_hidden_interface() {
    for seconds in [0, 10, 19] {
        let (mut rig, eni) = hidden();
        rig.run(Duration::from_secs(seconds));
        check_on(&mut rig, "pods 7 -> 15 on 2 by assign assign");
        assert!(is_published(&rig, &eni), "{}", rig.describe());
        assert_eq!(rig.agents[&node()].running(), 7);
        check_on(&mut rig, "wait 3600 -> 15 on 2");
    }
}

/// At every 50 ms of a detachment the node needs more than its other interface can hold.
#[test]
fn what_the_node_needs_while_it_is_detached_comes_on_another() {
    for offset in 0..20 {
        let (mut rig, eni) = hidden();
        rig.run(rig.settings.release.agreed_for.saturating_sub(Duration::from_millis(500)));
        rig.run(Duration::from_millis(50 * offset));
        take_step(&mut rig, "pods 14, wait 600");
        assert_eq!(rig.agents[&node()].running(), 14, "{offset}: {}", rig.describe());
        let is_kept = rig.cloud.enis.contains_key(&eni);
        assert_eq!(is_kept, rig.count(Api::DetachNetworkInterface) == 0, "{offset}");
        assert_eq!(rig.interfaces(&node()), 3);
        let again = |it: &Action| matches!(it, Action::AttachEni { eni: it, .. } if *it == eni);
        assert_eq!(rig.changes().filter(|(_, it)| again(it)).count(), 1, "never attached again");
        rig.check_quiet();
    }
}

/// What an operator, a node and its second interface are, and whether the interface is there after two hours.
#[track_caller]
fn check_stays(operator: &str, node: &str, eni: &str, stays: bool) {
    let plain = "node node-1 m5.large pre 8 certain";
    let mut rig = rig(&format!(
        "operator {operator}\n{SUBNET}{plain} {node}\neni eni-2 of node-1 at 1 {eni}"
    ));
    rig.is_stale = true;
    take_step(&mut rig, "start, wait 7200");
    let is_there = rig.cloud.enis.contains_key(&"eni-2".parse().unwrap());
    assert_eq!(is_there, stays, "{operator}; {node}; {eni}\n{}", rig.describe());
    assert_eq!(rig.count(Api::DetachNetworkInterface) == 0, stays, "{}", rig.describe());
}

#[test]
fn what_is_given_back_and_what_never_is() {
    check_stays("", "addresses 8", "own", false);
    for operator in ["no-release", "keeps", "keeps-interfaces", "observe"] {
        check_stays(operator, "addresses 8", "own", true);
    }
    for node in ["first 2", "exclude berth/managed=true", "ignored", "use-primary", "cidr6 16 1"] {
        check_stays("", &format!("addresses 9 {node}"), "own", true);
    }
    for eni in ["", "own special", "own tags node.k8s.amazonaws.com/no_manage=true"] {
        check_stays("", "addresses 8", eni, true);
    }
}

#[test]
fn a_node_whose_use_is_not_certain_keeps_it() {
    let mut rig = rig(&format!(
        "{SUBNET}node node-1 m5.large pre 8 addresses 8\neni eni-2 of node-1 at 1 own"
    ));
    check_on(&mut rig, "start, wait 3600 -> 8 on 2");
    rig.alter(&node(), |it| it.usage.is_certain = true);
    check_on(&mut rig, "wait 590 -> 8 on 2\nwait 600 -> 8 on 1 by detach delete");
}

/// Its own address, which nobody should use, is used all the same, or kept, or published.
#[test]
fn an_interface_whose_own_address_somebody_has_is_kept() {
    let uses: [fn(&mut Usage, Ipv4Addr); 3] = [
        |usage, own| usage.used = [own].into_iter().collect(),
        |usage, own| usage.listed = [own].into_iter().collect(),
        |usage, own| usage.allocated = [own.into()].into(),
    ];
    for uses in uses {
        let mut rig = rig(&format!(
            "{SUBNET}node node-1 m5.large pre 8 addresses 8 certain\neni eni-2 of node-1 at 1 own"
        ));
        let own = rig.cloud.enis[&"eni-2".parse().unwrap()].eni.ipv4.primary;
        uses(&mut rig.nodes.get_mut(&node()).unwrap().usage, own);
        check_on(&mut rig, "start, wait 3600 -> 8 on 2");
        rig.alter(&node(), |it| it.usage = Usage { is_certain: true, ..Usage::default() });
        check_on(&mut rig, "wait 700 -> 8 on 1 by detach delete");
    }
}

/// What holds it back begins the delay anew.
#[test]
fn a_node_that_needs_something_or_is_not_ours_keeps_it() {
    let holds = |text: &str, during: &str, after: &str| {
        let own = "eni eni-2 of node-1 at 1 own";
        let steps = format!(
            "start, wait 500 -> 8 on 2
             {during}
             {after}, wait 590 -> 8 on 2
             wait 60 -> 8 on 1 by detach delete"
        );
        check_here(&format!("node node-1 m5.large pre 8 addresses 8 certain{text}\n{own}"), &steps);
    };
    holds("", "waiting 3, wait 3600 -> 8 on 2", "waiting 0");
    holds("", "ignored, wait 3600 -> 8 on 2", "heeded");
    holds("", "unreadable, wait 3600 -> 8 on 2 SettingsUnreadable", "settings pre 8");
    let exhausted =
        "take subnet-1 0, settings pre 9, wait 3600 -> 8 on 2 SubnetsExhausted by assign";
    holds("", exhausted, "settings pre 8");
    holds("", "rival, wait 300 -> 8 on 2 RivalOperator", "wait 310 -> 8 on 2\nwait 0");
}

/// Each pod waits for a moment before it has its address: that is no need while there are enough.
#[test]
fn pods_that_come_and_go_keep_no_interface() {
    let pods = "waiting 1, wait 1 -> 8 on 2\nwaiting 0, wait 240 -> 8 on 2\n".repeat(2);
    check_here(
        "node node-1 m5.large pre 7 addresses 8 certain
         eni eni-2 of node-1 at 1 own",
        &format!(
            "start, wait 30 -> 8 on 2
             {pods}waiting 1, wait 1 -> 8 on 2
             waiting 0, wait 300 -> 8 on 1 by detach delete"
        ),
    );
}

#[test]
fn one_at_a_time_the_highest_index_first() {
    let rig = check_here(
        "node node-1 m5.large pre 8 addresses 8 certain
         eni eni-3 of node-1 at 1 own
         eni eni-2 of node-1 at 2 own
         node node-2 m5.large pre 8 addresses 8 certain
         eni eni-4 of node-2 at 1 own",
        "start, wait 610 -> 8 on 3
         wait 70 -> 8 on 1 by detach delete detach delete",
    );
    let enis: Vec<&str> = rig.changes().filter_map(|(_, it)| it.eni()).map(EniId::as_str).collect();
    assert_eq!(enis, ["eni-2", "eni-4", "eni-2", "eni-4", "eni-3", "eni-3"]);
}

/// Nothing else is held back by it, and it is said once.
#[test]
fn a_permission_that_is_missing() {
    let mut rig = rig(&format!(
        "{SUBNET}nodes 5 m5.large pre 8\nagents node-0001,node-0002,node-0003,node-0004,node-0005"
    ));
    let missing = Fault::Refused(Refusal::Unauthorized);
    rig.faults = always(Api::DetachNetworkInterface, missing);
    let names: Vec<NodeName> = rig.nodes.keys().cloned().collect();
    take_step(&mut rig, "start");
    for pods in [7, 0] {
        for name in &names {
            rig.set_pods(name, pods);
        }
        rig.run(Duration::from_mins(20));
    }
    rig.run(Duration::from_hours(2));
    assert_eq!(names.iter().map(|name| rig.interfaces(name)).sum::<usize>(), 10);
    let said = |event: &Event| matches!(event, Event::PermissionMissing { .. });
    assert_eq!(rig.events.iter().filter(|(_, it)| said(it)).count(), 1, "{}", rig.describe());
    let blocked = |event: &Event| matches!(event, Event::Blocked { blocked, .. } if blocked.iter().any(|it| it.reason.label() == "MissingPermission"));
    assert!(!rig.events.iter().any(|(_, it)| blocked(it)), "{}", rig.describe());
    assert!(names.iter().all(|name| labels(&rig, name).is_empty()));
    let calls = rig.count(Api::DetachNetworkInterface);
    assert!((5..20).contains(&calls), "{calls} calls");
    let published = rig.published.len();
    rig.run(Duration::from_hours(1));
    assert!(rig.published.len() < published + 20, "{} in an hour", rig.published.len() - published);
    rig.faults = Box::new(|_, _| None);
    rig.run(Duration::from_hours(1));
    assert_eq!(
        names.iter().map(|name| rig.interfaces(name)).sum::<usize>(),
        5,
        "{}",
        rig.describe()
    );
    rig.check_quiet();
}

/// What cannot be deleted is not detached.
#[test]
fn no_more_are_detached_while_none_may_be_deleted() {
    let mut rig = rig(&format!(
        "{SUBNET}node node-1 m5.large pre 8 addresses 8 certain
         eni eni-2 of node-1 at 2 own
         eni eni-3 of node-1 at 1 own"
    ));
    rig.grace = Duration::from_hours(5);
    rig.faults = always(Api::DeleteNetworkInterface, Fault::Refused(Refusal::Unauthorized));
    take_step(&mut rig, "start, wait 7200");
    assert_eq!(rig.count(Api::DetachNetworkInterface), 1, "{}", rig.describe());
    rig.faults = Box::new(|_, _| None);
    check_on(&mut rig, "wait 3600 -> 8 on 1 by delete detach delete");
}

/// Every way in which a call can fail, once, and for an hour.
#[test]
fn no_failure_leaves_anything_behind() {
    let lost =
        [Fault::LostBefore, Fault::LostAfter, Fault::LostAndLate, Fault::NotSent, Fault::Hangs];
    let refusals = REFUSALS.map(Fault::Refused);
    for api in [Api::DetachNetworkInterface, Api::DeleteNetworkInterface] {
        for fault in lost.into_iter().chain(refusals) {
            for lasts in [1, 60] {
                let (mut rig, _) = hidden();
                rig.grace = Duration::from_hours(2);
                rig.cloud.detaching_takes = Duration::from_secs(lasts % 7);
                rig.faults = if lasts == 1 { once(api, 0, fault) } else { always(api, fault) };
                rig.run(Duration::from_mins(lasts));
                take_step(&mut rig, "pods 7, wait 900");
                assert_eq!(rig.agents[&node()].running(), 7, "{api} {fault:?}: {}", rig.describe());
                rig.faults = Box::new(|_, _| None);
                take_step(&mut rig, "pods 0, wait 7200");
                assert_eq!(rig.interfaces(&node()), 1, "{api} {fault:?}\n{}", rig.describe());
                rig.check_quiet();
                check_on(&mut rig, "wait 7200 -> 8 on 1");
            }
        }
    }
}

/// At every quarter of a second another operator takes over, and the node may need more at once.
#[test]
fn whenever_the_operator_is_replaced() {
    for offset in 0..180 {
        let (mut rig, _) = hidden();
        rig.grace = Duration::from_mins(25);
        rig.cloud.lag = Duration::from_secs(offset % 3 * 5);
        rig.cloud.detaching_takes = Duration::from_secs(offset % 7);
        rig.run(Duration::from_millis(250 * offset));
        rig.restart();
        if offset % 2 == 0 {
            take_step(&mut rig, "pods 7, wait 60");
            assert_eq!(rig.agents[&node()].running(), 7, "{offset}\n{}", rig.describe());
        }
        take_step(&mut rig, "pods 0, wait 5400");
        assert_eq!(rig.interfaces(&node()), 1, "{offset}\n{}", rig.describe());
        rig.check_quiet();
        let is_rival = |event: &Event| matches!(event, Event::RivalFound { .. });
        assert!(!rig.events.iter().any(|(_, it)| is_rival(it)), "{offset}\n{}", rig.describe());
    }
}

/// Another operator, which was not noticed, is faster.
#[test]
fn what_another_detached_first_is_deleted() {
    for seconds in [0, 10, 19] {
        for deletes in [false, true] {
            let (mut rig, eni) = hidden();
            rig.is_stale = true;
            rig.run(Duration::from_secs(seconds));
            rig.cloud.other_detaches(eni.as_str());
            if deletes {
                rig.cloud.other_deletes(eni.as_str());
            }
            rig.run(Duration::from_mins(10));
            rig.is_stale = false;
            assert_eq!(rig.interfaces(&node()), 1, "{}", rig.describe());
            rig.check_quiet();
        }
    }
}

/// The node goes, or asks to be left alone, at every moment.
#[test]
fn a_node_that_goes_meanwhile_leaves_nothing_behind() {
    for offset in 0..80 {
        for is_ignored in [false, true] {
            let (mut rig, eni) = hidden();
            rig.cloud.detaching_takes = Duration::from_secs(3);
            rig.run(Duration::from_millis(500 * offset));
            if is_ignored {
                take_step(&mut rig, "ignored, wait 600");
            } else {
                rig.remove_node(&node());
                rig.run(Duration::from_mins(10));
            }
            let loose: Vec<&EniId> = rig.cloud.loose().map(|it| &it.eni.id).collect();
            assert!(loose.is_empty(), "{offset} {loose:?}\n{}", rig.describe());
            let is_kept = rig.cloud.enis.contains_key(&eni);
            assert_eq!(is_kept, rig.count(Api::DetachNetworkInterface) == 0, "{offset}");
        }
    }
}

#[test]
fn throttled_it_takes_longer() {
    let mut rig = rig(&format!("cloud part 0.01\n{SUBNET}nodes 30 m5.large pre 8 certain"));
    rig.grace = Duration::from_hours(1);
    rig.start();
    rig.run(Duration::from_hours(1));
    let names: Vec<NodeName> = rig.nodes.keys().cloned().collect();
    for name in &names {
        let add = format!("eni-{}", name.as_str().replace("node-", "own"));
        let added = format!("{add} of {name} at 1 own");
        crate::text::eni(&mut rig.cloud, crate::text::Words::new(&added));
    }
    rig.is_stale = true;
    rig.run(Duration::from_hours(3));
    assert_eq!(names.iter().map(|name| rig.interfaces(name)).sum::<usize>(), 30);
    assert!(rig.cloud.buckets.throttled.values().sum::<usize>() > 0, "{}", rig.describe());
    assert!(rig.are_satisfied());
    rig.is_stale = false;
    rig.check_quiet();
}

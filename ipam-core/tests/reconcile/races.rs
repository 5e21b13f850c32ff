//! Readings that are older than what they are handed in after.

use std::time::Duration;

use ipam_core::call::{Api, Read, Request};
use ipam_core::failure::Refusal;
use ipam_core::ids::NodeName;
use ipam_core::reconcile::{Event, Finding};
use ipam_core::view::Demand;

use crate::door::{check, check_on};
use crate::rig::{Fault, Rig, once};
use crate::text::rig;

const WORLD: &str = "subnet subnet-1 10.0.0.0/24\n";

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

/// A node whose interfaces were read at EC2 a moment ago, and the answer is on its way for long.
fn while_listed(text: &str) -> Rig {
    let mut rig = rig(&format!("{WORLD}{text}"));
    check_on(&mut rig, "start -> 8 on 1 by assign");
    rig.slow_readings = Duration::from_secs(10);
    let known = rig.sent.len();
    rig.run_until(|rig| rig.sent[known..].iter().any(|(_, request)| lists_enis(request)));
    rig.run(Duration::from_millis(200));
    assert!(rig.in_flight > 0, "the answer is on its way");
    rig
}

fn lists_enis(request: &Request) -> bool {
    matches!(request, Request::Read(Read::Enis { .. }))
}

#[test]
fn an_address_assigned_while_a_listing_is_on_its_way_survives_it() {
    let mut rig = while_listed("node node-1 m5.large pre 8");
    check_on(&mut rig, "used 1 -> 9 on 1 by assign");
    assert_eq!(rig.machine.node(&node()).unwrap().enis[0].ipv4.addresses.len(), 9);
}

#[test]
fn an_interface_attached_while_a_listing_is_on_its_way_survives_it() {
    let mut rig = while_listed("node node-1 m5.large pre 8");
    check_on(&mut rig, "used 7 -> 15 on 2 by assign create attach modify");
    assert_eq!(rig.machine.node(&node()).unwrap().enis.len(), 2);
}

#[test]
fn nothing_is_read_after_a_change_that_was_answered() {
    let mut rig = rig(&format!("{WORLD}node node-1 m5.large pre 8"));
    check_on(&mut rig, "start, wait 30 -> 8 on 1 by assign");
    let known = rig.sent.len();
    check_on(&mut rig, "used 7, wait 30 -> 15 on 2 by assign create attach modify");
    let read = rig.sent[known..].iter().any(|(_, request)| lists_enis(request));
    assert!(!read, "{:?}", rig.sent);
}

#[test]
fn readings_that_lag_behind_change_nothing() {
    check(
        "cloud lag 10000
         subnet subnet-1 10.0.0.0/24
         node node-1 m5.large pre 8",
        "start -> 8 on 1 by assign
         used 7 -> 15 on 2 by assign create attach modify
         wait 1800 -> 15 on 2
         used 15 -> 23 on 3 by assign create attach modify
         wait 1800 -> 23 on 3",
    );
}

#[test]
fn an_interface_that_is_not_visible_yet_is_not_made_twice() {
    for number in 0..2 {
        let mut rig = rig(&format!("{WORLD}node node-1 m5.large pre 8 addresses 8"));
        let unseen = Fault::Refused(Refusal::EniNotFound);
        rig.faults = once(Api::AttachNetworkInterface, number, unseen);
        rig.cloud.lag = Duration::from_secs(5);
        check_on(&mut rig, "start -> 8 on 1");
        let name = crate::door::take_step(&mut rig, "used 7, wait 300");
        assert_eq!((rig.available(&name), rig.interfaces(&name)), (15, 2), "{}", rig.describe());
        assert_eq!(rig.count(Api::CreateNetworkInterface), 1);
        rig.check_quiet();
    }
}

#[test]
fn what_others_change_is_found_and_kept() {
    let mut rig = rig(&format!("{WORLD}node node-1 m5.large pre 8"));
    check_on(&mut rig, "start -> 8 on 1 by assign");
    rig.cloud.other_assigns("eni-node1", 1);
    let other = rig.cloud.other_attaches("i-1", "subnet-1", 1);
    check_on(&mut rig, "wait 1800 -> 9 on 2");
    let found = |finding: &Finding| {
        let same =
            |event: &Event| matches!(event, Event::Found { finding: it, .. } if it == finding);
        rig.events.iter().filter(|(_, event)| same(event)).count()
    };
    assert_eq!(found(&Finding::EniAppeared { eni: other.clone() }), 1, "{}", rig.describe());
    let appeared = |event: &Event| {
        matches!(event, Event::Found { finding: Finding::AddressesAppeared { count: 1, .. }, .. })
    };
    assert_eq!(rig.events.iter().filter(|(_, event)| appeared(event)).count(), 1);
    rig.is_stale = true;
    rig.cloud.other_deletes(other.as_str());
    rig.run(Duration::from_mins(30));
    rig.is_stale = false;
    rig.check_quiet();
}

#[test]
fn addresses_that_others_took_away_come_back() {
    let mut rig =
        rig(&format!("{WORLD}node node-1 m5.large pre 8\neni eni-2 of node-1 at 1 addresses 8"));
    check_on(&mut rig, "start -> 8 on 2");
    rig.is_stale = true;
    rig.cloud.other_deletes("eni-2");
    rig.run(rig.settings.audit_interval * 2);
    rig.is_stale = false;
    assert_eq!(rig.available(&node()), 8, "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn the_same_events_lead_to_the_same_calls() {
    let run = || {
        let mut rig =
            rig("operator prefixes\nsubnet subnet-1 10.0.0.0/20\nnodes 20 m5.large pre 8");
        rig.faults = once(Api::AssignPrivateIpAddresses, 3, Fault::LostAfter);
        rig.start();
        rig.run(Duration::from_mins(2));
        let names: Vec<NodeName> = rig.nodes.keys().cloned().collect();
        for (used, name) in (0..).zip(&names) {
            rig.alter(name, |it| it.demand = Demand::PerIp { used: used * 7 });
        }
        rig.run(Duration::from_mins(10));
        rig.sent
    };
    assert_eq!(run(), run());
}

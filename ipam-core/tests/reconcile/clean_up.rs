//! Interfaces that Berth made and that no node claims.

use std::time::Duration;

use ipam_core::call::{Api, EniScope, Read, Request};
use ipam_core::failure::{Failure, Refusal};
use ipam_core::ids::NodeName;
use ipam_core::reconcile::{Event, Rival, RivalDeed};
use ipam_core::view::Demand;

use crate::door::alter;
use crate::rig::{Fault, Rig, always, once};
use crate::text::{Words, eni, rig};

/// One node that wants nothing, and a cluster that is called c. Looks are taken every five minutes from the start, the grace period is ten
/// minutes, and what is there at the start is 16 minutes old.
const WORLD: &str =
    "operator\nsubnet subnet-1 10.0.0.0/22\nnode node-1 m5.large pre 8 addresses 8\n";
/// An interface of this cluster, made for the instance of node-9, which is none.
const LEFT: &str = "eni eni-9 of node-9 own tags berth/cluster=c\n";

/// A cluster in which interfaces may be loose for long.
fn cluster(text: &str) -> Rig {
    let mut rig = rig(&format!("{WORLD}{text}"));
    rig.grace = Duration::from_hours(24);
    rig
}

/// Each step makes changes, lasts two minutes unless it says otherwise, and says behind `->` what was said of interfaces that no node
/// claims, and which are left: `CleanedUp eni-9, left none`.
#[track_caller]
fn check(text: &str, steps: &str) -> Rig {
    let mut rig = cluster(text);
    check_on(&mut rig, steps);
    rig
}

#[track_caller]
fn check_on(rig: &mut Rig, steps: &str) {
    for step in steps.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (changes, expected) = step.split_once(" -> ").expect("an arrow");
        let before = rig.events.len();
        let (mut name, mut lasts) = ("node-1".parse().unwrap(), Duration::from_mins(2));
        for change in changes.split(", ") {
            if !take(rig, change) {
                alter(rig, &mut name, &mut lasts, change);
            }
        }
        rig.run(lasts);
        assert_eq!(outcome(rig, before), expected, "{step}\n{}", rig.describe());
    }
}

/// The changes that the other scenarios do not know.
fn take(rig: &mut Rig, change: &str) -> bool {
    let mut words = Words::new(change);
    match words.word().expect("a change") {
        "goes" => rig.remove_node(&words.value()),
        "ends" => rig.terminate(&words.value()),
        "comes" => rig.bring_back(&words.value()),
        "made" => eni(&mut rig.cloud, words),
        "ahead" => rig.cloud.clock_ahead = Duration::from_secs(words.value()),
        "untagged" => drop(rig.cloud.ageless.insert(words.value())),
        "fails" => {
            rig.faults = match words.word() {
                Some("reading") => once_now(rig, Api::DescribeNetworkInterfaces),
                Some("lost") => always(Api::DeleteNetworkInterface, Fault::LostBefore),
                Some("unheard") => always(Api::DeleteNetworkInterface, Fault::LostAfter),
                Some("forbidden") => refused(Refusal::Unauthorized),
                Some("attached") => refused(Refusal::EniInUse),
                Some("gone") => refused(Refusal::EniNotFound),
                _ => Box::new(|_, _| None),
            }
        }
        "rivals" => {
            let names: Vec<NodeName> = rig.nodes.keys().cloned().collect();
            for name in names {
                let rival = Rival { who: "other".into(), did: RivalDeed::WrotePool };
                rig.machine.on_rival(rig.now, &name, rival);
            }
            rig.step();
        }
        _ => return false,
    }
    true
}

fn once_now(rig: &Rig, api: Api) -> crate::rig::Faults {
    once(api, rig.count(api), Fault::LostBefore)
}

fn refused(refusal: Refusal) -> crate::rig::Faults {
    always(Api::DeleteNetworkInterface, Fault::Refused(refusal))
}

fn outcome(rig: &Rig, before: usize) -> String {
    let said = rig.events[before..].iter().filter_map(|(_, event)| word(event));
    let left: Vec<&str> = rig.cloud.loose().map(|it| it.eni.id.as_str()).collect();
    let left = if left.is_empty() { "none".into() } else { left.join(" ") };
    said.chain([format!("left {left}")]).collect::<Vec<_>>().join(", ")
}

fn word(event: &Event) -> Option<String> {
    match event {
        Event::CleanedUp { eni, .. } => Some(format!("CleanedUp {eni}")),
        Event::CleanUpFailed { eni, failure: Failure::Refused { code, .. }, .. } => {
            Some(format!("{code} {eni}"))
        }
        Event::CleanUpFailed { eni, .. } => Some(format!("NoAnswer {eni}")),
        Event::WouldCleanUp { eni, .. } => Some(format!("WouldCleanUp {eni}")),
        Event::CleanUpOff => Some("CleanUpOff".into()),
        _ => None,
    }
}

fn looks(rig: &Rig) -> usize {
    let is_look = |request: &Request| {
        matches!(request, Request::Read(Read::Enis { scope: EniScope::Unattached { .. }, .. }))
    };
    rig.sent.iter().filter(|(_, request)| is_look(request)).count()
}

#[test]
fn what_no_node_claims_goes_after_two_looks() {
    let mut rig = check(
        LEFT,
        "start, wait 590 -> left eni-9
         wait 20 -> CleanedUp eni-9, left none
         wait 3600 -> left none",
    );
    assert_eq!(looks(&rig), 14, "one in five minutes");
    assert_eq!(rig.machine.totals(rig.now).unclaimed_enis, Some(0));
    rig.check_quiet();
}

#[test]
fn a_young_one_stays_until_it_is_old() {
    check(
        "",
        "start, wait 400 -> left none
         made eni-9 of node-9 own tags berth/cluster=c, wait 590 -> left eni-9
         wait 300 -> CleanedUp eni-9, left none",
    );
}

#[test]
fn without_a_readable_tag_it_is_watched_for_the_grace_period() {
    check(
        LEFT,
        "untagged eni-9, start, wait 900 -> left eni-9
         wait 20 -> CleanedUp eni-9, left none",
    );
}

/// Made 100 s before the first look, with a clock that jumps an hour ahead before the second.
#[test]
fn a_clock_that_jumps_makes_nothing_older() {
    check(
        "",
        "start, wait 200 -> left none
         made eni-9 of node-9 own tags berth/cluster=c, wait 200 -> left eni-9
         ahead 3600, wait 390 -> left eni-9
         wait 130 -> CleanedUp eni-9, left none",
    );
}

#[test]
fn what_is_others_stays() {
    let text = "eni eni-2 of node-9 own tags berth/cluster=d
        eni eni-3 of node-9 own
        eni eni-4 of node-9 tags berth/cluster=c,berth/managed=true
        eni eni-5 of node-9 own special tags berth/cluster=c
        eni eni-6 of node-9 own tags berth/cluster=c,node.k8s.amazonaws.com/no_manage=true";
    let rig = check(text, "start, wait 3600 -> left eni-2 eni-3 eni-4 eni-5 eni-6");
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 0);
}

#[test]
fn a_cluster_without_a_name_deletes_nothing_and_says_so() {
    let nameless = WORLD.replace("operator\n", "");
    let mut rig = rig(&format!("{nameless}{LEFT}"));
    rig.grace = Duration::from_hours(24);
    check_on(&mut rig, "start, wait 3600 -> CleanUpOff, left eni-9");
    assert_eq!((looks(&rig), rig.machine.totals(rig.now).unclaimed_enis), (0, None));
}

#[test]
fn without_an_interval_nobody_looks() {
    let mut rig = cluster(LEFT);
    rig.settings.clean_up.interval = None;
    check_on(&mut rig, "restart, wait 3600 -> left eni-9");
    assert_eq!(looks(&rig), 0);
}

#[test]
fn an_observer_says_once_what_it_would_delete() {
    let text = format!("operator observe\n{LEFT}");
    let rig = check(&text, "start, wait 3600 -> WouldCleanUp eni-9, left eni-9");
    assert_eq!(rig.machine.totals(rig.now).unclaimed_enis, Some(1));
}

#[test]
fn who_gives_nothing_back_deletes_nothing() {
    let text = format!("operator no-release\n{LEFT}");
    let rig = check(&text, "start, wait 3600 -> left eni-9");
    assert_eq!(rig.machine.totals(rig.now).unclaimed_enis, Some(1));
}

#[test]
fn nothing_is_deleted_beside_a_rival() {
    let text = format!(
        "{LEFT}node node-2 m5.large pre 8 addresses 8\nnode node-3 m5.large pre 8 addresses 8"
    );
    check(
        &text,
        "start, wait 500 -> left eni-9
         rivals, wait 590 -> left eni-9
         wait 600 -> CleanedUp eni-9, left none",
    );
}

#[test]
fn a_permission_that_is_missing_is_asked_for_again_by_one() {
    let text = format!("{LEFT}eni eni-8 of node-9 own tags berth/cluster=c");
    let mut rig = check(
        &text,
        "fails forbidden, start, wait 620 -> Unauthorized eni-8, Unauthorized eni-9, left eni-8 eni-9",
    );
    let missing = |event: &Event| matches!(event, Event::PermissionMissing { .. });
    assert_eq!(rig.events.iter().filter(|(_, event)| missing(event)).count(), 1);
    check_on(
        &mut rig,
        "wait 900 -> Unauthorized eni-8, left eni-8 eni-9
         fails no more, wait 1800 -> CleanedUp eni-8, CleanedUp eni-9, left none",
    );
}

#[test]
fn as_many_as_a_look_allows_and_the_oldest_first() {
    let enis: Vec<String> =
        (10..40).map(|id| LEFT.replace("eni-9", &format!("eni-{id}"))).collect();
    let mut rig = cluster(&enis.join(""));
    check_on(
        &mut rig,
        "start, wait 590 -> left eni-10 eni-11 eni-12 eni-13 eni-14 eni-15 eni-16 eni-17 eni-18 eni-19 eni-20 eni-21 eni-22 eni-23 eni-24 eni-25 eni-26 eni-27 eni-28 eni-29 eni-30 eni-31 eni-32 eni-33 eni-34 eni-35 eni-36 eni-37 eni-38 eni-39",
    );
    rig.run(Duration::from_secs(100));
    assert_eq!(rig.cloud.loose().count(), 5, "{}", rig.describe());
    rig.run(Duration::from_mins(5));
    assert_eq!(rig.cloud.loose().count(), 0, "{}", rig.describe());
}

/// The second of two pages is lost: that look shows nothing. The next one, a minute later, does.
#[test]
fn a_look_of_which_a_page_is_lost_shows_nothing() {
    let enis: Vec<String> = (1..4).map(|id| LEFT.replace("eni-9", &format!("eni-{id}"))).collect();
    let mut rig = cluster(&format!("cloud pages 2\n{}", enis.join("")));
    check_on(&mut rig, "start, wait 301 -> left eni-1 eni-2 eni-3");
    assert_eq!(looks(&rig), 2);
    rig.run_until(|rig| looks(rig) == 3);
    check_on(
        &mut rig,
        "fails reading, wait 30 -> left eni-1 eni-2 eni-3
         wait 60 -> CleanedUp eni-3, CleanedUp eni-1, CleanedUp eni-2, left none",
    );
}

#[test]
fn what_cannot_be_read_stays_and_keeps_nothing_else() {
    let text =
        format!("cloud unreadable eni-8\n{LEFT}eni eni-8 of node-9 own tags berth/cluster=c");
    check(&text, "start, wait 3600 -> CleanedUp eni-9, left eni-8");
}

#[test]
fn what_ec2_refuses_or_does_not_answer_is_looked_at_again() {
    for (fault, said) in [("attached", "EniInUse"), ("gone", "EniNotFound"), ("lost", "NoAnswer")] {
        let steps = format!(
            "fails {fault}, start, wait 630 -> {said} eni-9, left eni-9
             wait 500 -> left eni-9
             fails no more, wait 200 -> CleanedUp eni-9, left none"
        );
        check(LEFT, &steps);
    }
    check(LEFT, "fails unheard, start, wait 3600 -> NoAnswer eni-9, left none");
}

#[test]
fn a_node_that_comes_back_between_the_looks_keeps_what_is_its_own() {
    let rig = check(
        "node node-2 m5.large pre 8 addresses 8 unseen
         eni eni-9 of node-2 own tags berth/cluster=c",
        "start, goes node-2, wait 400 -> left eni-9
         comes node-2, wait 3600 -> left eni-9
         goes node-2, wait 280 -> left eni-9
         wait 330 -> CleanedUp eni-9, left none",
    );
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 1);
}

/// A node that comes after the second look and before the deletion, which waits for a token.
#[test]
fn a_node_that_comes_back_before_the_deletion_keeps_what_is_its_own() {
    let mut rig = cluster(
        "node node-2 m5.large pre 8 addresses 8 unseen\neni eni-9 of node-2 own tags berth/cluster=c",
    );
    check_on(&mut rig, "start, goes node-2, wait 500 -> left eni-9");
    rig.run_until(|rig| looks(rig) == 2);
    check_on(&mut rig, "comes node-2, wait 30 -> left eni-9");
    assert_eq!(rig.count(Api::DeleteNetworkInterface), 0);
}

#[test]
fn an_instance_that_ended_leaves_nothing_behind() {
    let mut rig = check(
        "node node-2 m5.large pre 8 outlive addresses 8
         eni eni-9 of node-2 at 1 own tags berth/cluster=c",
        "start, wait 1200 -> left none",
    );
    let stored = rig.cloud.enis.get_mut(&"eni-9".parse().unwrap()).unwrap();
    stored.eni.attachment.as_mut().unwrap().delete_on_termination = Some(false);
    check_on(
        &mut rig,
        "ends node-2, wait 280 -> left eni-9
         wait 330 -> CleanedUp eni-9, left none",
    );
}

/// The only node of a VPC is gone, and the machine goes on looking there.
#[test]
fn the_vpc_of_the_last_node_is_looked_at_all_the_same() {
    check(
        "",
        "start, wait 100 -> left none
         ends node-1, wait 100 -> left none
         made eni-9 of node-1 own tags berth/cluster=c, wait 660 -> left eni-9
         wait 300 -> CleanedUp eni-9, left none",
    );
}

/// A creation whose answer nobody heard: the operator went down with the call on its way, and so did the node.
#[test]
fn what_was_made_for_a_node_that_went_with_the_operator_is_found() {
    let mut rig = cluster("node node-2 m5.large pre 8 addresses 8");
    check_on(&mut rig, "start -> left none");
    let name: NodeName = "node-2".parse().unwrap();
    rig.alter(&name, |it| it.demand = Demand::PerIp { used: 7 });
    rig.run_until(|rig| rig.count(Api::CreateNetworkInterface) == 1);
    rig.terminate(&name);
    check_on(
        &mut rig,
        "restart, wait 590 -> left eni-new0001
         wait 200 -> CleanedUp eni-new0001, left none",
    );
    rig.check_quiet();
}

#[test]
fn a_new_leader_begins_with_no_looks() {
    check(
        LEFT,
        "start, wait 590 -> left eni-9
         restart, wait 590 -> left eni-9
         wait 20 -> CleanedUp eni-9, left none",
    );
}

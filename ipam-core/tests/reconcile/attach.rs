//! A new interface takes three calls. However they fail, none is left behind and none stays half made.

use std::time::Duration;

use ipam_core::action::Action;
use ipam_core::call::Api;
use ipam_core::failure::Refusal;
use ipam_core::ids::NodeName;
use ipam_core::policy::NO_MANAGE_TAG;
use ipam_core::reconcile::Event;
use ipam_core::view::Demand;

use crate::door::{check, check_on, labels, take_step};
use crate::rig::{Fault, Rig};
use crate::text::rig;

const WORLD: &str = "subnet subnet-1 10.0.0.0/24\nnode node-1 m5.large pre 8 addresses 8\n";

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

#[test]
fn all_orders_of_failures() {
    use Fault::{LostAfter, LostAndLate, LostBefore, NotSent};
    let lost = [LostBefore, LostAfter, LostAndLate, NotSent].map(Some);
    let refused = |refusals: &[Refusal]| -> Vec<Option<Fault>> {
        let faults = refusals.iter().map(|it| Some(Fault::Refused(*it)));
        faults.chain(lost).chain([None]).collect()
    };
    let create = refused(&[Refusal::TagRace, Refusal::SecurityGroupNotFound]);
    let attach = refused(&[
        Refusal::IndexTaken,
        Refusal::InstanceNotRunning,
        Refusal::EniHoldsTooMuch,
        Refusal::InstanceFull,
        Refusal::EniNotFound,
        Refusal::EniInUse,
    ]);
    let modify = refused(&[Refusal::AttachmentNotFound, Refusal::EniNotFound, Refusal::TagRace]);
    for first in &create {
        for second in &attach {
            for third in &modify {
                fail_each_once([*first, *second, *third]);
            }
        }
    }
}

fn fail_each_once(faults: [Option<Fault>; 3]) {
    let mut rig = rig(WORLD);
    rig.faults = Box::new(move |call, before| {
        let fault = match call.request.api() {
            Api::CreateNetworkInterface => faults[0],
            Api::AttachNetworkInterface => faults[1],
            Api::ModifyNetworkInterfaceAttribute => faults[2],
            _ => None,
        };
        fault.filter(|_| before == 0)
    });
    take_step(&mut rig, "start, used 7, wait 1800");
    assert!(rig.are_satisfied(), "{faults:?}\n{}", rig.describe());
    assert!(rig.changes().count() <= 10, "{faults:?}\n{}", rig.describe());
    rig.check_quiet();
}

/// A creation is sent again with its token. What is refused then may still have been made before.
#[test]
fn a_creation_lost_and_then_refused_is_not_left_behind() {
    for refusal in [Refusal::EniQuota, Refusal::Unauthorized, Refusal::Unknown] {
        for first in [Fault::LostAfter, Fault::LostAndLate] {
            let mut rig = rig(WORLD);
            rig.faults = Box::new(move |call, before| match (call.request.api(), before) {
                (Api::CreateNetworkInterface, 0) => Some(first),
                (Api::CreateNetworkInterface, 1) => Some(Fault::Refused(refusal)),
                _ => None,
            });
            take_step(&mut rig, "start, used 7, wait 3600");
            assert!(rig.are_satisfied(), "{refusal:?}\n{}", rig.describe());
            rig.check_quiet();
        }
    }
}

/// A listing finds the interface and it is attached; then a repeated creation is answered at last, by what it was when it was made.
#[test]
fn an_answer_to_a_creation_that_is_late_changes_nothing() {
    let mut rig = rig(WORLD);
    rig.faults = Box::new(|call, before| match (call.request.api(), before) {
        (Api::CreateNetworkInterface, 0) => Some(Fault::LostAfter),
        (Api::CreateNetworkInterface, 1) => Some(Fault::AnswersLate(Duration::from_mins(1))),
        _ => None,
    });
    let name = take_step(&mut rig, "start, wait 890");
    rig.alter(&name, |it| it.demand = Demand::PerIp { used: 7 });
    rig.run_until(|rig| rig.available(&"node-1".parse().unwrap()) == 15);
    let is_answered = |rig: &Rig| {
        let is_made =
            |it: &&(_, Event)| matches!(&it.1, Event::Changed { action: Action::CreateEni(_), .. });
        rig.events.iter().filter(is_made).count() == 1
    };
    assert!(!is_answered(&rig), "{}", rig.describe());
    for _ in 0..300 {
        rig.run(Duration::from_secs(1));
        assert_eq!(rig.available(&name), 15, "{}", rig.describe());
    }
    assert!(is_answered(&rig), "{}", rig.describe());
    assert_eq!(rig.count(Api::AttachNetworkInterface), 1, "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn somebody_else_takes_the_index_first() {
    let mut rig = rig(WORLD);
    check_on(&mut rig, "start -> 8 on 1");
    rig.later(Duration::from_millis(300), |rig| {
        rig.cloud.other_attaches("i-1", "subnet-1", 1);
    });
    let name = take_step(&mut rig, "used 7, wait 600");
    assert_eq!((rig.available(&name), rig.interfaces(&name)), (15, 3), "{}", rig.describe());
    assert_eq!(rig.count(Api::CreateNetworkInterface), 1, "{}", rig.describe());
    rig.run(rig.settings.audit_interval * 2);
    rig.check_quiet();
}

/// However often it is lost or refused when it is sent again: the first attempt made an interface.
#[test]
fn a_creation_lost_and_then_refused_for_long_is_not_left_behind() {
    const MADE: Fault = Fault::LostAfter;
    const LOST: Fault = Fault::LostBefore;
    const RACE: Fault = Fault::Refused(Refusal::TagRace);
    const QUOTA: Fault = Fault::Refused(Refusal::EniQuota);
    let check = |faults: &'static [Fault]| {
        let mut rig = rig(WORLD);
        rig.faults = Box::new(move |call, before| match call.request.api() {
            Api::CreateNetworkInterface => faults.get(before).copied(),
            _ => None,
        });
        rig.grace = Duration::from_mins(15);
        take_step(&mut rig, "start, used 7, wait 7200");
        assert!(rig.are_satisfied(), "{faults:?}\n{}", rig.describe());
        rig.check_quiet();
    };
    check(&[MADE, RACE, RACE]);
    check(&[MADE, RACE, RACE, RACE, RACE, RACE, RACE, RACE]);
    check(&[MADE, RACE, RACE, LOST, LOST, RACE]);
    check(&[MADE, LOST, LOST, LOST, LOST, QUOTA]);
    check(&[MADE, LOST, LOST, LOST, LOST, LOST, LOST, LOST, LOST]);
}

/// The node has all the interfaces it can have by the time the one is found that a lost creation made.
#[test]
fn an_interface_of_a_lost_creation_that_has_no_place_any_more_is_deleted() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/24\nnode node-1 t3.medium pre 8 addresses 5");
    rig.faults = Box::new(|call, before| match (call.request.api(), before) {
        (Api::CreateNetworkInterface, 0) => Some(Fault::LostAfter),
        (Api::CreateNetworkInterface, 2 | 3 | 6) => Some(Fault::Refused(Refusal::TagRace)),
        (Api::CreateNetworkInterface, 4 | 5) => Some(Fault::LostBefore),
        _ => None,
    });
    rig.grace = Duration::from_mins(15);
    take_step(&mut rig, "start, used 7, wait 7200");
    assert!(rig.are_satisfied(), "{}", rig.describe());
    rig.check_quiet();
}

/// Nobody asks for the node any more by the time the creation is given up that made an interface.
#[test]
fn an_interface_of_a_lost_creation_of_a_node_that_is_gone_is_deleted() {
    let mut rig = rig(WORLD);
    rig.faults = Box::new(|call, before| match (call.request.api(), before) {
        (Api::CreateNetworkInterface, 0) => Some(Fault::LostAfter),
        (Api::CreateNetworkInterface, _) => Some(Fault::Refused(Refusal::TagRace)),
        _ => None,
    });
    take_step(&mut rig, "start, used 7, wait 10");
    rig.remove_node(&node());
    rig.run(Duration::from_mins(10));
    rig.check_quiet();
}

/// The listing that finds what a lost creation made is due when the audit plans its next one, among so many
/// interfaces that it reads the nodes alone.
#[test]
fn the_audit_does_not_put_off_the_listing_after_a_lost_creation() {
    for second in (860..900).step_by(4) {
        let mut rig =
            rig(&format!("{WORLD}subnet subnet-2 10.0.8.0/21\nstrangers 1001 in subnet-2"));
        rig.faults = Box::new(|call, before| match (call.request.api(), before) {
            (Api::CreateNetworkInterface, 0) => Some(Fault::LostAfter),
            (Api::CreateNetworkInterface, 1..=4) => Some(Fault::Refused(Refusal::TagRace)),
            _ => None,
        });
        take_step(&mut rig, &format!("start, wait {second}"));
        take_step(&mut rig, "used 7, wait 180");
        assert!(rig.are_satisfied(), "used at {second}\n{}", rig.describe());
        rig.check_quiet();
    }
}

/// An attachment hangs, and what was to be attached is given up for another reason meanwhile.
#[test]
fn an_interface_is_not_deleted_while_it_is_being_attached() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/24
         node node-1 m5.large pre 8 addresses 8
         node node-2 m5.large pre 8 addresses 8");
    rig.faults = Box::new(|call, before| match (call.request.api(), before) {
        (Api::AttachNetworkInterface, 0) => Some(Fault::Hangs),
        (Api::AttachNetworkInterface, 1..4) => Some(Fault::Refused(Refusal::Unauthorized)),
        _ => None,
    });
    rig.grace = Duration::from_mins(20);
    take_step(&mut rig, "start, used 7, wait 10");
    take_step(&mut rig, "on node-2, used 7, wait 580");
    let deletes = |rig: &Rig, name: &str| {
        let is_delete = |(node, action): &(&NodeName, &Action)| {
            node.as_str() == name && matches!(action, Action::DeleteEni { .. })
        };
        rig.changes().filter(is_delete).count()
    };
    assert_eq!(deletes(&rig, "node-1"), 0, "{}", rig.describe());
    rig.run(Duration::from_hours(1));
    assert!(rig.are_satisfied(), "{}", rig.describe());
    rig.check_quiet();
}

/// Two interfaces are on their way when somebody else takes the place of one of them.
#[test]
fn an_interface_whose_place_somebody_else_took_is_deleted() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/24
         node node-1 c5.xlarge pre 8 addresses 14
         eni eni-2 of node-1 at 1 addresses 14");
    check_on(&mut rig, "start -> 28 on 2");
    rig.later(Duration::from_millis(300), |rig| {
        rig.cloud.other_attaches("i-1", "subnet-1", 2);
    });
    let name = take_step(&mut rig, "used 38, wait 3600");
    assert!(rig.is_satisfied(&name), "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn the_instance_is_full_with_an_interface_that_was_not_seen() {
    let mut rig = rig(&format!("{WORLD}eni eni-2 of node-1 at 1 addresses 9"));
    check_on(&mut rig, "start -> 17 on 2");
    let other = rig.cloud.other_attaches("i-1", "subnet-1", 2);
    rig.cloud.enis.get_mut(&other).unwrap().eni.tags.insert(NO_MANAGE_TAG.into(), "true".into());
    rig.cloud.changed(&other);
    check_on(&mut rig, "used 12, wait 3600 -> 18 on 3 InstanceFull by assign create attach delete");
}

#[test]
fn an_unseen_interface_that_may_be_used_is_used() {
    let mut rig = rig(&format!("{WORLD}eni eni-2 of node-1 at 1 addresses 9"));
    check_on(&mut rig, "start -> 17 on 2");
    rig.cloud.other_attaches("i-1", "subnet-1", 2);
    check_on(&mut rig, "used 12 -> 20 on 3 by assign create attach delete assign");
}

#[test]
fn an_instance_that_is_not_running_is_waited_for() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/24\nnode node-1 m4.large pre 8 first 1 stopped");
    rig.grace = Duration::from_mins(30);
    take_step(&mut rig, "start, wait 240");
    assert_eq!(labels(&rig, &node()), ["InstanceNotRunning"], "{}", rig.describe());
    assert_eq!(rig.count(Api::CreateNetworkInterface), 1, "{}", rig.describe());
    assert!(rig.count(Api::AttachNetworkInterface) <= 5, "{}", rig.describe());
    let name = take_step(&mut rig, "running, wait 240");
    assert_eq!((rig.available(&name), rig.interfaces(&name)), (8, 2), "{}", rig.describe());
    rig.check_quiet();
}

#[test]
fn an_instance_that_never_runs_keeps_no_interface_waiting() {
    let mut rig = rig("subnet subnet-1 10.0.0.0/24\nnode node-1 m4.large pre 8 first 1 stopped");
    rig.grace = Duration::from_mins(15);
    rig.start();
    rig.run(Duration::from_hours(2));
    assert_eq!(labels(&rig, &node()), ["InstanceNotRunning"], "{}", rig.describe());
    assert!(rig.count(Api::CreateNetworkInterface) <= 12, "{}", rig.describe());
}

/// The table knows more slots than the instance takes.
#[test]
fn an_interface_that_holds_too_much_is_deleted_and_the_node_says_why() {
    let mut rig = rig("operator unlearned
         type m5.large 3 6 6
         subnet subnet-1 10.0.0.0/24
         node node-1 m5.large pre 8 first 1");
    take_step(&mut rig, "start, wait 3600");
    assert!(rig.are_satisfied() || !labels(&rig, &node()).is_empty(), "{}", rig.describe());
    assert!(rig.count(Api::CreateNetworkInterface) <= 70, "{}", rig.describe());
    rig.grace = Duration::from_mins(5);
    rig.audit();
}

#[test]
fn an_interface_that_was_made_before_a_restart_is_attached() {
    check(
        "subnet subnet-1 10.0.0.0/24
         node node-1 m5.large pre 8 used 7 addresses 9
         eni eni-2 of node-1 own addresses 8",
        "start -> 17 on 2 by attach modify",
    );
}

#[test]
fn an_interface_that_would_outlive_its_node_is_repaired() {
    let mut rig = rig(WORLD);
    rig.cloud.enis.values_mut().for_each(|stored| {
        stored.eni.tags.insert("berth/managed".into(), "true".into());
    });
    check_on(&mut rig, "start -> 8 on 1");
    check_on(&mut rig, "used 7 -> 15 on 2 by assign create attach modify");
    assert_half_made_is_repaired(rig);
}

fn assert_half_made_is_repaired(mut rig: Rig) {
    let id = "eni-new0001".parse().unwrap();
    let stored = rig.cloud.enis.get_mut(&id).unwrap();
    stored.eni.attachment.as_mut().unwrap().delete_on_termination = Some(false);
    rig.cloud.changed(&id);
    check_on(&mut rig, "wait 1800 -> 15 on 2 by modify");
}

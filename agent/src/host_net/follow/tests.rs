//! The task on a kernel that is a model, in a time that passes when nobody has anything to do.

mod bed;

use std::time::Duration;

use tokio::time::sleep;

use self::bed::{Bed, PODS, RULES};
use super::Options;
use super::aim::{Pinned, wanted};

/// What is wanted of a CIDR and its interface each, when the keeper says this and ADDs in flight have been granted that.
#[track_caller]
fn check_used(said: &str, pinned: &[(&str, &str)], expected: &[(&str, &str)]) {
    let parse = |pairs: &[(&str, &str)]| -> Pinned {
        pairs.iter().map(|(cidr, eni)| (cidr.parse().unwrap(), eni.parse().unwrap())).collect()
    };
    let wanted = wanted(&bed::status(said), &parse(pinned), &Options::default());
    assert_eq!(wanted.used, parse(expected));
    let [eni] = wanted.enis.values().collect::<Vec<_>>()[..] else { panic!("{wanted:?}") };
    assert_eq!((eni.mac.as_str(), eni.number), ("02:00:00:00:00:01", 1));
}

#[test]
fn wanted_is_what_is_used_or_granted() {
    check_used("", &[], &[]);
    check_used("10.0.1.16/28 0", &[], &[]);
    check_used("10.0.1.16/28 3", &[], &[("10.0.1.16/28", "eni-1")]);
    let granted = ("10.0.1.32/28", "eni-2");
    check_used("10.0.1.16/28 0", &[granted], &[granted]);
    // It has moved since.
    check_used("10.0.1.16/28 1", &[("10.0.1.16/28", "eni-2")], &[("10.0.1.16/28", "eni-1")]);
}

#[tokio::test(start_paused = true)]
async fn an_add_waits_for_its_rules_and_no_other_does() {
    let bed = Bed::start("");
    bed.expect("").await;
    bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap();
    bed.expect(RULES).await;
    bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap();
    assert_eq!(bed.told().ensured, ["waited", "ready"]);
}

#[tokio::test(start_paused = true)]
async fn rules_go_with_the_last_user_and_no_sooner() {
    let bed = Bed::start("");
    bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap();
    // The keeper has not shown it yet.
    bed.show("10.0.1.16/28 0");
    sleep(Duration::from_secs(5)).await;
    bed.expect(RULES).await;
    bed.show("10.0.1.16/28 1");
    bed.expect(RULES).await;
    bed.show("10.0.1.16/28 2");
    bed.expect(RULES).await;
    bed.show("10.0.1.16/28 0");
    bed.expect("").await;
}

#[tokio::test(start_paused = true)]
async fn a_pin_that_nothing_comes_of_is_dropped() {
    let bed = Bed::start("");
    bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap();
    sleep(Duration::from_mins(1)).await;
    // A keeper that shows nothing any more says nothing about who uses what.
    bed.expect(RULES).await;
    bed.show("10.0.1.16/28 0");
    bed.expect("").await;
}

#[tokio::test(start_paused = true)]
async fn an_address_that_comes_back_while_its_rules_go_gets_them_again() {
    let bed = Bed::start("10.0.1.16/28 1");
    bed.expect(RULES).await;
    for _ in 0..20 {
        // The removal is under way, or just about to be, when the next ADD looks.
        bed.show("10.0.1.16/28 0");
        tokio::task::yield_now().await;
        bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap();
        assert_eq!(bed.rules(), bed::lines(RULES));
        bed.show("10.0.1.16/28 1");
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_what_is_used_and_removes_what_is_not() {
    let bed = Bed::start_on(
        &format!(
            "{PODS} up
            route 10.0.1.1/32 table 11 device 3
            route default table 11 via 10.0.1.1 device 3
            rule 20: to 10.0.9.9/32 table 254
            {RULES}"
        ),
        "10.0.1.16/28 1",
    );
    bed.expect(RULES).await;
    assert_eq!(bed.told().changes, [("wanted", 1)]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_removed_before_the_keeper_knows_all() {
    let bed = Bed::start_on(&format!("{PODS}\n{RULES}"), "not ready");
    sleep(Duration::from_mins(1)).await;
    assert_eq!(bed.rules(), bed::lines(RULES));
    bed.show("ready");
    bed.expect("").await;
}

#[tokio::test(start_paused = true)]
async fn a_device_that_comes_late_is_awaited() {
    let bed = Bed::start_on("", "10.0.1.16/28 1");
    bed.expect("rule 20: to 10.0.1.16/28 table 254").await;
    let view = bed.told().views.pop().unwrap();
    assert!(view.ready.is_empty(), "{view:?}");
    let problem = &view.problems[&bed::eni()];
    assert_eq!(problem, "no device with the MAC 02:00:00:00:00:01 (yet)");
    let refused = bed.handle.ensure(&bed.leases(&["10.0.1.32/28"])).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the host's network is not ready for 10.0.1.32/28 of eni-1 after 3 s: no device with the MAC 02:00:00:00:00:01 (yet)"
    );
    bed.change(PODS);
    bed.show("10.0.1.16/28 1");
    bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap();
    let view = bed.told().views.pop().unwrap();
    assert!(view.ready.contains(&bed::eni()) && view.problems.is_empty(), "{view:?}");
    // It was not there before: nobody has changed anything.
    assert!(bed.told().changes.iter().all(|(cause, _)| *cause == "wanted"));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_somebody_removes_is_made_again() {
    let bed = Bed::start("10.0.1.16/28 1");
    bed.expect(RULES).await;
    bed.remove_rules();
    bed.expect(RULES).await;
    assert_eq!(bed.told().changes.pop(), Some(("drift", 2)));
    // Once is an accident.
    assert!(bed.told().views.pop().unwrap().problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_removes_it_again_and_again_is_reported_and_outlasted() {
    let bed = Bed::start("10.0.1.16/28 1");
    bed.expect(RULES).await;
    let before = bed.looks();
    for _ in 0..300 {
        bed.remove_rules();
        sleep(Duration::from_millis(100)).await;
    }
    // In half a minute of a fight: not at each blow, and never later than every 4 s.
    let looks = bed.looks() - before;
    assert!((8..40).contains(&looks), "{looks}");
    let view = bed.told().views.pop().unwrap();
    let problem = &view.problems[&bed::eni()];
    assert!(problem.starts_with("something else on the host undoes this again"), "{problem}");
    assert!(view.ready.contains(&bed::eni()), "{view:?}");
    bed.expect(RULES).await;
    // An ADD does not wait for the end of the fight.
    bed.handle.ensure(&bed.leases(&["10.0.1.32/28"])).await.unwrap();
    sleep(Duration::from_secs(70)).await;
    assert!(bed.told().views.pop().unwrap().problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_add_finds_out_that_its_rules_were_removed() {
    let bed = Bed::start("10.0.1.16/28 1");
    bed.expect(RULES).await;
    bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap();
    bed.remove_rules();
    tokio::task::yield_now().await;
    bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap();
    assert_eq!(bed.rules(), bed::lines(RULES));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_a_problem_of_its_interface_and_tried_again() {
    let bed = Bed::start("");
    bed.expect("").await;
    bed.refuse(Some("Operation not permitted"));
    let refused = bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap_err();
    let text = "add rule 20: to 10.0.1.16/28 table 254 failed: Operation not permitted";
    assert_eq!(refused.problem, text);
    let view = bed.told().views.pop().unwrap();
    assert_eq!(view.problems[&bed::eni()], text);
    assert!(!view.ready.contains(&bed::eni()));
    let views = bed.told().views.len();
    let before = bed.looks();
    sleep(Duration::from_secs(10)).await;
    assert!((2..20).contains(&(bed.looks() - before)), "{}", bed.looks() - before);
    assert_eq!(bed.told().views.len(), views, "nothing new was said");
    bed.refuse(None);
    bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_kernel_that_does_not_answer_is_asked_again() {
    let bed = Bed::start("10.0.1.16/28 1");
    bed.expect(RULES).await;
    bed.lose(true);
    bed.remove_rules();
    tokio::task::yield_now().await;
    let refused = bed.handle.ensure(&bed.leases(&["10.0.1.16/28"])).await.unwrap_err();
    let text = "the host's network cannot be read: the netlink socket is closed";
    assert_eq!(refused.problem, text);
    let view = bed.told().views.pop().unwrap();
    assert!(view.ready.is_empty() && view.problems.values().all(|problem| problem == text));
    let opened = bed.opened();
    bed.lose(false);
    bed.expect(RULES).await;
    assert!(bed.opened() > opened);
    let view = bed.told().views.pop().unwrap();
    assert!(view.ready.contains(&bed::eni()) && view.problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_look_that_fails_takes_no_interface_out_of_use() {
    let bed = Bed::start("10.0.1.16/28 1");
    bed.expect(RULES).await;
    let views = bed.told().views;
    bed.lose(true);
    bed.remove_rules();
    sleep(Duration::from_millis(50)).await;
    // An ADD is not answered without its rules all the same.
    let (handle, leases) = (bed.handle.clone(), bed.leases(&["10.0.1.16/28"]));
    let ensured = tokio::spawn(async move { handle.ensure(&leases).await });
    bed.lose(false);
    ensured.await.unwrap().unwrap();
    assert_eq!(bed.rules(), bed::lines(RULES));
    assert_eq!(bed.told().views, views);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_as_it_should_be_costs_a_look_every_4_s() {
    let bed = Bed::start("10.0.1.16/28 1");
    bed.expect(RULES).await;
    let before = bed.looks();
    for _ in 0..400 {
        // The keeper renews what it shows although nothing has changed.
        bed.show("10.0.1.16/28 1");
        sleep(Duration::from_millis(100)).await;
    }
    assert!((8..=12).contains(&(bed.looks() - before)), "{}", bed.looks() - before);
    assert_eq!(bed.told().views.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_and_ten_adds_at_once_share_their_looks() {
    let bed = Bed::start("");
    bed.expect("").await;
    let before = bed.looks();
    let cidrs: Vec<String> = (0..110).map(|last| format!("10.0.1.{}/32", 16 + last)).collect();
    let ensured = cidrs.iter().map(|cidr| {
        let (handle, leases) = (bed.handle.clone(), bed.leases(&[cidr]));
        async move { handle.ensure(&leases).await }
    });
    futures::future::try_join_all(ensured).await.unwrap();
    assert_eq!(bed.rules().len(), 220);
    assert!(bed.looks() - before <= 3, "{}", bed.looks() - before);
}

#[tokio::test(start_paused = true)]
async fn a_node_without_secondary_interfaces_is_reported_too() {
    let bed = Bed::start_on("", "alone");
    bed.expect("").await;
    let views = bed.told().views;
    assert_eq!(views, [ipam_core::agent::HostView::default()]);
}

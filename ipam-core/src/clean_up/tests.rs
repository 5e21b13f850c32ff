//! Looks at what is attached to nothing, and what is said of it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::SplitWhitespace;
use core::time::Duration;

use super::*;
use crate::action::eni_description;
use crate::call::Page;
use crate::policy::{CILIUM_MANAGED_TAG, NO_MANAGE_TAG, PolicySettings};
use crate::view::{Attachment, AttachmentState, EniView, Ipv4Held, Ipv6Held};

fn seconds(words: &mut SplitWhitespace<'_>) -> Duration {
    Duration::from_secs(words.next().unwrap().parse().unwrap())
}

/// `eni-1`, made for i-9 by cluster c, of an age in seconds or without one, and what else its words say.
fn listed(text: &str) -> ListedEni {
    let mut words = text.split_whitespace();
    let mut eni = EniView {
        id: words.next().unwrap().parse().unwrap(),
        kind: EniKind::Ordinary,
        mac: None,
        description: eni_description(&"i-9".parse().unwrap()),
        attachment: None,
        subnet: "subnet-1".parse().unwrap(),
        vpc: "vpc-1".parse().unwrap(),
        ipv4: Ipv4Held {
            primary: [10, 0, 0, 9].into(),
            addresses: Vec::new(),
            prefixes: Vec::new(),
        },
        ipv6: Ipv6Held::default(),
        security_groups: Vec::new(),
        tags: [(MANAGED_TAG.into(), "true".into()), (CLUSTER_TAG.into(), "c".into())].into(),
        public_ip: None,
    };
    let (mut instance, mut age) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "age" => age = Some(seconds(&mut words)),
            "of" => eni.description = eni_description(&words.next().unwrap().parse().unwrap()),
            "described" => eni.description = words.next().unwrap().into(),
            "cluster" => drop(eni.tags.insert(CLUSTER_TAG.into(), words.next().unwrap().into())),
            "nameless" => drop(eni.tags.remove(CLUSTER_TAG)),
            "cilium's" => {
                eni.tags.remove(MANAGED_TAG);
                eni.tags.insert(CILIUM_MANAGED_TAG.into(), "true".into());
            }
            "foreign" => drop(eni.tags.insert(NO_MANAGE_TAG.into(), "true".into())),
            "special" => eni.kind = EniKind::Special,
            "attached" => instance = Some("i-9".parse().unwrap()),
            "held" => {
                let state = AttachmentState::Detaching;
                eni.attachment = Some(Attachment {
                    id: None,
                    device_index: 1,
                    network_card: 0,
                    state,
                    delete_on_termination: None,
                });
            }
            other => panic!("an interface has no {other:?}"),
        }
    }
    ListedEni { eni, instance, age }
}

fn rule(per_pass: u32, cluster: &str) -> Option<Rule> {
    let cluster = Some(cluster.into()).filter(|_| !cluster.is_empty());
    let policy = Policy::new(PolicySettings { cluster, ..PolicySettings::default() }).unwrap();
    let grace = Duration::from_mins(10);
    let settings = CleanUpSettings { interval: None, grace, per_pass };
    Rule::new(&policy, &settings, Duration::from_mins(5))
}

/// One look: `SENT..DONE` in seconds, then interfaces with `;` between and pages with `|`, the words `and more` at the end when the last
/// page did not come. i-1 is a node's.
fn look_at(rule: &Rule, sights: &mut Sights, text: &str) -> String {
    let (times, enis) = text.split_once(": ").expect("times");
    let (sent, done) = times.split_once("..").unwrap_or((times, times));
    let tick = |text: &str| Tick::from_millis(text.parse::<u64>().unwrap() * 1000);
    let mut look = Look::new(tick(sent));
    let (enis, is_cut) = enis.strip_suffix(" and more").map_or((enis, false), |it| (it, true));
    let pages: Vec<&str> = enis.split(" | ").collect();
    for (number, page) in pages.iter().enumerate() {
        let items = page.split("; ").filter(|it| *it != "nothing").map(listed).collect();
        let goes_on = is_cut || number + 1 < pages.len();
        let next = goes_on.then(|| PageToken("next".into()));
        assert_eq!(look.add(Page { items, unreadable: Vec::new(), next: next.clone() }), next);
    }
    let is_node = |instance: &InstanceId| instance.as_str() == "i-1";
    let verdicts = rule.judge(&look, sights, tick(done), is_node);
    let line = |it: &Verdict<'_>| format!("{} {}", it.listed.eni.id, it.judgement.label());
    let lines: Vec<String> = verdicts.iter().map(line).collect();
    if lines.is_empty() { "nothing".into() } else { lines.join(", ") }
}

/// Looks, one a line, with what is said of what they show behind `->`, oldest first. The grace period is 600 s, looks have to be
/// 300 s apart, and three interfaces go at a time.
#[track_caller]
fn check(looks: &str) {
    let (rule, mut sights) = (rule(3, "c").unwrap(), Sights::default());
    for look in looks.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (shown, expected) = look.split_once(" -> ").expect("an arrow");
        assert_eq!(look_at(&rule, &mut sights, shown), expected, "{look}");
    }
}

#[test]
fn two_looks_apart_and_the_grace_period() {
    check(
        "0: eni-1 age 900 -> eni-1 SeenOnce
         299: eni-1 age 1199 -> eni-1 SeenBriefly
         300: eni-1 age 1200 -> eni-1 Due",
    );
    check(
        "0: eni-1 age 0 -> eni-1 Young
         300: eni-1 age 300 -> eni-1 Young
         599: eni-1 age 599 -> eni-1 Young
         600: eni-1 age 600 -> eni-1 Due",
    );
}

#[test]
fn what_stays_whatever_its_age() {
    let stays = [
        ("cluster d", "NotOurs"),
        ("cluster C", "NotOurs"),
        ("cluster c*", "NotOurs"),
        ("nameless", "NotOurs"),
        ("cilium's", "NotOurs"),
        ("foreign", "Foreign"),
        ("special", "Special"),
        ("attached", "Attached"),
        ("held", "Attached"),
        ("described Cilium-CNI", "NotMadeForInstance"),
        ("described web(i-9)", "NotMadeForInstance"),
        ("of i-1", "Claimed"),
    ];
    for (words, label) in stays {
        let looks =
            [0, 600, 9000].map(|at| format!("{at}: eni-1 age 9999 {words} -> eni-1 {label}"));
        check(&looks.join("\n"));
    }
}

#[test]
fn a_cluster_without_a_name_has_no_rule() {
    assert!(rule(25, "").is_none());
}

#[test]
fn without_a_tag_it_has_to_be_watched_for_the_grace_period() {
    check(
        "0: eni-1 -> eni-1 AgeUnknown
         300: eni-1 -> eni-1 AgeUnknown
         599: eni-1 -> eni-1 AgeUnknown
         600: eni-1 -> eni-1 Due",
    );
}

/// A reading is as old as its first page when it shows for how long, and as new as its end when it starts the count.
#[test]
fn the_time_between_looks_is_the_least_that_it_can_be() {
    check(
        "0..100: eni-1 age 900 -> eni-1 SeenOnce
         399..500: eni-1 age 1300 -> eni-1 SeenBriefly
         400..500: eni-1 age 1300 -> eni-1 Due",
    );
}

#[test]
fn a_clock_that_jumps_makes_nothing_older() {
    check(
        "0: eni-1 age 10 -> eni-1 Young
         300: eni-1 age 3910 -> eni-1 Young
         589: eni-1 age 4199 -> eni-1 Young
         590: eni-1 age 4200 -> eni-1 Due",
    );
    check(
        "0: eni-1 age 4000 -> eni-1 SeenOnce
         300: eni-1 age 0 -> eni-1 Young
         900: eni-1 age 600 -> eni-1 Due",
    );
}

/// The clock was wrong all along: the watched time is all there is.
#[test]
fn a_fresh_interface_that_looks_old_is_watched_all_the_same() {
    check(
        "0: eni-1 age 99999 -> eni-1 SeenOnce
         299: eni-1 age 99999 -> eni-1 SeenBriefly
         310: nothing -> nothing",
    );
}

#[test]
fn a_tag_that_comes_or_goes_tells_nothing() {
    check(
        "0: eni-1 -> eni-1 AgeUnknown
         300: eni-1 age 900 -> eni-1 AgeUnknown
         600: eni-1 age 1200 -> eni-1 Due",
    );
    check(
        "0: eni-1 age 900 -> eni-1 SeenOnce
         300: eni-1 -> eni-1 AgeUnknown",
    );
}

#[test]
fn a_look_that_is_not_whole_shows_nothing() {
    check(
        "0: eni-1 age 900 -> eni-1 SeenOnce
         300: eni-1 age 1200 and more -> nothing
         310: nothing and more -> nothing
         320: eni-1 age 1220 -> eni-1 Due",
    );
    check(
        "0: eni-1 age 900 and more -> nothing
         300: eni-1 age 1200 -> eni-1 SeenOnce",
    );
}

#[test]
fn pages_are_one_look() {
    check(
        "0: eni-1 age 900 | eni-2 age 901 -> eni-2 SeenOnce, eni-1 SeenOnce
         300: eni-1 age 1200 | eni-2 age 1201; eni-1 age 1200 -> eni-2 Due, eni-1 Due",
    );
}

#[test]
fn what_a_look_does_not_show_or_a_node_claims_starts_anew() {
    check(
        "0: eni-1 age 900 -> eni-1 SeenOnce
         200: nothing -> nothing
         400: eni-1 age 1300 -> eni-1 SeenOnce
         700: eni-1 age 1600 -> eni-1 Due",
    );
    check(
        "0: eni-1 age 900 -> eni-1 SeenOnce
         200: eni-1 age 1100 attached -> eni-1 Attached
         400: eni-1 age 1300 -> eni-1 SeenOnce",
    );
    check(
        "0: eni-1 age 900 -> eni-1 SeenOnce
         200: eni-1 age 1100 of i-1 -> eni-1 Claimed
         400: eni-1 age 1300 -> eni-1 SeenOnce",
    );
}

#[test]
fn no_more_than_a_look_allows_and_the_oldest_first() {
    check(
        "0: eni-1 age 700; eni-2 age 900; eni-3; eni-4 age 800; eni-5 age 5 -> \
         eni-2 SeenOnce, eni-4 SeenOnce, eni-1 SeenOnce, eni-5 Young, eni-3 AgeUnknown
         700: eni-1 age 1400; eni-2 age 1600; eni-3; eni-4 age 1500; eni-5 age 705 -> \
         eni-2 Due, eni-4 Due, eni-1 Due, eni-5 Later, eni-3 Later",
    );
}

#[test]
fn what_was_asked_to_be_deleted_needs_two_more_looks() {
    let (rule, mut sights) = (rule(3, "c").unwrap(), Sights::default());
    let mut said = |text: &str, forgets: bool| {
        let said = look_at(&rule, &mut sights, text);
        if forgets {
            sights.forget(&"eni-1".parse().unwrap());
        }
        said
    };
    assert_eq!(said("0: eni-1 age 900", false), "eni-1 SeenOnce");
    assert_eq!(said("300: eni-1 age 1200", true), "eni-1 Due");
    assert_eq!(said("600: eni-1 age 1500", false), "eni-1 SeenOnce");
    assert_eq!(said("900: eni-1 age 1800", false), "eni-1 Due");
}

#[test]
fn as_many_as_nothing() {
    let (rule, mut sights) = (rule(0, "c").unwrap(), Sights::default());
    assert_eq!(look_at(&rule, &mut sights, "0: eni-1 age 900"), "eni-1 SeenOnce");
    assert_eq!(look_at(&rule, &mut sights, "300: eni-1 age 1200"), "eni-1 Later");
}

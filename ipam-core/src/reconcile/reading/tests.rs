//! One interface that is known, one reading of it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::Ipv4Addr;
use core::time::Duration;

use super::*;
use crate::reconcile::NodeSeen;
use crate::view::{
    Attachment, AttachmentState, Demand, EniKind, Ipv4Held, Ipv6Held, NodeIdentity, NodeSettings,
    Tags,
};

const SETTLE: Duration = Duration::from_secs(15);

fn tick(seconds: u64) -> Tick {
    Tick::from_millis(seconds * 1000)
}

/// `eni-1 at 1 with 2 3`: attached at an index or `loose`, with the last bytes of its addresses.
fn eni(text: &str) -> EniView {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "at").map(|at| words[at + 1].parse().unwrap());
    let with = words.iter().position(|word| *word == "with").unwrap();
    EniView {
        id: words[0].parse().unwrap(),
        kind: EniKind::Ordinary,
        mac: None,
        description: "Cilium-CNI (i-1)".into(),
        attachment: at.map(|device_index| Attachment {
            id: Some("eni-attach-1".parse().unwrap()),
            device_index,
            network_card: 0,
            state: AttachmentState::Attached,
            delete_on_termination: Some(false),
        }),
        subnet: "subnet-1".parse().unwrap(),
        vpc: "vpc-1".parse().unwrap(),
        ipv4: Ipv4Held {
            primary: Ipv4Addr::new(10, 0, 0, 200),
            addresses: words[with + 1..]
                .iter()
                .map(|byte| Ipv4Addr::new(10, 0, 0, byte.parse().unwrap()))
                .collect(),
            prefixes: Vec::new(),
        },
        ipv6: Ipv6Held::default(),
        security_groups: Vec::new(),
        tags: Tags::from([("berth/managed".into(), "true".into())]),
        public_ip: None,
    }
}

fn record(enis: Vec<EniView>) -> Record {
    let identity = NodeIdentity {
        name: "node-1".parse().unwrap(),
        instance: "i-1".parse().unwrap(),
        instance_type: "m5.large".parse().unwrap(),
        vpc: "vpc-1".parse().unwrap(),
        zone: "a".parse().unwrap(),
        subnet: None,
    };
    let seen = NodeSeen {
        name: identity.name.clone(),
        identity: Some(identity),
        settings: Some(NodeSettings::default()),
        demand: Demand::PerIp { used: 0 },
        usage: crate::release::Usage::default(),
        ignored: false,
    };
    let mut record = Record::new(seen, tick(0));
    record.view.as_mut().unwrap().enis = enis;
    record
}

/// What is known, what happened to eni-1 (`written SECOND`, `doubt COUNT SECOND`, `moving`), and the readings with the
/// second in which each was sent; then what is known after the last, and what came of it.
#[track_caller]
fn check(known: &str, past: &str, readings: &[(u64, &str)], expected: &str) {
    let mut record = record(known.split("; ").map(eni).collect());
    let words: Vec<&str> = past.split_whitespace().collect();
    let second = |at: usize| -> u64 { words[at].parse().unwrap() };
    let id: EniId = "eni-1".parse().unwrap();
    let assign = |count: u64| Action::AssignAddresses {
        eni: id.clone(),
        subnet: "subnet-1".parse().unwrap(),
        count: u16::try_from(count).unwrap(),
    };
    let in_flight = &mut record.view.as_mut().unwrap().in_flight;
    match words.first() {
        Some(&"written") => {
            let written = Some(tick(second(1)));
            record.notes.insert(id.clone(), EniNote { written, ..EniNote::default() });
        }
        Some(&"moving") => in_flight.push(assign(1)),
        Some(&"doubt") => {
            let (action, lost) = (assign(second(1)), tick(second(2)));
            in_flight.push(action.clone());
            let (next, step) = (lost, SETTLE);
            let doubt = Doubt { actions: vec![action], lost, next, step };
            record.doubts.insert(id.clone(), doubt);
            let written = Some(lost);
            record.notes.insert(id.clone(), EniNote { written, ..EniNote::default() });
        }
        _ => {}
    }
    let mut outcome = Outcome::default();
    for (sent, seen) in readings {
        let sent = tick(*sent);
        let seen = seen.split("; ").filter(|text| !text.is_empty()).map(eni);
        let seen = seen.map(|eni| Collected { eni, sent }).collect();
        let ids = BTreeSet::new();
        let scope =
            Scope { sent, attached: true, loose: true, is_whole: true, ids: &ids, settle: SETTLE };
        outcome = merge(&mut record, seen, &scope);
    }
    assert_eq!(describe(&record, &outcome), expected, "{known} {past} {readings:?}");
}

fn describe(record: &Record, outcome: &Outcome) -> String {
    let mut text = String::new();
    for eni in &record.view.as_ref().unwrap().enis {
        let at = eni
            .attachment
            .as_ref()
            .map_or(String::from("loose"), |at| format!("at {}", at.device_index));
        write!(text, "{} {at} with", eni.id).unwrap();
        for address in &eni.ipv4.addresses {
            write!(text, " {}", address.octets()[3]).unwrap();
        }
        text.push_str("; ");
    }
    for (finding, _) in &outcome.findings {
        write!(text, "{} ", finding.label()).unwrap();
    }
    for (word, said) in [
        ("over ", !outcome.over.is_empty()),
        ("confirm ", outcome.confirm),
        ("doubtful ", !record.doubts.is_empty()),
        ("unseen ", record.unseen > 0),
    ] {
        text.push_str(if said { word } else { "" });
    }
    text.trim_end_matches([' ', ';']).into()
}

const KNOWN: &str = "eni-1 at 0 with 1 2";

#[test]
fn a_late_reading_replaces_and_an_early_one_only_adds() {
    let other = "eni-1 at 0 with 2 3";
    let loose = "eni-2 at 0 with 9; eni-1 loose with 1 2";
    let differs = "eni-2 at 0 with 9; eni-1 loose with 2 3; AddressesAppeared AddressesVanished";
    check(loose, "", &[(20, "eni-2 at 0 with 9; eni-1 loose with 2 3")], differs);
    check(KNOWN, "written 10", &[(24, other)], "eni-1 at 0 with 1 2 3");
    check(
        KNOWN,
        "written 10",
        &[(25, "eni-1 at 0 with 1 2 3")],
        "eni-1 at 0 with 1 2 3; AddressesAppeared",
    );
    check(KNOWN, "moving", &[(99, other)], "eni-1 at 0 with 1 2 3");
    check(KNOWN, "", &[(20, KNOWN), (19, other)], KNOWN);
}

#[test]
fn what_is_missing_is_gone_when_it_is_missing_twice() {
    let (two, one) = ("eni-1 at 0 with 1; eni-2 at 1 with 2", "eni-1 at 0 with 1");
    check(two, "", &[(20, one)], "eni-1 at 0 with 1; eni-2 at 1 with 2; confirm");
    check(two, "", &[(20, one), (35, one)], "eni-1 at 0 with 1; EniVanished");
    check(two, "", &[(20, one), (30, one), (35, one)], "eni-1 at 0 with 1; EniVanished");
    check(two, "", &[(20, one), (34, one)], "eni-1 at 0 with 1; eni-2 at 1 with 2; confirm");
    check(two, "", &[(20, one), (21, two)], two);
    check(two, "", &[(20, one), (20, one)], "eni-1 at 0 with 1; eni-2 at 1 with 2; confirm");
    let loose = "eni-2 at 0 with 1; eni-1 loose with 2";
    check(loose, "", &[(20, "eni-2 at 0 with 1")], "eni-2 at 0 with 1; EniVanished");
    check(loose, "written 10", &[(20, "eni-2 at 0 with 1")], loose);
}

#[test]
fn an_instance_that_shows_nothing_keeps_what_is_known() {
    check(KNOWN, "", &[(20, "")], "eni-1 at 0 with 1 2; confirm unseen");
    check(KNOWN, "", &[(20, ""), (30, "")], "eni-1 at 0 with 1 2; confirm unseen");
    check(KNOWN, "", &[(20, ""), (30, KNOWN)], KNOWN);
}

#[test]
fn a_doubt_ends_with_the_effect_or_with_time() {
    let more = "eni-1 at 0 with 1 2 3 4";
    check(KNOWN, "doubt 2 10", &[(11, more)], "eni-1 at 0 with 1 2 3 4; over");
    check(KNOWN, "doubt 2 10", &[(11, KNOWN)], "eni-1 at 0 with 1 2; doubtful");
    check(KNOWN, "doubt 2 10", &[(11, "eni-1 at 0 with 1")], "eni-1 at 0 with 1 2; doubtful");
    check(KNOWN, "doubt 2 10", &[(25, KNOWN)], "eni-1 at 0 with 1 2; over");
}

#[test]
fn an_interface_that_nobody_attached_here_is_found() {
    let two = "eni-1 at 0 with 1 2; eni-2 at 1 with 3";
    check(KNOWN, "", &[(20, two)], "eni-1 at 0 with 1 2; eni-2 at 1 with 3; EniAppeared");
}

/// Pods may be on what one reading alone lacks.
#[test]
fn what_an_attached_interface_lost_is_gone_when_it_is_missing_twice() {
    let (less, kept) = ("eni-1 at 0 with 1", "eni-1 at 0 with 1 2; confirm");
    check(KNOWN, "", &[(20, less)], kept);
    check(KNOWN, "", &[(20, less), (20, less)], kept);
    check(KNOWN, "", &[(20, less), (21, KNOWN), (22, less)], kept);
    check(KNOWN, "", &[(20, less), (35, less)], "eni-1 at 0 with 1; AddressesVanished");
    let two = "eni-1 at 0 with 1 2; eni-2 at 1 with 3";
    let one = "eni-1 at 0 with 1 2; eni-2 loose with 3";
    check(two, "", &[(20, one)], "eni-1 at 0 with 1 2; eni-2 at 1 with 3; confirm");
    check(two, "", &[(20, one), (35, one)], "eni-1 at 0 with 1 2; eni-2 loose with 3; EniVanished");
}

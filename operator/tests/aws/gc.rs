//! `berth-operator gc` against the simulated EC2.

use std::time::Duration;

use berth_operator::gc::{Report, collect};
use berth_operator::settings::GcSettings;
use ec2_sim::build::NewInterface;
use ec2_sim::fault::{Code, Drop, Effect, Rule};
use ec2_sim::request::Action;
use ipam_core::action::eni_description;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::bed::{Bed, Face, compare, run};

/// Puts an interface there: its id, the cluster it carries, when it was made, and the key of a further tag, or `-`.
fn put(bed: &Bed, text: &str) {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [id, cluster, made, tag] = words[..] else { panic!("{line}") };
        let tags = [
            ("berth/managed", "true"),
            ("berth/cluster", cluster),
            ("berth/created-at", made),
            (tag, "true"),
        ];
        let tags = tags.into_iter().filter(|(key, value)| *key != "-" && *value != "-");
        let mut new = NewInterface::new("subnet-0000000b".parse().expect("an id"));
        new.id = Some(id.parse().expect("an id"));
        new.description = eni_description(&"i-0000dead".parse().expect("an id"));
        new.tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        bed.build(|mut builder| builder.interface(new)).expect("an interface that fits");
    }
}

/// What a cluster called test left behind, and others.
const LEFT: &str = "
    eni-00000011 test 2025-06-01T00:00:00Z -
    eni-00000012 test 2025-05-01T00:00:00Z -
    eni-00000013 test 2099-01-01T00:00:00Z -
    eni-00000014 test - -
    eni-00000015 test 2025-06-01T00:00:00Z node.k8s.amazonaws.com/no_manage
    eni-00000016 other 2025-06-01T00:00:00Z -
    eni-00000017 test* 2025-06-01T00:00:00Z -
    eni-00000018 - 2025-06-01T00:00:00Z -";

/// Runs `gc` and answers with what is there afterwards of [`LEFT`], what was told, and the report.
async fn gc(bed: &Bed, arguments: &str) -> (String, Vec<String>, Report) {
    let arguments = ["--cluster-name=test"].into_iter().chain(arguments.split_whitespace());
    let order = GcSettings::from_arguments(arguments).expect("settings").order;
    let mut told = Vec::new();
    let report = collect(&bed.aws, &order, |line| told.push(line.to_owned())).await;
    (left(bed), told, report.expect("a listing"))
}

/// The last digits of the interfaces that are left.
fn left(bed: &Bed) -> String {
    let ids = (0x11..=0x19).map(|number| format!("eni-000000{number:x}"));
    let is_there = |id: &String| {
        let id = id.parse().expect("an id");
        bed.with(|ec2| ec2.world().truth().interface(&id).is_some())
    };
    let there = ids.filter(is_there).map(|id| id.trim_start_matches("eni-000000").to_owned());
    there.collect::<Vec<_>>().join(" ")
}

/// The table, with single blanks between the words.
fn rows(report: &Report) -> Vec<String> {
    let one = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    report.table().lines().map(one).collect()
}

fn fail(bed: &Bed, action: Action, nth: u64, code: &str) {
    let code = Code::find(code).expect("a code");
    let effect = Effect::Error { code, message: "as the test wants".to_owned(), status: None };
    bed.build(|mut builder| builder.faults().add(Rule::nth(action, nth, effect)));
}

#[test]
fn a_dry_run_shows_what_there_is_and_deletes_nothing() {
    run(Face::InProcess, async |bed: &mut Bed| {
        put(bed, LEFT);
        let (left, told, report) = gc(bed, "--dry-run").await;
        assert_eq!((left.as_str(), told.len()), ("11 12 13 14 15 16 17 18", 0));
        compare(
            &rows(&report),
            "INTERFACE VPC SUBNET MADE FOR AGE ADDRESSES VERDICT
             eni-00000012 vpc-0000000a subnet-0000000b i-0000dead … 1 left behind: a second look has to confirm it
             eni-00000011 vpc-0000000a subnet-0000000b i-0000dead … 1 left behind: a second look has to confirm it
             eni-00000015 vpc-0000000a subnet-0000000b i-0000dead … 1 stays: a tag says that it is somebody else's
             eni-00000013 vpc-0000000a subnet-0000000b i-0000dead 0s 1 stays: too young
             eni-00000014 vpc-0000000a subnet-0000000b i-0000dead ? 1 stays: no readable tag berth/created-at says how old it is, and it was not watched for the grace period
             2 left behind, 3 stay",
            "",
        );
        assert!(report.is_done());
    });
}

#[test]
fn what_two_looks_show_is_deleted() {
    run(Face::InProcess, async |bed: &mut Bed| {
        put(bed, LEFT);
        let start = Instant::now();
        let (left, told, report) = gc(bed, "").await;
        assert!(start.elapsed() >= Duration::from_mins(1));
        assert_eq!(left, "13 14 15 16 17 18");
        compare(
            &told,
            "2 seen, of which a second look in 60s has to show the same
             eni-00000012: deleted
             eni-00000011: deleted",
            "",
        );
        let rows = rows(&report);
        assert_eq!(
            rows.last().map(String::as_str),
            Some("2 deleted, 0 failed, 0 left for later, 3 stay")
        );
        let report = serde_json::to_value(&report).expect("JSON");
        assert_eq!(
            report["counts"],
            json!({"left_behind": 0, "deleted": 2, "failed": 0, "stay": 3})
        );
        let first = &report["interfaces"][0];
        assert!(first["age_seconds"].as_u64() > Some(600), "{first}");
        let member = |name: &str| first[name].clone();
        let members =
            ["interface", "vpc", "subnet", "made_for", "addresses", "verdict"].map(member);
        let expected =
            json!(["eni-00000012", "vpc-0000000a", "subnet-0000000b", "i-0000dead", 1, "Deleted"]);
        assert_eq!(Value::from(members.to_vec()), expected);
        let all = report["interfaces"].as_array().expect("a list");
        let unknown = all.iter().find(|it| it["verdict"] == "AgeUnknown").expect("one");
        assert_eq!(unknown["age_seconds"], Value::Null);
    });
}

#[test]
fn nothing_to_delete_takes_one_look() {
    run(Face::InProcess, async |bed: &mut Bed| {
        put(bed, "eni-00000016 other 2025-06-01T00:00:00Z -");
        let start = Instant::now();
        let (left, told, report) = gc(bed, "").await;
        assert_eq!((left.as_str(), told.len(), start.elapsed()), ("16", 0, Duration::ZERO));
        assert_eq!(
            rows(&report).last().map(String::as_str),
            Some("0 deleted, 0 failed, 0 left for later, 0 stay")
        );
    });
}

#[test]
fn only_the_vpcs_that_are_named() {
    run(Face::InProcess, async |bed: &mut Bed| {
        put(bed, LEFT);
        let (_, _, elsewhere) = gc(bed, "--dry-run --vpc-id=vpc-0000000f").await;
        assert_eq!(elsewhere.interfaces.len(), 0);
        let (_, _, here) = gc(bed, "--dry-run --vpc-id=vpc-0000000f --vpc-id=vpc-0000000a").await;
        assert_eq!(here.interfaces.len(), 5);
    });
}

#[test]
fn no_more_than_the_limit() {
    run(Face::InProcess, async |bed: &mut Bed| {
        put(bed, LEFT);
        let (left, _, report) = gc(bed, "--limit=1").await;
        assert_eq!(left, "11 13 14 15 16 17 18", "the oldest");
        assert_eq!(
            rows(&report).last().map(String::as_str),
            Some("1 deleted, 0 failed, 1 left for later, 3 stay")
        );
        assert!(report.is_done());
    });
}

#[test]
fn pages_are_followed() {
    run(Face::InProcess, async |bed: &mut Bed| {
        bed.take_pages_of(5);
        for number in 0x11..=0x19 {
            put(bed, &format!("eni-000000{number:x} test 2025-06-01T00:00:00Z -"));
        }
        let (left, _, report) = gc(bed, "").await;
        assert_eq!((left.as_str(), report.counts.deleted), ("", 9));
    });
}

/// Somebody else deletes one between the looks, and one before its deletion; one is attached in the meantime.
#[test]
fn what_changes_meanwhile() {
    run(Face::InProcess, async |bed: &mut Bed| {
        put(bed, LEFT);
        put(bed, "eni-00000019 test 2025-04-01T00:00:00Z -");
        fail(bed, Action::DeleteNetworkInterface, 1, "InvalidNetworkInterfaceID.NotFound");
        fail(bed, Action::DeleteNetworkInterface, 2, "InvalidNetworkInterface.InUse");
        let order = GcSettings::from_arguments(["--cluster-name=test"]).expect("settings").order;
        let vanishes = "eni-00000011".parse().expect("an id");
        let report = collect(&bed.aws, &order, |line| {
            if line.contains("second look") {
                bed.build(|mut builder| builder.delete_interface(&vanishes)).expect("an interface");
            }
        });
        let report = report.await.expect("a listing");
        let rows = rows(&report);
        assert!(rows[1].ends_with("gone already"), "{rows:?}");
        assert!(
            rows[2].contains("not deleted: refused by EC2: InvalidNetworkInterface.InUse"),
            "{rows:?}"
        );
        assert_eq!(
            rows.last().map(String::as_str),
            Some("1 deleted, 1 failed, 0 left for later, 3 stay")
        );
        assert!(!report.is_done());
    });
}

#[test]
fn what_is_throttled_or_lost_is_asked_again() {
    run(Face::InProcess, async |bed: &mut Bed| {
        put(bed, "eni-00000011 test 2025-06-01T00:00:00Z -");
        fail(bed, Action::DescribeNetworkInterfaces, 1, "RequestLimitExceeded");
        let lost = Rule::nth(Action::DeleteNetworkInterface, 1, Effect::CommitThenDrop(Drop::Cut));
        bed.build(|mut builder| builder.faults().add(lost));
        let (left, _, report) = gc(bed, "").await;
        assert_eq!((left.as_str(), report.counts.deleted, report.is_done()), ("", 1, true));
    });
}

#[test]
fn a_listing_that_fails_is_no_empty_one() {
    for nth in [1, 2] {
        run(Face::InProcess, async |bed: &mut Bed| {
            put(bed, LEFT);
            fail(bed, Action::DescribeNetworkInterfaces, nth, "UnauthorizedOperation");
            let order =
                GcSettings::from_arguments(["--cluster-name=test"]).expect("settings").order;
            let error = collect(&bed.aws, &order, |_| {}).await.expect_err("no listing");
            let text = error.to_string();
            assert!(text.contains("UnauthorizedOperation: as the test wants"), "{text}");
            assert_eq!(left(bed), "11 12 13 14 15 16 17 18");
        });
    }
}

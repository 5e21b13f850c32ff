use std::collections::BTreeMap;

use super::*;
use crate::moment::{GivenBack, PodCounts};
use crate::plan::{Ec2, Expected, Network, Pods};
use crate::record::Reason;

fn plan(expected: Expected) -> Plan {
    Plan {
        name: "burst".to_owned(),
        description: String::new(),
        length: Duration::from_mins(1),
        seed: 1,
        network: Network {
            cidr: "10.0.0.0/16".parse().unwrap(),
            secondary_cidrs: Vec::new(),
            subnets: Vec::new(),
        },
        nodes: Vec::new(),
        pods: Pods {
            per_second: 1.0,
            lifetime: Duration::from_secs(30),
            at_start: 0,
            per_node: 20,
        },
        timeline: Vec::new(),
        ec2: Ec2 {
            latency: ec2_sim::latency::Profile::Typical,
            staleness: ec2_sim::staleness::Mode::default(),
            buckets: ec2_sim::throttle::Settings::default(),
            faults: Vec::new(),
            denied: Vec::new(),
        },
        operator: Vec::new(),
        agent: Vec::new(),
        expected,
    }
}

/// Two nodes for 60 s: 30 idle addresses for 20 s, 15 for 40 s, and 9 at the end.
fn record() -> Record {
    let moment = |second, free, waiting| Moment {
        at: Duration::from_secs(second),
        nodes: vec![
            Node { free, cooling: 2, promised: 1, used: 50, ..Node::default() },
            Node { free: 3, ..Node::default() },
        ],
        pods: PodCounts { made: 1_234, started: 1_230, waiting, ..PodCounts::default() },
        calls: BTreeMap::from([
            ("AssignPrivateIpAddresses", Calls { made: 80, throttled: 2, ..Calls::default() }),
            ("DescribeInstances", Calls { made: 4, failed: 1, ..Calls::default() }),
            ("CreateNetworkInterface", Calls { made: 80, ..Calls::default() }),
        ]),
        given_back: GivenBack { addresses: 20 * second, interfaces: second / 60 },
        ..Moment::default()
    };
    Record {
        begun: Duration::ZERO,
        moments: vec![moment(0, 24, 9), moment(20, 9, 9), moment(60, 3, 4)],
        waits: (1..=1_230).map(Duration::from_millis).collect(),
        blocked: vec![Reason { why: "SubnetsExhausted".to_owned(), ..Reason::default() }],
        ..Record::default()
    }
}

/// Waits in milliseconds; p50, p99 and the longest of them.
#[track_caller]
fn check_waits(millis: impl IntoIterator<Item = u64>, expected: [u64; 3]) {
    let waits: Vec<Duration> = millis.into_iter().map(Duration::from_millis).collect();
    let Waits { p50, p99, max } = Waits::of(&waits);
    assert_eq!([p50, p99, max], expected.map(Duration::from_millis));
}

#[test]
fn waits_are_taken_by_nearest_rank() {
    check_waits([], [0, 0, 0]);
    check_waits([7], [7, 7, 7]);
    check_waits([9, 1], [1, 9, 9]);
    check_waits([3, 1, 2], [2, 3, 3]);
    check_waits((1..=100).rev(), [50, 99, 100]);
    check_waits(1..=101, [51, 100, 101]);
    check_waits(1..=200, [100, 198, 200]);
}

#[test]
fn times_and_counts_are_short() {
    let spans = [0, 12, 999, 1_000, 1_250, 59_999, 60_000, 125_000, 3_780_000];
    let shown = spans.map(|millis| span(Duration::from_millis(millis))).join(", ");
    assert_eq!(shown, "0 ms, 12 ms, 999 ms, 1 s, 1.2 s, 59.9 s, 1 min 0 s, 2 min 5 s, 1 h 3 min");
    let counts = [0, 999, 1_000, 1_234_567].map(words::count).join(" ");
    assert_eq!(counts, "0 999 1,000 1,234,567");
    let things = [(0, "address"), (1, "address"), (1_000, "interface")].map(words::counted);
    assert_eq!(things.join(", "), "0 addresses, 1 address, 1,000 interfaces");
}

/// The table without what surrounds it.
#[track_caller]
fn check(summary: &Summary, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    let table = summary.table();
    let table: Vec<&str> = table.lines().collect();
    assert_eq!(table.join("\n"), expected.join("\n"));
}

#[test]
fn a_run_that_went_well_is_a_short_table() {
    let summary =
        Summary::of(&plan(Expected::default()), &record(), Some("run/report.html".into()));
    assert!(summary.is_well());
    assert!(summary.table().lines().all(|line| line.chars().count() <= 80));
    check(
        &summary,
        "scenario        burst, 1 min 0 s
         pods            1,230 started of 1,234, 4 waiting
         waits           p50 615 ms, p99 1.2 s, max 1.2 s
         EC2 calls       0.13 per pod, 164 in all
         idle addresses  20.0 on average, 9 at the end
         given back      1,200 addresses, 1 interface
         audit           every promise was kept
         report          run/report.html

         EC2 ACTION                CALLS  THROTTLED  FAILED
         AssignPrivateIpAddresses     80          2       0
         CreateNetworkInterface       80          0       0
         DescribeInstances             4          0       1",
    );
}

/// Whoever never got an address has no wait that could be counted.
#[test]
fn pods_that_ended_without_an_address_are_told() {
    let mut record = record();
    record.moments.iter_mut().for_each(|moment| moment.pods.started = 1_200);
    let summary = Summary::of(&plan(Expected::default()), &record, None);
    let told = "pods            1,200 started of 1,234, 4 waiting, 30 ended without an address";
    assert!(summary.table().contains(told), "{}", summary.table());
    assert_eq!(summary.json()["pods"]["unserved"], 30);
}

#[test]
fn what_was_broken_is_told_and_much_of_it_is_counted() {
    let finding = |number: u64| (Duration::from_secs(number), format!("finding {number}"));
    let findings = (1..=12).map(finding).collect();
    let record = Record { findings, moments: vec![Moment::default()], ..Record::default() };
    let summary = Summary::of(&plan(Expected::default()), &record, None);
    assert!(!summary.is_well());
    let listed = (1..=10).map(|number| format!("broken after {number} s: finding {number}\n"));
    check(
        &summary,
        &format!(
            "scenario        burst, 0 ms
             pods            0 started of 0, 0 waiting
             waits           no pod got an address
             EC2 calls       no pod, 0 in all
             idle addresses  0.0 on average, 0 at the end
             given back      0 addresses, 0 interfaces
             audit           12 promises were broken

             {}and 2 more",
            listed.collect::<String>()
        ),
    );
}

/// What is expected of the run, and what of it was not so.
#[track_caller]
fn check_unmet(expected: Expected, record: &Record, unmet: &[&str]) {
    let summary = Summary::of(&plan(expected), record, None);
    assert_eq!(summary.unmet, unmet);
    assert_eq!(summary.is_well(), unmet.is_empty());
    let told =
        unmet.iter().all(|text| summary.table().contains(&format!("not as expected: {text}\n")));
    assert!(told);
}

#[test]
fn what_is_expected_and_was_so_is_not_told() {
    let expected = Expected {
        waiting_at_end: Some(4),
        wait_p99: Some(Duration::from_millis(1_218)),
        reasons: vec!["SubnetsExhausted".to_owned()],
        ec2_calls: Some(164),
        ec2_changes: Some(160),
        given_back: Some(1_200),
    };
    check_unmet(expected, &record(), &[]);
}

#[test]
fn what_is_expected_and_was_not_so_is_told() {
    let expected = Expected {
        waiting_at_end: Some(3),
        wait_p99: Some(Duration::from_secs(1)),
        reasons: vec!["SubnetsExhausted".to_owned(), "InstanceFull".to_owned()],
        ec2_calls: Some(163),
        ec2_changes: Some(159),
        given_back: Some(1_201),
    };
    let unmet = [
        "4 pods wait at the end: expected no more than 3",
        "waits (p99) were 1.2 s: expected no more than 1 s",
        "no node was blocked for the reason InstanceFull",
        "164 calls were made to EC2: expected no more than 163",
        "160 calls to EC2 were to change something: expected no more than 159",
        "1,200 addresses went back to EC2: expected 1,201 at least",
    ];
    check_unmet(expected, &record(), &unmet);
}

#[test]
fn a_run_that_showed_nothing_is_not_well() {
    let nothing = ["nothing was seen: it ended before its first second"];
    check_unmet(Expected::default(), &Record::default(), &nothing);
    let expected = Expected { wait_p99: Some(Duration::from_secs(1)), ..Expected::default() };
    let no_pod = ["no pod got an address: expected waits (p99) of 1 s"];
    check_unmet(expected, &Record { waits: Vec::new(), ..record() }, &no_pod);
}

#[test]
fn machines_read_the_same() {
    let findings = vec![(Duration::from_millis(1_500), "finding".to_owned())];
    let summary = Summary::of(&plan(Expected::default()), &Record { findings, ..record() }, None);
    let calls = |action: &str, [made, throttled, failed]: [u64; 3]| json!({ "action": action, "made": made, "throttled": throttled, "failed": failed });
    let expected = json!({
        "scenario": "burst",
        "well": false,
        "length": 60.0,
        "pods": { "made": 1_234, "started": 1_230, "waiting": 4, "unserved": 0 },
        "waits": { "p50": 0.615, "p99": 1.218, "max": 1.23 },
        "calls": [
            calls("AssignPrivateIpAddresses", [80, 2, 0]),
            calls("CreateNetworkInterface", [80, 0, 0]),
            calls("DescribeInstances", [4, 0, 1]),
        ],
        "callsPerPod": 164.0 / 1_230.0,
        "idleAddresses": { "mean": 20.0, "atEnd": 9 },
        "givenBack": { "addresses": 1_200, "interfaces": 1 },
        "findings": [{ "at": 1.5, "text": "finding" }],
        "unmet": [],
        "report": null,
    });
    assert_eq!(summary.json(), expected);
}

//! What Prometheus reads.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipam_core::action::{Action, CreateEni, Ipv4Ask};
use ipam_core::budget::{Budget, BudgetSettings};
use ipam_core::call::{Api, CallId};
use ipam_core::failure::Failure;
use ipam_core::ids::{EniId, InstanceId, NodeName};
use ipam_core::reason::{Blocked, Reason};
use ipam_core::reconcile::{Event, Finding, Kept, Mode, Rival, RivalDeed, Summary};
use ipam_core::time::Tick;
use ipam_core::view::Contract;

use crate::board::{Board, Readiness};

/// A full node.
pub(crate) fn summary(name: &str) -> Summary {
    let reason = Reason::InstanceFull { instance_type: "m5.large".parse().unwrap() };
    Summary {
        name: name.parse().unwrap(),
        instance: Some("i-1".parse().unwrap()),
        instance_type: Some("m5.large".parse().unwrap()),
        contract: Contract::PerIp,
        prefixes: false,
        enis: 1,
        available: 9,
        used: 7,
        needed: 6,
        capacity: Some(27),
        remaining_interfaces: 2,
        candidates: 0,
        empty_slots: 2,
        leaving: 16,
        to_spare: 20,
        kept: Some(Kept::Delay),
        idle_enis: 1,
        leaving_enis: 2,
        waiting_pods: 1,
        in_flight: 0,
        blocked: vec![Blocked { reason, short: 6 }],
        ignored: false,
        since: Tick::default(),
        observed: Some(Tick::default()),
    }
}

fn node() -> NodeName {
    "node-1".parse().unwrap()
}

fn create() -> Action {
    Action::CreateEni(CreateEni {
        subnet: "subnet-1".parse().unwrap(),
        security_groups: vec![],
        ipv4: Ipv4Ask::Addresses(8),
        ipv6_prefix: false,
        device_index: 1,
        description: String::new(),
        tags: BTreeMap::new(),
    })
}

fn eni() -> EniId {
    "eni-1".parse().unwrap()
}

fn instance() -> InstanceId {
    "i-1".parse().unwrap()
}

/// One of everything that is counted.
fn events() -> Vec<Event> {
    let took = Duration::from_millis(700);
    let subnet = Some("subnet-1".parse().unwrap());
    let api = Api::CreateNetworkInterface;
    let change = Some((node(), create()));
    let changed = |action| Event::Changed {
        node: node(),
        action,
        subnet: Some("subnet-1".parse().unwrap()),
        addresses: 0,
        took,
    };
    let rival = Rival { who: "cilium-operator-aws".into(), did: RivalDeed::WrotePool };
    vec![
        Event::ViewComplete { nodes: 1, enis: 1, took },
        Event::Sent { call: CallId(1), api, change: change.clone(), waited: took },
        Event::Changed {
            node: node(),
            action: create(),
            subnet: subnet.clone(),
            addresses: 8,
            took,
        },
        Event::Failed { api, change, subnet, failure: Failure::Throttled, took },
        changed(Action::UnassignAddresses {
            eni: eni(),
            addresses: [[10, 0, 0, 1].into(), [10, 0, 0, 2].into()].into(),
        }),
        changed(Action::DetachEni { eni: eni(), attachment: "eni-attach-1".parse().unwrap() }),
        changed(Action::DeleteEni { eni: eni() }),
        changed(Action::SetSecurityGroups { eni: eni(), groups: vec!["sg-1".parse().unwrap()] }),
        Event::CleanedUp { eni: eni(), instance: instance(), age: None, took },
        Event::CleanUpFailed {
            eni: eni(),
            instance: instance(),
            failure: Failure::Throttled,
            took,
        },
        Event::WouldCleanUp { eni: eni(), instance: instance(), age: Some(took) },
        Event::CleanUpOff,
        Event::FirstAddress { node: node(), took },
        Event::WouldChange { node: node(), action: create() },
        Event::Found { node: node(), finding: Finding::EniVanished { eni: eni() } },
        Event::Found {
            node: node(),
            finding: Finding::GroupsDrifted { eni: eni(), found: vec![], wanted: vec![] },
        },
        Event::Unreadable { api: Api::DescribeSubnets, what: "x".into() },
        Event::PermissionMissing { api: Api::DescribeRouteTables },
        Event::RivalFound { node: None, rival },
    ]
}

fn board() -> std::sync::Arc<Board> {
    let board = Board::new();
    for event in events() {
        board.metrics().on_event(&event);
    }
    board.metrics().on_attempt("DescribeSubnets", "OK", Duration::from_millis(30));
    board.metrics().on_published("status.eni");
    board.metrics().on_publication_failed("Refused");
    board.nodes().set(&node(), Some(summary("node-1")));
    board.say(|state| {
        state.readiness = Readiness::Ready;
        state.mode = Some(Mode::Normal);
        state.budget = Some(Budget::new(BudgetSettings::default(), Tick::default()));
        state.subnets = vec![("subnet-1".parse().unwrap(), "eu-west-1a".parse().unwrap(), 200)];
        state.pods_watched = Some(true);
        state.unclaimed_enis = Some(3);
    });
    board
}

/// A line of the text format: the name of the series, the names of its labels, and the value.
fn parse(line: &str) -> (String, Vec<String>, f64) {
    let (series, value) = line.rsplit_once(' ').expect("a series and a value");
    let value = value.parse().expect("a number");
    let Some((name, labels)) = series.split_once('{') else {
        return (series.to_owned(), vec![], value);
    };
    let labels = labels.strip_suffix('}').expect("a closing brace");
    let names = labels.split("\",").filter_map(|label| label.split_once("=\""));
    (name.to_owned(), names.map(|(name, _)| name.to_owned()).collect(), value)
}

/// Name, type and labels of every metric in `text`, one line each.
fn families(text: &str) -> String {
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            assert!(types.insert(name.into(), kind.into()).is_none(), "{name} is declared twice");
        } else if !line.starts_with('#') {
            let (series, names, _) = parse(line);
            let stem = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| series.strip_suffix(end).filter(|stem| types.contains_key(*stem)));
            let name = stem.unwrap_or(&series).to_owned();
            assert!(types.contains_key(&name), "{line} has no type");
            labels.entry(name).or_default().extend(names.into_iter().filter(|name| name != "le"));
        }
    }
    let line = |(name, kind): (&String, &String)| {
        let labels: Vec<&str> = labels[name].iter().map(String::as_str).collect();
        format!("{name} {kind} {{{}}}\n", labels.join(","))
    };
    types.iter().map(line).collect()
}

/// The value of one series.
fn value(text: &str, series: &str) -> Option<f64> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn names_types_and_labels_are_those_of_the_list() {
    assert_eq!(families(&board().exposition()), include_str!("list.txt"));
}

#[test]
fn figures_are_what_they_are_called() {
    let text = board().exposition();
    let check =
        |series: &str, expected: f64| assert_eq!(value(&text, series), Some(expected), "{series}");
    check("cilium_operator_ipam_available_ips{target_node=\"node-1\"}", 2.0);
    check("cilium_operator_ipam_used_ips{target_node=\"node-1\"}", 7.0);
    check("cilium_operator_ipam_needed_ips{target_node=\"node-1\"}", 6.0);
    check("berth_node_capacity_ips{target_node=\"node-1\"}", 27.0);
    check("cilium_operator_ipam_nodes{category=\"total\"}", 1.0);
    check("cilium_operator_ipam_nodes{category=\"in-deficit\"}", 1.0);
    check("cilium_operator_ipam_nodes{category=\"at-capacity\"}", 0.0);
    check("cilium_operator_ipam_empty_interface_slots", 2.0);
    check("cilium_operator_ipam_ip_allocation_ops{subnet_id=\"subnet-1\"}", 8.0);
    check("cilium_operator_ipam_interface_creation_ops{subnet_id=\"subnet-1\"}", 1.0);
    let subnet = "subnet_id=\"subnet-1\"";
    check(
        &format!(
            "cilium_operator_ipam_available_ips_per_subnet{{availability_zone=\"eu-west-1a\",{subnet}}}"
        ),
        200.0,
    );
    let create = "createInterfaceAndAllocateIP";
    for status in ["success", "unableToCreateENI"] {
        check(
            &format!(
                "cilium_operator_ipam_allocation_duration_seconds_count{{status=\"{status}\",{subnet},type=\"{create}\"}}"
            ),
            1.0,
        );
    }
    for (series, expected) in [
        ("cilium_operator_ipam_ip_release_ops", 2.0),
        ("berth_enis_detached_total", 1.0),
        ("berth_enis_deleted_total", 1.0),
        ("berth_security_groups_repaired_total", 1.0),
    ] {
        check(&format!("{series}{{{subnet}}}"), expected);
    }
    check("berth_enis_cleaned_up_total", 1.0);
    check("berth_unclaimed_enis", 3.0);
    check("berth_idle_enis", 1.0);
    check("berth_leaving_ips", 16.0);
    check("berth_leaving_enis", 2.0);
    check("berth_spare_ips{reason=\"Delay\"}", 20.0);
    check("berth_would_change_total{action=\"DeleteNetworkInterface\"}", 1.0);
    check("berth_ec2_failures_total{action=\"DeleteNetworkInterface\",failure=\"Throttled\"}", 1.0);
    check("berth_audit_findings_total{kind=\"GroupsDrifted\"}", 1.0);
    check("berth_blocked_nodes{reason=\"InstanceFull\"}", 1.0);
    check("berth_mode{mode=\"normal\"}", 1.0);
    check("berth_mode{mode=\"observe\"}", 0.0);
    check("berth_leader", 1.0);
    check("berth_permission_missing{action=\"DescribeRouteTables\"}", 1.0);
}

#[test]
fn a_node_that_is_gone_leaves_no_series() {
    let board = board();
    assert!(board.exposition().contains("node-1"));
    board.nodes().set(&node(), None);
    let text = board.exposition();
    assert!(!text.contains("node-1"), "{text}");
    assert_eq!(value(&text, "berth_blocked_nodes{reason=\"InstanceFull\"}"), None);
}

#[test]
fn a_permission_that_is_back_leaves_no_series() {
    let board = board();
    board.metrics().on_event(&Event::PermissionBack { api: Api::DescribeRouteTables });
    board.metrics().on_event(&Event::PermissionBack { api: Api::DescribeSubnets });
    assert!(!board.exposition().contains("berth_permission_missing{"));
}

#[test]
fn nodes_that_ask_to_be_left_alone_do_not_count() {
    let board = board();
    let ignored = Summary { ignored: true, ..summary("node-1") };
    board.nodes().set(&node(), Some(ignored));
    let text = board.exposition();
    assert_eq!(value(&text, "cilium_operator_ipam_nodes{category=\"total\"}"), Some(0.0));
    assert_eq!(value(&text, "berth_ignored_nodes"), Some(1.0));
    assert_eq!(value(&text, "berth_blocked_nodes{reason=\"InstanceFull\"}"), None);
}

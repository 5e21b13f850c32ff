//! What an agent hears of its own object.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cilium_node::CiliumNode;
use cilium_node::convert::word;
use serde_json::{Value, json};

use crate::recorded::{objects, text};

/// What of a word matters most, a line each, and then the problems.
fn lines(object: &Value) -> String {
    let node: CiliumNode = serde_json::from_value(object.clone()).expect("a node");
    let heard = word(&node);
    let mut out = String::new();
    let Some(word) = heard.word else { return "nothing\n".to_owned() + &problems(&heard.problems) };
    for eni in &word.enis {
        let facts = &eni.facts;
        let subnet = facts.subnet.map(|cidr| cidr.to_string()).unwrap_or_default();
        let (addresses, prefixes) = (eni.addresses.len(), &eni.prefixes);
        let (id, number, mac, vpc) = (&facts.id, facts.number, &facts.mac, &facts.vpc);
        let primary = eni.primary.map(|address| address.to_string()).unwrap_or_default();
        let line = format!(
            "{id} #{number} {mac} {primary} in {subnet} of {vpc:?}: {addresses} addresses, {prefixes:?}"
        );
        writeln!(out, "{line}").expect("text");
    }
    let pool = word.pool.as_ref().map(std::collections::BTreeMap::len);
    let instance = word.instance.map(|id| id.to_string()).unwrap_or_default();
    let (used, releases) = (word.used.len(), &word.releases);
    writeln!(out, "{instance} pool {pool:?} used {used} releases {releases:?}").expect("text");
    if word.requested.is_some() || !word.allocated.is_empty() {
        writeln!(out, "requested {:?} allocated {:?}", word.requested, word.allocated)
            .expect("text");
    }
    if let Some(blocked) = word.blocked {
        writeln!(out, "blocked: {blocked}").expect("text");
    }
    out + &problems(&heard.problems)
}

fn problems(problems: &[cilium_node::convert::Problem]) -> String {
    problems.iter().fold(String::new(), |out, problem| out + &format!("! {problem}\n"))
}

fn check(object: &Value, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    let found = lines(object);
    let found: Vec<&str> = found.lines().collect();
    assert_eq!(found, expected);
}

fn recorded(name: &str) -> Value {
    serde_json::from_str(&text(&format!("{name}.json"))).expect("JSON")
}

#[test]
fn a_pool_is_heard() {
    check(
        &recorded("g1/23-fresh-m5.large"),
        "eni-61cf25a90e5114a99 #0 02:00:00:13:a6:c4 10.20.0.8 in 10.20.0.0/20 of [10.20.0.0/16, 10.21.0.0/16]: 8 addresses, {}
         i-357919cd05457eec6 pool Some(8) used 0 releases {}",
    );
}

#[test]
fn releases_are_heard() {
    let object = recorded("g1/32-release-3-answered");
    let said = lines(&object);
    assert!(said.contains("10.20.0.35: Refused"), "{said}");
    assert!(said.contains("10.20.0.36: Ready"), "{said}");
    assert!(said.contains("used 4"), "{said}");
}

#[test]
fn cidrs_and_requests_are_heard() {
    check(
        &recorded("g2/50-real-agent-g2-prefix-29-allocated"),
        "eni-aee175448d1615f6a #0 02:00:00:b3:2b:16 10.20.0.12 in 10.20.0.0/20 of [10.20.0.0/16, 10.21.0.0/16]: 48 addresses, {10.20.1.176/28, 10.20.1.192/28, 10.20.1.208/28}
         i-2e020c85abac73ccf pool Some(48) used 0 releases {}
         requested Some((37, 0)) allocated {10.20.1.176/28, 10.20.1.192/28}",
    );
}

/// Nothing that an operator of either generation ever published is a problem to an agent, and no pool entry is without its
/// interface, except where the interface is excluded.
#[test]
fn every_recorded_object_is_heard() {
    for (name, object) in objects() {
        let node: CiliumNode = serde_json::from_value(object).expect("a node");
        let heard = word(&node);
        assert_eq!(heard.problems, vec![], "{name}");
        let word = heard.word.unwrap_or_else(|| panic!("{name}: no word"));
        let known: BTreeSet<_> = word.enis.iter().map(|eni| &eni.facts.id).collect();
        let pool = word.pool.iter().flatten();
        let lost: Vec<_> = pool.filter(|(_, eni)| !known.contains(eni)).collect();
        assert!(lost.is_empty(), "{name}: {lost:?}");
    }
}

fn two_interfaces(spec: &Value) -> Value {
    let eni = |number: u8, tags: Value| {
        json!({"ip": format!("10.0.0.{number}"), "number": number, "mac": format!("02:00:00:00:00:0{number}"),
            "addresses": [format!("10.0.0.1{number}")], "tags": tags,
            "subnet": {"id": "subnet-1", "cidr": "10.0.0.0/24"},
            "vpc": {"id": "vpc-1", "primary-cidr": "10.0.0.0/16"}})
    };
    let enis = json!({"eni-1": eni(1, json!({"team": "a", "use": "db"})), "eni-2": eni(2, json!({"team": "a"}))});
    json!({"metadata": {"name": "n"}, "spec": spec, "status": {"eni": {"enis": enis}}})
}

const FIRST: &str =
    "eni-1 #1 02:00:00:00:00:01 10.0.0.1 in 10.0.0.0/24 of [10.0.0.0/16]: 1 addresses, {}";
const SECOND: &str =
    "eni-2 #2 02:00:00:00:00:02 10.0.0.2 in 10.0.0.0/24 of [10.0.0.0/16]: 1 addresses, {}";

/// What the settings leave of two interfaces with the indices 1 and 2.
fn left(eni: &Value) -> Vec<String> {
    let found = lines(&two_interfaces(&json!({"eni": eni})));
    found.lines().filter(|line| line.starts_with("eni-")).map(str::to_owned).collect()
}

#[test]
fn what_the_settings_exclude_carries_no_pods() {
    assert_eq!(left(&json!({})), [FIRST, SECOND]);
    assert_eq!(left(&json!({"first-interface-index": 2})), [SECOND]);
    assert_eq!(left(&json!({"first-interface-index": 3})), [""; 0]);
    assert_eq!(left(&json!({"exclude-interface-tags": {"use": "db"}})), [SECOND]);
    let both = json!({"exclude-interface-tags": {"team": "a", "use": "db"}});
    assert_eq!(left(&both), [SECOND], "all of the tags");
    assert_eq!(left(&json!({"exclude-interface-tags": {"team": "a"}})), [""; 0]);
    assert_eq!(
        left(&json!({"exclude-interface-tags": {}})),
        [FIRST, SECOND],
        "no tags exclude nothing"
    );
}

#[test]
fn uncertain_settings_are_no_word() {
    let found = lines(&two_interfaces(&json!({"eni": {"first-interface-index": -1}})));
    assert!(found.starts_with("nothing\n"), "{found}");
    assert!(found.contains("spec.eni.first-interface-index"), "{found}");
}

#[test]
fn an_interface_without_a_mac_is_left_out() {
    for mac in [json!(null), json!("02:00")] {
        let mut object = two_interfaces(&json!({}));
        object["status"]["eni"]["enis"]["eni-1"]["mac"] = mac;
        let found = lines(&object);
        assert!(!found.contains("\neni-1") && !found.starts_with("eni-1"), "{found}");
        assert_eq!(found.matches(r#"status.eni.enis["eni-1"].mac"#).count(), 1, "{found}");
    }
}

#[test]
fn a_reason_is_heard_unless_it_is_empty() {
    let object = |error: &str| {
        json!({"metadata": {"name": "n"}, "spec": {},
            "status": {"ipam": {"operator-status": {"error": error}}}})
    };
    let reason = lines(&object("subnet-1 has no free address"));
    assert!(reason.contains("blocked: subnet-1 has no free address\n"), "{reason}");
    assert!(!lines(&object("")).contains("blocked"));
}

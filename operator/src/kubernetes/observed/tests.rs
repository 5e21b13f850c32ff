//! Objects as they come, whole and broken.

use ipam_core::agent::Release;

use super::*;

fn object(text: &str) -> NodeObject {
    serde_json::from_str(text).expect("whatever is JSON can be decoded")
}

/// One door: JSON, and what was read in one line.
fn check(text: &str, expected: &str) {
    let object = object(text);
    let found = match &object.content {
        Ok(node) => {
            let member =
                |member: &Member| if *member == Member::Empty { "empty" } else { "filled" };
            let ObservedObject { version, eni, pool, pre_allocate_unset, .. } = &node.object;
            let demand = node.seen.demand;
            format!(
                "{} at {version:?}: eni {}, pool {}, unset {pre_allocate_unset}, {demand:?}, ignored {}",
                node.seen.name,
                member(eni),
                member(pool),
                node.seen.ignored
            )
        }
        Err(problem) => {
            format!("unreadable {:?}: {problem}", object.name().map(|name| name.to_string()))
        }
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn what_is_read_of_a_node() {
    check(
        r#"{"metadata": {"name": "n", "resourceVersion": "7"}, "spec": {}}"#,
        "n at Some(7): eni empty, pool empty, unset true, PerIp { used: 0 }, ignored false",
    );
    check(
        r#"{"metadata": {"name": "n", "annotations": {"ipam.cilium.io/ignore": "TRUE", "x": "y"}},
            "spec": {"ipam": {"pool": {"10.0.0.1": {}}, "pre-allocate": 3}},
            "status": {"eni": {"enis": {"eni-1": {}}}, "ipam": {"used": {"10.0.0.1": {}}}}}"#,
        "n at None: eni filled, pool filled, unset false, PerIp { used: 1 }, ignored true",
    );
    check(
        r#"{"metadata": {"name": "n"}, "spec": {"ipam": {"pre-allocate": 0, "pool": {},
            "pools": {"requested": [{"pool": "default", "needed": {"ipv4-addrs": 4}}]}}},
            "status": {"eni": {"enis": {}}}}"#,
        "n at None: eni empty, pool empty, unset true, Cidr { ipv4: 4, ipv6: 0 }, ignored false",
    );
}

/// What is in use, and what is said of addresses on their way back.
#[test]
fn what_is_read_of_use() {
    let object = object(
        r#"{"metadata": {"name": "n"}, "spec": {"ipam": {"pool": {"10.0.0.1": {}}, "pools": {"allocated": [
            {"pool": "default", "cidrs": ["10.0.0.16/28", "fd00::/80"]}]}}},
            "status": {"eni": {"enis": {"eni-1": {"addresses": ["10.0.0.1"]}}},
            "ipam": {"used": {"10.0.0.2": {}}, "release-ips": {"10.0.0.3": "ready-for-release", "x": "released"}}}}"#,
    );
    let node = object.content.expect("a node");
    let usage = &node.seen.usage;
    assert!(usage.is_certain);
    assert!(
        usage.used.contains([10, 0, 0, 2].into()) && usage.listed.contains([10, 0, 0, 1].into())
    );
    assert_eq!(usage.releases, [([10, 0, 0, 3].into(), Release::Ready)].into());
    assert_eq!(usage.allocated, ["10.0.0.16/28".parse().expect("a CIDR")].into());
    assert_eq!(node.object.releases.len(), 1);
    assert_eq!(usage.shown, ["eni-1".parse().expect("an interface")].into());
}

/// An interface that is shown is not taken for hidden because it, or another one, cannot be read.
#[test]
fn what_is_shown_of_interfaces() {
    let check = |enis: &str, shown: &[&str], listed: &[[u8; 4]]| {
        let text = format!(
            r#"{{"metadata": {{"name": "n"}}, "spec": {{"ipam": {{"pools": {{"requested": [
                {{"pool": "default", "needed": {{"ipv4-addrs": 4}}}}]}}}}}},
                "status": {{"eni": {{"enis": {enis}}}}}}}"#
        );
        let usage = object(&text).content.expect("a node").seen.usage;
        let found: Vec<_> = usage.shown.iter().map(EniId::as_str).collect();
        assert_eq!(found, shown, "{enis}");
        assert!(listed.iter().all(|it| usage.listed.contains((*it).into())), "{enis}");
    };
    let both = ["eni-1", "eni-2"];
    check(r#"{"eni-1": {"addresses": ["10.0.0.1"]}, "eni-2": {}}"#, &both, &[[10, 0, 0, 1]]);
    check(
        r#"{"eni-1": {"addresses": 7}, "eni-2": {"addresses": ["10.0.0.2"]}}"#,
        &both,
        &[[10, 0, 0, 2]],
    );
    check(r#"{"eni-1": null, "eni-2": []}"#, &both, &[]);
    check(r#"{"no interface": {"addresses": ["10.0.0.1"]}}"#, &[], &[[10, 0, 0, 1]]);
    check("null", &[], &[]);
    check("[]", &[], &[]);
}

/// An agent of the per-IP contract hands out its pool, whatever else its interfaces have.
#[test]
fn what_was_published_for_an_agent_is_what_it_hands_out() {
    let object = object(
        r#"{"metadata": {"name": "n"}, "spec": {"ipam": {"pool": {"10.0.0.1": {}}}},
            "status": {"eni": {"enis": {"eni-1": {"addresses": ["10.0.0.1", "10.0.0.2"]}}}}}"#,
    );
    let usage = object.content.expect("a node").seen.usage;
    assert!(usage.listed.contains([10, 0, 0, 1].into()));
    assert!(!usage.listed.contains([10, 0, 0, 2].into()));
}

#[test]
fn what_cannot_be_read_says_which_one_it_is() {
    check(
        r#""text""#,
        "unreadable None: invalid type: string \"text\", expected struct Envelope at line 1 column 6",
    );
    check(r#"{"spec": {}}"#, "unreadable None: missing field `metadata` at line 1 column 12");
    check(r#"{"metadata": {"name": "n"}}"#, "unreadable Some(\"n\"): `spec` is not an object");
    check(
        r#"{"metadata": {"name": "Bad!"}, "spec": {}}"#,
        "unreadable None: metadata.name: \"Bad!\" is not a node name: expected a DNS subdomain: lower-case letters, digits, `-` and `.`",
    );
}

/// Whatever is in the large members, the rest is read; and what has the wrong shape is said with its place.
#[test]
fn broken_members_cost_themselves() {
    for broken in ["7", "\"x\"", "[]", "[{}]", "{\"enis\": 7}", "{\"10.0.0.1\": 7}", "true"] {
        let text = format!(
            r#"{{"metadata": {{"name": "n"}}, "spec": {{"ipam": {{"pool": {broken}}}}}, "status": {{"eni": {broken}}}}}"#
        );
        let object = object(&text);
        let node = object.content.expect("a node");
        assert!(node.object.eni != Member::Empty && node.object.pool != Member::Empty, "{broken}");
    }
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let text = format!(
        r#"{{"metadata": {{"name": "n"}}, "spec": {{"eni": {deep}}}, "status": {{"eni": {deep}}}}}"#
    );
    let node = object(&text).content.expect("a node");
    assert_eq!(node.seen.settings, None);
    assert!(
        node.problems.iter().any(|problem| problem.starts_with("spec.eni")),
        "{:?}",
        node.problems
    );
}

#[test]
fn addresses_are_taken_from_both_places() {
    let node = object(
        r#"{"metadata": {"name": "n"}, "spec": {"ipam": {"pool": {"10.0.0.1": {}, "x": {}}}},
            "status": {"eni": {"enis": {"eni-1": {"addresses": ["10.0.0.1", "y", "10.0.0.2"]}}}}}"#,
    );
    let object = node.content.expect("a node").object;
    let [one, two] =
        ["10.0.0.1", "10.0.0.2"].map(|text| text.parse::<Ipv4Addr>().expect("an address"));
    assert_eq!(object.pooled, AddressSet::from_iter([one]));
    assert_eq!(object.listed, AddressSet::from_iter([one, two]));
}

#[test]
fn an_answer_is_read_like_an_observation() {
    let text = r#"{"metadata": {"name": "n", "uid": "u", "resourceVersion": "9"}, "spec": {},
        "status": {"eni": {"enis": {"eni-1": {}}}}}"#;
    let observed = object(text).content.expect("a node").object;
    assert_eq!(object_of(text), Some(observed));
    assert_eq!(object_of("[]"), None);
}

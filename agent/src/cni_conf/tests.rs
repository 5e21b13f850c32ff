//! Which source of a setting wins, and what is said about it.

use std::path::Path;

use serde_json::{Value, json};

use super::{CniConf, merge};
use crate::imds::InstanceFacts;
use crate::kubernetes::OwnNode;

/// Merges the member `path` of flags, configuration and facts, each a JSON value or `-` where it says nothing, and
/// compares what counts, and the warnings, with `expected`.
#[track_caller]
fn check(path: &str, [flag, conf, fact]: [&str; 3], expected: &str) {
    let (section, member) = path.split_once('.').unwrap();
    let object = |value: &str| match value {
        "-" => json!({}),
        value => json!({section: {member: serde_json::from_str::<Value>(value).unwrap()}}),
    };
    let of = |value: &Value, section: &str| value.get(section).cloned().unwrap_or(json!({}));
    let flags = object(flag);
    let flags = OwnNode {
        eni: serde_json::from_value(of(&flags, "eni")).unwrap(),
        ipam: serde_json::from_value(of(&flags, "ipam")).unwrap(),
    };
    let mut plugin = object(conf);
    plugin["type"] = json!("cilium-cni");
    let conf = CniConf::parse(Path::new("05.conf"), &plugin.to_string()).unwrap();
    let facts = facts(member, fact);
    let (merged, warnings) = merge(&flags, Some(&conf), facts.as_ref());
    let merged = match section {
        "eni" => serde_json::to_value(merged.eni).unwrap(),
        _ => serde_json::to_value(merged.ipam).unwrap(),
    };
    let mut found = merged.get(member).map_or("-".to_owned(), Value::to_string);
    for warning in warnings {
        found = format!("{found}; {warning}");
    }
    assert_eq!(found, expected, "{path}: flag {flag}, configuration {conf:?}, fact {fact}");
}

fn facts(member: &str, fact: &str) -> Option<InstanceFacts> {
    let value = |name: &str, other: &str| if name == member { fact } else { other }.to_owned();
    (fact != "-").then(|| InstanceFacts {
        instance: "i-1".parse().unwrap(),
        instance_type: value("instance-type", "m5.large").parse().unwrap(),
        mac: "02:00:00:00:00:01".parse().unwrap(),
        vpc: value("vpc-id", "vpc-9").parse().unwrap(),
        subnet: value("node-subnet-id", "subnet-9").parse().unwrap(),
        zone: value("availability-zone", "eu-west-1c").parse().unwrap(),
        region: None,
    })
}

#[test]
fn members_that_mean_something_when_they_are_0_or_false_count_if_present() {
    let index = "eni.first-interface-index";
    check(index, ["-", "-", "-"], "0");
    check(index, ["1", "-", "-"], "1");
    check(index, ["-", "1", "-"], "1");
    check(index, ["1", "1", "-"], "1");
    check(
        index,
        ["1", "0", "-"],
        "0; eni.first-interface-index 0 of the CNI configuration wins over --eni-first-interface-index 1",
    );
    for (member, default) in [
        ("use-primary-address", false),
        ("disable-prefix-delegation", false),
        ("delete-on-termination", true),
    ] {
        let path = format!("eni.{member}");
        let (default, other) = (default.to_string(), (!default).to_string());
        check(&path, ["-", "-", "-"], &default);
        check(&path, [&other, "-", "-"], &other);
        check(&path, ["-", &other, "-"], &other);
        check(
            &path,
            [&other, &default, "-"],
            &format!(
                "{default}; eni.{member} {default} of the CNI configuration wins over --eni-{member} {other}"
            ),
        );
    }
}

#[test]
fn lists_and_tags_count_unless_empty() {
    for (member, first, second) in [
        ("subnet-ids", r#"["subnet-1"]"#, r#"["subnet-2"]"#),
        ("security-groups", r#"["sg-1"]"#, r#"["sg-2"]"#),
    ] {
        check_filled(&format!("eni.{member}"), "[]", first, second);
    }
    let (first, second) = (r#"{"a":"1"}"#, r#"{"b":"2"}"#);
    for member in ["subnet-tags", "security-group-tags", "exclude-interface-tags"] {
        check_filled(&format!("eni.{member}"), "{}", first, second);
    }
    check_filled("ipam.static-ip-tags", "{}", first, second);
}

#[track_caller]
fn check_filled(path: &str, empty: &str, first: &str, second: &str) {
    check(path, ["-", "-", "-"], "-");
    check(path, [first, "-", "-"], first);
    check(path, [first, empty, "-"], first);
    check(path, ["-", first, "-"], first);
    check(path, [first, first, "-"], first);
    let option = path.replace('.', "-");
    let spaced = |text: &str| text.replace(':', ": ");
    check(
        path,
        [first, second, "-"],
        &format!(
            "{second}; {path} {} of the CNI configuration wins over --{option} {}",
            spaced(second),
            spaced(first)
        ),
    );
}

#[test]
fn numbers_count_unless_0() {
    for member in ["min-allocate", "pre-allocate"] {
        let path = format!("ipam.{member}");
        check(&path, ["-", "-", "-"], "-");
        check(&path, ["3", "-", "-"], "3");
        check(&path, ["3", "0", "-"], "3");
        check(&path, ["-", "4", "-"], "4");
        check(
            &path,
            ["3", "4", "-"],
            &format!("4; ipam.{member} 4 of the CNI configuration wins over --ipam-{member} 3"),
        );
    }
}

#[test]
fn the_maximum_is_set_elsewhere() {
    check("ipam.max-allocate", ["10", "-", "-"], "10");
    check("ipam.max-allocate", ["10", "10", "-"], "10");
    check(
        "ipam.max-allocate",
        ["10", "20", "-"],
        "10; ipam.max-allocate 20 of the CNI configuration is without effect: --ipam-max-allocate 10 counts",
    );
    check(
        "ipam.max-allocate",
        ["-", "20", "-"],
        "-; ipam.max-allocate 20 of the CNI configuration is without effect: --ipam-max-allocate 0 counts",
    );
    check(
        "ipam.max-above-watermark",
        ["-", "2", "-"],
        "-; ipam.max-above-watermark 2 of the CNI configuration is without effect: \
         spec.ipam.max-above-watermark of the CiliumNode, unless set, 0 counts",
    );
}

#[test]
fn facts_of_the_instance_cannot_be_changed() {
    for (member, one, other) in [
        ("vpc-id", "vpc-1", "vpc-2"),
        ("instance-type", "m5.large", "t3.medium"),
        ("availability-zone", "eu-west-1a", "eu-west-1b"),
        ("node-subnet-id", "subnet-1", "subnet-2"),
    ] {
        let (path, conf) = (format!("eni.{member}"), format!("{one:?}"));
        check(&path, ["-", &conf, "-"], "-");
        check(&path, ["-", &conf, one], "-");
        check(&path, ["-", "-", other], "-");
        check(
            &path,
            ["-", &conf, other],
            &format!(
                "-; eni.{member} {one} of the CNI configuration is not so: this instance has {other}"
            ),
        );
    }
}

#[test]
fn what_nobody_knows_is_said() {
    check(
        "eni.subnets",
        ["-", r#"["subnet-1"]"#, "-"],
        "-; eni.subnets of the CNI configuration is without effect: there is no such setting",
    );
    let flags = OwnNode::default();
    let (defaults, warnings) = merge(&flags, None, None);
    assert_eq!((defaults.eni.first_interface_index, warnings), (Some(0), Vec::new()));
}

#[test]
fn a_minimum_above_the_maximum_is_said() {
    let mut flags = OwnNode::default();
    flags.ipam.max_allocate = Some(10);
    let text = r#"{"type": "cilium-cni", "ipam": {"min-allocate": 12}}"#;
    let conf = CniConf::parse(Path::new("05.conf"), text).unwrap();
    let (_, warnings) = merge(&flags, Some(&conf), None);
    let expected = "ipam.min-allocate 12 is more than ipam.max-allocate 10, which is not exceeded";
    assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

/// Reads a file and compares the subnets that it names, or the error, with `expected`.
#[track_caller]
fn check_file(text: &str, expected: &str) {
    let found = match CniConf::parse(Path::new("/etc/cni.conf"), text) {
        Ok(conf) => conf.eni.subnet_ids.join(" "),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn the_first_plugin_that_is_meant_counts() {
    let list = |plugins: &str| {
        format!("{{\"cniVersion\": \"0.3.1\", \"name\": \"n\", \"plugins\": [{plugins}]}}")
    };
    let other = r#"{"type": "portmap", "capabilities": {"portMappings": true}}"#;
    let cilium = r#"{"type": "cilium-cni", "eni": {"subnet-ids": ["subnet-1"]}}"#;
    let ptp =
        r#"{"type": "ptp", "ipam": {"type": "berth-cni"}, "eni": {"subnet-ids": ["subnet-2"]}}"#;
    check_file(&list(&format!("{other}, {cilium}, {ptp}")), "subnet-1");
    check_file(&list(&format!("{other}, {ptp}")), "subnet-2");
    check_file(cilium, "subnet-1");
    check_file(ptp, "subnet-2");
    let expected = "expected a plugin of type cilium-cni, or one with ipam.type berth-cni";
    check_file(
        &list(other),
        &format!("--read-cni-conf /etc/cni.conf: found the type \"portmap\": {expected}"),
    );
    check_file(&list(""), &format!("--read-cni-conf /etc/cni.conf: found no plugin: {expected}"));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let wrong = |text: &str, line: usize, problem: &str| {
        check_file(
            text,
            &format!(
                "--read-cni-conf /etc/cni.conf, line {line}: {problem}: expected a CNI configuration \
                 with a plugin of type cilium-cni, or one with ipam.type berth-cni"
            ),
        );
    };
    wrong("", 1, "EOF while parsing a value");
    wrong(
        "{\"type\": \"cilium-cni\",\n\"eni\": {\"first-interface-index\": -1}}",
        2,
        "invalid value: integer `-1`, expected u32",
    );
    wrong(
        "{\"type\": \"cilium-cni\",\n\n\"eni\": {\"subnet-ids\": [\"sn-1\"]}}",
        3,
        "\"sn-1\" is not a subnet id: expected `subnet-` and lower-case letters or digits",
    );
    wrong("{\"plugins\": [{\"type\":\n7}]}", 2, "invalid type: integer `7`, expected a string");
}

/// The file of set-up 4 of the field: pods in subnets of their own, none on the first interface.
#[test]
fn custom_networking_by_configuration() {
    let text = json!({
        "cniVersion": "0.3.1",
        "name": "cilium",
        "plugins": [{
            "cniVersion": "0.3.1",
            "type": "cilium-cni",
            "eni": {"subnet-ids": ["subnet-0a", "subnet-0b"], "first-interface-index": 1},
        }],
    });
    let conf = CniConf::parse(Path::new("cni-config"), &text.to_string()).unwrap();
    let (merged, warnings) = merge(&OwnNode::default(), Some(&conf), None);
    assert_eq!(merged.eni.first_interface_index, Some(1));
    assert_eq!(merged.eni.subnet_ids, Some(vec!["subnet-0a".into(), "subnet-0b".into()]));
    assert_eq!(warnings, Vec::new());
}

//! From the wire to core values: what is usable, and what is not with its place.

use cilium_node::convert::{Conversion, NodeFacts};
use cilium_node::{CiliumNode, convert};
use ipam_core::view::{EniView, NodeIdentity, NodeSettings};
use serde_json::{Value, json};

use crate::recorded;

/// An object with an identity, `parts` of which replace or add whole members of `spec` and `status`.
fn object(parts: &str) -> CiliumNode {
    let mut object = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": "n"},
        "spec": {
            "instance-id": "i-1",
            "eni": {"instance-type": "m5.large", "vpc-id": "vpc-1", "availability-zone": "eu-1a"},
        },
        "status": {},
    });
    let parts: Value = serde_json::from_str(parts).expect("a test's own JSON");
    merge(&mut object, &parts);
    serde_json::from_value(object).expect("a node")
}

/// Merges as JSON merge patches do (RFC 7396).
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let into = into.as_object_mut().expect("an object");
    for (key, value) in members {
        if value.is_null() {
            into.remove(key);
        } else {
            merge(into.entry(key.as_str()).or_insert(Value::Null), value);
        }
    }
}

/// One door: parts of an object in; what was found beside the usual identity and settings out, one
/// line each, and then the problems, each after an exclamation mark.
pub(crate) fn check(parts: &str, expected: &str) {
    let Conversion { node, problems } = convert(&object(parts));
    let mut lines = facts(&node);
    lines.extend(problems.iter().map(|problem| format!("! {problem}")));
    let expected: Vec<_> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected, "{parts}");
}

fn facts(node: &NodeFacts) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(identity(node.identity.as_ref()));
    lines.extend(settings(node.settings.as_ref()));
    let demand = format!("{:?}", node.demand);
    lines.extend(Some(demand).filter(|demand| demand != "PerIp { used: 0 }"));
    lines.extend(node.pool.iter().map(|(address, eni)| format!("pool {address} on {eni}")));
    lines.extend(node.allocated.iter().map(|cidr| format!("allocated {cidr}")));
    lines.extend(
        node.releases.iter().map(|(address, state)| format!("release {address} {state:?}")),
    );
    for (address, used) in &node.used {
        let eni = used.eni.as_ref().map_or("no ENI", |eni| eni.as_str());
        lines.push(format!("used {address} by {:?} on {eni}", used.owner));
    }
    lines.extend((!node.use_is_certain).then(|| "use is uncertain".to_owned()));
    lines.extend(node.enis.iter().map(eni));
    lines.extend(node.subnets.iter().map(|(id, cidr)| format!("{id} {cidr}")));
    for (id, vpc) in &node.vpcs {
        lines.push(format!("{id} {} {:?}", vpc.primary_cidr, vpc.cidrs));
    }
    lines
}

/// What is unusual about an identity.
fn identity(identity: Option<&NodeIdentity>) -> Option<String> {
    let Some(identity) = identity else {
        return Some("no identity".to_owned());
    };
    let NodeIdentity { name, instance, instance_type, vpc, zone, subnet } = identity;
    let line = format!("{name} {instance} {instance_type} {vpc} {zone} {subnet:?}");
    (line != "n i-1 m5.large vpc-1 eu-1a None").then_some(line)
}

/// What is unusual about settings.
fn settings(settings: Option<&NodeSettings>) -> Option<String> {
    let Some(settings) = settings else {
        return Some("no settings".to_owned());
    };
    (*settings != NodeSettings::default()).then(|| {
        let marks = settings.watermarks;
        format!(
            "pre {} min {} max {:?} above {} first {:?} delete {} primary {} no-prefix {} subnets {:?} {:?} groups {:?} {:?} exclude {:?}",
            marks.pre_allocate(), marks.min_allocate(), marks.max_allocate(), marks.max_above_watermark(),
            settings.first_interface_index, settings.delete_on_termination, settings.use_primary_address,
            settings.disable_prefix_delegation, settings.subnets.ids, settings.subnets.tags,
            settings.security_groups.ids, settings.security_groups.tags, settings.exclude_interface_tags,
        )
    })
}

fn eni(eni: &EniView) -> String {
    let index = eni.attachment.as_ref().map(|at| at.device_index).expect("it is attached");
    let mut line = format!("{} #{index} {} {}", eni.id, eni.subnet, eni.ipv4.primary);
    let held = [
        ("+", format!("{:?}", eni.ipv4.addresses)),
        ("prefixes", format!("{:?}", eni.ipv4.prefixes)),
        ("ipv6", format!("{:?}", eni.ipv6.prefixes)),
        ("groups", format!("{:?}", eni.security_groups)),
        ("tags", format!("{:?}", eni.tags)),
        ("mac", eni.mac.map_or_else(|| "[]".to_owned(), |mac| mac.to_string())),
        ("public", eni.public_ip.map_or_else(|| "[]".to_owned(), |ip| ip.to_string())),
    ];
    for (word, text) in held.iter().filter(|(_, text)| text != "[]" && text != "{}") {
        line += [" ", word, " ", text].concat().as_str();
    }
    line
}

#[test]
fn identity_is_complete_or_absent() {
    check("{}", "");
    check(
        r#"{"spec": {"eni": {"node-subnet-id": "subnet-1"}}}"#,
        "n i-1 m5.large vpc-1 eu-1a Some(subnet-1)",
    );
    check(
        r#"{"metadata": {"name": null}, "spec": {"instance-id": null, "eni": null}}"#,
        "no identity
         ! metadata.name: missing: expected a node name
         ! spec.instance-id: missing: expected an instance id
         ! spec.eni.instance-type: missing: expected an instance type
         ! spec.eni.vpc-id: missing: expected a VPC id
         ! spec.eni.availability-zone: missing: expected an availability zone",
    );
    check(
        r#"{"spec": {"instance-id": "", "eni": {"node-subnet-id": "10.0.0.0/24"}}}"#,
        r#"no identity
         ! spec.instance-id: "" is not an instance id: expected `i-` and lower-case letters or digits
         ! spec.eni.node-subnet-id: "10.0.0.0/24" is not a subnet id: expected `subnet-` and lower-case letters or digits"#,
    );
}

#[test]
fn absent_settings_have_their_documented_meaning() {
    check(
        r#"{"spec": {"ipam": {}, "eni": {"delete-on-termination": true, "use-primary-address": false}}}"#,
        "",
    );
    check(
        r#"{"spec": {"ipam": {"pre-allocate": 0}, "eni": {"first-interface-index": 0}}}"#,
        "pre 8 min 0 max None above 0 first Some(0) delete true primary false no-prefix false subnets [] {} groups [] {} exclude {}",
    );
}

#[test]
fn every_setting_arrives() {
    check(
        r#"{"spec": {
            "eni": {
                "first-interface-index": 1, "delete-on-termination": false, "use-primary-address": true,
                "disable-prefix-delegation": true, "subnet-ids": ["subnet-1", "subnet-2"], "subnet-tags": {"a": "b"},
                "security-groups": ["sg-1"], "security-group-tags": {"c": "d"}, "exclude-interface-tags": {"e": "f"}},
            "ipam": {"pre-allocate": 4, "min-allocate": 10, "max-allocate": 20, "max-above-watermark": 2}}}"#,
        r#"pre 4 min 10 max Some(20) above 2 first Some(1) delete false primary true no-prefix true subnets [subnet-1, subnet-2] {"a": "b"} groups [sg-1] {"c": "d"} exclude {"e": "f"}"#,
    );
}

#[test]
fn a_setting_that_narrows_is_never_dropped() {
    check(
        r#"{"spec": {"eni": {"first-interface-index": -1}}}"#,
        "no settings
         ! spec.eni.first-interface-index: -1 is out of range: expected 0 to 65535",
    );
    check(
        r#"{"spec": {"eni": {"subnet-ids": ["sunbet-1"]}}}"#,
        r#"no settings
         ! spec.eni.subnet-ids[0]: "sunbet-1" is not a subnet id: expected `subnet-` and lower-case letters or digits"#,
    );
    check(
        r#"{"spec": {"eni": {"subnet-ids": ["", "subnet-2"]}}}"#,
        r#"pre 8 min 0 max None above 0 first None delete true primary false no-prefix false subnets [subnet-2] {} groups [] {} exclude {}
         ! spec.eni.subnet-ids[0]: "" is not a subnet id: expected `subnet-` and lower-case letters or digits"#,
    );
    check(
        r#"{"spec": {"eni": {"security-groups": ["sg-1", "SG-2"]}}}"#,
        r#"no settings
         ! spec.eni.security-groups[1]: "SG-2" is not a security group id: expected `sg-` and lower-case letters or digits"#,
    );
}

#[test]
fn a_watermark_out_of_range_falls_back() {
    check(
        r#"{"spec": {"ipam": {"pre-allocate": 65537, "min-allocate": -1, "max-above-watermark": 3}}}"#,
        "pre 8 min 0 max None above 3 first None delete true primary false no-prefix false subnets [] {} groups [] {} exclude {}
         ! spec.ipam.pre-allocate: 65537 is out of range: expected -65536 to 65536
         ! spec.ipam.min-allocate: -1 is out of range: expected 0 to 65536",
    );
    check(
        r#"{"spec": {"ipam": {"pre-allocate": -1}}}"#,
        "pre -1 min 0 max None above 0 first None delete true primary false no-prefix false subnets [] {} groups [] {} exclude {}",
    );
}

#[test]
fn a_cap_that_makes_no_sense_is_not_read_as_no_cap() {
    for cap in ["-1", "65537", "9000000000"] {
        check(
            &format!(r#"{{"spec": {{"ipam": {{"max-allocate": {cap}}}}}}}"#),
            &format!(
                "no settings
                 ! spec.ipam.max-allocate: {cap} is out of range: expected 0 to 65536"
            ),
        );
    }
}

/// A demand that was read too low would make what is in use look like excess.
#[test]
fn a_demand_that_makes_no_sense_is_not_read_as_none() {
    let check_needed = |needed: &str, expected: &str| {
        let requested = format!(r#"[{{"pool": "default", "needed": {{{needed}}}}}]"#);
        check(
            &format!(r#"{{"spec": {{"ipam": {{"pools": {{"requested": {requested}}}}}}}}}"#),
            expected,
        );
    };
    check_needed(
        r#""ipv4-addrs": 5000000000, "ipv6-addrs": 5"#,
        "Cidr { ipv4: 4294967295, ipv6: 5 }
         ! spec.ipam.pools.requested[0].needed.ipv4-addrs: 5000000000 is out of range: expected 0 to 4294967295",
    );
    check_needed(
        r#""ipv4-addrs": 7, "ipv6-addrs": -1"#,
        "Cidr { ipv4: 7, ipv6: 0 }
         use is uncertain
         ! spec.ipam.pools.requested[0].needed.ipv6-addrs: -1 is out of range: expected 0 to 4294967295",
    );
}

#[test]
fn one_bad_pool_entry_hides_no_other() {
    check(
        r#"{"spec": {"ipam": {"pool": {
            "10.0.0.999": {"resource": "eni-1"}, "10.0.0.1": {"resource": "eni-1"}, "10.0.0.2": {},
            "10.0.0.3": {"resource": "vpc-1"}, "10.0.0.4": {"resource": "eni-2"}, "fd00::1": {"resource": ""}}}}}"#,
        r#"pool 10.0.0.1 on eni-1
         pool 10.0.0.4 on eni-2
         ! spec.ipam.pool["10.0.0.2"].resource: missing: expected an ENI id
         ! spec.ipam.pool["10.0.0.3"].resource: "vpc-1" is not an ENI id: expected `eni-` and lower-case letters or digits
         ! spec.ipam.pool["10.0.0.999"]: not an IPv4 address
         ! spec.ipam.pool["fd00::1"]: not an IPv4 address
         ! spec.ipam.pool["fd00::1"].resource: "" is not an ENI id: expected `eni-` and lower-case letters or digits"#,
    );
}

#[test]
fn an_address_in_use_counts_whatever_else_is_wrong() {
    check(
        r#"{"status": {"ipam": {"used": {
            "10.0.0.1": {"owner": "default/pod", "resource": "eni-1"}, "10.0.0.2": {"owner": "router"},
            "10.0.0.3": {"resource": "x"}, "10.0.0": {"owner": "default/other", "resource": "eni-1"}}}}}"#,
        r#"PerIp { used: 4 }
         used 10.0.0.1 by "default/pod" on eni-1
         used 10.0.0.2 by "router" on no ENI
         used 10.0.0.3 by "" on no ENI
         use is uncertain
         ! status.ipam.used["10.0.0"]: not an IPv4 address
         ! status.ipam.used["10.0.0.3"].resource: "x" is not an ENI id: expected `eni-` and lower-case letters or digits"#,
    );
}

#[test]
fn demand_and_cidrs_of_the_default_pool() {
    check(
        r#"{"spec": {"ipam": {"pools": {
            "requested": [{"pool": "blue", "needed": {"ipv4-addrs": 99}}, {"pool": "default", "needed": {"ipv4-addrs": 24, "ipv6-addrs": 8}}],
            "allocated": [{"pool": "blue", "cidrs": ["10.9.0.0/28"]}, {"pool": "default", "cidrs": ["10.0.0.16/28", "10.0.0.5/32", "fd00::/80"]}]}}}}"#,
        "Cidr { ipv4: 24, ipv6: 8 }
         allocated 10.0.0.5/32
         allocated 10.0.0.16/28
         allocated fd00::/80",
    );
    check(
        r#"{"spec": {"ipam": {"pools": {
            "requested": [{"pool": "default", "needed": {"ipv4-addrs": -1, "ipv6-addrs": 5}}, {"pool": "default", "needed": {"ipv4-addrs": 7}}],
            "allocated": [{"pool": "default", "cidrs": ["10.0.0.17/28", "10.0.0.1", ""]}, {"pool": "default"}]}}}}"#,
        "Cidr { ipv4: 0, ipv6: 5 }
         allocated 10.0.0.16/28
         use is uncertain
         ! spec.ipam.pools.requested[0].needed.ipv4-addrs: -1 is out of range: expected 0 to 4294967295
         ! spec.ipam.pools.requested[1]: in conflict with spec.ipam.pools.requested[0]
         ! spec.ipam.pools.allocated[0].cidrs[1]: not a CIDR
         ! spec.ipam.pools.allocated[0].cidrs[2]: not a CIDR",
    );
}

#[test]
fn release_states() {
    check(
        r#"{"status": {"ipam": {"release-ips": {
            "10.0.0.1": "marked-for-release", "10.0.0.2": "ready-for-release", "10.0.0.3": "do-not-release",
            "10.0.0.4": "released", "10.0.0.5": "lost", "10.0.0.256": "released"}}}}"#,
        r#"release 10.0.0.1 Marked
         release 10.0.0.2 Ready
         release 10.0.0.3 Refused
         release 10.0.0.4 Released
         ! status.ipam.release-ips["10.0.0.256"]: not an IPv4 address
         ! status.ipam.release-ips["10.0.0.5"]: not marked-for-release, ready-for-release, do-not-release or released"#,
    );
}

#[test]
fn recorded_objects_have_no_problems() {
    for (name, object) in recorded::objects() {
        let node: CiliumNode = serde_json::from_value(object).expect("a recorded object");
        let Conversion { node, problems } = convert(&node);
        assert_eq!(problems, [], "{name}");
        assert!(
            node.identity.is_some() && node.settings.is_some() && node.use_is_certain,
            "{name}"
        );
    }
}

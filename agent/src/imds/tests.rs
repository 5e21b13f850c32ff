//! What is made of what the service says.

use ipam_core::agent::{EniFacts, ShownEni};

use super::interfaces::macs;
use super::*;

const MAC: &str = "02:00:00:00:00:01";

/// Texts, a path and its text a line; `^` before the path stands for the directory of the interface, and `|` in a text for
/// the end of a line.
fn texts(lines: &str) -> Texts {
    let mut texts = Texts::default();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (path, text) = line.split_once('=').expect("a path and a text");
        let path = path.trim().replace('^', &format!("network/interfaces/macs/{MAC}/"));
        texts.insert(path, text.trim().replace('|', "\n"));
    }
    texts
}

/// The lines of `all` with those of the same path in `instead` in their place; an empty one takes its line away.
fn with(all: &str, instead: &str) -> String {
    let path = |line: &str| line.split_once('=').map_or(line, |(path, _)| path).trim().to_owned();
    let new: Vec<&str> = instead.lines().map(str::trim).collect();
    let kept = all.lines().map(str::trim);
    let kept = kept.filter(|line| !new.iter().any(|new| path(new) == path(line)));
    let new = new.iter().copied().filter(|line| line.contains('='));
    kept.chain(new).collect::<Vec<_>>().join("\n")
}

const FACTS: &str = "
    instance-id = i-0a1b
    instance-type = m5.large
    mac = 02:00:00:00:00:01
    placement/availability-zone = eu-west-1a
    placement/region = eu-west-1
    ^vpc-id = vpc-1
    ^subnet-id = subnet-1";

fn check_facts(instead: &str, expected: &str) {
    let found = match InstanceFacts::parse(&texts(&with(FACTS, instead))) {
        Ok(InstanceFacts { instance, instance_type, mac, vpc, subnet, zone, region }) => {
            format!("{instance} {instance_type} {mac} {vpc} {subnet} {zone} {region:?}")
        }
        Err(problem) => problem.to_string(),
    };
    assert_eq!(found, expected);
}

#[test]
fn an_instance_is_known_by_its_facts() {
    let rest = "m5.large 02:00:00:00:00:01 vpc-1 subnet-1 eu-west-1a";
    check_facts("", &format!(r#"i-0a1b {rest} Some("eu-west-1")"#));
    check_facts("placement/region", &format!("i-0a1b {rest} None"));
    check_facts("instance-id = i-2\n", &format!(r#"i-2 {rest} Some("eu-west-1")"#));
}

#[test]
fn empty_and_malformed_facts_are_refused() {
    check_facts("instance-id =", r#"instance-id: "" is not an instance id"#);
    check_facts("instance-id", "instance-id: missing: expected an instance id");
    check_facts("instance-id = <html>", r#"instance-id: "<html>" is not an instance id"#);
    check_facts("instance-type =", r#"instance-type: "" is not an instance type"#);
    check_facts("mac = 02:00", r#"mac: "02:00" is not a MAC address"#);
    check_facts(
        "placement/availability-zone =",
        r#"placement/availability-zone: "" is not an availability zone"#,
    );
    check_facts("placement/region = ?", r#"placement/region: "?" is not a region"#);
    let at = format!("network/interfaces/macs/{MAC}");
    check_facts("^vpc-id =", &format!(r#"{at}/vpc-id: "" is not a VPC id"#));
    check_facts("^subnet-id", &format!("{at}/subnet-id: missing: expected a subnet id"));
}

const INTERFACE: &str = "
    ^interface-id = eni-1
    ^device-number = 1
    ^local-ipv4s = 10.0.0.9|10.0.0.4
    ^ipv4-prefix = 10.0.0.16/28|10.0.0.32/28
    ^subnet-ipv4-cidr-block = 10.0.0.0/24
    ^vpc-ipv4-cidr-block = 10.1.0.0/16
    ^vpc-ipv4-cidr-blocks = 10.0.0.0/16|10.1.0.0/16";

fn check(instead: &str, expected: &str) {
    let mut found = Interfaces::default();
    found.add(MAC.parse().expect("a MAC"), &texts(&with(INTERFACE, instead)));
    let shown = found.shown.iter().map(|eni| {
        let EniFacts { id, mac, number, subnet, vpc } = &eni.facts;
        let ShownEni { network_card: card, primary, addresses, prefixes, .. } = eni;
        let primary = primary.map(|address| address.to_string()).unwrap_or_default();
        let subnet = subnet.map(|cidr| cidr.to_string()).unwrap_or_default();
        format!(
            "{id} {card}/{number} {mac} ({subnet}) {vpc:?} ({primary}) {addresses:?} {prefixes:?}"
        )
    });
    let left_out = found.left_out.iter().map(|it| it.problem.to_string());
    let at = format!("network/interfaces/macs/{MAC}/");
    let found: Vec<String> = shown.chain(left_out).map(|it| it.replace(&at, "^")).collect();
    assert_eq!(found, [expected]);
}

#[test]
fn an_interface_has_addresses_and_prefixes() {
    let head = "eni-1 0/1 02:00:00:00:00:01 (10.0.0.0/24) [10.1.0.0/16, 10.0.0.0/16] (10.0.0.9)";
    let prefixes = "{10.0.0.16/28, 10.0.0.32/28}";
    check("", &format!("{head} {{10.0.0.4, 10.0.0.9}} {prefixes}"));
    check("^ipv4-prefix", &format!("{head} {{10.0.0.4, 10.0.0.9}} {{}}"));
    check(
        "^ipv6s = fd00::1\n^ipv6-prefix = fd00:0:0:0:1::/80",
        &format!(
            "{head} {{10.0.0.4, 10.0.0.9, fd00::1}} {{10.0.0.16/28, 10.0.0.32/28, fd00::1:0:0:0/80}}"
        ),
    );
    check(
        "^network-card = 1\n^local-ipv4s = 10.0.0.9\n",
        &format!("{} {{10.0.0.9}} {prefixes}", head.replace(" 0/1", " 1/1")),
    );
}

#[test]
fn an_interface_without_ipv4_has_no_ipv4_blocks() {
    check(
        "^local-ipv4s\n^ipv4-prefix\n^subnet-ipv4-cidr-block\n^vpc-ipv4-cidr-block\n^vpc-ipv4-cidr-blocks
         ^ipv6s = fd00::1\n^vpc-ipv6-cidr-blocks = fd00::/56",
        "eni-1 0/1 02:00:00:00:00:01 () [fd00::/56] () {fd00::1} {}",
    );
}

#[test]
fn what_comes_or_goes_is_left_out() {
    check("^interface-id", "^interface-id: missing: expected an ENI id");
    check("^device-number", "^device-number: missing: expected a device index");
    check("^subnet-ipv4-cidr-block", "^subnet-ipv4-cidr-block: missing: expected an IPv4 CIDR");
    check("^vpc-ipv4-cidr-blocks", "^vpc-ipv4-cidr-blocks: missing: expected an IPv4 CIDR");
}

#[test]
fn empty_and_malformed_leaves_are_refused() {
    check("^interface-id =", r#"^interface-id: "" is not an ENI id"#);
    check("^device-number = -1", r#"^device-number: "-1" is not a device index"#);
    check("^network-card =", r#"^network-card: "" is not a network card"#);
    check("^local-ipv4s =", r#"^local-ipv4s: "" is not a list of IPv4 addresses"#);
    check(
        "^local-ipv4s = 10.0.0.9||10.0.0.4",
        r#"^local-ipv4s: "" is not a list of IPv4 addresses"#,
    );
    check("^ipv4-prefix = 10.0.0.16/27", r#"^ipv4-prefix: "10.0.0.16/27" is not a list of /28"#);
    check("^ipv4-prefix = 10.0.0.17/28", r#"^ipv4-prefix: "10.0.0.17/28" is not a list of /28"#);
    check("^ipv6-prefix = fd00::/64", r#"^ipv6-prefix: "fd00::/64" is not a list of IPv6 /80"#);
    check("^subnet-ipv4-cidr-block = x", r#"^subnet-ipv4-cidr-block: "x" is not an IPv4 CIDR"#);
}

#[test]
fn interfaces_are_listed_by_their_hardware_address() {
    let listed = |text: &str| {
        let found = macs(&texts(&format!("network/interfaces/macs/ = {text}")));
        found.map_or_else(|problem| problem.to_string(), |macs| format!("{macs:?}"))
    };
    assert_eq!(listed("02:00:00:00:00:01/"), "{02:00:00:00:00:01}");
    assert_eq!(
        listed("02:00:00:00:00:02/|02:00:00:00:00:01"),
        "{02:00:00:00:00:01, 02:00:00:00:00:02}"
    );
    let refused = r#"network/interfaces/macs/: "" is not a list of MAC addresses"#;
    assert_eq!(listed(""), refused);
    assert_eq!(
        macs(&Texts::default()).expect_err("none").to_string(),
        "network/interfaces/macs/: missing: expected a list of MAC addresses"
    );
}

//! World files that are right, and what is said of those that are not.

use super::Spec;
use crate::machine::Ec2;

/// `text`, and the error that reading it or building from it gives.
#[track_caller]
fn check(text: &str, expected: &str) {
    let built = Spec::parse("world.yaml", text).and_then(|spec| {
        let mut ec2 = Ec2::new(spec.settings()?);
        spec.populate(&mut ec2)
    });
    assert_eq!(built.map_or_else(|error| error.to_string(), |()| "built".to_owned()), expected);
}

/// A VPC of 10.0.0.0/16, and what comes behind it.
fn with_vpc(text: &str) -> String {
    format!("vpcs:\n  - {{id: vpc-0000000a, cidr: 10.0.0.0/16}}\n{text}")
}

/// The same with the subnet 10.0.0.0/24.
fn with_subnet(text: &str) -> String {
    with_vpc(&format!(
        "subnets:\n  - {{id: subnet-0000000a, vpc: vpc-0000000a, zone: eu-west-1a, cidr: 10.0.0.0/24}}\n{text}"
    ))
}

#[test]
fn the_example_is_right() {
    check(include_str!("../../examples/two-subnets.yaml"), "built");
}

#[test]
fn json_is_right_as_well() {
    check("{\"settings\": {\"seed\": 1}, \"vpcs\": [{\"cidr\": \"10.0.0.0/16\"}]}", "built");
    check(
        "{\"vpcs\": [\n {\"cidr\": 1}]}",
        "world.yaml:2:11: vpcs[0].cidr: `1`: expected an IPv4 block, such as 10.0.0.0/16",
    );
}

#[test]
fn unknown_fields_are_named() {
    check(
        "vpcs:\n  - cidr: 10.0.0.0/16\n    name: main\n",
        "world.yaml:3:5: vpcs[0].name: unknown field `name`, expected one of id, cidr, secondary_cidrs, ipv6_cidrs, \
         default_group, main_route_table, tags",
    );
    check(
        "vpc: []\n",
        "world.yaml:1:1: vpc: unknown field `vpc`, expected one of settings, vpcs, security_groups, subnets, \
         route_tables, instances, interfaces, elastic_ips, principals, faults; did you mean `vpcs`?",
    );
}

#[test]
fn values_have_their_form() {
    check(
        "vpcs:\n  - cidr: 10.0.0.0/33\n",
        "world.yaml:2:11: vpcs[0].cidr: `10.0.0.0/33`: expected an IPv4 block, such as 10.0.0.0/16",
    );
    check(
        "settings:\n  seed: many\n",
        "world.yaml:2:9: settings.seed: expected a whole number, 0 or more",
    );
    check(
        "settings: {latency: fast}\n",
        "world.yaml:1:21: settings.latency: unknown variant `fast`, expected one of zero, typical, slow",
    );
    check(
        "vpcs:\n  - id: vpc-1\n    cidr: 10.0.0.0/16\n",
        "world.yaml:2:9: vpcs[0].id: `vpc-1` is no id of the form vpc-xxxxxxxx or vpc-xxxxxxxxxxxxxxxxx (8 or 17 hexadecimal digits)",
    );
    check("vpcs:\n  - {}\n", "world.yaml:2:5: vpcs[0]: missing field `cidr`");
    check("vpcs: [\n", "world.yaml:1:7: vpcs: unclosed bracket '['");
}

#[test]
fn what_does_not_fit_is_found_in_the_file() {
    check(
        &with_vpc("subnets:\n  - vpc: vpc-0000000a\n    zone: eu-west-1a\n    cidr: 10.0.0.0/30\n"),
        "world.yaml:6:11: subnets[0].cidr: `10.0.0.0/30`: expected /16 to /28 inside of 10.0.0.0/16",
    );
    check(
        &with_vpc("subnets:\n  - vpc: vpc-0000000b\n    zone: eu-west-1a\n    cidr: 10.0.0.0/24\n"),
        "world.yaml:4:10: subnets[0].vpc: vpc `vpc-0000000b` is not in this world",
    );
    check(
        &with_vpc("subnets:\n  - vpc: vpc-0000000a\n    zone: eu-west-1a\n    cidr: 10.9.0.0/24\n"),
        "world.yaml:6:11: subnets[0].cidr: `10.9.0.0/24`: expected /16 to /28 inside of 10.0.0.0/16",
    );
    check(
        &with_subnet("instances:\n  - instance_type: m5.enormous\n    subnet: subnet-0000000a\n"),
        "world.yaml:6:20: instances[0].instance_type: `m5.enormous`: expected an instance type",
    );
    check(
        &with_subnet("instances:\n  - instance_type: m5.larg\n    subnet: subnet-0000000a\n"),
        "world.yaml:6:20: instances[0].instance_type: `m5.larg`: expected an instance type; did you mean `m5.large`?",
    );
    check(
        &with_subnet(
            "instances:\n  - instance_type: m5.large\n    count: 2\n    id: i-0000000a\n    subnet: subnet-0000000a\n",
        ),
        "world.yaml:7:12: instances[0].count: `2`: expected 1 where an id or an address is given",
    );
    check(
        &with_subnet(
            "interfaces:\n  - {subnet: subnet-0000000a, primary_ip: 10.0.0.10}\n  - subnet: subnet-0000000a\n    primary_ip: 10.0.0.10\n",
        ),
        "world.yaml:8:17: interfaces[1].primary_ip: Address 10.0.0.10 is in use.",
    );
    check(
        &with_subnet("interfaces:\n  - {description: nowhere}\n"),
        "world.yaml:6:5: interfaces[0]: missing field `subnet`",
    );
    check(
        &with_subnet("interfaces:\n  - subnet: subnet-0000000a\n    ipv4_prefix_count: 20\n"),
        "world.yaml:6:5: interfaces[0]: There aren't sufficient free Ipv4 addresses or prefixes",
    );
    check(
        &with_subnet("elastic_ips:\n  - public_ip: 198.51.100.1\n    private_ip: 10.0.0.10\n"),
        "world.yaml:6:5: elastic_ips[0]: missing field `interface`",
    );
}

#[test]
fn switches_and_buckets_are_known() {
    check(
        "settings:\n  account: 12\n",
        "world.yaml:2:12: settings.account: `12`: expected 12 digits",
    );
    check(
        "settings:\n  assumptions:\n    pick-policy: best\n",
        "world.yaml:3:18: settings.assumptions.pick-policy: assumption pick-policy: `best`: expected one of random, next-fit, lowest-first",
    );
    check(
        "settings:\n  assumptions:\n    gravity: true\n",
        "world.yaml:3:14: settings.assumptions.gravity: no assumption is called `gravity`",
    );
    check(
        "settings:\n  buckets:\n    overrides:\n      RunInstances: {capacity: 1, refill_per_second: 1}\n",
        "world.yaml:4:21: settings.buckets.overrides.RunInstances: `RunInstances` is no bucket: expected an action, with `:unfiltered` behind it where listing everything has a bucket of its own",
    );
    check(
        "settings:\n  buckets: {multiplier: 0}\n",
        "world.yaml:2:25: settings.buckets.multiplier: `0`: expected a number above 0",
    );
}

#[test]
fn many_nodes_are_one_entry() {
    check(
        &with_subnet(
            "instances:\n  - count: 2\n    instance_type: m5.large\n    subnet: subnet-0000000a\n    primary: {ipv4_address_count: 1}\n    \
             interfaces:\n      - {ipv4_prefix_count: 1}\n",
        ),
        "built",
    );
}

#[test]
fn files_that_are_no_worlds_are_refused_in_plain_words() {
    check("", "built");
    check("# nothing\n", "built");
    check("vpcs: {a: b}\n", "world.yaml:1:7: vpcs: expected a list");
    check("[]\n", "world.yaml:1:1: expected fields with values");
    check(
        "vpcs:\n\t- {cidr: 10.0.0.0/16}\n",
        "world.yaml:2:2: tabs disallowed within this context (block indentation)",
    );
    check(
        "settings: {seed: 1}\nsettings: {seed: 2}\n",
        "world.yaml:2:1: duplicate mapping key: settings",
    );
    check(
        "settings: {seed: 1}\n---\nsettings: {seed: 2}\n",
        "world.yaml:3:1: expected one document: there are several, with `---` between them",
    );
}

#[test]
fn a_small_file_that_unfolds_to_a_large_one_is_refused() {
    let unfolded = (b'b'..=b'j').map(char::from).fold("a".to_owned(), |inner, letter| {
        let line = inner.lines().last().unwrap_or_default();
        let name = line.split(':').next().unwrap_or_default();
        let items = vec![format!("*{name}"); 9].join(", ");
        let first = if inner == "a" { "a: &a [x]".to_owned() } else { inner.clone() };
        format!("{first}\n{letter}: &{letter} [{items}]")
    });
    let text = format!(
        "vpcs:\n  - cidr: 10.0.0.0/16\n    tags:\n      {}",
        unfolded.replace('\n', "\n      ")
    );
    let error = Spec::parse("world.yaml", &text).unwrap_err().to_string();
    assert!(error.starts_with("world.yaml:"), "{error}");
}

#[test]
fn anchors_stand_for_what_they_name() {
    check(
        "vpcs:\n  - &vpc {cidr: 10.0.0.0/16, tags: &tags {team: a}}\n  - {cidr: 10.1.0.0/16, tags: *tags}\n  - *vpc\n",
        "built",
    );
}

#[test]
fn ids_are_used_once() {
    check(
        &with_vpc("  - {id: vpc-0000000a, cidr: 10.1.0.0/16}\n"),
        "world.yaml:3:10: vpcs[1].id: vpc `vpc-0000000a` is there already",
    );
    check(
        &with_subnet("  - {vpc: vpc-0000000a, zone: eu-west-1a, cidr: 10.0.0.128/25}\n"),
        "world.yaml:5:49: subnets[1].cidr: `10.0.0.128/25`: expected no overlap with subnet-0000000a (10.0.0.0/24)",
    );
}

#[test]
fn principals_have_keys_and_accounts() {
    check(
        "principals:\n  - {access_key: '', account: '123456789012'}\n",
        "world.yaml:2:18: principals[0].access_key: expected a text that is not empty",
    );
    check(
        "principals:\n  - {access_key: AKIA1, account: mine}\n",
        "world.yaml:2:34: principals[0].account: `mine`: expected 12 digits",
    );
}

#[test]
fn an_entry_of_many_says_how_many_were_made() {
    let entry = "instances:\n  - {count: 300, instance_type: m5.large, subnet: subnet-0000000a}\n";
    check(
        &with_subnet(entry),
        "world.yaml:6:5: instances[0]: 251 of 300 were made: \
         The specified subnet does not have enough free addresses to satisfy the request.",
    );
}

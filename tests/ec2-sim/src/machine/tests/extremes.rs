//! Values that nobody sends on purpose: each is answered, and none leaves the world unsound.

use proptest::prelude::*;

use crate::Moment;
use crate::build::{NewSubnet, NewVpc};
use crate::script::{check, standard};

const COUNTS: [&str; 8] =
    ["-9223372036854775808", "-1", "0", "1", "63", "64", "1000000", "9223372036854775807"];

const ADDRESSES: [&str; 8] = [
    "10.0.0.60,10.0.0.60",
    "0.0.0.0",
    "255.255.255.255",
    "10.0.0.0",
    "10.0.0.255",
    "10.0.2.14",
    "10.0.2.15",
    "10.0.0.254,10.0.0.253",
];

const PREFIXES: [&str; 8] = [
    "0.0.0.0/0",
    "255.255.255.240/28",
    "10.0.0.0/28",
    "10.0.0.240/28",
    "10.0.2.0/28",
    "10.0.0.32/28,10.0.0.32/28",
    "10.0.0.32/28,10.0.0.32/29",
    "10.0.0.9/32",
];

const OTHERS: [&str; 24] = [
    "attach e i1 4294967295 card=4294967295",
    "attach e i1 4294967295",
    "attach e multi 9223372036854775807 card=-9223372036854775808",
    "attach e i1 4294967296 card=9223372036854775807",
    "assign6 e prefixes=::/0",
    "assign6 e prefixes=2001:db8:0:1::/80",
    "assign6 e prefixes=2001:db8:0:1:ffff::/80",
    "assign6 e ips=2001:db8:0:1:ffff:ffff:ffff:ffff,2001:db8:0:1::3",
    "reserve a 0.0.0.0/0 prefix",
    "reserve a 10.0.0.0/24 explicit",
    "reserve tiny 10.0.2.0/28 prefix",
    "reserve a 10.0.0.0/32 prefix",
    "reserve b 10.0.1.9/28 explicit",
    "tag on=e tags=51",
    "tag on=e,e,e tags=aws:x:1,:2",
    "interfaces max=0",
    "interfaces max=9223372036854775807",
    "quota usage=18446744073709551615 interfaces=18446744073709551615",
    "quota usage=0",
    "assume create-ceiling=200 address-usage-of-services=18446744073709551615",
    "assume slow-factor=1e300 latency-per-item=18446744073709551615us",
    "latency slow",
    "leave a 0",
    "wait 18446744073709551615",
];

const EFFECTS: [&str; 9] = [
    r#"{"delay": 18446744073709551615}"#,
    r#"{"stale-read": 18446744073709551615}"#,
    r#"{"truncated-page": 18446744073709551615}"#,
    r#"{"truncated-page": 0}"#,
    r#"{"foreign": {"act": {"take-addresses": {"count": 18446744073709551615}}}}"#,
    r#"{"foreign": {"act": {"take-addresses": {"count": 0}}}}"#,
    r#"{"foreign": {"act": {"take-device-index": {"device_index": 4294967295}}}}"#,
    r#"{"foreign": {"act": {"clock-jump": {"seconds": -9223372036854775808}}}}"#,
    r#"{"foreign": {"act": {"cut-quota": {"interfaces": 0}}}}"#,
];

fn line() -> impl Strategy<Value = String> {
    let wish = prop_oneof![
        prop::sample::select(COUNTS.to_vec()).prop_map(|count| format!("count={count}")),
        prop::sample::select(COUNTS.to_vec()).prop_map(|count| format!("prefix-count={count}")),
        prop::sample::select(ADDRESSES.to_vec()).prop_map(|ips| format!("ips={ips}")),
        prop::sample::select(PREFIXES.to_vec()).prop_map(|nets| format!("prefixes={nets}")),
    ];
    let verb = prop::sample::select(vec![
        "create a",
        "create tiny",
        "create b",
        "assign e",
        "assign e move",
        "assign6-count",
        "unassign e",
    ]);
    let calls =
        (verb, wish, prop::sample::select(COUNTS.to_vec())).prop_map(|(verb, wish, count)| {
            match verb {
                "assign6-count" => format!("assign6 e count={count}"),
                verb if verb.starts_with("create") => {
                    format!("{verb} {wish} name=n1 count6={count}")
                }
                verb => format!("{verb} {wish}"),
            }
        });
    let faults = prop::sample::select(EFFECTS.to_vec())
        .prop_map(|effect| format!(r#"fault {{"times": 2, "effect": {effect}}}"#));
    prop_oneof![
        4 => calls,
        3 => prop::sample::select(OTHERS.to_vec()).prop_map(str::to_owned),
        1 => faults,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn extreme_values_are_answered(lines in prop::collection::vec(line(), 1..30)) {
        let mut script = standard();
        script.attempt("create a");
        for line in &lines {
            script.attempt(line);
            // Time that is said to go back stays where it is.
            script.ec2.advance(Moment::START);
            let findings = script.ec2.audit();
            prop_assert!(findings.is_empty(), "after `{}`: {:?}", line, findings);
        }
    }
}

#[test]
fn time_goes_on_after_its_end() {
    check(
        "latency typical\ncreate a\nwait 18446744073709551615\nshow e\nattach e i1 1\nshow e",
        "e: pending 10.0.0.9\navailable 10.0.0.9\ncard 0\nattaching i1/0/1 10.0.0.9",
    );
}

#[test]
fn the_largest_subnet_is_used_to_the_last_address() {
    let mut script = standard();
    let net = |text: &str| text.parse().expect("a CIDR");
    let vpc = script.ec2.build().vpc(NewVpc::new(net("10.2.0.0/16"))).expect("a VPC");
    let big = NewSubnet::new(vpc, "eu-west-1a", net("10.2.0.0/16"));
    let big = script.ec2.build().subnet(big).expect("a subnet");
    script.ec2.build().leave_addresses(&big, 2).expect("addresses");
    script.run("quota usage=100000", "");
    let short = "InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses to satisfy the request.";
    script.run(
        &format!("subnet {big}\ncreate {big} count=2\ncreate {big} count=1\ncreate {big}\ncreate {big} prefix-count=1\nsubnet {big}\ndelete e\nsubnet {big}"),
        &format!("2\n{short}\ne: pending 10.2.255.253 10.2.255.254\n{short}\nInvalidParameterValue: There aren't sufficient free Ipv4 addresses or prefixes\n0\nok\n2"),
    );
}

#[test]
fn a_subnet_that_is_reserved_whole_gives_nothing_unasked() {
    let short = "InsufficientFreeAddressesInSubnet: The specified subnet does not have enough free addresses to satisfy the request.";
    check(
        "reserve b 10.0.1.0/24 explicit\ncreate b\ncreate b primary=10.0.1.77\nassign e prefix-count=1\nassign e prefixes=10.0.1.96/28\nsubnet b",
        &format!(
            "ok\n{short}\ne: pending 10.0.1.77\nInvalidParameterValue: There aren't sufficient free Ipv4 addresses or prefixes\n10.0.1.96/28\n0"
        ),
    );
    check(
        "reserve b 10.0.1.0/24 prefix\ncreate b\ncreate b primary=10.0.1.77 prefix-count=14",
        &format!(
            "ok\n{short}\nInvalidParameterValue: There aren't sufficient free Ipv4 addresses or prefixes"
        ),
    );
}

#[test]
fn tags_are_as_long_as_they_may_be() {
    let key = |length: usize| "k".repeat(length);
    let refused = |key: &str| {
        format!(
            "InvalidParameterValue: Tag key '{key}' is not valid. It must have 1 to 128 characters and not begin with 'aws:'."
        )
    };
    check(&format!("tag on=i1 tags={}:x", key(128)), "ok");
    check(&format!("tag on=i1 tags={}:x", key(129)), &refused(&key(129)));
    check("tag on=i1 tags=:x", &refused(""));
    check("tag on=i1 tags=AWS:x:1", &refused("AWS:x"));
    check(&format!("tag on=i1 tags=k:{}", key(256)), "ok");
    check(
        &format!("tag on=i1 tags=k:{}", key(257)),
        "InvalidParameterValue: The value of tag 'k' is not valid. It must have at most 256 characters.",
    );
    check(
        "tag on=i1 tags=51",
        "TagLimitExceeded: More than 50 tags are not allowed on a resource.",
    );
}

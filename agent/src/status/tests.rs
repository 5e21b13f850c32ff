//! What a person sees of a report.

use super::{Report, render};

/// Renders a report in JSON, with every address after the word `all`.
#[track_caller]
fn check(report: &str, expected: &str) {
    let (report, all) = match report.strip_prefix("all ") {
        Some(report) => (report, true),
        None => (report, false),
    };
    let report: Report = serde_json::from_str(report).unwrap();
    assert_eq!(render(&report, all).trim_end(), expected.trim_end());
}

#[test]
fn an_agent_that_has_just_started() {
    check(
        r#"{"missing": "the metadata of the instance"}"#,
        "IPAM: no family is enabled
Ready: no, waiting for the metadata of the instance
Waiting: 0
Operator: not heard yet
Ledger: on disk",
    );
}

#[test]
fn prefixes_and_single_addresses() {
    check(
        r#"{
            "ready": true, "instance": "i-1", "waiting": 2,
            "families": [
                {"family": "IPv4", "attached": 18, "used": 10, "free": 5, "cooling": 1, "promised": 2},
                {"family": "IPv6", "attached": 4096, "used": 3, "free": 4093, "withdrawn": 1}
            ],
            "enis": [
                {"id": "eni-0a", "cidrs": [
                    {"cidr": "10.0.0.16/28", "used": 10, "free": 5, "cooling": 1},
                    {"cidr": "10.0.1.5/32", "promised": 1},
                    {"cidr": "10.0.1.7/32", "promised": 1},
                    {"cidr": "fd00::/80", "used": 3, "free": 4093}
                ]},
                {"id": "eni-0b", "cidrs": [
                    {"cidr": "10.0.0.32/28", "withdrawn": true, "used": 1},
                    {"cidr": "10.0.2.9/32", "withdrawn": true, "used": 1}
                ]}
            ],
            "operator": {"age_seconds": 7}
        }"#,
        "IPAM: IPv4 10/18 allocated, IPv6 3/4096 allocated
Ready: yes
Instance: i-1
IPv4: 5 free, 1 cooling, 2 promised
IPv6: 4093 free, 0 cooling, 0 promised, 1 in use that the node has no more
Waiting: 2
Operator: heard 7 s ago
Ledger: on disk

ENI     CIDR                            USED  FREE  COOLING  PROMISED
eni-0a  10.0.0.16/28                      10     5        1         0
eni-0a  fd00::/80                          3  4093        0         0
eni-0a  2 single addresses                 0     0        0         2
eni-0b  10.0.0.32/28 (withdrawn)           1     0        0         0
eni-0b  1 single address (1 withdrawn)     1     0        0         0",
    );
}

#[test]
fn what_is_wrong_is_said() {
    check(
        r#"{
            "families": [{"family": "IPv4", "attached": 15, "used": 15}],
            "operator": {"age_seconds": 7300, "blocked": "subnet-1 has no free address"},
            "not_durable": "no space left on device",
            "problems": ["not published: 409 Conflict", "10.0.0.1/28 on eni-1 has host bits set"]
        }"#,
        "IPAM: IPv4 15/15 allocated
Ready: no
IPv4: 0 free, 0 cooling, 0 promised
Waiting: 0
Operator: heard 2 h ago
  blocked: subnet-1 has no free address
Ledger: cannot be written: no space left on device
Problem: not published: 409 Conflict
Problem: 10.0.0.1/28 on eni-1 has host bits set",
    );
}

#[test]
fn every_address_is_listed_in_order_where_it_is_asked_for() {
    let report = r#"{
        "ready": true,
        "families": [{"family": "IPv4", "attached": 16, "used": 3, "free": 13}],
        "addresses": [
            {"address": "10.0.0.20", "owner": "shop/cart-0", "eni": "eni-1",
             "sandbox": {"network": "pods", "container_id": "c1", "interface": "eth0"}},
            {"address": "10.0.0.3", "owner": "router", "eni": "eni-1"},
            {"address": "fd00::1", "owner": "unknown", "eni": "eni-1"},
            {"address": "10.0.0.21", "owner": "shop/cart-1", "eni": "eni-2", "unclaimed": true}
        ]
    }"#;
    let head = "IPAM: IPv4 3/16 allocated
Ready: yes
IPv4: 13 free, 0 cooling, 0 promised
Waiting: 0
Operator: not heard yet
Ledger: on disk";
    check(report, head);
    check(
        &format!("all {report}"),
        &format!(
            "{head}

ADDRESS    OWNER        ENI    STATE      SANDBOX
10.0.0.3   router       eni-1  used
10.0.0.20  shop/cart-0  eni-1  used       pods/c1/eth0
10.0.0.21  shop/cart-1  eni-2  unclaimed
fd00::1    unknown      eni-1  used"
        ),
    );
}

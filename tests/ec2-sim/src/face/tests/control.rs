//! What the control API changes, and how it is seen to have changed.

use super::{LIST, SIGNED, check};
use crate::face::control::PATHS;

/// One request without a signature.
type Asked<'a> = (&'a str, &'a str, &'a str, &'a str);

const fn post<'a>(path: &'a str, body: &'a str) -> Asked<'a> {
    ("POST", path, "", body)
}

const fn put<'a>(path: &'a str, body: &'a str) -> Asked<'a> {
    ("PUT", path, "", body)
}

const fn get(path: &str) -> Asked<'_> {
    ("GET", path, "", "")
}

const fn call(form: &str) -> Asked<'_> {
    ("POST", "/", SIGNED, form)
}

const CREATE: &str =
    "Action=CreateNetworkInterface&Version=2016-11-15&SubnetId=subnet-0000000a&Ipv4PrefixCount=1";

#[tokio::test]
async fn every_path_that_is_listed_is_there() {
    for (method, path, _) in PATHS {
        let path = path.split('?').next().unwrap_or_default();
        let path = path
            .replace("VPC", "vpc-0000000a")
            .replace("SUBNET", "subnet-0000000a")
            .replace("INSTANCE", "i-0000000a")
            .replace("INTERFACE", "eni-0000000a")
            .replace("ACCOUNT", "123456789012")
            .replace("BUCKET", "DescribeVpcs")
            .replace("ZONE", "eu-west-1a");
        let server = super::Server::start(super::ANY.parse().unwrap(), super::shared()).await;
        let server = server.unwrap();
        let answer = super::exchange(server.addr, method, &path, "", "").await;
        assert!(!answer.contains("there is nothing here"), "{method} {path}:\n{answer}");
        assert!(!answer.starts_with("405"), "{method} {path}:\n{answer}");
        server.stop().await.unwrap();
    }
}

#[test]
fn the_readme_lists_the_same_paths() {
    let row =
        |(method, path, what): &(&str, &str, &str)| format!("| {method} | `{path}` | {what} |\n");
    let table: String = PATHS.iter().map(row).collect();
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&table), "README.md should hold, instead of its table:\n{table}");
}

#[tokio::test]
async fn buckets_are_changed_and_emptied() {
    let small =
        "{\"overrides\": {\"DescribeSubnets\": {\"capacity\": 1, \"refill_per_second\": 0}}}";
    let buckets = put("/_sim/buckets", small);
    let throttled = "<Code>RequestLimitExceeded</Code>";
    check(&[buckets, call(LIST), call(LIST)], "503 ", throttled).await;
    check(&[buckets, get("/_sim/buckets")], "200 OK", "\"capacity\": 1").await;
    let empty = post("/_sim/buckets/123456789012/DescribeSubnets/empty", "");
    check(&[buckets, empty, call(LIST)], "503 ", throttled).await;
    check(&[post("/_sim/buckets/123456789012/Nothing/empty", "")], "404 ", "is no bucket").await;
}

#[tokio::test]
async fn quotas_are_changed() {
    let quotas = put("/_sim/quotas", "{\"interfaces\": 2}");
    check(&[quotas, call(CREATE)], "400 ", "<Code>NetworkInterfaceLimitExceeded</Code>").await;
    check(&[quotas, get("/_sim/quotas")], "200 OK", "\"interfaces\": 2").await;
}

#[tokio::test]
async fn latency_is_changed() {
    let slow = put(
        "/_sim/latency",
        "{\"overrides\": {\"DescribeSubnets\": {\"p50_ms\": 1, \"p99_ms\": 1}}}",
    );
    let asked = [slow, call(LIST), get("/_sim/journal")];
    check(&asked, "200 OK", "\"latency_us\": 1000,").await;
    check(&[slow, get("/_sim/latency")], "200 OK", "\"p50_ms\": 1,").await;
    let slow = put("/_sim/latency", "{\"profile\": \"slow\"}");
    check(&[slow, get("/_sim/latency")], "200 OK", "\"profile\": \"slow\"").await;
    check(&[put("/_sim/latency", "{\"profile\": \"snail\"}")], "400 ", "expected one of").await;
}

#[tokio::test]
async fn staleness_is_changed() {
    let worse = put("/_sim/staleness", "{\"mode\": \"adversarial\"}");
    check(&[worse, get("/_sim/staleness")], "200 OK", "\"mode\": \"adversarial\"").await;
    check(&[put("/_sim/staleness", "{}")], "400 ", "missing field `mode`").await;
}

#[tokio::test]
async fn assumptions_are_changed_all_or_none() {
    let set = put("/_sim/assumptions", "{\"create-ceiling\": 0, \"slow-factor\": 2.5}");
    check(&[set, get("/_sim/assumptions")], "200 OK", "\"value\": \"2.5\"").await;
    let wrong = put("/_sim/assumptions", "{\"create-ceiling\": 7, \"slow-factor\": \"very\"}");
    check(&[wrong], "400 ", "\"field\": \"slow-factor\"").await;
    check(&[wrong, get("/_sim/assumptions")], "200 OK", "\"value\": \"64\"").await;
}

#[tokio::test]
async fn others_take_addresses() {
    let left = |addresses: u32| {
        format!(
            "<availableIpAddressCount>{addresses}</availableIpAddressCount><availabilityZone>eu-west-1a<"
        )
    };
    let take = post("/_sim/subnets/subnet-0000000a/take", "{\"addresses\": 9}");
    check(&[take, call(LIST)], "200 OK", &left(240)).await;
    let leave = post("/_sim/subnets/subnet-0000000a/leave", "{\"addresses\": 3}");
    check(&[leave, call(LIST)], "200 OK", &left(3)).await;
    let fragment = post("/_sim/subnets/subnet-0000000a/leave", "{\"blocks\": 0}");
    check(&[fragment, call(CREATE)], "400 ", "<Code>InsufficientCidrBlocks</Code>").await;
    let nowhere = post("/_sim/subnets/subnet-0000000f/take", "{\"addresses\": 1}");
    check(&[nowhere], "404 ", "'subnet-0000000f' does not exist").await;
    check(&[post("/_sim/subnets/10/take", "")], "400 ", "`10` is no id of the form").await;
    check(&[post("/_sim/subnets/subnet-0000000a/take", "")], "400 ", "missing field").await;
}

#[tokio::test]
async fn others_change_interfaces() {
    let made = post(
        "/_sim/interfaces",
        "{\"id\": \"eni-0000000f\", \"subnet\": \"subnet-0000000a\", \"ipv4_addresses\": [\"10.0.0.99\"], \
         \"ipv4_prefixes\": [\"10.0.0.32/28\"], \"attachment\": {\"instance\": \"i-0000000a\", \"device_index\": 1}}",
    );
    let unassign = post(
        "/_sim/interfaces/eni-0000000f/unassign",
        "{\"addresses\": [\"10.0.0.99\"], \"prefixes\": [\"10.0.0.32/28\"]}",
    );
    check(&[made, unassign], "200 OK", "eni-0000000f").await;
    check(&[made, unassign, unassign], "404 ", "secondary address `10.0.0.99`").await;
    let detach = post("/_sim/interfaces/eni-0000000f/detach", "");
    check(&[made, detach], "200 OK", "eni-0000000f").await;
    let delete = ("DELETE", "/_sim/interfaces/eni-0000000f", "", "");
    check(&[made, delete], "200 OK", "eni-0000000f").await;
    check(&[made, delete, delete], "404 ", "is not in this world").await;
    let primary = ("DELETE", "/_sim/interfaces/eni-0000000a", "", "");
    check(&[primary], "409 ", "a primary interface").await;
}

#[tokio::test]
async fn vpcs_and_subnets_grow() {
    let path = "/_sim/vpcs/vpc-0000000a/cidrs";
    let more = post(path, "{\"cidr\": \"10.99.0.0/16\"}");
    check(&[more, get("/_sim/world")], "200 OK", "10.99.0.0/16").await;
    check(
        &[post(path, "{\"cidr\": \"2001:db8::/56\"}"), get("/_sim/world")],
        "200 OK",
        "2001:db8::/56",
    )
    .await;
    check(&[more, more], "409 ", "expected no overlap").await;
    let reserved =
        "{\"subnet\": \"subnet-0000000b\", \"cidr\": \"100.64.0.0/28\", \"kind\": \"explicit\"}";
    check(&[post("/_sim/reservations", reserved)], "201 ", "scr-").await;
    check(
        &[post("/_sim/reservations", "{\"cidr\": \"100.64.0.0/28\", \"kind\": \"prefix\"}")],
        "400 ",
        "`subnet`",
    )
    .await;
}

#[tokio::test]
async fn zones_fail_and_clocks_jump() {
    let down = put("/_sim/zones/eu-west-1a", "{\"down\": true}");
    let up = put("/_sim/zones/eu-west-1a", "{\"down\": false}");
    check(&[down, call(CREATE)], "503 ", "<Code>Unavailable</Code>").await;
    check(&[down, up, call(CREATE)], "200 OK", "<networkInterfaceId>").await;
    check(&[put("/_sim/zones/eu-west-9z", "{\"down\": true}")], "404 ", "eu-west-9z").await;
    let jump = post("/_sim/time/jump", "{\"seconds\": 86400}");
    check(&[jump, get("/_sim/time")], "200 OK", "2026-01-02T00:").await;
    let far = post("/_sim/time/jump", "{\"seconds\": 9223372036854775807}");
    check(&[far], "400 ", "stays in the calendar").await;
}

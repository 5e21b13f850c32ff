//! What Cilium's clients are answered.

use serde_json::{Value, json};

use crate::script::{Script, by_address};
use crate::served::Served;

/// Requests and what begins their answers, one a line.
async fn check(table: &str) {
    let served = Served::cilium(Script::new(by_address)).await;
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (request, expected) = line.split_once(" -> ").unwrap();
        let answer = served.ask(request).await;
        assert!(answer.starts_with(expected), "{request}: {answer}");
    }
    served.stop().await;
}

#[tokio::test]
async fn the_next_address() {
    let served = Served::cilium(Script::new(by_address)).await;
    let answer = served.ask("POST /v1/ipam?owner=shop%2Fcart-0\nexpiration: true").await;
    let (status, body) = answer.split_once(' ').unwrap();
    let uuid = "62657274-6800-8000-8000-000000000002";
    let expected = json!({
        "host-addressing": { "ipv4": { "enabled": true, "ip": "10.0.0.16" } },
        "address": {
            "ipv4": "10.0.0.17", "ipv4-pool-name": "default", "ipv4-expiration-uuid": uuid,
        },
        "ipv4": {
            "ip": "10.0.0.17", "gateway": "10.0.0.1", "cidrs": ["10.0.0.0/16", "100.64.0.0/16"],
            "master-mac": "02:00:00:00:00:01", "interface-number": "1", "expiration-uuid": uuid,
        },
    });
    assert_eq!((status, serde_json::from_str::<Value>(body).unwrap()), ("201", expected));
    let answer = served.ask("POST /v1/ipam?owner=router&family=ipv4&pool=default").await;
    assert!(answer.starts_with("201 ") && !answer.contains("uuid"), "{answer}");
}

#[tokio::test]
async fn allocation_has_the_documented_codes() {
    check(
        r#"
        POST /v1/ipam?owner=shop/cart-0 -> 201 {
        POST /v1/ipam/?owner=shop/cart-0&pool=&family= -> 201 {
        POST /v1/ipam?owner=shop/cart-0%20[restored]&family=ipv4 -> 201 {
        POST /v1/ipam?owner=health&unknown=1 -> 201 {
        POST /v1/ipam?owner=shop/full -> 502 "no IPv4 address is free: 15 attached,
        POST /v1/ipam?owner=shop/cart-0&family=ipv6 -> 502 "IPv6 is not enabled on this node"
        POST /v1/ipam?owner=shop/cart-0&pool=blue -> 502 "there is no pool \"blue\": expected \"default\" or none"
        POST /v1/ipam -> 400 "owner: \"\" is not an owner: expected `namespace/pod`, `router`,
        POST /v1/ipam?owner= -> 400 "owner: \"\" is not an owner
        POST /v1/ipam?owner=endpoint%20ID%205 -> 400 "owner: \"endpoint ID 5\" is not an owner
        POST /v1/ipam?owner=Shop/Cart -> 400 "owner: \"Shop/Cart\" is not a pod
        POST /v1/ipam?owner=a/b&owner=c/d -> 400 "owner is given twice"
        POST /v1/ipam?owner=a/b&family=ipv5 -> 400 "family: expected ipv4, ipv6 or nothing"
        "#,
    )
    .await;
}

#[tokio::test]
async fn a_certain_address_has_the_documented_codes() {
    check(
        r#"
        POST /v1/ipam/10.0.0.17?owner=shop/cart-0&pool=default -> 200
        POST /v1/ipam/10.0.0.17?owner=shop/cart-0 -> 200
        POST /v1/ipam/10.0.0.18?owner=shop/cart-0 -> 409 "10.0.0.18 is used by shop/cart-0"
        POST /v1/ipam/10.9.9.9?owner=shop/cart-0 -> 500 "10.9.9.9 is not an address of this node"
        POST /v1/ipam/fd00%3A%3A1?owner=shop/cart-0 -> 501 "IPv6 is not enabled on this node"
        POST /v1/ipam/10.0.0.17 -> 400 "owner:
        POST /v1/ipam/10.0.0.17?owner=shop/cart-0&pool=blue -> 500 "there is no pool
        POST /v1/ipam/10.0.0?owner=shop/cart-0 -> 400 "ip: expected an IPv4 or IPv6 address"
        POST /v1/ipam/10.0.0.17/32?owner=shop/cart-0 -> 404 "there is nothing at this path
        "#,
    )
    .await;
}

#[tokio::test]
async fn giving_back_and_claiming_have_the_documented_codes() {
    check(
        r#"
        DELETE /v1/ipam/10.0.0.17?pool=default -> 200
        DELETE /v1/ipam/10.0.0.17 -> 200
        DELETE /v1/ipam/10.0.0.19 -> 404 "10.0.0.19 is not used by anybody"
        DELETE /v1/ipam/10.0.0.20 -> 500 "10.0.0.20 is held by pods/c1/eth0: its DEL gives it back"
        DELETE /v1/ipam/10.0.0.17?pool=blue -> 404 "there is no pool
        DELETE /v1/ipam/shop -> 400 "ip:
        POST /v1/ipam/10.0.0.17/claim?uuid=62657274-6800-8000-8000-000000000002 -> 200
        POST /v1/ipam/10.0.0.17/claim?uuid=62657274-6800-8000-8000-000000000003 -> 409 "10.0.0.17 is used by grant 2, not by grant 3"
        POST /v1/ipam/10.0.0.19/claim?uuid=62657274-6800-8000-8000-000000000002 -> 404
        POST /v1/ipam/10.0.0.17/claim?uuid=1 -> 400 "uuid:
        POST /v1/ipam/10.0.0.17/claim -> 400 "uuid:
        "#,
    )
    .await;
}

#[tokio::test]
async fn everything_else_is_refused() {
    check(
        r#"
        GET /v1/ipam -> 405 "expected POST"
        GET /v1/ipam/10.0.0.17 -> 405 "expected POST, DELETE"
        DELETE /v1/ipam/10.0.0.17/claim -> 405 "expected POST"
        POST /v1/healthz -> 405 "expected GET"
        POST /v1/ipamx?owner=a/b -> 404 "there is nothing at this path
        POST /v1/ipam//?owner=a/b -> 404 "there is nothing at this path
        POST /ipam?owner=a/b -> 404 "there is nothing at this path
        GET /v1/config -> 404 "there is nothing at this path
        "#,
    )
    .await;
    let served = Served::cilium(Script::new(by_address)).await;
    let with_body = served.ask("POST /v1/ipam?owner=a/b\n\n{}").await;
    assert_eq!(with_body, "400 \"no body is expected\"");
    let odd = served.ask("POST /v1/ipam?owner=a/b\nexpiration: perhaps").await;
    assert_eq!(odd, "400 \"header expiration: expected true or false\"");
}

#[tokio::test]
async fn health_says_what_is_missing() {
    let served = Served::cilium(Script::new(by_address)).await;
    let health = json!({
        "cilium": { "state": "Ok", "msg": "ready" },
        "ipam": {
            "status": "IPv4 10/15 allocated", "ipv4": ["10.0.0.16"], "ipv6": [],
            "allocations": { "10.0.0.16": "router" },
        },
    });
    let answer = served.ask("GET /v1/healthz").await;
    assert_eq!(serde_json::from_str::<Value>(&answer[4..]).unwrap(), health);
    let waiting = Script::new(by_address).with(|status| status.ready = Err("the metadata"));
    let served = Served::cilium(waiting).await;
    let answer = served.ask("GET /v1/healthz").await;
    assert!(
        answer.starts_with(r#"200 {"cilium":{"state":"Failure","msg":"waiting for the metadata"}"#),
        "{answer}"
    );
}

#[tokio::test]
async fn a_connection_is_used_again_and_ends_when_it_is_not() {
    let served = Served::cilium(Script::new(by_address)).await;
    let one = "GET /v1/ipam HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = served.raw(one.repeat(3).as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 405").count(), 3, "{answer}");
}

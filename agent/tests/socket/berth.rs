//! What `berth-cni` is answered.

use std::time::Duration;

use ipam_core::agent::{Answer, Call};
use serde_json::{Value, json};

use crate::script::{Script, by_name};
use crate::served::Served;

#[track_caller]
fn is(answer: &str, expected: &str) {
    assert_eq!(answer, expected);
}

async fn check(request: &str, expected: &str) {
    let served = Served::berth(Script::new(by_name)).await;
    is(&served.ask(request).await, expected);
    served.stop().await;
}

fn add(container: &str) -> String {
    let body = json!({
        "attachment": { "network": "pods", "container-id": container, "interface": "eth0" },
        "pod": { "namespace": "shop", "name": "cart-0", "uid": "u-1" },
    });
    format!("POST /v1/cni/add\n\n{body}")
}

#[tokio::test]
async fn an_add_is_answered_with_addresses_and_their_network() {
    let served = Served::berth(Script::new(by_name)).await;
    let answer = served.ask(&add("c1")).await;
    let (status, body) = answer.split_once(' ').unwrap();
    let eni = json!({ "eni": "eni-1", "mac": "02:00:00:00:00:01", "interface-number": 1,
        "vpc-cidrs": ["10.0.0.0/16", "100.64.0.0/16"] });
    let of = |address: &str, gateway: &str| {
        let mut one = eni.clone();
        one["address"] = address.into();
        one["gateway"] = gateway.into();
        one
    };
    let expected =
        json!({ "addresses": [of("10.0.0.17", "10.0.0.1"), of("fd00::17", "fe80:ec2::1")] });
    assert_eq!(status, "200");
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
}

#[tokio::test]
async fn what_is_asked_reaches_the_desk() {
    let script = Script::new(by_name);
    let notes = script.notes();
    let served = Served::berth(script).await;
    let body = json!({
        "attachment": { "network": "pods", "container-id": "c1", "interface": "eth0" },
        "pod": { "namespace": "shop", "name": "cart-0", "uid": "u-1" },
        "wait-ms": 1500,
    });
    served.ask(&format!("POST /v1/cni/add\n\n{body}")).await;
    let asked = notes.asked.lock().unwrap().clone();
    let [Call::Add { attachment, pod, uid, wait }] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!(attachment.to_string(), "pods/c1/eth0");
    assert_eq!(pod.as_str(), "shop/cart-0");
    assert_eq!(uid.as_deref(), Some("u-1"));
    assert_eq!(*wait, Some(Duration::from_millis(1500)));
}

#[tokio::test]
async fn refusals_have_codes() {
    let cases = [
        (
            "full",
            r#"503 {"code":11,"msg":"no address is free","details":"no free IPv4 address within 10s (15 attached, 0 free, 15 used, 0 cooling, 0 promised, 0 withdrawn); the operator says: subnet-1 has no free address"}"#,
        ),
        (
            "crowd",
            r#"503 {"code":11,"msg":"too many wait","details":"1024 calls wait for an address already"}"#,
        ),
        (
            "disk",
            r#"507 {"code":11,"msg":"the ledger cannot be written","details":"the ledger cannot be written to disk: no space"}"#,
        ),
        (
            "early",
            r#"503 {"code":11,"msg":"not ready","details":"not ready: waiting for the metadata"}"#,
        ),
        ("late", r#"503 {"code":11,"msg":"stopping","details":"the agent is stopping"}"#),
        (
            "odd",
            r#"500 {"code":103,"msg":"the answer does not fit","details":"this is an error in Berth"}"#,
        ),
    ];
    for (container, expected) in cases {
        check(&add(container), expected).await;
    }
}

#[tokio::test]
async fn the_other_calls_are_done_or_refused() {
    let attachment = r#"{"attachment":{"network":"pods","container-id":"c1","interface":"eth0"}"#;
    check(&format!("POST /v1/cni/del\n\n{attachment}}}"), "200 {}").await;
    check(&format!("POST /v1/cni/check\n\n{attachment},\"addresses\":[]}}"), "200 {}").await;
    check(
        &format!("POST /v1/cni/check\n\n{attachment},\"addresses\":[\"10.0.0.18\"]}}"),
        r#"409 {"code":101,"msg":"the address is not held","details":"10.0.0.18 is not held by this interface: it holds []"}"#,
    )
    .await;
    let valid = r#"{"network":"pods","valid":[{"container-id":"c1","interface":"eth0"}]}"#;
    check(&format!("POST /v1/cni/gc\n\n{valid}"), "200 {}").await;
    let unavailable = r#"503 {"code":50,"msg":"an ADD could not be served","details":"not ready: waiting for the metadata"}"#;
    check("POST /v1/cni/status", unavailable).await;
    check("POST /v1/cni/status\n\n{}", unavailable).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_the_desk_is_asked() {
    let pod = |text: &str| add("c1").replace("\"name\":\"cart-0\"", &format!("\"name\":{text}"));
    let long = format!("\"{}\"", "a".repeat(257));
    let cases = [
        ("POST /v1/cni/add".to_owned(), "400 ", 6),
        ("POST /v1/cni/add\n\n{".to_owned(), "400 ", 6),
        ("POST /v1/cni/add\n\n[[[[".to_owned(), "400 ", 6),
        ("POST /v1/cni/add\n\nnot JSON".to_owned(), "400 ", 6),
        (format!("{} {{}}", add("c1")), "400 ", 6),
        (add("c1").replace("\"pod\"", "\"pot\""), "400 ", 6),
        (pod("7"), "400 ", 6),
        (pod("\"Cart\""), "400 ", 7),
        (pod("\"\""), "400 ", 7),
        (pod("\"a/b\""), "400 ", 7),
        (pod(&long), "400 ", 7),
        (add(""), "400 ", 7),
        (add("c\n1"), "400 ", 7),
        (add(&"c".repeat(257)), "400 ", 7),
        ("POST /v1/cni/status\n\n{\"a\":1}".to_owned(), "400 ", 6),
        ("GET /v1/cni/add".to_owned(), "405 ", 7),
        ("POST /v1/status".to_owned(), "405 ", 7),
        ("DELETE /v1/cni/del".to_owned(), "405 ", 7),
        ("POST /v1/cni/add?x=1".to_owned(), "400 ", 7),
        ("POST /v1/cni/add/".to_owned(), "404 ", 7),
        ("POST /".to_owned(), "404 ", 7),
        ("POST http://x/v1/ipam".to_owned(), "404 ", 7),
        ("OPTIONS *".to_owned(), "404 ", 7),
    ];
    let script = Script::new(|_: &Call| -> Option<Answer> { panic!("the desk was asked") });
    let served = Served::berth(script).await;
    for (request, status, code) in cases {
        let answer = served.ask(&request).await;
        assert!(answer.starts_with(status), "{request}: {answer}");
        let problem: Value = serde_json::from_str(&answer[4..]).unwrap();
        assert_eq!(problem["code"], code, "{request}: {answer}");
    }
}

#[tokio::test]
async fn an_agent_that_hangs_is_reported_in_time() {
    let script = Script::new(|_: &Call| None);
    let notes = script.notes();
    let served = Served::berth_within(script, Duration::from_millis(50)).await;
    let answer = served.ask(&add("c1")).await;
    assert!(answer.starts_with("504 {\"code\":11,"), "{answer}");
    assert_eq!(notes.abandoned.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn one_answer_a_connection() {
    let served = Served::berth(Script::new(by_name)).await;
    let one = "POST /v1/cni/gc HTTP/1.1\r\nhost: x\r\ncontent-length: 29\r\n\r\n\
        {\"network\":\"pods\",\"valid\":[]}";
    let answer = served.raw(format!("{one}{one}").as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

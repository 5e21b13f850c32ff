//! Requests and replies, as tables: bytes in, what is understood out.

use berth_cni::protocol::{AddReply, BODY_MAX, Request};

const ADD: &str = "/v1/cni/add";
const DEL: &str = "/v1/cni/del";
const CHECK: &str = "/v1/cni/check";
const GC: &str = "/v1/cni/gc";
const STATUS: &str = "/v1/cni/status";
const ATTACHMENT: &str =
    r#""attachment":{"network":"berth","container-id":"c1","interface":"eth0"}"#;

/// A request that is understood is the same when it is written again.
#[track_caller]
fn check(path: &str, body: &str, expected: &str) {
    let said = match Request::decode(path, body.as_bytes()) {
        Ok(request) => {
            assert_eq!(request.path(), path);
            String::from_utf8(request.encode().unwrap()).unwrap()
        }
        Err(error) => format!("{} {error}", error.problem().code),
    };
    assert_eq!(said, expected);
}

#[track_caller]
fn check_same(path: &str, body: &str) {
    check(path, body, body);
}

#[test]
fn requests_are_understood() {
    check_same(
        ADD,
        &format!(
            r#"{{{ATTACHMENT},"pod":{{"namespace":"shop","name":"web-0","uid":"u"}},"wait-ms":500}}"#
        ),
    );
    check_same(ADD, &format!(r#"{{{ATTACHMENT},"pod":{{"namespace":"shop","name":"web-0"}}}}"#));
    check_same(DEL, &format!("{{{ATTACHMENT}}}"));
    check_same(CHECK, &format!(r#"{{{ATTACHMENT},"addresses":["10.0.1.5","2001:db8::5"]}}"#));
    check_same(GC, r#"{"network":"berth","valid":[{"container-id":"c1","interface":"eth0"}]}"#);
    check_same(STATUS, "{}");
    check(STATUS, "", "{}");
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    check("/v1/cni/ad", "{}", "7 no call has the path \"/v1/cni/ad\"");
    check(DEL, "", "6 not a request");
    check(DEL, "{}", "6 not a request");
    check(DEL, &format!(r#"{{{ATTACHMENT},"x":1}}"#), "6 not a request");
    check(DEL, &format!("{{{ATTACHMENT}}} x"), "6 not a request");
    check(STATUS, r#"{"x":1}"#, "6 not a request");
    check(CHECK, &format!(r#"{{{ATTACHMENT},"addresses":["x"]}}"#), "6 not a request");
    let long = " ".repeat(BODY_MAX + 1);
    check(STATUS, &long, "7 a request of 1048577 bytes, at most 1048576");
}

#[test]
fn every_text_is_bounded() {
    let long = "x".repeat(257);
    for (from, member) in [("berth", "network"), ("c1", "container-id"), ("eth0", "interface")] {
        let refused = format!("7 {member} must have 1 to 256 bytes and no control characters");
        for wrong in ["", "a\\u0000", &long] {
            let body = format!("{{{ATTACHMENT}}}").replace(from, wrong);
            check(DEL, &body, &refused);
        }
    }
    for (member, pod) in [
        ("namespace", r#"{"namespace":"","name":"n"}"#),
        ("name", r#"{"namespace":"n","name":""}"#),
        ("uid", r#"{"namespace":"n","name":"n","uid":"\n"}"#),
    ] {
        let refused = format!("7 {member} must have 1 to 256 bytes and no control characters");
        check(ADD, &format!(r#"{{{ATTACHMENT},"pod":{pod}}}"#), &refused);
    }
    let gc = r#"{"network":"n","valid":[{"container-id":"c","interface":""}]}"#;
    check(GC, gc, "7 interface must have 1 to 256 bytes and no control characters");
}

#[track_caller]
fn check_reply(addresses: &[&str], expected: &str) {
    let shown = addresses.iter().map(|address| {
        format!(
            r#"{{"address":"{address}","eni":"e","mac":"m","interface-number":0,"vpc-cidrs":[]}}"#
        )
    });
    let reply = format!(r#"{{"addresses":[{}],"more":1}}"#, shown.collect::<Vec<_>>().join(","));
    let said = match AddReply::decode(reply.as_bytes()) {
        Ok(reply) => reply.addresses.iter().map(|it| it.address.to_string() + " ").collect(),
        Err(error) => error.to_string(),
    };
    assert_eq!(said.trim(), expected);
}

#[test]
fn a_reply_has_one_address_of_each_family_at_most() {
    check_reply(&["10.0.1.5"], "10.0.1.5");
    check_reply(&["2001:db8::5", "10.0.1.5"], "10.0.1.5 2001:db8::5");
    check_reply(&[], "the agent's reply has no address");
    check_reply(
        &["10.0.1.5", "2001:db8::5", "10.0.1.6"],
        "the agent's reply has two addresses of a family: 10.0.1.5 and 10.0.1.6",
    );
    check_reply(&["10.0.1"], "the agent's reply is not understood");
}

//! Clients that mean no good, or do not know what they do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ANY, LIST, SIGNED, check, exchange, shared};
use crate::face::http::{GRACE, Server};

/// `form` behind a complete call, and the refusal.
async fn refused(form: &str, code: &str) {
    let form = format!("Action=DescribeNetworkInterfaces&Version=2016-11-15&{form}");
    check(&[("POST", "/", SIGNED, &form)], "400 ", &format!("<Code>{code}</Code>")).await;
}

#[tokio::test]
async fn strange_forms_are_refused() {
    let many = |parameters: &str| -> String {
        let one = |number: u32| parameters.replace('#', &number.to_string());
        (1..=5_000).map(one).collect::<Vec<_>>().join("&")
    };
    refused(&many("NetworkInterfaceId.#=eni-0000000a"), "InvalidParameterValue").await;
    let filters = many("Filter.#.Name=vpc-id&Filter.#.Value.1=vpc-0000000a");
    refused(&filters, "FilterLimitExceeded").await;
    for name in [
        "Filter.999999999999.Name",
        "Filter.0.Name",
        "Filter.-1.Name",
        "NetworkInterfaceId.1.2.3",
        "Filter..Name",
    ] {
        refused(&format!("{name}=vpc-id"), "UnknownParameter").await;
    }
    refused("Filter.1.Name=vpc-id&Filter.1.Name=vpc-id", "MalformedQueryString").await;
    refused("Filter.1.Name=%zz%ff", "InvalidParameterValue").await;
    refused("MaxResults=99999999999999999999", "InvalidParameterValue").await;
}

/// Sends `bytes` and reads to the connection's end.
async fn raw(bytes: &[u8]) -> String {
    let server = Server::start(ANY.parse().unwrap(), shared()).await.unwrap();
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    // The server may have said no before all is sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    server.stop().await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn bodies_come_in_pieces() {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n{SIGNED}\r\n"
    );
    let pieces: Vec<String> = LIST.chars().map(|piece| format!("1\r\n{piece}\r\n")).collect();
    let pieces = pieces.concat();
    let answer = raw(format!("{head}{pieces}0\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let long = format!("10000\r\n{}\r\n", "a".repeat(0x10000)).repeat(32);
    let answer = raw(format!("{head}{long}0\r\n\r\n").as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let answer = raw(format!("{head}zz\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn requests_come_without_waiting_for_answers() {
    let request = |connection: &str| {
        let length = LIST.len();
        format!(
            "POST / HTTP/1.1\r\nHost: test\r\nConnection: {connection}\r\nContent-Length: {length}\r\n{SIGNED}\r\n{LIST}"
        )
    };
    let bytes = request("keep-alive").repeat(9) + &request("close");
    let answers = raw(bytes.as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 10);
}

#[tokio::test]
async fn what_is_no_call_is_refused() {
    for method in ["DELETE", "PUT", "PATCH", "OPTIONS"] {
        check(&[(method, "/", SIGNED, LIST)], "405 ", "").await;
    }
    check(&[("GET", "/", SIGNED, LIST)], "400 ", "<Code>MissingAction</Code>").await;
    let garbage = raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").await;
    assert!(garbage.is_empty() || garbage.starts_with("HTTP/1.1 400 "), "{garbage}");
    let header = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(1 << 20));
    let answer = raw(header.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn slow_clients_keep_nobody_waiting() {
    let server = Server::start(ANY.parse().unwrap(), shared()).await.unwrap();
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nAct").await.unwrap();
        slow.push(stream);
    }
    assert!(exchange(server.addr, "POST", "/", SIGNED, LIST).await.starts_with("200 "));
    let stopped = tokio::time::timeout(3 * GRACE, server.stop()).await;
    assert!(stopped.is_ok(), "the server waits for slow clients for ever");
}

#[tokio::test]
async fn an_answer_that_takes_long_does_not_keep_the_server() {
    let server = Server::start(ANY.parse().unwrap(), shared()).await.unwrap();
    let delay = "{\"effect\": {\"delay\": 3600000}}";
    exchange(server.addr, "POST", "/_sim/faults", "", delay).await;
    let waiting = tokio::spawn(exchange(server.addr, "POST", "/", SIGNED, LIST));
    while !exchange(server.addr, "GET", "/_sim/journal", "", "").await.contains("DescribeSubnets") {
        tokio::task::yield_now().await;
    }
    let stopped = tokio::time::timeout(3 * GRACE, server.stop()).await;
    assert!(stopped.is_ok(), "the server waits for an answer for an hour");
    waiting.abort();
}

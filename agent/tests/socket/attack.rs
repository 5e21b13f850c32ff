//! Clients that mean ill, or are broken: they are refused, and cost nobody else anything.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ipam_core::agent::{Answer, Call};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use crate::script::{Script, by_name};
use crate::served::{Served, short, until, until_end};

/// An ADD for a sandbox of this name.
fn add(container: &str) -> String {
    let body = format!(
        "{{\"attachment\":{{\"network\":\"pods\",\"container-id\":\"{container}\",\"interface\":\"eth0\"}},\
         \"pod\":{{\"namespace\":\"shop\",\"name\":\"cart-0\"}}}}"
    );
    format!("POST /v1/cni/add\n\n{body}")
}

fn raw_add(container: &str) -> Vec<u8> {
    let text = add(container);
    let body = text.split_once("\n\n").unwrap().1;
    let head = "POST /v1/cni/add HTTP/1.1\r\nhost: x\r\ncontent-length:";
    format!("{head} {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A good client is answered.
async fn still_served(served: &Served) {
    let answer = served.ask(&add("good")).await;
    assert!(answer.starts_with("200 {\"addresses\":"), "{answer}");
}

/// Bytes that are no request, each with the status that they get.
fn broken() -> Vec<(Vec<u8>, &'static str)> {
    let of = |head: &str, body: &str| {
        format!("POST /v1/cni/del HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n{body}").into_bytes()
    };
    let many: Vec<String> = (0..200).map(|number| format!("x-{number}: 1")).collect();
    vec![
        (b"\0\0\0\0\r\n\r\n".to_vec(), "400"),
        // Of HTTP/2 nothing is understood, not even how to refuse it.
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), "nothing"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), "400"),
        (b"POST /v1/cni/del HTTP/3.9\r\n\r\n".to_vec(), "400"),
        (b"POST /v1/cni/del HTTP/1.1\r\nx y: 1\r\n\r\n".to_vec(), "400"),
        (of("content-length: 5\r\ncontent-length: 6", "{    }"), "400"),
        (of("content-length: -1", "{}"), "400"),
        (of("content-length: 99999999999999999999999", "{}"), "400"),
        (of("content-length: 1048577", ""), "413"),
        (of("content-length: 18446744073709551614", ""), "431"),
        (of("transfer-encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"), "411"),
        (of("transfer-encoding: chunked\r\ncontent-length: 2", "2\r\n{}\r\n0\r\n\r\n"), "411"),
        (of("transfer-encoding: chunked", "ffffffffffffffff\r\n"), "411"),
        (of("transfer-encoding: gzip", "{}"), "400"),
        (of(&many.join("\r\n"), ""), "431"),
        (of(&format!("x: {}", "a".repeat(20_000)), ""), "431"),
        (format!("POST /{} HTTP/1.1\r\n\r\n", "a".repeat(20_000)).into_bytes(), "431"),
        (of("content-length: 2", &"[".repeat(2)), "400"),
        (of("content-length: 100000", &"[".repeat(100_000)), "400"),
        (of("content-length: 100000", &"\"".repeat(100_000)), "400"),
    ]
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let served = Served::berth(Script::new(by_name)).await;
    for (sent, expected) in broken() {
        let answer = short(&served.raw(&sent).await);
        let shown = String::from_utf8_lossy(&sent[..sent.len().min(200)]).into_owned();
        assert!(answer.starts_with(expected), "{shown:?}: {answer:?}");
        assert!(answer.len() < 2000, "{shown:?}: {answer:?}");
    }
    still_served(&served).await;
}

#[tokio::test]
async fn half_a_request_reaches_nobody() {
    let script = Script::new(|_: &Call| -> Option<Answer> { panic!("the desk was asked") });
    let served = Served::berth(script).await;
    let whole = raw_add("c1");
    for length in 0..whole.len() {
        let mut stream = served.connect().await;
        stream.write_all(&whole[..length]).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = until_end(&mut stream).await;
        assert!(!answer.contains(" 200 "), "{length}: {answer}");
    }
}

/// What begins each slow request: nothing, half a head, a head without its body, half a body.
const SLOW: [&str; 4] = [
    "",
    "POST /v1/cni/add HTTP/1.1\r\nhost:",
    "POST /v1/cni/add HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n",
    "POST /v1/cni/add HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"attachment\":",
];

async fn slow(served: &Served) -> Vec<UnixStream> {
    let mut streams = Vec::new();
    for number in 0..200 {
        let mut stream = served.connect().await;
        stream.write_all(SLOW[number % SLOW.len()].as_bytes()).await.unwrap();
        streams.push(stream);
    }
    streams
}

#[tokio::test]
async fn who_is_slow_is_cut_off_and_keeps_nobody_waiting() {
    let served = Served::berth(Script::new(by_name)).await;
    let mut streams = slow(&served).await;
    for _ in 0..50 {
        still_served(&served).await;
    }
    for (number, stream) in streams.iter_mut().enumerate() {
        let answer = short(&until_end(stream).await);
        let expected = if number % SLOW.len() < 2 { "" } else { "408 {\"code\":11," };
        assert!(answer.starts_with(expected), "{number}: {answer}");
    }
    still_served(&served).await;
}

/// Sends a byte at a time until it is hung up on.
async fn drip(served: &Served, head: &str) {
    let mut stream = served.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut sent = 0;
    while stream.write_all(b"1").await.is_ok() {
        sent += 1;
        assert!(sent < 3000, "never cut off: {head}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn who_sends_a_byte_at_a_time_is_cut_off() {
    let served = Served::berth(Script::new(by_name)).await;
    let head = "POST /v1/cni/add HTTP/1.1\r\nhost: x\r\ncontent-length: ";
    let body = format!("{head}1000000\r\n\r\n");
    tokio::join!(drip(&served, head), drip(&served, &body));
    still_served(&served).await;
}

#[tokio::test]
async fn who_does_not_read_keeps_nobody_waiting() {
    let served = Served::berth(Script::new(by_name)).await;
    let mut streams = Vec::new();
    for _ in 0..100 {
        let mut stream = served.connect().await;
        stream.write_all(&raw_add("good")).await.unwrap();
        streams.push(stream);
    }
    still_served(&served).await;
    drop(streams);
    still_served(&served).await;
}

#[tokio::test]
async fn who_hangs_up_is_not_waited_for() {
    let script = Script::new(by_name);
    let notes = script.notes();
    let served = Served::berth(script).await;
    let mut stream = served.connect().await;
    stream.write_all(&raw_add("waits")).await.unwrap();
    let mut half = served.connect().await;
    half.write_all(&raw_add("waits")).await.unwrap();
    until(|| notes.waiting.load(Ordering::SeqCst) == 2).await;
    assert_eq!(notes.abandoned.load(Ordering::SeqCst), 0);
    drop(stream);
    until(|| notes.abandoned.load(Ordering::SeqCst) == 1).await;
    half.shutdown().await.unwrap();
    until(|| notes.abandoned.load(Ordering::SeqCst) == 2).await;
    still_served(&served).await;
}

#[tokio::test]
async fn a_node_full_of_pods_starts_at_once() {
    let served = Arc::new(Served::berth(Script::new(by_name)).await);
    let mut clients = JoinSet::new();
    for _ in 0..110 {
        let served = Arc::clone(&served);
        clients.spawn(async move { still_served(&served).await });
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn requests_that_have_come_are_answered_at_the_end() {
    let script = Script::new(by_name);
    let notes = script.notes();
    let served = Served::berth_within(script, Duration::from_millis(300)).await;
    let mut stream = served.connect().await;
    stream.write_all(&raw_add("waits")).await.unwrap();
    until(|| notes.waiting.load(Ordering::SeqCst) == 1).await;
    let path = served.stop().await;
    assert!(!path.exists());
    let answer = short(&until_end(&mut stream).await);
    assert!(answer.starts_with("504 {\"code\":11,"), "{answer}");
}

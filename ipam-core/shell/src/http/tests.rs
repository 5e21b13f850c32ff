//! What is answered to whom, over real sockets.

use std::net::SocketAddr;

use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::{Bounds, Listener, Router, ServeAddress, bind, serve};

const FLAG: &str = "--serve-addr";

fn local() -> ServeAddress {
    "127.0.0.1:0".parse().unwrap()
}

/// Serves `ok` at `/` until the sender is dropped.
fn start(listener: impl Listener) -> (oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    let router = Router::new().route("/", get(async || "ok"));
    let stopped = async { drop(stopped.await) };
    (stop, tokio::spawn(serve(listener, router, Bounds::default(), stopped)))
}

/// Asks for `/` and answers with all that comes.
async fn ask(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn ask_at(address: SocketAddr) -> String {
    ask(TcpStream::connect(address).await.unwrap()).await
}

#[test]
fn addresses_are_written_as_they_are_read() {
    for text in [":9963", "127.0.0.1:80", "[::1]:0", "node.example.com:1"] {
        assert_eq!(text.parse::<ServeAddress>().unwrap().to_string(), text);
    }
    for text in ["9963", "a:", "a:65536", ""] {
        let error = text.parse::<ServeAddress>().unwrap_err();
        assert_eq!(error, "expected HOST:PORT, or :PORT for all addresses", "{text}");
    }
}

#[tokio::test]
async fn an_address_in_use_is_said_with_the_flag() {
    let first = bind(&local(), FLAG).await.unwrap();
    let taken = first.local_addr().unwrap();
    let error = bind(&taken.to_string().parse().unwrap(), FLAG).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {taken}: ")), "{error}");
    assert!(error.contains("Another process has the port"), "{error}");
    assert!(error.ends_with("; --serve-addr sets another address"), "{error}");
}

#[tokio::test]
async fn unix_sockets_are_served_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let (stop, served) = start(tokio::net::UnixListener::bind(&path).unwrap());
    let answer = ask(tokio::net::UnixStream::connect(&path).await.unwrap()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    drop(stop);
    served.await.unwrap();
}

/// Who asks and never ends asking keeps nobody out, and keeps nothing for long.
#[tokio::test(start_paused = true)]
async fn slow_clients_are_cut_off() {
    let listener = bind(&local(), FLAG).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, served) = start(listener);
    let mut slow = Vec::new();
    for _ in 0..2 * Bounds::default().connections {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        slow.push(stream);
    }
    assert!(ask_at(address).await.starts_with("HTTP/1.1 200 OK\r\n"));
    for stream in &mut slow {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(!text.contains("200 OK"), "{text}");
    }
    drop(stop);
    served.await.unwrap();
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let listener = bind(&local(), FLAG).await.unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stop, served) = start(listener);
    let head = Bounds::default().head;
    let asked = format!("GET / HTTP/1.1\r\nHost: x\r\nLong: {}", "x".repeat(head));
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    drop(stop);
    served.await.unwrap();
}

/// A client that sends its body for ever is cut off in the end.
#[tokio::test(start_paused = true)]
async fn no_connection_lives_for_ever() {
    let listener = bind(&local(), FLAG).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let swallow = axum::routing::post(async |body: axum::body::Bytes| body.len().to_string());
    let router = Router::new().route("/", swallow);
    let bounds = Bounds::default();
    let served = tokio::spawn(serve(listener, router, bounds, async { drop(stopped.await) }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx";
    stream.write_all(head).await.unwrap();
    let patience = bounds.lifetime + bounds.last_answer + bounds.asked_within;
    let mut text = String::new();
    let ended = tokio::time::timeout(patience, stream.read_to_string(&mut text)).await;
    assert!(ended.is_ok(), "the connection is still there");
    assert!(!text.contains("200 OK"), "{text}");
    drop(stop);
    served.await.unwrap();
}

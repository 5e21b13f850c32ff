//! What is answered to whom, over a real socket.

use std::sync::Arc;

use berth_shell::http::{Bounds, serve};
use ipam_core::ids::NodeName;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::router;
use crate::board::{Board, Readiness};
use crate::metrics::tests::summary;

/// Asks for `path` and answers with the status and the body.
async fn ask(address: std::net::SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Serves a board while `test` asks.
async fn check(board: Arc<Board>, metrics: bool, path: &str, status: u16, body: impl Fn(&str)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let served = tokio::spawn(serve(listener, router(board, metrics), Bounds::default(), stopped));
    let (found, text) = ask(address, path).await;
    assert_eq!(found, status, "{path}: {text}");
    body(&text);
    drop(stop);
    served.await.unwrap();
}

fn is(expected: Value) -> impl Fn(&str) {
    move |text| assert_eq!(serde_json::from_str::<Value>(text).unwrap(), expected)
}

fn ready() -> Arc<Board> {
    let board = Board::new();
    board.say(|state| state.readiness = Readiness::Ready);
    let name: NodeName = "node-1".parse().unwrap();
    board.nodes().set(&name, Some(summary("node-1")));
    board
}

#[tokio::test]
async fn readiness_says_which() {
    let states = [
        (Readiness::Starting, "starting", 503),
        (Readiness::Standby, "standby", 200),
        (Readiness::Observing, "observing", 503),
        (Readiness::Ready, "ready", 200),
    ];
    for (readiness, name, status) in states {
        let board = Board::new();
        board.say(|state| state.readiness = readiness);
        let expected = json!({ "ready": status == 200, "state": name });
        check(board, true, "/readyz", status, is(expected)).await;
    }
}

#[tokio::test]
async fn nodes_are_json() {
    let row = json!({
        "name": "node-1", "instance": "i-1", "instance_type": "m5.large", "contract": "per-ip",
        "mode": "addresses", "enis": 1, "available": 9, "used": 7, "free": 2, "needed": 6,
        "capacity": 27, "leaving": 16, "to_spare": 20,
        "kept": {
            "reason": "Delay",
            "text": "they are not to spare for long enough yet: --excess-ip-release-delay",
        },
        "idle_enis": 1, "leaving_enis": 2, "waiting": 1, "in_flight": 0,
        "blocked": [{
            "reason": "InstanceFull",
            "text": "every slot for pods of this m5.large is taken",
            "short": 6,
        }],
        "ignored": false, "age_seconds": 0, "observed_seconds_ago": 0,
    });
    check(ready(), true, "/nodes/node-1", 200, is(row.clone())).await;
    check(ready(), true, "/nodes", 200, is(json!([row]))).await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let gone = json!({ "error": "no node \"node-2\" is known" });
    check(ready(), true, "/nodes/node-2", 404, is(gone)).await;
    let standby =
        json!({ "error": "this replica does not lead: the one that does knows the nodes" });
    check(Board::new(), true, "/nodes/node-1", 503, is(standby.clone())).await;
    check(Board::new(), true, "/nodes", 503, is(standby)).await;
    let unreadable = json!({ "error": "the name of a node is expected, in UTF-8" });
    check(ready(), true, "/nodes/%ff", 404, is(unreadable)).await;
    let odd = json!({ "error": "no node \"../\\r\" is known" });
    check(ready(), true, "/nodes/..%2f%0d", 404, is(odd)).await;
    let nothing =
        json!({ "error": "there is nothing here: try /nodes, /metrics, /healthz or /readyz" });
    check(ready(), true, "/", 404, is(nothing.clone())).await;
    check(ready(), false, "/metrics", 404, is(nothing)).await;
}

#[tokio::test]
async fn health_and_metrics_are_text() {
    check(Board::new(), true, "/healthz", 200, |text| assert_eq!(text, "ok\n")).await;
    check(ready(), true, "/metrics", 200, |text| {
        assert!(
            text.contains("cilium_operator_ipam_used_ips{target_node=\"node-1\"} 7\n"),
            "{text}"
        );
    })
    .await;
}

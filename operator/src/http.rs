//! What is served over HTTP: whether the operator is well, what it counts, and its nodes.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::board::Board;
use crate::settings::ServeAddress;

#[cfg(test)]
mod tests;

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub struct BindError {
    /// Where.
    pub address: ServeAddress,
    /// Why.
    pub cause: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, cause } = self;
        write!(out, "cannot listen on {address}: {cause}")?;
        if cause.kind() == io::ErrorKind::AddrInUse {
            out.write_str(
                ". Another process has the port, on the network of the host perhaps Cilium's operator",
            )?;
        }
        out.write_str("; --operator-prometheus-serve-addr sets another address")
    }
}

/// Connections at once; others wait. Each takes a file descriptor, which calls to EC2 and Kubernetes must never lack, and may
/// keep an answer of megabytes that its client does not read.
const CONNECTIONS: usize = 64;
/// How long a client may take to ask: for the whole head of a request, and between two requests.
const ASKED_WITHIN: Duration = Duration::from_secs(10);
/// After this time a connection ends with the next answer, and a client that asks on makes another.
const LIFETIME: Duration = Duration::from_mins(1);
/// How long a client may take to read the last answer.
const LAST_ANSWER: Duration = Duration::from_secs(10);
/// Between two attempts when no connection can be taken.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes the address.
///
/// # Errors
/// It is in use, or not of this machine.
pub async fn bind(address: &ServeAddress) -> Result<TcpListener, BindError> {
    let bound = match &address.host {
        Some(host) => TcpListener::bind((host.as_str(), address.port)).await,
        None => bind_everywhere(address.port).await,
    };
    bound.map_err(|cause| BindError { address: address.clone(), cause })
}

/// IPv6 takes IPv4 along, where the machine has IPv6.
async fn bind_everywhere(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).await
        }
        bound => bound,
    }
}

/// Serves until `stop`, and then until the requests that have come are answered. `metrics`: whether `/metrics` is there.
///
/// Whoever asks slowly, or not at all, is cut off, so that nobody keeps others from being answered.
pub async fn serve(
    listener: TcpListener,
    board: Arc<Board>,
    metrics: bool,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let router = router(board, metrics);
    let (stopped, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(answer(stream, router.clone(), stopping.clone()));
                }
                Err(problem) => {
                    tracing::debug!(%problem, "a connection cannot be taken");
                    sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    stopped.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// Answers what comes over one connection.
async fn answer(stream: TcpStream, router: Router, mut stopping: watch::Receiver<bool>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(ASKED_WITHIN)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        // Whether it ended well is the client's affair.
        _ended = connection.as_mut() => return,
        _stopped = stopping.wait_for(|stopping| *stopping) => {}
        () = sleep(LIFETIME) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ended = timeout(LAST_ANSWER, connection).await;
}

fn router(board: Arc<Board>, metrics: bool) -> Router {
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readiness))
        .route("/nodes", get(nodes))
        .route("/nodes/{name}", get(node));
    let router = if metrics { router.route("/metrics", get(exposition)) } else { router };
    router
        .fallback(async || {
            not_found("there is nothing here: try /nodes, /metrics, /healthz or /readyz")
        })
        .with_state(board)
}

async fn readiness(State(board): State<Arc<Board>>) -> Response {
    let readiness = board.readiness();
    let status =
        if readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": readiness.is_ready(), "state": readiness }))).into_response()
}

async fn exposition(State(board): State<Arc<Board>>) -> Response {
    ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], board.exposition()).into_response()
}

async fn nodes(State(board): State<Arc<Board>>) -> Response {
    if board.readiness().is_leading() { Json(board.rows()).into_response() } else { elsewhere() }
}

async fn node(
    State(board): State<Arc<Board>>,
    name: Result<Path<String>, PathRejection>,
) -> Response {
    let Ok(Path(name)) = name else {
        return not_found("the name of a node is expected, in UTF-8");
    };
    match board.row(&name) {
        Some(row) => Json(row).into_response(),
        None if board.readiness().is_leading() => not_found(&format!("no node {name:?} is known")),
        None => elsewhere(),
    }
}

/// An empty list would say that there are no nodes.
fn elsewhere() -> Response {
    let error = "this replica does not lead: the one that does knows the nodes";
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": error }))).into_response()
}

fn not_found(error: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
}

//! What is served over HTTP: whether the operator is well, what it counts, and its nodes.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;

use crate::board::Board;
use crate::settings::ServeAddress;

#[cfg(test)]
mod tests;

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}: {cause}. Another process may have the port, on the network of the host Cilium's operator; \
         --operator-prometheus-serve-addr sets another"
)]
pub struct BindError {
    /// Where.
    pub address: ServeAddress,
    /// Why.
    pub cause: io::Error,
}

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
/// # Errors
/// The listener broke.
pub async fn serve(
    listener: TcpListener,
    board: Arc<Board>,
    metrics: bool,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(board, metrics)).with_graceful_shutdown(stop).await
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
    Json(board.rows()).into_response()
}

async fn node(State(board): State<Arc<Board>>, Path(name): Path<String>) -> Response {
    match board.row(&name) {
        Some(row) => Json(row).into_response(),
        None if board.readiness().is_leading() => not_found(&format!("no node {name:?} is known")),
        None => not_found("this replica does not lead: the one that does knows the nodes"),
    }
}

fn not_found(error: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
}

//! What is served over HTTP: whether the operator is well, what it counts, and its nodes.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::board::Board;

#[cfg(test)]
mod tests;

/// What `board` says, at its paths. `metrics`: whether `/metrics` is there.
pub fn router(board: Arc<Board>, metrics: bool) -> Router {
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

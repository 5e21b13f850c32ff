//! What is served over HTTP on loopback: whether the agent is well, whether pods can be served, and what it counts.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ipam_core::agent::{Answer, Call, Refused};
use serde_json::json;
use tokio::time::timeout;

use crate::metrics::Metrics;
use crate::socket::Desk;

#[cfg(test)]
mod tests;

/// How long the keeper may take to answer before it counts as stuck. A slow disk takes seconds, and a restart makes it no faster.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whom to ask, once the ledger is restored. Clones are one.
#[derive(Debug, Clone)]
pub struct Reception<D> {
    desk: Arc<OnceLock<D>>,
    /// What is waited for until then.
    waits_for: Arc<Mutex<&'static str>>,
    metrics: Metrics,
}

impl<D: Desk> Reception<D> {
    /// Nobody can be asked yet.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self {
            desk: Arc::default(),
            waits_for: Arc::new(Mutex::new("the agent to start")),
            metrics,
        }
    }

    /// What the agent waits for before it can be asked.
    pub fn wait_for(&self, what: &'static str) {
        *self.waits_for.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// From now on `desk` is asked. The first one stays.
    pub fn open(&self, desk: D) {
        let _taken = self.desk.set(desk);
    }
}

/// `/healthz` and `/readyz`, and `/metrics` if wanted.
pub fn router<D: Desk>(reception: Reception<D>, metrics: bool) -> Router {
    let router =
        Router::new().route("/healthz", get(health::<D>)).route("/readyz", get(readiness::<D>));
    let router = if metrics { router.route("/metrics", get(exposition::<D>)) } else { router };
    let nothing = async || {
        let error = "there is nothing here: try /healthz, /readyz or /metrics; \
                     `berth-agent status` says more";
        (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
    };
    router.fallback(nothing).with_state(reception)
}

/// Healthy is who starts, and who answers, whatever the answer is.
async fn health<D: Desk>(State(reception): State<Reception<D>>) -> Response {
    let Some(desk) = reception.desk.get() else {
        return "ok: starting\n".into_response();
    };
    match timeout(PATIENCE, desk.call(Call::Status)).await {
        Err(_) => stuck("the ledger does not answer"),
        Ok(Answer::Refused(Refused::Stopping)) => stuck("the agent is stopping"),
        Ok(_) => "ok\n".into_response(),
    }
}

fn stuck(problem: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, problem).into_response()
}

async fn readiness<D: Desk>(State(reception): State<Reception<D>>) -> Response {
    let ready = match reception.desk.get() {
        Some(desk) => desk.status().ready,
        None => Err(*reception.waits_for.lock().unwrap_or_else(PoisonError::into_inner)),
    };
    let (status, waits_for) = match ready {
        Ok(()) => (StatusCode::OK, None),
        Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, Some(missing)),
    };
    (status, Json(json!({ "ready": ready.is_ok(), "waits-for": waits_for }))).into_response()
}

async fn exposition<D: Desk>(State(reception): State<Reception<D>>) -> Response {
    let status = reception.desk.get().map(Desk::status);
    let text = reception.metrics.exposition(status.as_deref());
    ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response()
}

//! What is answered over HTTP.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use ipam_core::agent::{Answer, Call, Refused, Status};
use tower::ServiceExt;

use super::{Reception, router};
use crate::metrics::Metrics;
use crate::metrics::tests::status;
use crate::socket::Desk;

/// Answers everything alike; with `None`, nothing.
#[derive(Clone)]
struct Always(Option<Answer>, Status);

impl Desk for Always {
    async fn call(&self, _call: Call) -> Answer {
        match &self.0 {
            Some(answer) => answer.clone(),
            None => std::future::pending().await,
        }
    }

    fn status(&self) -> Arc<Status> {
        Arc::new(self.1.clone())
    }
}

/// Asks for `path` and compares the status and the beginning of the body with `expected`.
#[track_caller]
fn check(desk: Option<&Always>, metrics: bool, path: &str, expected: &str) {
    let reception = Reception::new(Metrics::new());
    if let Some(desk) = desk {
        reception.open(desk.clone());
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let found = runtime.unwrap().block_on(async {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(reception, metrics).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        format!("{status} {}", String::from_utf8_lossy(&body).trim_end())
    });
    assert!(found.starts_with(expected), "{path}: {found:?} instead of {expected:?}");
}

fn desk(answer: Answer) -> Always {
    Always(Some(answer), status())
}

#[test]
fn who_answers_is_well() {
    check(None, true, "/healthz", "200 ok: starting");
    check(Some(&desk(Answer::Done)), true, "/healthz", "200 ok");
    let empty = Refused::NotReady { missing: "the operator's word" };
    check(Some(&desk(Answer::Refused(empty))), true, "/healthz", "200 ok");
}

#[test]
fn who_does_not_is_not() {
    let stopping = desk(Answer::Refused(Refused::Stopping));
    check(Some(&stopping), true, "/healthz", "503 the agent is stopping");
    check(Some(&Always(None, status())), true, "/healthz", "503 the ledger does not answer");
}

#[test]
fn readiness_says_what_is_missing() {
    check(None, true, "/readyz", r#"503 {"ready":false,"waits-for":"the agent to start"}"#);
    let ready = desk(Answer::Done);
    check(Some(&ready), true, "/readyz", r#"200 {"ready":true,"waits-for":null}"#);
    let missing = Always(None, Status { ready: Err("an address"), ..status() });
    check(Some(&missing), true, "/readyz", r#"503 {"ready":false,"waits-for":"an address"}"#);
}

#[test]
fn what_the_start_waits_for_is_said() {
    let reception: Reception<Always> = Reception::new(Metrics::new());
    reception.wait_for("the CNI configuration");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let body = runtime.block_on(async {
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        let response = router(reception, true).oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes()
    });
    assert_eq!(body, r#"{"ready":false,"waits-for":"the CNI configuration"}"#);
}

#[test]
fn metrics_can_be_left_out() {
    let ready = desk(Answer::Done);
    check(Some(&ready), true, "/metrics", "200 # HELP berth_agent_addresses");
    check(None, true, "/metrics", "200 # HELP berth_agent_");
    check(Some(&ready), false, "/metrics", "404");
    check(Some(&ready), true, "/", "404 {\"error\":\"there is nothing here");
}

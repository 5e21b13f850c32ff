//! How the Region behaves: what is not said in a body stays as it is.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::{BODY, answer, finish, refuse};
use crate::face::imds::Services;
use crate::spec::{self, Assumed, Buckets, Latency, Quotas, Staleness};
use crate::throttle::Bucket;

/// Changes the sizes of token buckets.
pub(in super::super) async fn buckets(State(services): State<Services>, body: String) -> Response {
    let change = |buckets: Buckets| {
        services.shared().with(|ec2, _| buckets.apply(&mut ec2.build().buckets().settings))
    };
    finish(StatusCode::OK, spec::one(BODY, &body, change).map(|()| json!({})))
}

/// Empties a token bucket of an account.
pub(in super::super) async fn empty_bucket(
    State(services): State<Services>,
    Path((account, bucket)): Path<(String, String)>,
) -> Response {
    let bucket: Bucket = match bucket.parse() {
        Ok(bucket) => bucket,
        Err(error) => return refuse(StatusCode::NOT_FOUND, &format!("{error}")),
    };
    services.shared().with(|ec2, now| ec2.build().buckets().empty(now, &account, bucket));
    answer(StatusCode::OK, &json!({}))
}

/// Changes quotas.
pub(in super::super) async fn quotas(State(services): State<Services>, body: String) -> Response {
    let change = |quotas: Quotas| {
        services.shared().with(|ec2, _| quotas.apply(ec2.build().quotas()));
        Ok(())
    };
    finish(StatusCode::OK, spec::one(BODY, &body, change).map(|()| json!({})))
}

/// Changes how long things take.
pub(in super::super) async fn latency(State(services): State<Services>, body: String) -> Response {
    let change = |latency: Latency| {
        services.shared().with(|ec2, _| latency.apply(ec2.build().latency()));
        Ok(())
    };
    finish(StatusCode::OK, spec::one(BODY, &body, change).map(|()| json!({})))
}

/// Changes how far reads lag behind changes that are yet to come.
pub(in super::super) async fn staleness(
    State(services): State<Services>,
    body: String,
) -> Response {
    let change = |staleness: Staleness| {
        services.shared().with(|ec2, _| ec2.build().staleness(staleness.mode));
        Ok(())
    };
    finish(StatusCode::OK, spec::one(BODY, &body, change).map(|()| json!({})))
}

/// Changes assumptions.
pub(in super::super) async fn assumptions(
    State(services): State<Services>,
    body: String,
) -> Response {
    let change = |assumed: Assumed| {
        services.shared().with(|ec2, _| assumed.apply(ec2.build().assumptions()))
    };
    finish(StatusCode::OK, spec::one(BODY, &body, change).map(|()| json!({})))
}

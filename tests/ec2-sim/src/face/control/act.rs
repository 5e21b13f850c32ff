//! What changes the world.

mod behaviour;
mod disturb;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::json;

pub(super) use self::behaviour::{assumptions, buckets, empty_bucket, latency, quotas, staleness};
pub(super) use self::disturb::{
    delete_interface, detach, instance, jump, leave, take, unassign, vpc_cidr, zone,
};
use super::{answer, refuse, refuse_body, refuse_change};
use crate::face::imds::Services;
use crate::fault::Rule;
use crate::spec::{self, Resource, SpecError};

/// How errors call the body of a request.
const BODY: &str = "body";

/// `made` as JSON, or why it could not be made.
fn finish(status: StatusCode, made: Result<serde_json::Value, SpecError>) -> Response {
    made.map_or_else(|error| refuse_body(&error), |made| answer(status, &made))
}

/// Builds what the body describes.
pub(super) async fn build<R: Resource + DeserializeOwned>(
    State(services): State<Services>,
    body: String,
) -> Response {
    let make = |resource: R| services.shared().with(|ec2, _| resource.build(&mut ec2.build()));
    let ids = spec::one(BODY, &body, make);
    finish(StatusCode::CREATED, ids.map(|ids| json!({"ids": ids})))
}

/// Adds a fault rule.
pub(super) async fn add_fault(State(services): State<Services>, body: String) -> Response {
    let add = |rule: Rule| Ok(services.shared().with(|ec2, _| ec2.build().faults().add(rule)));
    let number = spec::one(BODY, &body, add);
    finish(StatusCode::CREATED, number.map(|number| json!({"number": number})))
}

/// Removes a fault rule.
pub(super) async fn remove_fault(
    State(services): State<Services>,
    Path(number): Path<String>,
) -> Response {
    let remove = |number| services.shared().with(|ec2, _| ec2.build().faults().remove(number));
    match number.parse().map(remove) {
        Ok(true) => answer(StatusCode::OK, &json!({})),
        _ => refuse(StatusCode::NOT_FOUND, &format!("there is no fault rule `{number}`")),
    }
}

/// Removes all fault rules.
pub(super) async fn clear_faults(State(services): State<Services>) -> Response {
    services.shared().with(|ec2, _| ec2.build().faults().clear());
    answer(StatusCode::OK, &json!({}))
}

//! The IPAM part of the API of Cilium's agents: paths, parameters, codes and models as Cilium's clients know them.
//!
//! | request | answers |
//! |---|---|
//! | `POST /v1/ipam?family=&owner=&pool=`, header `expiration` | 201 with an `IPAMResponse`, 502 |
//! | `POST /v1/ipam/{ip}?owner=&pool=` | 200, 409 the address is used, 501 the family is disabled, 500 |
//! | `DELETE /v1/ipam/{ip}?pool=` | 200, 404 nobody uses it, 501 the family is disabled, 500 |
//! | `POST /v1/ipam/{ip}/claim?uuid=` | 200, 404 nobody uses it, 409 another grant stands, 500 |
//! | `GET /v1/healthz` | 200 with `cilium` and `ipam` |
//!
//! Everything else gets 400 with what was expected, 404 or 405. The body of an error is its text as a JSON string. What could succeed
//! later gets the same code as any failure, since Cilium's clients know no other.
//!
//! The third `POST` is Berth's own: an allocation with `expiration: true` is given back unless it is claimed, which
//! Cilium's agent does itself when the endpoint is created, a call that is not part of IPAM.
//!
//! There is one pool, `default`; to name none means it too.

use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::response::{IntoResponse, Response};
use ipam_core::agent::{Answer, Status};
use ipam_core::pool::Family;
use tokio::time::timeout;

use super::desk::Desk;

mod failure;
mod health;
mod model;
mod request;
mod uuid;

pub use failure::Failure;
pub use request::{Head, Kind, Request as CiliumRequest, decode};
pub use uuid::{InvalidUuid, grant_of, uuid_of};

/// The one pool.
pub const POOL: &str = "default";
/// Whether an allocation is given back unless it is claimed.
const EXPIRATION: &str = "expiration";

/// Answers a request.
pub(super) async fn answer(
    desk: &impl Desk,
    within: Duration,
    request: Request,
) -> Result<Response, Failure> {
    let (head, _body) = request.into_parts();
    let headers = &head.headers;
    let length = headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if length || headers.contains_key(TRANSFER_ENCODING) {
        return Err(Failure::invalid("no body is expected"));
    }
    let expiration = match headers.get(EXPIRATION).map(|value| value.to_str()) {
        Some(Ok(value)) => Some(value),
        Some(Err(_)) => return Err(Failure::invalid("header expiration: expected true or false")),
        None => None,
    };
    let (path, query) = (head.uri.path(), head.uri.query());
    let head = Head { method: head.method.as_str(), path, query, expiration };
    let status = desk.status();
    let enabled: Vec<Family> = status.families.iter().map(|(family, _)| *family).collect();
    let CiliumRequest::Call(kind, call) = decode(head, &enabled)? else {
        return Ok(model::json(StatusCode::OK, &health::report(&status)));
    };
    let answered = timeout(within, desk.call(call)).await;
    match answered.map_err(|_| Failure::no_answer(kind))? {
        answer if kind == Kind::Next => granted(answer, &status),
        Answer::Granted(_) | Answer::Done => Ok(StatusCode::OK.into_response()),
        Answer::Refused(refused) => Err(Failure::of(kind, &refused)),
    }
}

fn granted(answer: Answer, status: &Status) -> Result<Response, Failure> {
    match answer {
        Answer::Granted(leases) => {
            let response = model::IpamResponse::new(&leases, status);
            Ok(model::json(StatusCode::CREATED, &response))
        }
        Answer::Refused(refused) => Err(Failure::of(Kind::Next, &refused)),
        Answer::Done => Err(Failure::unexpected(Kind::Next)),
    }
}

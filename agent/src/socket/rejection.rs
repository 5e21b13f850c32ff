//! Why a request gets nothing, in the words of HTTP and of CNI.
//!
//! | code | HTTP | meaning |
//! |---|---|---|
//! | 6 | 400 | the body is no JSON, or not of this request |
//! | 7 | 400, 404, 405, 411, 413 | the request makes no sense: path, method, size, names |
//! | 11 | 503, 507, 408, 504 | worth trying again: no address is free, too many wait, not ready, stopping, the disk is full, too slow |
//! | 50 | 503 | STATUS: an ADD could not be served |
//! | 100 | 403 | the asker is neither root nor the agent's user |
//! | 101 | 409 | CHECK: the interface does not hold the address |
//! | 102 | 409 | the ledger refuses for good |
//! | 103 | 500 | the agent answered something that does not fit the question: an error in Berth |
//!
//! 6, 7, 11 and 50 are the CNI specification's, from 100 on they are Berth's own. 51 is never said: pods that run do not need
//! the agent.

use std::fmt;

use axum::body::Body;
use axum::http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use berth_cni::protocol::code::{INVALID_CONFIG, TRY_AGAIN, UNAVAILABLE};
use berth_cni::protocol::{Problem, RequestError};
use ipam_core::agent::Refused;
use ipam_core::pool::Refusal;

/// The asker may not ask.
pub const NOT_PERMITTED: u32 = 100;
/// CHECK: not held.
pub const NOT_HELD: u32 = 101;
/// Refused for good.
pub const REFUSED: u32 = 102;
/// An answer that does not fit.
pub const UNEXPECTED: u32 = 103;

/// Bytes of another's words that are repeated at most.
const REPEATED_MAX: usize = 512;

/// A request that gets nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The status of the answer.
    pub status: StatusCode,
    /// Its body.
    pub problem: Problem,
    /// With 405: the method that is expected.
    pub allow: Option<&'static str>,
}

impl Rejection {
    fn new(status: StatusCode, code: u32, msg: &str, details: impl Into<String>) -> Self {
        let problem = Problem { code, msg: msg.to_owned(), details: shortened(details.into()) };
        Self { status, problem, allow: None }
    }

    /// What is asked makes no sense; `details` say what was expected.
    pub(super) fn invalid(details: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_CONFIG, "the request makes no sense", details)
    }

    /// Nothing is at this path.
    pub(super) fn no_such_path(path: &str, expected: &str) -> Self {
        let details = format!("{path:?}: expected one of {expected}");
        Self::new(StatusCode::NOT_FOUND, INVALID_CONFIG, "there is nothing at this path", details)
    }

    /// The path is asked for with another method.
    pub(super) fn wrong_method(expected: &'static str) -> Self {
        let (status, msg) = (StatusCode::METHOD_NOT_ALLOWED, "wrong method");
        let details = format!("expected {expected}");
        Self { allow: Some(expected), ..Self::new(status, INVALID_CONFIG, msg, details) }
    }

    /// The length of the body was not said before.
    pub(super) fn no_length() -> Self {
        let details = "expected content-length, and no transfer-encoding";
        Self::new(StatusCode::LENGTH_REQUIRED, INVALID_CONFIG, "the length is not said", details)
    }

    /// The body is larger than any request.
    pub(super) fn too_large(most: usize) -> Self {
        let details = format!("expected {most} bytes at most");
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            INVALID_CONFIG,
            "the request is too large",
            details,
        )
    }

    /// The body did not come.
    pub(super) fn too_slow() -> Self {
        let (status, msg) = (StatusCode::REQUEST_TIMEOUT, "the request came too slowly");
        Self::new(status, TRY_AGAIN, msg, "")
    }

    /// The answer did not come.
    pub(super) fn no_answer() -> Self {
        let details = "its disk may hang; what was asked for is abandoned";
        Self::new(StatusCode::GATEWAY_TIMEOUT, TRY_AGAIN, "the agent has no answer yet", details)
    }

    /// Another user.
    pub(super) fn not_permitted() -> Self {
        let details = "expected root or the user of the agent";
        Self::new(StatusCode::FORBIDDEN, NOT_PERMITTED, "not permitted", details)
    }

    /// An answer that does not fit the question.
    pub(super) fn unexpected() -> Self {
        let (status, msg) = (StatusCode::INTERNAL_SERVER_ERROR, "the answer does not fit");
        Self::new(status, UNEXPECTED, msg, "this is an error in Berth")
    }

    /// STATUS says no.
    pub(super) fn not_available(refused: &Refused) -> Self {
        let (status, msg) = (StatusCode::SERVICE_UNAVAILABLE, "an ADD could not be served");
        Self::new(status, UNAVAILABLE, msg, refused.to_string())
    }

    /// The answer as bytes, for whom nothing is read from.
    pub(super) fn on_the_wire(&self) -> Vec<u8> {
        let body = body_of(&self.problem);
        let mut wire = format!(
            "HTTP/1.1 {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.status,
            body.len()
        )
        .into_bytes();
        wire.extend_from_slice(&body);
        wire
    }
}

impl From<&Refused> for Rejection {
    fn from(refused: &Refused) -> Self {
        let (status, msg) = match refused {
            Refused::NoAddress { .. } | Refused::Ledger(Refusal::Exhausted { .. }) => {
                (StatusCode::SERVICE_UNAVAILABLE, "no address is free")
            }
            Refused::TooManyWait { .. } => (StatusCode::SERVICE_UNAVAILABLE, "too many wait"),
            Refused::NotReady { .. } => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
            Refused::HostNetwork { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "the host's network is not ready")
            }
            Refused::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
            Refused::NotDurable { .. } => {
                (StatusCode::INSUFFICIENT_STORAGE, "the ledger cannot be written")
            }
            Refused::NotHeld { .. } => (StatusCode::CONFLICT, "the address is not held"),
            Refused::Deleted => (StatusCode::CONFLICT, "the sandbox was deleted meanwhile"),
            Refused::FamilyDisabled { .. }
            | Refused::HeldByAttachment { .. }
            | Refused::FoundInUse { .. }
            | Refused::Ledger(_) => (StatusCode::CONFLICT, "refused"),
        };
        let code = match refused {
            _ if refused.is_temporary() => TRY_AGAIN,
            Refused::NotHeld { .. } => NOT_HELD,
            _ => REFUSED,
        };
        Self::new(status, code, msg, refused.to_string())
    }
}

impl From<&RequestError> for Rejection {
    fn from(error: &RequestError) -> Self {
        let status = match error {
            RequestError::Path { .. } => StatusCode::NOT_FOUND,
            RequestError::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            RequestError::Json(_) | RequestError::Text { .. } => StatusCode::BAD_REQUEST,
        };
        let Problem { code, msg, details } = error.problem();
        Self::new(status, code, &msg, details)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, problem: Problem { code, msg, details }, allow: _ } = self;
        write!(out, "{} {code} {msg}", status.as_u16())?;
        if details.is_empty() { Ok(()) } else { write!(out, ": {details}") }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let mut response = json(self.status, body_of(&self.problem));
        if let Some(allow) = self.allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

/// An answer after which the connection ends.
pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn body_of(problem: &Problem) -> Vec<u8> {
    // Three plain members cannot fail to be written.
    serde_json::to_vec(problem).unwrap_or_default()
}

/// Errors repeat what they do not understand, however long it is.
fn shortened(mut text: String) -> String {
    if text.len() > REPEATED_MAX {
        text.truncate(text.floor_char_boundary(REPEATED_MAX));
        text.push_str(" ...");
    }
    text
}

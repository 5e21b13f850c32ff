//! Which documented code says what.

use std::fmt;

use axum::http::header::ALLOW;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ipam_core::agent::Refused;
use ipam_core::pool::Refusal;

use super::model;
use super::request::Kind;

/// A request that gets nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The status of the answer.
    pub status: StatusCode,
    /// Its body.
    pub text: String,
    /// With 405: the methods that are expected.
    pub allow: Option<&'static str>,
}

impl Failure {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), allow: None }
    }

    /// What is asked makes no sense; `text` says what was expected.
    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// Nothing is there.
    pub(super) fn not_found(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    /// The path is asked for with another method.
    pub(super) fn wrong_method(expected: &'static str) -> Self {
        let text = format!("expected {expected}");
        Self { allow: Some(expected), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, text) }
    }

    /// Only one pool is there.
    pub(super) fn no_such_pool(kind: Kind, pool: &str) -> Self {
        let status = match kind {
            Kind::Release => StatusCode::NOT_FOUND,
            _ => failed(kind),
        };
        let text = format!("there is no pool {pool:?}: expected {:?} or none", super::POOL);
        Self::new(status, text)
    }

    /// The agent did not answer in time.
    pub(super) fn no_answer(kind: Kind) -> Self {
        Self::new(failed(kind), "the agent has no answer yet: its disk may hang")
    }

    /// An answer that does not fit the question.
    pub(super) fn unexpected(kind: Kind) -> Self {
        Self::new(failed(kind), "the answer does not fit: this is an error in Berth")
    }

    /// The agent says no.
    pub(super) fn of(kind: Kind, refused: &Refused) -> Self {
        let status = match (kind, refused) {
            (Kind::Next, _) => failed(kind),
            (_, Refused::FamilyDisabled { .. }) => StatusCode::NOT_IMPLEMENTED,
            (
                Kind::Exact,
                Refused::Ledger(Refusal::InUse { .. } | Refusal::HoldsAnother { .. })
                | Refused::HeldByAttachment { .. }
                | Refused::FoundInUse { .. },
            )
            | (
                Kind::Claim,
                Refused::Ledger(Refusal::AnotherGrant { .. } | Refusal::NoClaimExpected { .. }),
            ) => StatusCode::CONFLICT,
            (
                Kind::Release | Kind::Claim,
                Refused::Ledger(Refusal::NotUsed { .. } | Refusal::Unknown { .. }),
            ) => StatusCode::NOT_FOUND,
            _ => failed(kind),
        };
        Self::new(status, refused.to_string())
    }
}

/// The documented code of a failure as such.
const fn failed(kind: Kind) -> StatusCode {
    match kind {
        Kind::Next => StatusCode::BAD_GATEWAY,
        Kind::Exact | Kind::Release | Kind::Claim => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.status.as_u16(), self.text)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = model::json(self.status, &self.text);
        if let Some(allow) = self.allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

//! One request that changes something, bounded in time.

use std::time::Duration;

use berth_shell::problem::chain;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use kube::Client;
use serde_json::Value;
use tokio::time::timeout;

/// Who writes, to the API server.
const FIELD_MANAGER: &str = "berth-agent";

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long the API server may try, so that nothing is done any more when it is not waited for.
const SERVER_PATIENCE: &str = "10s";

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Adds to what is there (RFC 7396). Makes what is missing on the way.
    Merge(Value),
    /// Puts values in the place of others, and only where its tests hold (RFC 6902).
    Operations(Value),
}

/// Why something was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {problem}")]
pub struct WriteProblem {
    /// Of which kind.
    pub kind: Kind,
    /// What the API server says, or why it cannot be asked.
    pub problem: String,
}

/// Of which kind a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Kind {
    /// The API server cannot be asked, or cannot answer now. Whether it was written nobody knows.
    #[error("no answer")]
    Away,
    /// A permission is missing (401, 403).
    #[error("not permitted")]
    NotPermitted,
    /// The object, or the resource, is not there (404).
    #[error("not found")]
    NotFound,
    /// What is there is not what the write was made for (409).
    #[error("conflict")]
    Conflict,
    /// A test of the patch does not hold, or the API server finds it invalid (400, 422).
    #[error("refused")]
    Refused,
}

impl Kind {
    const fn of(code: u16) -> Self {
        match code {
            401 | 403 => Self::NotPermitted,
            404 => Self::NotFound,
            409 => Self::Conflict,
            400 | 422 => Self::Refused,
            _ => Self::Away,
        }
    }

    /// Whether it may be another thing to write once what is there has been read again.
    pub(super) const fn is_stale(self) -> bool {
        matches!(self, Self::NotFound | Self::Conflict | Self::Refused)
    }
}

/// Sends a request once, and answers what the object is then.
async fn send(
    client: &Client,
    request: Result<Request<Vec<u8>>, http::Error>,
) -> Result<Value, WriteProblem> {
    let away = |problem| WriteProblem { kind: Kind::Away, problem };
    let request = request.map_err(|error| away(chain(&error)))?;
    match timeout(PATIENCE, client.request::<Value>(request)).await {
        Ok(Ok(object)) => Ok(object),
        Ok(Err(kube::Error::Api(status))) => {
            Err(WriteProblem { kind: Kind::of(status.code), problem: status.message.clone() })
        }
        Ok(Err(error)) => Err(away(chain(&error))),
        Err(_) => Err(away(format!("none within {PATIENCE:?}"))),
    }
}

/// Changes the object at `path`.
pub(super) async fn patch(client: &Client, path: &str, body: &Body) -> Result<Value, WriteProblem> {
    let (content_type, body) = match body {
        Body::Merge(body) => ("application/merge-patch+json", body),
        Body::Operations(body) => ("application/json-patch+json", body),
    };
    let uri = format!("{path}?fieldManager={FIELD_MANAGER}&timeout={SERVER_PATIENCE}");
    let request = Request::builder().method(Method::PATCH).uri(uri);
    let request = request.header(CONTENT_TYPE, content_type);
    send(client, request.body(body.to_string().into_bytes())).await
}

/// Makes an object among those at `path`.
pub(super) async fn create(
    client: &Client,
    path: &str,
    object: &Value,
) -> Result<Value, WriteProblem> {
    let uri = format!("{path}?fieldManager={FIELD_MANAGER}&timeout={SERVER_PATIENCE}");
    let request = Request::builder().method(Method::POST).uri(uri);
    let request = request.header(CONTENT_TYPE, "application/json");
    send(client, request.body(object.to_string().into_bytes())).await
}

/// Takes the object at `path` away, if it is the one with this uid.
pub(super) async fn delete(client: &Client, path: &str, uid: &str) -> Result<Value, WriteProblem> {
    let options = serde_json::json!({
        "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid},
    });
    let uri = format!("{path}?timeout={SERVER_PATIENCE}");
    let request = Request::builder().method(Method::DELETE).uri(uri);
    let request = request.header(CONTENT_TYPE, "application/json");
    send(client, request.body(options.to_string().into_bytes())).await
}

/// The object at `path`; `None` when it is not there.
pub(super) async fn get(client: &Client, path: &str) -> Result<Option<Value>, WriteProblem> {
    match send(client, Request::builder().uri(path).body(Vec::new())).await {
        Ok(object) => Ok(Some(object)),
        Err(problem) if problem.kind == Kind::NotFound => Ok(None),
        Err(problem) => Err(problem),
    }
}

//! Requests to the metadata service: with a session token, bounded in time and size, and repeated a few times.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use berth_shell::problem::chain;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{sleep, timeout};

use super::endpoint::Endpoint;
use super::problem::ImdsError;
use crate::backoff::Backoff;

/// How long a token is asked for: six hours, the longest there is (EC2 user guide, "Use IMDSv2").
const TTL_SECONDS: &str = "21600";

const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");

const TOKEN_PATH: &str = "api/token";

/// More than the metadata of any instance; the limit of Cilium's agents.
const BODY_MAX: usize = 1 << 20;

/// How long an answer is waited for. The service is on the host itself and answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often something is asked for before it counts as failed.
const ATTEMPTS: u32 = 4;

/// The pauses between attempts: 100 ms to 1 s.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));

/// The way to the service, with a connection that is kept and the token of the session.
#[derive(Debug)]
pub(super) struct Client {
    http: legacy::Client<HttpConnector, Empty<Bytes>>,
    endpoint: Endpoint,
    token: Mutex<Option<HeaderValue>>,
}

impl Client {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(PATIENCE));
        connector.set_nodelay(true);
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Self { http, endpoint, token: Mutex::new(None) }
    }

    /// What stands at `path` below `latest/meta-data/`; `None` when there is nothing of that name.
    pub(super) async fn get(&self, path: &str) -> Result<Option<String>, ImdsError> {
        let mut pauses = PAUSES;
        for _ in 1..ATTEMPTS {
            match self.attempt(path).await {
                Err(problem) if self.is_worth_another_try(&problem) => sleep(pauses.pause()).await,
                ended => return ended,
            }
        }
        self.attempt(path).await
    }

    /// Whether asking again may help. A token that is not accepted any more is forgotten on the way.
    fn is_worth_another_try(&self, problem: &ImdsError) -> bool {
        match problem {
            ImdsError::Unreachable { .. } => true,
            ImdsError::Status { status: 401, .. } => {
                self.keep(None);
                true
            }
            ImdsError::Status { status, .. } => matches!(status, 429 | 500..),
            ImdsError::TooLong { .. } | ImdsError::Missing { .. } | ImdsError::Malformed { .. } => {
                false
            }
        }
    }

    async fn attempt(&self, path: &str) -> Result<Option<String>, ImdsError> {
        let token = self.token().await?;
        let path = format!("meta-data/{path}");
        match self.exchange(Method::GET, &path, (TOKEN, token)).await {
            Err(ImdsError::Status { status: 404, .. }) => Ok(None),
            ended => ended.map(Some),
        }
    }

    /// The token of the session; a new one where there is none.
    async fn token(&self) -> Result<HeaderValue, ImdsError> {
        let known = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(token) = known {
            return Ok(token);
        }
        let lifetime = (TTL, HeaderValue::from_static(TTL_SECONDS));
        let text = self.exchange(Method::PUT, TOKEN_PATH, lifetime).await?;
        let token = HeaderValue::from_str(text.trim_end()).ok().filter(|token| !token.is_empty());
        let Some(mut token) = token else {
            // What it is instead may be a part of a secret.
            return Err(ImdsError::malformed(TOKEN_PATH, "a session token", ""));
        };
        token.set_sensitive(true);
        self.keep(Some(token.clone()));
        Ok(token)
    }

    fn keep(&self, token: Option<HeaderValue>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    /// One request, and the text of its answer.
    async fn exchange(
        &self,
        method: Method,
        path: &str,
        (name, value): (HeaderName, HeaderValue),
    ) -> Result<String, ImdsError> {
        let unreachable =
            |problem: String| ImdsError::Unreachable { path: path.to_owned(), problem };
        let uri = self.endpoint.at(&format!("latest/{path}"));
        let uri = uri.map_err(|error| unreachable(chain(&error)))?;
        let request = Request::builder().method(method).uri(uri).header(name, value);
        let request = request.body(Empty::new()).map_err(|error| unreachable(chain(&error)))?;
        let Ok(answer) = timeout(PATIENCE, self.answer(path, request)).await else {
            return Err(unreachable(format!("none within {PATIENCE:?}")));
        };
        answer
    }

    async fn answer(
        &self,
        path: &str,
        request: Request<Empty<Bytes>>,
    ) -> Result<String, ImdsError> {
        let unreachable = |error: &dyn Error| ImdsError::Unreachable {
            path: path.to_owned(),
            problem: chain(error),
        };
        let response = self.http.request(request).await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(ImdsError::Status { path: path.to_owned(), status: status.as_u16() });
        }
        let body = Limited::new(response.into_body(), BODY_MAX).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return ImdsError::TooLong { path: path.to_owned(), most: BODY_MAX };
            }
            unreachable(error.as_ref())
        })?;
        String::from_utf8(body.to_bytes().into()).map_err(|error| {
            let found = String::from_utf8_lossy(error.as_bytes());
            ImdsError::malformed(path, "text in UTF-8", &found)
        })
    }
}

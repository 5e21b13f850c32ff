//! The simulator as an HTTP service: in process for `kube::Client`, and behind a socket.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT, WARNING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Request, Response};
use http_body_util::BodyExt;

use crate::api::{self, Answer, Call, Reply};
use crate::body::{Body, WatchBody};
use crate::control;
use crate::counters::NO_ANSWER;
use crate::fault::{Fate, Past, Verdict};
use crate::sim::{KubeSim, Listener};
use crate::status::Status;

/// What breaks a connection.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The longest body of a request, as a real server has it.
const BODY_MAX: usize = 3 << 20;

/// How often a request that hangs looks whether it still must.
const HANGING: Duration = Duration::from_millis(100);

/// Answers HTTP requests.
#[derive(Debug, Clone)]
pub struct Service {
    sim: KubeSim,
    /// The client, where it is known without looking at its requests.
    client: Option<String>,
}

impl Service {
    pub(crate) fn named(sim: KubeSim, client: &str) -> Self {
        Self { sim, client: Some(client.to_owned()) }
    }

    /// A service that tells clients apart by their requests, and that answers at `/_sim`, too.
    pub(crate) const fn shared(sim: KubeSim) -> Self {
        Self { sim, client: None }
    }

    async fn handle<B>(self, request: Request<B>) -> Result<Response<Body>, BoxError>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(Into::into)?.to_bytes();
        if self.client.is_none() && parts.uri.path().starts_with("/_sim") {
            return Ok(complete(control::answer(&self.sim, &parts, &body)));
        }
        let client = self.client.clone().unwrap_or_else(|| client_name(&parts.headers));
        let query = parts.uri.query().unwrap_or_default();
        let Some(call) = Call::read(&parts.method, parts.uri.path(), query) else {
            return Ok(complete(Reply::from(&Status::method_not_allowed())));
        };
        let verdict = self.judge(&client, &call);
        if !verdict.latency.is_zero() {
            tokio::time::sleep(verdict.latency).await;
        }
        match verdict.fate {
            Fate::Dropped => return Err(self.broken(&client, &call)),
            Fate::Hangs => {
                while self.sim.lock().faults.separates(&client, self.sim.elapsed()) {
                    tokio::time::sleep(HANGING).await;
                }
                return Err(self.broken(&client, &call));
            }
            Fate::Told(status) => {
                self.sim.lock().counters.record(&client, &call, status.code());
                return Ok(complete(Reply::from(&*status)));
            }
            _ => {}
        }
        self.answer(&client, &call, &parts, &body, &verdict.fate)
    }

    fn judge(&self, client: &str, call: &Call) -> Verdict {
        let now = self.sim.elapsed();
        self.sim.lock().faults.judge(client, call, now)
    }

    fn broken(&self, client: &str, call: &Call) -> BoxError {
        self.sim.lock().counters.record(client, call, NO_ANSWER);
        io::Error::new(io::ErrorKind::ConnectionReset, "a planned fault broke the connection")
            .into()
    }

    fn answer(
        &self,
        client: &str,
        call: &Call,
        parts: &Parts,
        body: &[u8],
        fate: &Fate,
    ) -> Result<Response<Body>, BoxError> {
        if BODY_MAX < body.len() {
            let status = Status::too_large(&format!("limit is {BODY_MAX}"));
            return Ok(complete(Reply::from(&status)));
        }
        let now = self.sim.now();
        let mut state = self.sim.lock();
        let as_of = match fate {
            Fate::AsOf(past) => Some(reachable(*past, &state.store)),
            _ => None,
        };
        let request = api::Request {
            method: &parts.method,
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            accept: header(&parts.headers, &ACCEPT),
            content_type: header(&parts.headers, &CONTENT_TYPE),
            body,
            as_of,
        };
        let answer = api::answer(&mut state.store, &request, now);
        state.wake();
        let code = match &answer {
            Answer::Reply(reply) => reply.code,
            Answer::Watch(_) => 200,
        };
        state.counters.record(client, call, code);
        match answer {
            _ if *fate == Fate::Unanswered => {
                if let Answer::Watch(watching) = answer {
                    state.store.close_watch(watching.id);
                }
                Err(io::Error::new(
                    io::ErrorKind::ConnectionReset,
                    "a planned fault lost the answer",
                )
                .into())
            }
            Answer::Reply(reply) => Ok(complete(reply)),
            Answer::Watch(watching) => {
                let listener = Listener {
                    client: client.to_owned(),
                    resource: call.resource.clone(),
                    waker: None,
                };
                state.listeners.insert(watching.id, listener);
                drop(state);
                let left = match fate {
                    Fate::Cut(after) => Some(*after),
                    _ => None,
                };
                let body = WatchBody::new(self.sim.clone(), client.to_owned(), watching, left);
                let mut response = Response::new(Body::Watch(Box::new(body)));
                response
                    .headers_mut()
                    .insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
                Ok(response)
            }
        }
    }
}

/// A past that the history reaches.
fn reachable(past: Past, store: &crate::store::Store) -> u64 {
    let version = match past {
        Past::Behind(writes) => store.version().saturating_sub(writes),
        Past::Version(version) => version,
    };
    version.clamp(store.oldest_version(), store.version())
}

fn complete(reply: Reply) -> Response<Body> {
    let mut response =
        Response::builder().status(reply.code).header(CONTENT_TYPE, reply.content_type);
    for warning in &reply.warnings {
        let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
        response = response.header(WARNING, format!("299 - \"{text}\""));
    }
    if let Some(seconds) = reply.retry_after {
        response = response.header(RETRY_AFTER, seconds);
    }
    response.body(Body::pieces(reply.body)).unwrap_or_default()
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Who asks: the bearer token, else the first word of the user agent up to its slash.
fn client_name(headers: &HeaderMap) -> String {
    if let Some(token) = header(headers, &AUTHORIZATION).strip_prefix("Bearer ") {
        return token.to_owned();
    }
    let agent = header(headers, &USER_AGENT);
    agent.split(['/', ' ']).next().unwrap_or_default().to_owned()
}

impl<B> tower::Service<Request<B>> for Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.clone().handle(request))
    }
}

//! What is served on the node: Berth's socket for `berth-cni` and `berth-agent status`, and a socket with the IPAM part of the
//! API of Cilium's agents.
//!
//! [`prepare()`] makes a socket and listens; [`serve_berth`] and [`serve_cilium`] take what comes. Requests are read by pure
//! functions ([`request::decode`], [`cilium::decode`]), and every one is bounded:
//!
//! | what | bound |
//! |---|---|
//! | connections at once | 512, others wait in the kernel |
//! | the head of a request | 16 KiB, within 5 s |
//! | the body | [`BODY_MAX`](berth_cni::protocol::BODY_MAX), and its length said before, within 5 s |
//! | requests of a connection | one on Berth's socket; on Cilium's those of one minute |
//! | an answer of the agent | [`Options::answer_within`] |
//! | an answer to be read by the client | 5 s more |
//!
//! Whoever hangs up is not worked for any more: an ADD that waits is abandoned. Half a connection counts as none.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use berth_shell::http::{Bounds, serve};
use ipam_core::agent::AgentSettings;

mod berth;
pub mod cilium;
mod desk;
mod peer;
mod prepare;
pub mod rejection;
mod reply;
pub mod request;
#[cfg(test)]
mod tests;

pub use desk::Desk;
pub use prepare::{PrepareError, Prepared, prepare};

/// kubelet starts 110 pods at once, and a thousand on large nodes; the plugin of each comes with a connection of its own.
const CONNECTIONS: usize = 512;
/// How many ADDs may wait for an address at once. The other connections are for calls that do not: those that give addresses back above all.
pub const WAITING_MAX: usize = CONNECTIONS - 128;
/// Bytes of the head of a request.
const HEAD_MAX: usize = 16 << 10;
/// For the head of a request, and for its body: the plugin has both ready before it connects.
const ASKED_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection may be used for new requests.
const LIFETIME: Duration = Duration::from_mins(1);
/// For a client to read its answer, and for the ledger to be written beyond the wait for an address.
const MARGIN: Duration = Duration::from_secs(5);

/// How requests are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long the agent may take to answer. After that the client is told so and the call is abandoned.
    pub answer_within: Duration,
}

impl Options {
    /// Those that fit an agent.
    #[must_use]
    pub fn new(settings: &AgentSettings) -> Self {
        Self { answer_within: settings.wait_max.saturating_add(MARGIN) }
    }

    fn bounds(self) -> Bounds {
        Bounds {
            connections: CONNECTIONS,
            head: HEAD_MAX,
            asked_within: ASKED_WITHIN,
            lifetime: LIFETIME,
            last_answer: self.answer_within.saturating_add(MARGIN),
        }
    }
}

/// Serves [`berth_cni::protocol`] and [`request::REPORT`] until `stop`, and then until the requests that have come are answered.
pub async fn serve_berth(
    prepared: Prepared,
    desk: impl Desk,
    options: Options,
    stop: impl Future<Output = ()> + Send,
) {
    let within = options.answer_within;
    let router = Router::new().fallback(async move |request: Request| {
        berth::answer(&desk, within, request).await.unwrap_or_else(IntoResponse::into_response)
    });
    serve(peer::Guarded::from(prepared), router, options.bounds(), stop).await;
}

/// Serves the IPAM part of the API of Cilium's agents until `stop`, and then until the requests that have come are answered.
pub async fn serve_cilium(
    prepared: Prepared,
    desk: impl Desk,
    options: Options,
    stop: impl Future<Output = ()> + Send,
) {
    let within = options.answer_within;
    let router = Router::new().fallback(async move |request: Request| {
        cilium::answer(&desk, within, request).await.unwrap_or_else(IntoResponse::into_response)
    });
    serve(peer::Guarded::from(prepared), router, options.bounds(), stop).await;
}

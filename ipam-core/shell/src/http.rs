//! HTTP that nobody can block: what is served is bounded in time and number, whoever asks and however slowly.

mod address;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use address::{BindError, ServeAddress, bind};

/// What clients may take. Whatever one does, its connection is over after `lifetime` and `last_answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once; others wait. Each takes a file descriptor, which the program's own calls must never lack, and
    /// may keep an answer of megabytes that its client does not read.
    pub connections: usize,
    /// How many bytes the head of a request may have, 8 KiB at least. What is read ahead of a body is no more either.
    pub head: usize,
    /// How long a client may take to ask: for the whole head of a request, and between two requests.
    pub asked_within: Duration,
    /// After this time a connection ends with the next answer, and a client that asks on makes another.
    pub lifetime: Duration,
    /// How long the last answer may take, until the client has read it.
    pub last_answer: Duration,
}

/// The least that hyper takes as the size of a buffer.
const HEAD_MIN: usize = 8 * 1024;

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 64,
            head: 16 * 1024,
            asked_within: Duration::from_secs(10),
            lifetime: Duration::from_mins(1),
            last_answer: Duration::from_secs(10),
        }
    }
}

/// Serves until `stop`, and then until the requests that have come are answered.
///
/// Whoever asks slowly, or not at all, is cut off, so that nobody keeps others from being answered. Whoever hangs up is not
/// worked for any more: the future of the answer is dropped. How large and how slow the body of a request may be is for
/// `router` to say.
pub async fn serve(
    mut listener: impl Listener,
    router: Router,
    bounds: Bounds,
    stop: impl Future<Output = ()> + Send,
) {
    let (stopped, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_ended) = connections.join_next() => {}
            (stream, _) = listener.accept(), if connections.len() < bounds.connections => {
                connections.spawn(answer(stream, router.clone(), bounds, stopping.clone()));
            }
        }
    }
    drop(listener);
    stopped.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// Answers what comes over one connection.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    bounds: Bounds,
    mut stopping: watch::Receiver<bool>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.asked_within)
        .max_buf_size(bounds.head.max(HEAD_MIN))
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        // Whether it ended well is the client's affair.
        _ended = connection.as_mut() => return,
        _stopped = stopping.wait_for(|stopping| *stopping) => {}
        () = sleep(bounds.lifetime) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ended = timeout(bounds.last_answer, connection).await;
}

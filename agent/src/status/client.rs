//! The question that `berth-agent status` asks.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::header::HOST;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::report::Report;
use crate::socket::request::REPORT;

/// An agent that lives answers within milliseconds.
const WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a report at most. An address in use takes 300, and a node has a thousand.
const REPORT_MAX: usize = 64 << 20;

/// Why nothing is known of the agent.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error(
        "no agent listens on {}: start it (berth-agent run), or name its socket with --socket-path", path.display()
    )]
    Away {
        /// Where.
        path: PathBuf,
    },
    /// Another user asks.
    #[error("only root may ask the agent on {}: try again with sudo", path.display())]
    NotPermitted {
        /// Where.
        path: PathBuf,
    },
    /// Somebody listens and says nothing.
    #[error("the agent on {} gave no answer within {WITHIN:?}: its logs may say why", path.display())]
    Silent {
        /// Where.
        path: PathBuf,
    },
    /// The answer is none of an agent.
    #[error("what listens on {} answered {status}: is it an agent of this version?", path.display())]
    Unknown {
        /// Where.
        path: PathBuf,
        /// What it answered.
        status: StatusCode,
    },
    /// The answer cannot be read.
    #[error("the answer of the agent on {} cannot be read", path.display())]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Asks the agent that listens on `path`.
///
/// # Errors
/// Nobody listens, nothing is said, or it is not understood.
pub async fn fetch(path: &Path) -> Result<Report, AskError> {
    let answer = timeout(WITHIN, exchange(path)).await;
    let (status, body) = answer.map_err(|_| AskError::Silent { path: path.to_owned() })??;
    match status {
        StatusCode::OK => serde_json::from_slice(&body).map_err(unreadable(path)),
        StatusCode::FORBIDDEN => Err(AskError::NotPermitted { path: path.to_owned() }),
        status => Err(AskError::Unknown { path: path.to_owned(), status }),
    }
}

async fn exchange(path: &Path) -> Result<(StatusCode, Bytes), AskError> {
    let stream = UnixStream::connect(path).await.map_err(|error| unconnected(path, error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(unreadable(path))?;
    let request = Request::get(REPORT).header(HOST, "berth").body(Body::empty());
    let request = request.map_err(unreadable(path))?;
    let asked = async {
        let answer = sender.send_request(request).await.map_err(unreadable(path))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), REPORT_MAX).collect().await;
        Ok((status, body.map_err(unreadable(path))?.to_bytes()))
    };
    let mut asked = std::pin::pin!(asked);
    tokio::select! {
        answer = &mut asked => answer,
        // When the connection is at its end, the answer has come whole or not at all.
        _ended = connection => asked.await,
    }
}

fn unconnected(path: &Path, error: io::Error) -> AskError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            AskError::Away { path: path.to_owned() }
        }
        io::ErrorKind::PermissionDenied => AskError::NotPermitted { path: path.to_owned() },
        _ => unreadable(path)(error),
    }
}

fn unreadable<E>(path: &Path) -> impl Fn(E) -> AskError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |source| AskError::Unreadable { path: path.to_owned(), source: source.into() }
}

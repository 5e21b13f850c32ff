//! One HTTP/1.1 exchange with the agent over its Unix socket, bounded in time and size.
//!
//! It knows what the agent says and no more: one request per connection, an answer with `Content-Length`. Everything else is
//! refused.

mod response;
mod socket;

pub use response::{Response, ResponseError, parse_response};

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::protocol::{BODY_MAX, Problem, code};
use socket::Exchange;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("the agent is away: {} cannot be connected to", socket.display())]
    Away {
        /// Where it should listen.
        socket: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// The connection ended before the answer did: the agent may have done what it was asked, or not.
    #[error("the agent ended the connection without an answer")]
    Closed {
        /// What the kernel says, where it is more than the end.
        source: Option<io::Error>,
    },
    /// The time is over.
    #[error("no answer from the agent within {} s", within.as_secs_f64())]
    Late {
        /// How long there was.
        within: Duration,
    },
    /// The request is longer than the agent would read.
    #[error("a request of {bytes} bytes, at most {BODY_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// What came is no answer.
    #[error("the agent's answer is not understood")]
    Misfit(#[source] ResponseError),
}

impl ClientError {
    /// How it is reported, where nothing better is known to do.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let code = match self {
            Self::Away { .. } | Self::Closed { .. } | Self::Late { .. } => code::TRY_AGAIN,
            Self::TooLong { .. } => code::INVALID_CONFIG,
            Self::Misfit(_) => code::DECODE,
        };
        Problem::of(code, self)
    }
}

/// Posts `body` to `path` and returns the answer, whatever its status, within this time.
///
/// # Errors
/// There is no answer. After [`ClientError::Away`] the agent has not seen the request; after all others it may have.
pub fn post(
    socket: &Path,
    path: &str,
    body: &[u8],
    within: Duration,
) -> Result<Response, ClientError> {
    if body.len() > BODY_MAX {
        return Err(ClientError::TooLong { bytes: body.len() });
    }
    let deadline = Instant::now() + within;
    let failed = |error| {
        if is_late(&error) {
            ClientError::Late { within }
        } else {
            ClientError::Closed { source: Some(error) }
        }
    };
    let mut exchange = Exchange::connect(socket, deadline).map_err(|source| {
        if is_late(&source) {
            ClientError::Late { within }
        } else {
            ClientError::Away { socket: socket.to_owned(), source }
        }
    })?;
    let sent = exchange.send(&request(path, body));
    // An agent that refuses a request before it has read all of it ends the connection, and has said why.
    let mut received = Vec::new();
    loop {
        if let Some(response) = parse_response(&received).map_err(ClientError::Misfit)? {
            return Ok(response);
        }
        let bytes = exchange.receive(&mut received).map_err(failed)?;
        if bytes == 0 {
            return Err(sent.err().map_or(ClientError::Closed { source: None }, failed));
        }
    }
}

/// Whether somebody listens. One who does not take any more connections until `deadline` does.
#[must_use]
pub fn is_listening(socket: &Path, deadline: Instant) -> bool {
    Exchange::connect(socket, deadline).map_or_else(|error| is_late(&error), |_| true)
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn request(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: berth-agent\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

//! An HTTP answer from bytes.

use httparse::{EMPTY_HEADER, Header, Status};
use thiserror::Error;

use crate::protocol::BODY_MAX;

/// Bytes of an answer's head at most; the agent sends about 120.
const HEAD_MAX: usize = 16 << 10;
/// Header fields at most.
const HEADERS_MAX: usize = 32;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status, such as 200.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

/// Why bytes are no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResponseError {
    /// They are not HTTP.
    #[error("not HTTP/1.1: {0}")]
    Http(httparse::Error),
    /// The head has no end.
    #[error("a head of more than {HEAD_MAX} bytes")]
    Head,
    /// `Content-Length` is missing, no number, or said twice; or the body is in chunks.
    #[error("no single Content-Length")]
    Length,
    /// The body is too long.
    #[error("a body of {bytes} bytes, at most {BODY_MAX}")]
    TooLong {
        /// What `Content-Length` says.
        bytes: usize,
    },
    /// More came than was announced.
    #[error("{bytes} bytes after the body")]
    Rest {
        /// How many.
        bytes: usize,
    },
}

/// Reads an answer; `None` while there is too little of it.
///
/// # Errors
/// It will never be one, whatever else comes.
pub fn parse_response(bytes: &[u8]) -> Result<Option<Response>, ResponseError> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(bytes).map_err(ResponseError::Http)? {
        Status::Complete(head) if head <= HEAD_MAX => head,
        Status::Partial if bytes.len() <= HEAD_MAX => return Ok(None),
        Status::Complete(_) | Status::Partial => return Err(ResponseError::Head),
    };
    let length = length(response.headers)?;
    let status = response.code.unwrap_or_default();
    let body = bytes.get(head..).unwrap_or_default();
    match body.len().checked_sub(length) {
        None => Ok(None),
        Some(0) => Ok(Some(Response { status, body: body.to_vec() })),
        Some(bytes) => Err(ResponseError::Rest { bytes }),
    }
}

fn length(headers: &[Header<'_>]) -> Result<usize, ResponseError> {
    let called = |name: &'static str| {
        headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name))
    };
    let mut lengths = called("content-length");
    let (Some(length), None, None) =
        (lengths.next(), lengths.next(), called("transfer-encoding").next())
    else {
        return Err(ResponseError::Length);
    };
    let digits = str::from_utf8(length.value).map_err(|_| ResponseError::Length)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ResponseError::Length);
    }
    let bytes = digits.parse().unwrap_or(usize::MAX);
    if bytes > BODY_MAX { Err(ResponseError::TooLong { bytes }) } else { Ok(bytes) }
}

//! Requests and replies from bytes, checked.

use std::net::IpAddr;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{
    ADD, AddReply, AddRequest, Attachment, BODY_MAX, CHECK, CheckRequest, DEL, DelRequest, GC,
    GcRequest, Pod, Problem, STATUS, Sandbox, TEXT_MAX, code,
};

/// What the plugin asks the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Addresses for an interface.
    Add(AddRequest),
    /// Back with what an interface holds.
    Del(DelRequest),
    /// Whether an interface holds its addresses.
    Check(CheckRequest),
    /// Back with what no sandbox holds.
    Gc(GcRequest),
    /// Whether ADD can be served.
    Status,
}

/// Why a request is refused before anything is done.
#[derive(Debug, Error)]
pub enum RequestError {
    /// There is no such call.
    #[error("no call has the path {path:?}")]
    Path {
        /// As it was asked.
        path: String,
    },
    /// The body is too long.
    #[error("a request of {bytes} bytes, at most {BODY_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The body is no request.
    #[error("not a request")]
    Json(#[source] serde_json::Error),
    /// A text is empty, too long or has control characters.
    #[error("{member} must have 1 to {TEXT_MAX} bytes and no control characters")]
    Text {
        /// Where.
        member: &'static str,
    },
}

impl RequestError {
    /// How the agent answers it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let code = match self {
            Self::Path { .. } | Self::TooLong { .. } | Self::Text { .. } => code::INVALID_CONFIG,
            Self::Json(_) => code::DECODE,
        };
        Problem::of(code, self)
    }
}

/// A request without members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Request {
    /// Where it is posted to.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        match self {
            Self::Add(_) => ADD,
            Self::Del(_) => DEL,
            Self::Check(_) => CHECK,
            Self::Gc(_) => GC,
            Self::Status => STATUS,
        }
    }

    /// Its body.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn encode(&self) -> Result<Vec<u8>, Problem> {
        let encoded = match self {
            Self::Add(request) => serde_json::to_vec(request),
            Self::Del(request) => serde_json::to_vec(request),
            Self::Check(request) => serde_json::to_vec(request),
            Self::Gc(request) => serde_json::to_vec(request),
            Self::Status => Ok(b"{}".to_vec()),
        };
        encoded.map_err(|error| Problem::of(code::DECODE, &error))
    }

    /// Reads the body of a call.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn decode(path: &str, body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > BODY_MAX {
            return Err(RequestError::TooLong { bytes: body.len() });
        }
        let request = match path {
            ADD => Self::Add(json(body)?),
            DEL => Self::Del(json(body)?),
            CHECK => Self::Check(json(body)?),
            GC => Self::Gc(json(body)?),
            STATUS if body.is_empty() => Self::Status,
            STATUS => json::<Nothing>(body).map(|Nothing {}| Self::Status)?,
            _ => return Err(RequestError::Path { path: path.chars().take(TEXT_MAX).collect() }),
        };
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), RequestError> {
        match self {
            Self::Add(AddRequest { attachment, pod, wait_ms: _ }) => {
                attachment.check()?;
                pod.check()
            }
            Self::Del(DelRequest { attachment })
            | Self::Check(CheckRequest { attachment, addresses: _ }) => attachment.check(),
            Self::Gc(GcRequest { network, valid }) => {
                text("network", network)?;
                valid.iter().try_for_each(Sandbox::check)
            }
            Self::Status => Ok(()),
        }
    }
}

impl Attachment {
    fn check(&self) -> Result<(), RequestError> {
        text("network", &self.network)?;
        text("container-id", &self.container_id)?;
        text("interface", &self.interface)
    }
}

impl Sandbox {
    fn check(&self) -> Result<(), RequestError> {
        text("container-id", &self.container_id)?;
        text("interface", &self.interface)
    }
}

impl Pod {
    fn check(&self) -> Result<(), RequestError> {
        text("namespace", &self.namespace)?;
        text("name", &self.name)?;
        self.uid.as_deref().map_or(Ok(()), |uid| text("uid", uid))
    }
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, RequestError> {
    serde_json::from_slice(body).map_err(RequestError::Json)
}

fn text(member: &'static str, text: &str) -> Result<(), RequestError> {
    let fits = !text.is_empty() && text.len() <= TEXT_MAX && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(RequestError::Text { member }) }
}

/// Why an answer of the agent is no reply.
#[derive(Debug, Error)]
pub enum ReplyError {
    /// It is not what was asked for.
    #[error("the agent's reply is not understood")]
    Json(#[source] serde_json::Error),
    /// It names no address.
    #[error("the agent's reply has no address")]
    NoAddress,
    /// It names two addresses of a family.
    #[error("the agent's reply has two addresses of a family: {first} and {second}")]
    TwoOfAFamily {
        /// One.
        first: IpAddr,
        /// The other.
        second: IpAddr,
    },
}

impl AddReply {
    /// Reads the reply to an [`AddRequest`].
    ///
    /// # Errors
    /// It is none, has no address, or two of a family.
    pub fn decode(body: &[u8]) -> Result<Self, ReplyError> {
        let mut reply: Self = serde_json::from_slice(body).map_err(ReplyError::Json)?;
        if reply.addresses.is_empty() {
            return Err(ReplyError::NoAddress);
        }
        reply.addresses.sort_by_key(|it| it.address.is_ipv6());
        let pairs = reply.addresses.windows(2);
        for (first, second) in pairs.filter_map(|pair| Some((pair.first()?, pair.get(1)?))) {
            let (first, second) = (first.address, second.address);
            if first.is_ipv4() == second.is_ipv4() {
                return Err(ReplyError::TwoOfAFamily { first, second });
            }
        }
        Ok(reply)
    }
}

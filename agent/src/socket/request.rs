//! What Berth's own requests ask for.

use std::net::IpAddr;
use std::time::Duration;

use berth_cni::protocol::{
    self, ADD, AddRequest, CHECK, CheckRequest, DEL, DelRequest, GC, GcRequest, STATUS,
};
use ipam_core::agent::{Attachment, Call, Sandbox};
use ipam_core::ids::PodKey;

use super::rejection::Rejection;

/// The path of [`Request::Report`].
pub const REPORT: &str = "/v1/status";

/// All paths, for whoever asks for another one.
const PATHS: &str =
    "/v1/cni/add, /v1/cni/del, /v1/cni/check, /v1/cni/gc, /v1/cni/status and /v1/status";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Something that the keeper answers.
    Call(Call),
    /// The whole status, for `berth-agent status`.
    Report,
}

/// Checks what the head of a request says, before its body is read.
pub(super) fn check_head(method: &str, path: &str, query: Option<&str>) -> Result<(), Rejection> {
    let expected = match path {
        ADD | DEL | CHECK | GC | STATUS => "POST",
        REPORT => "GET",
        _ => return Err(Rejection::no_such_path(path, PATHS)),
    };
    if method != expected {
        return Err(Rejection::wrong_method(expected));
    }
    match query {
        None | Some("") => Ok(()),
        Some(_) => Err(Rejection::invalid("no query is expected")),
    }
}

/// Reads the body of a request whose head was checked.
pub(super) fn read(path: &str, body: &[u8]) -> Result<Request, Rejection> {
    match path {
        REPORT if body.is_empty() => Ok(Request::Report),
        REPORT => Err(Rejection::invalid("no body is expected")),
        _ => {
            let request = protocol::Request::decode(path, body);
            call(request.map_err(|error| Rejection::from(&error))?).map(Request::Call)
        }
    }
}

/// Reads a whole request. Never panics, whatever it is given.
///
/// # Errors
/// It makes no sense, and the rejection says what was expected.
pub fn decode(
    method: &str,
    path: &str,
    query: Option<&str>,
    body: &[u8],
) -> Result<Request, Rejection> {
    check_head(method, path, query)?;
    read(path, body)
}

fn call(request: protocol::Request) -> Result<Call, Rejection> {
    Ok(match request {
        protocol::Request::Add(AddRequest { attachment, pod, wait_ms }) => Call::Add {
            attachment: attachment_of(attachment),
            pod: pod_of(&pod)?,
            uid: pod.uid,
            wait: wait_ms.map(Duration::from_millis),
        },
        protocol::Request::Del(DelRequest { attachment }) => {
            Call::Del { attachment: attachment_of(attachment) }
        }
        protocol::Request::Check(CheckRequest { attachment, addresses }) => Call::Check {
            attachment: attachment_of(attachment),
            addresses: addresses.iter().map(IpAddr::to_canonical).collect(),
        },
        protocol::Request::Gc(GcRequest { network, valid }) => {
            Call::Gc { network, valid: valid.into_iter().map(sandbox_of).collect() }
        }
        protocol::Request::Status => Call::Status,
    })
}

fn pod_of(pod: &protocol::Pod) -> Result<PodKey, Rejection> {
    let protocol::Pod { namespace, name, uid: _ } = pod;
    let key = format!("{namespace}/{name}").parse();
    key.map_err(|error| Rejection::invalid(format!("pod: {error}")))
}

fn attachment_of(attachment: protocol::Attachment) -> Attachment {
    let protocol::Attachment { network, container_id, interface } = attachment;
    Attachment { network, container: container_id, interface }
}

fn sandbox_of(sandbox: protocol::Sandbox) -> Sandbox {
    let protocol::Sandbox { container_id, interface } = sandbox;
    Sandbox { container: container_id, interface }
}

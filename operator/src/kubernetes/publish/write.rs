//! Patches: of what the operator owns, and of nothing else.
//!
//! None names a resource version. What says which addresses there are tests which object it is (its uid) and no more, so none of that is
//! refused because somebody else was faster, or reaches an object that was made for another instance under the same name meanwhile. The
//! rest may: the API server does not look at the uid in a merge patch of the status. What others write at the same time stays: an agent's update of the whole object that was made from an older version is refused on its side, read again
//! and repeated, with our members in it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use berth_shell::problem::chain;
use cilium_node::convert::release_state;
use cilium_node::{Allocations, CiliumNode, EniStatus};
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use ipam_core::agent::Release;
use ipam_core::ids::NodeName;
use kube::core::Status;
use kube::{Client, Resource};
use serde_json::{Map, Value, json};

use super::telling::Lack;
use crate::kubernetes::observed::{Member, ObservedObject, Told, object_of};

/// Who writes, to the API server.
pub const FIELD_MANAGER: &str = "berth-operator";

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the API server says of operations that do not fit the object, such as a test that does not hold. Where the object would not fit
/// its schema it says which member does not.
const UNFIT: &str = "the server rejected our request due to an error in our request";

/// How long the API server may try, so that nothing is done any more when it is not waited for.
const SERVER_PATIENCE: &str = "10s";

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// `status.eni`.
    EniStatus,
    /// `spec.ipam.pool`.
    Pool,
    /// `spec.ipam.pre-allocate`.
    PreAllocate,
    /// `status.ipam.operator-status.error`.
    Error,
    /// Entries of `status.ipam.release-ips`.
    Releases,
}

/// A patch of one node.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    node: NodeName,
    part: Part,
    pub(super) body: Body,
    /// Tells the writes of one publisher apart.
    number: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    /// Adds to what is there (RFC 7396). Makes what is missing on the way.
    Merge(Value),
    /// Puts a value in the place of another (RFC 6902).
    Operations(Value),
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteResult {
    /// It was done, and this is the object then.
    Written(ObservedObject),
    /// There is no such node.
    Gone,
    /// The API server finds it invalid (422).
    Refused {
        /// What it says.
        problem: String,
    },
    /// It was not done, or nobody knows.
    Failed {
        /// Why.
        problem: String,
    },
}

impl Write {
    /// Which node is written.
    #[must_use]
    pub const fn node(&self) -> &NodeName {
        &self.node
    }

    /// What of it.
    #[must_use]
    pub const fn part(&self) -> Part {
        self.part
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn numbered(self, number: u64) -> Self {
        Self { number, ..self }
    }

    /// Whether what was there is gone afterwards, whatever it was.
    pub(super) const fn replaces(&self) -> bool {
        matches!(self.body, Body::Operations(_))
    }

    /// With what an agent lacks of being told, if anything and where there is room for it: see [`Write::tells_along`].
    pub(super) fn eni_status(
        node: NodeName,
        eni: &EniStatus,
        observed: &ObservedObject,
        lack: Option<&Lack>,
    ) -> Self {
        let add = |path: &str, value: Value| json!({"op": "add", "path": path, "value": value});
        let mut operations = vec![is_object(&observed.uid)];
        if observed.has_status {
            operations.push(add("/status/eni", json!(eni)));
            operations.extend(lack.filter(|_| Self::tells_along(observed)).map(
                |lack| match lack {
                    Lack::Text(text) => add(ERROR, json!(text)),
                    Lack::Silence => json!({"op": "remove", "path": ERROR}),
                },
            ));
        } else {
            let mut status = json!({"eni": eni});
            if let (Some(lack), Some(members)) = (lack, status.as_object_mut()) {
                members.insert("ipam".to_owned(), operator_status(lack));
            }
            // Somebody may make one at the same time. What is not there equals null, for the API server.
            operations.push(json!({"op": "test", "path": "/status", "value": null}));
            operations.push(add("/status", status));
        }
        Self { node, part: Part::EniStatus, body: Body::Operations(operations.into()), number: 0 }
    }

    /// Whether a write of `status.eni` can tell the agent something, too: what replaces a member makes none on the way.
    pub(super) fn tells_along(observed: &ObservedObject) -> bool {
        !observed.has_status || observed.told != Told::Nowhere
    }

    pub(super) fn error(node: NodeName, lack: &Lack) -> Self {
        let body = Body::Merge(json!({"status": {"ipam": operator_status(lack)}}));
        Self { node, part: Part::Error, body, number: 0 }
    }

    /// With `pre_allocate`, if it is not 0, along with it.
    pub(super) fn pool(
        node: NodeName,
        pool: &Allocations,
        observed: &ObservedObject,
        pre_allocate: u32,
    ) -> Self {
        let uid = &observed.uid;
        let body = if pool.is_empty() {
            Body::Merge(for_object(uid, ipam(json!({"pool": null}), pre_allocate)))
        } else if observed.pool == Member::Empty {
            Body::Merge(for_object(uid, ipam(json!({"pool": pool}), pre_allocate)))
        } else {
            let add = |name: &str, value: Value| json!({"op": "add", "path": format!("/spec/ipam/{name}"), "value": value});
            let seed = (pre_allocate != 0).then(|| add("pre-allocate", json!(pre_allocate)));
            let add_pool = add("pool", json!(pool));
            Body::Operations([is_object(uid), add_pool].into_iter().chain(seed).collect())
        };
        Self { node, part: Part::Pool, body, number: 0 }
    }

    /// The entries that do not stand as they should; `None` when all do. An agent's answer is never replaced by the question.
    pub(super) fn releases(
        node: &NodeName,
        wanted: &BTreeMap<Ipv4Addr, Option<Release>>,
        observed: &ObservedObject,
    ) -> Option<Self> {
        let mut entries = Map::new();
        for (address, wanted) in wanted {
            let stands = observed.releases.get(address);
            let wanted = match wanted {
                None => stands.map(|_| Value::Null),
                Some(Release::Marked) if stands.is_some() => None,
                Some(release) => Some(json!(release_state(*release)))
                    .filter(|wanted| wanted.as_str() != stands.map(String::as_str)),
            };
            entries.extend(wanted.map(|wanted| (address.to_string(), wanted)));
        }
        if entries.is_empty() {
            return None;
        }
        let patch = json!({"status": {"ipam": {"release-ips": entries}}});
        let body = Body::Merge(patch);
        Some(Self { node: node.clone(), part: Part::Releases, body, number: 0 })
    }

    pub(super) fn pre_allocate(
        node: NodeName,
        pre_allocate: u32,
        observed: &ObservedObject,
    ) -> Self {
        let body = Body::Merge(for_object(&observed.uid, ipam(json!({}), pre_allocate)));
        Self { node, part: Part::PreAllocate, body, number: 0 }
    }

    fn request(&self) -> Result<Request<Vec<u8>>, http::Error> {
        let objects = CiliumNode::url_path(&(), None);
        let subresource = match self.part {
            Part::EniStatus | Part::Error | Part::Releases => "/status",
            Part::Pool | Part::PreAllocate => "",
        };
        let path = format!(
            "{objects}/{}{subresource}?fieldManager={FIELD_MANAGER}&timeout={SERVER_PATIENCE}",
            self.node
        );
        let (content_type, body) = match &self.body {
            Body::Merge(body) => ("application/merge-patch+json", body),
            Body::Operations(body) => ("application/json-patch+json", body),
        };
        let request = Request::builder().method(Method::PATCH).uri(path);
        request.header(CONTENT_TYPE, content_type).body(body.to_string().into_bytes())
    }
}

/// Where an agent is told why its node gets nothing more.
const ERROR: &str = "/status/ipam/operator-status/error";

/// What is to be merged into `status.ipam`.
fn operator_status(lack: &Lack) -> Value {
    match lack {
        Lack::Text(text) => json!({"operator-status": {"error": text}}),
        Lack::Silence => json!({"operator-status": {"error": null}}),
    }
}

/// The same, for one object alone.
fn for_object(uid: &str, mut patch: Value) -> Value {
    if let Some(members) = patch.as_object_mut() {
        members.insert("metadata".to_owned(), json!({"uid": uid}));
    }
    patch
}

/// The same, as an operation.
fn is_object(uid: &str) -> Value {
    json!({"op": "test", "path": "/metadata/uid", "value": uid})
}

fn ipam(mut members: Value, pre_allocate: u32) -> Value {
    if let Some(members) = members.as_object_mut().filter(|_| pre_allocate != 0) {
        members.insert("pre-allocate".to_owned(), json!(pre_allocate));
    }
    Value::Object(Map::from_iter([("spec".to_owned(), json!({"ipam": members}))]))
}

/// Whether it is an object that is not there: without a name, it is the resource, which a server that has only just started
/// does not serve yet.
fn names_an_object(status: &Status) -> bool {
    status.details.as_ref().is_some_and(|details| !details.name.is_empty())
}

/// Sends a patch once, and waits a limited time for the answer.
pub async fn carry_out(client: &Client, write: &Write) -> WriteResult {
    let request = match write.request() {
        Ok(request) => request,
        Err(error) => return WriteResult::Failed { problem: chain(&error) },
    };
    match tokio::time::timeout(PATIENCE, client.request_text(request)).await {
        Ok(Ok(text)) => object_of(&text).map_or_else(
            || WriteResult::Failed { problem: "the answer is no object".to_owned() },
            WriteResult::Written,
        ),
        Ok(Err(kube::Error::Api(status))) => match status.code {
            404 if names_an_object(&status) => WriteResult::Gone,
            422 if write.replaces() && status.message == UNFIT => {
                let problem = "the object is another by now, or has changed: it is looked at again";
                WriteResult::Failed { problem: problem.to_owned() }
            }
            422 => WriteResult::Refused { problem: status.message.clone() },
            _ => WriteResult::Failed { problem: status.message.clone() },
        },
        Ok(Err(error)) => WriteResult::Failed { problem: chain(&error) },
        Err(_) => WriteResult::Failed { problem: format!("no answer within {PATIENCE:?}") },
    }
}

//! Answers requests: from the method, path, parameters and body to a status code and bytes. No I/O and no clock.

mod accept;
mod call;
mod path;
mod query;
mod render;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde_json::Value;

pub use accept::Form;
pub use call::{Call, Verb};
use path::{Path, Target};
use query::Query;
pub(crate) use query::malformed_version;
use render::View;

use crate::patch::{self, Patch};
use crate::resource::{Resource, ResourceId};
use crate::status::Status;
use crate::store::{Deleted, Part, Refusal, Store, Written};
use crate::stored::Key;
use crate::table::Include;
use crate::watchers::{Delivery, WatchId};
use crate::{builtin, discovery, openapi};

/// A request without its client.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// HTTP method.
    pub method: &'a Method,
    /// Path of the URL.
    pub path: &'a str,
    /// What follows the question mark, or empty.
    pub query: &'a str,
    /// Header `Accept`, or empty.
    pub accept: &'a str,
    /// Header `Content-Type`, or empty.
    pub content_type: &'a str,
    /// Body, or empty.
    pub body: &'a [u8],
    /// Answers a get or list as of this resource version instead of the latest: a cache that lags behind.
    pub as_of: Option<u64>,
}

/// An answer.
#[derive(Debug)]
pub enum Answer {
    /// Complete.
    Reply(Reply),
    /// Events that are yet to come.
    Watch(Watching),
}

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub code: u16,
    /// Header `Content-Type`.
    pub content_type: &'static str,
    /// The body in pieces.
    pub body: Vec<Bytes>,
    /// Sentences, each for a header `Warning`.
    pub warnings: Vec<String>,
    /// Seconds, for the header `Retry-After`.
    pub retry_after: Option<u32>,
}

const JSON: &str = "application/json";

/// The media types that a real server names when it refuses a body. The latter two are refused here.
const BODIES: [&str; 3] = [JSON, "application/yaml", "application/vnd.kubernetes.protobuf"];

/// The media types that a real server names when it refuses a patch. The last is refused here.
const PATCHES: [&str; 3] = [patch::JSON, patch::MERGE, "application/apply-patch+yaml"];

impl Reply {
    fn json(code: u16, body: Vec<Bytes>) -> Self {
        Self { code, content_type: JSON, body, warnings: Vec::new(), retry_after: None }
    }

    fn text(code: u16, text: &'static str) -> Self {
        let body = vec![Bytes::from_static(text.as_bytes())];
        Self { content_type: "text/plain; charset=utf-8", ..Self::json(code, body) }
    }

    pub(crate) fn document(document: &Value) -> Self {
        Self::json(200, vec![render::bytes(document)])
    }
}

impl From<&Status> for Reply {
    fn from(status: &Status) -> Self {
        let reply = Self::json(status.code(), vec![render::bytes(&status.to_value())]);
        Self { retry_after: status.retry_after_seconds(), ..reply }
    }
}

/// A watch that has been opened.
#[derive(Debug)]
pub struct Watching {
    /// Its number in the store.
    pub id: WatchId,
    /// When it ends.
    pub timeout: Option<Duration>,
    /// Whether the client takes bookmarks.
    pub bookmarks: bool,
    resource: Arc<Resource>,
    form: Form,
    include: Include,
    /// Whether an event has told the columns of the table.
    told_columns: bool,
}

impl Watching {
    /// An event as it is sent.
    #[must_use]
    pub fn line(&mut self, delivery: &Delivery, now: Timestamp) -> Bytes {
        let columns = !std::mem::replace(&mut self.told_columns, true);
        let Self { resource, form, include, .. } = self;
        View { resource, form: *form, include: *include, columns, now }.event(delivery)
    }
}

/// Answers a request.
pub fn answer(store: &mut Store, request: &Request<'_>, now: Timestamp) -> Answer {
    let answered = match path::parse(request.path) {
        Path::Document(path) => document(store, request, &path).map(Answer::Reply),
        Path::Objects(target) => {
            Operation::new(store, request, target, now).and_then(Operation::run)
        }
    };
    answered.unwrap_or_else(|status| Answer::Reply(refused(request.path, &status)))
}

/// A path that leads nowhere is answered with text, but in groups that are built in.
fn refused(path: &str, status: &Status) -> Reply {
    let says_so = match path::parse(path) {
        Path::Document(_) => false,
        Path::Objects(target) => target.subresource.is_some() || builtin::has_group(&target.group),
    };
    if says_so || *status != Status::path_not_found() {
        return Reply::from(status);
    }
    Reply::text(404, "404 page not found\n")
}

/// What the API says of itself.
fn document(store: &Store, request: &Request<'_>, path: &str) -> Result<Reply, Refusal> {
    if request.method != Method::GET {
        return Err(Status::method_not_allowed().into());
    }
    if matches!(path, "healthz" | "livez" | "readyz") {
        return Ok(Reply::text(200, "ok"));
    }
    let resources: Vec<&Resource> = store.resources().map(|(_, resource)| &**resource).collect();
    let found = discovery::document(&resources, path, request.accept)
        .or_else(|| openapi::document(&resources, path).map(Into::into));
    let found = found.ok_or_else(Status::path_not_found)?;
    Ok(Reply { content_type: found.content_type, ..Reply::document(&found.body) })
}

/// A request about objects.
struct Operation<'a> {
    store: &'a mut Store,
    request: &'a Request<'a>,
    now: Timestamp,
    target: Target,
    query: Query,
    verb: Verb,
    id: ResourceId,
    resource: Arc<Resource>,
    form: Form,
    include: Include,
}

impl<'a> Operation<'a> {
    fn new(
        store: &'a mut Store,
        request: &'a Request<'a>,
        target: Target,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let found = store.find(&target.group, &target.plural);
        let found = found.and_then(|id| store.resource(id).map(|resource| (id, resource.clone())));
        let served = found.filter(|(_, resource)| resource.version == target.version);
        let Some((id, resource)) = served else { return Err(Status::path_not_found().into()) };
        let query = Query::parse(request.query);
        let verb = call::verb(request.method, &target, &query);
        let verb = verb.ok_or_else(Status::method_not_allowed)?;
        path::check_name(&target).map_err(Status::bad_request)?;
        let form = accept::form(request.accept)
            .ok_or_else(|| Status::not_acceptable(&accept::ACCEPTED))?;
        let include = match query.get("includeObject") {
            Some("None") => Include::None,
            Some("Object") => Include::Object,
            _ => Include::Metadata,
        };
        Ok(Self { store, request, now, target, query, verb, id, resource, form, include })
    }

    fn run(mut self) -> Result<Answer, Refusal> {
        self.check_scope()?;
        if self.is_binding() {
            return self.bind().map(Answer::Reply);
        }
        let part = self.part()?;
        Ok(Answer::Reply(match self.verb {
            Verb::Watch => return self.watch().map(Answer::Watch),
            Verb::Get => self.get()?,
            Verb::List => self.list()?,
            Verb::Create => self.create()?,
            Verb::Update => self.update(part)?,
            Verb::Patch => self.patch(part)?,
            Verb::Delete => self.delete()?,
            Verb::DeleteCollection => self.delete_collection()?,
        }))
    }

    /// A path with a namespace is for namespaced resources. Without one it can only list and watch them.
    fn check_scope(&self) -> Result<(), Refusal> {
        let Target { namespace, name, .. } = &self.target;
        let alone = name.is_none() && !self.verb.is_write() || self.verb == Verb::DeleteCollection;
        if self.resource.namespaced && namespace.is_none() && !alone {
            return Err(Status::path_not_found().into());
        }
        if !self.resource.namespaced && namespace.is_some() {
            return Err(Status::path_not_found().into());
        }
        Ok(())
    }

    fn part(&self) -> Result<Part, Refusal> {
        match self.target.subresource.as_deref() {
            None => Ok(Part::Main),
            Some("status") if self.resource.status_subresource => match self.verb {
                Verb::Get | Verb::Update | Verb::Patch => Ok(Part::Status),
                _ => Err(Status::method_not_allowed().into()),
            },
            Some("status") => Err(Status::path_not_found().into()),
            Some(other) if !builtin::has_subresource(&self.resource, other) => {
                Err(Status::path_not_found().into())
            }
            Some(other) => {
                let what = format!("{}/{other}", self.resource.qualified_name());
                Err(Status::not_implemented(&what).into())
            }
        }
    }

    fn namespace(&self) -> &str {
        self.target.namespace.as_deref().unwrap_or_default()
    }

    fn key(&self) -> Key {
        Key::new(self.namespace(), self.target.name.as_deref().unwrap_or_default())
    }

    fn view(&self) -> View<'_> {
        let Self { resource, form, include, now, .. } = self;
        View { resource, form: *form, include: *include, columns: true, now: *now }
    }

    fn get(&self) -> Result<Reply, Refusal> {
        let object = match self.request.as_of {
            Some(version) => self.store.get_as_of(self.id, &self.key(), version)?,
            None => self.store.get(self.id, &self.key())?,
        };
        Ok(Reply::json(200, vec![self.view().object(&object)]))
    }

    fn selection(&self) -> Result<crate::watchers::Selection, Refusal> {
        let Target { namespace, name, .. } = &self.target;
        self.query.selection(&self.resource, self.id, namespace.as_deref(), name.as_deref())
    }

    fn list(&self) -> Result<Reply, Refusal> {
        let mut query = self.query.list(self.selection()?)?;
        if let (Some(version), None) = (self.request.as_of, &query.continue_token) {
            query.version = Some(version);
            query.version_match = Some(crate::store::VersionMatch::Exact);
        }
        let listed = self.store.list(&query)?;
        Ok(Reply::json(200, self.view().list(&listed)))
    }

    fn watch(self) -> Result<Watching, Refusal> {
        let query = self.query.watch(self.selection()?)?;
        let bookmarks = query.bookmarks;
        let timeout = self.query.timeout_seconds()?.map(Duration::from_secs);
        let id = self.store.watch(query)?;
        let Self { resource, form, include, .. } = self;
        Ok(Watching { id, timeout, bookmarks, resource, form, include, told_columns: false })
    }

    /// The body as an object. A client may send JSON only.
    fn body(&self) -> Result<Value, Refusal> {
        let media = self.request.content_type.split(';').next().unwrap_or_default().trim();
        if !matches!(media, "" | JSON) {
            return Err(Status::unsupported_media_type(&BODIES).into());
        }
        let undecodable = |error| Status::bad_request(format!("error decoding body: {error}"));
        let object: Value = serde_json::from_slice(self.request.body).map_err(undecodable)?;
        if !object.is_object() {
            return Err(Status::bad_request("the object provided is no JSON object").into());
        }
        Ok(object)
    }

    fn written(&self, code: u16, written: &Written) -> Reply {
        let reply = Reply::json(code, vec![self.view().object(&written.object)]);
        Reply { warnings: written.warnings.clone(), ..reply }
    }

    fn create(&mut self) -> Result<Reply, Refusal> {
        if self.target.name.is_some() {
            return Err(Status::method_not_allowed().into());
        }
        let (object, options) =
            (self.body()?, self.query.write_options("CreateOptions.meta.k8s.io")?);
        let namespace = self.target.namespace.clone().unwrap_or_default();
        let written = self.store.create(self.id, &namespace, object, options, self.now)?;
        Ok(self.written(201, &written))
    }

    fn is_binding(&self) -> bool {
        self.target.subresource.as_deref() == Some("binding")
            && builtin::has_binding(&self.resource)
    }

    fn bind(&mut self) -> Result<Reply, Refusal> {
        if self.verb != Verb::Create {
            return Err(Status::method_not_allowed().into());
        }
        let (binding, key) = (self.body()?, self.key());
        let options = self.query.write_options("CreateOptions.meta.k8s.io")?;
        self.store.bind(self.id, &key, binding, options.dry_run, self.now)?;
        Ok(Reply::from(&Status::created()))
    }

    fn update(&mut self, part: Part) -> Result<Reply, Refusal> {
        let (object, options, key) =
            (self.body()?, self.query.write_options("UpdateOptions.meta.k8s.io")?, self.key());
        let code = if self.store.get(self.id, &key).is_ok() { 200 } else { 201 };
        let written = self.store.update(self.id, &key, part, object, options, self.now)?;
        Ok(self.written(code, &written))
    }

    fn patch(&mut self, part: Part) -> Result<Reply, Refusal> {
        let media = self.request.content_type.split(';').next().unwrap_or_default().trim();
        let patch = match media {
            patch::MERGE => Patch::merge(self.request.body),
            patch::JSON => Patch::json(self.request.body),
            patch::STRATEGIC if self.resource.schema.is_none() => {
                Patch::strategic(&self.resource.kind, self.request.body)
            }
            _ => {
                return Err(Status::unsupported_media_type(&PATCHES).into());
            }
        };
        let patch = patch.map_err(Status::from)?;
        let (options, key) = (self.query.write_options("PatchOptions.meta.k8s.io")?, self.key());
        let written = self.store.patch(self.id, &key, part, &patch, options, self.now)?;
        Ok(self.written(200, &written))
    }

    fn delete(&mut self) -> Result<Reply, Refusal> {
        let (options, key) = (self.query.delete_options(self.request.body)?, self.key());
        let deleted = self.store.delete(self.id, &key, &options, self.now)?;
        Ok(match deleted {
            // A real server answers the pod, because a kubelet is expected to end it.
            Deleted::Gone(object) if self.resource.qualified_name() != "pods" => {
                let resource = self.resource.qualified_name();
                Reply::from(&Status::deleted(&resource, &key.name, object.uid()))
            }
            Deleted::Gone(object) | Deleted::Waiting(object) => {
                Reply::json(200, vec![self.view().object(&object)])
            }
        })
    }

    fn delete_collection(&mut self) -> Result<Reply, Refusal> {
        let (selection, options) =
            (self.selection()?, self.query.delete_options(self.request.body)?);
        let items = self.store.delete_collection(&selection, &options, self.now)?;
        let version = self.store.version();
        let listed = crate::store::Listed { version, items, continue_token: None, remaining: None };
        Ok(Reply::json(200, self.view().list(&listed)))
    }
}

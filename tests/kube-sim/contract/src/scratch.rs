//! What one case works with: a client, and names of its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use http::header::{ACCEPT, CONTENT_TYPE, WARNING};
use http::{HeaderValue, Method, Request};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use crate::crds;
use crate::reply::Reply;
use crate::watch::Watch;
use crate::world::World;

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";

/// How long a case waits for something that the server does on its own, such as garbage collection.
const EVENTUALLY: Duration = Duration::from_secs(45);

/// What one case works with: a client, and names of its own.
pub(crate) struct Scratch<'a> {
    pub(crate) world: &'a World,
    /// The namespace of the case; names of what is in no namespace begin with it too.
    pub(crate) ns: String,
}

impl<'a> Scratch<'a> {
    /// Makes the namespace.
    pub(crate) async fn new(world: &'a World) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let time = SystemTime::UNIX_EPOCH.elapsed()?.as_millis();
        let ns = format!("contract-{time:x}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let scratch = Self { world, ns };
        let namespace = json!({"metadata": {"name": scratch.ns}});
        scratch.post("/api/v1/namespaces", &namespace).await?.ok().context("make a namespace")?;
        Ok(scratch)
    }

    /// Deletes the namespace, and with it what is inside.
    pub(crate) async fn remove(&self) -> Result<()> {
        let path = format!("/api/v1/namespaces/{}", self.ns);
        self.delete(&path).await?.ok().context("delete the namespace")?;
        Ok(())
    }

    pub(crate) fn client(&self) -> Client {
        self.world.client.clone()
    }

    /// The path of the widgets of the case, or of one of them.
    pub(crate) fn widgets(&self, rest: &str) -> String {
        format!("{}/namespaces/{}/widgets{}", crds::PATH, self.ns, tail(rest))
    }

    /// The path of core resources in the namespace of the case: `pods`, `pods/a/status`.
    pub(crate) fn core(&self, rest: &str) -> String {
        format!("/api/v1/namespaces/{}{}", self.ns, tail(rest))
    }

    /// The path of the Leases of the case, or of one of them.
    pub(crate) fn leases(&self, rest: &str) -> String {
        format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases{}", self.ns, tail(rest))
    }

    /// A name for what is in no namespace.
    pub(crate) fn own(&self, name: &str) -> String {
        format!("{}-{name}", self.ns)
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Reply> {
        self.send(Method::GET, path, JSON, JSON, None).await
    }

    /// Gets in another representation, such as a Table.
    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Result<Reply> {
        self.send(Method::GET, path, JSON, accept, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send(Method::POST, path, JSON, JSON, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send(Method::PUT, path, JSON, JSON, Some(body)).await
    }

    pub(crate) async fn merge(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send(Method::PATCH, path, MERGE, JSON, Some(body)).await
    }

    pub(crate) async fn strategic(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send(Method::PATCH, path, STRATEGIC, JSON, Some(body)).await
    }

    pub(crate) async fn json_patch(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send(Method::PATCH, path, JSON_PATCH, JSON, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Reply> {
        self.send(Method::DELETE, path, JSON, JSON, None).await
    }

    /// Deletes with `DeleteOptions`.
    pub(crate) async fn delete_with(&self, path: &str, options: &Value) -> Result<Reply> {
        let mut options = options.clone();
        options["apiVersion"] = json!("v1");
        options["kind"] = json!("DeleteOptions");
        self.send(Method::DELETE, path, JSON, JSON, Some(&options)).await
    }

    /// Makes a widget of size 1 with these members of its metadata.
    pub(crate) async fn widget(&self, name: &str, metadata: Value) -> Result<Reply> {
        let mut widget = crds::widget(name);
        for (key, value) in metadata.as_object().into_iter().flatten() {
            widget["metadata"][key] = value.clone();
        }
        let reply = self.post(&self.widgets(""), &widget).await?;
        reply.ok()?;
        Ok(reply)
    }

    /// Starts to watch. `path` says everything but `watch=true`.
    pub(crate) async fn watch(&self, path: &str) -> Result<Watch> {
        Watch::start(self.client(), path, &self.ns).await
    }

    /// The `resourceVersion` of a list at this path, now.
    pub(crate) async fn now(&self, path: &str) -> Result<String> {
        self.get(path).await?.resource_version()
    }

    /// Waits until the path answers with this code.
    pub(crate) async fn until(&self, path: &str, code: u16) -> Result<Reply> {
        let start = tokio::time::Instant::now();
        loop {
            let reply = self.get(path).await?;
            if reply.code == code {
                return Ok(reply);
            }
            let waited = start.elapsed();
            ensure!(waited < EVENTUALLY, "{path} is not {code} after {waited:?}: {reply:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Gets what is no JSON: the code and the text, without the line end.
    pub(crate) async fn get_text(&self, path: &str) -> Result<(u16, String)> {
        self.get_text_as(path, JSON).await
    }

    /// Gets text in another representation.
    pub(crate) async fn get_text_as(&self, path: &str, accept: &str) -> Result<(u16, String)> {
        let raw = self.exchange(Method::GET, path, JSON, accept, None).await?;
        Ok((raw.code, String::from_utf8_lossy(&raw.body).trim_end().to_owned()))
    }

    /// Sends one request with these media types, and returns whatever is answered.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        content: &str,
        accept: &str,
        body: Option<&Value>,
    ) -> Result<Reply> {
        let Raw { code, warnings, body } =
            self.exchange(method, path, content, accept, body).await?;
        let body = serde_json::from_slice(&body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&body).trim_end().into());
        Ok(Reply { code, body, warnings, own: self.ns.clone() })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        content: &str,
        accept: &str,
        body: Option<&Value>,
    ) -> Result<Raw> {
        let what = format!("{method} {path}");
        let request = Request::builder().method(method).uri(path).header(ACCEPT, accept);
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.header(CONTENT_TYPE, content).body(Body::from(body.into_bytes()))?;
        let response = self.client().send(request).await.with_context(|| what.clone())?;
        let code = response.status().as_u16();
        let warnings = response.headers().get_all(WARNING).iter().map(warning).collect();
        let body = response.into_body().collect_bytes().await.context(what)?.to_vec();
        Ok(Raw { code, warnings, body })
    }
}

/// An answer before it is read.
struct Raw {
    code: u16,
    warnings: Vec<String>,
    body: Vec<u8>,
}

/// The quoted text of a `Warning` header.
fn warning(header: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(header.as_bytes()).into_owned();
    let quoted = text.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
    quoted.map_or(text.clone(), |(inside, _)| inside.replace("\\\"", "\""))
}

/// What follows a collection's path: a name, a query, or nothing.
fn tail(rest: &str) -> String {
    let separator = if rest.is_empty() || rest.starts_with('?') { "" } else { "/" };
    format!("{separator}{rest}")
}

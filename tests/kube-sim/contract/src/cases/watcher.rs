//! The watcher of `kube`'s runtime, in both of its ways to begin.

use std::time::Duration;

use anyhow::{Context, Result};
use futures::{Stream, TryStreamExt};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::case::cases;
use crate::crds;
use crate::reply::same_text;
use crate::scratch::Scratch;

cases!("watcher": lists_and_watches, streaming_lists, pages, of_a_selection);

/// How long an event may take that must come.
const EVENT_TIMEOUT: Duration = Duration::from_secs(20);

fn widgets(scratch: &Scratch<'_>) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk(crds::GROUP, "v1", "Widget");
    Api::namespaced_with(scratch.client(), &scratch.ns, &ApiResource::from_gvk(&kind))
}

type Events = watcher::Result<Event<DynamicObject>>;

/// Compares the next events with as many lines.
async fn check(stream: &mut (impl Stream<Item = Events> + Unpin), expected: &str) -> Result<()> {
    let count = expected.lines().count();
    let mut seen = Vec::new();
    while seen.len() < count {
        let event = tokio::time::timeout(EVENT_TIMEOUT, stream.try_next()).await;
        let event = event.with_context(|| format!("no event in time after {seen:?}"))??;
        seen.push(line(&event.context("the watcher ended")?));
    }
    same_text(&seen.join("\n"), expected)
}

fn line(event: &Event<DynamicObject>) -> String {
    match event {
        Event::Init => "Init".to_owned(),
        Event::InitApply(object) => format!("InitApply {}", object.name_any()),
        Event::InitDone => "InitDone".to_owned(),
        Event::Apply(object) => format!("Apply {}", object.name_any()),
        Event::Delete(object) => format!("Delete {}", object.name_any()),
    }
}

/// Waits until the API server's cache has so many objects. A streaming list that names no version begins with what the cache
/// has by then, and an object that was made just before may follow as a change (Kubernetes API concepts, streaming lists).
async fn are_cached(scratch: &Scratch<'_>, count: usize) -> Result<()> {
    let cached = async {
        while widgets(scratch).list(&ListParams::default().match_any()).await?.items.len() < count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    };
    tokio::time::timeout(EVENT_TIMEOUT, cached).await.context("the cache stays behind")?
}

async fn flow(scratch: &Scratch<'_>, config: watcher::Config) -> Result<()> {
    scratch.widget("a", json!({})).await?;
    scratch.widget("b", json!({})).await?;
    are_cached(scratch, 2).await?;
    let mut stream = Box::pin(watcher(widgets(scratch), config));
    check(&mut stream, "Init\nInitApply a\nInitApply b\nInitDone").await?;
    scratch.merge(&scratch.widgets("a"), &json!({"spec": {"size": 2}})).await?.ok()?;
    scratch.delete(&scratch.widgets("b")).await?.ok()?;
    scratch.widget("c", json!({})).await?;
    check(&mut stream, "Apply a\nDelete b\nApply c").await
}

async fn lists_and_watches(scratch: &Scratch<'_>) -> Result<()> {
    flow(scratch, watcher::Config::default()).await
}

async fn streaming_lists(scratch: &Scratch<'_>) -> Result<()> {
    flow(scratch, watcher::Config::default().streaming_lists()).await
}

async fn pages(scratch: &Scratch<'_>) -> Result<()> {
    flow(scratch, watcher::Config::default().page_size(1)).await
}

async fn of_a_selection(scratch: &Scratch<'_>) -> Result<()> {
    scratch.widget("a", json!({"labels": {"x": "1"}})).await?;
    scratch.widget("b", json!({})).await?;
    are_cached(scratch, 2).await?;
    let config = watcher::Config::default().labels("x=1").streaming_lists();
    let mut stream = Box::pin(watcher(widgets(scratch), config));
    check(&mut stream, "Init\nInitApply a\nInitDone").await?;
    let label = json!({"metadata": {"labels": {"x": "2"}}});
    scratch.merge(&scratch.widgets("a"), &label).await?.ok()?;
    check(&mut stream, "Delete a").await
}

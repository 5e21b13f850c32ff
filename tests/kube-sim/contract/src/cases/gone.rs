//! 410 Gone: versions that the server has forgotten.
//!
//! A real server forgets in two places. What lists read comes from etcd, which is compacted; its watches are served from
//! memory that reaches back at least to the moment at which it began to serve the resource, whatever etcd still
//! has. So the watch here begins before its resource exists, and is refused by any server that was compacted after.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::definitions::Definition;
use crate::case::cases;
use crate::reply::{Reply, same, same_text};
use crate::scratch::Scratch;

cases!("gone", Compaction: lists, watches);

/// How long a real server may take to hear of a compaction: it looks every 15 seconds.
const HEARD: Duration = Duration::from_secs(40);

async fn compact(scratch: &Scratch<'_>) -> Result<()> {
    let compaction = scratch.world.compaction.as_ref().context("no way to compact")?;
    compaction().await.context("compact")
}

/// Repeats the request until it is refused.
async fn until_refused(scratch: &Scratch<'_>, query: &str) -> Result<Reply> {
    let start = tokio::time::Instant::now();
    loop {
        let reply = scratch.get(&scratch.widgets(query)).await?;
        if reply.code != 200 {
            return Ok(reply);
        }
        ensure!(start.elapsed() < HEARD, "{query} is still answered after {HEARD:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn lists(scratch: &Scratch<'_>) -> Result<()> {
    for name in ["a", "b", "c"] {
        scratch.widget(name, json!({})).await?;
    }
    let first = scratch.get(&scratch.widgets("?limit=1")).await?;
    let (version, token) = (first.resource_version()?, first.text_at("/metadata/continue")?);
    scratch.widget("d", json!({})).await?;
    compact(scratch).await?;
    let refused = until_refused(scratch, &format!("?limit=1&continue={token}")).await?;
    refused.check(
        "410 Expired
        The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    )?;
    // The refusal carries a token that goes on from there in the present.
    let token = refused.body["metadata"]["continue"].as_str().context("no new token")?;
    let rest = scratch.get(&scratch.widgets(&format!("?continue={token}"))).await?;
    same_text(&rest.names()?, "b c d")?;
    let query = format!("?resourceVersion={version}&resourceVersionMatch=Exact&limit=1");
    let refused = until_refused(scratch, &query).await?;
    refused.check("410 Expired\nThe resourceVersion for the provided list is too old.")
}

async fn watches(scratch: &Scratch<'_>) -> Result<()> {
    let before = scratch.now(&scratch.widgets("")).await?;
    let definition = Definition::register(scratch).await?;
    definition.make(scratch, "a").await?;
    compact(scratch).await?;
    let path = format!("{}?resourceVersion={before}", definition.path);
    let mut watch = scratch.watch(&path).await?;
    let event = watch.next().await?;
    same("type", &event["type"], &json!("ERROR"))?;
    let status = &event["object"];
    same("kind", &status["kind"], &json!("Status"))?;
    same("code", &status["code"], &json!(410))?;
    same("reason", &status["reason"], &json!("Expired"))?;
    let message = status["message"].as_str().context("no message")?;
    let prefix = format!("too old resource version: {before} (");
    ensure!(message.starts_with(&prefix), "{message}");
    watch.ends().await?;
    definition.remove(scratch).await
}

//! A watch, read event by event.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::io::Lines;
use futures::{AsyncBufRead, AsyncBufReadExt, StreamExt};
use http::Request;
use kube::Client;
use serde_json::Value;

use crate::reply::same_text;

/// How long an event may take that must come.
const EVENT_TIMEOUT: Duration = Duration::from_secs(40);

/// How long nothing must come, where nothing is expected.
const SILENCE: Duration = Duration::from_millis(300);

/// A watch that a server holds open.
pub(crate) struct Watch {
    lines: Lines<Box<dyn AsyncBufRead + Send + Unpin>>,
    own: String,
}

impl Watch {
    pub(crate) async fn start(client: Client, path: &str, own: &str) -> Result<Self> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let uri = format!("{path}{separator}watch=true");
        let request = Request::get(&uri).body(Vec::new())?;
        let stream =
            client.request_stream(request).await.with_context(|| format!("watch {uri}"))?;
        let stream: Box<dyn AsyncBufRead + Send + Unpin> = Box::new(Box::pin(stream));
        Ok(Self { lines: stream.lines(), own: own.to_owned() })
    }

    /// The next event, whatever it is.
    pub(crate) async fn next(&mut self) -> Result<Value> {
        let line = tokio::time::timeout(EVENT_TIMEOUT, self.lines.next()).await;
        let line = line.context("no event in time")?.context("the watch ended")??;
        serde_json::from_str(&line).with_context(|| format!("not an event: {line}"))
    }

    /// Compares the next events with as many lines: `ADDED NAME`, or `BOOKMARK`. A server sends bookmarks when it likes
    /// to those who asked for any, so one that is not expected is passed over.
    pub(crate) async fn check(&mut self, expected: &str) -> Result<()> {
        let mut actual = String::new();
        let expected_lines = expected.trim().lines().count();
        while actual.lines().count() < expected_lines {
            let event = self.next().await.with_context(|| format!("after:\n{actual}"))?;
            let expects_bookmark =
                expected.trim().lines().nth(actual.lines().count()).map(str::trim)
                    == Some("BOOKMARK");
            if event["type"] == "BOOKMARK" && !expects_bookmark {
                continue;
            }
            actual += &self.text(&event);
            actual.push('\n');
        }
        same_text(&actual, expected)
    }

    /// That no event comes for a short while.
    pub(crate) async fn is_silent(&mut self) -> Result<()> {
        match tokio::time::timeout(SILENCE, self.lines.next()).await {
            Err(_) => Ok(()),
            Ok(Some(line)) => bail!("an event that should not be there: {}", line?),
            Ok(None) => bail!("the watch ended"),
        }
    }

    /// That the server ends the watch by itself, without another event but bookmarks.
    pub(crate) async fn ends(&mut self) -> Result<()> {
        loop {
            let line = tokio::time::timeout(EVENT_TIMEOUT, self.lines.next()).await;
            let Some(line) = line.context("the watch does not end")? else { return Ok(()) };
            let event: Value = serde_json::from_str(&line?)?;
            ensure!(event["type"] == "BOOKMARK", "an event before the end: {event}");
        }
    }

    fn text(&self, event: &Value) -> String {
        let kind = event["type"].as_str().unwrap_or("?");
        if kind == "BOOKMARK" {
            return kind.to_owned();
        }
        let object = &event["object"];
        let name = object["metadata"]["name"].as_str().or(object["message"].as_str());
        format!("{kind} {}", name.unwrap_or("?")).replace(&self.own, "NS")
    }
}

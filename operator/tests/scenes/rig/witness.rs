//! Looks at every state that an object ever has, as whoever watches it does.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use kube::Client;
use kube::api::DynamicObject;
use kube::runtime::watcher::{Config, Event, watcher};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::agent::nodes;

/// A watch of all `CiliumNode`s.
#[derive(Debug)]
pub(crate) struct Witness {
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Witness {
    pub(super) fn start(client: Client) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(watch(client, Arc::clone(&seen)));
        Self { seen, task }
    }

    /// Every contradiction so far.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn watch(client: Client, seen: Arc<Mutex<Vec<String>>>) {
    let mut events = watcher(nodes(client), Config::default()).boxed();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(object) | Event::InitApply(object)) => {
                seen.lock().unwrap().extend(contradiction(&object));
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

/// Agents take an address of the pool for usable only when the interface that has it is shown, too.
fn contradiction(object: &DynamicObject) -> Option<String> {
    let enis = object.data["status"]["eni"]["enis"].as_object();
    let lists = enis.into_iter().flatten().filter_map(|(_, eni)| eni["addresses"].as_array());
    let shown: BTreeSet<&str> = lists.flatten().filter_map(Value::as_str).collect();
    let pool = object.data["spec"]["ipam"]["pool"].as_object();
    let lacking = pool.into_iter().flatten().map(|(address, _)| address.as_str());
    let lacking: Vec<&str> = lacking.filter(|address| !shown.contains(address)).collect();
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let version = object.metadata.resource_version.as_deref().unwrap_or_default();
    (!lacking.is_empty())
        .then(|| format!("{name} at {version}: the pool names {lacking:?}, which status.eni lacks"))
}

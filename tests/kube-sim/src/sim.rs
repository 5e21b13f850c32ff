//! The simulator as a whole: a store with a clock, faults, counters, and faces for clients.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use crate::counters::Counters;
use crate::fault::{Faults, Rule, RuleId};
use crate::history::HistoryLimits;
use crate::service::Service;
use crate::status::Status;
use crate::store::{Store, WriteOptions};
use crate::stored::Key;
use crate::watchers::WatchId;

/// What a simulator starts with.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Uids and generated names come from it.
    pub seed: u64,
    /// The time at the start. From then on it goes as tokio's clock does, which a test may pause.
    pub start: Timestamp,
    /// How far back watches and lists may go.
    pub history: HistoryLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 1, start: Timestamp::now(), history: HistoryLimits::default() }
    }
}

/// A small Kubernetes API in memory. Clones are the same one.
#[derive(Debug, Clone)]
pub struct KubeSim {
    start: Timestamp,
    started: Instant,
    state: Arc<Mutex<State>>,
}

/// What requests share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    pub(crate) listeners: HashMap<WatchId, Listener>,
}

/// Who waits for the events of a watch.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) client: String,
    /// `ciliumnodes`.
    pub(crate) resource: String,
    pub(crate) waker: Option<Waker>,
}

impl State {
    /// Wakes those who wait for what has been written.
    pub(crate) fn wake(&mut self) {
        for id in self.store.take_woken() {
            if let Some(waker) = self.listeners.get_mut(&id).and_then(|it| it.waker.take()) {
                waker.wake();
            }
        }
    }

    fn wake_all(&mut self) {
        for listener in self.listeners.values_mut() {
            if let Some(waker) = listener.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Default for KubeSim {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl KubeSim {
    /// An empty cluster.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let state = State {
            store: Store::new(settings.seed, settings.history, settings.start),
            faults: Faults::default(),
            counters: Counters::default(),
            listeners: HashMap::new(),
        };
        let state = Arc::new(Mutex::new(state));
        Self { start: settings.start, started: Instant::now(), state }
    }

    /// A client without sockets. `name` is how faults and counters know it.
    #[must_use]
    pub fn client(&self, name: &str) -> kube::Client {
        kube::Client::new(self.service(name), "default")
    }

    /// What [`KubeSim::client`] sends its requests to.
    #[must_use]
    pub fn service(&self, name: &str) -> Service {
        Service::named(self.clone(), name)
    }

    /// Serves the resource of a `CustomResourceDefinition`, as if a client had created it.
    ///
    /// # Errors
    ///
    /// The Status that the client would get.
    pub fn register(&self, definition: Value) -> Result<(), Box<Status>> {
        let now = self.now();
        self.with_store(|store| {
            let (group, plural) = ("apiextensions.k8s.io", "customresourcedefinitions");
            let id = store.find(group, plural).ok_or_else(Status::path_not_found)?;
            store.create(id, "", definition, WriteOptions::default(), now).map(|_| ())
        })
    }

    /// The time by the simulator's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.elapsed()).unwrap_or(SignedDuration::MAX);
        self.start.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// How long the simulator has been running, by tokio's clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a test must not hide behind a second one here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the store directly, past faults and counters.
    pub fn with_store<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut state = self.lock();
        let done = work(&mut state.store);
        state.wake();
        done
    }

    /// Puts a fault in force.
    #[expect(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn add_fault(&self, rule: Rule) -> RuleId {
        let now = self.elapsed();
        let mut state = self.lock();
        let id = state.faults.add(rule, now);
        state.wake_all();
        id
    }

    /// Ends a fault. Answers whether it was in force.
    #[expect(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn remove_fault(&self, id: RuleId) -> bool {
        let mut state = self.lock();
        let removed = state.faults.remove(id);
        state.wake_all();
        removed
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.wake_all();
    }

    /// The faults in force.
    #[must_use]
    pub fn faults(&self) -> Vec<(RuleId, Rule)> {
        self.lock().faults.iter().map(|(id, rule)| (id, rule.clone())).collect()
    }

    /// Breaks open watches off, of one client or all, of one resource or all. Answers how many.
    #[expect(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn cut_watches(&self, client: Option<&str>, resource: Option<&str>) -> usize {
        let mut state = self.lock();
        let meant = state.listeners.iter().filter(|(_, listener)| {
            client.is_none_or(|client| client == listener.client)
                && resource.is_none_or(|resource| resource == listener.resource)
        });
        let ids: Vec<WatchId> = meant.map(|(&id, _)| id).collect();
        for &id in &ids {
            state.store.end_watch(id);
        }
        state.wake();
        ids.len()
    }

    /// Forgets the history: watches and lists that would go on from before now get 410.
    pub fn compact(&self) {
        self.lock().store.compact();
    }

    /// The requests so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.lock().counters.clone()
    }

    /// Starts counting again.
    pub fn reset_counters(&self) {
        self.lock().counters = Counters::default();
    }

    /// An object as it is stored; `None` where there is none. `resource` is its qualified name,
    /// `ciliumnodes.cilium.io`.
    #[must_use]
    pub fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
        let state = self.lock();
        let id = state.store.find(group, plural)?;
        state.store.get(id, &Key::new(namespace, name)).ok().map(|object| object.value())
    }
}

//! The pods that come and go by themselves: who makes them, and who ends them.

mod chance;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::floor::ours;
use super::{LABEL, Parts};
use crate::plan;
use crate::stage::NAMESPACE;
use chance::Chance;

/// How long pods live on average before [`Workload::play`] says it.
const LIFETIME: Duration = Duration::from_secs(30);

/// How long the first pods wait for further nodes, when one is ready.
const A_MOMENT: Duration = Duration::from_secs(3);

/// How often it is looked whether a node is empty.
const LOOK: Duration = Duration::from_millis(100);

/// The seconds that a real kubelet would give a pod to end.
const GRACE: u32 = 1;

/// Who makes and ends pods. A clone is the same.
#[derive(Debug, Clone)]
pub(super) struct Workload(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Arc<Parts>,
    state: Mutex<State>,
    tasks: Mutex<JoinSet<()>>,
    /// Whether pods can be made: their namespace is there and has no pods of another run.
    is_clear: watch::Sender<bool>,
    /// Whether pods are still made.
    makes: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    chance: Chance,
    lifetime: Duration,
    /// The number of the last pod.
    last: u64,
    /// The pods that are there or about to be, and what ends each of them early.
    alive: BTreeMap<String, Arc<Notify>>,
}

impl Workload {
    pub(super) fn start(parts: Arc<Parts>, seed: u64) -> Self {
        let chance = Chance::new(seed);
        let state = State { chance, lifetime: LIFETIME, last: 0, alive: BTreeMap::new() };
        let workload = Self(Arc::new(Inner {
            parts,
            state: Mutex::new(state),
            tasks: Mutex::default(),
            is_clear: watch::Sender::new(false),
            makes: watch::Sender::new(true),
        }));
        let clears = workload.clone();
        workload.spawn(async move { clears.clear().await });
        workload
    }

    pub(super) fn play(&self, pods: plan::Pods) {
        self.state().lifetime = pods.lifetime;
        let workload = self.clone();
        self.spawn(async move {
            workload.nodes_are_ready().await;
            workload.make(pods.at_start);
            workload.keep_making(pods.per_second).await;
        });
    }

    pub(super) fn burst(&self, pods: u32, over: Duration) {
        let text = match over.as_millis() {
            0 => format!("{pods} pods come at once"),
            _ => format!("{pods} pods come within {} s", over.as_secs_f64()),
        };
        self.0.parts.news.tell(text);
        let workload = self.clone();
        self.spawn(async move {
            let start = Instant::now();
            for number in 0..pods {
                sleep_until(start + over.mul_f64(f64::from(number) / f64::from(pods))).await;
                workload.make(1);
            }
        });
    }

    pub(super) async fn evict(&self, node: &str) {
        let mut told = 0;
        loop {
            let here = self.0.parts.workload_on(node);
            if here.is_empty() {
                self.0.parts.news.tell(format!("{node}: {told} pods came anew elsewhere"));
                return;
            }
            for pod in here {
                // Taken out, so that each is told once. It ends like any other.
                let early = self.state().alive.remove(&pod);
                if let Some(early) = early {
                    early.notify_one();
                    told += 1;
                    // Lifetimes have no memory: what a pod had left is as long as that of a new one.
                    self.make(1);
                }
            }
            sleep(LOOK).await;
        }
    }

    pub(super) fn stop_making(&self) {
        self.0.makes.send_replace(false);
    }

    /// Stops everything, wherever it is.
    pub(super) async fn end(&self) {
        self.stop_making();
        let mut tasks = std::mem::take(&mut *self.tasks());
        tasks.shutdown().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        let parts = Arc::clone(&self.0.parts);
        tasks.spawn(async move {
            tokio::select! {
                () = task => {}
                // Tasks hold what holds them: without this, they would outlive whoever forgets to end them.
                () = parts.stopped() => {}
            }
        });
    }

    /// Until pods are made no more.
    async fn made_no_more(&self) {
        let mut makes = self.0.makes.subscribe();
        let _ = makes.wait_for(|makes| !makes).await;
    }

    /// Until the first node is ready, and the others are or have had a moment: a node that is first by so little would get
    /// all pods.
    async fn nodes_are_ready(&self) {
        let mut ready = self.0.parts.ready.subscribe();
        let _ = ready.wait_for(|(ready, _)| 0 < *ready).await;
        let _ = timeout(A_MOMENT, ready.wait_for(|(ready, all)| ready == all)).await;
    }

    /// Makes the namespace, and ends what another run has left there.
    async fn clear(&self) {
        let writes = &self.0.parts.writes;
        let namespaces = Api::<Namespace>::all(writes.client.clone());
        let namespace = json!({"metadata": {"name": NAMESPACE}});
        let Ok(namespace) = serde_json::from_value::<Namespace>(namespace) else { return };
        let parameters = PostParams::default();
        // There already, or somebody else's to make.
        let ends = [403, 409];
        let _ = writes.until_done(&ends, || namespaces.create(&parameters, &namespace)).await;
        let (pods, now, ours) = (self.pods(), DeleteParams::default().grace_period(0), ours());
        let _ = writes.until_done(&[], || pods.delete_collection(&now, &ours)).await;
        self.0.is_clear.send_replace(true);
    }

    async fn keep_making(&self, per_second: f64) {
        if per_second <= 0.0 {
            return;
        }
        // Each is made when it is due, however late the one before it was.
        let mut due = Instant::now();
        while *self.0.makes.borrow() {
            due += self.state().chance.pause(per_second);
            sleep_until(due).await;
            self.make(1);
        }
    }

    fn make(&self, pods: u32) {
        for _ in 0..pods {
            if !*self.0.makes.borrow() {
                return;
            }
            let (name, lifetime, early) = self.next();
            let workload = self.clone();
            self.spawn(async move {
                if workload.create(&name).await {
                    tokio::select! {
                        () = sleep(lifetime) => {}
                        () = early.notified() => {}
                    }
                    workload.delete(&name).await;
                }
                workload.state().alive.remove(&name);
            });
        }
    }

    /// The name of a new pod, how long it lives, and what ends it early.
    fn next(&self) -> (String, Duration, Arc<Notify>) {
        let mut state = self.state();
        state.last += 1;
        let name = format!("web-{}", state.last);
        let mean = state.lifetime;
        let lifetime = state.chance.lifetime(mean);
        let early = Arc::new(Notify::new());
        state.alive.insert(name.clone(), Arc::clone(&early));
        (name, lifetime, early)
    }

    /// Whether the pod is there in the end. It is not when pods are made no more before it could be.
    async fn create(&self, name: &str) -> bool {
        let Ok(pod) = serde_json::from_value::<Pod>(pod(name)) else { return false };
        let (pods, parameters) = (self.pods(), PostParams::default());
        let mut is_clear = self.0.is_clear.subscribe();
        let created = async {
            let _ = is_clear.wait_for(|is_clear| *is_clear).await;
            // It was made by an attempt whose answer was lost.
            let ends = [409];
            let _ = self.0.parts.writes.until_done(&ends, || pods.create(&parameters, &pod)).await;
        };
        tokio::select! {
            biased;
            () = created => true,
            () = self.made_no_more() => false,
        }
    }

    async fn delete(&self, name: &str) {
        let (pods, parameters) = (self.pods(), DeleteParams::default());
        let ends = [404];
        let _ = self.0.parts.writes.until_done(&ends, || pods.delete(name, &parameters)).await;
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.0.parts.writes.client.clone(), NAMESPACE)
    }
}

/// A pod as people would write it. No other scheduler takes it for its own.
fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": LABEL}},
        "spec": {
            "schedulerName": "berth-playground",
            "terminationGracePeriodSeconds": GRACE,
            "automountServiceAccountToken": false,
            "containers": [{"name": "web", "image": "registry.example/web:1"}],
        },
    })
}

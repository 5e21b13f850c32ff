//! Pods that come and go: who places them on nodes, who runs them there, and who makes and ends them.
//!
//! They are real pods of the API server, and get their addresses by the real plugin from the agents of their nodes. What is
//! played here are the scheduler, all kubelets with their container runtimes, and the people who start pods.
//!
//! | module | what it knows |
//! |---|---|
//! | `seen` | what is read of pods and Nodes |
//! | `placement` | which node a pod is placed on |
//! | `floor` | all pods and where they are: one task, to which everything else is a message |
//! | `life` | one pod on its node, from its ADD to its DEL |
//! | `status`, `events` | what is written about it, and how often |
//! | `workload` | the pods that come and go by themselves |
//! | `writes` | writes that an API server that is away does not lose |

mod events;
mod floor;
mod life;
mod placement;
mod seen;
mod status;
mod workload;
mod writes;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::book::Book;
use crate::news::News;
use crate::nodes::Nodes;
use crate::plan;
use crate::plugin::{Plugin, Runtime};
use events::EventLimit;
use floor::Floor;
use workload::Workload;
use writes::Writes;

/// The value of their label `app`.
pub const LABEL: &str = "playground";

/// How long an ADD waits for an address before its plugin gives up and is run again.
pub const ADDRESS_WAIT: Duration = Duration::from_secs(5);

/// How long ending may take.
const END: Duration = Duration::from_secs(9);

/// Something else of the same node is told after this time.
const SAID_APART: Duration = Duration::from_secs(10);

/// The same of the same node is told again after this time.
const REPEATED_APART: Duration = Duration::from_mins(1);

/// What pods need.
#[derive(Clone)]
pub struct PodsOptions {
    /// The way to the API server.
    pub client: Client,
    /// Where pods can be placed.
    pub nodes: Nodes,
    /// Where is noted who waits and who uses which address.
    pub book: Book,
    /// What happened.
    pub news: News,
    /// What is run for every pod.
    pub plugin: Plugin,
    /// How long an ADD waits for an address; [`ADDRESS_WAIT`] unless there is a reason.
    pub address_wait: Duration,
    /// What chance comes from.
    pub seed: u64,
}

/// Pods that come and go. Dropped without [`Pods::end`], they end too, in their own time.
#[derive(Debug)]
pub struct Pods {
    workload: Workload,
    floor: tokio::sync::Mutex<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

impl Pods {
    /// Begins to place and run pods. None is made yet. To be called in a runtime.
    #[must_use]
    pub fn start(options: PodsOptions) -> Self {
        let PodsOptions { client, nodes, book, news, plugin, address_wait, seed } = options;
        let (stop, stopped) = watch::channel(false);
        let parts = Arc::new(Parts {
            writes: Writes::new(client),
            nodes,
            book,
            news,
            runtime: Runtime::new(plugin, address_wait),
            shared: Mutex::default(),
            ready: watch::Sender::new((0, 0)),
            stopped,
        });
        let floor = tokio::spawn(Floor::new(Arc::clone(&parts), seed).run());
        let workload = Workload::start(parts, seed);
        Self { workload, floor: floor.into(), stop }
    }

    /// Lets pods come and go by themselves from when the first node is ready, until [`Pods::stop_making`].
    pub fn play(&self, pods: &plan::Pods) {
        self.workload.play(*pods);
    }

    /// Makes so many pods within this time; all at once if it is zero.
    pub fn burst(&self, pods: u32, over: Duration) {
        self.workload.burst(pods, over);
    }

    /// Ends the pods on a node that come and go by themselves, and makes as many anew. Returns when they are gone from there.
    ///
    /// Whoever calls it has said that the node is draining.
    pub async fn evict(&self, node: &str) {
        self.workload.evict(node).await;
    }

    /// Makes no more pods. Those that are there live on to their end.
    pub fn stop_making(&self) {
        self.workload.stop_making();
    }

    /// Stops everything within 10 s. Pods keep their addresses; plugins that run are waited for, and killed when they take too
    /// long. The pods that came by themselves are taken out of the API, if it answers.
    pub async fn end(&self) {
        self.workload.end().await;
        self.stop.send_replace(true);
        let mut floor = self.floor.lock().await;
        if floor.is_finished() {
            return;
        }
        if timeout(END, &mut *floor).await.is_err() {
            floor.abort();
        }
    }
}

/// What all parts share.
#[derive(Debug)]
struct Parts {
    writes: Writes,
    nodes: Nodes,
    book: Book,
    news: News,
    runtime: Runtime,
    shared: Mutex<Shared>,
    /// How many nodes are ready, and how many serve pods at all.
    ready: watch::Sender<(usize, usize)>,
    stopped: watch::Receiver<bool>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Pods that have a node, or are being bound to one, by their key.
    placed: BTreeMap<String, Placed>,
    /// The addresses of nodes.
    addresses: BTreeMap<String, Vec<IpAddr>>,
    /// What was told last of a node, and when.
    told: BTreeMap<String, (Duration, String)>,
    limit: EventLimit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Placed {
    node: String,
    is_workload: bool,
}

impl Parts {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses of a node, as its Node has them.
    fn addresses_of(&self, node: &str) -> Vec<IpAddr> {
        self.shared().addresses.get(node).cloned().unwrap_or_default()
    }

    /// The names of the pods on a node that come and go by themselves.
    fn workload_on(&self, node: &str) -> Vec<String> {
        let shared = self.shared();
        let here = shared.placed.iter().filter(|(_, at)| at.is_workload && at.node == node);
        here.filter_map(|(key, _)| Some(key.split_once('/')?.1.to_owned())).collect()
    }

    /// Whether news of a node are new. They count as told then.
    fn may_say(&self, node: &str, text: &str) -> bool {
        let now = self.news.elapsed();
        let mut shared = self.shared();
        let apart = |said: &str| if said == text { REPEATED_APART } else { SAID_APART };
        let before = shared.told.get(node);
        if before.is_some_and(|(at, said)| now.saturating_sub(*at) < apart(said)) {
            return false;
        }
        shared.told.insert(node.to_owned(), (now, text.to_owned()));
        true
    }

    fn may_send_event(&self, pod: &str, text: &str) -> bool {
        let now = self.news.elapsed();
        self.shared().limit.admit(now, pod, text)
    }

    /// Until the end is asked for, or nobody is left to ask.
    async fn stopped(&self) {
        let mut stopped = self.stopped.clone();
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }
}

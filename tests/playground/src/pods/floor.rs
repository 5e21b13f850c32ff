//! All pods and where they are. One task: watches, bindings and lives are messages to it, so that nothing of it is locked.

mod known;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use berth_shell::problem::chain;
use berth_shell::watching;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use k8s_openapi::api::core::v1::{Binding, ObjectReference, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Status};
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::runtime::watcher::{self, Event};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, interval, timeout};

use super::life::{Life, Order};
use super::placement::{Candidate, choose};
use super::seen::{Course, NodeObject, PodObject, SeenNode, SeenPod};
use super::writes::WriteError;
use super::{LABEL, Parts, Placed};
use crate::nodes::NodeAt;
use crate::stage::NAMESPACE;
use known::{Known, Stage};

/// How often it is looked which nodes there are, and whether what failed is due again.
const LOOK: Duration = Duration::from_millis(250);

/// After this time a pod that could not be bound is placed again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long the plugins that run are waited for at the end.
const PLUGINS_END: Duration = Duration::from_secs(6);

/// How long the API server may take to forget the pods at the end.
const CLEAR: Duration = Duration::from_secs(2);

type Events<K> = BoxStream<'static, Result<Event<K>, watcher::Error>>;

/// All pods and where they are.
pub(super) struct Floor {
    parts: Arc<Parts>,
    random: fastrand::Rng,
    pods: BTreeMap<String, Known>,
    /// The uids that were listed so far, while a listing of pods is under way.
    listed: BTreeSet<String>,
    open_nodes: BTreeMap<String, SeenNode>,
    listed_nodes: BTreeMap<String, SeenNode>,
    /// The nodes that are there, as they were when last looked.
    nodes: Vec<NodeAt>,
    /// Pods without a node, in the order in which they came.
    queue: VecDeque<String>,
    bindings: JoinSet<Bound>,
    /// The keys of pods whose lives have ended.
    lives: JoinSet<String>,
    /// Whether pods may be placed that could not be before.
    is_changed: bool,
    /// Whether the API server is away, and that was told.
    is_away: bool,
}

/// What came of a binding.
struct Bound {
    key: String,
    uid: String,
    problem: Option<WriteError>,
}

impl Floor {
    pub(super) fn new(parts: Arc<Parts>, seed: u64) -> Self {
        Self {
            parts,
            random: fastrand::Rng::with_seed(seed),
            pods: BTreeMap::new(),
            listed: BTreeSet::new(),
            open_nodes: BTreeMap::new(),
            listed_nodes: BTreeMap::new(),
            nodes: Vec::new(),
            queue: VecDeque::new(),
            bindings: JoinSet::new(),
            lives: JoinSet::new(),
            is_changed: false,
            is_away: false,
        }
    }

    /// Places and runs pods until the end is asked for.
    pub(super) async fn run(mut self) {
        let client = self.parts.writes.client.clone();
        let mut pods = watching::watch(Api::<PodObject>::all(client.clone()), None).boxed();
        let mut nodes = watching::watch(Api::<NodeObject>::all(client), None).boxed();
        let mut look = interval(LOOK);
        let parts = Arc::clone(&self.parts);
        let stopped = parts.stopped();
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => break,
                () = self.one(&mut pods, &mut nodes, &mut look) => {}
            }
            // What has come meanwhile is taken in before anything is placed.
            while self.one(&mut pods, &mut nodes, &mut look).now_or_never().is_some() {}
            self.place();
        }
        self.end().await;
    }

    /// Takes one message in. Dropped while it waits, it has taken none.
    async fn one(
        &mut self,
        pods: &mut Events<PodObject>,
        nodes: &mut Events<NodeObject>,
        look: &mut Interval,
    ) {
        tokio::select! {
            Some(event) = pods.next() => self.on_pods(event),
            Some(event) = nodes.next() => self.on_nodes(event),
            Some(bound) = self.bindings.join_next() => {
                // One that panicked is as one without an answer: the watch says what came of it.
                if let Ok(bound) = bound {
                    self.on_bound(bound);
                }
            }
            Some(ended) = self.lives.join_next() => {
                if let Ok(key) = ended {
                    self.on_ended(&key);
                }
            }
            _ = look.tick() => self.look(),
        }
    }

    fn on_pods(&mut self, event: Result<Event<PodObject>, watcher::Error>) {
        match event {
            Ok(Event::Init) => self.listed.clear(),
            Ok(Event::InitApply(object)) => {
                self.listed.insert(object.pod.uid.clone());
                self.seen(object.pod);
            }
            Ok(Event::Apply(object)) => self.seen(object.pod),
            Ok(Event::Delete(object)) => self.gone(&object.pod.key(), &object.pod.uid),
            Ok(Event::InitDone) => self.all_listed(),
            Err(error) => {
                if !std::mem::replace(&mut self.is_away, true) {
                    self.parts.news.warn(format!("pods cannot be watched: {}", chain(&error)));
                }
            }
        }
    }

    fn all_listed(&mut self) {
        if std::mem::take(&mut self.is_away) {
            self.parts.news.tell("pods are watched again");
        }
        let listed = std::mem::take(&mut self.listed);
        let missing = self.pods.iter().filter(|(_, known)| !listed.contains(&known.pod.uid));
        let missing: Vec<(String, String)> =
            missing.map(|(key, known)| (key.clone(), known.pod.uid.clone())).collect();
        for (key, uid) in missing {
            self.gone(&key, &uid);
        }
    }

    /// A pod is there, as it is now.
    fn seen(&mut self, pod: SeenPod) {
        let key = pod.key();
        match self.pods.get_mut(&key) {
            Some(known) if known.pod.uid == pod.uid => known.pod = pod,
            Some(known) => {
                // Another one of the name. It begins when that before it has ended.
                let before = known.pod.uid.clone();
                known.successor = Some(pod);
                return self.gone(&key, &before);
            }
            None if pod.course == Course::Over => return,
            None if pod.course == Course::Deleted && pod.node.is_none() => return,
            None => {
                self.pods.insert(key.clone(), Known::new(pod));
            }
        }
        self.settle(&key);
    }

    /// A pod is not in the API any more.
    fn gone(&mut self, key: &str, uid: &str) {
        let Some(known) = self.pods.get_mut(key) else { return };
        if known.successor.as_ref().is_some_and(|successor| successor.uid == uid) {
            known.successor = None;
        }
        if known.pod.uid != uid {
            return;
        }
        known.is_gone = true;
        if let Stage::Living { orders, .. } = &known.stage {
            raise(orders, Order::Gone);
        } else {
            self.parts.book.ended(key);
            self.forget(key);
        }
    }

    /// The life of a pod has ended.
    fn on_ended(&mut self, key: &str) {
        self.parts.shared().placed.remove(key);
        self.is_changed = true;
        match self.pods.get_mut(key) {
            // The API has yet to say that it is gone, or somebody wants to keep it there.
            Some(known) if !known.is_gone => known.stage = Stage::Ended,
            _ => self.forget(key),
        }
    }

    /// Forgets a pod, and goes on with the one that has its name now.
    fn forget(&mut self, key: &str) {
        self.parts.shared().placed.remove(key);
        self.is_changed = true;
        if let Some(Known { successor: Some(pod), .. }) = self.pods.remove(key) {
            self.seen(pod);
        }
    }

    /// Does with a pod what is to be done at once: begins or ends its life, or has it wait for a node.
    fn settle(&mut self, key: &str) {
        let Some(known) = self.pods.get_mut(key) else { return };
        let course = known.pod.course;
        if let Stage::Living { orders, .. } = &known.stage {
            return match course {
                Course::Wanted => {}
                // It stays in the API as long as somebody wants it there.
                Course::Over => raise(orders, Order::Gone),
                Course::Deleted => raise(orders, Order::End),
            };
        }
        if course == Course::Over || matches!(known.stage, Stage::Ended) {
            return;
        }
        let Some(node) = known.pod.node.clone() else {
            if matches!(known.stage, Stage::New) && course == Course::Wanted {
                self.parts.book.made(key);
                known.stage = Stage::Waiting { until: None };
                self.queue.push_back(key.to_owned());
                self.is_changed = true;
            }
            return;
        };
        let was_ours = known.pod.is_workload || known.is_ours();
        match self.parts.nodes.get(&node) {
            Some(at) if at.socket.is_some() => self.begin(key, at, Order::Run),
            // Nobody will ever end it there.
            None if was_ours => self.begin(key, nowhere(node), Order::NodeLeft),
            _ => known.stage = Stage::Elsewhere,
        }
    }

    /// Begins the life of a pod on a node.
    fn begin(&mut self, key: &str, node: NodeAt, order: Order) {
        let Some(known) = self.pods.get_mut(key) else { return };
        let pod = known.pod.clone();
        let is_deleted = pod.course == Course::Deleted;
        let order = if order == Order::Run && is_deleted { Order::End } else { order };
        let (sender, receiver) = watch::channel(order);
        known.stage = Stage::Living { instance: node.instance.clone(), orders: sender };
        self.parts.book.made(key);
        self.parts.place(key, &node.name, pod.is_workload);
        let container = format!("{:032x}{:032x}", self.random.u128(..), self.random.u128(..));
        let (parts, key) = (Arc::clone(&self.parts), key.to_owned());
        let life = Life { parts, pod, key: key.clone(), node, container, orders: receiver };
        self.lives.spawn(async move {
            life.live().await;
            key
        });
    }

    fn on_bound(&mut self, Bound { key, uid, problem }: Bound) {
        let Some(known) = self.pods.get_mut(&key).filter(|known| known.pod.uid == uid) else {
            return;
        };
        // What was bound is seen to be so.
        let (Some(problem), Stage::Binding) = (problem, &known.stage) else { return };
        known.stage = Stage::Waiting { until: Some(Instant::now() + AGAIN) };
        self.parts.shared().placed.remove(&key);
        self.parts.book.waits(&key, &format!("not placed: {}", reason(&problem)));
        self.queue.push_back(key);
    }

    fn on_nodes(&mut self, event: Result<Event<NodeObject>, watcher::Error>) {
        match event {
            Ok(Event::Init) => self.listed_nodes.clear(),
            Ok(Event::InitApply(NodeObject { name, node, .. })) => {
                self.listed_nodes.insert(name, node);
            }
            Ok(Event::Apply(NodeObject { name, node, .. })) => {
                self.open_nodes.insert(name, node);
            }
            Ok(Event::Delete(NodeObject { name, .. })) => {
                self.open_nodes.remove(&name);
            }
            Ok(Event::InitDone) => self.open_nodes = std::mem::take(&mut self.listed_nodes),
            // The watch of pods says so, too.
            Err(_) => return,
        }
        let addresses = self.open_nodes.iter();
        let addresses = addresses.map(|(name, node)| (name.clone(), node.addresses.clone()));
        self.parts.shared().addresses = addresses.collect();
        self.is_changed = true;
    }

    /// Looks which nodes there are.
    fn look(&mut self) {
        let nodes = self.parts.nodes.all();
        if nodes != self.nodes {
            self.nodes = nodes;
            self.is_changed = true;
            self.leave_nodes();
        }
        let now = Instant::now();
        self.is_changed |= self.pods.values().any(|known| known.is_due(now));
    }

    /// Ends the pods of nodes that are gone, and begins those that waited for theirs.
    fn leave_nodes(&mut self) {
        let there: BTreeSet<_> = self.nodes.iter().map(|node| &node.instance).collect();
        let mut elsewhere = Vec::new();
        for (key, known) in &self.pods {
            match &known.stage {
                Stage::Living { instance, orders } if !there.contains(instance) => {
                    raise(orders, Order::NodeLeft);
                }
                Stage::Elsewhere => elsewhere.push(key.clone()),
                _ => {}
            }
        }
        for key in elsewhere {
            self.settle(&key);
        }
    }

    /// Places the pods that wait for a node, as far as there is room.
    fn place(&mut self) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        let mut candidates = self.candidates();
        let count =
            |wanted: fn(&Candidate) -> bool| candidates.iter().filter(|it| wanted(it)).count();
        let ready = (count(Candidate::is_ready), count(|candidate| candidate.serves));
        self.parts.ready.send_if_modified(|before| std::mem::replace(before, ready) != ready);
        let (now, mut left) = (Instant::now(), VecDeque::new());
        for key in std::mem::take(&mut self.queue) {
            let Some(known) = self.pods.get_mut(&key) else { continue };
            let Stage::Waiting { until } = &known.stage else { continue };
            if until.is_some_and(|until| now < until) {
                left.push_back(key);
                continue;
            }
            if known.pod.is_gated {
                self.parts.book.waits(&key, "held back by a scheduling gate");
                left.push_back(key);
                continue;
            }
            match choose(&mut candidates) {
                Ok(candidate) => {
                    candidate.pods += 1;
                    known.stage = Stage::Binding;
                    self.parts.place(&key, &candidate.name, known.pod.is_workload);
                    let (parts, pod) = (Arc::clone(&self.parts), known.pod.clone());
                    self.bindings.spawn(bind(parts, pod, candidate.name.clone()));
                }
                Err(why) => {
                    self.parts.book.waits(&key, &why.to_string());
                    left.push_back(key);
                }
            }
        }
        self.queue = left;
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut pods: BTreeMap<String, u32> = BTreeMap::new();
        for Placed { node, .. } in self.parts.shared().placed.values() {
            *pods.entry(node.clone()).or_default() += 1;
        }
        let candidate = |node: &NodeAt| Candidate {
            name: node.name.clone(),
            serves: node.socket.is_some(),
            is_open: self.open_nodes.get(&node.name).is_some_and(|node| node.is_open),
            is_draining: node.is_draining,
            pods: pods.get(&node.name).copied().unwrap_or_default(),
            at_most: node.pods_at_most,
        };
        // As they are now: who drains a node says so and goes on.
        self.parts.nodes.all().iter().map(candidate).collect()
    }

    /// Ends all lives where they are. Pods keep what they have.
    async fn end(mut self) {
        self.bindings.abort_all();
        for known in self.pods.values() {
            if let Stage::Living { orders, .. } = &known.stage {
                raise(orders, Order::Stop);
            }
        }
        let ended = timeout(PLUGINS_END, async { while self.lives.join_next().await.is_some() {} });
        if ended.await.is_err() {
            // Their plugins are killed with them.
            self.lives.shutdown().await;
        }
        let pods = Api::<Pod>::namespaced(self.parts.writes.client.clone(), NAMESPACE);
        let (now, ours) = (DeleteParams::default().grace_period(0), ours());
        if timeout(CLEAR, pods.delete_collection(&now, &ours)).await.is_err() {
            tracing::debug!("the pods are left in the API");
        }
    }
}

/// What selects the pods that come and go by themselves.
pub(super) fn ours() -> ListParams {
    ListParams::default().labels(&format!("app={LABEL}"))
}

/// A node that is gone, for a pod that is still bound to it.
fn nowhere(name: String) -> NodeAt {
    NodeAt {
        name,
        group: String::new(),
        instance: ec2_sim::id::InstanceId::from_number(0),
        instance_type: String::new(),
        zone: String::new(),
        socket: None,
        queue: std::path::PathBuf::new(),
        pods_at_most: 0,
        is_draining: false,
    }
}

/// Wants no less than this.
fn raise(orders: &watch::Sender<Order>, order: Order) {
    orders.send_if_modified(|now| {
        let is_more = *now < order;
        *now = order.max(*now);
        is_more
    });
}

/// A short reason, the same for all pods that have it.
fn reason(problem: &WriteError) -> String {
    match problem.code() {
        Some(code) => format!("the API server refused the binding with {code}"),
        None => "the API server does not answer".to_owned(),
    }
}

async fn bind(parts: Arc<Parts>, pod: SeenPod, node: String) -> Bound {
    let (key, SeenPod { namespace, name, uid, .. }) = (pod.key(), pod);
    let metadata = ObjectMeta {
        name: Some(name.clone()),
        namespace: Some(namespace.clone()),
        uid: Some(uid.clone()),
        ..ObjectMeta::default()
    };
    let target = ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Node".to_owned()),
        name: Some(node),
        ..ObjectReference::default()
    };
    let binding = Binding { metadata, target };
    let pods = Api::<Pod>::namespaced(parts.writes.client.clone(), &namespace);
    let parameters = PostParams::default();
    let bound = pods.create_subresource::<_, Status>("binding", &name, &parameters, &binding);
    let problem = parts.writes.once(bound).await.err();
    Bound { key, uid, problem }
}

impl Parts {
    /// Notes that a pod is on a node, or will be.
    fn place(&self, key: &str, node: &str, is_workload: bool) {
        let placed = Placed { node: node.to_owned(), is_workload };
        self.shared().placed.insert(key.to_owned(), placed);
    }
}

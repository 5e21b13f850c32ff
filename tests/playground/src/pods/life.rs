//! The life of a pod on its node, as its kubelet and container runtime lead it: ADD, status, DEL.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Resource};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

use super::seen::SeenPod;
use super::{Parts, status};
use crate::nodes::NodeAt;
use crate::plugin::{PluginError, Sandbox};

/// Between two looks for a Node that is not seen yet.
const NODE_PAUSE: Duration = Duration::from_millis(50);

/// The pause after the first failure of a plugin. It grows by itself with each in a row.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What is wanted of a pod. It only ever grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// That it runs.
    Run,
    /// That it ends, and is taken out of the API then.
    End,
    /// That it ends. It is out of the API already.
    Gone,
    /// That everything is left as it is.
    Stop,
    /// Nothing: its node is gone with all that was on it.
    NodeLeft,
}

/// A pod on a node.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) parts: Arc<Parts>,
    pub(super) pod: SeenPod,
    /// The pod's key.
    pub(super) key: String,
    pub(super) node: NodeAt,
    /// The id of its sandbox.
    pub(super) container: String,
    pub(super) orders: watch::Receiver<Order>,
}

impl Life {
    /// Leads it to its end.
    pub(super) async fn live(self) {
        self.parts.book.placed(&self.key, &self.node.name);
        let sandbox = (!self.pod.host_network).then(|| self.sandbox()).flatten();
        tokio::select! {
            biased;
            // Dropped with it are the plugin that runs, and whatever was still to be done on the node.
            () = self.reached(Order::NodeLeft) => {}
            () = self.on_node(sandbox.as_ref()) => {}
        }
        let order = self.order();
        if order == Order::Stop {
            return;
        }
        self.parts.book.ending(&self.key);
        if matches!(order, Order::End | Order::NodeLeft) {
            tokio::select! {
                () = self.take_out() => {}
                () = self.parts.stopped() => {}
            }
        }
        self.parts.book.ended(&self.key);
    }

    fn sandbox(&self) -> Option<Sandbox> {
        Some(Sandbox {
            container: self.container.clone(),
            namespace: self.pod.namespace.clone(),
            pod: self.pod.name.clone(),
            uid: self.pod.uid.clone(),
            socket: self.node.socket.clone()?,
            queue: self.node.queue.clone(),
        })
    }

    fn order(&self) -> Order {
        *self.orders.borrow()
    }

    /// Until at least this is wanted.
    async fn reached(&self, order: Order) {
        let mut orders = self.orders.clone();
        if orders.wait_for(|now| order <= *now).await.is_err() {
            // Who gives the orders is gone, and so is this soon.
            std::future::pending::<()>().await;
        }
    }

    async fn on_node(&self, sandbox: Option<&Sandbox>) {
        let addresses = match sandbox {
            None => Some(Vec::new()),
            Some(sandbox) => self.addresses(sandbox).await,
        };
        if let Some(addresses) = addresses.filter(|_| self.order() == Order::Run) {
            self.parts.book.started(&self.key, addresses.clone());
            self.tell_start(&addresses);
            tokio::select! {
                () = self.say_running(&addresses) => {}
                () = self.reached(Order::End) => {}
            }
        }
        self.reached(Order::End).await;
        if let Some(sandbox) = sandbox.filter(|_| self.order() != Order::Stop) {
            self.give_back(sandbox).await;
        }
    }

    /// ADD, until it is answered with addresses or not wanted any more.
    ///
    /// Every attempt is for the same sandbox, where a kubelet would make a new one: so what an attempt got whose answer was lost is
    /// what the next one gets, and is given back with it.
    async fn addresses(&self, sandbox: &Sandbox) -> Option<Vec<IpAddr>> {
        let mut pause = PAUSE_MIN;
        while self.order() == Order::Run {
            match self.attempt(sandbox).await? {
                Ok(addresses) => return Some(addresses),
                Err(error) => self.say_refused(&error),
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.reached(Order::End) => {}
            }
            pause = (pause + PAUSE_MIN).min(PAUSE_MAX);
        }
        None
    }

    /// One ADD. `None` if the pod is not wanted any more before its turn comes. After that it is waited for: a container
    /// runtime does not DEL a sandbox while its ADD runs.
    async fn attempt(&self, sandbox: &Sandbox) -> Option<Result<Vec<IpAddr>, PluginError>> {
        let turn = tokio::select! {
            turn = self.parts.runtime.turn(sandbox) => turn,
            () = self.reached(Order::End) => return None,
        };
        let add = self.parts.runtime.add(sandbox, turn);
        tokio::pin!(add);
        Some(tokio::select! {
            answer = &mut add => answer,
            () = self.reached(Order::End) => {
                if self.order() != Order::Stop {
                    // It waits no more, whatever the answer.
                    self.parts.book.ending(&self.key);
                }
                add.await
            }
        })
    }

    fn say_refused(&self, error: &PluginError) {
        self.parts.book.refused(&self.key, &error.reason());
        let why = berth_shell::problem::chain(error);
        if self.parts.may_say(&self.node.name, &why) {
            let text = format!("{} on {}: {why}", self.key, self.node.name);
            self.parts.news.warn(text);
        }
        if self.parts.may_send_event(&self.key, &why) {
            let event = status::no_sandbox(&self.pod, &self.node.name, &why, Timestamp::now());
            let (parts, namespace) = (Arc::clone(&self.parts), self.pod.namespace.clone());
            // Nothing depends on it, and nothing waits for it.
            tokio::spawn(async move { parts.send_event(&namespace, event).await });
        }
    }

    fn tell_start(&self, addresses: &[IpAddr]) {
        // Of those that come and go by themselves there are too many.
        if !self.pod.is_workload {
            let with: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let with = if with.is_empty() { "its node's".to_owned() } else { with.join(", ") };
            self.parts.news.tell(format!("{} runs on {} as {with}", self.key, self.node.name));
        }
    }

    /// The addresses of the node. Its Node may be seen a moment later than a pod that names it.
    async fn host(&self) -> Vec<IpAddr> {
        loop {
            let host = self.parts.addresses_of(&self.node.name);
            if !host.is_empty() {
                return host;
            }
            sleep(NODE_PAUSE).await;
        }
    }

    async fn say_running(&self, addresses: &[IpAddr]) {
        let host = self.host().await;
        let now = Timestamp::now();
        let body = status::running(&self.pod, &self.container, addresses, &host, now);
        let (pods, parameters) = (self.pods(), PatchParams::default());
        let patch = Patch::Strategic(&body);
        // Refused, because it is gone or another pod has its name.
        let ends = [404, 409, 422];
        let patched = || pods.patch_status(&self.pod.name, &parameters, &patch);
        let _ = self.parts.writes.until_done(&ends, patched).await;
    }

    /// DEL, until it is done. From here on the pod uses no address.
    async fn give_back(&self, sandbox: &Sandbox) {
        self.parts.book.ending(&self.key);
        let mut pause = PAUSE_MIN;
        while let Err(error) = self.parts.runtime.del(sandbox).await {
            let why = berth_shell::problem::chain(&error);
            if self.parts.may_say(&self.node.name, &why) {
                let text = format!("{} on {} is not ended: {why}", self.key, self.node.name);
                self.parts.news.warn(text);
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.reached(Order::Stop) => return,
            }
            pause = (pause + PAUSE_MIN).min(PAUSE_MAX);
        }
    }

    /// Takes the pod out of the API: as a kubelet does at its end, and the garbage collector for a node that is gone.
    async fn take_out(&self) {
        let preconditions =
            Preconditions { uid: Some(self.pod.uid.clone()), resource_version: None };
        let now = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(preconditions),
            ..DeleteParams::default()
        };
        let pods = self.pods();
        // Gone, or another one of the name.
        let ends = [404, 409];
        let _ = self.parts.writes.until_done(&ends, || pods.delete(&self.pod.name, &now)).await;
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.parts.writes.client.clone(), &self.pod.namespace)
    }
}

impl Parts {
    async fn send_event(&self, namespace: &str, event: Value) {
        let events = Api::<Event>::namespaced(self.writes.client.clone(), namespace);
        let Ok(event) = serde_json::from_value(event) else { return };
        if let Err(error) = self.writes.once(events.create(&PostParams::default(), &event)).await {
            tracing::debug!(%error, kind = %Event::kind(&()), "not written");
        }
    }
}

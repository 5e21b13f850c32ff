//! What the tests share: a cluster, and a publisher that is driven until nothing is left to write.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use berth_operator::kubernetes::nodes::{NodeChange, ObservedNode, watch};
use berth_operator::kubernetes::publish::{
    PublishEvent, PublishSettings, Publisher, Wanted, Write, WriteResult, carry_out,
};
use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesUnordered};
use futures::{FutureExt, Stream, StreamExt};
use http_body_util::{Either, Full};
use ipam_core::ids::NodeName;
use ipam_core::time::Tick;
use kube::api::{ApiResource, DynamicObject, PostParams};
use kube::client::Body;
use kube::{Api, Client};
use kube_sim::KubeSim;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tower::ServiceExt;

/// A cluster that knows `CiliumNode`s.
pub(crate) fn cluster() -> KubeSim {
    let sim = KubeSim::default();
    sim.register(serde_json::to_value(cilium_node::crd()).expect("JSON")).expect("a definition");
    sim
}

/// A client that is refused whatever `forbidden` holds for: a method and a path.
pub(crate) fn client_without(
    sim: &KubeSim,
    name: &str,
    forbidden: impl Fn(&str, &str) -> bool + Clone + Send + 'static,
) -> Client {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "message": "forbidden", "reason": "Forbidden", "code": 403});
    client_told(sim, name, &status, forbidden)
}

/// A client that is answered `status` whenever `meant` holds for a method and a path.
pub(crate) fn client_told(
    sim: &KubeSim,
    name: &str,
    status: &Value,
    meant: impl Fn(&str, &str) -> bool + Clone + Send + 'static,
) -> Client {
    let (service, body) = (sim.service(name), status.to_string());
    let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok());
    let code = code.and_then(|code| http::StatusCode::from_u16(code).ok()).expect("a code");
    let answer = tower::service_fn(move |request: http::Request<Body>| {
        let (meant, service, body) = (meant.clone(), service.clone(), body.clone());
        async move {
            if !meant(request.method().as_str(), request.uri().path()) {
                return service.oneshot(request).await.map(|it| it.map(Either::Left));
            }
            let mut response = http::Response::new(Either::Right(Full::new(body.into())));
            *response.status_mut() = code;
            Ok(response)
        }
    });
    Client::new(answer, "default")
}

/// The objects as an agent has them: any JSON.
pub(crate) fn objects(client: &Client) -> Api<DynamicObject> {
    Api::all_with(client.clone(), &ApiResource::erase::<cilium_node::CiliumNode>(&()))
}

/// Makes a node with this spec.
pub(crate) async fn create(client: &Client, name: &str, spec: Value) -> DynamicObject {
    let object = json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": name}, "spec": spec,
    });
    let object = serde_json::from_value(object).expect("an object");
    objects(client).create(&PostParams::default(), &object).await.expect("a node is made")
}

/// The name of a node.
pub(crate) fn name(text: &str) -> NodeName {
    text.parse().expect("a name")
}

/// The next item of a stream, within an hour of the simulated time.
pub(crate) async fn next<T: Debug>(stream: &mut (impl Stream<Item = T> + Unpin)) -> T {
    let item = timeout(Duration::from_hours(1), stream.next()).await;
    item.expect("an item in time").expect("a stream without end")
}

/// Whether nothing comes for a minute.
pub(crate) async fn is_silent<T: Debug>(stream: &mut (impl Stream<Item = T> + Unpin)) -> bool {
    timeout(Duration::from_mins(1), stream.next()).await.is_err()
}

/// A publisher with what it needs.
pub(crate) struct Desk {
    pub(crate) publisher: Publisher,
    pub(crate) wanted: BTreeMap<NodeName, Wanted>,
    /// What the publisher said beside what it published.
    pub(crate) said: Vec<PublishEvent>,
    client: Client,
    changes: BoxStream<'static, NodeChange>,
    on_their_way: FuturesUnordered<BoxFuture<'static, (Write, WriteResult)>>,
    start: Instant,
}

impl Desk {
    pub(crate) fn new(client: &Client) -> Self {
        Self {
            publisher: Publisher::new(PublishSettings::default()),
            wanted: BTreeMap::new(),
            said: vec![],
            client: client.clone(),
            changes: watch(client.clone()).boxed(),
            on_their_way: FuturesUnordered::new(),
            start: Instant::now(),
        }
    }

    pub(crate) fn want(&mut self, node: &str, wanted: Wanted) {
        self.wanted.insert(name(node), wanted);
        self.publisher.on_wanted(&name(node));
    }

    /// Hands on what is observed, and publishes, until nothing has happened for `quiet`. `on_seen` may want
    /// something for each node that is seen.
    pub(crate) async fn run(
        &mut self,
        quiet: Duration,
        mut on_seen: impl FnMut(&ObservedNode) -> Option<Wanted>,
    ) {
        loop {
            self.write();
            let wake = self
                .publisher
                .deadline()
                .map(|at| self.start + Duration::from_millis(at.as_millis()));
            let wake = wake.unwrap_or_else(|| Instant::now() + Duration::from_hours(24));
            tokio::select! {
                Some((write, result)) = self.on_their_way.next() => {
                    let now = self.now();
                    self.publisher.on_written(now, &write, result);
                }
                change = self.changes.next() => match change.expect("a stream without end") {
                    NodeChange::Seen(node) => {
                        if let Some(wanted) = on_seen(&node) {
                            self.want(node.seen.name.as_str(), wanted);
                        }
                        self.publisher.on_observed(&node.seen.name, &node.object, node.seen.ignored);
                    }
                    NodeChange::Gone(name) => self.publisher.forget(&name),
                    NodeChange::Listed | NodeChange::Away { .. } | NodeChange::Unreadable { .. } => {}
                },
                () = tokio::time::sleep_until(wake) => {}
                () = tokio::time::sleep(quiet) => return,
            }
        }
    }

    fn write(&mut self) {
        let (now, wanted) = (self.now(), &self.wanted);
        while let Some(write) = self.publisher.poll_write(now, |name| wanted.get(name).cloned()) {
            let client = self.client.clone();
            let done = async move {
                let result = carry_out(&client, &write).await;
                (write, result)
            };
            self.on_their_way.push(done.boxed());
        }
        while let Some(event) = self.publisher.poll_event() {
            if !matches!(event, PublishEvent::Published { .. }) {
                self.said.push(event);
            }
        }
    }

    fn now(&self) -> Tick {
        Tick::from_millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

//! What careless tests and hostile clients do to a simulator, and what is left of it afterwards.

#[cfg(test)]
mod cluster;
#[cfg(test)]
mod raw;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cilium_node::CiliumNode;
use futures::StreamExt;
use http::{Method, Request};
use http_body::Body as _;
use kube::api::{Api, DeleteParams, PostParams};
use kube::client::Body;
use kube_sim::{Effect, KubeSim, Rule, Settings, When};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::cluster::{Cluster, Face, NAME, node, within};
use crate::raw::send;

const NODES: &str = "/apis/cilium.io/v2/ciliumnodes";

fn open(cluster: &Cluster) -> usize {
    cluster.sim.with_store(|store| store.open_watches())
}

#[tokio::test]
async fn watches_that_are_dropped_or_cut_leave_nothing() {
    for face in Face::ALL {
        let cluster = Cluster::start(face).await;
        let nodes: Api<CiliumNode> = Api::all(cluster.client.clone());
        nodes.create(&PostParams::default(), &node("a")).await.unwrap();
        let count = if face == Face::InProcess { 1_000 } else { 50 };
        let mut watches = Vec::new();
        for _ in 0..count {
            let watch = nodes.watch(&kube::api::WatchParams::default(), "0").await.unwrap();
            watches.push(watch.boxed());
        }
        assert_eq!(open(&cluster), count);
        for watch in &mut watches {
            assert!(within(watch.next()).await.unwrap().is_ok());
        }
        watches.truncate(count / 2);
        within(async {
            while open(&cluster) != count / 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        assert_eq!(cluster.sim.cut_watches(None, None), count / 2);
        for mut watch in watches {
            assert!(within(watch.next()).await.is_none());
        }
        within(async {
            while open(&cluster) != 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        assert_eq!(cluster.sim.cut_watches(None, None), 0);
        cluster.stop().await;
    }
}

#[tokio::test]
async fn bodies_that_are_no_objects() {
    let cluster = Cluster::start(Face::InProcess).await;
    let deep = [b"[".repeat(100_000), b"{\"a\":".repeat(100_000)].concat();
    for body in [b"{\"a\":".to_vec(), b"\xff\xfe".to_vec(), b"[]".to_vec(), Vec::new(), deep] {
        for method in [Method::POST, Method::DELETE, Method::PUT] {
            let path = if method == Method::POST { NODES.to_owned() } else { format!("{NODES}/a") };
            let (code, text) = send(&cluster.sim, method.clone(), &path, body.clone()).await;
            let status: Value = serde_json::from_str(&text).unwrap();
            let expected = if method == Method::DELETE && body.is_empty() { 404 } else { 400 };
            assert_eq!(code, expected, "{method} {text}");
            assert_eq!(status["kind"], "Status");
        }
    }
    let (code, _) = send(&cluster.sim, Method::POST, NODES, vec![b' '; 4 << 20]).await;
    assert_eq!(code, 413);
}

#[tokio::test]
async fn one_seed_gives_the_same_uids_and_names() {
    let run = async || {
        let sim = KubeSim::new(Settings { seed: 7, ..Settings::default() });
        let mut made = Vec::new();
        for _ in 0..50 {
            let lease = json!({"metadata": {"generateName": "l-"}}).to_string().into_bytes();
            let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
            let (code, lease) = send(&sim, Method::POST, path, lease).await;
            assert_eq!(code, 201);
            let lease: Value = serde_json::from_str(&lease).unwrap();
            made.push((lease["metadata"]["name"].clone(), lease["metadata"]["uid"].clone()));
        }
        made
    };
    assert_eq!(run().await, run().await);
}

#[tokio::test]
async fn owners_in_a_circle_go_together() {
    let cluster = Cluster::start(Face::InProcess).await;
    let nodes: Api<CiliumNode> = Api::all(cluster.client.clone());
    for policy in [DeleteParams::background(), DeleteParams::foreground()] {
        let mut made = Vec::new();
        for name in ["a", "b"] {
            made.push(nodes.create(&PostParams::default(), &node(name)).await.unwrap());
        }
        for (name, owner) in [("a", &made[1]), ("b", &made[0])] {
            let owner = json!({
                "apiVersion": "cilium.io/v2", "kind": "CiliumNode",
                "name": owner.metadata.name, "uid": owner.metadata.uid,
            });
            let patch = kube::api::Patch::Merge(json!({"metadata": {"ownerReferences": [owner]}}));
            nodes.patch(name, &kube::api::PatchParams::default(), &patch).await.unwrap();
        }
        nodes.delete("a", &policy).await.unwrap();
        let left = nodes.list(&kube::api::ListParams::default()).await.unwrap();
        assert!(left.items.is_empty(), "{:?} leaves {}", policy, left.items.len());
    }
}

#[tokio::test(start_paused = true)]
async fn rules_that_overlap_add_their_latencies_and_the_first_fate_holds() {
    let cluster = Cluster::start(Face::InProcess).await;
    let rule =
        |when, effect| Rule { client: None, verb: None, resource: None, name: None, when, effect };
    for effect in [
        Effect::Latency { millis: 100 },
        Effect::Unavailable,
        Effect::Latency { millis: 20 },
        Effect::InternalError,
    ] {
        cluster.sim.add_fault(rule(When::First(2), effect));
    }
    let mut codes = Vec::new();
    let began = Instant::now();
    for _ in 0..3 {
        codes.push(send(&cluster.sim, Method::GET, NODES, Vec::new()).await.0);
    }
    assert_eq!(codes, [503, 503, 200]);
    assert_eq!(began.elapsed(), Duration::from_millis(240));
}

/// A waker that counts.
struct Count(AtomicU64);

impl std::task::Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Nothing but bookmarks wakes a quiet watch, so that paused time can leap.
#[tokio::test(start_paused = true)]
async fn a_quiet_watch_sleeps() {
    let cluster = Cluster::start(Face::InProcess).await;
    let path = format!("{NODES}?watch=true&resourceVersion=0&allowWatchBookmarks=true");
    let request = Request::get(path).body(Body::empty()).unwrap();
    let mut body = cluster.sim.service(NAME).oneshot(request).await.unwrap().into_body();
    let count = Arc::new(Count(AtomicU64::new(0)));
    let waker = std::task::Waker::from(count.clone());
    let mut bookmarks = 0;
    for _ in 0..20 {
        let mut context = std::task::Context::from_waker(&waker);
        while std::pin::Pin::new(&mut body).poll_frame(&mut context).is_ready() {
            bookmarks += 1;
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    assert!((9..=10).contains(&bookmarks), "{bookmarks} bookmarks in ten minutes");
    assert!(count.0.load(Ordering::Relaxed) <= 20, "it wakes too often");
}

#[tokio::test]
async fn a_definition_that_goes_ends_its_watches_after_telling_of_the_objects() {
    let cluster = Cluster::start(Face::InProcess).await;
    let nodes: Api<CiliumNode> = Api::all(cluster.client.clone());
    nodes.create(&PostParams::default(), &node("a")).await.unwrap();
    let mut watch = nodes.watch(&kube::api::WatchParams::default(), "0").await.unwrap().boxed();
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ciliumnodes.cilium.io";
    assert_eq!(send(&cluster.sim, Method::DELETE, path, Vec::new()).await.0, 200);
    let mut told = Vec::new();
    while let Some(event) = within(watch.next()).await {
        told.push(match event.unwrap() {
            kube::api::WatchEvent::Added(_) => "added",
            kube::api::WatchEvent::Deleted(_) => "deleted",
            _ => "other",
        });
    }
    assert_eq!(told, ["added", "deleted"]);
    assert_eq!(send(&cluster.sim, Method::GET, NODES, Vec::new()).await.0, 404);
}

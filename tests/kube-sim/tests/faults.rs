//! Faults, counters and partitions, and what a reflector makes of them.

#[cfg(test)]
mod cluster;

use std::time::Duration;

use cilium_node::CiliumNode;
use futures::{StreamExt, TryStreamExt};
use http::{Method, Request};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube_sim::{Effect, Rule, When};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::cluster::{Cluster, Face, NAME, node, within};

fn rule(effect: Effect) -> Rule {
    Rule { client: None, verb: None, resource: None, name: None, when: When::Always, effect }
}

fn nodes(cluster: &Cluster) -> Api<CiliumNode> {
    Api::all(cluster.client.clone())
}

async fn patch(nodes: &Api<CiliumNode>, wanted: i64) -> Result<CiliumNode, u16> {
    let patch = json!({"spec": {"ipam": {"min-allocate": wanted}}});
    let patched = nodes.patch("a", &PatchParams::default(), &Patch::Merge(patch)).await;
    patched.map_err(|error| match error {
        kube::Error::Api(status) => status.code,
        _ => 0,
    })
}

/// A simulator in process with one node, `a`.
async fn with_node() -> (Cluster, Api<CiliumNode>) {
    let cluster = Cluster::start(Face::InProcess).await;
    let nodes = nodes(&cluster);
    assert!(nodes.create(&PostParams::default(), &node("a")).await.is_ok());
    (cluster, nodes)
}

#[tokio::test(start_paused = true)]
async fn a_conflict_storm_passes() {
    let (cluster, nodes) = with_node().await;
    cluster.sim.add_fault(Rule { when: When::First(2), ..rule(Effect::Conflict) });
    let mut answers = Vec::new();
    for wanted in 1..=3 {
        answers.push(patch(&nodes, wanted).await.map(|_| ()));
    }
    assert_eq!(answers, [Err(409), Err(409), Ok(())]);
}

#[tokio::test(start_paused = true)]
async fn a_binding_fails_and_is_counted_as_what_it_is() {
    let cluster = Cluster::start(Face::InProcess).await;
    let pods = Api::<Pod>::default_namespaced(cluster.client.clone());
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": []}});
    pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
    let (resource, when) = (Some("pods/binding".to_owned()), When::First(1));
    cluster.sim.add_fault(Rule { resource, when, ..rule(Effect::Unavailable) });
    let binding = json!({"metadata": {"name": "p"}, "target": {"name": "n"}});
    let parameters = PostParams::default();
    for expected in [Err(503), Ok(201), Err(409)] {
        let bound = pods.create_subresource::<_, Status>("binding", "p", &parameters, &binding);
        let found = match bound.await {
            Ok(status) => Ok(status.code.unwrap_or_default()),
            Err(kube::Error::Api(status)) => Err(status.code),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, expected);
    }
    let counters = cluster.sim.counters();
    let of = |code: u16| {
        counters.count(|counted| counted.resource == "pods/binding" && counted.code == code)
    };
    assert_eq!([503, 201, 409].map(of), [1, 1, 1]);
    assert_eq!(counters.writes("pods"), 2, "a create and a binding");
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_and_writes_told_apart() {
    let (cluster, nodes) = with_node().await;
    patch(&nodes, 1).await.unwrap();
    cluster.sim.add_fault(rule(Effect::InternalError));
    assert_eq!(patch(&nodes, 2).await.unwrap_err(), 500);
    let counters = cluster.sim.counters();
    assert_eq!(counters.writes("ciliumnodes"), 2);
    assert_eq!(counters.count(|it| it.client == NAME && it.code == 500), 1);
    cluster.sim.reset_counters();
    assert_eq!(cluster.sim.counters().count(|_| true), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_not_a_lost_write() {
    let (cluster, nodes) = with_node().await;
    let fault = cluster.sim.add_fault(rule(Effect::CommitThenDrop));
    assert_eq!(patch(&nodes, 1).await.unwrap_err(), 0);
    assert!(cluster.sim.remove_fault(fault));
    cluster.sim.add_fault(Rule { when: When::Nth(1), ..rule(Effect::DropBeforeCommit) });
    assert_eq!(patch(&nodes, 2).await.unwrap_err(), 0);
    let read = nodes.get("a").await.unwrap();
    assert_eq!(serde_json::to_value(read).unwrap()["spec"]["ipam"]["min-allocate"], 1);
}

#[tokio::test(start_paused = true)]
async fn reads_may_be_stale() {
    let (cluster, nodes) = with_node().await;
    patch(&nodes, 1).await.unwrap();
    nodes.create(&PostParams::default(), &node("b")).await.unwrap();
    cluster.sim.add_fault(rule(Effect::Stale { writes_behind: 2 }));
    let listed = nodes.list(&ListParams::default()).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    assert_eq!(nodes.get("a").await.unwrap().metadata.generation, Some(1));
    assert!(nodes.get("b").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn latency_is_by_tokios_clock() {
    let (cluster, nodes) = with_node().await;
    cluster.sim.add_fault(rule(Effect::Latency { millis: 90_000 }));
    let before = (Instant::now(), cluster.sim.now());
    nodes.get("a").await.unwrap();
    assert_eq!(before.0.elapsed().as_secs(), 90);
    assert_eq!(cluster.sim.now().duration_since(before.1).as_secs(), 90);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_cut_off_hears_nothing_until_it_is_not() {
    let (cluster, nodes) = with_node().await;
    let mut events = nodes.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    assert!(matches!(events.try_next().await.unwrap().unwrap(), WatchEvent::Added(_)));
    let fault = Rule { client: Some(NAME.into()), ..rule(Effect::Partition) };
    let fault = cluster.sim.add_fault(fault);
    let other: Api<CiliumNode> = Api::all(cluster.sim.client("other"));
    patch(&other, 1).await.unwrap();
    let wait = Duration::from_secs(30);
    assert!(tokio::time::timeout(wait, events.try_next()).await.is_err());
    assert!(tokio::time::timeout(wait, nodes.get("a")).await.is_err());
    cluster.sim.remove_fault(fault);
    assert!(matches!(events.try_next().await.unwrap().unwrap(), WatchEvent::Modified(_)));
    assert!(nodes.get("a").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_gets_bookmarks_and_ends() {
    let (_cluster, nodes) = with_node().await;
    let parameters = WatchParams::default().timeout(100);
    let mut events = nodes.watch(&parameters, "0").await.unwrap().boxed();
    let mut told = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        told.push(matches!(event, WatchEvent::Bookmark(_)));
    }
    assert_eq!(told, [false, true]);
}

/// Follows the nodes of a cluster. Answers once it has seen those that are there.
async fn follow(cluster: &Cluster, config: watcher::Config) -> reflector::Store<CiliumNode> {
    let (store, writer) = reflector::store();
    let events = watcher(nodes(cluster), config).default_backoff().reflect(writer);
    tokio::spawn(events.for_each(|_| async {}));
    assert!(within(store.wait_until_ready()).await.is_ok());
    store
}

async fn until(store: &reflector::Store<CiliumNode>, count: usize) {
    within(async {
        while store.len() != count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_reflector_survives_a_cut_and_a_compaction() {
    for face in Face::ALL {
        for streams in [false, true] {
            let cluster = Cluster::start(face).await;
            let all = nodes(&cluster);
            all.create(&PostParams::default(), &node("a")).await.unwrap();
            let config = watcher::Config::default();
            let config = if streams { config.streaming_lists() } else { config };
            let store = follow(&cluster, config).await;
            within(async {
                while cluster.sim.with_store(|store| store.open_watches()) == 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
            .await;
            assert_eq!(cluster.sim.cut_watches(Some(NAME), Some("ciliumnodes")), 1);
            all.create(&PostParams::default(), &node("b")).await.unwrap();
            until(&store, 2).await;
            // What it has seen last is forgotten while it is not listening.
            let refuse =
                cluster.sim.add_fault(Rule { client: Some(NAME.into()), ..rule(Effect::Refuse) });
            cluster.sim.cut_watches(None, None);
            let other: Api<CiliumNode> = Api::all(cluster.sim.client("other"));
            other.create(&PostParams::default(), &node("c")).await.unwrap();
            cluster.sim.compact();
            cluster.sim.remove_fault(refuse);
            until(&store, 3).await;
            cluster.stop().await;
        }
    }
}

#[tokio::test]
async fn the_controls_answer_over_http() {
    let cluster = Cluster::start(Face::Http).await;
    let send = async |method: Method, path: &str, body: Value| {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder().method(method).uri(format!("/_sim{path}"));
        cluster.client.request::<Value>(request.body(body).unwrap()).await
    };
    let effect = json!({"tooManyRequests": {"retryAfterSeconds": 7}});
    let rule = json!({"verb": "get", "when": {"first": 1}, "effect": effect});
    let made = send(Method::POST, "/faults", rule.clone()).await.unwrap();
    let listed = send(Method::GET, "/faults", Value::Null).await.unwrap();
    assert_eq!(listed["faults"][0]["id"], made["id"]);
    assert_eq!(listed["faults"][0]["rule"], rule);
    send(Method::DELETE, &format!("/faults/{}", made["id"]), Value::Null).await.unwrap();
    nodes(&cluster).list(&ListParams::default()).await.unwrap();
    let counters = send(Method::GET, "/counters", Value::Null).await.unwrap();
    let expected =
        json!({"client": NAME, "verb": "list", "resource": "ciliumnodes", "code": 200, "times": 1});
    assert!(counters["counters"].as_array().unwrap().contains(&expected), "{counters}");
    let state = send(Method::POST, "/compact", Value::Null).await.unwrap();
    assert_eq!(state["resourceVersion"], state["oldestResourceVersion"]);
    let wrong = send(Method::POST, "/faults", json!({"effect": "conflikt"})).await.unwrap_err();
    assert!(matches!(wrong, kube::Error::Api(status) if status.code == 400));
    cluster.stop().await;
}

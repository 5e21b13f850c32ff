//! Clusters that the playground keeps its hands off, and plans that it cannot play.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use jiff::Timestamp;
use kube::api::{DynamicObject, PostParams};
use kube::{Api, Discovery};
use kube_sim::{KubeSim, Server};
use playground::news::News;
use playground::plan::Plan;
use playground::stage::{Place, RUN_LABEL, Stage};
use serde_json::{Value, json};

use crate::bed::{group, plan};

const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A cluster of somebody with these objects in it, and what a stage says that is to be built there.
async fn check(objects: &[Value], expected: &str) {
    let sim = KubeSim::default();
    sim.register(serde_json::to_value(cilium_node::crd()).unwrap()).unwrap();
    for object in objects {
        create(&sim, object).await;
    }
    let server = Server::start(sim.clone(), ANY).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, server.kubeconfig("playground")).unwrap();
    sim.reset_counters();
    let place = Place { kubeconfig: Some(path), ..Place::default() };
    let built = Stage::build(&plan(vec![group("web", 1)]), place, News::default()).await;
    let said = built.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(said.contains(expected), "{said}");
    for resource in ["nodes", "ciliumnodes", "namespaces", "leases", "customresourcedefinitions"] {
        assert_eq!(sim.counters().writes(resource), 0, "{resource}: nothing is written");
    }
    server.stop().await;
}

async fn create(sim: &KubeSim, object: &Value) {
    let client = sim.client("somebody");
    let discovery = Discovery::new(client.clone()).run().await.unwrap();
    let (group, version) =
        object["apiVersion"].as_str().unwrap().rsplit_once('/').unwrap_or(("", "v1"));
    let kind = kube::api::GroupVersionKind::gvk(group, version, object["kind"].as_str().unwrap());
    let (resource, _) = discovery.resolve_gvk(&kind).unwrap();
    let namespace = object["metadata"]["namespace"].as_str();
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let object = serde_json::from_value(object.clone()).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

fn object(version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}})
}

/// Made by a run of the playground.
fn ours(mut object: Value) -> Value {
    object["metadata"]["labels"] = json!({RUN_LABEL: "1"});
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_somebody_are_left_alone() {
    let node = |name| object("v1", "Node", name);
    check(&[node("a"), node("b"), ours(node("c"))], "in use: Node a and 1 more").await;
    let mut cilium_node = object("cilium.io/v2", "CiliumNode", "a");
    cilium_node["spec"] = json!({});
    check(&[cilium_node], "in use: CiliumNode a and 0 more").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_of_somebody_is_left_alone() {
    check(&[object("v1", "Namespace", "playground")], "in use: Namespace playground").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_run_is_left_alone() {
    let mut lease = object("coordination.k8s.io/v1", "Lease", "berth-operator");
    lease["metadata"]["namespace"] = "playground".into();
    lease["spec"] = json!({
        "holderIdentity": "playground-operator-1-1",
        "leaseDurationSeconds": 600,
        "renewTime": format!("{:.6}", Timestamp::now()),
    });
    let namespace = ours(object("v1", "Namespace", "playground"));
    check(&[namespace, lease], "playground-operator-1-1 holds the Lease").await;
}

/// What is said of a plan that cannot be played.
async fn refuse(plan: &Plan, expected: &str) {
    let stage = match Stage::build(plan, Place::default(), News::default()).await {
        Err(error) => return assert!(error.to_string().contains(expected), "{error}"),
        Ok(stage) => stage,
    };
    let error = stage.open().await.unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
    assert_eq!(stage.end().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_named() {
    let mut wrong = plan(vec![group("web", 1)]);
    wrong.operator = vec!["--audit-interval=soon".to_owned()];
    refuse(&wrong, "--audit-interval").await;
    let mut wrong = plan(vec![group("web", 1)]);
    wrong.agent = vec!["--address-wait=1h".to_owned()];
    refuse(&wrong, "the flags of the agent of web-1").await;
    let mut wrong = plan(vec![group("web", 1)]);
    wrong.nodes[0].subnets = vec!["c".to_owned()];
    refuse(&wrong, "web-1 cannot be launched: there is no subnet \"c\"").await;
    let mut wrong = plan(vec![group("web", 1)]);
    wrong.network.subnets[1].cidr = wrong.network.subnets[0].cidr;
    refuse(&wrong, "EC2: subnet ipv4_cidr").await;
}

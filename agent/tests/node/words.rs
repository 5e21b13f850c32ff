//! What the machine hears of the object.

use std::time::Duration;

use kube::api::DeleteParams;
use kube_sim::KubeSim;
use serde_json::{Value, json};

use crate::bed::{Bed, NODE, change, cluster, create, node, objects, pass, until};

/// What was heard last: the pool and what is wrong.
fn last(bed: &Bed) -> String {
    bed.machine.see(|told| {
        let Some(word) = told.words.last() else { return "nothing".to_owned() };
        let pool: Vec<String> = word.pool.iter().flatten().map(|(at, _)| at.to_string()).collect();
        format!("{} {}", pool.join(" "), word.blocked.clone().unwrap_or_default())
    })
}

fn pool(address: &str) -> Value {
    json!({"spec": {"ipam": {"pool": {address: {"resource": "eni-1"}}}}})
}

async fn until_last(bed: &Bed, expected: &str) {
    until(expected, || last(bed) == expected).await;
}

#[tokio::test(start_paused = true)]
async fn each_change_is_heard_once() {
    let sim = cluster().await;
    let bed = Bed::start(&sim);
    bed.created().await;
    until("heard", || *bed.heard.borrow()).await;
    let operator = sim.client("operator");
    change(&operator, "ciliumnodes", &pool("10.0.0.1")).await;
    until_last(&bed, "10.0.0.1 ").await;
    let reason = json!({"status": {"ipam": {"operator-status": {"error": "no address"}}}});
    change(&operator, "ciliumnodes", &reason).await;
    until_last(&bed, "10.0.0.1 no address").await;
    let count = bed.machine.see(|told| told.words.len());
    change(&operator, "ciliumnodes", &json!({"spec": {"bootid": "b"}})).await;
    pass(Duration::from_mins(10)).await;
    assert_eq!(bed.machine.see(|told| told.words.len()), count, "nothing new is said");
}

#[tokio::test(start_paused = true)]
async fn other_nodes_are_not_heard() {
    let sim = cluster().await;
    let bed = Bed::start(&sim);
    bed.created().await;
    until("heard", || *bed.heard.borrow()).await;
    let mut other = pool("10.0.0.9");
    other["metadata"] = json!({"name": "node-2"});
    other["apiVersion"] = json!("cilium.io/v2");
    other["kind"] = json!("CiliumNode");
    create(&sim.client("operator"), "ciliumnodes", &other).await;
    pass(Duration::from_mins(10)).await;
    assert_eq!(last(&bed), " ");
}

#[tokio::test(start_paused = true)]
async fn what_was_said_while_the_watch_was_broken_is_heard() {
    let sim = cluster().await;
    let bed = Bed::start(&sim);
    bed.created().await;
    let operator = sim.client("operator");
    sim.cut_watches(Some("agent"), None);
    change(&operator, "ciliumnodes", &pool("10.0.0.1")).await;
    sim.compact();
    until_last(&bed, "10.0.0.1 ").await;
    objects(&operator, "ciliumnodes")
        .delete(NODE, &DeleteParams::default())
        .await
        .expect("deleted");
    until_last(&bed, " ").await;
}

/// Stored past the API, as a server without validation would have it.
#[tokio::test(start_paused = true)]
async fn one_bad_member_costs_itself() {
    let sim = KubeSim::default();
    let mut definition = serde_json::to_value(cilium_node::crd()).expect("JSON");
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] =
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    sim.register(definition).expect("a definition");
    create(&sim.client("kubelet"), "nodes", &node(NODE, "10.20.0.8")).await;
    let bed = Bed::start(&sim);
    bed.created().await;
    let operator = sim.client("operator");
    let bad = json!({"spec": {"ipam": {"pools": 7, "pool": {"10.0.0.1": {"resource": "eni-1"}, "x": {}}},
        "addresses": {"a": 1}}});
    change(&operator, "ciliumnodes", &bad).await;
    until_last(&bed, "10.0.0.1 ").await;
    change(&operator, "ciliumnodes", &json!({"spec": "nothing"})).await;
    pass(Duration::from_mins(10)).await;
    assert_eq!(bed.object().expect("an object")["spec"]["instance-id"], "i-357919cd05457eec6");
}

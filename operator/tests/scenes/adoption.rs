//! Nodes that Cilium's operators managed until now: what has what it needs is left as it is, at EC2 and in its object.

mod recorded;
mod world;

use std::time::Duration;

use kube::api::{DynamicObject, ObjectMeta, PostParams};
use serde_json::Value;

use crate::rig::Rig;
use crate::rig::agent::nodes;

/// The node whose agent has agreed to give addresses back already: the new operator goes on with it.
const AGREED: &str = "g1/32-release-3-answered";

/// An operator takes over the recorded node, and nothing else happens for 20 minutes.
async fn adopt(name: &str, object: &Value, planned: &str) {
    let mut rig = Rig::empty("us-east-1");
    rig.register(serde_json::to_value(cilium_node::crd()).unwrap());
    let object = world::build(&rig, object);
    put(&rig, &object).await;
    let before = rig.object(object["metadata"]["name"].as_str().unwrap());
    // Renewals of the Lease are most of what happens in 20 minutes otherwise.
    rig.flags(["--leader-election-lease-duration", "300s"]);
    rig.flags(["--leader-election-renew-deadline", "200s"]);
    rig.flags(["--leader-election-retry-period", "60s"]);
    // What nodes have to spare is another matter.
    rig.flags(["--excess-ip-release-delay", "3600"]);
    if name.contains("prefix") {
        rig.flags(["--aws-enable-prefix-delegation=true"]);
    }
    rig.start_operator("x");
    rig.wait(Duration::from_mins(20)).await;
    assert_eq!(rig.running(), ["x"], "{name}");
    let journal = rig.journal_text();
    let mut after = rig.object(object["metadata"]["name"].as_str().unwrap());
    let is_blocked = planned.starts_with("blocked");
    let asks = name == AGREED || !["nothing", "ignored"].contains(&planned) && !is_blocked;
    if is_blocked && forget_error(&mut after, &before) {
        assert_eq!((rig.mutations(), rig.writes()), (0, 1), "{name}: the reason and no more");
    } else {
        let done = (rig.mutations() > 0, rig.writes() > 0);
        assert_eq!(done, (asks, asks), "{name}: {planned}\n{journal}\n{before}\n{after}");
    }
    assert_eq!(after == before, !asks, "{name}: {planned}\n{before}\n{after}");
    rig.check_promises();
}

/// Takes what the agent was told out of its object, with the version of that write. Answers whether it was told anything.
fn forget_error(after: &mut Value, before: &Value) -> bool {
    let told = after.pointer_mut("/status/ipam/operator-status").and_then(Value::as_object_mut);
    let is_told = told.and_then(|told| told.remove("error")).is_some();
    if is_told {
        after["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
    }
    is_told
}

/// Puts an object into the API with its status, as its agent and its operator left it.
async fn put(rig: &Rig, object: &Value) {
    let api = nodes(rig.kube.client("recording"));
    let mut sent: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    // Versions, uids and owners are another cluster's.
    sent.metadata = ObjectMeta {
        name: sent.metadata.name,
        labels: sent.metadata.labels,
        annotations: sent.metadata.annotations,
        ..ObjectMeta::default()
    };
    // No state of the object names an address that its status lacks.
    let pool = sent.data["spec"]["ipam"].as_object_mut().unwrap().remove("pool");
    let mut stored = api.create(&PostParams::default(), &sent).await.unwrap();
    let name = object["metadata"]["name"].as_str().unwrap();
    if object["status"].is_object() {
        stored.data["status"] = object["status"].clone();
        stored = api.replace_status(name, &PostParams::default(), &stored).await.unwrap();
    }
    if let Some(pool) = pool {
        stored.data["spec"]["ipam"]["pool"] = pool;
        api.replace(name, &PostParams::default(), &stored).await.unwrap();
    }
}

/// Adopts the recorded nodes whose names start with `folder`.
async fn adopt_all(folder: &str, expected: usize) {
    let mut adopted = 0;
    for (name, planned) in recorded::planned() {
        if name.starts_with(folder) {
            adopt(&name, &recorded::object(&name), &planned).await;
            adopted += 1;
        }
    }
    assert_eq!(adopted, expected);
}

#[tokio::test(start_paused = true)]
async fn a_node_of_an_older_installation_is_taken_over() {
    adopt_all("1.13", 1).await;
}

#[tokio::test(start_paused = true)]
async fn nodes_of_the_per_ip_contract_are_taken_over() {
    adopt_all("g1/", 27).await;
}

#[tokio::test(start_paused = true)]
async fn nodes_of_the_cidr_contract_are_taken_over() {
    adopt_all("g2/", 27).await;
}

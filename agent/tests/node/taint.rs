//! The taint that keeps pods away.

use std::time::Duration;

use berth_agent::kubernetes::taint::{KEY_DEFAULT, Removed, remove};
use ipam_core::ids::NodeName;
use kube_sim::{Effect, KubeSim, When};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::bed::{NODE, change, cluster, create, node, rule};

async fn tainted() -> KubeSim {
    let sim = cluster().await;
    let taints = json!([
        {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"},
        {"key": KEY_DEFAULT, "value": "true", "effect": "NoExecute"},
        {"key": "dedicated", "value": "db", "effect": "NoSchedule"},
    ]);
    change(&sim.client("kubelet"), "nodes", &json!({"spec": {"taints": taints}})).await;
    sim
}

async fn removed(sim: &KubeSim) -> usize {
    let name: NodeName = NODE.parse().expect("a name");
    let client = sim.client("agent");
    let removed = timeout(Duration::from_hours(1), remove(&client, &name, KEY_DEFAULT)).await;
    let Removed(count) = removed.expect("removed in time");
    count
}

/// The keys of the taints.
fn keys(sim: &KubeSim) -> Vec<String> {
    let node = sim.object("nodes", "", NODE).expect("a Node");
    let taints = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
    taints.iter().map(|taint| taint["key"].as_str().expect("a key").to_owned()).collect()
}

fn writes(sim: &KubeSim) -> u64 {
    sim.counters().count(|it| it.client == "agent" && it.verb.is_write())
}

fn without_versions(mut node: Value) -> Value {
    let metadata = node["metadata"].as_object_mut().expect("metadata");
    metadata.remove("resourceVersion");
    metadata.remove("managedFields");
    node["spec"].as_object_mut().expect("a spec").remove("taints");
    node
}

#[tokio::test(start_paused = true)]
async fn the_taint_goes_and_nothing_else() {
    let sim = tainted().await;
    let before = sim.object("nodes", "", NODE).expect("a Node");
    assert_eq!(removed(&sim).await, 1);
    assert_eq!(keys(&sim), ["node.kubernetes.io/not-ready", "dedicated"]);
    let after = sim.object("nodes", "", NODE).expect("a Node");
    assert_eq!(without_versions(after), without_versions(before));
    assert_eq!(removed(&sim).await, 0);
    assert_eq!(writes(&sim), 1, "there is nothing left to do");
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_fails_is_asked_again() {
    for effect in [
        Effect::Refuse,
        Effect::Conflict,
        Effect::InternalError,
        Effect::CommitThenDrop,
        Effect::DropBeforeCommit,
        Effect::TooManyRequests { retry_after_seconds: 1 },
    ] {
        let sim = tainted().await;
        sim.add_fault(rule(Some("nodes"), effect, When::First(5)));
        removed(&sim).await;
        assert_eq!(keys(&sim), ["node.kubernetes.io/not-ready", "dedicated"], "{effect:?}");
    }
}

/// Somebody takes another taint off between what was read and what is written: the list has moved.
#[tokio::test(start_paused = true)]
async fn a_list_that_has_changed_is_read_again() {
    let sim = tainted().await;
    sim.add_fault(rule(Some("nodes"), Effect::Latency { millis: 1000 }, When::Always));
    let other = async {
        // After the read, and before the patch.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let node = sim.object("nodes", "", NODE).expect("a Node");
        let taints = json!([node["spec"]["taints"][1], node["spec"]["taints"][2]]);
        change(&sim.client("kubelet"), "nodes", &json!({"spec": {"taints": taints}})).await;
    };
    let (count, ()) = tokio::join!(removed(&sim), other);
    assert_eq!((count, keys(&sim)), (1, vec!["dedicated".to_owned()]));
    assert_eq!(writes(&sim), 2, "the first one was refused");
}

/// The agent may be there before the kubelet has registered its Node, with the taint.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_registered_yet_is_waited_for() {
    let sim = KubeSim::default();
    let kubelet = async {
        tokio::time::sleep(Duration::from_mins(2)).await;
        let mut object = node(NODE, "10.20.0.8");
        object["spec"]["taints"] = json!([{"key": KEY_DEFAULT, "effect": "NoSchedule"}]);
        create(&sim.client("kubelet"), "nodes", &object).await;
    };
    let (count, ()) = tokio::join!(removed(&sim), kubelet);
    assert_eq!((count, keys(&sim).len()), (1, 0));
}

/// Somebody puts the taint back as soon as it is gone, for an hour.
#[tokio::test(start_paused = true)]
async fn whoever_puts_it_back_is_not_written_against_in_a_tight_loop() {
    let sim = tainted().await;
    let name: NodeName = NODE.parse().expect("a name");
    let (agent, kubelet) = (sim.client("agent"), sim.client("kubelet"));
    let puts_back = async {
        loop {
            if !keys(&sim).iter().any(|key| key == KEY_DEFAULT) {
                let taints = json!([{"key": KEY_DEFAULT, "effect": "NoSchedule"}]);
                change(&kubelet, "nodes", &json!({"spec": {"taints": taints}})).await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let both = async { tokio::join!(remove(&agent, &name, KEY_DEFAULT), puts_back) };
    let ended = timeout(Duration::from_mins(10), both).await;
    assert!(ended.is_err(), "it was there all the time");
    assert!(writes(&sim) < 60, "{} writes in ten minutes", writes(&sim));
}

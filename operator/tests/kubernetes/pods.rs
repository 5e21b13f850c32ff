//! Waiting pods, counted by node.

use berth_operator::kubernetes::pods::{PodsChange, watch};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use kube_sim::{Effect, KubeSim, Rule, When};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::bed::{client_without, is_silent, next};

async fn pod(client: &Client, name: &str, node: Option<&str>, more: Value) {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "i"}], "nodeName": node},
    });
    json_patch::merge(&mut pod, &more);
    let pods = Api::<Pod>::namespaced(client.clone(), "default");
    let pod = serde_json::from_value(pod).expect("a pod");
    pods.create(&PostParams::default(), &pod).await.expect("a pod is made");
}

async fn status(client: &Client, name: &str, status: Value) {
    let pods = Api::<Pod>::namespaced(client.clone(), "default");
    let patch = Patch::Merge(json!({"status": status}));
    pods.patch_status(name, &PatchParams::default(), &patch).await.expect("a status");
}

fn waiting(node: &str, count: u32) -> PodsChange {
    PodsChange::Waiting(crate::bed::name(node), count)
}

#[tokio::test(start_paused = true)]
async fn pods_that_wait_are_counted_by_node() {
    let sim = KubeSim::default();
    let kubelet = sim.client("kubelet");
    pod(&kubelet, "early", Some("a"), json!({})).await;
    pod(&kubelet, "host", Some("a"), json!({"spec": {"hostNetwork": true}})).await;
    pod(&kubelet, "nowhere", None, json!({})).await;
    let mut changes = watch(sim.client("operator")).boxed();
    assert_eq!(next(&mut changes).await, waiting("a", 1));
    pod(&kubelet, "late", Some("a"), json!({})).await;
    assert_eq!(next(&mut changes).await, waiting("a", 2));
    pod(&kubelet, "other", Some("b"), json!({})).await;
    assert_eq!(next(&mut changes).await, waiting("b", 1));
    status(&kubelet, "early", json!({"phase": "Running", "podIP": "10.0.0.1"})).await;
    assert_eq!(next(&mut changes).await, waiting("a", 1));
    let pods = Api::<Pod>::namespaced(kubelet.clone(), "default");
    pods.delete("other", &DeleteParams::default()).await.expect("deleted");
    assert_eq!(next(&mut changes).await, waiting("b", 0));
    assert!(is_silent(&mut changes).await);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_said_after_a_new_listing() {
    let sim = KubeSim::default();
    let kubelet = sim.client("kubelet");
    pod(&kubelet, "one", Some("a"), json!({})).await;
    let mut changes = watch(sim.client("operator")).boxed();
    assert_eq!(next(&mut changes).await, waiting("a", 1));
    assert!(is_silent(&mut changes).await);
    let away = sim.add_fault(refuse());
    sim.cut_watches(Some("operator"), None);
    let pods = Api::<Pod>::namespaced(kubelet.clone(), "default");
    pods.delete("one", &DeleteParams::default()).await.expect("deleted");
    pod(&kubelet, "two", Some("b"), json!({})).await;
    sim.compact();
    assert!(matches!(next(&mut changes).await, PodsChange::Unavailable { .. }));
    assert!(is_silent(&mut changes).await, "said once");
    sim.remove_fault(away);
    let said = [next(&mut changes).await, next(&mut changes).await, next(&mut changes).await];
    assert!(said.contains(&PodsChange::Available), "{said:?}");
    assert!(said.contains(&waiting("a", 0)) && said.contains(&waiting("b", 1)), "{said:?}");
}

/// Otherwise a node would keep an address for each of them for ever.
#[tokio::test(start_paused = true)]
async fn who_cannot_be_seen_does_not_wait_for_ever() {
    let sim = KubeSim::default();
    pod(&sim.client("kubelet"), "one", Some("a"), json!({})).await;
    let mut changes = watch(sim.client("operator")).boxed();
    assert_eq!(next(&mut changes).await, waiting("a", 1));
    let away = sim.add_fault(refuse());
    sim.cut_watches(Some("operator"), None);
    assert!(matches!(next(&mut changes).await, PodsChange::Unavailable { .. }));
    let before = Instant::now();
    assert_eq!(next(&mut changes).await, waiting("a", 0));
    assert!((60..120).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
    assert!(is_silent(&mut changes).await);
    sim.remove_fault(away);
    pod(&sim.client("kubelet"), "two", Some("b"), json!({})).await;
    let said = [next(&mut changes).await, next(&mut changes).await, next(&mut changes).await];
    assert_eq!(said[0], PodsChange::Available);
    assert!(said.contains(&waiting("a", 1)) && said.contains(&waiting("b", 1)), "{said:?}");
}

fn refuse() -> Rule {
    Rule {
        client: Some("operator".into()),
        verb: None,
        resource: None,
        name: None,
        when: When::Always,
        effect: Effect::Refuse,
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_it_is_said_once() {
    let sim = KubeSim::default();
    pod(&sim.client("kubelet"), "one", Some("a"), json!({})).await;
    let client = client_without(&sim, "operator", |_, path| path == "/api/v1/pods");
    let mut changes = watch(client).boxed();
    let said = next(&mut changes).await;
    assert!(
        matches!(&said, PodsChange::Unavailable { problem } if problem.contains("forbidden")),
        "{said:?}"
    );
    assert!(is_silent(&mut changes).await);
}

//! Things go wrong, and nothing is lost.

use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube_sim::{Effect, Rule, When};
use playground::plan;
use playground::plugin::Plugin;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::bed::{BOTH, Bed, TAINT, at_start, eventually, is};

async fn patch_node(bed: &Bed, name: &str, spec: &Value) {
    let nodes = Api::<Node>::all(bed.kube.client("test"));
    let patch = json!({"spec": spec});
    nodes.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_nowhere_waits_and_says_why() {
    let mut bed = Bed::new().await;
    bed.is_ready().await;
    for node in BOTH {
        // Who takes the taint off is away.
        bed.stop_agent(node).await;
        patch_node(&bed, node, &json!({"taints": [{"key": TAINT, "effect": "NoExecute"}]})).await;
        bed.nodes.change(node, |node| node.pods_at_most = 3);
    }
    let pods = bed.pods(Plugin::InProcess);
    pods.play(&at_start(0));
    pods.burst(8, Duration::ZERO);
    bed.counts([8, 0, 0, 8]).await;
    bed.all_wait_for("no node is ready").await;
    for node in BOTH {
        bed.start_agent(node);
    }
    bed.counts([8, 6, 6, 2]).await;
    bed.all_wait_for("every node has its 3 pods").await;
    patch_node(&bed, "node-1", &json!({"unschedulable": true})).await;
    bed.nodes.change("node-1", |node| node.pods_at_most = 110);
    sleep(Duration::from_millis(600)).await;
    assert_eq!(bed.book.counts().waiting, 2, "nothing is placed on a node that is closed");
    patch_node(&bed, "node-1", &json!({"unschedulable": null})).await;
    bed.counts([8, 8, 8, 0]).await;
    bed.agree().await;
    bed.end(pods).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_away_loses_no_pod() {
    let bed = Bed::new().await;
    let pods = bed.pods(Plugin::InProcess);
    pods.play(&at_start(4));
    bed.counts([4, 4, 4, 0]).await;
    let rule = |effect| Rule {
        client: Some("playground".to_owned()),
        verb: None,
        resource: None,
        name: None,
        when: When::Always,
        effect,
    };
    bed.kube.add_fault(rule(Effect::Refuse));
    pods.burst(10, Duration::from_millis(500));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(bed.book.counts().made, 4, "nothing can be made");
    bed.kube.clear_faults();
    bed.counts([14, 14, 14, 0]).await;
    // Answers that are lost: what was done is not done twice.
    bed.kube.add_fault(Rule { when: When::Every(2), ..rule(Effect::CommitThenDrop) });
    pods.burst(10, Duration::ZERO);
    bed.counts([24, 24, 24, 0]).await;
    bed.kube.clear_faults();
    bed.kube.cut_watches(None, None);
    bed.kube.compact();
    pods.burst(4, Duration::ZERO);
    bed.counts([28, 28, 28, 0]).await;
    bed.agree().await;
    bed.end(pods).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_that_is_away_missed_is_made_up_for() {
    let mut bed = Bed::new().await;
    bed.is_ready().await;
    bed.nodes.change("node-2", |node| node.is_draining = true);
    let pods = bed.pods(Plugin::InProcess);
    bed.make("a", json!({})).await;
    bed.make("b", json!({})).await;
    bed.counts([2, 2, 2, 0]).await;
    bed.stop_agent("node-1").await;
    bed.make("c", json!({})).await;
    bed.delete("a").await;
    bed.counts([3, 2, 1, 1]).await;
    bed.all_wait_for("the agent is away").await;
    bed.start_agent("node-1");
    bed.counts([3, 3, 2, 0]).await;
    bed.agree().await;
    bed.end(pods).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_node_is_empty_and_its_pods_run_elsewhere() {
    let bed = Bed::new().await;
    bed.is_ready().await;
    let pods = bed.pods(Plugin::InProcess);
    pods.play(&at_start(12));
    bed.make("a-users", json!({"nodeName": "node-1"})).await;
    bed.counts([13, 13, 13, 0]).await;
    let before = bed.used("node-1").len() - 1;
    bed.nodes.change("node-1", |node| node.is_draining = true);
    pods.evict("node-1").await;
    let left = bed.used("node-1");
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left.first().unwrap().starts_with("default/a-users "), "{left:?}");
    bed.holds("node-1", || left.clone()).await;
    let made = 13 + u64::try_from(before).unwrap();
    bed.counts([made, made, 13, 0]).await;
    bed.agree().await;
    // A node that is gone takes its pods along, and nobody is asked to give anything back.
    bed.nodes.remove("node-1");
    bed.counts([made, made, 12, 0]).await;
    eventually("end", || is(&bed.pod("default/a-users"), &Value::Null)).await;
    bed.holds("node-1", || left.clone()).await;
    bed.end(pods).await;
}

/// Pods that come and go are ended in the middle of everything.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_an_end_at_any_time() {
    let bed = Bed::new().await;
    let pods = bed.pods(Plugin::InProcess);
    let lifetime = Duration::from_millis(300);
    pods.play(&plan::Pods { per_second: 200.0, lifetime, at_start: 60, per_node: 110 });
    eventually("churn", || {
        let counts = bed.book.counts();
        if counts.ended >= 20 && counts.waiting > 0 { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
    let (kube, book) = (bed.kube.clone(), bed.book.clone());
    bed.end(pods).await;
    let (made, before) = (book.counts().made, kube.counters());
    sleep(Duration::from_millis(500)).await;
    assert_eq!(book.counts().made, made, "no pod comes any more");
    let of = |counters: &kube_sim::counters::Counters| {
        counters.count(|counted| counted.client == "playground")
    };
    assert_eq!(of(&kube.counters()), of(&before), "nothing is asked for any more");
    let left = kube.with_store(|store| store.find("", "pods").map(|id| store.len(id)));
    assert_eq!(left, Some(0), "and none is left");
}

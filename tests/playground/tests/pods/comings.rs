//! Pods come and go as they should.

use std::collections::BTreeSet;
use std::time::Duration;

use playground::plan;
use playground::plugin::Plugin;
use serde_json::json;

use crate::bed::{BOTH, Bed, at_start, eventually, is};

#[tokio::test(flavor = "multi_thread")]
async fn pods_get_addresses() {
    let bed = Bed::new().await;
    bed.is_ready().await;
    let pods = bed.pods(Plugin::InProcess);
    pods.play(&at_start(20));
    bed.counts([20, 20, 20, 0]).await;
    bed.agree().await;
    assert_eq!(BOTH.map(|node| bed.used(node).len()), [10, 10], "placed evenly");
    eventually("status", || {
        let pod = bed.pod("playground/web-1");
        is(&pod["status"]["phase"], &json!("Running"))
    })
    .await;
    let pod = bed.pod("playground/web-1");
    let address = pod["status"]["podIP"].as_str().unwrap();
    let node = pod["spec"]["nodeName"].as_str().unwrap();
    assert!(bed.used(node).contains(&format!("playground/web-1 {address}")), "{pod}");
    assert_eq!(pod["status"]["podIPs"], json!([{"ip": address}]));
    assert_eq!(pod["status"]["hostIP"], json!(format!("10.0.0.1{}", &node[5..])));
    assert_eq!(pod["status"]["containerStatuses"][0]["ready"], json!(true));
    let conditions = pod["status"]["conditions"].as_array().unwrap();
    let kinds: BTreeSet<&str> =
        conditions.iter().map(|condition| condition["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), conditions.len(), "each once: {conditions:?}");
    assert!(kinds.contains("Ready") && kinds.contains("PodScheduled"), "{kinds:?}");
    let writes = bed.kube.counters().count(|counted| {
        counted.client == "playground" && counted.verb.is_write() && counted.resource != "events"
    });
    // Each is made, bound, and said to run; once, a namespace is made and cleared.
    assert_eq!(writes, 3 * 20 + 2);
    bed.end(pods).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_without_an_address_waits_and_says_why() {
    let bed = Bed::new().await;
    bed.is_ready().await;
    let pods = bed.pods(Plugin::InProcess);
    pods.play(&at_start(40));
    bed.counts([40, 32, 32, 8]).await;
    bed.agree().await;
    bed.all_wait_for("no address is free: no free IPv4 address").await;
    assert!(bed.book.counts().refused > 0);
    let waiting = bed.book.waiting().remove(0);
    let list = bed.kube.with_store(|store| store.find("", "events").map(|id| store.len(id)));
    assert!(list.is_some_and(|events| events > 0), "an event says so");
    assert!(bed.news.last(100).iter().any(|line| line.is_trouble), "and the news");
    // What one gives back, another gets.
    let used = bed.used(waiting.node.as_deref().unwrap());
    let (key, _) = used.first().unwrap().split_once(' ').unwrap();
    let name = key.strip_prefix("playground/").unwrap();
    bed.api("playground").delete(name, &kube::api::DeleteParams::default()).await.unwrap();
    bed.counts([40, 33, 32, 7]).await;
    bed.agree().await;
    bed.end(pods).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_own_pods_are_served_and_left_alone() {
    let bed = Bed::new().await;
    let pods = bed.pods(Plugin::InProcess);
    bed.make("a", json!({})).await;
    bed.make("b", json!({"nodeName": "node-2"})).await;
    bed.make("on-the-host", json!({"nodeName": "node-1", "hostNetwork": true})).await;
    bed.make("elsewhere", json!({"nodeName": "node-9"})).await;
    bed.make("gated", json!({"schedulingGates": [{"name": "x"}]})).await;
    bed.counts([4, 3, 3, 1]).await;
    bed.all_wait_for("a scheduling gate").await;
    bed.agree().await;
    assert_eq!(bed.used("node-1").len() + bed.used("node-2").len(), 2);
    assert!(bed.used("node-2").iter().any(|used| used.starts_with("default/b ")));
    eventually("status", || {
        let pod = bed.pod("default/on-the-host");
        is(&pod["status"]["podIP"], &json!("10.0.0.11"))
    })
    .await;
    bed.delete("b").await;
    bed.delete("gated").await;
    bed.delete("on-the-host").await;
    bed.counts([4, 3, 1, 0]).await;
    bed.agree().await;
    // Another one of the name is another pod.
    bed.make("b", json!({"nodeName": "node-2"})).await;
    bed.counts([5, 4, 2, 0]).await;
    bed.agree().await;
    let kube = bed.kube.clone();
    bed.end(pods).await;
    for name in ["a", "b", "elsewhere"] {
        assert!(kube.object("pods", "default", name).is_some(), "{name} is left alone");
    }
}

/// The real program, run for every ADD and DEL.
#[tokio::test(flavor = "multi_thread")]
async fn a_churn_with_the_real_program_leaves_nothing() {
    let found = tokio::task::spawn_blocking(|| Plugin::find(None)).await.unwrap();
    let plugin = found.expect("Cargo builds it");
    let bed = Bed::new().await;
    let pods = bed.pods(plugin);
    let lifetime = Duration::from_millis(500);
    pods.play(&plan::Pods { per_second: 10.0, lifetime, at_start: 10, per_node: 110 });
    eventually("churn", || {
        let counts = bed.book.counts();
        if counts.ended >= 50 { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;
    pods.stop_making();
    eventually("end", || {
        let counts = bed.book.counts();
        is(&(counts.running, counts.waiting, counts.ended), &(0, 0, counts.made))
    })
    .await;
    bed.agree().await;
    let counts = bed.book.counts();
    assert!(counts.started >= 50, "{counts:?}");
    assert_eq!(u64::try_from(bed.book.all_waits().len()).unwrap(), counts.started);
    assert_eq!(BOTH.map(|node| bed.used(node).len()), [0, 0]);
    bed.end(pods).await;
    assert_eq!(plugins(), 0, "no process is left");
}

/// The plugins that are children of this process (proc(5)).
fn plugins() -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let own = std::process::id().to_string();
    let stats = processes.filter_map(|it| std::fs::read_to_string(it.path().join("stat")).ok());
    let is_ours = |stat: &String| {
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
        stat.contains("(berth-cni)") && parent == Some(own.as_str())
    };
    stats.filter(is_ours).count()
}

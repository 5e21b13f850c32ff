//! The agent's own object: made, kept current, and nothing of others touched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ipam_core::agent::Published;
use kube::api::DeleteParams;
use kube_sim::{Effect, When};
use serde_json::{Value, json};

use crate::bed::{
    Bed, NODE, change, cluster, create, defaults, facts, node, objects, pass, rule, until,
};
use crate::publishing::used;

/// An object that Cilium's agent of the per-IP contract made, as it was recorded with what the operator wrote.
fn recorded() -> Value {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ipam-core/crd/tests/data");
    let text = std::fs::read_to_string(data.join("g1/23-fresh-m5.large.json"));
    serde_json::from_str(&text.expect("a recorded object")).expect("JSON")
}

/// What Cilium's agent writes and Berth's does not.
const CILIUM_ONLY: [&str; 6] =
    ["alibaba-cloud", "azure", "bootid", "encryption", "health", "ingress"];

#[tokio::test(start_paused = true)]
async fn the_object_is_as_ciliums_agents_make_it() {
    let sim = cluster().await;
    let bed = Bed::start(&sim);
    let made = bed.created().await;
    let mut expected = recorded()["spec"].clone();
    for name in CILIUM_ONLY {
        expected.as_object_mut().expect("a spec").remove(name);
    }
    // The operator's, and what the recorded operators leave empty.
    for name in ["pool", "pools"] {
        expected["ipam"].as_object_mut().expect("ipam").remove(name);
    }
    assert_eq!(made["spec"], expected);
    assert_eq!(made["metadata"]["labels"], json!({"kubernetes.io/hostname": NODE}));
    let uid = sim.object("nodes", "", NODE).expect("a Node")["metadata"]["uid"].clone();
    let owner = json!([{"apiVersion": "v1", "kind": "Node", "name": NODE, "uid": uid}]);
    assert_eq!(made["metadata"]["ownerReferences"], owner);
    pass(Duration::from_hours(1)).await;
    assert_eq!(bed.writes(), 1, "nothing is different");
}

#[tokio::test(start_paused = true)]
async fn what_others_wrote_survives() {
    let sim = cluster().await;
    let mut before = recorded();
    before["metadata"] = json!({"name": NODE, "annotations": {"who": "cares"}});
    before["spec"]["unknown-member"] = json!({"a": [1, 2]});
    before["spec"]["addresses"] = json!([{"type": "CiliumInternalIP", "ip": "10.20.0.25"}]);
    create(&sim.client("other"), "ciliumnodes", &before).await;
    let before = sim.object(super::bed::OBJECTS, "", NODE).expect("an object");
    let bed = Bed::start(&sim);
    until("owned", || bed.object().is_some_and(|it| it["metadata"]["ownerReferences"].is_array()))
        .await;
    let after = bed.object().expect("an object");
    assert_eq!(bed.writes(), 1);
    let addresses = json!([
        {"type": "InternalIP", "ip": "10.20.0.8"}, {"type": "CiliumInternalIP", "ip": "10.20.0.25"},
    ]);
    assert_eq!(after["spec"]["addresses"], addresses);
    let mut spec = after["spec"].clone();
    spec["addresses"] = before["spec"]["addresses"].clone();
    assert_eq!((&spec, &after["status"]), (&before["spec"], &before["status"]));
    assert_eq!(after["metadata"]["annotations"], before["metadata"]["annotations"]);
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
}

#[tokio::test(start_paused = true)]
async fn labels_follow_the_node() {
    let sim = cluster().await;
    let bed = Bed::start(&sim);
    bed.created().await;
    let labels = json!({"kubernetes.io/hostname": null, "zone": "a"});
    change(&sim.client("kubelet"), "nodes", &json!({"metadata": {"labels": labels}})).await;
    let is_copied =
        || bed.object().is_some_and(|it| it["metadata"]["labels"] == json!({"zone": "a"}));
    until("copied", is_copied).await;
    let other = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    change(&sim.client("kubelet"), "nodes", &other).await;
    pass(Duration::from_hours(1)).await;
    assert_eq!(bed.writes(), 2, "what is not copied is not written");
}

#[tokio::test(start_paused = true)]
async fn an_object_of_another_instance_is_made_anew() {
    let sim = cluster().await;
    let mut dead = recorded();
    dead["metadata"] = json!({"name": NODE});
    dead["spec"]["instance-id"] = json!("i-dead");
    create(&sim.client("other"), "ciliumnodes", &dead).await;
    let before = sim.object(super::bed::OBJECTS, "", NODE).expect("an object");
    let bed = Bed::start(&sim);
    let own = json!("i-357919cd05457eec6");
    until("made anew", || bed.object().is_some_and(|it| it["spec"]["instance-id"] == own)).await;
    let after = bed.object().expect("an object");
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!((after["spec"]["ipam"].get("pool"), after.get("status")), (None, None));
    pass(Duration::from_hours(1)).await;
    assert_eq!(bed.writes(), 2, "deleted and created");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_comes_back_owns_its_object() {
    let sim = cluster().await;
    let bed = Bed::start(&sim);
    bed.created().await;
    let kubelet = sim.client("kubelet");
    objects(&kubelet, "nodes").delete(NODE, &DeleteParams::default()).await.expect("deleted");
    create(&kubelet, "nodes", &node(NODE, "10.20.0.8")).await;
    let uid = sim.object("nodes", "", NODE).expect("a Node")["metadata"]["uid"].clone();
    let is_owned =
        || bed.object().is_some_and(|it| it["metadata"]["ownerReferences"][0]["uid"] == uid);
    until("owned by the new one", is_owned).await;
}

/// What belongs to a Node that is gone would be collected at once.
#[tokio::test(start_paused = true)]
async fn without_a_node_nothing_is_made() {
    let sim = cluster().await;
    let bed = Bed::start(&sim);
    bed.created().await;
    let kubelet = sim.client("kubelet");
    objects(&kubelet, "nodes").delete(NODE, &DeleteParams::default()).await.expect("deleted");
    pass(Duration::from_hours(1)).await;
    assert_eq!((bed.object(), bed.writes()), (None, 1));
    create(&kubelet, "nodes", &node(NODE, "10.20.0.8")).await;
    bed.created().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_is_made_again() {
    let sim = cluster().await;
    let bed = Bed::start(&sim);
    let first = bed.created().await;
    let other = sim.client("other");
    objects(&other, "ciliumnodes").delete(NODE, &DeleteParams::default()).await.expect("deleted");
    let is_new =
        || bed.object().is_some_and(|it| it["metadata"]["uid"] != first["metadata"]["uid"]);
    until("made again", is_new).await;
}

#[tokio::test(start_paused = true)]
async fn without_facts_nothing_is_made() {
    let sim = cluster().await;
    let bed = Bed::start(&sim);
    bed.facts.send_replace(None);
    pass(Duration::from_hours(1)).await;
    assert_eq!((bed.object(), bed.writes()), (None, 0));
    bed.facts.send_replace(Some(facts("i-1")));
    assert_eq!(bed.created().await["spec"]["instance-id"], "i-1");
}

#[tokio::test(start_paused = true)]
async fn facts_that_nobody_tells_any_more_stand() {
    let sim = cluster().await;
    let mut bed = Bed::start(&sim);
    bed.created().await;
    bed.facts = tokio::sync::watch::channel(None).0;
    pass(Duration::from_mins(1)).await;
    change(&sim.client("kubelet"), "nodes", &json!({"metadata": {"labels": {"zone": "a"}}})).await;
    let is_copied = || bed.object().is_some_and(|it| it["metadata"]["labels"]["zone"] == "a");
    until("copied", is_copied).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_does_not_create_writes_no_more_than_what_is_used() {
    let sim = cluster().await;
    let mut bed = Bed::start_with(&sim, None, PathBuf::from("/nowhere"));
    pass(Duration::from_hours(1)).await;
    assert_eq!((bed.object(), bed.writes()), (None, 0));
    let mut object = recorded();
    object["metadata"] = json!({"name": NODE});
    create(&sim.client("cilium"), "ciliumnodes", &object).await;
    until("heard", || *bed.heard.borrow()).await;
    assert_eq!(bed.publish(used("10.20.0.25")).await, Published::Written);
    pass(Duration::from_hours(1)).await;
    assert_eq!(bed.writes(), 1);
    let after = bed.object().expect("an object");
    assert_eq!(after["metadata"].get("ownerReferences"), None);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_is_waited_for() {
    for effect in [Effect::Refuse, Effect::Partition, Effect::Unavailable, Effect::DropBeforeCommit]
    {
        let sim = cluster().await;
        let away = sim.add_fault(rule(None, effect, When::Always));
        let bed = Bed::start(&sim);
        pass(Duration::from_hours(1)).await;
        assert_eq!(bed.object(), None);
        let asked = sim.counters().count(|it| it.client == "agent");
        assert!(asked < 600, "{effect:?}: {asked} requests in an hour");
        sim.remove_fault(away);
        bed.created().await;
    }
}

/// The same as what the agent meets when somebody else is always faster, or the server does its work and does not say so.
#[tokio::test(start_paused = true)]
async fn refusals_of_writes_are_waited_out() {
    for effect in [Effect::Conflict, Effect::InternalError, Effect::CommitThenDrop] {
        let sim = cluster().await;
        sim.add_fault(rule(Some("ciliumnodes"), effect, When::First(6)));
        let bed = Bed::start(&sim);
        bed.created().await;
        let labels = json!({"zone": "a"});
        change(&sim.client("kubelet"), "nodes", &json!({"metadata": {"labels": labels}})).await;
        let is_copied = || bed.object().is_some_and(|it| it["metadata"]["labels"]["zone"] == "a");
        until("copied", is_copied).await;
        pass(Duration::from_hours(1)).await;
        assert!(bed.writes() < 12, "{effect:?}: {}", bed.writes());
    }
}

/// Somebody who resets `spec.eni` each time it is corrected.
#[tokio::test(start_paused = true)]
async fn whoever_changes_it_back_is_not_raced() {
    let sim = cluster().await;
    let mut bed = Bed::start(&sim);
    bed.created().await;
    let reset = json!({"spec": {"eni": {"vpc-id": "vpc-2"}}});
    let other = sim.client("other");
    let fight = async {
        loop {
            if bed.object().is_some_and(|it| it["spec"]["eni"]["vpc-id"] != "vpc-2") {
                change(&other, "ciliumnodes", &reset).await;
            }
            pass(Duration::from_secs(1)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_hours(1), fight).await;
    assert!(ended.is_err());
    assert!((10..40).contains(&bed.writes()), "{} writes in an hour", bed.writes());
    bed.stop().await;
}

/// A definition that does not know a member drops it, each time it is written.
#[tokio::test(start_paused = true)]
async fn a_member_that_is_dropped_is_not_written_all_the_time() {
    let sim = kube_sim::KubeSim::default();
    let mut definition = serde_json::to_value(cilium_node::crd()).expect("JSON");
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/ipam/properties";
    let ipam = definition.pointer_mut(spec).and_then(Value::as_object_mut).expect("members");
    ipam.remove("pre-allocate").expect("a member");
    sim.register(definition).expect("a definition");
    create(&sim.client("kubelet"), "nodes", &node(NODE, "10.20.0.8")).await;
    let bed = Bed::start_with(&sim, Some(defaults()), PathBuf::from("/nowhere"));
    bed.created().await;
    pass(Duration::from_hours(1)).await;
    assert!(bed.writes() < 30, "{} writes in an hour", bed.writes());
}

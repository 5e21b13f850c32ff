//! Agents are told why their nodes get nothing more, while they write the same objects.

use std::time::Duration;

use berth_operator::kubernetes::publish::{Wanted, WantedError};
use kube::Client;
use kube::api::PostParams;
use kube_sim::KubeSim;
use kube_sim::api::Verb;
use serde_json::{Value, json};

use crate::bed::{Desk, cluster, create, objects};
use crate::publishing::wanted;

const QUIET: Duration = Duration::from_mins(2);
const ERROR: &str = "/status/ipam/operator-status/error";

fn error(sim: &KubeSim) -> Option<String> {
    let object = sim.object("ciliumnodes.cilium.io", "", "n").expect("an object");
    object.pointer(ERROR).map(|error| error.as_str().expect("a text").to_owned())
}

fn writes(sim: &KubeSim) -> u64 {
    sim.counters().count(|it| it.client == "operator" && it.verb == Verb::Patch)
}

/// Wants the agent of `n` to be told this, beside three addresses.
fn tell(desk: &mut Desk, error: Option<&str>) {
    let error = error.map_or(WantedError::Absent, |text| WantedError::Text(text.to_owned()));
    desk.want("n", Wanted { error, ..wanted(3, false) });
}

/// What agents of Cilium do: the whole object is read, changed and put.
async fn put_whole(client: &Client, pods: u32) {
    let objects = objects(client);
    let mut object = objects.get("n").await.expect("its node");
    let used = json!({"10.0.0.1": {"owner": format!("default/pod-{pods}")}});
    json_patch::merge(&mut object.data, &json!({"status": {"ipam": {"used": used}}}));
    objects.replace_status("n", &PostParams::default(), &object).await.expect("put");
}

#[tokio::test(start_paused = true)]
async fn an_agent_is_told_and_keeps_it_in_what_it_writes() {
    let sim = cluster();
    let agent = sim.client("agent");
    create(&agent, "n", json!({})).await;
    let mut desk = Desk::new(&sim.client("operator"));
    tell(&mut desk, None);
    desk.run(QUIET, |_| None).await;
    assert_eq!((error(&sim), writes(&sim)), (None, 2));
    tell(&mut desk, Some("nothing is left"));
    desk.run(QUIET, |_| None).await;
    assert_eq!((error(&sim).as_deref(), writes(&sim)), (Some("nothing is left"), 3));
    put_whole(&agent, 7).await;
    desk.run(QUIET, |_| None).await;
    assert_eq!((error(&sim).as_deref(), writes(&sim)), (Some("nothing is left"), 3));
    tell(&mut desk, None);
    desk.run(QUIET, |_| None).await;
    assert_eq!((error(&sim), writes(&sim)), (None, 4));
    let object = sim.object("ciliumnodes.cilium.io", "", "n").expect("an object");
    assert_eq!(object.pointer("/status/ipam/used/10.0.0.1/owner"), Some(&json!("default/pod-7")));
    assert_eq!(desk.said, []);
}

/// Along with other addresses it costs nothing: once into a status that has none yet, once into one that has.
#[tokio::test(start_paused = true)]
async fn it_goes_along_with_what_is_written_anyway() {
    let sim = cluster();
    create(&sim.client("agent"), "n", json!({})).await;
    let mut desk = Desk::new(&sim.client("operator"));
    tell(&mut desk, Some("nothing is left"));
    desk.run(QUIET, |_| None).await;
    assert_eq!((error(&sim).as_deref(), writes(&sim)), (Some("nothing is left"), 2));
    desk.want("n", wanted(5, false));
    desk.run(QUIET, |_| None).await;
    assert_eq!((error(&sim), writes(&sim)), (None, 4));
    assert_eq!(desk.said, []);
}

/// A definition from before the member is not asked to hold it again and again.
#[tokio::test(start_paused = true)]
async fn a_schema_without_the_member_is_left_alone() {
    let sim = KubeSim::default();
    let mut definition = serde_json::to_value(cilium_node::crd()).expect("JSON");
    let ipam = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/ipam";
    let ipam = definition.pointer_mut(ipam).and_then(Value::as_object_mut).expect("a schema");
    ipam.remove("x-kubernetes-preserve-unknown-fields");
    ipam["properties"].as_object_mut().expect("members").remove("operator-status").expect("it");
    sim.register(definition).expect("a definition");
    create(&sim.client("agent"), "n", json!({})).await;
    let mut desk = Desk::new(&sim.client("operator"));
    tell(&mut desk, Some("nothing is left"));
    desk.run(QUIET, |_| None).await;
    let before = writes(&sim);
    assert!(before <= 4, "{before} writes");
    for text in ["one", "two", "three"] {
        tell(&mut desk, Some(text));
        desk.run(QUIET, |_| None).await;
    }
    assert_eq!((error(&sim), writes(&sim)), (None, before));
    assert_eq!(desk.said, []);
}

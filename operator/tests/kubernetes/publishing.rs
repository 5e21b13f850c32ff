//! Publishing while others write the same objects, and while the API server is away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_operator::kubernetes::nodes::{NodeChange, watch};
use berth_operator::kubernetes::publish::{
    Part, PublishEvent, PublishSettings, Publisher, Wanted, WantedError, WantedPool, WriteResult,
    carry_out,
};
use berth_operator::kubernetes::rival::who_wrote;
use cilium_node::{Allocation, Eni, EniStatus};
use futures::StreamExt;
use ipam_core::reconcile::RivalDeed;
use ipam_core::time::Tick;
use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube_sim::api::Verb;
use kube_sim::{Effect, KubeSim, Rule, When};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::bed::{Desk, client_told, cluster, create, name, next, objects};

const QUIET: Duration = Duration::from_mins(2);

/// A node with so many addresses on one interface.
pub(crate) fn wanted(addresses: u8, ipv6: bool) -> Wanted {
    let listed: Vec<String> = (1..=addresses).map(|last| format!("10.0.0.{last}")).collect();
    let entry = Allocation { resource: Some("eni-1".into()), ..Allocation::default() };
    let pool = listed.iter().map(|address| (address.clone(), entry.clone())).collect();
    let eni = Eni {
        id: Some("eni-1".into()),
        addresses: Some(listed),
        ipv6_prefixes: ipv6.then(|| vec!["fd00::/80".into()]),
        ..Eni::default()
    };
    let enis = Some(BTreeMap::from([("eni-1".to_owned(), eni)]));
    let eni_status = EniStatus { enis, ..EniStatus::default() };
    Wanted {
        eni_status,
        pool: WantedPool::Exactly(pool),
        pre_allocate: 8,
        error: WantedError::Absent,
        releases: BTreeMap::new(),
    }
}

fn stored(sim: &KubeSim, node: &str) -> Value {
    sim.object("ciliumnodes.cilium.io", "", node).expect("an object")
}

/// How many addresses are published, if both members agree.
fn published(sim: &KubeSim, node: &str) -> usize {
    let object = stored(sim, node);
    let listed = object.pointer("/status/eni/enis/eni-1/addresses").and_then(Value::as_array);
    let pool = object.pointer("/spec/ipam/pool").and_then(Value::as_object);
    let (listed, pool) = (listed.map_or(0, Vec::len), pool.map_or(0, serde_json::Map::len));
    assert_eq!(listed, pool, "{object}");
    pool
}

fn rule(verb: Option<Verb>, when: When, effect: Effect) -> Rule {
    Rule { client: Some("operator".into()), verb, resource: None, name: None, when, effect }
}

/// An agent that writes whole objects, as Cilium's do: reads, changes its own members, puts, and reads again when it
/// was too late. Answers how often it was.
async fn agent(client: Client, node: String, updates: u32) -> u32 {
    let objects = objects(&client);
    let mut conflicts = 0;
    for number in 1..=updates {
        loop {
            let mut object = objects.get(&node).await.expect("its node");
            sleep(Duration::from_millis(7)).await;
            let used = json!({"10.0.0.1": {"owner": format!("default/pod-{number}")}});
            json_patch::merge(&mut object.data, &json!({"status": {"ipam": {"used": used}}}));
            let put = objects.replace_status(&node, &PostParams::default(), &object).await;
            let Err(kube::Error::Api(status)) = put else { break };
            assert_eq!(status.code, 409, "{status:?}");
            conflicts += 1;
        }
        let mut object = objects.get(&node).await.expect("its node");
        json_patch::merge(&mut object.data, &json!({"spec": {"bootid": number.to_string()}}));
        if objects.replace(&node, &PostParams::default(), &object).await.is_err() {
            conflicts += 1;
        }
    }
    conflicts
}

#[tokio::test(start_paused = true)]
async fn agents_that_write_whole_objects_lose_nothing_and_cost_nothing() {
    const NODES: u8 = 20;
    const STEPS: u8 = 10;
    let sim = cluster();
    sim.add_fault(Rule {
        client: None,
        verb: None,
        resource: Some("ciliumnodes".into()),
        name: None,
        when: When::Every(3),
        effect: Effect::Latency { millis: 3 },
    });
    let names: Vec<String> = (0..NODES).map(|number| format!("n-{number}")).collect();
    for name in &names {
        create(&sim.client("agent"), name, json!({})).await;
    }
    let agents =
        names.iter().map(|name| tokio::spawn(agent(sim.client("agent"), name.clone(), 50)));
    let agents: Vec<_> = agents.collect();
    let mut desk = Desk::new(&sim.client("operator"));
    for step in 1..=STEPS {
        for name in &names {
            desk.want(name, wanted(step, false));
        }
        desk.run(Duration::from_millis(6), |_| None).await;
        let busy = tokio::time::timeout(Duration::from_millis(60), desk.run(QUIET, |_| None)).await;
        assert!(busy.is_err(), "agents are at work");
    }
    desk.run(QUIET, |_| None).await;
    let mut conflicts = 0;
    for agent in agents {
        conflicts += agent.await.expect("an agent");
    }
    for name in &names {
        assert_eq!(published(&sim, name), usize::from(STEPS));
        let object = stored(&sim, name);
        assert_eq!(object["spec"]["bootid"], json!("50"));
        assert_eq!(object["status"]["ipam"]["used"]["10.0.0.1"]["owner"], json!("default/pod-50"));
        assert_eq!(object["spec"]["ipam"]["pre-allocate"], json!(8));
    }
    assert_eq!(desk.said, [], "no failure, and nobody taken for a rival");
    assert!(0 < conflicts, "the agents must have been in the way");
    let written = |code| {
        sim.counters()
            .count(|it| it.client == "operator" && it.verb == Verb::Patch && it.code == code)
    };
    assert_eq!(written(409), 0);
    let most = u64::from(NODES) * u64::from(STEPS) * 2;
    assert!(written(200) <= most, "{} writes, at most {most}", written(200));
}

#[tokio::test(start_paused = true)]
async fn an_api_server_away_for_minutes_gets_everything_when_it_is_back() {
    let sim = cluster();
    let mut desk = Desk::new(&sim.client("operator"));
    for number in 0..50 {
        create(&sim.client("agent"), &format!("n-{number}"), json!({})).await;
        desk.want(&format!("n-{number}"), wanted(3, false));
    }
    desk.run(QUIET, |_| None).await;
    sim.reset_counters();
    let away = sim.add_fault(rule(None, When::Always, Effect::Refuse));
    sim.cut_watches(Some("operator"), None);
    for number in 0..50 {
        desk.want(&format!("n-{number}"), wanted(5, false));
    }
    let ten_minutes = Duration::from_mins(10);
    assert!(tokio::time::timeout(ten_minutes, desk.run(QUIET, |_| None)).await.is_err());
    let asked = sim.counters().count(|it| it.client == "operator" && it.verb == Verb::Patch);
    assert!(asked < 50 * 20, "{asked} writes tried in ten minutes");
    sim.remove_fault(away);
    desk.run(QUIET, |_| None).await;
    assert!((0..50).all(|number| published(&sim, &format!("n-{number}")) == 5));
    assert!(desk.said.iter().all(|event| matches!(event, PublishEvent::Failed { .. })), "no rival");
    assert_eq!(sim.counters().writes("ciliumnodes"), 100);
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_no_rivals_and_end() {
    let sim = cluster();
    create(&sim.client("agent"), "n", json!({})).await;
    sim.add_fault(rule(Some(Verb::Patch), When::First(3), Effect::CommitThenDrop));
    let mut desk = Desk::new(&sim.client("operator"));
    desk.want("n", wanted(3, false));
    desk.run(QUIET, |_| None).await;
    assert_eq!(published(&sim, "n"), 3);
    let failed = |event: &PublishEvent| matches!(event, PublishEvent::Failed { .. });
    assert!(desk.said.iter().all(failed) && !desk.said.is_empty(), "{:?}", desk.said);
    assert!(sim.counters().writes("ciliumnodes") <= 6);
}

/// Schemas before 1.20 drop `ipv6-prefixes` in silence: what is stored never is what is wanted.
#[tokio::test(start_paused = true)]
async fn an_older_schema_is_not_written_to_again_and_again() {
    let sim = KubeSim::default();
    let mut definition = serde_json::to_value(cilium_node::crd()).expect("JSON");
    let enis = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/eni/properties/enis/additionalProperties";
    let eni = definition.pointer_mut(enis).and_then(Value::as_object_mut).expect("a schema");
    eni.remove("x-kubernetes-preserve-unknown-fields");
    eni["properties"].as_object_mut().expect("members").remove("ipv6-prefixes").expect("a member");
    sim.register(definition).expect("a definition");
    create(&sim.client("agent"), "n", json!({})).await;
    let mut desk = Desk::new(&sim.client("operator"));
    desk.want("n", wanted(3, true));
    desk.run(QUIET, |_| None).await;
    assert_eq!(stored(&sim, "n").pointer("/status/eni/enis/eni-1/ipv6-prefixes"), None);
    let writes = sim.counters().count(|it| it.client == "operator" && it.verb == Verb::Patch);
    for _ in 0..5 {
        desk.want("n", wanted(3, true));
        sim.cut_watches(None, None);
        desk.run(QUIET, |_| None).await;
    }
    let later = sim.counters().count(|it| it.client == "operator" && it.verb == Verb::Patch);
    assert_eq!((writes, later), (2, 2), "status and pool");
    assert_eq!(desk.said, []);
}

#[tokio::test(start_paused = true)]
async fn a_rival_is_noticed_by_its_writes_and_given_way_to() {
    let sim = cluster();
    let rival = objects(&sim.client("rival"));
    create(&sim.client("agent"), "n", json!({})).await;
    let mut desk = Desk::new(&sim.client("operator"));
    desk.want("n", wanted(3, false));
    desk.run(QUIET, |_| None).await;
    sim.reset_counters();
    for last in [7, 8] {
        let pool =
            json!({"spec": {"ipam": {"pool": {format!("10.0.9.{last}"): {"resource": "eni-9"}}}}});
        rival.patch("n", &PatchParams::default(), &Patch::Merge(pool)).await.expect("written");
        desk.run(QUIET, |_| None).await;
        desk.want("n", wanted(4, false));
        desk.run(QUIET, |_| None).await;
    }
    let deed = |event: &PublishEvent| match event {
        PublishEvent::Rival { node, deed, .. } => (node.clone(), deed.clone()),
        other => panic!("{other:?}"),
    };
    let deeds: Vec<_> = desk.said.iter().map(deed).collect();
    assert_eq!(deeds, [(name("n"), RivalDeed::WrotePool), (name("n"), RivalDeed::WrotePool)]);
    assert_eq!(sim.counters().count(|it| it.client == "operator" && it.verb == Verb::Patch), 0);
    let who = who_wrote(&sim.client("operator"), &name("n"), &RivalDeed::WrotePool).await;
    assert_eq!(
        (who.who.as_str(), who.did),
        ("", RivalDeed::WrotePool),
        "kube-sim keeps no managed fields"
    );
    desk.publisher.resume(Some(&name("n")));
    desk.run(QUIET, |_| None).await;
    assert_eq!(published(&sim, "n"), 4);
}

#[tokio::test(start_paused = true)]
async fn a_node_made_anew_is_published_at_once() {
    let sim = cluster();
    let agent = sim.client("agent");
    create(&agent, "n", json!({})).await;
    let mut desk = Desk::new(&sim.client("operator"));
    desk.want("n", wanted(3, false));
    desk.run(QUIET, |_| None).await;
    objects(&agent).delete("n", &DeleteParams::default()).await.expect("deleted");
    create(&agent, "n", json!({})).await;
    desk.run(Duration::from_secs(2), |_| Some(wanted(3, false))).await;
    assert_eq!(published(&sim, "n"), 3);
    assert_eq!(desk.said, []);
}

#[tokio::test(start_paused = true)]
async fn what_the_schema_refuses_is_said() {
    let sim = cluster();
    create(&sim.client("agent"), "n", json!({})).await;
    let mut desk = Desk::new(&sim.client("operator"));
    let mut bad = wanted(3, false);
    bad.eni_status.enis.iter_mut().flat_map(BTreeMap::values_mut).for_each(|eni| {
        eni.unknown.insert("mac".into(), json!(7));
    });
    desk.want("n", bad);
    let ten_minutes = Duration::from_mins(10);
    assert!(tokio::time::timeout(ten_minutes, desk.run(QUIET, |_| None)).await.is_err());
    let refused =
        |event: &PublishEvent| matches!(event, PublishEvent::Refused { part: Part::EniStatus, .. });
    assert!(!desk.said.is_empty() && desk.said.iter().all(refused), "{:?}", desk.said);
    assert_eq!(sim.counters().writes("ciliumnodes"), 1, "only its creation");
}

/// Addresses come, go, move and change their contract in every combination, and somebody watches each version.
#[tokio::test(start_paused = true)]
async fn the_pool_never_names_what_the_status_has_not() {
    const STEPS: [&[u8]; 9] =
        [&[1, 2], &[2, 3], &[4], &[], &[1, 2, 3], &[3], &[1, 3, 5], &[2, 4], &[1]];
    let sim = cluster();
    create(&sim.client("agent"), "n", json!({})).await;
    let versions = Arc::new(Mutex::new(0));
    let watched = Arc::clone(&versions);
    let auditor = tokio::spawn(watch(sim.client("auditor")).for_each(move |change| {
        if let NodeChange::Seen(node) = change {
            assert!(node.object.pooled.is_within(&node.object.listed), "{node:?}");
            *watched.lock().expect("a count") += 1;
        }
        std::future::ready(())
    }));
    let mut desk = Desk::new(&sim.client("operator"));
    for (number, step) in STEPS.iter().cycle().take(27).enumerate() {
        let mut wanted = wanted(5, false);
        let kept = |address: &str| step.iter().any(|last| address == format!("10.0.0.{last}"));
        for eni in wanted.eni_status.enis.iter_mut().flat_map(BTreeMap::values_mut) {
            eni.addresses.iter_mut().for_each(|addresses| addresses.retain(|it| kept(it)));
        }
        if let WantedPool::Exactly(pool) = &mut wanted.pool {
            pool.retain(|address, _| kept(address));
        }
        if number % 7 == 6 {
            wanted.pool = WantedPool::LeftOver;
        }
        desk.want("n", wanted);
        desk.run(Duration::from_secs(1), |_| None).await;
    }
    assert!(!auditor.is_finished(), "each version was consistent");
    auditor.abort();
    let writes = sim.counters().writes("ciliumnodes");
    assert_eq!(*versions.lock().expect("a count"), writes, "each version was watched");
    assert!(50 < writes, "{writes} writes");
    assert_eq!(desk.said, []);
}

/// A server that has only just started may not know the definition yet. The node is there all the same, and nothing would
/// ever be seen of it again.
#[tokio::test(start_paused = true)]
async fn a_resource_that_is_not_served_yet_is_no_node_that_is_gone() {
    let sim = cluster();
    create(&sim.client("agent"), "n", json!({})).await;
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "details": {},
        "message": "the server could not find the requested resource", "reason": "NotFound", "code": 404});
    let asked = Arc::new(AtomicU32::new(0));
    let client = client_told(&sim, "operator", &status, move |method, _| {
        method == "PATCH" && asked.fetch_add(1, Ordering::Relaxed) < 3
    });
    let mut desk = Desk::new(&client);
    desk.want("n", wanted(3, false));
    desk.run(QUIET, |_| None).await;
    assert_eq!(published(&sim, "n"), 3);
    assert_eq!(desk.said.len(), 3, "{:?}", desk.said);
}

/// A pool that was meant for one object must not get into another of the same name, whose status is empty.
#[tokio::test(start_paused = true)]
async fn a_pool_is_for_the_object_that_was_seen_and_for_no_other() {
    for before in [json!({}), json!({"ipam": {"pool": {"10.0.0.9": {}}}})] {
        let sim = cluster();
        let agent = sim.client("agent");
        create(&agent, "n", before.clone()).await;
        let status = json!({"status": {"eni": wanted(3, false).eni_status}});
        let (parameters, status) = (PatchParams::default(), Patch::Merge(status));
        objects(&agent).patch_status("n", &parameters, &status).await.expect("patched");
        let mut publisher = Publisher::new(PublishSettings::default());
        let mut changes = watch(sim.client("operator")).boxed();
        let NodeChange::Seen(node) = next(&mut changes).await else { panic!("a node") };
        publisher.on_observed(&name("n"), &node.object, false);
        publisher.on_wanted(&name("n"));
        let write = publisher.poll_write(Tick::from_millis(0), |_| Some(wanted(3, false)));
        let write = write.expect("something to write");
        assert_eq!(write.part(), Part::Pool);
        objects(&agent).delete("n", &DeleteParams::default()).await.expect("deleted");
        create(&agent, "n", before.clone()).await;
        let result = carry_out(&sim.client("operator"), &write).await;
        assert!(!matches!(result, WriteResult::Written(_)), "{result:?}");
        assert_eq!(stored(&sim, "n")["spec"], before);
    }
}

/// It may be made for another instance: nothing that was meant for the one before gets there, with a status or without.
#[tokio::test(start_paused = true)]
async fn an_object_that_is_made_anew_refuses_what_was_meant_for_the_one_before() {
    for status in [Value::Null, json!({"ipam": {"used": {}}})] {
        let sim = cluster();
        let client = sim.client("agent");
        let agent = objects(&client);
        let make = async || {
            create(&client, "n", json!({})).await;
            let status = Patch::Merge(json!({"status": status}));
            agent.patch_status("n", &PatchParams::default(), &status).await.expect("a status");
        };
        make().await;
        let mut desk = Desk::new(&sim.client("operator"));
        desk.run(QUIET, |_| None).await;
        desk.publisher.on_wanted(&name("n"));
        let now = Tick::from_millis(3_600_000);
        let write = desk.publisher.poll_write(now, |_| Some(wanted(3, false))).expect("a write");
        agent.delete("n", &DeleteParams::default()).await.expect("deleted");
        make().await;
        let result = carry_out(&sim.client("operator"), &write).await;
        assert!(matches!(result, WriteResult::Failed { .. }), "{result:?}");
        assert_eq!(stored(&sim, "n").pointer("/status/eni"), None);
    }
}

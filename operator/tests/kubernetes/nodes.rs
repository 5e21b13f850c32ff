//! The watch of nodes, through everything that an API server does to it.

use std::time::Duration;

use berth_operator::kubernetes::nodes::{NodeChange, watch};
use futures::StreamExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube_sim::{Effect, KubeSim, Rule, When};
use serde_json::json;

use crate::bed::{cluster, create, is_silent, next, objects};

/// What was said, in short.
fn short(change: &NodeChange) -> String {
    match change {
        NodeChange::Seen(node) => format!("seen {}", node.seen.name),
        NodeChange::Gone(name) => format!("gone {name}"),
        NodeChange::Listed => "listed".into(),
        NodeChange::Unreadable { name, .. } => format!("unreadable {name:?}"),
        NodeChange::Away { .. } => "away".into(),
    }
}

fn rule(effect: Effect, when: When) -> Rule {
    Rule { client: Some("operator".into()), verb: None, resource: None, name: None, when, effect }
}

#[tokio::test(start_paused = true)]
async fn nodes_come_change_and_go() {
    let sim = cluster();
    let agent = sim.client("agent");
    create(&agent, "a", json!({})).await;
    let mut changes = watch(sim.client("operator")).map(|change| short(&change)).boxed();
    assert_eq!([next(&mut changes).await, next(&mut changes).await], ["seen a", "listed"]);
    create(&agent, "b", json!({})).await;
    assert_eq!(next(&mut changes).await, "seen b");
    let patch = Patch::Merge(json!({"spec": {"ipam": {"pre-allocate": 3}}}));
    objects(&agent).patch("b", &PatchParams::default(), &patch).await.expect("patched");
    assert_eq!(next(&mut changes).await, "seen b");
    objects(&agent).delete("a", &DeleteParams::default()).await.expect("deleted");
    assert_eq!(next(&mut changes).await, "gone a");
    assert!(is_silent(&mut changes).await);
}

#[tokio::test(start_paused = true)]
async fn large_clusters_come_in_pages() {
    let sim = cluster();
    let agent = sim.client("agent");
    for number in 0..1201 {
        create(&agent, &format!("n-{number}"), json!({})).await;
    }
    let changes = watch(sim.client("operator"));
    let seen =
        changes.take_while(|change| std::future::ready(*change != NodeChange::Listed)).count();
    assert_eq!(seen.await, 1201);
    let lists = sim.counters().count(|it| it.client == "operator" && it.resource == "ciliumnodes");
    assert_eq!(lists, 3, "pages of 500");
}

/// Stored past the API, as a server without validation would have it.
#[tokio::test(start_paused = true)]
async fn one_broken_object_hides_no_other() {
    let sim = KubeSim::default();
    let mut definition = serde_json::to_value(cilium_node::crd()).expect("JSON");
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] =
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    sim.register(definition).expect("a definition");
    let agent = sim.client("agent");
    for (name, spec) in [("a", json!({})), ("b", json!("no object")), ("c", json!({"eni": 7}))] {
        create(&agent, name, spec).await;
    }
    let mut changes = watch(sim.client("operator")).boxed();
    let mut found = vec![];
    for _ in 0..4 {
        found.push(next(&mut changes).await);
    }
    let said: Vec<String> = found.iter().map(short).collect();
    assert_eq!(said, ["seen a", "unreadable Some(b)", "seen c", "listed"]);
    let NodeChange::Seen(node) = &found[2] else { panic!("a node") };
    assert!(node.problems.contains(&"spec.eni: not an object".to_owned()), "{:?}", node.problems);
    create(&agent, "d", json!([])).await;
    create(&agent, "e", json!({})).await;
    assert_eq!(short(&next(&mut changes).await), "unreadable Some(d)");
    assert_eq!(short(&next(&mut changes).await), "seen e");
    objects(&agent).delete("b", &DeleteParams::default()).await.expect("deleted");
    assert_eq!(short(&next(&mut changes).await), "gone b");
}

#[tokio::test(start_paused = true)]
async fn what_went_while_the_watch_was_broken_is_gone() {
    let sim = cluster();
    let agent = sim.client("agent");
    create(&agent, "a", json!({})).await;
    create(&agent, "b", json!({})).await;
    let mut changes = watch(sim.client("operator")).map(|change| short(&change)).boxed();
    for expected in ["seen a", "seen b", "listed"] {
        assert_eq!(next(&mut changes).await, expected);
    }
    let away = sim.add_fault(rule(Effect::Refuse, When::Always));
    sim.cut_watches(Some("operator"), None);
    objects(&agent).delete("a", &DeleteParams::default()).await.expect("deleted");
    create(&agent, "c", json!({})).await;
    // The history that tells of it is gone, too.
    sim.compact();
    assert_eq!(next(&mut changes).await, "away");
    tokio::time::sleep(Duration::from_mins(10)).await;
    sim.remove_fault(away);
    let mut said = vec![];
    while said.last().map(String::as_str) != Some("listed") {
        said.push(next(&mut changes).await);
    }
    said.retain(|line| line != "away");
    assert_eq!(said, ["seen b", "seen c", "gone a", "listed"]);
}

/// Refused, overloaded, out of order: it goes on, and not faster than twice a second.
#[tokio::test(start_paused = true)]
async fn failures_are_waited_out() {
    for effect in [
        Effect::TooManyRequests { retry_after_seconds: 1 },
        Effect::InternalError,
        Effect::Unavailable,
        Effect::CommitThenDrop,
        Effect::DropBeforeCommit,
        Effect::Conflict,
    ] {
        let sim = cluster();
        create(&sim.client("agent"), "a", json!({})).await;
        sim.add_fault(rule(effect, When::First(4)));
        let mut changes = watch(sim.client("operator")).map(|change| short(&change)).boxed();
        let mut said = vec![];
        while said.last().map(String::as_str) != Some("listed") {
            said.push(next(&mut changes).await);
        }
        said.retain(|line| line != "away");
        assert_eq!(said, ["seen a", "listed"], "{effect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_is_not_asked_all_the_time() {
    let sim = cluster();
    sim.add_fault(rule(Effect::Refuse, When::Always));
    let mut changes = watch(sim.client("operator")).boxed();
    let half_an_hour = async { while let NodeChange::Away { .. } = next(&mut changes).await {} };
    let ended = tokio::time::timeout(Duration::from_mins(30), half_an_hour).await;
    assert!(ended.is_err(), "nothing but failures");
    let asked = sim.counters().count(|it| it.client == "operator");
    assert!((50..80).contains(&asked), "{asked} requests in half an hour");
}

/// The watch breaks off after each event; nothing is missed and nothing is said to be gone.
#[tokio::test(start_paused = true)]
async fn a_watch_that_breaks_off_goes_on_where_it_was() {
    let sim = cluster();
    let agent = sim.client("agent");
    let mut changes = watch(sim.client("operator")).map(|change| short(&change)).boxed();
    assert_eq!(next(&mut changes).await, "listed");
    sim.add_fault(rule(Effect::CutWatch { after_events: 1 }, When::Always));
    sim.cut_watches(Some("operator"), None);
    for number in 0..5 {
        create(&agent, &format!("n-{number}"), json!({})).await;
    }
    let mut seen = vec![];
    while seen.len() < 5 {
        let said = next(&mut changes).await;
        if said.starts_with("seen") {
            seen.push(said);
        } else {
            assert_eq!(said, "away");
        }
    }
    assert_eq!(seen, ["seen n-0", "seen n-1", "seen n-2", "seen n-3", "seen n-4"]);
}

/// A connection on which nothing comes any more, as behind a balancer that forgot it.
#[tokio::test(start_paused = true)]
async fn a_listing_that_is_never_answered_is_asked_for_again() {
    let sim = cluster();
    create(&sim.client("agent"), "a", json!({})).await;
    sim.add_fault(rule(Effect::Partition, When::First(2)));
    let mut changes = watch(sim.client("operator")).map(|change| short(&change)).boxed();
    let mut said = vec![];
    while said.last().map(String::as_str) != Some("listed") {
        said.push(next(&mut changes).await);
    }
    assert_eq!(said, ["away", "away", "seen a", "listed"]);
}

/// Each attempt gets as far as the first page, which is no success.
#[tokio::test(start_paused = true)]
async fn a_listing_that_fails_half_way_is_not_asked_for_all_the_time() {
    let sim = cluster();
    for number in 0..501 {
        create(&sim.client("agent"), &format!("n-{number}"), json!({})).await;
    }
    sim.add_fault(rule(Effect::InternalError, When::Every(2)));
    let mut changes = watch(sim.client("operator")).map(|change| short(&change)).boxed();
    let half_an_hour = async { while next(&mut changes).await != "listed" {} };
    let ended = tokio::time::timeout(Duration::from_mins(30), half_an_hour).await;
    assert!(ended.is_err(), "never listed");
    let asked = sim.counters().count(|it| it.client == "operator");
    assert!((100..160).contains(&asked), "{asked} requests in half an hour");
}

//! What the agent publishes of what is used and asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use ipam_core::agent::{Publication, Published, Release};
use ipam_core::ids::EniId;
use ipam_core::pool::Owner;
use kube_sim::{Effect, When};
use serde_json::{Value, json};

use crate::bed::{Bed, NODE, change, cluster, create, pass, rule, until};

/// Addresses of pods that are called after them, on one interface.
pub(crate) fn used(addresses: &str) -> Publication {
    answering(addresses, &[])
}

/// The same with answers to releases.
fn answering(addresses: &str, releases: &[(&str, Option<Release>)]) -> Publication {
    let eni: EniId = "eni-1".parse().expect("an id");
    let used = addresses.split_whitespace().map(|text| {
        let owner: Owner =
            format!("default/pod-{}", text.replace('.', "-")).parse().expect("a pod");
        (text.parse::<Ipv4Addr>().expect("an address"), (owner, eni.clone()))
    });
    let releases = releases.iter().map(|(at, answer)| (at.parse().expect("an address"), *answer));
    Publication::Used { used: used.collect(), releases: releases.collect() }
}

fn pools(requested: (u32, u32), allocated: &[&str]) -> Publication {
    let allocated: BTreeSet<_> =
        allocated.iter().map(|text| text.parse().expect("a CIDR")).collect();
    Publication::Pools { requested, allocated }
}

/// `status.ipam` of the object.
fn status(bed: &Bed) -> Value {
    bed.object().expect("an object")["status"]["ipam"].clone()
}

/// The used addresses of the object, each with its owner.
fn shown(bed: &Bed) -> BTreeMap<String, String> {
    let used = status(bed)["used"].as_object().cloned().unwrap_or_default();
    let entries = used.into_iter().map(|(at, entry)| {
        assert_eq!(entry["resource"], "eni-1");
        (at, entry["owner"].as_str().expect("an owner").to_owned())
    });
    entries.collect()
}

async fn bed() -> Bed {
    let sim = cluster().await;
    let bed = Bed::start(&sim);
    bed.created().await;
    until("heard", || *bed.heard.borrow()).await;
    sim.reset_counters();
    bed
}

#[tokio::test(start_paused = true)]
async fn what_is_used_is_published_and_never_repeated() {
    let mut bed = bed().await;
    assert_eq!(bed.publish(used("10.0.0.1 10.0.0.2")).await, Published::Written);
    assert_eq!(shown(&bed)["10.0.0.1"], "default/pod-10-0-0-1");
    assert_eq!(bed.publish(used("10.0.0.2 10.0.0.3")).await, Published::Written);
    assert_eq!(shown(&bed).into_keys().collect::<Vec<_>>(), ["10.0.0.2", "10.0.0.3"]);
    assert_eq!(bed.writes(), 2);
    assert_eq!(bed.publish(used("10.0.0.2 10.0.0.3")).await, Published::Written);
    assert_eq!(bed.writes(), 2, "it stands there already");
    assert_eq!(bed.publish(used("")).await, Published::Written);
    assert_eq!((shown(&bed).len(), bed.writes()), (0, 3));
    let conflicts = bed.sim.counters().count(|it| it.code == 409);
    assert_eq!(conflicts, 0);
}

#[tokio::test(start_paused = true)]
async fn releases_are_answered_entry_by_entry() {
    let mut bed = bed().await;
    let operator = bed.sim.client("operator");
    let asked = json!({"10.0.0.1": "marked-for-release", "10.0.0.2": "marked-for-release",
        "10.0.0.3": "released", "10.0.0.4": "marked-for-release"});
    change(&operator, "ciliumnodes", &json!({"status": {"ipam": {"release-ips": asked}}})).await;
    until("heard", || {
        bed.machine.see(|told| told.words.last().is_some_and(|it| !it.releases.is_empty()))
    })
    .await;
    let answers = [
        ("10.0.0.1", Some(Release::Refused)),
        ("10.0.0.2", Some(Release::Ready)),
        ("10.0.0.3", None),
    ];
    assert_eq!(bed.publish(answering("10.0.0.1", &answers)).await, Published::Written);
    let expected = json!({"10.0.0.1": "do-not-release", "10.0.0.2": "ready-for-release",
        "10.0.0.4": "marked-for-release"});
    assert_eq!(status(&bed)["release-ips"], expected);
    assert_eq!((shown(&bed).len(), bed.writes()), (1, 1), "one write");
}

/// The operator changes its mind between what the agent has seen and what it writes.
#[tokio::test(start_paused = true)]
async fn an_operator_that_was_faster_is_not_overwritten() {
    let mut bed = bed().await;
    let operator = bed.sim.client("operator");
    let asked = json!({"10.0.0.1": "marked-for-release", "10.0.0.2": "marked-for-release"});
    change(&operator, "ciliumnodes", &json!({"status": {"ipam": {"release-ips": asked}}})).await;
    until("heard", || {
        bed.machine.see(|told| told.words.last().is_some_and(|it| !it.releases.is_empty()))
    })
    .await;
    bed.sim.cut_watches(Some("agent"), None);
    let blind = bed.sim.add_fault(rule(None, Effect::Latency { millis: 3000 }, When::Always));
    let taken_back = json!({"10.0.0.1": null, "10.0.0.2": "marked-for-release"});
    change(&operator, "ciliumnodes", &json!({"status": {"ipam": {"release-ips": taken_back}}}))
        .await;
    let answers = [("10.0.0.1", Some(Release::Ready)), ("10.0.0.2", Some(Release::Ready))];
    assert_eq!(bed.publish(answering("10.0.0.9", &answers)).await, Published::Written);
    bed.sim.remove_fault(blind);
    assert_eq!(status(&bed)["release-ips"], json!({"10.0.0.2": "ready-for-release"}));
    assert_eq!(shown(&bed).len(), 1);
    assert_eq!(bed.writes(), 2, "refused once, and written once");
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_is_said_to_be() {
    for effect in [Effect::Refuse, Effect::Partition, Effect::Unavailable] {
        let mut bed = bed().await;
        let away = bed.sim.add_fault(rule(None, effect, When::Always));
        for _ in 0..5 {
            let published = bed.publish(used("10.0.0.1")).await;
            assert!(matches!(published, Published::Failed { .. }), "{effect:?}: {published:?}");
        }
        bed.sim.remove_fault(away);
        let published =
            async { while bed.publish(used("10.0.0.1")).await != Published::Written {} };
        tokio::time::timeout(Duration::from_hours(1), published).await.expect("written at last");
        assert_eq!(shown(&bed).len(), 1);
    }
}

/// Failures do not make the next attempts come at once.
#[tokio::test(start_paused = true)]
async fn failures_are_waited_out() {
    let mut bed = bed().await;
    bed.sim.add_fault(rule(Some("ciliumnodes/status"), Effect::InternalError, When::Always));
    let again = async {
        loop {
            bed.publish(used("10.0.0.1")).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_mins(30), again).await.is_err());
    assert!((50..150).contains(&bed.writes()), "{} writes in half an hour", bed.writes());
}

#[tokio::test(start_paused = true)]
async fn what_was_written_without_an_answer_is_not_written_again() {
    let mut bed = bed().await;
    let effect = Effect::CommitThenDrop;
    bed.sim.add_fault(rule(Some("ciliumnodes/status"), effect, When::First(1)));
    let published = bed.publish(used("10.0.0.1")).await;
    assert!(matches!(published, Published::Failed { .. }), "nobody knows");
    pass(Duration::from_secs(5)).await;
    assert_eq!(bed.publish(used("10.0.0.1")).await, Published::Written);
    assert_eq!((shown(&bed).len(), bed.writes()), (1, 1));
}

/// Conflicts are not met with more attempts than one.
#[tokio::test(start_paused = true)]
async fn conflicts_end() {
    let mut bed = bed().await;
    bed.sim.add_fault(rule(Some("ciliumnodes/status"), Effect::Conflict, When::First(3)));
    let published = bed.publish(used("10.0.0.1")).await;
    assert!(matches!(published, Published::Failed { .. }), "{published:?}");
    assert_eq!(bed.writes(), 2);
    assert_eq!(bed.publish(used("10.0.0.1")).await, Published::Written);
    assert_eq!(bed.writes(), 4);
}

#[tokio::test(start_paused = true)]
async fn without_an_object_nothing_is_published() {
    let sim = cluster().await;
    let mut bed = Bed::start_with(&sim, None, "/nowhere".into());
    let published = bed.publish(used("10.0.0.1")).await;
    let problem = "there is no CiliumNode, or it cannot be read".to_owned();
    assert_eq!(published, Published::Failed { problem });
    assert_eq!(bed.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn cidrs_are_asked_for_beside_other_pools() {
    let mut bed = bed().await;
    let operator = bed.sim.client("operator");
    let other = json!({"pool": "other", "needed": {"ipv4-addrs": 3}});
    let lists =
        json!({"requested": [other], "allocated": [{"pool": "other", "cidrs": ["10.9.0.0/28"]}]});
    change(&operator, "ciliumnodes", &json!({"spec": {"ipam": {"pools": lists}}})).await;
    change(
        &operator,
        "ciliumnodes",
        &json!({"status": {"ipam": {"used": {"10.0.0.1": {"owner": "old"}}}}}),
    )
    .await;
    until("heard", || {
        bed.machine.see(|told| told.words.last().is_some_and(|it| !it.used.is_empty()))
    })
    .await;
    let publication = pools((37, 0), &["10.20.1.176/28", "10.20.1.192/28"]);
    assert_eq!(bed.publish(publication.clone()).await, Published::Written);
    let object = bed.object().expect("an object");
    let expected = json!({
        "requested": [other, {"pool": "default", "needed": {"ipv4-addrs": 37}}],
        "allocated": [{"pool": "other", "cidrs": ["10.9.0.0/28"]},
            {"pool": "default", "cidrs": ["10.20.1.176/28", "10.20.1.192/28"],
                "allowFirstIP": true, "allowLastIP": true}],
    });
    assert_eq!(object["spec"]["ipam"]["pools"], expected);
    assert_eq!(shown(&bed).len(), 0, "what an agent of the other contract left");
    assert_eq!(bed.writes(), 2);
    assert_eq!(bed.publish(publication).await, Published::Written);
    assert_eq!(bed.writes(), 2, "it stands there already");
}

/// After an agent of the CIDR contract: its request would be taken for the demand of this one, as long as nothing is used.
#[tokio::test(start_paused = true)]
async fn a_request_that_was_left_behind_goes() {
    let mut bed = bed().await;
    assert_eq!(bed.publish(pools((37, 0), &["10.20.1.176/28"])).await, Published::Written);
    assert_eq!(bed.publish(used("")).await, Published::Written);
    let object = bed.object().expect("an object");
    assert_eq!(object["spec"]["ipam"]["pools"], json!({"requested": [], "allocated": []}));
    let node: cilium_node::CiliumNode = serde_json::from_value(object).expect("a node");
    assert_eq!(cilium_node::contract(&node), ipam_core::view::Contract::PerIp);
    assert_eq!(bed.writes(), 2);
}

/// The first agent of the CIDR contract on a node that nobody wrote pools for.
#[tokio::test(start_paused = true)]
async fn the_first_pools_are_made() {
    let mut bed = bed().await;
    assert_eq!(bed.publish(pools((8, 0), &[])).await, Published::Written);
    let object = bed.object().expect("an object");
    let expected = json!({"requested": [{"pool": "default", "needed": {"ipv4-addrs": 8}}]});
    assert_eq!(object["spec"]["ipam"]["pools"], expected);
    assert_eq!(bed.writes(), 1);
}

/// A node was made anew under the same name while this instance still runs, or two have one name.
#[tokio::test(start_paused = true)]
async fn nothing_is_published_for_another_instance() {
    let sim = cluster().await;
    let object = json!({"apiVersion": "cilium.io/v2", "kind": "CiliumNode",
        "metadata": {"name": NODE}, "spec": {"instance-id": "i-dead"},
        "status": {"ipam": {"used": {"10.0.0.7": {"owner": "default/theirs", "resource": "eni-7"}}}}});
    create(&sim.client("operator"), "ciliumnodes", &object).await;
    let mut bed = Bed::start_with(&sim, None, "/nowhere".into());
    until("heard", || *bed.heard.borrow()).await;
    let published = bed.publish(used("10.0.0.1")).await;
    let problem = "the CiliumNode is of another instance, i-dead".to_owned();
    assert_eq!(published, Published::Failed { problem });
    assert_eq!((bed.writes(), status(&bed)), (0, object["status"]["ipam"].clone()));
    let own = json!({"spec": {"instance-id": "i-357919cd05457eec6"}});
    change(&bed.sim.client("operator"), "ciliumnodes", &own).await;
    pass(Duration::from_mins(1)).await;
    assert_eq!(bed.publish(used("10.0.0.1")).await, Published::Written);
    assert_eq!(shown(&bed).into_keys().collect::<Vec<_>>(), ["10.0.0.1"]);
}

//! The agent and an operator that is a script, under either contract.

use serde_json::{Value, json};

use crate::bed::{Bed, add, add_at_last, becomes, del, eventually};
use crate::in_process::{Running, reported};

/// An entry of `status.eni.enis` with these prefixes.
fn eni(id: &str, primary: &str, prefixes: &[&str]) -> Value {
    json!({
        "id": id,
        "ip": primary,
        "mac": "02:00:00:00:00:09",
        "number": 0,
        "prefixes": prefixes,
        "subnet": {"id": "subnet-0000000a", "cidr": "10.0.0.0/20"},
        "vpc": {"id": "vpc-0000000a", "primary-cidr": "10.0.0.0/16"},
    })
}

/// The addresses 0 to 15 of a /28, by the beginning that they have in common.
fn pool(begin: &str, eni: &str) -> Value {
    let entries = (0..16).map(|last| (format!("{begin}{last}"), json!({"resource": eni})));
    Value::Object(entries.collect())
}

/// Nobody but the metadata has said anything when the first pod comes; what the operator says then agrees.
#[tokio::test(flavor = "multi_thread")]
async fn per_ip_before_and_after_the_operators_word() {
    let bed = Bed::new("i-00000001").await;
    let agent = Running::start(&bed, &[]);
    let first = add_at_last(&bed, 1).await;
    assert_eq!(first.to_string(), "10.0.1.0");
    becomes(&bed, "/spec/instance-id", &json!("i-00000001")).await;
    let node = bed.cilium_node();
    assert_eq!(node["metadata"]["labels"], json!({"team": "a"}));
    assert_eq!(node["metadata"]["ownerReferences"][0]["name"], "node-1");
    assert_eq!(node["spec"]["eni"]["instance-type"], "m5.large");
    assert_eq!(node["spec"]["addresses"], json!([{"type": "InternalIP", "ip": "10.0.0.10"}]));

    bed.operator_writes(&json!({
        "metadata": {"annotations": {"somebody": "else"}},
        "spec": {"ipam": {"pool": pool("10.0.1.", "eni-00000001")}, "health": {"ipv4": "10.0.1.15"}},
        "status": {"eni": {"enis": {"eni-00000001": eni("eni-00000001", "10.0.0.10", &["10.0.1.0/28"])}}},
    }))
    .await;
    let second = add(&bed, 2).await.unwrap();
    let used = json!({
        "10.0.1.0": {"owner": "shop/cart-1", "resource": "eni-00000001"},
        second.to_string(): {"owner": "shop/cart-2", "resource": "eni-00000001"},
    });
    becomes(&bed, "/status/ipam/used", &used).await;
    del(&bed, 1).await;
    let left = json!({second.to_string(): {"owner": "shop/cart-2", "resource": "eni-00000001"}});
    becomes(&bed, "/status/ipam/used", &left).await;
    let node = bed.cilium_node();
    assert_eq!(node["spec"]["health"], json!({"ipv4": "10.0.1.15"}), "what others wrote stays");
    assert_eq!(node["metadata"]["annotations"], json!({"somebody": "else"}));
    reported(&bed, |report| {
        let ipv4 = &report.families[0];
        (ipv4.attached, ipv4.used, ipv4.cooling) == (16, 1, 1)
    })
    .await;
    agent.ends().await;
}

/// The operator asks an address back that nobody uses, and is promised it; one that is used is kept.
#[tokio::test(flavor = "multi_thread")]
async fn per_ip_release() {
    let bed = Bed::new("i-00000001").await;
    let agent = Running::start(&bed, &[]);
    add_at_last(&bed, 1).await;
    becomes(&bed, "/spec/instance-id", &json!("i-00000001")).await;
    bed.operator_writes(&json!({
        "spec": {"ipam": {"pool": pool("10.0.1.", "eni-00000001")}},
        "status": {
            "eni": {"enis": {"eni-00000001": eni("eni-00000001", "10.0.0.10", &["10.0.1.0/28"])}},
            "ipam": {"release-ips": {"10.0.1.0": "marked-for-release", "10.0.1.9": "marked-for-release"}},
        },
    }))
    .await;
    let answers = json!({"10.0.1.0": "do-not-release", "10.0.1.9": "ready-for-release"});
    becomes(&bed, "/status/ipam/release-ips", &answers).await;
    reported(&bed, |report| report.families[0].promised == 1).await;
    agent.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cidrs_are_asked_for_and_used() {
    let bed = Bed::new("i-00000002").await;
    let agent = Running::start(&bed, &["--contract=cidr"]);
    let requested = |count: u32| json!([{"pool": "default", "needed": {"ipv4-addrs": count}}]);
    becomes(&bed, "/spec/ipam/pools/requested", &requested(8)).await;
    bed.operator_writes(&json!({
        "status": {"eni": {"enis": {"eni-00000002": eni("eni-00000002", "10.0.0.11", &["10.0.2.0/28"])}}},
    }))
    .await;
    let address = eventually_added(&bed, 1).await;
    assert!(address.starts_with("10.0.2."), "{address}");
    becomes(&bed, "/spec/ipam/pools/allocated/0/cidrs", &json!(["10.0.2.0/28"])).await;
    becomes(&bed, "/spec/ipam/pools/requested", &requested(9)).await;
    assert_eq!(bed.cilium_node().pointer("/status/ipam/used"), None);
    agent.ends().await;
}

async fn eventually_added(bed: &Bed, number: usize) -> String {
    eventually("CiliumNode", || match bed.cilium_node()["status"]["eni"]["enis"].as_object() {
        Some(_) => Ok(()),
        None => Err("no interface".to_owned()),
    })
    .await;
    add_at_last(bed, number).await.to_string()
}

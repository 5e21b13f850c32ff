//! The agent behind objects that Cilium's operators wrote, recorded from both generations.

use std::net::IpAddr;

use ipnet::IpNet;
use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};

use crate::bed::{Bed, add_at_last, eventually};
use crate::in_process::Running;

/// A world with the one instance that the object names.
fn world(node: &Value) -> String {
    let text = |pointer: &str| node.pointer(pointer).and_then(Value::as_str).unwrap();
    format!(
        "settings: {{region: us-east-1, seed: 7, staleness: strong}}\n\
         vpcs: [{{id: {vpc}, cidr: 10.20.0.0/16}}]\n\
         subnets: [{{id: {subnet}, vpc: {vpc}, zone: us-east-1a, cidr: 10.20.0.0/20}}]\n\
         instances: [{{id: {instance}, instance_type: {kind}, subnet: {subnet}, primary: {{primary_ip: 10.20.15.200}}}}]\n",
        vpc = text("/spec/eni/vpc-id"),
        subnet = text("/spec/eni/node-subnet-id"),
        instance = text("/spec/instance-id"),
        kind = text("/spec/eni/instance-type"),
    )
}

/// The addresses that the object gives to pods under a contract.
fn offered(node: &Value, contract: &str) -> Vec<IpNet> {
    let texts: Vec<String> = if contract == "per-ip" {
        node["spec"]["ipam"]["pool"].as_object().unwrap().keys().cloned().collect()
    } else {
        let enis = node["status"]["eni"]["enis"].as_object().unwrap().values();
        let lists = enis.flat_map(|eni| [eni["addresses"].clone(), eni["prefixes"].clone()]);
        let entries = lists.flat_map(|list| list.as_array().cloned().unwrap_or_default());
        entries.map(|entry| entry.as_str().unwrap().to_owned()).collect()
    };
    let net = |text: &String| {
        text.parse::<IpNet>().unwrap_or_else(|_| text.parse::<IpAddr>().unwrap().into())
    };
    texts.iter().map(net).collect()
}

/// A pod gets an address that the operator of the recorded object gave to the node, and the agent says so. Nothing else of the object
/// changes but what the agent owns.
async fn check(text: &str, contract: &str) {
    let mut object: Value = serde_json::from_str(text).unwrap();
    let name = object["metadata"]["name"].as_str().unwrap().to_owned();
    let instance = object["spec"]["instance-id"].as_str().unwrap().to_owned();
    let bed = Bed::with_world(&name, &instance, &world(&object)).await;
    object["metadata"] = json!({"name": name});
    let node: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let nodes = bed.cilium_nodes();
    nodes.create(&PostParams::default(), &node).await.unwrap();
    bed.operator_writes(&json!({"status": object["status"]})).await;

    let contract_flag = format!("--contract={contract}");
    let agent = Running::start(&bed, &[&contract_flag, "--auto-create-cilium-node-resource=false"]);
    let address = add_at_last(&bed, 1).await;
    let offered = offered(&object, contract);
    assert!(offered.iter().any(|net| net.contains(&address)), "{address} of {offered:?}");
    eventually("publication", || {
        let node = bed.cilium_node();
        let used = &node["status"]["ipam"]["used"][address.to_string()]["owner"];
        let asked = &node["spec"]["ipam"]["pools"]["requested"][0]["needed"]["ipv4-addrs"];
        let is_said = if contract == "per-ip" { used == "shop/cart-1" } else { asked == 9 };
        if is_said { Ok(()) } else { Err(node.to_string()) }
    })
    .await;
    let after = bed.cilium_node();
    for part in ["/spec/eni", "/spec/ipam/pool", "/spec/health", "/spec/bootid", "/status/eni"] {
        assert_eq!(after.pointer(part), object.pointer(part), "{part}");
    }
    agent.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_addresses_of_the_older_operator() {
    check(include_str!("../../../ipam-core/crd/tests/data/g1/23-fresh-m5.large.json"), "per-ip")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixes_of_the_older_operator() {
    let text = include_str!("../../../ipam-core/crd/tests/data/g1/60-prefix-fresh-m5.large.json");
    check(text, "per-ip").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_addresses_of_the_newer_operator() {
    check(include_str!("../../../ipam-core/crd/tests/data/g2/23-fresh-m5.large.json"), "cidr")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixes_of_the_newer_operator() {
    let text = include_str!("../../../ipam-core/crd/tests/data/g2/60-prefix-fresh-m5.large.json");
    check(text, "cidr").await;
}

//! How much memory a large node takes.

use std::fmt::Write;

use ipnet::{Ipv4AddrRange, Ipv4Net};
use serde_json::{Value, json};

use crate::bed::{ANY, Bed, add, add_at_last, becomes, eventually};
use crate::binary::{PROGRAM, Process};

/// The goal is 25 MB in all with 1,000 addresses in use, the operator's word heard and everything published. Of that, 10 MB are
/// left to the pages of the program file, which in a build for tests, not optimised, say nothing about the one that is shipped.
const MOST_KIB: u64 = 15_000_000 / 1024;
/// For the program that is shipped.
const ALL_KIB: u64 = 25_000_000 / 1024;

/// The /28 blocks of two interfaces: 1,024 addresses.
fn prefixes() -> [Vec<String>; 2] {
    let all = (4..8)
        .flat_map(|third| (0..16).map(move |block| format!("10.0.{third}.{}/28", block * 16)));
    let all: Vec<String> = all.collect();
    [all[..40].to_vec(), all[40..].to_vec()]
}

fn world() -> String {
    let mut world = "settings: {region: eu-west-1, seed: 7, staleness: strong}\n\
         vpcs: [{id: vpc-0000000a, cidr: 10.0.0.0/16}]\n\
         subnets: [{id: subnet-0000000a, vpc: vpc-0000000a, zone: eu-west-1a, cidr: 10.0.0.0/20}]\n"
        .to_owned();
    let [first, second] = prefixes().map(|list| list.join(", "));
    writeln!(
        world,
        "instances: [{{id: i-00000003, instance_type: m5.24xlarge, subnet: subnet-0000000a, \
         primary: {{id: eni-00000003, primary_ip: 10.0.0.12, ipv4_prefixes: [{first}]}}, \
         interfaces: [{{id: eni-00000004, primary_ip: 10.0.0.13, ipv4_prefixes: [{second}], \
         attachment: {{device_index: 1}}}}]}}]"
    )
    .unwrap();
    world
}

/// What an operator writes of this node: each address by itself, twice.
fn word() -> Value {
    let mut pool = serde_json::Map::new();
    let mut enis = serde_json::Map::new();
    for (number, list) in prefixes().into_iter().enumerate() {
        let id = format!("eni-{:08}", number + 3);
        let nets = list.iter().map(|prefix| prefix.parse::<Ipv4Net>().unwrap());
        let addresses = nets.flat_map(|net| Ipv4AddrRange::new(net.network(), net.broadcast()));
        let addresses: Vec<String> = addresses.map(|address| address.to_string()).collect();
        pool.extend(addresses.iter().map(|ip| (ip.clone(), json!({"resource": id}))));
        let eni = json!({
            "id": id, "ip": format!("10.0.0.{}", number + 12), "mac": format!("02:00:00:00:00:0{number}"),
            "number": number, "prefixes": list, "addresses": addresses,
            "subnet": {"id": "subnet-0000000a", "cidr": "10.0.0.0/20"},
            "vpc": {"id": "vpc-0000000a", "primary-cidr": "10.0.0.0/16"},
        });
        enis.insert(id, eni);
    }
    json!({"spec": {"ipam": {"pool": pool}}, "status": {"eni": {"enis": enis}}})
}

#[expect(
    clippy::print_stdout,
    reason = "the figure is written down where the program that ships is measured"
)]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_thousand_addresses_take() {
    let bed = Bed::with_world("node-1", "i-00000003", &world()).await;
    let server = kube_sim::Server::start(bed.kube.clone(), ANY).await.unwrap();
    let agent = Process::start(&bed, &format!("http://{}", server.address()));
    add_at_last(&bed, 0).await;
    becomes(&bed, "/spec/instance-id", &json!("i-00000003")).await;
    bed.operator_writes(&word()).await;
    for batch in 0..10 {
        let numbers = (batch * 100)..(batch * 100 + 100);
        let added = futures::future::join_all(numbers.map(|number| add(&bed, number))).await;
        assert!(added.iter().all(Result::is_ok), "{added:?}");
    }
    eventually("publication of all", || {
        let node = bed.cilium_node();
        let used = node["status"]["ipam"]["used"].as_object().map_or(0, serde_json::Map::len);
        if used == 1000 { Ok(()) } else { Err(format!("{used} are used")) }
    })
    .await;
    let (own, all) = (agent.memory("RssAnon"), agent.memory("VmRSS"));
    println!("{all} KiB, {own} of them beside the program file");
    assert!(own < MOST_KIB, "{own} KiB, at most {MOST_KIB}");
    if std::env::var_os(PROGRAM).is_some() {
        assert!(all < ALL_KIB, "{all} KiB, at most {ALL_KIB}");
    }
    agent.terminate().await;
    server.stop().await;
}

//! Reading, writing and converting a `CiliumNode` of the per-IP contract.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::Ipv4Addr;

use cilium_node::CiliumNode;
use cilium_node::convert::{convert, eni_status, pool};
use criterion::{BenchmarkId, Criterion};
use ipam_core::view::NetworkView;
use serde_json::{Value, json};

const SIZES: [u16; 3] = [15, 240, 1000];

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("crd");
    let unused = node(1000, 0).to_string();
    group.bench_function(BenchmarkId::new("decode", "1000, none in use"), |bencher| {
        bencher.iter(|| serde_json::from_str::<CiliumNode>(black_box(&unused)));
    });
    for size in SIZES {
        let text = node(size, size * 4 / 5).to_string();
        let node: CiliumNode = serde_json::from_str(&text).expect("a node");
        let conversion = convert(&node);
        assert_eq!(conversion.problems, vec![]);
        assert_eq!(conversion.node.pool.len(), usize::from(size));
        group.bench_function(BenchmarkId::new("decode", size), |bencher| {
            bencher.iter(|| serde_json::from_str::<CiliumNode>(black_box(&text)));
        });
        group.bench_function(BenchmarkId::new("encode", size), |bencher| {
            bencher.iter(|| serde_json::to_string(black_box(&node)));
        });
        group.bench_function(BenchmarkId::new("convert to core", size), |bencher| {
            bencher.iter(|| convert(black_box(&node)));
        });
        let enis = conversion.node.enis;
        let network = NetworkView { vpcs: conversion.node.vpcs, ..NetworkView::default() };
        group.bench_function(BenchmarkId::new("convert to wire", size), |bencher| {
            bencher.iter(|| (eni_status(black_box(&enis), &network, false), pool(&enis, false)));
        });
    }
    group.finish();
}

/// A node with `size` addresses on its ENIs, 50 each, `in_use` of them in use.
fn node(size: u16, in_use: u16) -> Value {
    let address = |number: u16| Ipv4Addr::from_bits(0x0a00_1000 + u32::from(number)).to_string();
    let eni_of = |number: u16| format!("eni-{:017x}", number / 50);
    let pool: BTreeMap<String, Value> =
        (0..size).map(|it| (address(it), json!({"resource": eni_of(it)}))).collect();
    let used: BTreeMap<String, Value> = (0..in_use)
        .map(|it| {
            let owner = format!("checkout/payments-7d9f8b6c5d-{it:05}");
            (address(it), json!({"owner": owner, "resource": eni_of(it)}))
        })
        .collect();
    let enis: BTreeMap<String, Value> = (0..size.div_ceil(50))
        .map(|index| {
            let addresses: Vec<String> =
                (index * 50..size.min((index + 1) * 50)).map(address).collect();
            (eni_of(index * 50), eni(&eni_of(index * 50), index, &addresses))
        })
        .collect();
    json!({
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNode",
        "metadata": {"name": "ip-10-0-16-4.ec2.internal", "resourceVersion": "1"},
        "spec": {
            "addresses": [{"type": "InternalIP", "ip": "10.0.16.4"}],
            "instance-id": "i-0a1b2c3d4e5f60718",
            "eni": {
                "instance-type": "m5.24xlarge", "vpc-id": "vpc-0a1b2c3d4e5f60718",
                "availability-zone": "eu-west-1a", "node-subnet-id": "subnet-0a1b2c3d4e5f60718",
                "first-interface-index": 0, "delete-on-termination": true,
            },
            "ipam": {"pool": pool, "pre-allocate": 8},
        },
        "status": {"eni": {"enis": enis}, "ipam": {"used": used}},
    })
}

fn eni(id: &str, index: u16, addresses: &[String]) -> Value {
    json!({
        "id": id, "number": index, "mac": format!("02:00:00:00:00:{index:02x}"),
        "ip": Ipv4Addr::from_bits(0x0a01_0000 + u32::from(index)).to_string(),
        "description": "Cilium-CNI (i-0a1b2c3d4e5f60718)",
        "addresses": addresses,
        "security-groups": ["sg-0a1b2c3d4e5f60718"],
        "subnet": {"id": "subnet-0a1b2c3d4e5f60718", "cidr": "10.0.0.0/15"},
        "vpc": {"id": "vpc-0a1b2c3d4e5f60718", "primary-cidr": "10.0.0.0/8"},
        "tags": {"io.cilium/cilium-managed": "true"},
    })
}

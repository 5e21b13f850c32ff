//! How nodes come to be.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use ipam_core::view::Contract;
use playground::news::News;
use playground::plan::{Foreign, Left, Served};
use playground::stage::{Place, Stage};
use serde_json::{Value, json};

use crate::bed::{Bed, eventually, group, plan};

/// How many addresses for pods the operator has given a node.
async fn pool(bed: &Bed, node: &str) -> usize {
    let object = bed.cilium_node(node).await;
    object.pointer("/spec/ipam/pool").and_then(Value::as_object).map_or(0, serde_json::Map::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_become_ready() {
    let bed = Bed::open(&plan(vec![group("web", 3)])).await;
    bed.serve(&["web-1", "web-2", "web-3"]).await;
    for name in ["web-1", "web-2", "web-3"] {
        let (pool, node) = (pool(&bed, name).await, bed.node(name).await);
        assert!(pool >= 8, "{name}: {pool}");
        eventually("no taint", async || {
            let node = bed.node(name).await;
            let taints = node.pointer("/spec/taints").and_then(Value::as_array);
            if taints.is_none_or(Vec::is_empty) { Ok(()) } else { Err(node.to_string()) }
        })
        .await;
        let instance = bed.stage.nodes().get(name).unwrap().instance;
        let provider = node["spec"]["providerID"].as_str().unwrap();
        assert!(provider.ends_with(instance.as_str()), "{provider}");
        assert_eq!(node["metadata"]["labels"]["node.kubernetes.io/instance-type"], "m5.large");
    }
    let zones: Vec<_> = bed.stage.nodes().all().into_iter().map(|node| node.zone).collect();
    assert_eq!(zones, ["eu-west-1a", "eu-west-1b", "eu-west-1a"], "in turn");
    assert!(bed.stage.ec2().with(|ec2, _| ec2.audit()).is_empty());
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_group_is_as_the_plan_has_it() {
    let conf = json!({"plugins": [{"type": "cilium-cni", "eni": {
        "subnet-ids": ["b"], "first-interface-index": 1,
    }}]});
    let mut pods_elsewhere = group("conf", 1);
    pods_elsewhere.subnets = vec!["b".to_owned()];
    pods_elsewhere.served =
        Served::Berth { contract: Contract::PerIp, prefixes: true, cni_conf: Some(conf) };
    let mut cidr = group("cidr", 1);
    cidr.served = Served::Berth { contract: Contract::Cidr, prefixes: true, cni_conf: None };
    let mut chained = group("vpc-cni", 1);
    let tags = [("node.k8s.amazonaws.com/no_manage".to_owned(), "true".to_owned())].into();
    chained.foreign = vec![Foreign { device_index: 1, subnet: None, addresses: 4, tags }];
    let mut late = group("late", 1);
    late.joins_at = Duration::from_millis(500);
    let mut plan = plan(vec![pods_elsewhere, cidr, chained, late]);
    plan.agent = vec!["--k8s-api-server={api-server}".to_owned()];
    let bed = Bed::open(&plan).await;
    eventually("late-1", async || bed.stage.nodes().get("late-1").ok_or_else(String::new)).await;
    bed.serve(&["conf-1", "cidr-1", "vpc-cni-1", "late-1"]).await;

    let object = bed.cilium_node("conf-1").await;
    let subnet = object["spec"]["eni"]["subnet-ids"][0].as_str().unwrap_or_default().to_owned();
    assert!(subnet.starts_with("subnet-"), "{object}");
    assert_eq!(object["spec"]["eni"]["first-interface-index"], 1);
    let prefixes = |name: &str| {
        let instance = bed.stage.nodes().get(name).unwrap().instance;
        bed.stage.ec2().with(|ec2, _| {
            let truth = ec2.world().truth();
            truth
                .interfaces_of(&instance)
                .map(|interface| interface.ipv4_prefixes.len())
                .sum::<usize>()
        })
    };
    assert!(prefixes("conf-1") > 0 && prefixes("cidr-1") > 0, "they take prefixes");
    assert_eq!((prefixes("vpc-cni-1"), prefixes("late-1")), (0, 0), "and these do not");
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_node_is_left_alone() {
    let mut overlay = group("overlay", 2);
    overlay.served = Served::Overlay { pod_cidr: "10.200.0.0/16".parse().unwrap() };
    let bed = Bed::open(&plan(vec![overlay, group("web", 1)])).await;
    bed.serve(&["web-1"]).await;
    let object = bed.cilium_node("overlay-2").await;
    assert_eq!(object["spec"]["ipam"]["podCIDRs"], json!(["10.200.1.0/24"]));
    assert_eq!(object["spec"]["ipam"].get("pool"), None, "{object}");
    assert_eq!(object.pointer("/status/eni"), None, "{object}");
    assert_eq!(bed.stage.nodes().get("overlay-2").unwrap().socket, None);
    assert_eq!(
        bed.node("overlay-2").await.pointer("/spec/taints/0"),
        None,
        "nobody would take it off"
    );
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_leave_what_the_plan_says_beside_the_first_nodes() {
    let mut plan = plan(vec![group("web", 2)]);
    plan.network.subnets[0].left = Some(Left::Addresses(3));
    plan.network.subnets[1].left = Some(Left::Blocks(2));
    let bed = Bed::open(&plan).await;
    bed.serve(&["web-2"]).await;
    let (left, held) = bed.stage.ec2().with(|ec2, _| {
        let truth = ec2.world().truth();
        let subnet = truth.subnets().find(|subnet| subnet.tags["Name"] == "a").unwrap();
        let instance = bed.stage.nodes().get("web-1").unwrap().instance;
        let of_node = truth.interfaces_of(&instance);
        (subnet.available_ipv4, of_node.map(|it| it.secondary_ips.len()).sum::<usize>())
    });
    assert_eq!(usize::try_from(left).unwrap() + held, 3, "of subnet a");
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_may_stay_and_is_private() {
    let place = Place { keeps_folder: true, ..Place::default() };
    let stage = Stage::build(&plan(Vec::new()), place, News::default()).await.unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(stage.folder()), mode(&stage.kubeconfig())), (0o700, 0o600));
    let folder = stage.folder().to_owned();
    assert_eq!(stage.end().await, Vec::<String>::new());
    assert!(folder.exists());
    std::fs::remove_dir_all(folder).unwrap();
}

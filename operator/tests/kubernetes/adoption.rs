//! Taking over what Cilium's operators of both generations left behind costs no write.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use berth_operator::kubernetes::publish::{Wanted, WantedPool, render};
use cilium_node::convert::NodeFacts;
use cilium_node::{CiliumNode, convert};
use ipam_core::ids::NodeName;
use ipam_core::policy::Policy;
use ipam_core::reconcile::{GivingBack, Obstacle};
use ipam_core::view::{Marks, NetworkView, NodeView, Planned, Refused, SubnetView, Tags};
use kube::api::{DynamicObject, PostParams};
use kube_sim::KubeSim;
use serde_json::{Value, json};

use crate::bed::{Desk, cluster, objects};

/// How many objects are recorded. A folder that went missing must not make a test pass.
const OBJECTS: usize = 55;

/// Every recorded object, with its name.
fn recorded() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ipam-core/crd/tests/data");
    let mut paths: Vec<PathBuf> = vec![];
    for folder in ["", "g1", "g2"] {
        let entries = fs::read_dir(root.join(folder)).expect("the folder of recorded objects");
        let files = entries.map(|entry| entry.expect("a folder entry").path());
        paths.extend(files.filter(|path| path.extension().is_some_and(|end| end == "json")));
    }
    paths.sort();
    assert_eq!(paths.len(), OBJECTS, "recorded objects");
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a readable file");
        let name = path.strip_prefix(&root).expect("a path below the folder").with_extension("");
        (name.display().to_string(), serde_json::from_str(&text).expect("JSON"))
    };
    paths.iter().map(read).collect()
}

/// What a node should hold, if EC2 has what the object says.
fn wanted(facts: &NodeFacts, giving_back: GivingBack) -> Option<Wanted> {
    let identity = facts.identity.clone()?;
    let subnets = facts.subnets.iter().map(|(id, cidr)| {
        let subnet = SubnetView {
            vpc: identity.vpc.clone(),
            zone: identity.zone.clone(),
            cidr: *cidr,
            ipv6_cidr: None,
            free_addresses: 100,
            free_blocks: None,
            refused: Refused::default(),
            planned: Planned::default(),
            tags: Tags::new(),
            usable: true,
        };
        (id.clone(), subnet)
    });
    let vpcs = facts.vpcs.clone();
    let network = NetworkView { subnets: subnets.collect(), vpcs, ..NetworkView::default() };
    let node = NodeView {
        limits: limits::find(identity.instance_type.as_str()),
        identity,
        settings: facts.settings.clone()?,
        demand: facts.demand,
        waiting_pods: 0,
        running: true,
        enis: facts.enis.clone(),
        in_flight: vec![],
        marks: Marks::default(),
    };
    Some(render(&node, &network, &Policy::default(), Obstacle::None, giving_back))
}

/// Puts the recorded objects into a cluster. Answers what was recorded for each name.
async fn populate(sim: &KubeSim) -> BTreeMap<NodeName, (String, NodeFacts)> {
    let writer = objects(&sim.client("recorded"));
    let mut all = BTreeMap::new();
    for (number, (label, mut object)) in recorded().into_iter().enumerate() {
        let name = format!("n-{number}");
        object["metadata"] =
            json!({"name": name, "annotations": object["metadata"]["annotations"]});
        let node: CiliumNode = serde_json::from_value(object.clone()).expect("a node");
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        let made = writer.create(&PostParams::default(), &object).await.expect("made");
        let mut whole = object;
        whole.metadata.resource_version = made.metadata.resource_version;
        let parameters = PostParams::default();
        writer.replace_status(&name, &parameters, &whole).await.expect("a status");
        all.insert(crate::bed::name(&name), (label, convert(&node).node));
    }
    all
}

/// Objects of which nothing is known but themselves, recorded before an operator had come to seed `pre-allocate`. What
/// Cilium's operator made of them a minute later is recorded, too (`g1/46`, `g1/47`).
const INCOMPLETE: [&str; 2] =
    ["g1/44-unknown-instance-type PreAllocate", "g1/45-instance-not-in-ec2 PreAllocate"];

#[tokio::test(start_paused = true)]
async fn recorded_objects_are_adopted_without_a_write() {
    let sim = cluster();
    let facts = populate(&sim).await;
    sim.reset_counters();
    let before: Vec<_> = facts.keys().map(|name| stored(&sim, name)).collect();
    let mut desk = Desk::new(&sim.client("operator"));
    let mut contracts = BTreeSet::new();
    desk.run(Duration::from_mins(1), |node| {
        let (_, facts) = &facts[&node.seen.name];
        contracts.insert(format!("{:?}", facts.demand.contract()));
        wanted(facts, GivingBack::default())
    })
    .await;
    assert_eq!(contracts.len(), 2, "both contracts");
    assert_eq!(desk.said, []);
    let after = facts.keys().map(|name| stored(&sim, name));
    let different = before
        .iter()
        .zip(after)
        .zip(facts.values())
        .filter(|((before, after), _)| *before != after);
    let different: Vec<String> = different
        .map(|((before, after), (label, _))| {
            let seeded = before.pointer("/spec/ipam/pre-allocate")
                != after.pointer("/spec/ipam/pre-allocate");
            format!("{label} {}", if seeded { "PreAllocate" } else { "others" })
        })
        .collect();
    assert_eq!(different, INCOMPLETE);
    let writes = sim.counters().writes("ciliumnodes");
    assert_eq!(writes, INCOMPLETE.len() as u64);
}

fn stored(sim: &KubeSim, name: &NodeName) -> Value {
    sim.object("ciliumnodes.cilium.io", "", name.as_str()).expect("an object")
}

/// A node of the CIDR contract that lost an address must not keep it in the pool that was left there.
#[tokio::test(start_paused = true)]
async fn a_pool_left_over_goes_when_it_contradicts() {
    let sim = cluster();
    let mut facts = populate(&sim).await;
    facts.retain(|_, (label, _)| label == "g2/22-fresh-t3.medium-settled");
    sim.reset_counters();
    let mut desk = Desk::new(&sim.client("operator"));
    desk.run(Duration::from_mins(1), |node| {
        let (_, facts) = facts.get(&node.seen.name)?;
        let mut facts = facts.clone();
        facts.enis.iter_mut().for_each(|eni| eni.ipv4.addresses.truncate(1));
        wanted(&facts, GivingBack::default())
    })
    .await;
    let name = facts.keys().next().expect("the node");
    assert_eq!(stored(&sim, name).pointer("/spec/ipam/pool"), None);
    assert_eq!(sim.counters().writes("ciliumnodes"), 2, "the pool, then the status");
}

/// Whatever contract its agent seems to speak: an object that was just made does not say.
#[test]
fn what_may_be_gone_is_shown_to_no_agent() {
    let mut looked_at = 0;
    for (label, object) in recorded() {
        let node: CiliumNode = serde_json::from_value(object).expect("a node");
        let facts = convert(&node).node;
        let Some(address) = facts.enis.iter().find_map(|eni| eni.ipv4.addresses.first()).copied()
        else {
            continue;
        };
        let withheld = vec![address.into()];
        let giving_back = GivingBack { withheld, ..GivingBack::default() };
        let Some(Wanted { eni_status, pool, .. }) = wanted(&facts, giving_back) else { continue };
        let shown = serde_json::to_string(&eni_status).expect("JSON");
        assert!(!shown.contains(&format!("\"{address}\"")), "{label}: {shown}");
        if let WantedPool::Exactly(pool) = pool {
            let pool = serde_json::to_string(&pool).expect("JSON");
            assert!(!pool.contains(&format!("\"{address}\"")), "{label}: {pool}");
        }
        looked_at += 1;
    }
    assert!(looked_at > 20, "{looked_at} objects");
}

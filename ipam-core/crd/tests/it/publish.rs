//! From core values to the wire: what an operator would write for the recorded ENIs is what was
//! recorded.

use std::collections::BTreeMap;

use cilium_node::convert::{NodeFacts, Release, eni_status, pool, release_state};
use cilium_node::{CiliumNode, convert};
use ipam_core::managed::left_alone;
use ipam_core::policy::Policy;
use ipam_core::view::{AttachmentState, EniView, NetworkView, Planned, Refused, SubnetView, Tags};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::recorded;

/// The surroundings as far as an object tells them.
fn network(node: &NodeFacts) -> NetworkView {
    let subnets = node.subnets.iter().map(|(id, cidr)| {
        let view = SubnetView {
            vpc: "vpc-1".parse().expect("a VPC id"),
            zone: "us-east-1a".parse().expect("a zone"),
            cidr: *cidr,
            ipv6_cidr: None,
            free_addresses: 0,
            free_blocks: None,
            refused: Refused::default(),
            planned: Planned::default(),
            tags: Tags::new(),
            usable: true,
        };
        (id.clone(), view)
    });
    NetworkView { subnets: subnets.collect(), vpcs: node.vpcs.clone(), ..NetworkView::default() }
}

fn facts(object: &Value) -> NodeFacts {
    let node: CiliumNode = serde_json::from_value(object.clone()).expect("a node");
    convert(&node).node
}

/// The ENIs whose addresses are for pods, by the node's own settings alone.
fn managed<'a>(node: &'a NodeFacts, policy: &Policy) -> Vec<&'a EniView> {
    let settings = node.settings.as_ref().expect("settings");
    node.enis.iter().filter(|eni| left_alone(eni, settings, policy).is_none()).collect()
}

#[test]
fn recorded_interfaces_are_published_again_as_they_were() {
    let mut published = 0;
    for (name, object) in recorded::objects() {
        let node = facts(&object);
        let status = eni_status(&node.enis, &network(&node), false);
        published += node.enis.len();
        let status = serde_json::to_value(status).expect("JSON");
        // Before the operator's first write there is no status at all.
        let recorded = object["status"].get("eni").cloned().unwrap_or(json!({}));
        assert_eq!(status, recorded, "{name}");
    }
    assert_eq!(published, 107, "ENIs in the recorded objects");
}

#[test]
fn recorded_pools_are_published_again_as_they_were() {
    let policy = Policy::default();
    let mut published = 0;
    for (name, object) in recorded::objects() {
        let node = facts(&object);
        let pool = pool(managed(&node, &policy), false);
        published += pool.as_ref().map_or(0, BTreeMap::len);
        let pool = serde_json::to_value(pool).expect("JSON");
        let recorded = object["spec"]["ipam"].get("pool").cloned().unwrap_or(Value::Null);
        assert_eq!(pool, recorded, "{name}");
    }
    assert_eq!(published, 970, "addresses in the recorded pools");
}

/// A node with one ENI, whose members are `eni`.
fn node(eni: &str) -> NodeFacts {
    let eni: Value = serde_json::from_str(eni).expect("a test's own JSON");
    facts(&json!({
        "apiVersion": "cilium.io/v2", "kind": "CiliumNode", "metadata": {"name": "n"}, "spec": {},
        "status": {"eni": {"enis": {"eni-1": eni}}},
    }))
}

/// One door: a recorded form of an ENI in, what is written for it out.
fn check(node: &NodeFacts, network: &NetworkView, use_primary: bool, expected: &str) {
    let status = eni_status(&node.enis, network, use_primary);
    let found = serde_json::to_value(status).expect("JSON");
    let expected: Value = serde_json::from_str(expected).expect("a test's own JSON");
    assert_eq!(found, expected);
}

const MIXED: &str = r#"{"id": "eni-1", "ip": "10.0.0.5", "number": 1,
    "addresses": ["10.0.0.9", "10.0.0.8"], "prefixes": ["10.0.0.32/28", "10.0.0.16/28"],
    "subnet": {"id": "subnet-1"}, "vpc": {"id": "vpc-1"}}"#;

fn addresses(node: &NodeFacts, use_primary: bool) -> Vec<String> {
    let status = eni_status(&node.enis, &NetworkView::default(), use_primary);
    let enis = status.enis.expect("ENIs");
    enis["eni-1"].addresses.clone().expect("addresses")
}

#[test]
fn addresses_come_in_the_order_of_ec2() {
    let block = |first: u8| (first..first + 16).map(|last| format!("10.0.0.{last}"));
    let singles = ["10.0.0.9".to_owned(), "10.0.0.8".to_owned()];
    let expected: Vec<_> = singles.into_iter().chain(block(32)).chain(block(16)).collect();
    assert_eq!(addresses(&node(MIXED), false), expected);
    let primary = std::iter::once("10.0.0.5".to_owned());
    assert_eq!(addresses(&node(MIXED), true), primary.chain(expected).collect::<Vec<_>>());
}

#[test]
fn the_pool_has_the_same_addresses() {
    for use_primary in [false, true] {
        let node = node(MIXED);
        let pool = pool(&node.enis, use_primary).expect("a pool");
        let mut listed = addresses(&node, use_primary);
        listed.sort();
        assert_eq!(pool.keys().cloned().collect::<Vec<_>>(), listed);
        assert!(
            pool.values().all(|it| it.resource.as_deref() == Some("eni-1") && it.owner.is_none())
        );
    }
}

#[test]
fn empty_members_are_omitted() {
    let bare = r#"{"ip": "10.0.0.5", "subnet": {"id": "subnet-1"}, "vpc": {"id": "vpc-1"}}"#;
    let expected = r#"{"enis": {"eni-1": {
        "id": "eni-1", "ip": "10.0.0.5", "subnet": {"id": "subnet-1"}, "vpc": {"id": "vpc-1"}}}}"#;
    check(&node(bare), &NetworkView::default(), false, expected);
    let known = node(
        r#"{"ip": "10.0.0.5", "subnet": {"id": "subnet-1", "cidr": "10.0.0.0/24"},
        "vpc": {"id": "vpc-1", "primary-cidr": "10.0.0.0/16"}}"#,
    );
    let expected = r#"{"enis": {"eni-1": {"id": "eni-1", "ip": "10.0.0.5",
        "subnet": {"id": "subnet-1", "cidr": "10.0.0.0/24"}, "vpc": {"id": "vpc-1", "primary-cidr": "10.0.0.0/16"}}}}"#;
    check(&known, &network(&known), false, expected);
    assert_eq!(pool(&node(bare).enis, false), None);
}

#[test]
fn what_is_not_attached_or_leaves_is_not_published() {
    let mut loose = node(MIXED);
    loose.enis[0].attachment = None;
    let mut leaving = node(MIXED);
    leaving.enis[0].attachment.as_mut().expect("attached").state = AttachmentState::Detaching;
    for node in [loose, leaving] {
        check(&node, &NetworkView::default(), false, "{}");
        assert_eq!(pool(&node.enis, true), None);
    }
}

/// An ENI with any addresses of 10.0.0.0/16: blocks below .128 of each /24, single ones above.
fn any_eni() -> impl Strategy<Value = Value> {
    let blocks = btree_set((any::<u8>(), 0u8..8), 0..6).prop_map(Vec::from_iter);
    let singles = btree_set((any::<u8>(), 128u8..), 1..12).prop_map(Vec::from_iter);
    let groups = vec("sg-[0-9a-f]{1,8}", 0..3);
    (blocks.prop_shuffle(), singles.prop_shuffle(), groups, any::<u16>(), ".{0,9}").prop_map(
        |(blocks, mut singles, groups, number, text)| {
            let address = |(high, low): (u8, u8)| format!("10.0.{high}.{low}");
            let primary = singles.pop().map(address);
            json!({
                "ip": primary, "number": number, "description": text, "security-groups": groups,
                "prefixes": blocks.iter().map(|(high, i)| format!("10.0.{high}.{}/28", i * 16)).collect::<Vec<_>>(),
                "addresses": singles.into_iter().map(address).collect::<Vec<_>>(),
                "tags": {text.clone(): text}, "mac": "02:00:00:00:00:01", "public-ip": "192.0.2.1",
                "ipv6-prefixes": ["fd00:0:0:0:1::/80"],
                "subnet": {"id": "subnet-1", "cidr": "10.0.0.0/16"}, "vpc": {"id": "vpc-1", "primary-cidr": "10.0.0.0/16"},
            })
        },
    )
}

proptest! {
    #[test]
    fn what_is_published_reads_as_what_it_was(eni in any_eni(), use_primary: bool) {
        let before = node(&eni.to_string());
        prop_assert_eq!(before.enis.len(), 1);
        let status = eni_status(&before.enis, &network(&before), use_primary);
        let wire = serde_json::to_string(&status.enis.expect("ENIs")["eni-1"]).expect("JSON");
        prop_assert_eq!(node(&wire), before);
    }
}

/// What an operator writes of a release is what it would read.
#[test]
fn releases_are_read_as_they_are_written() {
    let all = [Release::Marked, Release::Ready, Release::Refused, Release::Released];
    let entries = (1..).zip(all).map(|(last, it)| (format!("10.0.0.{last}"), release_state(it)));
    let entries: BTreeMap<_, _> = entries.collect();
    let node = serde_json::from_value(json!({
        "metadata": {"name": "n"}, "spec": {}, "status": {"ipam": {"release-ips": entries}},
    }));
    let conversion = convert(&node.expect("an object"));
    assert_eq!(conversion.node.releases.into_values().collect::<Vec<_>>(), all);
    let text = json!(entries).to_string();
    for word in ["marked-for-release", "ready-for-release", "do-not-release", "released"] {
        assert!(text.contains(word), "{text}");
    }
}

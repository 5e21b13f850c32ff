//! Each promise, kept and broken.

use std::net::IpAddr;
use std::time::Duration;

use ipam_core::audit::{InUse, LedgerCounts, LooseEni, NodeTruth, Truth, audit};
use ipam_core::time::Tick;
use ipam_core::view::EniView;

use crate::world::World;

/// Interfaces of one node as in a world's text, `short` and `explained` as given, addresses in use
/// as `address owner`.
struct Case {
    world: World,
    in_use: Vec<InUse>,
    short: u32,
    explained: bool,
    ledgers: Vec<LedgerCounts>,
    now: u64,
}

impl Case {
    fn new(text: &str) -> Self {
        let world = World::new(&format!("subnet subnet-1 10.0.0.0/24 ipv6\n{text}"));
        Self { world, in_use: vec![], short: 0, explained: false, ledgers: vec![], now: 60 }
    }

    fn using(mut self, address: &str, owner: &str) -> Self {
        let address: IpAddr = address.parse().unwrap();
        self.in_use.push(InUse { address, owner: owner.into() });
        self
    }

    fn check(&self, expected: &[&str]) {
        let (attached, loose): (Vec<EniView>, Vec<EniView>) =
            self.world.node.enis.iter().cloned().partition(|eni| eni.attachment.is_some());
        let since = Tick::default();
        let loose: Vec<LooseEni> = loose.iter().map(|eni| LooseEni { eni, since }).collect();
        let node = NodeTruth {
            name: &self.world.node.identity.name,
            vpc: &self.world.node.identity.vpc,
            limits: self.world.node.limits,
            enis: &attached,
            in_use: &self.in_use,
            short: self.short,
            explained: self.explained,
            ledgers: &self.ledgers,
        };
        let truth = Truth {
            now: Tick::from_millis(self.now * 1000),
            nodes: &[node],
            loose: &loose,
            grace: Duration::from_mins(1),
        };
        let found: Vec<String> = audit(&truth).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn an_address_in_use_is_attached() {
    let node = "node m5.large\n eni eni-1 at 0 prefixes 1 addresses 1 ipv6";
    Case::new(node)
        .using("10.0.0.5", "a/single")
        .using("10.0.0.31", "a/in-prefix")
        .using("2001:db8::9", "a/in-ipv6-prefix")
        .check(&[]);
    Case::new(node)
        .using("10.0.0.32", "a/b")
        .check(&["10.0.0.32 of a/b is on no interface of node-1"]);
    Case::new("node m5.large\n eni eni-1 at 0 addresses 1 detaching")
        .using("10.0.0.5", "a/b")
        .check(&["10.0.0.5 of a/b is on no interface of node-1"]);
}

#[test]
fn no_address_has_two_users() {
    Case::new("node m5.large\n eni eni-1 at 0 addresses 1")
        .using("10.0.0.5", "a/b")
        .using("10.0.0.5", "a/c")
        .check(&["10.0.0.5 is used by a/b and by a/c"]);
}

#[test]
fn no_address_is_on_two_interfaces() {
    let mut case = Case::new("node m5.large\n eni eni-1 at 0 prefixes 1\n eni eni-2 addresses 1");
    case.check(&[]);
    case.world.node.enis[1].ipv4.addresses = vec!["10.0.0.20".parse().unwrap()];
    case.check(&["10.0.0.20 is on eni-1 and on eni-2"]);
    case.world.node.enis[1].vpc = "vpc-2".parse().unwrap();
    case.check(&[]);
}

#[test]
fn an_overlap_is_found_behind_another_range() {
    let mut case = Case::new("node m5.xlarge\n eni eni-1 at 0 prefixes 1\n eni eni-2\n eni eni-3");
    case.world.node.enis[1].ipv4.primary = "10.0.0.17".parse().unwrap();
    case.world.node.enis[2].ipv4.primary = "10.0.0.31".parse().unwrap();
    case.check(&["10.0.0.17 is on eni-1 and on eni-2", "10.0.0.31 is on eni-1 and on eni-3"]);
}

#[test]
fn limits_hold_for_interfaces_and_addresses() {
    let mut case = Case::new("node t3.medium\n eni eni-1 at 0 addresses 5\n eni eni-2 at 1 card 1");
    case.check(&[]);
    case.world.node.enis[0].ipv4.addresses.push("10.0.0.200".parse().unwrap());
    case.check(&["eni-1 has 7 slots taken of 6"]);

    let four = "eni eni-1 at 0\n eni eni-2 at 1\n eni eni-3 at 2\n eni eni-4 at 3";
    Case::new(&format!("node t3.medium\n{four}"))
        .check(&["node-1 has 4 interfaces on card 0 and takes 3"]);
    Case::new("node m4.large\n eni eni-1 at 0 prefixes 1")
        .check(&["eni-1 has a prefix on a type that takes none"]);
}

#[test]
fn an_interface_may_be_loose_for_the_grace_period() {
    let mut case = Case::new("node m5.large\n eni eni-1 own");
    case.check(&[]);
    case.now = 61;
    case.check(&["eni-1 is attached to nothing for 61s"]);
}

#[test]
fn a_node_that_is_short_says_why() {
    let mut case = Case::new("node m5.large\n eni eni-1 at 0");
    case.short = 3;
    case.check(&["node-1 is short by 3 and says nothing"]);
    case.explained = true;
    case.check(&[]);
}

#[test]
fn a_ledger_adds_up() {
    let mut case = Case::new("node m5.large\n eni eni-1 at 0");
    let counts = LedgerCounts { attached: 10, free: 4, used: 3, cooling: 2, promised: 1 };
    case.ledgers = vec![counts];
    case.check(&[]);
    case.ledgers = vec![counts, LedgerCounts { promised: 0, ..counts }];
    case.check(&[
        "the ledger of node-1 does not add up: LedgerCounts { attached: 10, free: 4, used: 3, cooling: 2, promised: 0 }",
    ]);
}

#[test]
fn every_card_family_and_state_is_seen() {
    let two = "node p5.48xlarge\n eni eni-1 at 0\n eni eni-2 at 1";
    Case::new(&format!("{two}\n eni eni-3 at 1 card 1")).check(&[]);

    let coming = Case::new("node m5.large\n eni eni-1 at 0 attaching addresses 1");
    coming.using("10.0.0.5", "a/b").check(&[]);

    let mut case = Case::new("node m4.large\n eni eni-1 at 0 ipv6");
    case.check(&["eni-1 has a prefix on a type that takes none"]);
    case.world.node.enis[0].ipv6.prefixes.clear();
    case.world.node.enis[0].ipv6.addresses =
        (1..=11).map(|it| [0x2001, 0xdb8, 0, 0, 0, 0, 0, it].into()).collect();
    case.check(&["eni-1 has 11 slots taken of 10"]);
}

#[test]
fn users_of_one_address_are_found_apart_from_each_other() {
    Case::new("node m5.large\n eni eni-1 at 0 addresses 2")
        .using("10.0.0.6", "a/b")
        .using("10.0.0.5", "a/c")
        .using("10.0.0.6", "a/d")
        .check(&["10.0.0.6 is used by a/b and by a/d"]);
}

//! The committed snapshot and table.

use limits_generate::{
    described::{Hypervisor, InstanceType},
    render::{difference, render},
    snapshot::Snapshot,
};

const SNAPSHOT: &str = include_str!("../../instance-types.json");
const TABLE: &str = include_str!("../../../src/table.rs");

fn snapshot() -> Snapshot {
    Snapshot::parse(SNAPSHOT).unwrap()
}

/// The names of the types of which something is not true.
fn exceptions(holds: impl Fn(&InstanceType) -> bool) -> Vec<String> {
    let snapshot = snapshot();
    let exceptions = snapshot.types().iter().filter(|described| !holds(described));
    exceptions.map(|described| described.name.clone()).collect()
}

#[test]
fn the_table_is_what_the_snapshot_gives() {
    let stale = "run `cargo limits-generate render` and commit the result";
    assert_eq!(difference(TABLE, &render(&snapshot())), None, "{stale}");
}

#[test]
fn the_snapshot_is_as_fetch_writes_it() {
    assert_eq!(snapshot().to_text().unwrap(), SNAPSHOT);
}

/// The reason for counting bare metal among the types that take prefixes: see `Limits::supports_prefixes`.
#[test]
fn nitro_and_bare_metal_require_ena_and_xen_does_not() {
    let none: [String; 0] = [];
    let as_expected = |described: &InstanceType| {
        (described.hypervisor == Hypervisor::Xen) != (described.ena_support == "required")
    };
    assert_eq!(exceptions(as_expected), none);
}

/// The reason for not using the total: see "Network cards" in the documentation of `limits`.
#[test]
fn the_total_is_the_sum_over_the_cards() {
    let none: [String; 0] = [];
    let is_sum = |described: &InstanceType| {
        described.cards.iter().map(|(_, maximum)| maximum).sum::<u16>() == described.interfaces
    };
    assert_eq!(exceptions(is_sum), none);
    assert_eq!(exceptions(|described| described.cards.len() == 1).len(), 71);
}

#[test]
fn fourteen_xen_types_have_no_ipv6_and_all_others_have_it_like_ipv4() {
    let without = |described: &InstanceType| described.ipv6_per_interface == 0;
    assert_eq!(exceptions(|described| !without(described)).len(), 14);
    let none: [String; 0] = [];
    let as_expected = |described: &InstanceType| {
        described.ipv6_per_interface == described.ipv4_per_interface
            || (without(described) && described.hypervisor == Hypervisor::Xen)
    };
    assert_eq!(exceptions(as_expected), none);
}

//! What the embedded table says of types that somebody knows well.

use limits::{Limits, find, table::TABLE};

/// Renders what `find` says: `ENIS IPV4 IPV6 hypervisor`, then whether it takes prefixes.
fn check(instance_type: &str, expected: &str) {
    let shown = find(instance_type).map_or("unknown".to_owned(), |limits| {
        let Limits { enis, ipv4_per_eni, ipv6_per_eni, hypervisor } = limits;
        let prefixes = if limits.supports_prefixes() { "prefixes" } else { "no prefixes" };
        format!("{enis} {ipv4_per_eni} {ipv6_per_eni} {hypervisor}, {prefixes}")
    });
    assert_eq!(shown, expected, "{instance_type}");
}

#[test]
fn nitro_types_take_prefixes() {
    check("m5.large", "3 10 10 nitro, prefixes");
    check("t3.medium", "3 6 6 nitro, prefixes");
    check("a1.medium", "2 4 4 nitro, prefixes");
}

#[test]
fn xen_types_do_not() {
    check("m4.large", "2 10 10 xen, no prefixes");
    check("t2.xlarge", "3 15 15 xen, no prefixes");
}

#[test]
fn bare_metal_takes_prefixes_without_a_hypervisor() {
    check("m5.metal", "15 50 50 metal, prefixes");
    check("c5.metal", "15 50 50 metal, prefixes");
}

#[test]
fn the_oldest_types_have_no_ipv6() {
    check("m3.large", "3 10 0 xen, no prefixes");
    check("t1.micro", "2 2 0 xen, no prefixes");
}

/// In total they have 64, 16, 80, 2, 68 and 32 network interfaces.
#[test]
fn types_with_several_cards_have_the_network_interfaces_of_card_0() {
    check("p5.48xlarge", "2 50 50 nitro, prefixes");
    check("c6in.32xlarge", "8 50 50 nitro, prefixes");
    check("trn1n.32xlarge", "5 50 50 nitro, prefixes");
    check("hpc6id.32xlarge", "1 50 50 nitro, prefixes");
    check("p6-b300.48xlarge", "4 50 50 nitro, prefixes");
    check("trn2u.48xlarge", "2 50 50 nitro, prefixes");
}

#[test]
fn an_unknown_type_is_never_guessed() {
    check("", "unknown");
    check("m5", "unknown");
    check("m5.", "unknown");
    check("m5.larg", "unknown");
    check("m5.largest", "unknown");
    check("M5.large", "unknown");
    check(" m5.large", "unknown");
    check("aaa.small", "unknown");
    check("zzz.small", "unknown");
}

#[test]
fn every_row_is_found_by_its_name() {
    assert!(limits::bounds::TYPES_AT_LEAST <= TABLE.len());
    for (name, limits) in TABLE {
        assert_eq!(find(name), Some(*limits), "{name}");
    }
}

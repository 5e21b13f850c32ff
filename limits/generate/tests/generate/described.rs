//! What is left of a description after checking it.

use super::{chain, nitro};
use limits_generate::described::{Described, InstanceType};

/// Checks a description and renders `name interfaces-on-card-0 ipv4 ipv6 hypervisor`, or the error.
/// What is accepted must also come out as it went in.
fn check(json: &str, expected: &str) {
    let shown = match serde_json::from_str::<Described>(json) {
        Err(error) => error.to_string(),
        Ok(described) => match described.checked() {
            Err(error) => chain(error),
            Ok(checked) => {
                assert_eq!(
                    serde_json::to_string(&Described::from(&checked)).unwrap_or_default(),
                    json
                );
                shown(&checked)
            }
        },
    };
    assert_eq!(shown, expected);
}

fn shown(checked: &InstanceType) -> String {
    let InstanceType { name, interfaces_on_card_0, ipv4_per_interface, ipv6_per_interface, .. } =
        checked;
    let hypervisor = checked.hypervisor;
    format!(
        "{name} {interfaces_on_card_0} {ipv4_per_interface} {ipv6_per_interface} {hypervisor:?}"
    )
}

/// A complete description with one piece of its text replaced.
fn with(piece: &str, replacement: &str) -> String {
    let json = nitro("m5.large", "[[0,3],[1,4]]");
    assert!(json.contains(piece), "{piece} is not in {json}");
    json.replace(piece, replacement)
}

#[test]
fn card_0_counts_and_not_the_total() {
    check(&nitro("m5.large", "[[0,3],[1,4]]"), "m5.large 3 10 11 Nitro");
    check(&nitro("m5.large", "[[0,7]]"), "m5.large 7 10 11 Nitro");
}

#[test]
fn the_hypervisor_and_bare_metal_go_together() {
    check(&with("nitro", "xen"), "m5.large 3 10 11 Xen");
    check(
        &with(r#""Hypervisor":"nitro","BareMetal":false"#, r#""BareMetal":true"#),
        "m5.large 3 10 11 BareMetal",
    );
    check(&with("nitro", "qemu"), "m5.large: Hypervisor is \"qemu\", expected nitro or xen");
    check(
        &with(r#""Hypervisor":"nitro","#, ""),
        "m5.large: Hypervisor is missing, expected nitro or xen",
    );
    check(
        &with(r#""BareMetal":false"#, r#""BareMetal":true"#),
        "m5.large: Hypervisor is \"nitro\", expected nothing for bare metal",
    );
    check(
        &with(r#""BareMetal":false,"#, ""),
        "m5.large: BareMetal is missing, expected true or false",
    );
}

#[test]
fn card_0_must_be_there_and_hold_the_primary_network_interface() {
    let expected = "expected a list of [index, maximum] in whole numbers, each index once, card 0 among \
                    them with 1 or more";
    for cards in [
        "[[0,0]]",
        "[[0,0],[1,4]]",
        "[]",
        "[[1,4]]",
        "[[0,3],[0,4]]",
        "[[0,null]]",
        "[[null,3]]",
        "[[0]]",
        "[3]",
        "3",
    ] {
        check(&nitro("m5.large", cards), &format!("m5.large: NetworkCards is {cards}, {expected}"));
    }
    check(&nitro("m5.large", "null"), &format!("m5.large: NetworkCards is missing, {expected}"));
    let default = |index: &str| {
        with(r#""NetworkCards""#, &format!(r#""DefaultNetworkCardIndex":{index},"NetworkCards""#))
    };
    check(&default("0"), "m5.large 3 10 11 Nitro");
    check(
        &default("1"),
        "m5.large: DefaultNetworkCardIndex is 1, expected 0, the one card the table knows of",
    );
}

#[test]
fn a_member_that_is_missing_or_of_the_wrong_kind_is_named() {
    let number = "expected a whole number from 0 to 65535";
    check(
        &with(r#","Ipv4AddressesPerInterface":10"#, ""),
        &format!("m5.large: Ipv4AddressesPerInterface is missing, {number}"),
    );
    check(
        &with(r#"Interface":11"#, r#"Interface":-1"#),
        &format!("m5.large: Ipv6AddressesPerInterface is -1, {number}"),
    );
    check(
        &with(r#"Interfaces":7"#, r#"Interfaces":65536"#),
        &format!("m5.large: MaximumNetworkInterfaces is 65536, {number}"),
    );
    check(
        &with(r#"Interfaces":7"#, r#"Interfaces":"7""#),
        &format!("m5.large: MaximumNetworkInterfaces is \"7\", {number}"),
    );
    check(
        &with(r#""required""#, "true"),
        "m5.large: EnaSupport is true, expected required, supported or unsupported",
    );
    check(
        &with(r#""m5.large""#, r#""""#),
        "a type without a name: InstanceType is \"\", expected a name of lower-case letters, digits, dots and hyphens, such as m5.large",
    );
    check(
        &with(r#""InstanceType":"m5.large","#, ""),
        "a type without a name: InstanceType is missing, expected a name of lower-case letters, digits, dots and hyphens, such as m5.large",
    );
}

#[test]
fn a_name_has_nothing_that_the_table_could_not_hold() {
    for name in ["M5.large", "m5 large", "m5\\n", "m5_large"] {
        check(
            &with("m5.large", name),
            &format!(
                "{}: InstanceType is \"{name}\", expected a name of lower-case letters, digits, dots and \
                 hyphens, such as m5.large",
                name.replace("\\n", "\n")
            ),
        );
    }
}

#[test]
fn the_total_is_not_below_card_0() {
    check(
        &nitro("m5.large", "[[0,8]]"),
        "m5.large: MaximumNetworkInterfaces is 7, expected no fewer than on network card 0",
    );
}

#[test]
fn an_unknown_member_is_refused() {
    check(
        r#"{"Speed":1}"#,
        "unknown field `Speed`, expected one of `InstanceType`, `Hypervisor`, `BareMetal`, `EnaSupport`, \
         `MaximumNetworkInterfaces`, `DefaultNetworkCardIndex`, `NetworkCards`, \
         `Ipv4AddressesPerInterface`, `Ipv6AddressesPerInterface` at line 1 column 8",
    );
}

//! What is done about which world.

mod foreign;
pub(in crate::host_net) mod kernel;
mod masquerade;
mod random;
pub(in crate::host_net) mod world;

use super::plan;
use crate::host_net::words::{Numbers, Plan};

use self::kernel::apply;
use self::world::{World, lines};

/// Plans for a world, compares the steps and problems with `expected`, and takes them: nothing is left to do.
#[track_caller]
fn check(text: &str, expected: &str) {
    let mut world = World::parse(text);
    let numbers = Numbers::default();
    let planned = plan(&world.kernel, &world.wanted, &numbers);
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines(&planned), expected, "{text}");
    for step in &planned.steps {
        apply(&mut world.kernel, step, &numbers);
    }
    check_settled(&world, &planned);
}

/// Whether nothing is left to do, and the same is wrong as was.
#[track_caller]
fn check_settled(world: &World, planned: &Plan) {
    let again = plan(&world.kernel, &world.wanted, &Numbers::default());
    assert_eq!(again.steps, []);
    assert_eq!(again.problems, planned.problems);
}

/// A node with one secondary interface, on which one address is in use.
const WANTED: &str = "
    eni eni-0 0 m0 primary 10.0.1.4 subnet 10.0.1.0/24 vpc 10.0.0.0/16
    eni eni-1 1 m1 primary 10.0.1.5 subnet 10.0.1.0/24 vpc 10.0.0.0/16
    used 10.0.1.20/32 on eni-1
    device 2 ens5 m0 mtu 9001 up rp_filter 0
";

/// What the kernel has when that is all right.
const SETTLED: &str = "
    device 3 ens6 m1 mtu 9001 up rp_filter 0
    address 3 10.0.1.5/24
    route 10.0.1.1/32 table 11 device 3
    route default table 11 via 10.0.1.1 device 3
    rule 20: to 10.0.1.20/32 table 254
    rule 111: from 10.0.1.20/32 table 11
";

#[track_caller]
fn check_wanted(more: &str, expected: &str) {
    check(&format!("{WANTED}{more}"), expected);
}

/// Replaces or removes (with nothing) lines of the settled node, adds others, and plans.
#[track_caller]
fn check_drift(drift: &[(&str, &str)], expected: &str) {
    let mut text = format!("{WANTED}{SETTLED}");
    for (line, replacement) in drift {
        assert!(text.contains(line), "{line} is not there");
        text = text.replace(line, replacement);
    }
    check(&text, expected);
}

#[test]
fn nothing_is_wanted_of_nothing() {
    check("", "");
    check(
        "device 2 ens5 m0 up\naddress 2 10.0.1.4/24\nroute default table 9 device 2 protocol 4",
        "",
    );
}

#[test]
fn a_device_is_set_up_before_its_routes_and_these_before_rules() {
    check_wanted(
        "device 3 ens6 m1 rp_filter 1",
        "set MTU 9001 of device 3
         set device 3 up
         set rp_filter 0 of device 3
         add address 10.0.1.5/24 to device 3
         add route 10.0.1.1/32 table 11 device 3
         add route 0.0.0.0/0 table 11 via 10.0.1.1 device 3
         add rule 20: to 10.0.1.20/32 table 254
         add rule 111: from 10.0.1.20/32 table 11",
    );
    check_wanted(SETTLED, "");
}

#[test]
fn a_device_that_is_not_there_yet_is_waited_for() {
    check_wanted(
        "",
        "add rule 20: to 10.0.1.20/32 table 254
         eni-1: no device with the MAC m1 (yet)",
    );
}

#[test]
fn the_device_is_the_one_with_the_mac() {
    // Renamed, and not the lower part of a bond.
    check_drift(&[("ens6 m1", "eth1 m1")], "");
    check_drift(&[("device 2", "device 9 ens6s m1 enslaved\n device 2")], "");
    check_drift(
        &[("device 2", "device 9 br0 m1\n device 2")],
        "eni-1: several devices have the MAC m1: ens6, br0",
    );
    // It came back with another index: the kernel removed the routes of the old one.
    check_drift(
        &[
            ("device 3 ens6", "device 7 ens6"),
            ("address 3 10.0.1.5/24", ""),
            ("route 10.0.1.1/32 table 11 device 3", ""),
            ("route default table 11 via 10.0.1.1 device 3", ""),
        ],
        "add address 10.0.1.5/24 to device 7
         add route 10.0.1.1/32 table 11 device 7
         add route 0.0.0.0/0 table 11 via 10.0.1.1 device 7",
    );
}

#[test]
fn a_device_that_vanished_keeps_the_rules_of_used_addresses() {
    let gone = [
        ("device 3 ens6 m1 mtu 9001 up rp_filter 0", ""),
        ("address 3 10.0.1.5/24", ""),
        ("route 10.0.1.1/32 table 11 device 3", ""),
        ("route default table 11 via 10.0.1.1 device 3", ""),
    ];
    check_drift(&gone, "eni-1: no device with the MAC m1 (yet)");
    // Rules of others on it go all the same, and so do those into a table that is not its own.
    let more =
        "rule 111: from 10.0.1.9/32 table 11\nrule 111: from 10.0.1.20/32 table 13\n device 2";
    check_drift(
        &[&gone[..], &[("device 2", more)]].concat(),
        "delete rule 111: from 10.0.1.9/32 table 11
         delete rule 111: from 10.0.1.20/32 table 13
         eni-1: no device with the MAC m1 (yet)",
    );
}

#[test]
fn what_is_missing_is_repaired_alone() {
    for (line, step) in [
        ("mtu 9001 up rp_filter 0\n    address", "set MTU 9001 of device 3"),
        ("rule 20: to 10.0.1.20/32 table 254", "add rule 20: to 10.0.1.20/32 table 254"),
        ("rule 111: from 10.0.1.20/32 table 11", "add rule 111: from 10.0.1.20/32 table 11"),
        ("address 3 10.0.1.5/24", "add address 10.0.1.5/24 to device 3"),
        (
            "route default table 11 via 10.0.1.1 device 3",
            "add route 0.0.0.0/0 table 11 via 10.0.1.1 device 3",
        ),
        ("route 10.0.1.1/32 table 11 device 3", "add route 10.0.1.1/32 table 11 device 3"),
    ] {
        let left = if line.starts_with("mtu") { "up rp_filter 0\n    address" } else { "" };
        check_drift(&[(line, left)], step);
    }
}

#[test]
fn the_mtu_is_the_one_said_or_that_of_the_primary_device_or_left_alone() {
    check_drift(&[("used", "mtu 1400\nused")], "set MTU 1400 of device 3");
    check_drift(
        &[("mtu 9001 up rp_filter 0\n\n", "mtu 1500 up rp_filter 0\n\n")],
        "set MTU 1500 of device 3",
    );
    check_drift(&[("device 2 ens5 m0 mtu 9001", "device 2 ens5 m8 mtu 9000")], "");
}

#[test]
fn the_reverse_path_filter_is_never_strict() {
    // Found for `all` and the device; what becomes of the device's.
    for (all, found, set) in [
        (0, 0, None),
        (0, 1, Some(0)),
        (0, 2, None),
        (1, 0, Some(2)),
        (1, 1, Some(2)),
        (1, 2, None),
        (2, 0, None),
        (2, 1, Some(0)),
        (2, 2, None),
    ] {
        let device =
            format!("all rp_filter {all}\n device 3 ens6 m1 mtu 9001 up rp_filter {found}");
        let step = set.map(|value| format!("set rp_filter {value} of device 3"));
        check_drift(
            &[("device 3 ens6 m1 mtu 9001 up rp_filter 0", &device)],
            &step.unwrap_or_default(),
        );
    }
    // Not readable: nothing that could be set.
    check_drift(&[("m1 mtu 9001 up rp_filter 0", "m1 mtu 9001 up")], "");
}

#[test]
fn an_address_that_is_a_pods_or_not_known_or_there_is_not_added() {
    check_drift(&[("primary 10.0.1.5 ", ""), ("address 3 10.0.1.5/24", "")], "");
    check_drift(&[("address 3 10.0.1.5/24", "address 3 10.0.1.5/32")], "");
    // On another device it is of no use.
    check_drift(
        &[("address 3 10.0.1.5/24", "address 2 10.0.1.5/24")],
        "add address 10.0.1.5/24 to device 3",
    );
}

#[test]
fn an_interface_without_a_known_subnet_keeps_what_it_has_and_gets_nothing() {
    let unknown = ("eni eni-1 1 m1 primary 10.0.1.5 subnet 10.0.1.0/24", "eni eni-1 1 m1");
    check_drift(&[unknown], "eni-1: its subnet is not known yet");
    check_drift(
        &[unknown, ("rule 111: from 10.0.1.20/32 table 11", "")],
        "eni-1: its subnet is not known yet",
    );
}

#[test]
fn addresses_of_the_primary_interface_need_one_rule_each_and_no_device() {
    check_wanted(
        "used 10.0.1.30/32 on eni-0\n eni eni-0 0 m9 subnet 10.0.1.0/24",
        "add rule 20: to 10.0.1.20/32 table 254
         add rule 20: to 10.0.1.30/32 table 254
         eni-1: no device with the MAC m1 (yet)",
    );
}

#[test]
fn two_interfaces_in_one_subnet_have_their_own_tables() {
    check_drift(
        &[
            ("device 2", "device 4 ens7 m2 mtu 9001 up\n device 2"),
            (
                "used",
                "eni eni-2 2 m2 primary 10.0.1.6 subnet 10.0.1.0/24\nused 10.0.1.21/32 on eni-2\nused",
            ),
        ],
        "add address 10.0.1.6/24 to device 4
         add route 10.0.1.1/32 table 12 device 4
         add route 0.0.0.0/0 table 12 via 10.0.1.1 device 4
         add rule 20: to 10.0.1.21/32 table 254
         add rule 111: from 10.0.1.21/32 table 12",
    );
}

#[test]
fn addresses_that_become_a_prefix_and_back_are_never_without_rules() {
    let prefix = ("used 10.0.1.20/32", "used 10.0.1.16/28");
    check_drift(
        &[prefix],
        "add rule 20: to 10.0.1.16/28 table 254
         add rule 111: from 10.0.1.16/28 table 11
         delete rule 20: to 10.0.1.20/32 table 254
         delete rule 111: from 10.0.1.20/32 table 11",
    );
    // Not added while its interface has a problem, but not lost either.
    check_drift(
        &[
            prefix,
            ("from 10.0.1.20/32", "from 10.0.1.0/24"),
            (" subnet 10.0.1.0/24 vpc 10.0.0.0/16\n    used", "\n used"),
        ],
        "add rule 20: to 10.0.1.16/28 table 254
         delete rule 20: to 10.0.1.20/32 table 254
         eni-1: its subnet is not known yet",
    );
}

#[test]
fn rules_and_routes_go_with_the_last_user() {
    check_drift(
        &[("used 10.0.1.20/32 on eni-1", "")],
        "delete rule 20: to 10.0.1.20/32 table 254
         delete rule 111: from 10.0.1.20/32 table 11",
    );
    check(
        SETTLED,
        "delete rule 20: to 10.0.1.20/32 table 254
         delete rule 111: from 10.0.1.20/32 table 11
         delete route 0.0.0.0/0 table 11 via 10.0.1.1 device 3
         delete route 10.0.1.1/32 table 11 device 3",
    );
}

#[test]
fn an_interface_that_is_not_listed_keeps_what_its_used_addresses_have() {
    let eni = "eni eni-1 1 m1 primary 10.0.1.5 subnet 10.0.1.0/24 vpc 10.0.0.0/16";
    check_drift(&[(eni, "")], "");
    check_drift(
        &[(eni, ""), ("rule 111: from 10.0.1.20/32 table 11", "")],
        "delete route 0.0.0.0/0 table 11 via 10.0.1.1 device 3
         delete route 10.0.1.1/32 table 11 device 3",
    );
}

#[test]
fn an_interface_under_another_number_gets_another_table_first() {
    check_drift(
        &[("eni eni-1 1", "eni eni-1 2")],
        "add route 10.0.1.1/32 table 12 device 3
         add route 0.0.0.0/0 table 12 via 10.0.1.1 device 3
         add rule 111: from 10.0.1.20/32 table 12
         delete rule 111: from 10.0.1.20/32 table 11
         delete route 0.0.0.0/0 table 11 via 10.0.1.1 device 3
         delete route 10.0.1.1/32 table 11 device 3",
    );
}

#[test]
fn a_number_that_is_used_again_gets_routes_in_place_of_the_old_ones() {
    let another = "eni eni-1 1 m2 subnet 10.0.2.0/24 vpc 10.0.0.0/16";
    check_drift(
        &[
            ("eni eni-1 1 m1 primary 10.0.1.5 subnet 10.0.1.0/24 vpc 10.0.0.0/16", another),
            ("device 3 ens6", "device 4 ens7 m2 mtu 9001 up\n device 3 ens6"),
        ],
        "add route 10.0.2.1/32 table 11 device 4
         add route 0.0.0.0/0 table 11 via 10.0.2.1 device 4
         delete route 10.0.1.1/32 table 11 device 3",
    );
    // The old one is listed still: it has no device, and the table is not its own any more.
    check_drift(
        &[
            ("eni eni-1 1 m1", "eni eni-2 1 m2 subnet 10.0.2.0/24\n eni eni-1 1 m1"),
            ("device 3 ens6 m1", "device 4 ens7 m2"),
        ],
        "add route 10.0.2.1/32 table 11 device 4
         add route 0.0.0.0/0 table 11 via 10.0.2.1 device 4
         delete route 10.0.1.1/32 table 11 device 3
         eni-1: no device with the MAC m1 (yet)",
    );
    // Both have one for a moment.
    check_drift(
        &[
            ("eni eni-1 1 m1", "eni eni-2 1 m2 subnet 10.0.2.0/24\n eni eni-1 1 m1"),
            ("device 3 ens6", "device 4 ens7 m2 up\n device 3 ens6"),
        ],
        "eni-2: eni-1 has the device index 1 too: one of them is expected to go",
    );
}

#[test]
fn ipv6_has_a_route_where_it_is_used() {
    let used = ("used", "used fd00:1::/80 on eni-1\nused");
    check_drift(
        &[used],
        "add route ::/0 table 11 via fe80:ec2::1 device 3
         add rule 20: to fd00:1::/80 table 254
         add rule 111: from fd00:1::/80 table 11",
    );
    check_drift(
        &[("device 2", "route default6 table 11 via fe80:ec2::1 device 3\n device 2")],
        "delete route ::/0 table 11 via fe80:ec2::1 device 3",
    );
    check_drift(
        &[used, ("device 2", "route default6 table 11 device 3 protocol 9 metric 256\n device 2")],
        "add rule 20: to fd00:1::/80 table 254
         eni-1: table 11 has a route to ::/0 of protocol 9: choose other tables with --host-first-table",
    );
}

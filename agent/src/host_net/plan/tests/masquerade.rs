//! What is masqueraded, and what that needs.

use super::{check_drift, check_wanted};

const MASQUERADE: (&str, &str) = ("device 2", "masquerade\n device 2");

#[test]
fn masquerading_comes_before_the_rules() {
    check_wanted(
        "masquerade\n device 3 ens6 m1 mtu 9001 up\n used 10.0.1.30/32 on eni-0",
        "add address 10.0.1.5/24 to device 3
         add route 10.0.1.1/32 table 11 device 3
         add route 0.0.0.0/0 table 11 via 10.0.1.1 device 3
         masquerade 10.0.1.20/32 10.0.1.30/32 except 10.0.0.0/16
         add rule 20: to 10.0.1.20/32 table 254
         add rule 20: to 10.0.1.30/32 table 254
         add rule 110: IPv4 mark 0x100 table 254
         add rule 111: from 10.0.1.20/32 table 11",
    );
}

#[test]
fn what_is_masqueraded_follows_what_is_used() {
    let there = "masquerade\n masqueraded 10.0.1.20/32 except 10.0.0.0/16\n rule 110: IPv4 mark 0x100 table 254\n device 2";
    check_drift(&[("device 2", there)], "");
    check_drift(
        &[("device 2", there), ("used 10.0.1.20/32", "used 10.0.1.16/28")],
        "masquerade 10.0.1.16/28 except 10.0.0.0/16
         add rule 20: to 10.0.1.16/28 table 254
         add rule 111: from 10.0.1.16/28 table 11
         delete rule 20: to 10.0.1.20/32 table 254
         delete rule 111: from 10.0.1.20/32 table 11",
    );
    // Damaged.
    check_drift(
        &[("device 2", there), ("masqueraded 10.0.1.20/32 except 10.0.0.0/16", "masqueraded")],
        "masquerade 10.0.1.20/32 except 10.0.0.0/16",
    );
    // Switched off; and with the last user.
    let gone = "masquerade nothing
         delete rule 110: IPv4 mark 0x100 table 254";
    check_drift(&[("device 2", there), ("masquerade\n", "")], gone);
    check_drift(
        &[("device 2", there), ("used 10.0.1.20/32 on eni-1", "")],
        "masquerade nothing
         delete rule 20: to 10.0.1.20/32 table 254
         delete rule 110: IPv4 mark 0x100 table 254
         delete rule 111: from 10.0.1.20/32 table 11",
    );
}

#[test]
fn a_family_is_masqueraded_where_the_vpcs_cidrs_of_it_are_known() {
    let both = ("used", "used fd00:1::7/128 on eni-0\n used");
    let rule = "add rule 20: to fd00:1::7/128 table 254";
    check_drift(
        &[MASQUERADE, both],
        &format!(
            "masquerade 10.0.1.20/32 except 10.0.0.0/16\n{rule}\nadd rule 110: IPv4 mark 0x100 table 254"
        ),
    );
    check_drift(
        &[MASQUERADE, both, ("vpc 10.0.0.0/16", "vpc 10.0.0.0/16 vpc fd00:1::/56")],
        &format!(
            "masquerade 10.0.1.20/32 fd00:1::7/128 except 10.0.0.0/16 fd00:1::/56
             {rule}
             add rule 110: IPv4 mark 0x100 table 254
             add rule 110: IPv6 mark 0x100 table 254"
        ),
    );
    check_drift(&[MASQUERADE, ("vpc 10.0.0.0/16", "")], "");
    check_drift(
        &[MASQUERADE, ("vpc 10.0.0.0/16", "vpc 10.0.0.0/16 vpc fd00:1::/56")],
        "masquerade 10.0.1.20/32 except 10.0.0.0/16
         add rule 110: IPv4 mark 0x100 table 254",
    );
}

#[test]
fn answers_to_masqueraded_connections_come_in_by_the_primary_device() {
    for (all, found, set) in
        [(0, 0, None), (0, 1, Some(2)), (0, 2, None), (1, 0, Some(2)), (2, 1, None)]
    {
        let strict = format!(
            "masquerade\n masqueraded 10.0.1.20/32 except 10.0.0.0/16\n rule 110: IPv4 mark 0x100 table 254\n all rp_filter {all}\n device 2 ens5 m0 mtu 9001 up rp_filter {found}"
        );
        let secondary = ("ens6 m1 mtu 9001 up rp_filter 0", "ens6 m1 mtu 9001 up rp_filter 2");
        let step = set.map(|value| format!("set rp_filter {value} of device 2"));
        check_drift(
            &[("device 2 ens5 m0 mtu 9001 up rp_filter 0", &strict), secondary],
            &step.unwrap_or_default(),
        );
    }
    // Without masquerading it is the host's own business.
    check_drift(&[("m0 mtu 9001 up rp_filter 0", "m0 mtu 9001 up rp_filter 1")], "");
}

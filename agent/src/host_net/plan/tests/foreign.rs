//! What is not Berth's. Protocol 4 is `static`, which an administrator uses.

use super::check_drift;

#[test]
fn routes_of_others_are_never_touched() {
    let mine = "route default table 11 via 10.0.1.1 device 3";
    let foreign = |route: &str| format!("route default table 11 {route} protocol 4");
    // In the way: other gateway, other device, and one that would be asked first.
    for route in ["via 10.0.1.9 device 3", "via 10.0.1.1 device 2"] {
        check_drift(
            &[(mine, &foreign(route))],
            "eni-1: table 11 has a route to 0.0.0.0/0 of protocol 4: choose other tables with --host-first-table",
        );
    }
    // Beside it, asked later.
    check_drift(
        &[(mine, &format!("{mine}\n {} metric 512", foreign("via 10.0.1.9 device 3")))],
        "",
    );
    // As good as Berth's own, until it goes.
    check_drift(&[(mine, &foreign("via 10.0.1.1 device 3"))], "");
    // In other tables, and to elsewhere.
    check_drift(
        &[(
            mine,
            &format!(
                "{mine}\n route 10.9.0.0/16 table 11 device 2 protocol 4\n route default table 9 device 2 protocol 3"
            ),
        )],
        "",
    );
    // With Berth's number, in a table that Berth has no routes in.
    check_drift(&[(mine, &format!("{mine}\n route 10.9.0.0/16 table 254 device 2"))], "");
}

#[test]
fn rules_with_berths_number_are_berths_between_its_priorities() {
    check_drift(
        &[(
            "device 2",
            "rule 20: IPv4 iif lo table 254\n rule 21: IPv4 iif lo table 254\n rule 30: to 10.0.1.20/32 table 254\n rule 110: IPv4 mark 0x100 table 254\n rule 19: to 10.0.1.20/32 table 254\n rule 112: from 10.0.1.20/32 table 11\n device 2",
        )],
        "delete rule 20: IPv4 iif lo table 254
         delete rule 30: to 10.0.1.20/32 table 254
         delete rule 110: IPv4 mark 0x100 table 254",
    );
}

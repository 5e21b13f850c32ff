use super::model::{disturb, fresh, obey, text, vpc};
use super::plan;

const TWO: &str = "f-a i-1 eth0 10.0.0.10/24 10.0.0.11/32\nf-b i-2 eth0 10.0.0.20/24";

/// Makes `before` true, lets somebody do what is in `disturbed`, and looks at the steps that make `after` true, which must do so.
#[track_caller]
fn check(before: &str, disturbed: &str, after: &str, expected: &str) {
    let mut present = fresh(&["i-1", "i-2"]);
    for step in plan(&vpc(before), &present) {
        obey(&mut present, &step);
    }
    assert_eq!(plan(&vpc(before), &present), [], "before");
    disturbed.lines().for_each(|line| disturb(&mut present, line));
    let steps = plan(&vpc(after), &present);
    let lines: Vec<String> = steps.iter().map(text).collect();
    assert_eq!(lines.join("\n"), expected.trim());
    for step in &steps {
        obey(&mut present, step);
    }
    assert_eq!(plan(&vpc(after), &present), [], "after");
}

#[test]
fn everything_is_made_from_nothing() {
    check(
        "",
        "",
        "f-a i-1 eth0 10.0.0.10/24 10.0.0.11/32 10.0.0.32/28\nf-b i-1 eth1 10.0.1.10 open",
        r#"
link add name f-a mtu 9001 type veth peer name eth0 address mac-of-f-a netns "i-1"
link add name f-b mtu 9001 type veth peer name eth1 address mac-of-f-b netns "i-1"
guard f-a true
guard f-b false
link set dev f-a up
link set dev f-b up
neighbour replace 10.0.0.10 lladdr mac-of-f-a dev f-a nud permanent
route replace 10.0.0.10/32 dev f-a
route replace 10.0.0.11/32 via 10.0.0.10 dev f-a onlink
route replace 10.0.0.32/28 via 10.0.0.10 dev f-a onlink
neighbour replace 10.0.1.10 lladdr mac-of-f-b dev f-b nud permanent
route replace 10.0.1.10/32 dev f-b
boot i-1 eth0 10.0.0.10/24 via 10.0.0.1"#,
    );
}

#[test]
fn the_router_has_its_addresses() {
    let steps = plan(&vpc(""), &fresh(&[]));
    assert_eq!(steps.iter().map(text).collect::<Vec<_>>(), ["address replace 10.0.0.1/32 dev lo"]);
}

#[test]
fn what_is_true_takes_no_step() {
    check(TWO, "", TWO, "");
}

#[test]
fn addresses_come_and_go() {
    let more = TWO.replace("10.0.0.11/32", "10.0.0.11/32 10.0.0.64/28");
    let come = "route replace 10.0.0.64/28 via 10.0.0.10 dev f-a onlink";
    check(TWO, "", &more, come);
    check(&more, "", TWO, "route delete 10.0.0.64/28 dev f-a");
}

#[test]
fn an_address_that_moves_is_withdrawn_first() {
    check(
        TWO,
        "",
        "f-a i-1 eth0 10.0.0.10/24\nf-b i-2 eth0 10.0.0.20/24 10.0.0.11/32",
        "route delete 10.0.0.11/32 dev f-a\nroute replace 10.0.0.11/32 via 10.0.0.20 dev f-b onlink",
    );
}

#[test]
fn a_detached_interface_is_unplugged() {
    check(TWO, "", "f-b i-2 eth0 10.0.0.20/24", "link delete dev f-a");
}

#[test]
fn an_interface_that_changes_hosts_is_plugged_anew() {
    check(
        "f-a i-1 eth1 10.0.0.10",
        "",
        "f-a i-2 eth1 10.0.0.10",
        r#"
link delete dev f-a
link add name f-a mtu 9001 type veth peer name eth1 address mac-of-f-a netns "i-2"
guard f-a true
link set dev f-a up
neighbour replace 10.0.0.10 lladdr mac-of-f-a dev f-a nud permanent
route replace 10.0.0.10/32 dev f-a"#,
    );
}

#[test]
fn a_host_that_has_another_namespace_is_plugged_anew() {
    check(
        "f-a i-1 eth1 10.0.0.10\nf-b i-2 eth1 10.0.0.20",
        "other-namespace i-1",
        "f-a i-1 eth1 10.0.0.10\nf-b i-2 eth1 10.0.0.20",
        r#"
link delete dev f-a
link add name f-a mtu 9001 type veth peer name eth1 address mac-of-f-a netns "i-1"
guard f-a true
link set dev f-a up
neighbour replace 10.0.0.10 lladdr mac-of-f-a dev f-a nud permanent
route replace 10.0.0.10/32 dev f-a"#,
    );
}

#[test]
fn a_host_that_could_not_be_looked_at_keeps_what_it_has() {
    check(TWO, "closed-namespace i-1", TWO, "");
}

#[test]
fn the_source_check_can_be_switched() {
    let open = "f-a i-1 eth0 10.0.0.10/24 10.0.0.11/32 open\nf-b i-2 eth0 10.0.0.20/24";
    check(TWO, "", open, "guard f-a false");
    check(open, "", TWO, "guard f-a true");
    check(TWO, "let-all-through f-b", TWO, "guard f-b true");
}

#[test]
fn what_somebody_takes_away_comes_back() {
    check(TWO, "forget-routes-to 10.0.0.10/32", TWO, "route replace 10.0.0.10/32 dev f-a");
    check(
        TWO,
        "down f-a",
        TWO,
        "
link set dev f-a up
neighbour replace 10.0.0.10 lladdr mac-of-f-a dev f-a nud permanent
route replace 10.0.0.10/32 dev f-a
route replace 10.0.0.11/32 via 10.0.0.10 dev f-a onlink",
    );
    check(
        "f-a i-1 eth1 10.0.0.10",
        "forget-neighbours",
        "f-a i-1 eth1 10.0.0.10",
        "neighbour replace 10.0.0.10 lladdr mac-of-f-a dev f-a nud permanent",
    );
    check(TWO, "flush i-2", TWO, "boot i-2 eth0 10.0.0.20/24 via 10.0.0.1");
}

#[test]
fn what_somebody_adds_goes() {
    check(TWO, "route 10.0.0.99/32 f-b", TWO, "route delete 10.0.0.99/32 dev f-b");
    check(TWO, "route 10.0.0.11/32 f-b", TWO, "route delete 10.0.0.11/32 dev f-b");
    check(TWO, "stranger f-z", TWO, "link delete dev f-z");
}

#[test]
fn names_of_devices_are_the_hosts_business() {
    check(TWO, "rename i-1 eth0 ens5\nflush i-1", TWO, "boot i-1 ens5 10.0.0.10/24 via 10.0.0.1");
}

//! The host's network of the agent on a real kernel: a host is a network namespace, the devices of its interfaces are veth pairs.

use std::thread;
use std::time::Duration;

use berth_agent::host_net::Options;

#[cfg(test)]
mod bed;
#[cfg(test)]
mod masquerade;
#[cfg(test)]
mod measure;

use bed::{Agent, Host};

/// A node with the primary interface and one for pods, on which a prefix is used.
const ONE: &str = "
    eni 0 4
    eni 1 5
    1 10.0.1.16/28
";

/// What the kernel then has.
const SETTLED: &str = "
    eth1 up mtu 9001 rp_filter 0 10.0.1.5/24
    10.0.1.1 dev eth1 table 11 scope link
    default via 10.0.1.1 dev eth1 table 11
    20: to 10.0.1.16/28 lookup main
    111: from 10.0.1.16/28 lookup 11
";

/// A host with the device of one interface for pods, that is as it should be.
fn settled() -> (Host, Agent) {
    let host = Host::new();
    host.device("eth1", 1);
    let agent = Agent::start(&host, ONE);
    host.awaits(SETTLED);
    (host, agent)
}

#[test]
fn a_fresh_host_gets_what_pods_need() {
    let (host, agent) = settled();
    let view = agent.awaits_view(|view| view.ready.len() == 2);
    assert!(view.problems.is_empty(), "{view:?}");
    assert_eq!(agent.changes("drift"), 0);
    // The subnet's route stays that of the primary interface.
    let main = host.run("ip route show 10.0.1.0/24");
    assert_eq!(main.lines().count(), 1, "{main}");
}

#[test]
fn a_restart_changes_nothing() {
    let (host, agent) = settled();
    drop(agent);
    let before = host.run("ip rule\nip route show table all\nip address");
    let agent = Agent::start(&host, ONE);
    agent.awaits_view(|view| view.ready.len() == 2);
    assert_eq!(host.run("ip rule\nip route show table all\nip address"), before);
    assert_eq!((agent.changes("wanted"), agent.changes("drift")), (0, 0));
}

#[test]
fn what_somebody_else_changes_is_repaired() {
    let (host, agent) = settled();
    for drift in [
        "ip rule del priority 111 from 10.0.1.16/28",
        "ip rule del priority 20 to 10.0.1.16/28",
        "ip route flush table 11",
        "ip route del default table 11",
        "ip link set eth1 down",
        "ip link set eth1 mtu 1400",
        "ip address flush dev eth1",
        "sysctl -w net.ipv4.conf.eth1.rp_filter=1",
        "ip rule add from 10.0.9.9 table 11 priority 111 protocol 66",
        "ip route add 10.0.9.9 dev eth1 table 11 protocol 66",
        "ip rule add to 10.0.9.9 iif lo table 11 priority 20 protocol 66",
        "ip rule flush",
    ] {
        let before = agent.changes("drift");
        host.run(drift);
        if drift == "ip rule flush" {
            host.run("ip rule add priority 32766 table main");
        }
        host.awaits(SETTLED);
        assert!(agent.changes("drift") > before, "{drift}: was not even noticed");
    }
    assert_eq!(agent.changes("wanted"), 7, "what is repaired is not new");
}

#[test]
fn what_is_strict_for_all_devices_is_loose_for_those_of_pods() {
    let host = Host::new();
    host.device("eth1", 1);
    host.run("sysctl -w net.ipv4.conf.all.rp_filter=1");
    let _agent = Agent::start(&host, ONE);
    host.awaits(&SETTLED.replace("rp_filter 0", "rp_filter 2"));
}

#[test]
fn what_is_not_berths_stays_as_it_is() {
    let host = Host::new();
    host.device("eth1", 1);
    host.run(
        "ip rule add priority 20 to 10.0.1.99 table main
        ip rule add priority 111 from 10.0.1.99 table 11
        ip rule add priority 111 from 10.0.1.16/28 table 11 protocol kernel
        ip rule add priority 110 fwmark 0x100/0x100 table main
        ip rule add priority 5 from 10.0.1.99 table 77 protocol 99
        ip -6 rule add priority 111 from 2001:db8::99 table 11
        ip link set eth1 up
        ip route add 10.9.0.0/16 dev eth1 table 11
        ip route add unreachable 10.8.0.0/16 table 11
        ip route add 10.9.0.0/16 dev eth0 table 77 protocol 99",
    );
    let before = host.foreign();
    let agent = Agent::start(&host, ONE);
    host.awaits(SETTLED);
    assert_eq!(host.foreign(), before);
    agent.show("eni 0 4\neni 1 5");
    host.awaits(
        "eth1 up mtu 9001 rp_filter 0 10.0.1.5/24
        10.0.1.1 dev eth1 table 11 scope link
        default via 10.0.1.1 dev eth1 table 11",
    );
    assert_eq!(host.foreign(), before);
}

#[test]
fn a_foreign_route_in_the_way_is_said_and_left() {
    let host = Host::new();
    host.device("eth1", 1);
    host.run("ip route add default via 10.0.1.1 dev eth0 table 11");
    let agent = Agent::start(&host, ONE);
    let view = agent.awaits_view(|view| !view.problems.is_empty());
    let problem = view.problems.values().next().unwrap();
    assert!(problem.contains("choose other tables with --host-first-table"), "{problem}");
    let refused = agent.refused(1, &["10.0.1.32/28"]);
    assert_eq!(&refused.problem, problem);
    assert!(host.run("ip route show table 11").starts_with("default via 10.0.1.1 dev eth0"));
    host.run("ip route flush table 11");
    agent.awaits_view(|view| view.problems.is_empty());
    agent.ensure(1, &["10.0.1.16/28"]);
}

#[test]
fn a_device_that_comes_late_or_again_or_under_another_name_is_found() {
    let host = Host::new();
    let agent = Agent::start(&host, ONE);
    let view = agent.awaits_view(|view| !view.problems.is_empty());
    assert_eq!(
        view.problems.values().next().unwrap(),
        "no device with the MAC 02:00:00:00:00:01 (yet)"
    );
    host.device("eth1", 1);
    host.awaits(SETTLED);
    host.run(
        "ip link set eth1 down
        ip link set eth1 name eth7",
    );
    host.awaits(&SETTLED.replace("eth1", "eth7"));
    host.run("ip link del eth7");
    agent.awaits_view(|view| !view.problems.is_empty());
    host.awaits("20: to 10.0.1.16/28 lookup main\n111: from 10.0.1.16/28 lookup 11");
    host.device("eth1", 1);
    host.awaits(SETTLED);
    agent.awaits_view(|view| view.ready.len() == 2 && view.problems.is_empty());
}

#[test]
fn two_interfaces_have_their_own_tables() {
    let host = Host::new();
    host.device("eth1", 1);
    host.device("eth2", 2);
    let options = Options { mtu: Some(1300), ..Options::default() };
    let agent = Agent::start_with(
        &host,
        options,
        "eni 0 4\neni 1 5\neni 2 6\n0 10.0.1.40/32\n1 10.0.1.50/32\n2 10.0.1.60/32",
    );
    host.awaits(
        "eth1 up mtu 1300 rp_filter 0 10.0.1.5/24
        eth2 up mtu 1300 rp_filter 0 10.0.1.6/24
        10.0.1.1 dev eth1 table 11 scope link
        default via 10.0.1.1 dev eth1 table 11
        10.0.1.1 dev eth2 table 12 scope link
        default via 10.0.1.1 dev eth2 table 12
        20: to 10.0.1.40 lookup main
        20: to 10.0.1.50 lookup main
        20: to 10.0.1.60 lookup main
        111: from 10.0.1.50 lookup 11
        111: from 10.0.1.60 lookup 12",
    );
    agent.awaits_view(|view| view.ready.len() == 3);
    host.run("sysctl -w net.ipv4.ip_forward=1");
    let used = host.run("ip route get 198.51.100.1 from 10.0.1.60 iif eth1");
    assert!(used.contains("dev eth2 table 12"), "{used}");
}

#[test]
fn ipv6_has_its_rules_and_routes() {
    let host = Host::new();
    host.device("eth1", 1);
    let agent = Agent::start(&host, "eni 0 4\neni 1 5");
    agent.ensure(1, &["2001:db8:0:1::/80", "10.0.1.16/28"]);
    host.awaits(&format!(
        "{SETTLED}
        default via fe80:ec2::1 dev eth1 table 11 metric 1024 pref medium
        20: to 2001:db8:0:1::/80 lookup main
        111: from 2001:db8:0:1::/80 lookup 11"
    ));
    assert_eq!(agent.changes("drift"), 0);
}

#[test]
fn after_ensure_the_rules_are_there() {
    let (host, agent) = settled();
    for last in 40..60 {
        agent.ensure(1, &[&format!("10.0.1.{last}/32")]);
        let rules = host.run("ip rule");
        assert!(rules.contains(&format!("20:\tfrom all to 10.0.1.{last} lookup main")), "{rules}");
        assert!(rules.contains(&format!("111:\tfrom 10.0.1.{last} lookup 11")), "{rules}");
    }
}

#[test]
fn a_hundred_and_ten_at_once_come_and_go() {
    let (host, agent) = settled();
    let cidrs: Vec<String> = (0..110).map(|last| format!("10.0.1.{}/32", 100 + last)).collect();
    agent.ensure_all(1, &cidrs);
    let rules = host.run("ip rule");
    assert_eq!(rules.lines().filter(|rule| rule.contains("proto 66")).count(), 2 + 220);
    let used: Vec<String> = cidrs.iter().map(|cidr| format!("1 {cidr}")).collect();
    agent.show(&format!("{ONE}\n{}", used.join("\n")));
    agent.ensure_all(1, &cidrs);
    // It has been shown for longer than the ADDs are in flight: otherwise it takes 30 s more.
    thread::sleep(Duration::from_millis(500));
    agent.show(ONE);
    host.awaits(SETTLED);
    agent.show("eni 0 4\neni 1 5");
    host.awaits(
        "eth1 up mtu 9001 rp_filter 0 10.0.1.5/24
        10.0.1.1 dev eth1 table 11 scope link
        default via 10.0.1.1 dev eth1 table 11",
    );
    assert_eq!(agent.changes("drift"), 0);
}

//! Network configurations, as a table: the section `ipam` or the whole text in, what is understood out.

use berth_cni::netconf::{BYTES_MAX, NetConf, NetConfError, parse, version_of};
use berth_cni::version::CniVersion;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(said(parse(text.as_bytes())), expected, "{text}");
}

/// A section of a configuration whose main plugin is Cilium's.
#[track_caller]
fn check_section(section: &str, expected: &str) {
    let text = format!(
        r#"{{"cniVersion": "1.1.0", "name": "berth", "type": "cilium-cni", "ipam": {section}}}"#
    );
    check(&text, expected);
}

fn said(parsed: Result<NetConf, NetConfError>) -> String {
    match parsed {
        Ok(conf) => understood(&conf),
        Err(error) => {
            let problem = error.problem();
            format!("{} {}", problem.code, problem.msg)
        }
    }
}

/// What differs from a configuration that says nothing.
fn understood(conf: &NetConf) -> String {
    let plain = parse(br#"{"cniVersion": "1.1.0", "name": "n", "ipam": {}}"#).unwrap().settings;
    let settings = &conf.settings;
    let mut words = vec![format!("{} {}", conf.version, conf.name)];
    let mut say = |differs: bool, word: String| words.extend(differs.then_some(word));
    say(settings.socket != plain.socket, format!("socket {}", settings.socket.display()));
    say(settings.queue != plain.queue, format!("queue {}", settings.queue.display()));
    say(settings.wait != plain.wait, format!("wait {:?}", settings.wait.unwrap_or_default()));
    say(settings.log_file != plain.log_file, format!("log {:?}", settings.log_file));
    say(settings.log_level != plain.log_level, format!("{:?}", settings.log_level));
    say(settings.gateway != plain.gateway, format!("gateway {:?}", settings.gateway));
    say(settings.prefix != plain.prefix, format!("prefix {:?}", settings.prefix));
    say(settings.interfaces, "interfaces".to_owned());
    let routes = settings.routes.iter().map(|it| format!("{} via {:?}", it.dst, it.gateway));
    words.extend(routes);
    words.join(", ")
}

#[test]
fn what_belongs_to_the_main_plugin_is_borne() {
    check(
        r#"{"cniVersion": "0.3.1", "name": "berth", "type": "cilium-cni", "mtu": 9001, "args": {"x": 1}, "runtimeConfig": {},
            "capabilities": {"ips": true}, "dns": {}, "eni": {"subnet-ids": []}, "prevResult": 7, "cniVersions": ["0.3.1"],
            "enable-debug": true, "cni.dev/valid-attachments": 7,
            "ipam": {"type": "berth-cni", "min-allocate": 1, "pre-allocate": 8, "max-allocate": 9, "max-above-watermark": 2, "static-ip-tags": {}}}"#,
        "0.3.1 berth",
    );
}

#[test]
fn every_member_of_the_section_is_understood() {
    check_section("{}", "1.1.0 berth");
    check_section(r#"{"agent-socket": "/run/a.sock"}"#, "1.1.0 berth, socket /run/a.sock");
    check_section(r#"{"queue-dir": "/run/q"}"#, "1.1.0 berth, queue /run/q");
    check_section(r#"{"wait": "2m"}"#, "1.1.0 berth, wait 120s");
    check_section(r#"{"wait": "500ms"}"#, "1.1.0 berth, wait 500ms");
    check_section(
        r#"{"log-file": "/var/log/berth-cni.log", "log-level": "debug"}"#,
        "1.1.0 berth, log Some(\"/var/log/berth-cni.log\"), Debug",
    );
    check_section(r#"{"gateway": "link-local"}"#, "1.1.0 berth");
    check_section(r#"{"gateway": "subnet"}"#, "1.1.0 berth, gateway Subnet");
    check_section(r#"{"gateway": "10.0.0.3"}"#, "1.1.0 berth, gateway Address(10.0.0.3)");
    check_section(
        r#"{"prefix": "gateway", "interfaces": true}"#,
        "1.1.0 berth, prefix Gateway, interfaces",
    );
    check_section(
        r#"{"routes": [{"dst": "10.8.0.0/16"}, {"dst": "::/0", "gw": "fe80::2"}]}"#,
        "1.1.0 berth, 10.8.0.0/16 via None, ::/0 via Some(fe80::2)",
    );
}

#[test]
fn under_ptp_the_gateway_is_one_that_it_can_reach() {
    let conf = |rest| {
        format!(r#"{{"cniVersion": "1.0.0", "name": "n", "type": "ptp", "ipam": {{{rest}}}}}"#)
    };
    check(&conf(""), "1.0.0 n, gateway Reserved, prefix Gateway");
    check(&conf(r#""gateway": "subnet", "prefix": "host""#), "1.0.0 n, gateway Subnet");
}

#[test]
fn an_unknown_member_is_named_with_its_value_and_the_nearest_known_one() {
    check_section(
        r#"{"gatway": "subnet"}"#,
        "2 ipam.gatway = \"subnet\" is not known; did you mean gateway?",
    );
    check_section(
        r#"{"agent_socket": "/x"}"#,
        "2 ipam.agent_socket = \"/x\" is not known; did you mean agent-socket?",
    );
    check_section(
        r#"{"max-alocate": 3}"#,
        "2 ipam.max-alocate = 3 is not known; did you mean max-allocate?",
    );
    check_section(r#"{"subnet": "10.0.0.0/8"}"#, "2 ipam.subnet = \"10.0.0.0/8\" is not known");
    check_section(r#"{"x": null}"#, "2 ipam.x = null is not known");
}

#[test]
fn values_that_make_no_sense_are_named() {
    check_section(
        r#"{"wait": "soon"}"#,
        "7 ipam.wait = \"soon\": expected a duration such as 10s, 10 minutes at most",
    );
    check_section(
        r#"{"wait": "-1s"}"#,
        "7 ipam.wait = \"-1s\": expected a duration such as 10s, 10 minutes at most",
    );
    check_section(
        r#"{"wait": "11m"}"#,
        "7 ipam.wait = \"11m\": expected a duration such as 10s, 10 minutes at most",
    );
    check_section(
        r#"{"wait": 10}"#,
        "7 ipam.wait = 10: expected a duration such as 10s, 10 minutes at most",
    );
    check_section(
        r#"{"agent-socket": "a.sock"}"#,
        "7 ipam.agent-socket = \"a.sock\": expected an absolute path",
    );
    check_section(r#"{"queue-dir": 1}"#, "7 ipam.queue-dir = 1: expected an absolute path");
    check_section(
        r#"{"log-file": "/a\u0000b"}"#,
        "7 ipam.log-file = \"/a\\u0000b\": expected an absolute path",
    );
    check_section(
        r#"{"log-level": "loud"}"#,
        "7 ipam.log-level = \"loud\": expected error, warn, info or debug",
    );
    let gateway = "expected link-local, reserved, subnet or an address";
    check_section(
        r#"{"gateway": "10.0.0.0/8"}"#,
        &format!("7 ipam.gateway = \"10.0.0.0/8\": {gateway}"),
    );
    check_section(r#"{"gateway": "0.0.0.0"}"#, &format!("7 ipam.gateway = \"0.0.0.0\": {gateway}"));
    check_section(r#"{"prefix": 24}"#, "7 ipam.prefix = 24: expected host or gateway");
    check_section(
        r#"{"interfaces": "yes"}"#,
        "7 ipam.interfaces = \"yes\": expected true or false",
    );
    check_section("[]", "7 ipam = []: expected an object");
}

#[test]
fn routes_that_make_no_sense_are_named() {
    let expected =
        "expected a list of {dst, gw}, dst a CIDR, gw an address of the same family or left out";
    for wrong in [
        r#"{"dst":"10.0.0.0/8"}"#,
        "[1]",
        r#"[{"dst":"10.0.0.1/8"}]"#,
        r#"[{"dst":"10.0.0.0"}]"#,
        r#"[{"dst":"10.0.0.0/8","gw":"fe80::1"}]"#,
        r#"[{"dst":"10.0.0.0/8","mtu":1500}]"#,
        r#"[{"gw":"10.0.0.1"}]"#,
    ] {
        check_section(
            &format!(r#"{{"routes": {wrong}}}"#),
            &format!("7 ipam.routes = {wrong}: {expected}"),
        );
    }
}

#[test]
fn version_and_name_are_checked() {
    let spoken = "is not one of 0.3.0, 0.3.1, 0.4.0, 1.0.0 and 1.1.0";
    for version in ["0.1.0", "0.2.0", "1.2.0", "v1.0.0", ""] {
        let conf = format!(r#"{{"cniVersion": "{version}", "name": "n", "ipam": {{}}}}"#);
        check(&conf, &format!("1 cniVersion {version:?} {spoken}"));
    }
    check(r#"{"name": "n", "ipam": {}}"#, "1 the network configuration has no cniVersion");
    check(r#"{"cniVersion": 1, "name": "n", "ipam": {}}"#, "7 cniVersion = 1: expected a text");
    check(r#"{"cniVersion": "1.0.0", "ipam": {}}"#, "7 the network configuration has no name");
    check(r#"{"cniVersion": "1.0.0", "name": "n"}"#, "7 the network configuration has no ipam");
    let name = "expected a letter or digit, then letters, digits, '_', '.' and '-', 255 at most";
    for wrong in ["", "-n", "a/b", "a b"] {
        let conf = format!(r#"{{"cniVersion": "1.0.0", "name": "{wrong}", "ipam": {{}}}}"#);
        check(&conf, &format!("7 name = \"{wrong}\": {name}"));
    }
    for version in CniVersion::ALL {
        let conf = format!(r#"{{"cniVersion": "{version}", "name": "n", "ipam": {{}}}}"#);
        check(&conf, &format!("{version} n"));
    }
}

#[test]
fn what_is_no_configuration_is_refused() {
    check("", "6 the network configuration is not JSON");
    check("{", "6 the network configuration is not JSON");
    check("[]", "6 the network configuration is not an object");
    check(&"[".repeat(100_000), "6 the network configuration is not JSON");
    let long = " ".repeat(BYTES_MAX + 1);
    check(&long, "7 a network configuration of more than 1048576 bytes");
    assert_eq!(version_of(long.as_bytes()), None);
}

#[test]
fn errors_are_answered_in_the_version_of_the_configuration() {
    assert_eq!(version_of(br#"{"cniVersion": "0.4.0", "name": 7}"#), Some(CniVersion::V0_4_0));
    assert_eq!(version_of(br#"{"cniVersion": "0.2.0"}"#), None);
    assert_eq!(version_of(b"rubbish"), None);
}

/// A member of the outer object, as CHECK or GC reads it.
#[track_caller]
fn check_outer(member: &str, value: &str, expected: &str) {
    let text =
        format!(r#"{{"cniVersion": "1.1.0", "name": "n", "ipam": {{}}, "{member}": {value}}}"#);
    let conf = parse(text.as_bytes()).unwrap();
    let said = match member {
        "prevResult" => conf.previous_addresses().map(|it| format!("{it:?}")),
        _ => conf.valid_attachments().map(|list| {
            let shown = list.iter().map(|it| format!("{}/{}", it.container_id, it.interface));
            shown.collect::<Vec<_>>().join(" ")
        }),
    };
    assert_eq!(said.unwrap_or_else(|error| error.problem().msg), expected);
}

#[test]
fn check_reads_the_addresses_of_the_previous_result() {
    let both = r#"{"ips": [{"version": "4", "address": "10.0.1.5/32"}, {"address": "2001:db8::5/128", "interface": 1}]}"#;
    check_outer("prevResult", both, "[10.0.1.5, 2001:db8::5]");
    for wrong in
        ["null", "{}", r#"{"ips":[]}"#, r#"{"ips":[{}]}"#, r#"{"ips":[{"address":"10.0.1.5"}]}"#]
    {
        let expected = format!("prevResult = {wrong}: expected a result with addresses");
        check_outer("prevResult", wrong, &expected);
    }
    check_outer("args", "1", "the network configuration has no cni.dev/valid-attachments");
}

#[test]
fn gc_reads_what_stays_and_takes_nothing_missing_for_an_empty_list() {
    let member = "cni.dev/valid-attachments";
    check_outer(
        member,
        r#"[{"containerID": "c1", "ifname": "eth0"}, {"containerID": "c2", "ifname": "net1"}]"#,
        "c1/eth0 c2/net1",
    );
    check_outer(member, "[]", "");
    check_outer(member, "null", "");
    for wrong in
        ["{}", "[1]", r#"[{"containerID":"c1"}]"#, r#"[{"containerID":"","ifname":"eth0"}]"#]
    {
        let expected = format!("{member} = {wrong}: expected a list of {{containerID, ifname}}");
        check_outer(member, wrong, &expected);
    }
}

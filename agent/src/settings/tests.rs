//! What command lines mean.

use std::fmt::Write;

use clap::CommandFactory;

use super::{CommandLine, Settings};

/// Reads `arguments`, between `|`, and compares what is not as by default, or the error, with `expected`.
#[track_caller]
fn check(arguments: &str, expected: &str) {
    let words: Vec<&str> = arguments.split('|').map(str::trim).filter(|w| !w.is_empty()).collect();
    let found = match read(&words) {
        Ok(settings) => differences(&settings),
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    assert_eq!(found, expected, "for {arguments:?}");
}

fn read(words: &[&str]) -> Result<Settings, super::SettingsError> {
    Settings::from_arguments(["--node-name=node-1"].into_iter().chain(words.iter().copied()))
}

/// The members of `settings` whose debug text differs from that of the defaults, one per line.
fn differences(settings: &Settings) -> String {
    let defaults = read(&[]).unwrap();
    let mut text = String::new();
    for ((name, given), (_, default)) in members(settings).into_iter().zip(members(&defaults)) {
        if given != default {
            writeln!(text, "{name}: {given}").unwrap();
        }
    }
    text.trim_end().to_owned()
}

fn members(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { node, tuning, plugins, host, kubernetes, serve, logs } = settings;
    let present = |value: serde_json::Value| value.to_string();
    vec![
        ("own", format!("{:?}", node.own)),
        ("contract", format!("{:?}", node.contract)),
        ("families", format!("{} {}", node.ipv4, node.ipv6)),
        ("keeps", format!("{}", node.keeps_cilium_node)),
        ("latest", format!("{:?}", node.publish_latest)),
        ("taint", format!("{:?}", node.taint)),
        ("imds", format!("{}", node.imds)),
        ("eni", present(serde_json::to_value(&tuning.flags.eni).unwrap())),
        ("ipam", present(serde_json::to_value(&tuning.flags.ipam).unwrap())),
        ("conf", format!("{:?}", tuning.cni_conf)),
        ("state", format!("{:?}", plugins.state_dir)),
        ("socket", format!("{:?}", plugins.socket)),
        ("cilium", format!("{:?}", plugins.cilium_socket)),
        ("queue", format!("{:?}", plugins.queue_dir)),
        ("ledger", format!("{:?}", plugins.ledger)),
        ("wait", format!("{:?}", plugins.wait_max)),
        ("host", format!("{:?}", host.networking)),
        ("server", format!("{:?}", kubernetes.api_server)),
        ("serve", format!("{} {}", serve.address, serve.metrics)),
        ("logs", format!("{logs:?}")),
    ]
}

#[test]
fn nothing_given_is_the_defaults() {
    check("", "");
    let settings = read(&[]).unwrap();
    assert_eq!(settings.node.name.as_str(), "node-1");
    let expected = r#"contract: PerIp
families: true false
keeps: true
latest: 15s
taint: Some("node.cilium.io/agent-not-ready")
imds: http://169.254.169.254
eni: {}
ipam: {}
conf: None
state: "/var/lib/berth"
socket: "/var/run/berth/agent.sock"
cilium: None
queue: "/var/run/berth/deletions"
ledger: LedgerSettings { cool_down: 30s, claim_within: 600s, remember: 120s }
wait: 10s
host: Some(Options { numbers: Numbers { protocol: 66, to_pods: 20, masqueraded: 110, from_pods: 111, first_table: 10, mark: 256 }, mtu: None, masquerade: false, proc_sys: "/proc/sys" })
server: None
serve: 127.0.0.1:9972 true"#;
    let found: Vec<String> = members(&settings)
        .into_iter()
        .filter(|(name, _)| !["own", "logs"].contains(name))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    assert_eq!(found.join("\n"), expected);
}

#[test]
fn flags_of_cilium_mean_the_same() {
    check("--eni-first-interface-index=1", "eni: {\"first-interface-index\":1}");
    check("--eni-use-primary-address", "eni: {\"use-primary-address\":true}");
    check("--eni-disable-prefix-delegation=true", "eni: {\"disable-prefix-delegation\":true}");
    check("--eni-delete-on-termination=false", "eni: {\"delete-on-termination\":false}");
    check(
        "--eni-subnet-ids=subnet-2,subnet-1 | --eni-subnet-tags=a=1,b=2",
        "eni: {\"subnet-ids\":[\"subnet-1\",\"subnet-2\"],\"subnet-tags\":{\"a\":\"1\",\"b\":\"2\"}}",
    );
    check(
        "--eni-security-groups=sg-1 sg-2 | --eni-security-group-tags={\"a\":\"1\"}",
        "eni: {\"security-group-tags\":{\"a\":\"1\"},\"security-groups\":[\"sg-1\",\"sg-2\"]}",
    );
    check("--eni-exclude-interface-tags=a=1", "eni: {\"exclude-interface-tags\":{\"a\":\"1\"}}");
    check(
        "--ipam-min-allocate=3 | --ipam-pre-allocate=4 | --ipam-max-allocate=5",
        "ipam: {\"max-allocate\":5,\"min-allocate\":3,\"pre-allocate\":4}",
    );
    check("--ipam-static-ip-tags=a=1", "ipam: {\"static-ip-tags\":{\"a\":\"1\"}}");
    check("--ipam-cilium-node-update-rate=5s", "latest: 5s");
    check("--auto-create-cilium-node-resource=false", "keeps: false");
    check("--agent-not-ready-taint-key=example.com/wait", "taint: Some(\"example.com/wait\")");
    check("--enable-ipv4=false | --enable-ipv6", "families: false true");
    check("--read-cni-conf=/etc/cni/05.conflist", "conf: Some(\"/etc/cni/05.conflist\")");
    check("--ipam=eni", "");
    check("--ipam=delegated-plugin", "host: None");
}

#[test]
fn flags_of_berth() {
    check("--contract=cidr", "contract: Cidr");
    check("--keep-taint", "taint: None");
    check("--node-ips=10.0.0.1,fd00::1", "own: [10.0.0.1, fd00::1]");
    check("--imds-endpoint=http://127.0.0.1:80", "imds: http://127.0.0.1:80");
    check("--state-dir=/s | --queue-dir=/q", "state: \"/s\"\nqueue: \"/q\"");
    check("--socket-path=/a | --cilium-socket-path=/b", "socket: \"/a\"\ncilium: Some(\"/b\")");
    check(
        "--address-cool-down=0s | --claim-within=1s | --address-wait=0s",
        "ledger: LedgerSettings { cool_down: 0ns, claim_within: 1s, remember: 120s }\nwait: 0ns",
    );
    check("--serve-address=:1 | --enable-metrics=no", "serve: :1 false");
    check("--k8s-api-server=https://10.0.0.1", "server: Some(\"https://10.0.0.1\")");
    check("--log-format=json | --debug", "logs: LogSettings { format: Json, level: Debug }");
}

#[test]
fn settings_that_contradict_each_other_name_both() {
    check(
        "--enable-ipv4=false",
        "--enable-ipv4 false and --enable-ipv6 false contradict each other: no pod could have an address",
    );
    check(
        "--ipam-min-allocate=10 | --ipam-max-allocate=9",
        "--ipam-min-allocate 10 and --ipam-max-allocate 9 contradict each other: \
         the node cannot have more addresses than it may have",
    );
    check(
        "--cilium-socket-path=/var/run/berth/agent.sock",
        "--socket-path /var/run/berth/agent.sock and --cilium-socket-path /var/run/berth/agent.sock \
         contradict each other: each needs a place of its own",
    );
    check(
        "--state-dir=/x | --queue-dir=/x",
        "--state-dir /x and --queue-dir /x contradict each other: each needs a place of its own",
    );
}

#[test]
fn values_that_make_no_sense_name_their_flag() {
    check(
        "--ipam=cluster-pool",
        "--ipam \"cluster-pool\": expected eni or delegated-plugin: \
         Berth gives pods addresses of network interfaces alone",
    );
    check(
        "--ipam-cilium-node-update-rate=10m",
        "--ipam-cilium-node-update-rate \"600s\": expected 1s to 5m",
    );
    check(
        "--ipam-cilium-node-update-rate=0s",
        "--ipam-cilium-node-update-rate \"0ns\": expected 1s to 5m",
    );
    check("--address-wait=3m", "--address-wait \"180s\": expected 0s to 2m");
    check("--address-cool-down=2h", "--address-cool-down \"7200s\": expected 0s to 1h");
    check("--claim-within=0s", "--claim-within \"0ns\": expected 1s to 1h");
    check("--state-dir=berth", "--state-dir \"berth\": expected a path that starts with /");
    check(
        "--imds-endpoint=https://127.0.0.1",
        "error: invalid value 'https://127.0.0.1' for '--imds-endpoint <URL>': \
         \"https://127.0.0.1\" is no metadata endpoint: expected `http://HOST[:PORT][/PATH]`",
    );
    for key in ["", "a b"] {
        check(
            &format!("--agent-not-ready-taint-key={key}"),
            &format!(
                "--agent-not-ready-taint-key {key:?}: expected the key of a taint, such as \
                 node.cilium.io/agent-not-ready; --keep-taint removes none"
            ),
        );
    }
    check(
        "--eni-subnet-ids=sn-1",
        "error: invalid value 'sn-1' for '--eni-subnet-ids <IDS>': \"sn-1\" is not a subnet id: \
         expected `subnet-` and lower-case letters or digits",
    );
    check("--no-such-flag", "error: unexpected argument '--no-such-flag' found");
}

#[test]
fn the_hosts_network() {
    let with = |numbers: &str, mtu: &str, masquerade: bool| {
        format!(
            "host: Some(Options {{ numbers: Numbers {{ {numbers} }}, mtu: {mtu}, masquerade: {masquerade}, proc_sys: \"/proc/sys\" }})"
        )
    };
    let usual =
        "protocol: 66, to_pods: 20, masqueraded: 110, from_pods: 111, first_table: 10, mark: 256";
    check("--host-networking=off", "host: None");
    check("--host-networking=off | --host-mtu=1500", "host: None");
    check("--host-networking | --ipam=delegated-plugin", "");
    check("--host-mtu=9001", &with(usual, "Some(9001)", false));
    check("--host-masquerade", &with(usual, "None", true));
    check(
        "--host-protocol=5 | --host-to-priority=1 | --host-masquerade-priority=2 | --host-from-priority=32765 | --host-first-table=188 | --host-mark=1",
        &with(
            "protocol: 5, to_pods: 1, masqueraded: 2, from_pods: 32765, first_table: 188, mark: 1",
            "None",
            false,
        ),
    );
    check("--host-mark=0x80000000", &with(&usual.replace("256", "2147483648"), "None", false));
    check(
        "--host-from-priority=110",
        "--host-masquerade-priority 110 and --host-from-priority 110 contradict each other: the first must be the lower number",
    );
    check(
        "--host-to-priority=200",
        "--host-to-priority 200 and --host-masquerade-priority 110 contradict each other: the first must be the lower number",
    );
    check(
        "--host-mtu=575",
        "error: invalid value '575' for '--host-mtu <BYTES>': 575 is not in 576..=65535",
    );
    check(
        "--host-protocol=4",
        "error: invalid value '4' for '--host-protocol <NUMBER>': 4 is not in 5..=255",
    );
    check(
        "--host-first-table=189",
        "error: invalid value '189' for '--host-first-table <TABLE>': 189 is not in 1..=188",
    );
    check(
        "--host-to-priority=0",
        "error: invalid value '0' for '--host-to-priority <PRIORITY>': 0 is not in 1..=32765",
    );
    check(
        "--host-mark=0x0",
        "error: invalid value '0x0' for '--host-mark <MARK>': expected a number from 1 to 0xffffffff",
    );
}

#[test]
fn the_name_of_the_node() {
    let name = |arguments: &[&str]| {
        Settings::from_arguments(arguments.iter().copied())
            .map(|settings| settings.node.name.to_string())
            .map_err(|error| error.to_string())
    };
    assert_eq!(name(&["--node-name=a.b"]), Ok("a.b".to_owned()));
    assert_eq!(
        name(&["--node-name=A_B"]).unwrap_err(),
        "--node-name \"A_B\": expected the name of a Node: lower-case letters, digits, `-` and `.`"
    );
    let of = |flag: Option<&str>, variable: Option<&str>| {
        super::node::name_of_node(flag.map(str::to_owned), variable.map(str::to_owned))
            .map(|name| name.to_string())
            .map_err(|error| error.to_string())
    };
    assert_eq!(of(Some("a"), Some("b")), Ok("a".to_owned()));
    assert_eq!(of(Some(""), Some("b")), Ok("b".to_owned()));
    assert_eq!(of(None, Some("")), of(None, None));
}

#[test]
fn files_of_a_folder_are_flags_unless_the_line_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("enable-ipv6", "true\n");
    write("contract", "cidr");
    write("prometheus-serve-addr", ":9962");
    let flag = format!("--config-dir={}", folder.path().display());
    check(&format!("{flag} | --contract=per-ip"), "families: true true");
}

#[test]
fn every_flag_has_its_variable_and_a_help_text() {
    let command = CommandLine::command();
    command.clone().debug_assert();
    assert_eq!(berth_shell::settings::unruly(&command), [""; 0]);
}

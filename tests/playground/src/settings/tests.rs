//! What command lines mean.

use std::fmt::Write;

use clap::CommandFactory;

use super::{CommandLine, Settings, SettingsError};

/// Reads `arguments`, between blanks, and compares what is not as by default, or the error, with `expected`.
#[track_caller]
fn check(arguments: &str, expected: &str) {
    let found = match read(arguments) {
        Ok(settings) => differences(&settings),
        Err(SettingsError::CommandLine(error)) => {
            error.to_string().lines().next().unwrap_or_default().to_owned()
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "for {arguments:?}");
}

fn read(arguments: &str) -> Result<Settings, SettingsError> {
    Settings::from_arguments(arguments.split_whitespace(), 7)
}

/// The members of `settings` whose debug text differs from that of the defaults, one per line.
fn differences(settings: &Settings) -> String {
    let mut text = String::new();
    for ((name, given), (_, default)) in
        members(settings).into_iter().zip(members(&read("").unwrap()))
    {
        if given != default {
            writeln!(text, "{name}: {given}").unwrap();
        }
    }
    text.trim_end().to_owned()
}

fn members(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { plan, in_process, keep, kubeconfig, report, output, lines, .. } = settings;
    let Settings { plugin, log_file, log_level, notices, .. } = settings;
    let nodes = plan.nodes.iter().map(|group| {
        let (types, prefixes) = (&group.instance_types, format!("{:?}", group.served));
        let prefixes = if prefixes.contains("prefixes: true") { " prefixes" } else { "" };
        format!("{} {} {}{prefixes}", group.count, group.name, types.join(","))
    });
    vec![
        ("name", plan.name.clone()),
        ("length", format!("{:?}", plan.length)),
        ("seed", plan.seed.to_string()),
        ("nodes", nodes.collect::<Vec<_>>().join("; ")),
        ("per second", plan.pods.per_second.to_string()),
        ("lifetime", format!("{:?}", plan.pods.lifetime)),
        ("latency", format!("{:?}", plan.ec2.latency)),
        ("buckets", format!("{:?}", plan.ec2.buckets)),
        ("faults", plan.ec2.faults.len().to_string()),
        ("operator", plan.operator.join(" ")),
        ("in process", in_process.to_string()),
        ("keep", keep.to_string()),
        ("kubeconfig", format!("{kubeconfig:?}")),
        ("report", format!("{report:?}")),
        ("output", format!("{output:?}")),
        ("lines", lines.to_string()),
        ("plugin", format!("{plugin:?}")),
        ("log", format!("{log_file:?} {log_level:?}")),
        ("notices", notices.join("\n")),
    ]
}

#[test]
fn nothing_given_is_the_default_playground() {
    let settings = read("").unwrap();
    assert_eq!(settings.plan.name, "default");
    assert_eq!(settings.plan.seed, 7);
    assert_eq!(settings.notices, Vec::<String>::new());
}

#[test]
fn flags_win_over_the_scenario() {
    check("--for 90s", "length: 90s");
    check("--seed 3", "seed: 3");
    check("--nodes 9", "nodes: 9 node m5.large,c5.xlarge,t3.large,m6i.xlarge,r5.xlarge");
    check("--instance-types c5.large,m5.large", "nodes: 5 node c5.large,m5.large");
    check(
        "--prefix-delegation --nodes 2 --instance-types m5.large",
        "nodes: 2 node m5.large prefixes",
    );
    check("--pods-per-second 0.5 --pod-lifetime 1m", "per second: 0.5\nlifetime: 60s");
    check("--latency slow", "latency: Slow");
    check(
        "--buckets unlimited",
        "buckets: Settings { unlimited: true, multiplier: 1.0, overrides: {} }",
    );
    check("--buckets aws", "");
    check("--faults flaky", "faults: 3");
    check("--faults none", "");
    check("--release-delay 5", "operator: --excess-ip-release-delay=5");
}

#[test]
fn nodes_are_spread_over_the_groups_of_a_scenario() {
    let nodes = |arguments: &str| {
        let plan = read(arguments).unwrap().plan;
        plan.nodes.iter().map(|group| group.count).collect::<Vec<_>>()
    };
    assert_eq!(nodes("--scenario cilium-eni"), [2, 2]);
    assert_eq!(nodes("--scenario cilium-eni --nodes 7"), [3, 4]);
    assert_eq!(nodes("--scenario cilium-eni --nodes 1"), [0, 1]);
    assert_eq!(nodes("--nodes 2000"), [2000]);
}

#[test]
fn what_is_expected_of_a_scenario_is_expected_of_nothing_else() {
    let reasons = |arguments: &str| {
        let settings = read(arguments).unwrap();
        (settings.plan.expected.reasons, settings.notices)
    };
    let expected = vec!["InstanceFull".to_owned()];
    assert_eq!(reasons("--scenario cilium-eni --seed 1"), (expected, vec![]));
    let notice = "what the scenario expects is not checked: flags change what is played".to_owned();
    for flag in ["--nodes 2", "--for 20s", "--latency slow", "--prefix-delegation"] {
        let arguments = format!("--scenario cilium-eni {flag}");
        assert_eq!(reasons(&arguments), (vec![], vec![notice.clone()]), "{flag}");
    }
}

#[test]
fn parts_and_what_is_shown() {
    check("--keep --for 1m", "keep: true");
    check("--kubeconfig a", "kubeconfig: Some(\"a\")");
    check("--in-process", "in process: true");
    check("--cni-plugin a/berth-cni", "plugin: Some(\"a/berth-cni\")");
    check("--lines -o json --report r.html", "report: Some(\"r.html\")\noutput: Json\nlines: true");
    check("--log-file l --log-level debug", "log: Some(\"l\") Debug");
}

#[test]
fn what_makes_no_sense_is_named() {
    check("--nodes 0", "error: invalid value '0' for '--nodes <COUNT>': 0 is not in 1..=2000");
    check(
        "--nodes 5000",
        "error: invalid value '5000' for '--nodes <COUNT>': 5000 is not in 1..=2000",
    );
    check(
        "--for 60",
        "error: invalid value '60' for '--for <TIME>': expected a length of time from 1s to 24h, such as 15s or 1m30s",
    );
    check(
        "--for 0s",
        "error: invalid value '0s' for '--for <TIME>': expected a length of time from 1s to 24h, such as 15s or 1m30s",
    );
    check(
        "--instance-types m5.larg",
        "error: invalid value 'm5.larg' for '--instance-types <TYPE,TYPE>': `m5.larg`: expected an instance type, such as m5.large; did you mean `m5.large`?",
    );
    check(
        "--instance-types t2.small --prefix-delegation",
        "--prefix-delegation and --instance-types t2.small contradict each other: only types that are built on Nitro take prefixes, such as m5.large",
    );
    check(
        "--pods-per-second -1",
        "error: invalid value '-1' for '--pods-per-second <COUNT>': expected a number of pods each second, from 0 to 1000, such as 0.5",
    );
    check(
        "--pods-per-second NaN",
        "error: invalid value 'NaN' for '--pods-per-second <COUNT>': expected a number of pods each second, from 0 to 1000, such as 0.5",
    );
    check("--latency fast", "error: invalid value 'fast' for '--latency <HOW>'");
    check(
        "--scenario brust",
        "--scenario brust: expected a file, or one of default, cilium-eni, overlay, no-kube-proxy, secondary-cidr, chaining, burst, scale-down, rolling-drain, subnet-exhaustion, fragmented-subnet, throttled-account, ec2-outage; did you mean `burst`?; --list-scenarios says what they show",
    );
    check(
        "--scenario there/is/none.yaml",
        "--scenario there/is/none.yaml: No such file or directory (os error 2)",
    );
    check("--buckets none", "--buckets none: No such file or directory (os error 2)");
    check("--faults none.yaml", "--faults none.yaml: No such file or directory (os error 2)");
    check(
        "--in-process --cni-plugin berth-cni",
        "--in-process and --cni-plugin contradict each other: no process of a plugin is started",
    );
    check(
        "--scenario ec2-outage --for 5s",
        "ec2-outage.yaml:11:10: timeline[0].at: `10s`: expected a time before the end of the run, which is at 5s",
    );
    check("--node 5", "error: unexpected argument '--node' found");
}

/// A file, and the path to it.
fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn files_are_read_and_what_is_wrong_with_them_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = file(&folder, "mine.yaml", "length: 10s\nnodes: [{count: 2}]\n");
    check(&format!("--scenario {scenario}"), "name: mine\nlength: 10s\nnodes: 2 node m5.large");
    let outage = file(&folder, "outage.yaml", "timeline: [{at: 1s, api_outage: {length: 1s}}]\n");
    check(
        &format!("--scenario {outage} --kubeconfig a"),
        "--kubeconfig and api_outage in the timeline contradict each other: a real API server is not taken away from others",
    );
    let buckets = file(&folder, "buckets", "multiplier: 2\n");
    check(
        &format!("--buckets {buckets}"),
        "buckets: Settings { unlimited: false, multiplier: 2.0, overrides: {} }",
    );
    let faults = file(&folder, "faults", "- {nth: 1, effect: throttle-burst}\n");
    check(&format!("--faults {faults}"), "faults: 1");
    let wrong = file(&folder, "wrong", "multiplier: 0\n");
    check(
        &format!("--buckets {wrong}"),
        &format!("{wrong}:1:13: multiplier: `0`: expected a number above 0"),
    );
    let wrong = file(&folder, "wrong", "- {nth: 0, effect: throttle-burst}\n");
    let found = read(&format!("--faults {wrong}")).unwrap_err().to_string();
    assert!(found.starts_with(&format!("{wrong}:1:")), "{found}");
}

#[test]
fn help_and_the_list_are_answers_and_no_errors() {
    let list = read("--list-scenarios").unwrap_err();
    assert!(list.is_answer());
    for known in crate::scenario::BUILT_IN {
        assert!(list.to_string().contains(&format!("\n  {} ", known.name)), "{list}");
    }
    let help = read("--help").unwrap_err();
    assert!(help.is_answer());
    let text = help.to_string();
    for part in ["What is played:", "EC2:", "Parts:", "What is shown:", "-- --scenario burst"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(read("--version").unwrap_err().is_answer());
    assert!(!read("--nodes x").unwrap_err().is_answer());
}

#[test]
fn every_flag_has_a_help_text_and_stands_in_the_readme() {
    let command = CommandLine::command();
    command.clone().debug_assert();
    let readme = include_str!("../../README.md");
    for argument in command.get_arguments() {
        let Some(flag) = argument.get_long() else { continue };
        assert!(argument.get_help().is_some(), "--{flag} has no help text");
        assert!(readme.contains(&format!("`--{flag}")), "--{flag} is not in README.md");
    }
}

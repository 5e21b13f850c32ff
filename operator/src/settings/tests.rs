//! What command lines mean.

use std::fmt::Write;

use clap::CommandFactory;

use ipam_core::clean_up::CleanUpSettings;
use ipam_core::reconcile::ReconcileSettings;
use ipam_core::release::ReleaseSettings;

use super::{CommandLine, Settings};

/// Reads `arguments` and compares what is not as by default, or the error, with `expected`.
#[track_caller]
fn check(arguments: &str, expected: &str) {
    let words: Vec<&str> = arguments.split('|').map(str::trim).filter(|w| !w.is_empty()).collect();
    let found = match Settings::from_arguments(words) {
        Ok(settings) => differences(&settings),
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    assert_eq!(found, expected, "for {arguments:?}");
}

/// The members of `settings` whose debug text differs from that of the defaults, one per line.
fn differences(settings: &Settings) -> String {
    let defaults = Settings::from_arguments([]).unwrap();
    let mut text = String::new();
    for ((name, given), (_, default)) in members(settings).into_iter().zip(members(&defaults)) {
        if given != default {
            writeln!(text, "{name}: {given}").unwrap();
        }
    }
    text.trim_end().to_owned()
}

fn members(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { kubernetes, ec2, machine, serve, logs, notices } = settings;
    let lease = &kubernetes.lease;
    vec![
        ("mode", format!("{:?}", machine.mode)),
        ("prefixes", format!("{}", machine.policy.prefix_delegation())),
        ("return at", format!("{}", machine.policy.return_to_prefixes_at())),
        ("unmatched", format!("{:?}", machine.policy.unmatched())),
        ("tags", format!("{:?}", machine.policy.eni_tags())),
        ("budget", format!("{:?}", machine.budget)),
        ("filter", format!("{:?}", machine.subnet_filter)),
        ("overrides", format!("{:?}", machine.overrides.types().collect::<Vec<_>>())),
        ("learn", format!("{}", machine.learn_limits)),
        ("per hour", format!("{:?}", machine.creations_per_hour)),
        ("release", released(&machine.release)),
        ("idle", format!("{:?}", machine.eni_idle_delay)),
        ("repair", format!("{}", machine.repair_security_groups)),
        ("clean up", cleaned_up(&machine.clean_up)),
        ("audit", format!("{:?}", machine.audit_interval)),
        ("rival", format!("{:?}", machine.rival_grace)),
        ("ec2", format!("{ec2:?}")),
        ("server", format!("{:?}", kubernetes.connect.api_server)),
        ("kubeconfig", format!("{:?}", kubernetes.connect.kubeconfig)),
        ("crd", format!("{}", kubernetes.install_crd)),
        ("pods", format!("{}", kubernetes.watch_pods)),
        ("lease", format!("{:?}/{}", lease.namespace, lease.name)),
        (
            "times",
            format!("{:?} {:?} {:?}", lease.duration, lease.renew_deadline, lease.retry_period),
        ),
        ("serve", format!("{} {}", serve.address, serve.metrics)),
        ("logs", format!("{logs:?}")),
        ("notices", notices.join("; ")),
    ]
}

fn released(release: &ReleaseSettings) -> String {
    let ReleaseSettings { is_on, delay, per_hour, .. } = release;
    if *is_on { format!("on after {delay:?}, {per_hour:?} per hour") } else { "off".into() }
}

fn cleaned_up(settings: &CleanUpSettings) -> String {
    let CleanUpSettings { interval, grace, per_pass } = settings;
    interval.map_or_else(
        || "off".to_owned(),
        |interval| format!("every {interval:?}, after {grace:?}, {per_pass} each"),
    )
}

#[test]
fn nothing_given_is_the_defaults() {
    check("", "");
    let settings = Settings::from_arguments([]).unwrap();
    assert_eq!(settings.kubernetes.lease.name, "berth-operator");
    assert_eq!(settings.kubernetes.lease.duration.as_secs(), 15);
    assert_eq!(settings.serve.address.to_string(), ":9963");
    assert_eq!(settings.ec2.max_results, 1000);
    assert_eq!(settings.machine.rival_grace, ReconcileSettings::default().rival_grace);
    assert_eq!(settings.machine.audit_interval, ReconcileSettings::default().audit_interval);
    assert_eq!(settings.machine.release, ReleaseSettings::default());
    assert_eq!(settings.machine.eni_idle_delay, ReconcileSettings::default().eni_idle_delay);
    assert!(settings.machine.repair_security_groups);
    assert_eq!(settings.machine.clean_up, CleanUpSettings::default());
    assert_ne!(
        settings.machine.token_salt,
        Settings::from_arguments([]).unwrap().machine.token_salt,
        "client tokens of two machines must differ"
    );
}

#[test]
fn flags_of_berth() {
    check("--mode=observe", "mode: Observe");
    check("--mode | no-release", "mode: NoRelease");
    check("--unmatched-selectors=fall-through", "unmatched: FallThrough");
    check("--max-eni-creations-per-hour=10", "per hour: Some(10)");
    check("--max-address-releases-per-hour=100", "release: on after 180s, Some(100) per hour");
    check("--audit-interval=30m", "audit: 1800s");
    check("--rival-grace=5m", "rival: 300s");
    check("--return-to-prefixes-at=2", "return at: 2");
    check(
        "--lease-name=other | --lease-namespace=berth-system",
        "lease: Some(\"berth-system\")/other",
    );
    check("--k8s-namespace=berth-system", "lease: Some(\"berth-system\")/berth-operator");
    check("--log-format=json | --debug", "logs: LogSettings { format: Json, level: Debug }");
    check("--install-crd=false | --watch-pods=no", "crd: false\npods: false");
}

#[test]
fn interfaces_are_let_go_repaired_and_cleaned_up() {
    check("--aws-release-excess-ips=false | --excess-ip-release-delay=60", "release: off");
    check("--excess-ip-release-delay=60", "release: on after 60s, None per hour");
    check("--aws-release-excess-ips", "");
    check("--eni-idle-delay=1m", "idle: Some(60s)");
    check("--eni-idle-delay=0", "idle: None");
    check("--repair-security-groups=false", "repair: false");
    check(
        "--eni-gc-interval=1h | --eni-gc-grace=1h30m | --eni-gc-limit=3",
        "clean up: every 3600s, after 5400s, 3 each",
    );
    check("--eni-gc-interval=0s", "clean up: off");
    check("--eni-gc-interval=0 | --eni-idle-delay=0s", "idle: None\nclean up: off");
    check("--eni-gc-interval=5m", "");
}

#[test]
fn flags_of_cilium_mean_the_same() {
    check("--aws-enable-prefix-delegation", "prefixes: true");
    check("--aws-enable-prefix-delegation=true", "prefixes: true");
    check("--aws-enable-prefix-delegation=false", "");
    check(
        "--eni-tags={\"team\":\"a b\"}",
        "tags: {\"berth/managed\": \"true\", \"team\": \"a b\"}",
    );
    check(
        "--eni-tags=a=1,b=2 | --cluster-name=blue",
        "tags: {\"a\": \"1\", \"b\": \"2\", \"berth/cluster\": \"blue\", \"berth/managed\": \"true\"}",
    );
    check(
        "--subnet-ids-filter=subnet-1 subnet-2",
        "filter: SubnetFilter { ids: {subnet-1, subnet-2}, tags: {} }",
    );
    check(
        "--subnet-tags-filter=a=1 b=2",
        "filter: SubnetFilter { ids: {}, tags: {\"a\": \"1\", \"b\": \"2\"} }",
    );
    check(
        "--aws-instance-limit-mapping=a1.medium=2,4,4,a2.custom=4,5,6",
        "overrides: [\"a1.medium\", \"a2.custom\"]",
    );
    check("--aws-instance-limit-mapping={\"a1.medium\":\"2,4,4\"}", "overrides: [\"a1.medium\"]");
    check("--update-ec2-adapter-limit-via-api=false", "learn: false");
    check("--operator-prometheus-serve-addr=:6942", "serve: :6942 true");
    check("--operator-prometheus-serve-addr=[::1]:1 | --enable-metrics=0", "serve: [::1]:1 false");
    check(
        "--leader-election-lease-duration=30s | --leader-election-renew-deadline=20s | --leader-election-retry-period=500ms",
        "times: 30s 20s 500ms",
    );
}

#[test]
fn the_overall_bucket_is_there_when_it_is_asked_for() {
    let overall = |arguments: &[&str]| {
        let settings = Settings::from_arguments(arguments.iter().copied()).unwrap();
        settings.machine.budget.overall().map(|rate| (rate.capacity, rate.refill))
    };
    assert_eq!(overall(&[]), None);
    assert_eq!(overall(&["--limit-ipam-api-qps=10"]), Some((20.0, 10.0)));
    assert_eq!(overall(&["--limit-ipam-api-burst=7"]), Some((7.0, 4.0)));
}

#[test]
fn flags_without_effect_say_so() {
    check("--ipam=eni | --eni-gc-tags=", "");
    check(
        "--eni-gc-tags=a=1",
        "notices: without effect: eni-gc-tags: interfaces to clean up are found by the tags berth/managed and berth/cluster, \
         which every new one has",
    );
}

#[test]
fn what_must_not_be_ignored_is_an_error() {
    check(
        "--ipam=cluster-pool",
        "--ipam cluster-pool is not possible: Berth assigns addresses of network interfaces alone: \
         set eni, or leave the work to Cilium's operator",
    );
    check(
        "--instance-tags-filter=team=a",
        "--instance-tags-filter {\"team\": \"a\"} is not possible: without the filter, nodes would be \
         taken on that it kept out: set the annotation ipam.cilium.io/ignore: \"true\" on their \
         CiliumNodes and leave the filter empty",
    );
}

#[test]
fn settings_that_contradict_each_other_name_both() {
    check(
        "--leader-election-renew-deadline=15s",
        "--leader-election-renew-deadline 15s must be less than --leader-election-lease-duration 15s: \
         the leader has to stop before another one may start",
    );
    check(
        "--leader-election-retry-period=10s",
        "--leader-election-retry-period 10s must be less than --leader-election-renew-deadline 10s: \
         the Lease has to be renewed before its deadline",
    );
    check(
        "--eni-tags=a=1 | --foreign-tag-keys=a",
        "eni-tags make every new interface foreign: expected none of the foreign tag keys",
    );
}

#[test]
fn values_that_make_no_sense_name_their_flag() {
    let wrong = |flag: &str, value: &str, what: &str| {
        check(&format!("--{flag}={value}"), &format!("error: invalid value '{value}' for {what}"));
    };
    wrong(
        "ec2-budget-share",
        "1.5",
        "'--ec2-budget-share <SHARE>': expected a number above 0 and up to 1, such as 0.8",
    );
    wrong(
        "subnet-ids-filter",
        "sn-1",
        "'--subnet-ids-filter <IDS>': \"sn-1\" is not a subnet id: expected `subnet-` and lower-case letters or digits",
    );
    wrong(
        "eni-tags",
        "a",
        "'--eni-tags <TAGS>': \"a\": expected KEY=VALUE,KEY=VALUE or a JSON object",
    );
    wrong(
        "audit-interval",
        "often",
        "'--audit-interval <TIME>': expected a length of time such as 15s or 1h30m",
    );
    wrong(
        "aws-max-results-per-call",
        "4",
        "'--aws-max-results-per-call <COUNT>': expected 0, or 5 to 1000",
    );
    wrong(
        "ec2-rate",
        "AttachNetworkInterface=1",
        "'--ec2-rate <ACTION=CAPACITY,REFILL>': expected ACTION=CAPACITY,REFILL, such as CreateNetworkInterface=100,5",
    );
    wrong(
        "operator-prometheus-serve-addr",
        "9963",
        "'--operator-prometheus-serve-addr <ADDRESS>': expected HOST:PORT, or :PORT for all addresses",
    );
    wrong(
        "region",
        "eu west",
        "'--region <NAME>': expected the name of a Region, such as eu-west-1",
    );
    for name in ["A_B/c", "", "a..b", "-a", "a."] {
        check(
            &format!("--lease-name={name}"),
            &format!(
                "--lease-name {name:?}: expected the name of a Lease: lower-case letters, digits, `-` and `.`, at most 253"
            ),
        );
    }
    check("--no-such-flag", "error: unexpected argument '--no-such-flag' found");
}

#[test]
fn times_and_counts_out_of_bounds_name_their_flag() {
    check("--audit-interval=1s", "--audit-interval \"1s\": expected 1m to 8760h");
    check("--rival-grace=0s", "--rival-grace \"0ns\": expected 1m to 8760h");
    check("--rival-grace=9000h", "--rival-grace \"32400000s\": expected 1m to 8760h");
    check("--eni-idle-delay=900ms", "--eni-idle-delay \"900ms\": expected 0, or 1s to 8760h");
    check("--eni-idle-delay=9000h", "--eni-idle-delay \"32400000s\": expected 0, or 1s to 8760h");
    check("--eni-gc-interval=1s", "--eni-gc-interval \"1s\": expected 0, or 1m to 8760h");
    check("--eni-gc-interval=9000h", "--eni-gc-interval \"32400000s\": expected 0, or 1m to 8760h");
    check("--eni-gc-grace=4m", "--eni-gc-grace \"240s\": expected 5m to 8760h");
    check("--eni-gc-grace=0s", "--eni-gc-grace \"0ns\": expected 5m to 8760h");
    check(
        "--eni-gc-limit=0",
        "error: invalid value '0' for '--eni-gc-limit <COUNT>': 0 is not in 1..=4294967295",
    );
    check(
        "--leader-election-retry-period=1ms",
        "--leader-election-retry-period \"1ms\": expected 100ms or more: each try is a request to the API server",
    );
    check(
        "--leader-election-lease-duration=90000s",
        "--leader-election-lease-duration \"90000s\": expected whole seconds, 1s to 24h: a Lease counts in seconds",
    );
    check(
        "--leader-election-lease-duration=1500ms",
        "--leader-election-lease-duration \"1.5s\": expected whole seconds, 1s to 24h: a Lease counts in seconds",
    );
}

#[test]
fn endpoints_get_their_scheme() {
    let endpoint = |given: &str| {
        let flag = format!("--ec2-api-endpoint={given}");
        Settings::from_arguments([flag.as_str()]).map(|settings| settings.ec2.endpoint)
    };
    assert_eq!(endpoint("ec2.example.com").unwrap().as_deref(), Some("https://ec2.example.com"));
    assert_eq!(endpoint("http://127.0.0.1:1").unwrap().as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(endpoint("").unwrap(), None);
    assert!(endpoint("ftp://x").is_err());
}

#[test]
fn rates_of_actions_are_read() {
    let given = ["--ec2-rate=createnetworkinterface=200,10.5", "--ec2-rate=DescribeSubnets=5,1"];
    let budget = Settings::from_arguments(given).unwrap().machine.budget;
    let rate = budget.rate(ipam_core::call::Api::CreateNetworkInterface);
    assert_eq!((rate.capacity, rate.refill), (200.0, 10.5));
    let twice = ["--ec2-rate=DescribeSubnets=5,1", "--ec2-rate=DescribeSubnets=6,1"];
    let error = Settings::from_arguments(twice).unwrap_err().to_string();
    assert_eq!(error, "--ec2-rate \"DescribeSubnets\": expected each action once");
}

#[test]
fn files_of_a_folder_are_flags_unless_the_line_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("aws-enable-prefix-delegation", "true\n");
    write("cluster-name", "blue");
    write("eni-tags", "");
    write("cni-exclusive", "true");
    let flag = format!("--config-dir={}", folder.path().display());
    check(
        &format!("{flag} | --cluster-name=green"),
        "prefixes: true\ntags: {\"berth/cluster\": \"green\", \"berth/managed\": \"true\"}",
    );
    write("ipam", "cluster-pool");
    let error = Settings::from_arguments([flag.as_str()]).unwrap_err().to_string();
    assert!(error.starts_with("--ipam cluster-pool is not possible"), "{error}");
    let missing = Settings::from_arguments(["--config-dir=/no/such"]).unwrap_err().to_string();
    assert!(missing.starts_with("--config-dir /no/such"), "{missing}");
}

#[test]
fn every_flag_has_its_variable_and_a_help_text() {
    let command = CommandLine::command();
    command.clone().debug_assert();
    assert_eq!(berth_shell::settings::unruly(&command), [""; 0]);
}

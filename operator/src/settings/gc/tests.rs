//! What command lines of `gc` mean.

use ipam_core::ids::VpcId;

use crate::settings::GcSettings;

/// Reads `arguments` behind the name of a cluster, and compares what is ordered, or the first line of the error, with `expected`.
#[track_caller]
fn check(arguments: &str, expected: &str) {
    check_all(&format!("--cluster-name=c | {arguments}"), expected);
}

#[track_caller]
fn check_all(arguments: &str, expected: &str) {
    let words: Vec<&str> = arguments.split('|').map(str::trim).filter(|w| !w.is_empty()).collect();
    let found = match GcSettings::from_arguments(words) {
        Ok(GcSettings { order, .. }) => {
            let vpcs: Vec<&str> = order.vpcs.iter().map(VpcId::as_str).collect();
            let tags: Vec<&str> = order.rule.tags().values().map(String::as_str).collect();
            let only = if order.dry_run { " only shown" } else { "" };
            format!("{} in {vpcs:?} {:?} apart{only}", tags.join(" "), order.settle)
        }
        Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    assert_eq!(found, expected, "for {arguments:?}");
}

#[test]
fn flags_of_gc() {
    check("", "c true in [] 60s apart");
    check("--dry-run", "c true in [] 60s apart only shown");
    check("--settle=15s | --grace=5m | --limit=1", "c true in [] 15s apart");
    check("--vpc-id=vpc-2 | --vpc-id=vpc-1", "c true in [\"vpc-1\", \"vpc-2\"] 60s apart");
    check("--vpc-id=vpc-2,vpc-1", "c true in [\"vpc-1\", \"vpc-2\"] 60s apart");
}

#[test]
fn a_cluster_has_to_have_a_name() {
    for arguments in ["", "--cluster-name=", "--cluster-name=default", "--dry-run"] {
        check_all(
            arguments,
            "--cluster-name is required: without it the interfaces of this cluster cannot be told from those of \
             others; give the name that `berth-operator run` has. What an operator without one made carries no name, \
             and has to be deleted by hand",
        );
    }
}

#[test]
fn what_is_not_sure_enough_is_an_error() {
    check("--grace=4m", "--grace \"240s\": expected 5m to 8760h");
    check("--grace=9000h", "--grace \"32400000s\": expected 5m to 8760h");
    check("--settle=5s", "--settle \"5s\": expected 15s to 1h");
    check("--settle=2h", "--settle \"7200s\": expected 15s to 1h");
    check(
        "--limit=0",
        "error: invalid value '0' for '--limit <COUNT>': 0 is not in 1..=4294967295",
    );
    check(
        "--foreign-tag-keys=berth/cluster",
        "eni-tags make every new interface foreign: expected none of the foreign tag keys",
    );
}

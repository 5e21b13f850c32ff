//! The environment, as a table: `VARIABLE=value` lines in, what is asked out.

use berth_cni::invocation::Invocation;
use berth_cni::protocol::{Pod, Sandbox};

#[track_caller]
fn check(environment: &str, expected: &str) {
    let get = |name: &str| {
        let lines = environment.lines().map(str::trim);
        let pairs = lines.filter_map(|line| line.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    };
    let said = match Invocation::read(get) {
        Ok(Invocation::Add { sandbox, pod }) => format!("add {} {}", shown(&sandbox), of(&pod)),
        Ok(Invocation::Del { sandbox }) => format!("del {}", shown(&sandbox)),
        Ok(Invocation::Check { sandbox }) => format!("check {}", shown(&sandbox)),
        Ok(Invocation::Gc) => "gc".to_owned(),
        Ok(Invocation::Status) => "status".to_owned(),
        Ok(Invocation::Version) => "version".to_owned(),
        Err(error) => format!("{} {error}", error.problem().code),
    };
    assert_eq!(said, expected);
}

fn shown(Sandbox { container_id, interface }: &Sandbox) -> String {
    format!("{container_id}/{interface}")
}

fn of(Pod { namespace, name, uid }: &Pod) -> String {
    format!("{namespace}/{name}/{}", uid.as_deref().unwrap_or("-"))
}

/// What `CNI_ARGS` makes of a pod.
#[track_caller]
fn check_arguments(arguments: &str, expected: &str) {
    let rest = "CNI_COMMAND=ADD\nCNI_CONTAINERID=c1\nCNI_NETNS=/n\nCNI_IFNAME=eth0";
    check(&format!("{rest}\nCNI_ARGS={arguments}"), expected);
}

/// One variable of an ADD set to something else.
#[track_caller]
fn check_changed(variable: &str, value: &str, expected: &str) {
    let rest = "CNI_COMMAND=ADD\nCNI_CONTAINERID=c1\nCNI_NETNS=/n\nCNI_IFNAME=eth0";
    check(&format!("{variable}={value}\n{rest}"), expected);
}

#[test]
fn every_verb_names_what_it_lacks() {
    check("CNI_COMMAND=ADD", "4 ADD needs CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME");
    check("CNI_COMMAND=CHECK\nCNI_IFNAME=eth0", "4 CHECK needs CNI_CONTAINERID, CNI_NETNS");
    check("CNI_COMMAND=DEL\nCNI_CONTAINERID=c1", "4 DEL needs CNI_IFNAME");
    check("CNI_COMMAND=GC", "4 GC needs CNI_PATH");
    check_changed("CNI_NETNS", "", "4 ADD needs CNI_NETNS");
}

#[test]
fn no_verb_and_an_unknown_one_are_refused() {
    let verbs = "is not one of ADD, DEL, CHECK, GC, STATUS and VERSION";
    check("", &format!("4 CNI_COMMAND \"\" {verbs}"));
    check("CNI_COMMAND=add", &format!("4 CNI_COMMAND \"add\" {verbs}"));
}

#[test]
fn verbs_need_no_more_than_the_specification_says() {
    check("CNI_COMMAND=DEL\nCNI_CONTAINERID=c1\nCNI_IFNAME=eth0", "del c1/eth0");
    check("CNI_COMMAND=GC\nCNI_PATH=/opt/cni/bin", "gc");
    check("CNI_COMMAND=STATUS", "status");
    check("CNI_COMMAND=VERSION", "version");
    let add = "CNI_COMMAND=ADD\nCNI_CONTAINERID=c1\nCNI_NETNS=/n\nCNI_IFNAME=eth0";
    check(add, "add c1/eth0 cni/c1/-");
    check(&add.replace("ADD", "CHECK"), "check c1/eth0");
}

#[test]
fn a_container_and_an_interface_are_what_linux_and_the_specification_allow() {
    let container = "a letter or digit, then letters, digits, '_', '.' and '-', 128 at most";
    for wrong in ["../x", "a/b", "-a", ".a", "a b", "ü"] {
        check_changed(
            "CNI_CONTAINERID",
            wrong,
            &format!("4 CNI_CONTAINERID {wrong:?}: {container}"),
        );
    }
    check_changed("CNI_CONTAINERID", "0a_B.c-d", "add 0a_B.c-d/eth0 cni/0a_B.c-d/-");
    let interface = "1 to 15 bytes without '/', ':' and white space, and not '.' or '..'";
    for wrong in [".", "..", "a/b", "a:b", "a b", "sixteen-bytes-xx"] {
        check_changed("CNI_IFNAME", wrong, &format!("4 CNI_IFNAME {wrong:?}: {interface}"));
    }
}

#[test]
fn the_pod_comes_from_the_arguments() {
    check_arguments(
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=u-1",
        "add c1/eth0 shop/web-0/u-1",
    );
    check_arguments("", "add c1/eth0 cni/c1/-");
    check_arguments("K8S_POD_NAME=;K8S_POD_UID=", "add c1/eth0 cni/c1/-");
    check_arguments("K8S_POD_NAME=web;", "add c1/eth0 cni/web/-");
}

#[test]
fn unknown_arguments_are_borne_only_when_that_is_said() {
    let refused = "4 CNI_ARGS: \"COLOUR\" is not known, and IgnoreUnknown is not set";
    check_arguments("COLOUR=red", refused);
    check_arguments("COLOUR=red;IgnoreUnknown=0", refused);
    check_arguments("COLOUR=red;IgnoreUnknown=False", refused);
    for yes in ["1", "true", "TRUE"] {
        check_arguments(&format!("COLOUR=red;IgnoreUnknown={yes}"), "add c1/eth0 cni/c1/-");
    }
    check_arguments(
        "IgnoreUnknown=yes",
        "4 CNI_ARGS: \"IgnoreUnknown=yes\" is not 1, true, 0 or false",
    );
    check_arguments("IgnoreUnknown", "4 CNI_ARGS: \"IgnoreUnknown\" is not KEY=VALUE");
    let long = format!("K8S_POD_NAME={}", "x".repeat(257));
    let refused = "4 CNI_ARGS: \"K8S_POD_NAME\" has more than 256 bytes, or control characters";
    check_arguments(&long, refused);
}

#[test]
fn arguments_that_make_no_sense_keep_no_address() {
    let del = "CNI_COMMAND=DEL\nCNI_CONTAINERID=c1\nCNI_IFNAME=eth0\nCNI_ARGS=rubbish";
    check(del, "del c1/eth0");
}

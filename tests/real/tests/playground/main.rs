//! The program `playground`, kept running: with kubectl and the aws CLI as people use them, and with a real API server below it.

#[cfg(test)]
mod kept;

use std::process::Command;
use std::time::Duration;

use kept::Kept;
use real::{Kubernetes, Options, Running, await_true, program};
use serde_json::Value;

/// Many times what any step takes on a busy machine.
const SOON: Duration = Duration::from_mins(2);

const POD: &str = r"
apiVersion: v1
kind: Pod
metadata:
  name: mine
spec:
  containers:
    - name: main
      image: busybox
";

#[test]
fn kubectl_and_the_aws_cli_work_against_it() {
    let mut kept = Kept::start(&["--nodes", "2", "--for", "3s", "--seed", "1"]);
    let watching = kept.watch_nodes();
    let nodes = || kept.kubectl(&["get", "cn", "-o", "name"]).lines().count();
    await_true(SOON, "there are not two CiliumNodes", || nodes() >= 2);
    kept.apply(POD);
    kept.kubectl(&["wait", "--for=condition=Ready", "pod/mine", "--timeout=60s"]);
    let address = kept.kubectl(&["get", "pod", "mine", "-o", "jsonpath={.status.podIP}"]);
    let node = kept.kubectl(&["get", "pod", "mine", "-o", "jsonpath={.spec.nodeName}"]);
    let described = kept.kubectl(&["describe", "pod", "mine"]);
    assert!(described.contains(&address) && described.contains(&node), "{described}");
    let described = kept.kubectl(&["describe", "ciliumnode", &node]);
    assert!(described.contains("Instance - Id") || described.contains("i-"), "{described}");
    let instance = kept.kubectl(&["get", "cn", &node, "-o", "jsonpath={.spec.instance-id}"]);
    assert!(kept.is_attached(&address, &instance), "{address} is on no interface of {instance}");
    let used = || kept.kubectl(&["get", "cn", &node, "-o", "jsonpath={.status.ipam.used}"]);
    await_true(SOON, "its use is not published", || used().contains("playground/mine"));
    let line = watching.line(SOON).unwrap();
    assert!(line.contains("ciliumnode") || line.contains("NAME"), "{line}");
    kept.kubectl(&["delete", "pod", "mine"]);
    await_true(SOON, "its end is not published", || !used().contains("playground/mine"));
    drop(watching);
    kept.ends_well();
}

#[test]
fn a_real_api_server_takes_the_place_of_the_simulated_one() {
    let options = Options { controllers: true, ..Options::default() };
    let kubernetes = Kubernetes::start(options).unwrap();
    let kubectl = kubernetes.kubectl();
    let folder = tempfile::tempdir().unwrap();
    let mut play = Command::new(program("playground").unwrap());
    play.args(["--nodes", "3", "--for", "40s", "--seed", "2", "--lines", "--output", "json"]);
    play.args(["--cni-plugin"]).arg(program("berth-cni").unwrap());
    play.arg("--report").arg(folder.path().join("report.html"));
    play.arg("--kubeconfig").arg(kubernetes.kubeconfig());
    let ran = play.output().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{said}\n{complained}");
    let summary: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(summary["findings"], serde_json::json!([]), "{summary:#}");
    assert!(summary["pods"]["started"].as_u64() > Some(5), "{summary:#}");
    for kind in ["nodes", "ciliumnodes", "pods"] {
        let left = kubectl.run(["get", kind, "--all-namespaces", "-o", "name"]).unwrap();
        assert_eq!(left, "", "{kind} are left");
    }

    let node = r#"{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "somebody-s"}}"#;
    kubectl.run_with(["create", "-f", "-"], node).unwrap();
    let refused = play.output().unwrap();
    let complained = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{complained}");
    assert!(complained.contains("somebody-s"), "{complained}");
    kubectl.run(["get", "node", "somebody-s"]).unwrap();
}

/// What a test started ends with it.
#[test]
fn ctrl_c_ends_it_with_a_summary_and_nothing_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut play = Command::new(program("playground").unwrap());
    play.args(["--nodes", "2", "--for", "10m", "--lines", "--in-process"]);
    play.env("TMPDIR", folder.path());
    let mut running = Running::start(&play, &folder.path().join("log")).unwrap();
    while !running.line(SOON).unwrap().contains("running") {}
    running.signal("INT").unwrap();
    let ended = running.ended(SOON).unwrap().and_then(|status| status.code());
    assert_eq!(ended, Some(0), "{}", std::fs::read_to_string(folder.path().join("log")).unwrap());
}

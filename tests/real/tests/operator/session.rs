//! The program between the stand-alone simulators, looked at with kubectl and the aws CLI.

use std::fs;
use std::process::Command;
use std::time::Duration;

use real::{Kubectl, Running, await_true, aws_at, operator_between, program};

use crate::fleet::Fleet;
use crate::{ENDS, SOON};

/// Starts everything, lets a node grow, and stops the operator as a kubelet does.
pub(crate) fn with_stand_alone_simulators() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let fleet = Fleet::new(2);
    fs::write(file("world.yaml"), fleet.world()).unwrap();
    let mut ec2 = Command::new(program("ec2-sim").unwrap());
    ec2.args(["--listen", "127.0.0.1:0", "--for", "600", "--world"]).arg(file("world.yaml"));
    let ec2 = Running::start(&ec2, &file("ec2.log")).unwrap();
    let ec2_address = listening(&ec2);
    let mut kube = Command::new(program("kube-sim").unwrap());
    kube.args(["--listen", "127.0.0.1:0", "--kubeconfig-out"]).arg(file("kubeconfig"));
    let kube = Running::start(&kube, &file("kube.log")).unwrap();
    listening(&kube);
    let operator = program("berth-operator").unwrap();
    let operator = operator_between(&operator, &ec2_address, &file("kubeconfig"));
    let mut operator = Running::start(&operator, &file("operator.log")).unwrap();
    let kubectl = Kubectl::with_kubeconfig(&file("kubeconfig")).unwrap();
    await_true(SOON, "the resource is not served", || kubectl.run(["get", "ciliumnodes"]).is_ok());
    for object in fleet.objects() {
        kubectl.run_with(["create", "-f", "-"], &object.to_string()).unwrap();
    }
    let pool = |node: &str| {
        let path = "jsonpath={range .spec.ipam.pool.*}{.resource} {end}";
        kubectl.run(["get", "ciliumnode", node, "-o", path]).unwrap()
    };
    for node in fleet.names() {
        await_true(SOON, "no addresses", || pool(&node).split_whitespace().count() == 8);
    }
    // One pod more than is kept free: an address more.
    let used = r#"{"status":{"ipam":{"used":{"10.0.0.200":{"owner":"default/a"}}}}}"#;
    let patch = ["patch", "ciliumnode", "node-1", "--subresource", "status", "--type", "merge"];
    kubectl.run(patch.into_iter().chain(["-p", used])).unwrap();
    await_true(SOON, "no further address", || pool("node-1").split_whitespace().count() == 9);
    assert_eq!(secondary_addresses(&ec2_address, "eni-00000000"), 8);
    assert_eq!(secondary_addresses(&ec2_address, "eni-00000001"), 9);
    operator.signal("TERM").unwrap();
    let ended = operator.ended(ENDS).unwrap();
    let log = fs::read_to_string(file("operator.log")).unwrap();
    assert_eq!(ended.and_then(|status| status.code()), Some(0), "{log}");
}

/// The address in the first line of a simulator.
fn listening(simulator: &Running) -> String {
    let line = simulator.line(Duration::from_secs(30)).unwrap();
    let start = line.find("http://").unwrap_or_else(|| panic!("no address in {line:?}"));
    line[start..].split_whitespace().next().unwrap_or_default().to_owned()
}

/// What the aws CLI says that an interface holds besides its primary address.
fn secondary_addresses(ec2: &str, eni: &str) -> usize {
    let query = "length(NetworkInterfaces[0].PrivateIpAddresses[?Primary==`false`])";
    let said = aws_at(
        ec2,
        ["describe-network-interfaces", "--network-interface-ids", eni, "--query", query],
    )
    .unwrap();
    said.trim().parse().unwrap()
}

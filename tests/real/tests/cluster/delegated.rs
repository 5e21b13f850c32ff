//! Cilium's delegated-plugin mode: its main plugin hands the runtime's call on to an IPAM plugin.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use real::cluster::Node;
use serde_json::Value;

use crate::bed::{Bed, run, same, script, until};
use crate::host;
use crate::ledger;
use crate::truth::Truth;

/// What stands for Cilium's main plugin: it calls the IPAM plugin of its configuration as that one does. The first folder of `CNI_PATH` is
/// searched, environment and standard input go through as they came, CHECK and GC do not; what the call says is shown, where the original
/// goes on to make a device.
const MAIN_PLUGIN: &str = r#"#!/bin/sh
case $CNI_COMMAND in
ADD | DEL | STATUS) exec "${CNI_PATH%%:*}/berth-cni" ;;
VERSION) echo '{"cniVersion": "1.0.0", "supportedVersions": ["0.3.1", "0.4.0", "1.0.0"]}' ;;
*) cat >/dev/null ;;
esac
"#;
/// The network of the configuration.
const NETWORK: &str = "cilium";

/// Drives the configuration that is shipped for it with cnitool, while the node's own pods run.
pub(crate) fn is_served(bed: &Bed) {
    let node = bed.cluster.node(0);
    install(node);
    let before = ledger::report(node).unwrap().owners();
    script(node, "ip netns add delegated");
    let result: Value = serde_json::from_str(&cnitool(node, "add")).unwrap();
    check_result(bed, node, &result);
    until("the ledger does not name the pod", || {
        let owners = ledger::report(node)?.owners();
        let named = owners.values().any(|owner| owner == "default/delegated");
        if named { Ok(()) } else { Err(format!("{owners:#?}")) }
    });
    cnitool(node, "check");
    cnitool(node, "del");
    // The runtime repeats itself; so does Cilium's plugin.
    cnitool(node, "del");
    until("DEL frees nothing", || same(&ledger::report(node)?.owners(), &before));
    script(node, "ip netns del delegated");
    bed.say("Cilium's way of calling an IPAM plugin is served");
}

/// One address of one of the node's interfaces, with the subnet's router and the interface's MAC; the host routes it already.
fn check_result(bed: &Bed, node: &Node, result: &Value) {
    let truth = Truth::of(&bed.cluster);
    let [ip] = result["ips"].as_array().unwrap().as_slice() else { panic!("{result}") };
    let address = ip["address"].as_str().unwrap();
    let address = address.strip_suffix("/32").unwrap_or_else(|| panic!("{result}"));
    let address = address.parse().unwrap();
    let eni = truth.holder(node, address).unwrap_or_else(|| panic!("{result}: {truth:#?}"));
    let router = truth.block(&eni.subnet).hosts().next().unwrap();
    assert_eq!(ip["gateway"], router.to_string(), "{result}");
    let [interface] = result["interfaces"].as_array().unwrap().as_slice() else {
        panic!("{result}")
    };
    assert_eq!(interface["mac"], eni.mac, "{result}");
    assert_eq!(interface["sandbox"].as_str().unwrap_or_default(), "", "{result}");
    // By the MAC, Cilium's plugin finds the device.
    assert!(host::device(node, &eni.mac).is_some(), "{result}");
    let missing = &host::needed(bed, &truth, node, [address]) - &host::rules(node);
    assert!(missing.is_empty(), "ADD answered before there was {missing:?}");
}

fn install(node: &Node) {
    let list = include_str!("../../../../deploy/cni/cilium-delegated.conflist");
    let folder = node.folder().join("etc/delegated");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("cilium-delegated.conflist"), list).unwrap();
    let plugin = node.folder().join("opt/cni/bin/cilium-cni");
    fs::write(&plugin, MAIN_PLUGIN).unwrap();
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
}

fn cnitool(node: &Node, verb: &str) -> String {
    let pod = "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=delegated";
    let tool = "/opt/cni/bin/cnitool";
    let (list, plugins) = ("NETCONFPATH=/etc/delegated", "CNI_PATH=/opt/cni/bin");
    run(node, &["env", list, plugins, pod, tool, verb, NETWORK, "/run/netns/delegated"])
}

//! A node whose cluster is away.

use std::fs;

use serde_json::json;

use crate::bed::{Bed, script, until};
use crate::crowd;
use crate::everyone;
use crate::ledger;
use crate::runtime;

/// With operator and API server stopped a further pod starts, and reaches the other node.
pub(crate) fn a_pod_starts(bed: &Bed) {
    let (node, other) = (bed.cluster.node(0), bed.cluster.node(1));
    bed.cluster.stop_operator().unwrap();
    bed.cluster.stop_control_plane().unwrap();
    let name = format!("static-{}", node.name());
    let manifest = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "static", "namespace": "default"},
        "spec": crowd::spec(&json!({})),
    });
    let file = node.folder().join("etc/kubernetes/manifests/static.json");
    fs::write(&file, manifest.to_string()).unwrap();
    let owner = format!("default/{name}");
    let address = until("the pod has no address", || {
        let owners = ledger::report(node)?.owners();
        let found = owners.iter().find(|(_, who)| **who == owner).map(|(address, _)| *address);
        found.ok_or_else(|| format!("{owners:#?}"))
    });
    until("the pod does not run", || {
        let container = runtime::container_of(node, &name).ok_or("it has no container")?;
        let ping = format!("ping -q -c 1 -W 20 {}", other.address());
        let tried = node.run(&["sh", "-c", &runtime::inside(&container, &ping)]).unwrap();
        if tried.status.success() { Ok(()) } else { Err(format!("{tried:?}")) }
    });
    script(other, &format!("busybox ping -q -c 1 -W 20 {address}"));
    bed.say(&format!("without operator and API server, {owner} got {address}"));
    bed.cluster.start_control_plane().unwrap();
    bed.cluster.start_operator().unwrap();
    // A kubelet tells the API server of such a pod within minutes; the agent is faster.
    until("the CiliumNode does not show the pod", || {
        let object = bed.cluster.json(&["get", "ciliumnode", node.name()]);
        let object = object.map_err(|error| error.to_string())?;
        let used = &object["status"]["ipam"]["used"];
        let shown = used[address.to_string()]["owner"] == owner.as_str();
        if shown { Ok(()) } else { Err(format!("{used:#}")) }
    });
    fs::remove_file(&file).unwrap();
    everyone::nothing_is_left(bed);
    bed.say("the CiliumNode showed the pod; it is gone again");
}

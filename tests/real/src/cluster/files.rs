//! Files of the machines, as text.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::IMAGE;

/// The taint that keeps pods away until Berth's agent takes it off.
const NOT_READY: &str = "node.cilium.io/agent-not-ready";

/// How containerd is set up; what is not said is as in production.
pub(crate) fn containerd() -> String {
    format!(
        r#"version = 3
[plugins."io.containerd.cri.v1.runtime"]
  # In a container, not even root may lower it.
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{IMAGE}"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
"#
    )
}

/// How a kubelet is set up: it knows nobody and lets everybody in, since nobody else is on its network; and it leaves cgroups, images and
/// disks alone, which are the host's.
pub(crate) fn kubelet(address: Ipv4Addr, max_pods: usize, waits_for_agent: bool) -> Value {
    let mut configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": address, "healthzPort": 0, "maxPods": max_pods,
        "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "staticPodPath": "/etc/kubernetes/manifests",
        "cgroupDriver": "cgroupfs", "cgroupsPerQOS": false, "enforceNodeAllocatable": [],
        "failCgroupV1": false, "failSwapOn": false, "localStorageCapacityIsolation": false,
        "evictionHard": {}, "imageGCHighThresholdPercent": 100,
    });
    if waits_for_agent {
        configuration["registerWithTaints"] =
            json!([{"key": NOT_READY, "value": "true", "effect": "NoExecute"}]);
    }
    configuration
}

/// What `host-local` gives pods, under the same main plugin: addresses of a node's own subnet.
pub(crate) fn host_local(subnet: u8) -> Value {
    let range = json!({
        "subnet": format!("10.0.{subnet}.128/25"),
        "rangeStart": format!("10.0.{subnet}.130"), "rangeEnd": format!("10.0.{subnet}.239"),
    });
    json!({
        "cniVersion": "1.0.0", "name": "host-local",
        "plugins": [{
            "type": "ptp",
            "ipam": {"type": "host-local", "ranges": [[range]], "routes": [{"dst": "0.0.0.0/0"}]},
        }],
    })
}

/// The blocks of 16 addresses in which [`host_local`] finds its own.
pub(crate) fn host_local_prefixes(subnet: u8) -> Vec<String> {
    (8..15).map(|block| format!("10.0.{subnet}.{}/28", block * 16)).collect()
}

/// Where the API server's certificate is on a node.
pub(crate) const CERTIFICATE: &str = "etc/kubernetes/ca.crt";

/// A way to the API server, with the server's certificate where nodes have it.
pub(crate) fn kubeconfig(admin: &Value, token: Option<&str>) -> String {
    let mut config = admin.clone();
    config["clusters"][0]["cluster"]["certificate-authority"] = json!(format!("/{CERTIFICATE}"));
    if let Some(token) = token {
        config["users"][0]["user"] = json!({"token": token});
    }
    config.to_string()
}

/// The objects of a manifest but for those that would run pods from images that nobody has built: the programs run beside the cluster.
///
/// # Errors
///
/// When a document is not YAML.
pub(crate) fn without_workloads(manifest: &str) -> Result<Value, serde_saphyr::Error> {
    let mut items = Vec::new();
    for document in manifest.split("\n---\n").filter(|document| document.contains("kind:")) {
        let object: Value = serde_saphyr::from_str(document)?;
        if object["kind"] != "DaemonSet" && object["kind"] != "Deployment" {
            items.push(object);
        }
    }
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": items}))
}

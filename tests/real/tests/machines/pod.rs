//! A pod of a cluster.

use real::cluster::{Cluster, IMAGE};

/// A pod comes, has an address of the VPC, and stays with what else there is when the cluster ends.
pub(crate) fn runs(cluster: &Cluster) {
    let image = format!("--image={IMAGE}");
    cluster.kubectl(&["run", "one", &image, "--image-pull-policy=Never"]).unwrap();
    let ready = ["wait", "--for=condition=Ready", "pod/one", "--timeout=60s"];
    cluster.kubectl(&ready).unwrap_or_else(|problem| panic!("{problem}"));
    let pod = cluster.json(&["get", "pod", "one"]).unwrap();
    let address = pod["status"]["podIP"].as_str().unwrap();
    assert!(address.starts_with("10.0."), "{address}");
    let said = cluster.kubectl(&["exec", "one", "--", "cat", "/etc/hostname"]).unwrap();
    assert_eq!(said, "one\n");
}

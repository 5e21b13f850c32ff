//! Addresses in use that others know of.

use std::fs;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use kube_sim::{Effect, KubeSim, When};
use serde_json::{Value, json};

use crate::bed::{Bed, NODE, cluster, pass, rule, until};

async fn pod(sim: &KubeSim, name: &str, spec: Value, status: Value) {
    let mut spec = spec;
    spec["containers"] = json!([{"name": "c", "image": "i"}]);
    let pod = json!({"metadata": {"name": name}, "spec": spec});
    let pods = Api::<Pod>::namespaced(sim.client("kubelet"), "default");
    let pod = serde_json::from_value(pod).expect("a pod");
    pods.create(&PostParams::default(), &pod).await.expect("a pod");
    let patch = Patch::Merge(json!({"status": status}));
    pods.patch_status(name, &PatchParams::default(), &patch).await.expect("a status");
}

/// The last that was found; nothing when nothing was told.
fn last(bed: &Bed) -> Option<String> {
    bed.machine.see(|told| {
        let entries = told.found.last()?.iter().map(|found| {
            let pod = found.pod.as_ref().map(|pod| format!(" {pod}")).unwrap_or_default();
            format!("{}{pod}", found.address)
        });
        Some(entries.collect::<Vec<_>>().join(", "))
    })
}

#[tokio::test(start_paused = true)]
async fn pods_of_this_node_and_routes_are_found() {
    let sim = cluster().await;
    let here = |rest: Value| {
        let mut spec = json!({"nodeName": NODE});
        if let Some(rest) = rest.as_object() {
            spec.as_object_mut().expect("a spec").extend(rest.clone());
        }
        spec
    };
    let at =
        |address: &str| json!({"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]});
    pod(&sim, "web", here(json!({})), at("10.0.0.1")).await;
    pod(&sim, "host", here(json!({"hostNetwork": true})), at("10.20.0.8")).await;
    pod(&sim, "elsewhere", json!({"nodeName": "node-2"}), at("10.0.0.3")).await;
    pod(&sim, "done", here(json!({})), json!({"phase": "Succeeded", "podIP": "10.0.0.4"})).await;
    let folder = tempfile::tempdir().expect("a folder");
    // The addresses as a little-endian machine holds them; 10.0.0.1, 10.0.0.7 and the node's own.
    let route = |address: &str| {
        let octets: std::net::Ipv4Addr = address.parse().expect("an address");
        let number = u32::from_ne_bytes(octets.octets());
        format!("veth\t{number:08X}\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n")
    };
    let routes = ["10.0.0.1", "10.0.0.7", "10.20.0.8"].map(route).concat();
    fs::write(folder.path().join("route"), routes).expect("a file");
    let bed = Bed::start_with(&sim, None, folder.path().to_owned());
    let is_all = || last(&bed).as_deref() == Some("10.0.0.1 default/web, 10.0.0.7");
    until("found", is_all).await;
    pod(&sim, "late", here(json!({})), at("10.0.0.5")).await;
    let is_all =
        || last(&bed).as_deref() == Some("10.0.0.1 default/web, 10.0.0.5 default/late, 10.0.0.7");
    until("found later", is_all).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_found_before_the_pods_are_known() {
    let sim = cluster().await;
    let away = sim.add_fault(rule(Some("pods"), Effect::Unavailable, When::Always));
    let bed = Bed::start(&sim);
    pass(Duration::from_hours(1)).await;
    assert_eq!(last(&bed), None);
    sim.remove_fault(away);
    until("found", || last(&bed).as_deref() == Some("")).await;
}

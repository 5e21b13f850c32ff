//! What a kubelet writes about a pod.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::seen::SeenPod;

/// The patch that says that a pod runs. The API server refuses it for another pod of the same name.
pub(super) fn running(
    pod: &SeenPod,
    container: &str,
    addresses: &[IpAddr],
    host: &[IpAddr],
    now: Timestamp,
) -> Value {
    let now = time(now);
    // On the network of its node, it has its node's addresses.
    let own = if pod.host_network { host } else { addresses };
    let each = |addresses: &[IpAddr]| -> Value {
        addresses.iter().map(|address| json!({"ip": address})).collect()
    };
    let condition = |kind: &&str| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
    let conditions =
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
    let containers = pod.containers.iter().enumerate();
    let containers = containers.map(|(number, (name, image))| {
        json!({
            "name": name, "image": image, "imageID": image,
            "containerID": format!("playground://{number:02x}{}", container.get(2..).unwrap_or_default()),
            "ready": true, "started": true, "restartCount": 0, "lastState": {},
            "state": {"running": {"startedAt": now}},
        })
    });
    json!({
        "metadata": {"uid": pod.uid},
        "status": {
            "phase": "Running",
            "startTime": now,
            "conditions": conditions.iter().map(condition).collect::<Value>(),
            "hostIP": host.first(),
            "hostIPs": each(host),
            "podIP": own.first(),
            "podIPs": each(own),
            "containerStatuses": containers.collect::<Value>(),
        },
    })
}

/// The event that says that a pod got no address.
pub(super) fn no_sandbox(pod: &SeenPod, node: &str, why: &str, now: Timestamp) -> Value {
    let now_in_full = now.to_string();
    let now = time(now);
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"generateName": format!("{}.", pod.name), "namespace": pod.namespace},
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod",
            "namespace": pod.namespace, "name": pod.name, "uid": pod.uid,
        },
        "type": "Warning", "reason": "FailedCreatePodSandBox",
        "message": format!("Failed to create pod sandbox: the plugin \"berth-cni\" failed (add): {why}"),
        "count": 1, "firstTimestamp": now, "lastTimestamp": now, "eventTime": now_in_full,
        "action": "CreatePodSandBox",
        "source": {"component": "kubelet", "host": node},
        "reportingComponent": "kubelet", "reportingInstance": node,
    })
}

/// A time as objects carry it: in UTC, whole seconds.
fn time(now: Timestamp) -> String {
    now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{Event, Pod};

    use super::*;

    fn pod(host_network: bool) -> SeenPod {
        SeenPod {
            namespace: "default".to_owned(),
            name: "a".to_owned(),
            uid: "u".to_owned(),
            host_network,
            containers: vec![("main".to_owned(), "image".to_owned())],
            ..SeenPod::default()
        }
    }

    fn check(pod: &SeenPod, expected: [&str; 2]) {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let (own, host) = ([address("10.0.1.4"), address("fd00::4")], [address("10.0.0.9")]);
        let patch = running(pod, &"ab".repeat(32), &own, &host, Timestamp::UNIX_EPOCH);
        let pod: Pod = serde_json::from_value(patch).expect("a pod");
        let status = pod.status.expect("a status");
        let ips: Vec<String> =
            status.pod_ips.unwrap_or_default().into_iter().map(|ip| ip.ip).collect();
        let found = [status.pod_ip.unwrap_or_default(), ips.join(" ")];
        assert_eq!(found, expected);
        assert_eq!(status.host_ip.as_deref(), Some("10.0.0.9"));
        let container = status.container_statuses.unwrap_or_default().remove(0);
        assert!(container.ready && container.started == Some(true));
        assert_eq!(container.container_id.map_or(0, |id| id.len()), 64 + "playground://".len());
        assert!(status.conditions.unwrap_or_default().iter().any(|it| it.type_ == "Ready"));
    }

    #[test]
    fn a_status_is_what_the_api_knows() {
        check(&pod(false), ["10.0.1.4", "10.0.1.4 fd00::4"]);
        check(&pod(true), ["10.0.0.9", "10.0.0.9"]);
    }

    #[test]
    fn an_event_is_what_the_api_knows() {
        let now: Timestamp = "2026-01-02T03:04:05.678901Z".parse().expect("a time");
        let event = no_sandbox(&pod(false), "node-1", "no free address (code 11)", now);
        let event: Event = serde_json::from_value(event).expect("an event");
        assert_eq!(event.involved_object.uid.as_deref(), Some("u"));
        let message = event.message.unwrap_or_default();
        assert!(message.ends_with("no free address (code 11)"), "{message}");
    }
}
